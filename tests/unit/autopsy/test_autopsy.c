/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/shm.h"
#include "base/text.h"
#include "ipc/pulse.h"

/* The program against a victim: what is found in the folder afterwards. */
struct rig {
	const char *autopsy, *victim;
	char folder[64];
	pid_t pid;
	struct shm pulse;
	int secrets, lines; /* memfds */
	char output[256];   /* of the autopsy */
	int status;
	uint64_t took_ms;
};

enum {
	MARK_SIZE = 16,
	CONTENT_MAX = 16 << 20,
};

static void make_mark(uint8_t *at, char letter) {
	for (int i = 0; i < MARK_SIZE; i++) {
		at[i] = (uint8_t)(letter ^ (i * 7 + 1));
	}
}

static int memfd_with(const void *bytes, size_t size) {
	int fd = memfd_create("test", 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static void start_victim(struct rig *rig, const char *how) {
	int ready[2];
	char pulse[12], bytes[2];
	assert_int_equal(pipe(ready), 0);
	snprintf(pulse, sizeof(pulse), "%d", rig->pulse.fd);
	rig->pid = fork();
	if (rig->pid == 0) {
		fcntl(rig->pulse.fd, F_SETFD, 0);
		dup2(ready[1], STDOUT_FILENO);
		execl(rig->victim, rig->victim, how, pulse, NULL);
		_exit(99);
	}
	close(ready[1]);
	for (int i = 0; i < 2; i++) { /* both threads are where they stay */
		assert_int_equal(read(ready[0], bytes, 1), 1);
	}
	close(ready[0]);
}

static void run_autopsy(struct rig *rig, const char *const *more) {
	char pid[12], pulse[12], lines[12], secrets[12];
	snprintf(pid, sizeof(pid), "%d", rig->pid);
	snprintf(pulse, sizeof(pulse), "%d", rig->pulse.fd);
	snprintf(lines, sizeof(lines), "%d", rig->lines);
	snprintf(secrets, sizeof(secrets), "%d", rig->secrets);
	const char *argv[48] = { rig->autopsy, "--folder", rig->folder, "--pid", pid, "--pulse-fd",
		pulse, "--lines-fd", lines, "--secrets-fd", secrets, "--kind", "encoder",
		"--reason", "worker-hung", "--what", "hung", "--detail", "does not answer a poke",
		"--session", "00112233aabbccdd", "--name", "Pattern", "--done",
		"a successor was started" };
	size_t count = 0;
	while (argv[count]) {
		count++;
	}
	for (; more && *more; more++) {
		argv[count++] = *more;
	}
	int out[2];
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	uint64_t begun_ns = clock_now_ns();
	pid_t child = fork();
	if (child == 0) {
		fcntl(rig->pulse.fd, F_SETFD, 0);
		dup2(out[1], STDOUT_FILENO);
		execv(rig->autopsy, (char **)(uintptr_t)argv);
		_exit(99);
	}
	close(out[1]);
	ssize_t len = read(out[0], rig->output, sizeof(rig->output) - 1);
	rig->output[len > 0 ? len : 0] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(child, &rig->status, 0), child);
	rig->took_ms = (clock_now_ns() - begun_ns) / NS_PER_MS;
}

/* The whole content of a file in the one incident that there is. */
static char *content(const struct rig *rig, const char *name, size_t *out_size) {
	char path[400] = "";
	DIR *entries = opendir(rig->folder);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		if (entry->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s/%s", rig->folder, entry->d_name, name);
		}
	}
	closedir(entries);
	char *bytes = calloc(1, CONTENT_MAX);
	FILE *file = fopen(path, "re");
	size_t len = file ? fread(bytes, 1, CONTENT_MAX - 1, file) : 0;
	if (file) {
		fclose(file);
	}
	*out_size = len;
	return bytes;
}

static void has(const struct rig *rig, const char *name, const char *text) {
	size_t size;
	char *bytes = content(rig, name, &size);
	if (!strstr(bytes, text)) {
		print_error("%s has no \"%s\":\n%s\n", name, text, bytes);
	}
	assert_non_null(strstr(bytes, text));
	free(bytes);
}

static bool core_has(const struct rig *rig, char letter) {
	uint8_t mark[MARK_SIZE];
	size_t size;
	make_mark(mark, letter);
	char *bytes = content(rig, "core", &size);
	assert_true(size > 4096);
	bool found = memmem(bytes, size, mark, sizeof(mark)) != NULL;
	free(bytes);
	return found;
}

