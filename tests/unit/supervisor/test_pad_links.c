/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "supervisor/pad_links.h"

/* Processes with a /dev of their own, as a container's. */

enum dev {
	DEV_NEW,  /* a new one, as engines make it */
	DEV_OURS, /* the machine's, in another place of the file systems' tree */
	DEV_LINK, /* a link to where links should never be made */
};

enum {
	CANNOT = 77,
};

static bool make_dev(enum dev dev) {
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		return false;
	}
	if (dev == DEV_NEW) {
		return mount("tmpfs", "/dev", "tmpfs", 0, "mode=755") == 0;
	}
	if (mount("tmpfs", "/mnt", "tmpfs", 0, NULL) < 0 ||
			(dev == DEV_OURS && (mkdir("/mnt/dev", 0755) < 0 ||
							    mount("/dev", "/mnt/dev", NULL, MS_BIND,
									    NULL) < 0)) ||
			(dev == DEV_LINK && symlink("/tmp", "/mnt/dev") < 0)) {
		return false;
	}
	return chroot("/mnt") == 0;
}

/* A child that stays there; 0 when it may not. */
static pid_t start(enum dev dev) {
	int pipes[2];
	char byte;
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[0]);
		if (!make_dev(dev) || write(pipes[1], "", 1) != 1) {
			_exit(CANNOT);
		}
		for (;;) {
			pause();
		}
	}
	close(pipes[1]);
	ssize_t n = read(pipes[0], &byte, 1);
	close(pipes[0]);
	if (n == 1) {
		return pid;
	}
	waitpid(pid, NULL, 0);
	return 0;
}

static void stop(pid_t pid) {
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_new_dev_gets_the_links(void **state) {
	(void)state;
	pid_t pid = start(DEV_NEW);
	if (!pid) {
		SKIP("root and mount namespaces");
	}
	char path[64], target[64] = "";
	assert_int_equal(pad_links_make((uint32_t)pid), 0);
	assert_int_equal(pad_links_make((uint32_t)pid), 0); /* by a supervisor that takes over */
	text_format(path, sizeof(path), "/proc/%d/root/dev/hidraw63", (int)pid);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/dev/hid/hidraw63");
	struct stat status;
	assert_int_equal(lstat("/dev/hid", &status), -1);
	stop(pid);
}

static void nothing_is_written_elsewhere(void **state) {
	(void)state;
	static const int answers[] = { [DEV_OURS] = -EEXIST, [DEV_LINK] = -ELOOP };
	for (int dev = DEV_OURS; dev <= DEV_LINK; dev++) {
		pid_t pid = start((enum dev)dev);
		if (!pid) {
			SKIP("root and mount namespaces");
		}
		assert_int_equal(pad_links_make((uint32_t)pid), answers[dev]);
		stop(pid);
	}
	struct stat status;
	assert_int_equal(pad_links_make((uint32_t)getpid()), -EEXIST);
	assert_int_equal(lstat("/tmp/hidraw0", &status), -1);
	assert_int_equal(pad_links_make(0), -ENOENT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_new_dev_gets_the_links),
		UNIT(nothing_is_written_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
