/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autopsy/folder.h"
#include "autopsy/lines.h"
#include "autopsy/maps.h"

static void a_mapping_is_read_as_the_kernel_writes_it(void **state) {
	(void)state;
	struct map map;
	assert_true(maps_parse_head("7f0012340000-7f0012345000 rw-p 00003000 fe:00 123    "
				    "/usr/lib/lib c.so (deleted)\n",
			&map));
	assert_true(map.begin == 0x7f0012340000 && map.end == 0x7f0012345000);
	assert_true(map.readable && map.writable && !map.executable && !map.shared);
	assert_true(map.offset == 0x3000);
	assert_string_equal(map.path, "/usr/lib/lib c.so (deleted)");
	assert_true(maps_parse_head("7f00-7f01 r-xs 00000000 00:00 0 \n", &map));
	assert_true(map.shared && map.executable);
	assert_string_equal(map.path, "");
	assert_false(maps_parse_head("Size:   4 kB\n", &map));
	assert_false(maps_parse_head("7f01-7f01 r-xs 00000000 00:00 0 \n", &map));
	assert_false(maps_parse_head("", &map));
	assert_false(maps_parse_head("7f", &map));
}

static void a_flag_may_forbid_a_dump(void **state) {
	(void)state;
	assert_true(maps_flags_forbid("VmFlags: rd wr mr mw me ac dd sd \n"));
	assert_true(maps_flags_forbid("VmFlags: rd io \n"));
	assert_false(maps_flags_forbid("VmFlags: rd wr mr mw me ac sd \n"));
	assert_false(maps_flags_forbid("Rss: 4 dd\n"));
	assert_true(maps_has_own_pages("Anonymous:             4 kB\n"));
	assert_false(maps_has_own_pages("Anonymous:             0 kB\n"));
	assert_false(maps_has_own_pages("LazyFree:             4 kB\n"));
}

static int file_of(const char *text) {
	int fd = memfd_create("lines", MFD_CLOEXEC);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static char *copied(const char *text, pid_t pid, size_t expected) {
	char *out = NULL;
	size_t size = 0;
	int fd = file_of(text);
	FILE *file = open_memstream(&out, &size);
	assert_int_equal(lines_copy(fd, pid, file), expected);
	fclose(file);
	close(fd);
	return out;
}

static void the_last_lines_of_one_process_are_kept(void **state) {
	(void)state;
	char *mine = copied("a pid=7 x\nb pid=77 x\nc pid=7 y\n", 7, 2);
	assert_string_equal(mine, "a pid=7 x\nc pid=7 y\n");
	free(mine);
	char many[400 * 4 + 1] = "";
	for (int i = 0; i < 400; i++) {
		snprintf(many + 4 * i, 5, "%03d\n", i);
	}
	char *last = copied(many, 0, LINES_KEPT);
	assert_memory_equal(last, "200\n", 4);
	assert_int_equal(strlen(last), 4 * LINES_KEPT);
	free(last);
	char *nothing = copied("", 0, 0);
	assert_string_equal(nothing, "");
	free(nothing);
	char *open_end = copied("half a line", 0, 1);
	assert_string_equal(open_end, "half a line");
	free(open_end);
}

static unsigned entries(int folder) {
	unsigned found = 0;
	for (int i = 0; i < 10; i++) {
		char name[64];
		snprintf(name, sizeof(name), "20260101-00000%d-stream-1-hung", i);
		found |= (unsigned)(faccessat(folder, name, F_OK, 0) == 0) << i;
	}
	return found;
}

static void fill(int folder, int count, size_t bytes) {
	for (int i = 0; i < count; i++) {
		char name[64];
		snprintf(name, sizeof(name), "20260101-00000%d-stream-1-hung", i);
		int incident = folder_add(folder, name);
		assert_true(incident >= 0);
		FILE *file = folder_file(incident, "core");
		for (size_t n = 0; n < bytes; n++) {
			fputc('x', file);
		}
		fclose(file);
		close(incident);
	}
}

static int temporary(char *path) {
	assert_non_null(mkdtemp(path));
	int folder = folder_open(path);
	assert_true(folder >= 0);
	return folder;
}

static void the_oldest_goes_when_there_are_too_many(void **state) {
	(void)state;
	char path[] = "/tmp/perigee-autopsy-XXXXXX";
	int folder = temporary(path);
	fill(folder, 5, 10);
	assert_int_equal(folder_rotate(folder, NULL, 3, UINT64_MAX), 0);
	assert_int_equal(entries(folder), 0x18); /* room for one more */
	assert_int_equal(mkdirat(folder, "somebody-elses", 0700), 0);
	assert_int_equal(mkdirat(folder, "20260101-000000-gate-1-snapshot", 0700), 0);
	assert_int_equal(folder_rotate(folder, NULL, 1, UINT64_MAX), 0);
	assert_int_equal(entries(folder), 0);
	assert_int_equal(faccessat(folder, "somebody-elses", F_OK, 0), 0);
	assert_int_equal(faccessat(folder, "20260101-000000-gate-1-snapshot", F_OK, 0), 0);
	assert_int_equal(folder_rotate(folder, "-snapshot", 1, UINT64_MAX), 0);
	assert_true(faccessat(folder, "20260101-000000-gate-1-snapshot", F_OK, 0) < 0);
	unlinkat(folder, "somebody-elses", AT_REMOVEDIR);
	close(folder);
	assert_int_equal(rmdir(path), 0);
}

static void the_oldest_goes_when_they_are_too_big(void **state) {
	(void)state;
	char path[] = "/tmp/perigee-autopsy-XXXXXX";
	int folder = temporary(path);
	fill(folder, 4, 100000);
	assert_int_equal(folder_rotate(folder, NULL, 64, 250000), 0);
	assert_int_equal(entries(folder), 0x0c);
	assert_int_equal(folder_rotate(folder, NULL, 64, 0), 0);
	close(folder);
	assert_int_equal(rmdir(path), 0);
}

static void a_link_leads_nowhere(void **state) {
	(void)state;
	char path[] = "/tmp/perigee-autopsy-XXXXXX", link[64];
	int folder = temporary(path);
	snprintf(link, sizeof(link), "%s-link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_true(folder_open(link) < 0);
	assert_true(folder_add(folder, "../out") < 0);
	assert_true(folder_add(folder, "..") < 0);
	assert_int_equal(unlink(link), 0);
	close(folder);
	assert_int_equal(rmdir(path), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_mapping_is_read_as_the_kernel_writes_it),
		UNIT(a_flag_may_forbid_a_dump),
		UNIT(the_last_lines_of_one_process_are_kept),
		UNIT(the_oldest_goes_when_there_are_too_many),
		UNIT(the_oldest_goes_when_they_are_too_big),
		UNIT(a_link_leads_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
