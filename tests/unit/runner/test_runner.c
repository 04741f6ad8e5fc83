/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../process.h"
#include "base/text.h"

/* The apps are shell scripts. What one wants to tell the test it writes into a
 * FIFO in its home, so that the test waits for words and not for time. */

static const char *runner_path;
static char folder[64], home[96], runtime[96], fifo_path[128];
static int fifo = -1;
static uid_t box_uid;
static struct ipc_message detail; /* the newest RUNNER_APP */

static void put_word(uint8_t *bytes, uint16_t *len, const char *word) {
	memcpy(bytes + *len, word, strlen(word) + 1);
	*len = (uint16_t)(*len + strlen(word) + 1);
}

static void make_owned(const char *path, uid_t uid, bool is_fifo) {
	assert_int_equal(is_fifo ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
	assert_int_equal(uid ? chown(path, uid, uid) : 0, 0);
}

/* Home and runtime folder with the two FIFOs. */
static void make_place(uid_t uid) {
	char path[128];
	make_owned(home, uid, false);
	make_owned(runtime, uid, false);
	text_format(path, sizeof(path), "%s/fifo2", home);
	make_owned(path, uid, true);
	text_format(fifo_path, sizeof(fifo_path), "%s/fifo", home);
	make_owned(fifo_path, uid, true);
	fd_close(fifo);
	fifo = open(fifo_path, O_RDWR | O_CLOEXEC);
}

static struct process start_runner(void) {
	return process_start(runner_path, PEER_RUNNER, NULL);
}

static void send_start(struct process *runner, const char *const *argv, uint32_t uid) {
	struct ipc_message message = { .kind = IPC_RUNNER_START };
	message.runner_start.uid = message.runner_start.gid = uid;
	text_copy(message.runner_start.home, sizeof(message.runner_start.home), home);
	text_copy(message.runner_start.runtime, sizeof(message.runner_start.runtime), runtime);
	for (size_t i = 0; argv[i]; i++) {
		put_word((uint8_t *)message.runner_start.argv, &message.runner_start.argv_len,
				argv[i]);
	}
	put_word((uint8_t *)message.runner_start.env, &message.runner_start.env_len,
			"PERIGEE_SESSION=7");
	process_send(runner, &message, -1);
}

/* The gate that the app waits at; runner_holds and its descriptors are the newest then. */
static int receive_gate(struct process *runner) {
	process_receive(runner, IPC_RUNNER_GATE);
	int gate = TAKE(runner->fds.fd[0], -1);
	process_receive(runner, IPC_RUNNER_HOLDS);
	return gate;
}

/* Lets it run; its HOLDS and what came with it are the newest afterwards. */
static void let_begin(struct process *runner) {
	int gate = receive_gate(runner);
	struct ipc_message holds = runner->message;
	struct ipc_fds held = runner->fds;
	runner->fds.count = 0;
	assert_int_equal(write(gate, "", 1), 1);
	close(gate);
	process_receive(runner, IPC_RUNNER_APP);
	detail = runner->message;
	assert_int_equal(holds.runner_holds.pid, detail.runner_app.pid);
	assert_string_equal(holds.runner_holds.label, "7");
	runner->message = holds;
	runner->fds = held;
}

static void run_script(struct process *runner, const char *script) {
	send_start(runner, (const char *const[]){ "sh", "-c", script, NULL }, 0);
	let_begin(runner);
}

/* The runner dies; another one gets what it had told the supervisor to hold. */
static struct process replace_runner(struct process *runner) {
	struct ipc_message adopt = runner->message;
	struct ipc_fds fds = runner->fds;
	runner->fds.count = 0;
	adopt.kind = IPC_RUNNER_ADOPT;
	kill(runner->pid, SIGKILL);
	process_wait(runner);
	struct process next = start_runner();
	assert_int_equal(channel_send_fd(next.channel, &adopt, fds.fd, fds.count), 0);
	close(fds.fd[0]);
	close(fds.fd[1]);
	return next;
}

/* Waits until the app is no more; nobody here is its parent. */
static void await_end(int pidfd) {
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, PROCESS_DEADLINE_MS), 1);
}

