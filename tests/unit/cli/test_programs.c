/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/programs.h"

/* A folder with an executable in "one", "two" and, as a build folder has it, in
 * "src/supervisor", and a plain file in "dull". */
static int setup(void **state) {
	static char root[] = "/tmp/perigee-programs.XXXXXX";
	static const struct {
		const char *folder;
		mode_t mode;
	} places[] = { { "one", 0755 }, { "two", 0755 }, { "dull", 0644 }, { "none", 0 },
		{ "src", 0 }, { "src/cli", 0 }, { "src/supervisor", 0755 } };
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char path[128];
		text_format(path, sizeof(path), "%s/%s", root, places[i].folder);
		assert_int_equal(mkdir(path, 0755), 0);
		text_format(path, sizeof(path), "%s/%s/perigee-thing", root, places[i].folder);
		if (places[i].mode) {
			fd_close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, places[i].mode));
			assert_int_equal(chmod(path, places[i].mode), 0);
		}
	}
	*state = root;
	return 0;
}

static int teardown(void **state) {
	return folder_remove((char *)*state);
}

static void find(const char *root, const char *folders, const char *own, const char *wanted) {
	char list[256] = "", path[256] = "", expected[128], home[128];
	/* Each word of folders is below root. */
	for (const char *at = folders; *at;) {
		size_t len = strcspn(at, ":");
		size_t used = strlen(list);
		text_format(list + used, sizeof(list) - used, "%s%s/%.*s", used ? ":" : "", root,
				(int)len, at);
		at += len + (at[len] == ':');
	}
	text_format(home, sizeof(home), "%s/%s", root, own);
	text_format(expected, sizeof(expected), "%s/%s/perigee-thing", root, wanted);
	assert_int_equal(program_find(list, home, "perigee-thing", path, sizeof(path)), 0);
	assert_string_equal(path, expected);
}

static void the_folders_named_come_first_then_our_own(void **state) {
	const char *root = *state;
	find(root, "two:one", "one", "two");
	find(root, "none:one", "two", "one");
	find(root, "none", "two", "two");
	find(root, "", "one", "one");
	find(root, "dull", "one", "one"); /* nobody can execute that */
}

static void in_a_build_folder_it_is_in_a_room_beside(void **state) {
	find(*state, "none", "src/cli", "src/cli/../supervisor");
	find(*state, "two", "src/cli", "two");
}

static void what_is_nowhere_is_not_found(void **state) {
	char path[256];
	assert_int_equal(program_find(NULL, *state, "perigee-no-such-thing", path, sizeof(path)),
			-ENOENT);
	assert_int_equal(program_find("::/nonexistent:", *state, "perigee-no-such-thing", path,
					 sizeof(path)),
			-ENOENT);
	/* A place whose name is too long is no place. */
	assert_int_equal(program_find(*state, *state, "perigee-thing", path, 8), -ENOENT);
}

static void our_own_folder_is_this_program_s(void **state) {
	(void)state;
	char own[256], path[256];
	assert_int_equal(program_own_folder(own, sizeof(own)), 0);
	assert_int_equal(program_find(NULL, own, "test_cli_programs", path, sizeof(path)), 0);
}

int main(void) {
	static const struct CMUnitTest tests[] = {
		UNIT(the_folders_named_come_first_then_our_own),
		UNIT(in_a_build_folder_it_is_in_a_room_beside),
		UNIT(what_is_nowhere_is_not_found),
		UNIT(our_own_folder_is_this_program_s),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
