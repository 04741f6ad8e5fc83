/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"

enum {
	ARGS_MAX = 32,
	DEADLINE_MS = 10000,
};

static const char *exec_path;
static char folder[64];

struct outcome {
	int status;
	char text[4096]; /* stdout and stderr */
};

static void read_all(int fd, char *out, size_t size) {
	size_t len = 0;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	while (len + 1 < size && poll(&wait, 1, DEADLINE_MS) == 1) {
		ssize_t n = read(fd, out + len, size - 1 - len);
		if (n <= 0) {
			break;
		}
		len += (size_t)n;
	}
	out[len] = '\0';
}

/* Runs perigee-exec with the arguments up to NULL. channel becomes its fd 3. */
static struct outcome run_with(int channel, const char *const *args) {
	const char *argv[ARGS_MAX] = { "perigee-exec" };
	for (size_t i = 0; args[i]; i++) {
		argv[i + 1] = args[i];
	}
	int out[2];
	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		if (channel >= 0) {
			dup2(channel, 3);
		} else {
			close(3);
		}
		sigset_t mask;
		sigfillset(&mask);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		signal(SIGPIPE, SIG_IGN);
		execv(exec_path, (char **)(uintptr_t)argv);
		_exit(99);
	}
	close(out[1]);
	struct outcome outcome;
	read_all(out[0], outcome.text, sizeof(outcome.text));
	close(out[0]);
	assert_int_equal(waitpid(pid, &outcome.status, 0), pid);
	return outcome;
}

#define RUN(...) run_with(-1, (const char *const[]){ __VA_ARGS__, NULL })
#define SHELL "--", "/bin/sh", "-c"

static int exit_code(struct outcome outcome) {
	return WIFEXITED(outcome.status) ? WEXITSTATUS(outcome.status) : -1;
}

static void the_program_gets_its_arguments(void **state) {
	(void)state;
	struct outcome outcome = RUN(SHELL, "echo \"$1\"; exit 7", "sh", "--uid");
	assert_string_equal(outcome.text, "--uid\n");
	assert_int_equal(exit_code(outcome), 7);
}