/* The next word of the app. */
static void hear(char *out, size_t size) {
	struct pollfd wait = { .fd = fifo, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, PROCESS_DEADLINE_MS), 1);
	ssize_t n = read(fifo, out, size - 1);
	assert_true(n > 0);
	out[n] = '\0';
}

static int hear_pid(void) {
	char word[64];
	hear(word, sizeof(word));
	return (int)strtol(word, NULL, 10);
}

static void an_app_runs_in_its_home_and_ends(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner, "echo $HOME $PERIGEE_SESSION $LEAK; pwd >&2; exit 3");
	assert_true(detail.runner_app.pid > 1);
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 3);
	char wanted[256];
	text_format(wanted, sizeof(wanted), "%s 7\n%s\n", home, home);
	assert_string_equal(runner.message.runner_exited.last_lines, wanted);
	process_stop(&runner);
}

/* The supervisor was told and did not say yes yet; then both forget it. */
static void an_app_that_nobody_will_find_never_begins(void **state) {
	(void)state;
	struct process runner = start_runner();
	send_start(&runner, (const char *const[]){ "sh", "-c", "echo begun >fifo", NULL }, 0);
	int gate = receive_gate(&runner);
	OWN(fd_close) int app = TAKE(runner.fds.fd[0], -1);
	struct pollfd wait = { .fd = app, .events = POLLIN };
	kill(runner.pid, SIGKILL);
	process_wait(&runner);
	assert_int_equal(poll(&wait, 1, 0), 0); /* we might still find it */
	close(gate);
	await_end(app);
	wait = (struct pollfd){ .fd = fifo, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, 0), 0);
}

/* It dies before anybody heard of its app: nobody has a hand on the gate any more. */
static void an_app_whose_runner_dies_untold_never_begins(void **state) {
	(void)state;
	struct process runner = start_runner();
	send_start(&runner, (const char *const[]){ "sh", "-c", "echo begun >fifo", NULL }, 0);
	struct pollfd wait = { .fd = runner.channel, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, PROCESS_DEADLINE_MS), 1); /* said, and not heard */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	kill(runner.pid, SIGKILL);
	process_wait(&runner);
	int status = -1;
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	assert_int_equal(status, W_EXITCODE(125, 0));
	wait = (struct pollfd){ .fd = fifo, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, 0), 0);
}

static void a_missing_program_is_named(void **state) {
	(void)state;
	struct process runner = start_runner();
	send_start(&runner, (const char *const[]){ "perigee-no-such-game", NULL }, 0);
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 127);
	assert_string_equal(runner.message.runner_exited.last_lines,
			"not installed: perigee-no-such-game");
	send_start(&runner, (const char *const[]){ "/opt/no/game", NULL }, 0);
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_string_equal(runner.message.runner_exited.last_lines, "not installed: /opt/no/game");
	process_stop(&runner);
}

static void stopping_ends_the_whole_tree(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner,
			"trap 'exit 0' TERM; sh -c 'echo $$ >fifo; while :; do sleep 1000; done' & "
			"wait");
	int pid = hear_pid();
	process_ask_stop(&runner, 10000);
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(kill(pid, 0), -1);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void who_ignores_the_request_is_killed(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner, "trap '' TERM; echo $$ >fifo; while :; do sleep 1000; done");
	int pid = hear_pid();
	process_ask_stop(&runner, 1000);
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_true(WIFSIGNALED(runner.message.runner_exited.status));
	assert_int_equal(WTERMSIG(runner.message.runner_exited.status), SIGKILL);
	assert_int_equal(kill(pid, 0), -1);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void a_stopped_app_is_killed_too(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner, "echo $$ >fifo; kill -STOP $$; :");
	hear_pid();
	process_ask_stop(&runner, 1000);
	process_receive(&runner, IPC_RUNNER_EXITED);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void daemons_of_an_app_end_with_it(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner,
			"setsid sh -c 'trap \"\" TERM; echo $$ >fifo; "
			"while :; do sleep 1000; done' >/dev/null 2>&1 & read x <fifo2; exit 0");
	int pid = hear_pid();
	char path[128];
	text_format(path, sizeof(path), "%s/fifo2", home);
	OWN(fd_close) int go = open(path, O_RDWR);
	assert_int_equal(write(go, "go\n", 3), 3);
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(runner.message.runner_exited.status, 0);
	assert_int_equal(kill(pid, 0), -1);
	process_stop(&runner);
}