static int setup(void **state) {
	static const char lines[] = "level=info pid=1 event=worker-start\nlast words\n";
	struct rig *rig = calloc(1, sizeof(*rig));
	const char *const *programs = (const char *const *)*state;
	uint8_t known[MARK_SIZE];
	rig->autopsy = programs[1];
	rig->victim = programs[2];
	text_copy(rig->folder, sizeof(rig->folder), "/tmp/perigee-evidence-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &rig->pulse), 0);
	make_mark(known, 'k');
	rig->secrets = memfd_with(known, sizeof(known));
	rig->lines = memfd_with(lines, sizeof(lines) - 1);
	*state = rig;
	return 0;
}

static int teardown(void **state) {
	struct rig *rig = (struct rig *)*state;
	if (rig->pid > 0) {
		kill(rig->pid, SIGKILL);
		waitpid(rig->pid, NULL, 0);
	}
	assert_int_equal(folder_remove(rig->folder), 0);
	shm_finish(&rig->pulse);
	close(rig->secrets);
	close(rig->lines);
	free(rig);
	return 0;
}

static char state_of(pid_t pid) {
	char path[40], text[512] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "re");
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return strrchr(text, ')')[2];
}

static void stop_victim(const struct rig *rig) {
	siginfo_t info;
	kill(rig->pid, SIGSTOP);
	assert_int_equal(waitid(P_PID, (id_t)rig->pid, &info, WSTOPPED | WNOWAIT), 0);
}

static void a_corpse_tells_where_it_stood(void **state) {
	struct rig *rig = (struct rig *)*state;
	start_victim(rig, "pause");
	stop_victim(rig);
	run_autopsy(rig, NULL);
	assert_int_equal(rig->status, 0);
	assert_true(rig->took_ms < 5000);
	has(rig, "backtrace.txt", "victim_stands_here");
	has(rig, "backtrace.txt", "second_thread_waits");
	has(rig, "backtrace.txt", "victim.c:");
	has(rig, "threads.txt", "comm: perigee-victim");
	/* Stopped, or, where the machine is busy, on its way back into the stop from which
	 * attaching to it took it: R was seen. */
	has(rig, "threads.txt", "State:\t");
	has(rig, "fds.txt", "descriptors\n");
	has(rig, "process.txt", "Max open files");
	has(rig, "machine.txt", "MemTotal");
	has(rig, "log.txt", "last words");
	has(rig, "pulse.txt", "operation: encode");
	has(rig, "pulse.txt", "77  pictures");
	has(rig, "summary.txt", "encoder (Pattern) was hung: does not answer a poke");
	has(rig, "summary.txt", "Session:    00112233aabbccdd");
	has(rig, "summary.txt", "it had announced 1234 ms");
	has(rig, "summary.txt", "Stood in:   victim_stands_here");
	has(rig, "summary.txt", "Done:       a successor was started");
	has(rig, "summary.txt", "Complete:   yes");
	/* It has not run on. */
	assert_int_equal(state_of(rig->pid), 'T');
}

/* As after an upgrade: under the name there is nothing, or another program. */
static void one_whose_file_is_gone_has_names_too(void **state) {
	struct rig *rig = (struct rig *)*state;
	char old[112], copy[128];
	snprintf(old, sizeof(old), "%s/.old", rig->folder);
	snprintf(copy, sizeof(copy), "%s/perigee-victim", old);
	assert_int_equal(mkdir(old, 0755), 0);
	folder_copy_file(rig->victim, copy);
	const char *installed = TAKE(rig->victim, copy);
	start_victim(rig, "pause");
	rig->victim = installed;
	assert_int_equal(unlink(copy), 0);
	stop_victim(rig);
	run_autopsy(rig, NULL);
	has(rig, "backtrace.txt", "victim_stands_here");
	has(rig, "backtrace.txt", "victim.c:");
	has(rig, "summary.txt", "Stood in:   victim_stands_here");
}

static void one_that_spins_is_seen_in_its_loop(void **state) {
	struct rig *rig = (struct rig *)*state;
	start_victim(rig, "spin");
	stop_victim(rig);
	run_autopsy(rig, NULL);
	has(rig, "summary.txt", "Stood in:   victim_stands_here");
}

static void no_secret_is_in_the_core(void **state) {
	struct rig *rig = (struct rig *)*state;
	start_victim(rig, "pause");
	stop_victim(rig);
	static const char *const keyless[] = { "--keyless", NULL };
	run_autopsy(rig, keyless);
	assert_true(core_has(rig, 'n'));  /* the control: an ordinary page */
	assert_true(core_has(rig, 'p'));  /* and the stack */
	assert_false(core_has(rig, 'd')); /* MADV_DONTDUMP */
	assert_false(core_has(rig, 's')); /* shared with others */
	assert_false(core_has(rig, 'k')); /* known, on the stack */
}

static void who_holds_keys_keeps_its_heap(void **state) {
	struct rig *rig = (struct rig *)*state;
	start_victim(rig, "pause");
	stop_victim(rig);
	run_autopsy(rig, NULL);
	assert_false(core_has(rig, 'n'));
	assert_true(core_has(rig, 'p'));
}

static void a_core_keeps_to_its_size(void **state) {
	struct rig *rig = (struct rig *)*state;
	static const char *const small[] = { "--keyless", "--core-megabytes", "1", NULL };
	start_victim(rig, "pause");
	stop_victim(rig);
	run_autopsy(rig, small);
	size_t size;
	free(content(rig, "core", &size));
	assert_in_range(size, 4096, 2 << 20);
}