static void signals_are_as_new(void **state) {
	(void)state;
	struct outcome outcome = RUN("--", "/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status");
	assert_string_equal(outcome.text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void privileges_and_cores_are_given_up(void **state) {
	(void)state;
	struct outcome outcome = RUN(SHELL, "grep NoNewPrivs /proc/self/status; ulimit -c");
	assert_string_equal(outcome.text, "NoNewPrivs:\t1\n0\n");
}

static void only_the_channel_stays_open(void **state) {
	(void)state;
	int channel = open("/dev/null", O_RDONLY);
	int other = dup(channel);
	const char *const args[] = { SHELL,
		"for f in 0 1 2 3 4 5 6 7 8 9; do "
		"test -e /proc/$$/fd/$f && echo -n $f; done",
		NULL };
	struct outcome outcome = run_with(channel, args);
	assert_string_equal(outcome.text, "0123");
	close(channel);
	close(other);
}

static void without_listening_fds_even_the_channel_is_closed(void **state) {
	(void)state;
	int channel = open("/dev/null", O_RDONLY);
	const char *const args[] = { "--listen-fds", "0", SHELL,
		"test -e /proc/$$/fd/3 || echo closed; echo $LISTEN_FDS", NULL };
	struct outcome outcome = run_with(channel, args);
	assert_string_equal(outcome.text, "closed\n\n");
	close(channel);
}

static void listening_fds_are_announced(void **state) {
	(void)state;
	int channel = open("/dev/null", O_RDONLY);
	const char *const args[] = { "--listen-fds", "1", "--env-clear", "A=b", SHELL,
		"test $LISTEN_PID = $$ && echo $LISTEN_FDS $A $HOME", NULL };
	struct outcome outcome = run_with(channel, args);
	assert_string_equal(outcome.text, "1 b\n");
	close(channel);
	outcome = RUN("--listen-fds", "2", SHELL, "echo no");
	assert_int_equal(exit_code(outcome), 126);
	assert_non_null(strstr(outcome.text, "listening socket is missing"));
}

static void the_environment_is_closed(void **state) {
	(void)state;
	setenv("PERIGEE_TEST_LEAK", "1", 1);
	struct outcome outcome = RUN("--env-clear", "A=1", "B=two words", "--", "/usr/bin/env");
	assert_string_equal(outcome.text, "A=1\nB=two words\n");
}

static void limits_session_and_folder_are_set(void **state) {
	(void)state;
	struct outcome outcome = RUN("--nofile", "77", "--setsid", "--cwd", "/usr", "--nice", "3",
			SHELL,
			"ulimit -n; pwd; nice; read p c s pp pg sid r </proc/self/stat; "
			"test $sid = $$ && echo leader");
	char wanted[64];
	int nice = getpriority(PRIO_PROCESS, 0) + 3;
	snprintf(wanted, sizeof(wanted), "77\n/usr\n%d\nleader\n", nice < 19 ? nice : 19);
	assert_string_equal(outcome.text, wanted);
}

static bool may_be_realtime(void) {
	struct sched_param param = { .sched_priority = 1 };
	bool may = sched_setscheduler(0, SCHED_RR, &param) == 0;
	param.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &param);
	return may;
}

static void real_time_is_for_the_program_alone(void **state) {
	(void)state;
	/* proc(5): the 41st word is the policy. */
	struct outcome outcome = RUN("--realtime", SHELL,
			"read line </proc/self/stat; set -- $line; shift 40; echo $1; "
			"set -- $(cat /proc/self/stat); shift 40; echo $1");
	assert_string_equal(outcome.text, may_be_realtime() ? "2\n0\n" : "0\n0\n");
}

static void a_prompt_program_asks_for_short_slices(void **state) {
	(void)state;
	struct outcome outcome = RUN("--prompt", "--", "/bin/grep", "se.slice", "/proc/self/sched");
	if (!strstr(outcome.text, "se.slice")) {
		SKIP("a kernel that tells slices (6.12)");
	}
	assert_non_null(strstr(outcome.text, " 100000\n"));
}

static void ids_are_dropped_for_good(void **state) {
	(void)state;
	if (getuid() != 0) {
		SKIP("root");
	}
	struct outcome outcome = RUN("--uid", "65534", "--gid", "65533", SHELL,
			"grep -E '^(Uid|Gid|Groups)' /proc/self/status");
	assert_non_null(strstr(outcome.text, "Uid:\t65534\t65534\t65534\t65534\n"));
	assert_non_null(strstr(outcome.text, "Gid:\t65533\t65533\t65533\t65533\n"));
	assert_non_null(strstr(outcome.text, "Groups:\t \n"));
	assert_int_equal(exit_code(RUN("--uid", "65534", SHELL, "echo")), 126);
}

static void failures_say_what_and_why(void **state) {
	(void)state;
	struct outcome outcome = RUN("--", "/no/such/program");
	assert_int_equal(exit_code(outcome), 127);
	assert_string_equal(outcome.text, "e exec-failed step=program what=\"/no/such/program\" "
					  "error=\"No such file or directory\"\n");
	outcome = RUN("--", "/etc/passwd");
	assert_int_equal(exit_code(outcome), 126);
	outcome = RUN("--cwd", "/no/such", "--", "/bin/true");
	assert_int_equal(exit_code(outcome), 126);
	assert_non_null(strstr(outcome.text, "step=cwd"));
	assert_int_equal(exit_code(RUN("--nofile", "many", "--", "/bin/true")), 126);
	assert_int_equal(exit_code(RUN("--frobnicate", "--", "/bin/true")), 126);
	assert_int_equal(exit_code(RUN("--", "true")), 126);
	assert_int_equal(exit_code(RUN("--setsid")), 126);
}

static void write_file(const char *name) {
	char path[128];
	text_format(path, sizeof(path), "%s/%s", folder, name);
	OWN(fd_close) int fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
}

/* folder/{mine,other}: homes of two apps; folder/state: the store's. */
static void an_app_sees_only_its_own_folders(void **state) {
	(void)state;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (abi < 1) {
		SKIP("Landlock in this kernel");
	}
	char mine[96], script[512];
	text_format(mine, sizeof(mine), "%s/mine", folder);
	text_format(script, sizeof(script),
			"cd %s; cat other/f 2>/dev/null && echo other; "
			"ls state 2>/dev/null && echo state; "
			"echo y >>mine/f && cat mine/f && mv mine/f mine/g; "
			"test -r /etc/passwd && echo etc; "
			"touch /etc/perigee-test 2>/dev/null && echo wrote; echo z >/dev/null && "
			"echo null; %s -0 $PPID 2>/dev/null && echo signalled; "
			"ls /run/user /var/lib/perigee 2>/dev/null && echo open",
			folder, abi >= 6 ? "kill" : "false");
	struct outcome outcome =
			RUN("--landlock-home", mine, "--landlock-closed", folder, SHELL, script);
	/* The shell's cd into folder itself is fine: Landlock guards opening. */
	assert_string_equal(outcome.text, "xy\netc\nnull\n");
}

/* PulseAudio has no channel through which a test could take it over: a shell in its place. */
static void a_sound_server_may_not_start_or_read_things(void **state) {
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) {
		SKIP("Landlock in this kernel");
	}
	char mine[96], script[512];
	text_format(mine, sizeof(mine), "%s/mine", folder);
	text_format(script, sizeof(script),
			"exec 2>/dev/null; read x <%s/other/f || echo reads no other; "
			"read x <%s/state/f || echo reads no state; "
			"echo z >/usr/perigee-test || echo writes not; "
			"echo w >%s/mine/w && read x <%s/mine/w && echo \"has its own $x\"; "
			"/bin/true; echo started something",
			folder, folder, folder, folder);
	struct outcome outcome = RUN("--confine", "sound", "--at-runtime", mine, "--at-state",
			folder, "--", "/bin/sh", "-c", script);
	assert_string_equal(outcome.text, "reads no other\nreads no state\n"
					  "writes not\nhas its own w\n");
}