static void an_app_of_another_user_has_its_own_home(void **state) {
	(void)state;
	if (getuid() != 0) {
		skip();
	}
	struct process runner = start_runner();
	char other[112];
	text_format(other, sizeof(other), "%s/homes/other", folder);
	struct ipc_message message = { .kind = IPC_RUNNER_START };
	message.runner_start.uid = message.runner_start.gid = 65534;
	text_copy(message.runner_start.home, sizeof(message.runner_start.home), other);
	const char *const argv[] = { "sh", "-c", "id -u; touch here && ls; ls ../app" };
	for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
		put_word((uint8_t *)message.runner_start.argv, &message.runner_start.argv_len,
				argv[i]);
	}
	process_send(&runner, &message, -1);
	process_receive(&runner, IPC_RUNNER_APP);
	assert_non_null(strstr(runner.message.runner_app.detail, "user 65534"));
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_memory_equal(runner.message.runner_exited.last_lines, "65534\nhere\n", 11);
	assert_non_null(strstr(runner.message.runner_exited.last_lines, "Permission denied"));
	process_stop(&runner);
}

static void other_homes_are_closed(void **state) {
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) {
		skip();
	}
	struct process runner = start_runner();
	run_script(&runner, "cat ../secret/f 2>/dev/null || echo closed; touch mine && echo mine; "
			    "touch ../new 2>/dev/null || echo outside");
	assert_non_null(strstr(detail.runner_app.detail, "Landlock"));
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_string_equal(runner.message.runner_exited.last_lines, "closed\nmine\noutside\n");
	process_stop(&runner);
}

static void an_app_ends_with_the_supervisor(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner, "exec 4>fifo; echo $$ >&4; while :; do sleep 1000; done");
	int pid = hear_pid();
	close(runner.channel);
	runner.channel = -1;
	assert_int_equal(WEXITSTATUS(process_wait(&runner)), 0);
	/* We are no subreaper: it may be a zombie of init's for a moment. */
	for (int i = 0; i < PROCESS_DEADLINE_MS && kill(pid, 0) == 0; i++) {
		char path[64], line[256] = "";
		text_format(path, sizeof(path), "/proc/%d/stat", pid);
		OWN(file_close) FILE *file = fopen(path, "re");
		if (!file || !fgets(line, sizeof(line), file) || strstr(line, ") Z ")) {
			break;
		}
		struct pollfd wait = { .fd = -1 };
		poll(&wait, 1, 1);
		assert_true(i < PROCESS_DEADLINE_MS - 1);
	}
}

static void an_app_outlives_its_runner_and_is_watched_by_the_next(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner, "echo $$ >fifo; read x <fifo2; echo last words; exit 3");
	int pid = hear_pid();
	struct process next = replace_runner(&runner);
	assert_int_equal(kill(pid, 0), 0);
	char path[128];
	text_format(path, sizeof(path), "%s/fifo2", home);
	OWN(fd_close) int go = open(path, O_RDWR);
	assert_int_equal(write(go, "go\n", 3), 3);
	process_receive(&next, IPC_RUNNER_EXITED);
	assert_int_equal(next.message.runner_exited.status, RUNNER_STATUS_UNKNOWN);
	assert_string_equal(next.message.runner_exited.last_lines, "last words\n");
	process_stop(&next);
}

static void an_adopted_app_ends_with_all_that_it_started(void **state) {
	(void)state;
	struct process runner = start_runner();
	run_script(&runner, "setsid sh -c 'trap \"\" TERM; echo $$ >fifo; "
			    "while :; do sleep 1000; done' >/dev/null 2>&1 & wait");
	int pid = hear_pid();
	struct process next = replace_runner(&runner);
	process_ask_stop(&next, 4000);
	process_receive(&next, IPC_RUNNER_EXITED);
	process_receive(&next, IPC_STOPPED);
	assert_int_equal(process_wait(&next), 0);
	char path[64];
	text_format(path, sizeof(path), "/proc/%d/cmdline", pid);
	OWN(file_close) FILE *file = fopen(path, "re");
	assert_true(!file || fgetc(file) == EOF); /* nobody may have reaped it yet */
}