static void gdb_reads_the_core(void **state) {
	struct rig *rig = (struct rig *)*state;
	if (access("/usr/bin/gdb", X_OK) < 0) {
		SKIP("gdb");
	}
	start_victim(rig, "pause");
	stop_victim(rig);
	run_autopsy(rig, NULL);
	char command[1024], text[8192] = "";
	snprintf(command, sizeof(command),
			"/usr/bin/gdb -batch -nx -ex 'thread apply all bt' %s %s/*/core "
			"2>/dev/null",
			rig->victim, rig->folder);
	FILE *out = popen(command, "re");
	size_t len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	pclose(out);
	assert_non_null(strstr(text, "victim_stands_here"));
	assert_non_null(strstr(text, "second_thread_waits"));
	assert_non_null(strstr(text, "pause ()")); /* it knows the libraries */
}

static void a_healthy_one_hardly_notices(void **state) {
	struct rig *rig = (struct rig *)*state;
	static const char *const live[] = { "--live", NULL };
	start_victim(rig, "spin");
	run_autopsy(rig, live);
	assert_int_equal(rig->status, 0);
	const char *tab = strchr(rig->output, '\t');
	assert_non_null(tab);
	print_message("held for %s", tab + 1);
	assert_true(strtoul(tab + 1, NULL, 10) < 5000);
	assert_int_equal(state_of(rig->pid), 'R');
	has(rig, "backtrace.txt", "victim_stands_here");
	size_t size;
	free(content(rig, "core", &size));
	assert_int_equal(size, 0);
	for (int i = 0; i < 3; i++) { /* some of them in the same second */
		run_autopsy(rig, live);
		assert_int_equal(rig->status, 0);
	}
}

static void of_one_that_is_gone_there_is_what_it_said(void **state) {
	struct rig *rig = (struct rig *)*state;
	start_victim(rig, "pause");
	kill(rig->pid, SIGKILL);
	waitpid(rig->pid, NULL, 0);
	rig->pid = 0;
	run_autopsy(rig, NULL);
	assert_int_equal(rig->status, 0);
	has(rig, "summary.txt", "the process is gone");
	has(rig, "pulse.txt", "operation: encode");
	has(rig, "log.txt", "last words");
}

static void who_ran_out_of_memory_is_told_by_its_group(void **state) {
	struct rig *rig = (struct rig *)*state;
	char group[] = "/tmp/perigee-group-XXXXXX", path[64];
	assert_non_null(mkdtemp(group));
	snprintf(path, sizeof(path), "%s/memory.events", group);
	FILE *file = fopen(path, "we");
	fputs("low 0\nhigh 0\nmax 12\noom 3\noom_kill 3\n", file);
	fclose(file);
	const char *const more[] = { "--group", group, NULL };
	rig->pid = 0;
	run_autopsy(rig, more);
	assert_int_equal(rig->status, 0);
	has(rig, "summary.txt", "killed 3 processes of this session for lack of memory");
	has(rig, "machine.txt", "memory.events: oom_kill 3");
	assert_int_equal(folder_remove(group), 0);
}

static void a_folder_that_cannot_be_written_is_an_error_and_no_more(void **state) {
	struct rig *rig = (struct rig *)*state;
	start_victim(rig, "pause");
	static const char *const nowhere[] = { "--folder", "/proc/nowhere", NULL };
	run_autopsy(rig, nowhere);
	assert_int_equal(WEXITSTATUS(rig->status), 1);
}

/* In a mount namespace of its own: the disk that is full is not everybody's. */
static void a_full_disk_is_said_and_takes_no_time(void **state) {
	struct rig *rig = (struct rig *)*state;
	start_victim(rig, "pause");
	stop_victim(rig);
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
				mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
				mount("tmpfs", rig->folder, "tmpfs", 0, "size=32k") < 0) {
			_exit(77);
		}
		run_autopsy(rig, NULL);
		_exit(WIFEXITED(rig->status) ? WEXITSTATUS(rig->status) : 99);
	}
	int status;
	uint64_t begun_ns = clock_now_ns();
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WEXITSTATUS(status) == 77) {
		SKIP("mounts of its own (root, and mount namespaces)");
	}
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_true(clock_now_ns() - begun_ns < 5000 * NS_PER_MS);
}

#define RIG(test) \
	{ #test, test, setup, teardown, argv }

int main(int argc, char **argv) {
	assert(argc == 3);
	const struct CMUnitTest tests[] = {
		RIG(a_corpse_tells_where_it_stood),
		RIG(one_whose_file_is_gone_has_names_too),
		RIG(one_that_spins_is_seen_in_its_loop),
		RIG(no_secret_is_in_the_core),
		RIG(who_holds_keys_keeps_its_heap),
		RIG(a_core_keeps_to_its_size),
		RIG(gdb_reads_the_core),
		RIG(a_healthy_one_hardly_notices),
		RIG(of_one_that_is_gone_there_is_what_it_said),
		RIG(who_ran_out_of_memory_is_told_by_its_group),
		RIG(a_full_disk_is_said_and_takes_no_time),
		RIG(a_folder_that_cannot_be_written_is_an_error_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