/* Makes this process see a kernel in which these calls do not exist. */
static void forget_calls(void) {
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog filter = { ARRAY_LEN(program), program };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

static void a_kernel_without_landlock_and_seccomp_confines_what_it_can(void **state) {
	(void)state;
	int out[2], status;
	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		forget_calls();
		execl(exec_path, "perigee-exec", "--confine", "stream", "--", "/bin/sh", "-c",
				"ulimit -n; echo $PERIGEE_SETTLE; read x </etc/passwd && echo open",
				NULL);
		_exit(99);
	}
	close(out[1]);
	char text[200];
	read_all(out[0], text, sizeof(text));
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(text, "128\n\nopen\n");
}

static void what_is_no_kind_is_refused(void **state) {
	(void)state;
	struct outcome outcome = RUN("--confine", "nobody", "--", "/bin/true");
	assert_int_equal(exit_code(outcome), 126);
	assert_non_null(strstr(outcome.text, "step=confine what=\"nobody\""));
}

static int prepare(void **state) {
	(void)state;
	text_copy(folder, sizeof(folder), "/tmp/perigee-exec-XXXXXX");
	assert_non_null(mkdtemp(folder));
	const char *const names[] = { "mine", "other", "state" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[96];
		text_format(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		text_format(path, sizeof(path), "%s/f", names[i]);
		write_file(path);
	}
	return 0;
}

static int clean(void **state) {
	(void)state;
	return folder_remove(folder);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(the_program_gets_its_arguments),
		UNIT(signals_are_as_new),
		UNIT(privileges_and_cores_are_given_up),
		UNIT(only_the_channel_stays_open),
		UNIT(without_listening_fds_even_the_channel_is_closed),
		UNIT(listening_fds_are_announced),
		UNIT(the_environment_is_closed),
		UNIT(limits_session_and_folder_are_set),
		UNIT(real_time_is_for_the_program_alone),
		UNIT(a_prompt_program_asks_for_short_slices),
		UNIT(ids_are_dropped_for_good),
		UNIT(failures_say_what_and_why),
		UNIT(an_app_sees_only_its_own_folders),
		UNIT(a_sound_server_may_not_start_or_read_things),
		UNIT(a_kernel_without_landlock_and_seccomp_confines_what_it_can),
		UNIT(what_is_no_kind_is_refused),
	};
	assert_int_equal(argc, 2);
	exec_path = argv[1];
	return cmocka_run_group_tests(tests, prepare, clean);
}