/* Without a word of it on our own output. */
static bool succeeds(const char *program, const char *const *argv) {
	int status = -1;
	pid_t pid;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	bool began = posix_spawn(&pid, program, &actions, NULL, (char *const *)(uintptr_t)argv,
				     environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return began && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A sandbox is made by a user who is nobody else's, as a host's apps are: root without
 * capabilities may not map itself. The tests after this one have that user's home. */
static bool sandboxed(void) {
	static const char *const argv[] = { "bwrap", "--unshare-user", "--unshare-pid", "--ro-bind",
		"/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true", NULL };
	if (!succeeds("/usr/bin/bwrap", argv)) {
		return false;
	}
	if (box_uid == 0 && getuid() == 0) {
		box_uid = 65534;
		text_format(home, sizeof(home), "%s/homes/box", folder);
		text_format(runtime, sizeof(runtime), "%s/run/box", folder);
		make_place(box_uid);
	}
	return true;
}

static struct process start_sandbox(
		const char *script, bool network, enum runner_type type, const char *mount) {
	struct process runner = start_runner();
	struct ipc_message plan = { .kind = IPC_RUNNER_PLAN };
	plan.runner_plan.type = (uint8_t)type;
	plan.runner_plan.network = network;
	if (mount) {
		put_word((uint8_t *)plan.runner_plan.list, &plan.runner_plan.list_len, mount);
	}
	process_send(&runner, &plan, -1);
	send_start(&runner, (const char *const[]){ "sh", "-c", script, NULL }, box_uid);
	return runner;
}

static struct process run_sandbox(const char *script, bool network) {
	struct process runner = start_sandbox(script, network, RUNNER_AUTO, NULL);
	let_begin(&runner);
	return runner;
}

/* What the app printed last, after its end. */
static const char *last_lines(struct process *runner) {
	process_receive(runner, IPC_RUNNER_EXITED);
	return runner->message.runner_exited.last_lines;
}

static void a_sandbox_has_its_home_and_a_system_to_read(void **state) {
	(void)state;
	if (!sandboxed()) {
		skip();
	}
	struct process runner = run_sandbox("pwd; touch mine && ls mine; echo $PERIGEE_SESSION; "
					    "touch /usr/x 2>/dev/null || echo read-only; exit 3",
			false);
	assert_non_null(strstr(detail.runner_app.detail, "sandbox, no network"));
	char wanted[256];
	text_format(wanted, sizeof(wanted), "%s\nmine\n7\nread-only\n", home);
	assert_string_equal(last_lines(&runner), wanted);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 3);
	process_stop(&runner);
}

/* By name, by another process's eyes, and by the engines' sockets. */
static void nothing_else_of_the_machine_is_in_a_sandbox(void **state) {
	(void)state;
	if (!sandboxed()) {
		skip();
	}
	struct process runner = run_sandbox(
			"cat ../secret/f 2>/dev/null; ls .. ; ls ../../run; "
			"ls /run /tmp /root /home /var/lib/perigee 2>/dev/null; "
			"test $(ls -d /proc/[0-9]* | wc -l) -lt 8 && echo few; "
			"test -e /run/docker.sock -o -e /run/podman/podman.sock || echo none",
			false);
	assert_string_equal(last_lines(&runner), "box\nbox\n/run:\n/tmp:\nfew\nnone\n");
	process_stop(&runner);
}

static void a_sandbox_has_a_network_only_if_it_may(void **state) {
	(void)state;
	if (!sandboxed()) {
		skip();
	}
	static const char script[] = "readlink /proc/self/ns/net";
	char here[64] = "";
	assert_true(readlink("/proc/self/ns/net", here, sizeof(here) - 1) > 0);
	struct process runner = run_sandbox(script, true);
	assert_memory_equal(last_lines(&runner), here, strlen(here));
	process_stop(&runner);
	runner = run_sandbox(script, false);
	assert_null(strstr(last_lines(&runner), here));
	process_stop(&runner);
}

static void a_sandbox_sees_what_is_mounted_for_it(void **state) {
	(void)state;
	if (!sandboxed()) {
		skip();
	}
	char mount[256];
	text_format(mount, sizeof(mount), "mount=%s/shared:/mnt/data:ro", folder);
	struct process runner = start_sandbox(
			"ls /mnt/data; touch /mnt/data/g 2>/dev/null || echo read-only", false,
			RUNNER_SANDBOX, mount);
	let_begin(&runner);
	assert_string_equal(last_lines(&runner), "f\nread-only\n");
	process_stop(&runner);
	runner = start_sandbox("true", false, RUNNER_SANDBOX, "mount=relative:/mnt");
	assert_non_null(strstr(last_lines(&runner), "cannot be started"));
	process_stop(&runner);
}

static void a_sandbox_ends_with_all_that_is_in_it(void **state) {
	(void)state;
	if (!sandboxed()) {
		skip();
	}
	struct process runner = run_sandbox("setsid sh -c 'trap \"\" TERM; echo up >fifo; "
					    "while :; do sleep 1000; done' & wait",
			false);
	char word[64];
	hear(word, sizeof(word));
	process_ask_stop(&runner, 4000);
	process_receive(&runner, IPC_RUNNER_EXITED);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void a_sandbox_outlives_its_runner(void **state) {
	(void)state;
	if (!sandboxed()) {
		skip();
	}
	struct process runner =
			run_sandbox("echo up >fifo; read x <fifo2; echo last words; exit 3", false);
	char word[64];
	hear(word, sizeof(word));
	struct process next = replace_runner(&runner);
	char path[128];
	text_format(path, sizeof(path), "%s/fifo2", home);
	OWN(fd_close) int go = open(path, O_RDWR);
	assert_int_equal(write(go, "go\n", 3), 3);
	assert_string_equal(last_lines(&next), "last words\n");
	process_stop(&next);
}

static void an_unwieldy_start_is_refused(void **state) {
	(void)state;
	struct process runner = start_runner();
	struct ipc_message message = { .kind = IPC_RUNNER_START };
	memcpy(message.runner_start.argv, "no end", 6);
	message.runner_start.argv_len = 6;
	process_send(&runner, &message, -1);
	process_receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 126);
	process_stop(&runner);
}

static int prepare(void **state) {
	(void)state;
	char path[128];
	text_copy(folder, sizeof(folder), "/var/tmp/perigee-runner-XXXXXX");
	assert_non_null(mkdtemp(folder));
	chmod(folder, 0755);
	const char *const names[] = { "homes", "homes/secret", "run", "shared", "shared/f" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		text_format(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(mkdir(path, i == 1 ? 0700 : 0755), 0);
	}
	text_format(home, sizeof(home), "%s/homes/app", folder);
	text_format(runtime, sizeof(runtime), "%s/run/s", folder);
	make_place(0);
	text_format(path, sizeof(path), "%s/homes/secret/f", folder);
	OWN(file_close) FILE *file = fopen(path, "w");
	fputs("secret\n", file);
	return fifo < 0;
}

static int clean(void **state) {
	(void)state;
	close(fifo);
	return folder_remove(folder);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(an_app_runs_in_its_home_and_ends),
		UNIT(an_app_that_nobody_will_find_never_begins),
		UNIT(an_app_whose_runner_dies_untold_never_begins),
		UNIT(a_missing_program_is_named),
		UNIT(stopping_ends_the_whole_tree),
		UNIT(who_ignores_the_request_is_killed),
		UNIT(a_stopped_app_is_killed_too),
		UNIT(daemons_of_an_app_end_with_it),
		UNIT(an_app_of_another_user_has_its_own_home),
		UNIT(other_homes_are_closed),
		UNIT(an_app_ends_with_the_supervisor),
		UNIT(an_app_outlives_its_runner_and_is_watched_by_the_next),
		UNIT(an_adopted_app_ends_with_all_that_it_started),
		UNIT(a_sandbox_has_its_home_and_a_system_to_read),
		UNIT(nothing_else_of_the_machine_is_in_a_sandbox),
		UNIT(a_sandbox_has_a_network_only_if_it_may),
		UNIT(a_sandbox_sees_what_is_mounted_for_it),
		UNIT(a_sandbox_ends_with_all_that_is_in_it),
		UNIT(a_sandbox_outlives_its_runner),
		UNIT(an_unwieldy_start_is_refused),
	};
	assert_int_equal(argc, 2);
	runner_path = argv[1];
	setenv("LEAK", "leaked", 1);
	return cmocka_run_group_tests(tests, prepare, clean);
}
