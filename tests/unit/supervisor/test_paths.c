/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_tree_is_removed_without_following_links),
		UNIT(a_link_in_the_place_of_a_folder_is_refused),
		UNIT(the_last_folder_is_private),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
