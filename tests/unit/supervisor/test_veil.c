/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#include "supervisor/veil.h"

enum {
	NOBODY = 65534,
	IMPOSSIBLE = 77, /* nothing could be tried here */
};

/* As RestrictNamespaces=user mnt of the unit does. */
static int forbid_network_namespaces(void) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
					  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWNET, CLONE_NEWNET))
			: -ENOMEM;
	if (rc == 0) {
		rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : seccomp_load(filter);
	}
	seccomp_release(filter);
	return rc;
}

/* A change of ids closes /proc/self to oneself; a new program would open it again. */
static bool drop_root(void) {
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

/* What it says of itself, by its exit status. */
static int as_nobody(int (*act)(void)) {
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool dropped = geteuid() != 0 || drop_root();
		_exit(dropped ? act() : IMPOSSIBLE);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_without_network_namespaces(void) {
	if (veil_try() < 0 || forbid_network_namespaces() < 0) {
		return IMPOSSIBLE;
	}
	return -veil_try();
}

/* Only root's veils come with a network of their own. */
static void users_need_no_network_namespaces(void **state) {
	(void)state;
	int status = as_nobody(try_without_network_namespaces);
	if (status == IMPOSSIBLE) {
		SKIP("user namespaces for a plain user");
	}
	assert_int_equal(status, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(users_need_no_network_namespaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
