/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/text.h"
#include "supervisor/paths.h"

static void a_tree_is_removed_without_following_links(void **state) {
	(void)state;
	char base[] = "/tmp/perigee-test-XXXXXX";
	assert_non_null(mkdtemp(base));
	char inner[100], kept[100], link[100], file[120];
	text_format(inner, sizeof(inner), "%s/s-1/deep/er", base);
	text_format(kept, sizeof(kept), "%s/kept", base);
	text_format(link, sizeof(link), "%s/s-1/link", base);
	text_format(file, sizeof(file), "%s/kept/file", base);
	assert_int_equal(paths_make(inner, getuid(), getgid()), 0);
	assert_int_equal(paths_make(kept, getuid(), getgid()), 0);
	fd_close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(symlink(kept, link), 0);
	paths_remove_matching(base, "s-", NULL, NULL);
	assert_int_equal(access(inner, F_OK), -1);
	assert_int_equal(access(file, F_OK), 0);
	paths_remove_tree(base);
	assert_int_equal(access(base, F_OK), -1);
}

static void a_link_in_the_place_of_a_folder_is_refused(void **state) {
	(void)state;
	char base[] = "/tmp/perigee-test-XXXXXX";
	assert_non_null(mkdtemp(base));
	char link[100];
	text_format(link, sizeof(link), "%s/link", base);
	assert_int_equal(symlink("/tmp", link), 0);
	assert_true(paths_make(link, getuid(), getgid()) < 0);
	assert_int_equal(paths_make("relative", getuid(), getgid()), -EINVAL);
	paths_remove_tree(base);
}

static void the_last_folder_is_private(void **state) {
	(void)state;
	char base[] = "/tmp/perigee-test-XXXXXX";
	assert_non_null(mkdtemp(base));
	char inner[100];
	struct stat st;
	text_format(inner, sizeof(inner), "%s/a/b", base);
	assert_int_equal(paths_make(inner, getuid(), getgid()), 0);
	assert_int_equal(stat(inner, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	paths_remove_tree(base);
}

enum {
	NOBODY = 65534,
	IMPOSSIBLE = 77, /* it takes root to have a /tmp of one's own */
};

/* A service's /tmp, in a child process of a user who is not root. */
static int settle_in_an_empty_tmp(void) {
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			mount("none", "/tmp", "tmpfs", 0, "mode=1777") < 0 ||
			setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) < 0) {
		return IMPOSSIBLE;
	}
	static char state[] = "/tmp/state", data[] = "/tmp/data", runtime[] = "/tmp/run";
	struct config config = { .folders = { state, data, runtime, NULL } };
	struct paths paths;
	struct config_text error;
	struct stat st;
	umask(077);
	int rc = paths_settle(&config, &paths, &error);
	return rc == 0 && stat("/tmp/.X11-unix", &st) == 0 && (st.st_mode & 07777) == 01777 ? 0 : 1;
}

static void the_folder_of_x_displays_is_made_where_it_is_missing(void **state) {
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(settle_in_an_empty_tmp());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == IMPOSSIBLE) {
		SKIP("a /tmp of its own (root, and mount namespaces)");
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_tree_is_removed_without_following_links),
		UNIT(a_link_in_the_place_of_a_folder_is_refused),
		UNIT(the_last_folder_is_private),
		UNIT(the_folder_of_x_displays_is_made_where_it_is_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
