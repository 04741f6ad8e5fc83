/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/own.h"
#include "base/text.h"
#include "supervisor/cgroup.h"

/* The kernel's trees, as files: what is written into them is what would be done. */

static char root[64];

static const char *at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A path in the tree; good until the next call. */
static const char *at(const char *format, ...) {
	static char path[700];
	va_list args;
	va_start(args, format);
	int used = snprintf(path, sizeof(path), "%s/", root);
	vsnprintf(path + used, sizeof(path) - (size_t)used, format, args);
	va_end(args);
	return path;
}

static void make(const char *path, const char *text) {
	char folder[900];
	text_copy(folder, sizeof(folder), path);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(folder, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	OWN(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static const char *content(const char *path) {
	static char text[200];
	OWN(fd_close) int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

/* What the kernel would put into a new group. */
static void fill_group(const char *group) {
	static const char *const files[] = { "cgroup.procs", "cgroup.subtree_control", "cpu.shares",
		"cpu.weight", "memory.limit_in_bytes", "memory.max", "pids.max" };
	char path[300];
	text_copy(path, sizeof(path), group);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		make(at("%s/%s", path, files[i]), "");
	}
}

static int setup(void **state) {
	(void)state;
	text_copy(root, sizeof(root), "/tmp/perigee-cgroup-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state) {
	(void)state;
	return folder_remove(root);
}

static const struct cgroup_limits limits = {
	.cpu_weight = 100,
	.memory = 1 << 30,
	.processes = 512,
};

static void version_1_has_a_folder_for_each_controller(void **state) {
	(void)state;
	make(at("proc/self/cgroup"), "5:cpu,cpuacct:/user\n4:memory:/\n3:pids:/user\n"
				     "1:name=systemd:/\n0::/\n");
	make(at("proc/self/mountinfo"),
			"30 1 0:26 / /cg/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
			"31 1 0:27 / /cg/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
			"32 1 0:28 / /cg/pids rw - cgroup cgroup rw,pids\n"
			"33 1 0:29 / /cg/unified rw - cgroup2 cgroup2 rw\n");
	fill_group("cg/cpu/user");
	fill_group("cg/memory");
	fill_group("cg/pids/user");
	struct cgroups cgroups;
	cgroups_open(root, "perigee-1", &cgroups);
	assert_string_equal(cgroups.missing, "");
	assert_int_equal(cgroups.version, 1);
	fill_group("cg/cpu/user/perigee-1/s-00000000000000ab");
	fill_group("cg/memory/perigee-1/s-00000000000000ab");
	fill_group("cg/pids/user/perigee-1/s-00000000000000ab");
	assert_int_equal(cgroup_create(&cgroups, 0xab, &limits), 0);
	assert_string_equal(
			content(at("cg/cpu/user/perigee-1/s-00000000000000ab/cpu.shares")), "1024");
	assert_string_equal(content(at("cg/memory/perigee-1/s-00000000000000ab/"
				       "memory.limit_in_bytes")),
			"1073741824");
	assert_string_equal(
			content(at("cg/pids/user/perigee-1/s-00000000000000ab/pids.max")), "512");
	char path[CGROUP_PATH_MAX];
	assert_true(cgroup_path(&cgroups, 0xab, CGROUP_MEMORY, path, sizeof(path)));
	assert_int_equal(cgroup_enter(path), 0);
	assert_string_equal(
			content(at("cg/memory/perigee-1/s-00000000000000ab/cgroup.procs")), "0");
}

static void version_2_has_one_folder(void **state) {
	(void)state;
	make(at("proc/self/cgroup"), "0::/system.slice/perigee.service\n");
	make(at("proc/self/mountinfo"), "33 1 0:29 / /cg rw - cgroup2 cgroup2 rw,nsdelegate\n");
	fill_group("cg/system.slice/perigee.service");
	fill_group("cg/system.slice/perigee.service/perigee-1");
	struct cgroups cgroups;
	cgroups_open(root, "perigee-1", &cgroups);
	assert_string_equal(cgroups.missing, "");
	assert_int_equal(cgroups.version, 2);
	const char *group = "cg/system.slice/perigee.service/perigee-1/s-0000000000000001";
	assert_string_equal(content(at("cg/system.slice/perigee.service/cgroup.subtree_control")),
			"+pids");
	fill_group(group);
	assert_int_equal(cgroup_create(&cgroups, 1, &limits), 0);
	assert_string_equal(content(at("%s/cpu.weight", group)), "100");
	assert_string_equal(content(at("%s/memory.max", group)), "1073741824");
	assert_string_equal(content(at("%s/pids.max", group)), "512");
	char path[CGROUP_PATH_MAX];
	assert_true(cgroup_path(&cgroups, 1, CGROUP_CPU, path, sizeof(path)));
	assert_false(cgroup_path(&cgroups, 1, CGROUP_PIDS, path, sizeof(path)));
}

/* A supervisor that was started again is in the leaf that its predecessor moved to. */
static void a_successor_finds_the_same_place(void **state) {
	(void)state;
	make(at("proc/self/cgroup"), "0::/service/perigee-host\n");
	make(at("proc/self/mountinfo"), "33 1 0:29 / /cg rw - cgroup2 cgroup2 rw\n");
	fill_group("cg/service");
	fill_group("cg/service/perigee-host");
	fill_group("cg/service/perigee-1");
	struct cgroups cgroups;
	cgroups_open(root, "perigee-1", &cgroups);
	assert_string_equal(cgroups.base[0], at("cg/service/perigee-1"));
}

/* In a container the mount is a part of the tree, and we are named by the whole. */
static void a_container_shows_a_part_of_the_tree(void **state) {
	(void)state;
	make(at("proc/self/cgroup"), "0::/docker/abc/inner\n");
	make(at("proc/self/mountinfo"), "33 1 0:29 /docker/abc /cg rw - cgroup2 cgroup2 rw\n");
	fill_group("cg/inner");
	fill_group("cg/inner/perigee-1");
	struct cgroups cgroups;
	cgroups_open(root, "perigee-1", &cgroups);
	assert_string_equal(cgroups.base[0], at("cg/inner/perigee-1"));
}

static void without_any_it_says_why(void **state) {
	(void)state;
	make(at("proc/self/cgroup"), "0::/\n");
	make(at("proc/self/mountinfo"), "1 1 0:1 / / rw - ext4 /dev/vda rw\n");
	struct cgroups cgroups;
	cgroups_open(root, "perigee-1", &cgroups);
	assert_int_equal(cgroups.version, 0);
	assert_non_null(strstr(cgroups.missing, "no control groups are mounted"));
	assert_int_equal(cgroup_create(&cgroups, 1, &limits), -ENOENT);

	/* Mounted, but a folder cannot be made there. */
	make(at("proc/self/mountinfo"), "33 1 0:29 / /cg rw - cgroup2 cgroup2 rw\n");
	make(at("cg/perigee-1"), "a file in its place");
	cgroups_open(root, "perigee-1", &cgroups);
	assert_int_equal(cgroups.version, 0);
	assert_non_null(strstr(cgroups.missing, "no control group can be made"));
}

static bool keep_seven(void *user, uint64_t session) {
	(void)user;
	return session == 7;
}

static void only_empty_groups_of_the_dead_are_removed(void **state) {
	(void)state;
	struct cgroups cgroups = { .version = 2 };
	text_copy(cgroups.base[0], CGROUP_PATH_MAX, at("cg"));
	make(at("cg/s-0000000000000008/has-processes"), "");
	assert_int_equal(mkdir(at("cg/s-0000000000000007"), 0755), 0);
	assert_int_equal(mkdir(at("cg/s-0000000000000009"), 0755), 0);
	assert_int_equal(mkdir(at("cg/of-somebody-else-12"), 0755), 0);
	cgroups_sweep(&cgroups, keep_seven, NULL);
	assert_int_equal(access(at("cg/s-0000000000000007"), F_OK), 0);
	assert_int_equal(access(at("cg/s-0000000000000008"), F_OK), 0);
	assert_int_equal(access(at("cg/of-somebody-else-12"), F_OK), 0);
	assert_int_equal(access(at("cg/s-0000000000000009"), F_OK), -1);
}

static pid_t sleeper(const char *group) {
	pid_t pid = fork();
	if (pid == 0) {
		for (;;) {
			pause();
		}
	}
	assert_true(pid > 0);
	char text[24];
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	make(at("cg/%s/cgroup.procs", group), text);
	return pid;
}

static void only_members_of_groups_of_the_dead_are_ended(void **state) {
	(void)state;
	struct cgroups cgroups = { .version = 2 };
	text_copy(cgroups.base[0], CGROUP_PATH_MAX, at("cg"));
	pid_t alive = sleeper("s-0000000000000007"), dead = sleeper("s-0000000000000008");
	pid_t other = sleeper("of-somebody-else-12");
	assert_int_equal(cgroups_kill(&cgroups, keep_seven, NULL), 1);
	int status;
	assert_int_equal(waitpid(dead, &status, 0), dead);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	const pid_t spared[] = { alive, other };
	for (size_t i = 0; i < ARRAY_LEN(spared); i++) {
		assert_int_equal(waitpid(spared[i], &status, WNOHANG), 0);
		kill(spared[i], SIGKILL);
		assert_int_equal(waitpid(spared[i], &status, 0), spared[i]);
	}
}

static void at_the_end_nobody_is_left_in_a_group(void **state) {
	(void)state;
	struct cgroups cgroups = { .version = 2, .claim = { -1, -1, -1 } };
	text_copy(cgroups.base[0], CGROUP_PATH_MAX, at("cg"));
	pid_t left = sleeper("s-0000000000000007"), other = sleeper("of-somebody-else-12");
	cgroups_close(&cgroups);
	int status;
	assert_int_equal(waitpid(left, &status, WNOHANG), left);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(waitpid(other, &status, WNOHANG), 0);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, &status, 0), other);
}

static void make_left(const char *path, bool long_ago) {
	static const struct timespec times[2] = { { 0, 0 }, { 0, 0 } };
	make(at("%s/s-00000000000000ab/x", path), "");
	unlink(at("%s/s-00000000000000ab/x", path));
	if (long_ago) {
		assert_int_equal(utimensat(AT_FDCWD, at("%s", path), times, 0), 0);
	}
}

static void what_killed_hosts_left_is_removed(void **state) {
	(void)state;
	make(at("proc/self/cgroup"), "4:memory:/\n");
	make(at("proc/self/mountinfo"),
			"31 1 0:27 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n");
	static const char *const folders[] = { "cg/memory/perigee-2", "cg/memory/perigee-3",
		"cg/memory/perigee-4", "cg/memory/perigee-host" };
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		make_left(folders[i], i != 2);
	}
	OWN(fd_close) int claimed = open(at("%s", folders[1]), O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(claimed, LOCK_SH), 0);
	struct cgroups cgroups;
	cgroups_open(root, "perigee-1", &cgroups);
	assert_int_equal(cgroups.version, 1);
	assert_int_equal(access(at("%s", folders[0]), F_OK), -1);
	for (size_t i = 1; i < ARRAY_LEN(folders); i++) {
		assert_int_equal(access(at("%s", folders[i]), F_OK), 0);
	}
	cgroups_close(&cgroups);
	assert_int_equal(access(at("cg/memory/perigee-1"), F_OK), -1);
}

int main(void) {
#define TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TREE(version_1_has_a_folder_for_each_controller),
		TREE(version_2_has_one_folder),
		TREE(a_successor_finds_the_same_place),
		TREE(a_container_shows_a_part_of_the_tree),
		TREE(without_any_it_says_why),
		TREE(only_empty_groups_of_the_dead_are_removed),
		TREE(what_killed_hosts_left_is_removed),
		TREE(only_members_of_groups_of_the_dead_are_ended),
		TREE(at_the_end_nobody_is_left_in_a_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
