/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"
#include "supervisor/pad_tree.h"

/* The kernel's tree, as files. */

enum {
	PATH_BYTES = 512,
	DESK = 0xab,
	OTHER = 0xcd,
};

static char root[64];
static struct pad_tree tree;

static struct heard {
	unsigned added, removed;
	struct udev_device last;
} heard;

static void hear(void *user, const struct udev_device *device, bool added) {
	(void)user;
	heard.added += added;
	heard.removed += !added;
	heard.last = *device;
}

static void make_folders(const char *path) {
	char folder[PATH_BYTES];
	text_copy(folder, sizeof(folder), path);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(folder, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

static void put(const char *below, const char *text) {
	char path[PATH_BYTES];
	text_format(path, sizeof(path), "%s/sys%s", root, below);
	make_folders(path);
	OWN(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* An input device of the kernel, as below /sys/devices/virtual. */
static void put_input(const char *folder, uint64_t desk, const char *node, unsigned major,
		unsigned minor, const char *properties) {
	char below[PATH_BYTES], text[64], link_path[PATH_BYTES], target[PATH_BYTES];
	text_format(below, sizeof(below), "%s/phys", folder);
	text_format(text, sizeof(text), "perigee/%016llx/5.0\n", (unsigned long long)desk);
	put(below, text);
	text_format(below, sizeof(below), "%s/properties", folder);
	put(below, properties);
	text_format(below, sizeof(below), "%s/%s/dev", folder, node);
	text_format(text, sizeof(text), "%u:%u\n", major, minor);
	put(below, text);
	text_format(link_path, sizeof(link_path), "%s/sys%s/%s/device", root, folder, node);
	assert_true(symlink("..", link_path) == 0 || errno == EEXIST);
	text_format(link_path, sizeof(link_path), "%s/sys/dev/char/%u:%u", root, major, minor);
	make_folders(link_path);
	text_format(target, sizeof(target), "../..%s/%s", folder, node);
	assert_true(symlink(target, link_path) == 0 || errno == EEXIST);
}

static bool is_node(const char *name, unsigned major, unsigned minor) {
	char path[PATH_BYTES];
	struct stat status;
	text_format(path, sizeof(path), "%s/%s", tree.folder, name);
	return stat(path, &status) == 0 && S_ISCHR(status.st_mode) &&
	       status.st_rdev == makedev(major, minor) && (status.st_mode & 0777) == 0660;
}

/* A HID device of the kernel's uhid, as hid-playstation has it: with the file of its reports. */
static void put_hid(const char *name, uint64_t desk, unsigned number) {
	char below[PATH_BYTES], text[160], link_path[PATH_BYTES], target[PATH_BYTES];
	text_format(below, sizeof(below), "/devices/virtual/misc/uhid/%s/uevent", name);
	text_format(text, sizeof(text),
			"DRIVER=playstation\nHID_ID=0003:0000054C:00000CE6\nHID_NAME=Wireless "
			"Controller\nHID_PHYS=perigee/%016llx/5.0\nHID_UNIQ=02:11:22:33:44:55\n",
			(unsigned long long)desk);
	put(below, text);
	text_format(below, sizeof(below), "/devices/virtual/misc/uhid/%s/hidraw/hidraw%u/dev", name,
			number);
	text_format(text, sizeof(text), "245:%u\n", number);
	put(below, text);
	text_format(link_path, sizeof(link_path),
			"%s/sys/devices/virtual/misc/uhid/%s/hidraw/hidraw%u/device", root, name,
			number);
	text_format(target, sizeof(target), "../../../%s", name);
	assert_int_equal(symlink(target, link_path), 0);
	text_format(link_path, sizeof(link_path), "%s/sys/dev/char/245:%u", root, number);
	make_folders(link_path);
	text_format(target, sizeof(target), "../../devices/virtual/misc/uhid/%s/hidraw/hidraw%u",
			name, number);
	assert_int_equal(symlink(target, link_path), 0);
}

static bool has_record(const char *name) {
	char path[PATH_BYTES];
	text_format(path, sizeof(path), "%s/udev/data/%s", tree.folder, name);
	return access(path, R_OK) == 0;
}

static int setup(void **state) {
	(void)state;
	static char sys[80];
	folder_make(root, sizeof(root), "pads");
	text_format(sys, sizeof(sys), "%s/sys", root);
	tree = (struct pad_tree){ .sys = sys, .desk = DESK, .uid = getuid(), .gid = getgid() };
	text_format(tree.folder, sizeof(tree.folder), "%s/dev/host/desk", root);
	heard = (struct heard){ 0 };
	assert_int_equal(pad_tree_make(&tree), 0);
	return 0;
}

static int teardown(void **state) {
	(void)state;
	return folder_remove(root);
}

static int add(const char *name) {
	return pad_tree_add(&tree, name, 77, hear, NULL);
}

static void need_root(void) {
	if (getuid() != 0) {
		SKIP("root: nobody else makes device nodes");
	}
}

static void a_pad_of_the_desktop_gets_nodes_and_records(void **state) {
	(void)state;
	need_root();
	put_input("/devices/virtual/input/input12", DESK, "event5", 13, 69, "0\n");
	put_input("/devices/virtual/input/input12", DESK, "js0", 13, 0, "0\n");
	assert_int_equal(add("input12"), 2);
	assert_true(is_node("input/event5", 13, 69));
	assert_true(is_node("input/js0", 13, 0));
	assert_true(has_record("c13:69"));
	assert_true(has_record("c13:0"));
	assert_int_equal(heard.added, 2);
	assert_int_equal(add("input12"), 0); /* said again */
	assert_int_equal(heard.added, 2);
	pad_tree_each(&tree, hear, NULL);
	assert_int_equal(heard.added, 4);
}

static void what_is_not_the_desktops_is_refused(void **state) {
	(void)state;
	need_root();
	put_input("/devices/virtual/input/input1", OTHER, "event1", 13, 65, "0\n");
	put("/devices/virtual/input/input2/phys", "usb-0000:00:14.0-1/input0\n");
	put("/devices/virtual/input/secret/phys", "perigee/00000000000000ab/\n");
	assert_int_equal(add("input1"), -EPERM);
	assert_int_equal(add("input2"), -EPERM);
	assert_int_equal(add("input3"), -ENOENT);
	static const char *const names[] = { "", "input", "secret", "input1/../input1", "../input1",
		"input1x", "0003:054C:0CE6.0007", "02:11:22:33:44", "02:11:22:33:44:5X",
		"02:11:22:33:44:55:66", "02:11:22:33:44:5A" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(add(names[i]), -EINVAL);
	}
	/* It is an input device, whatever it claims. */
	put_input("/devices/virtual/input/input4", DESK, "event4", 1, 1, "0\n");
	assert_int_equal(add("input4"), 0);
	assert_int_equal(heard.added, 0);
}

static void a_hid_device_has_several(void **state) {
	(void)state;
	need_root();
	put_input("/devices/virtual/misc/uhid/0003:054C:0CE6.0007/input/input20", DESK, "event7",
			13, 71, "0\n");
	put_input("/devices/virtual/misc/uhid/0003:054C:0CE6.0007/input/input21", DESK, "event8",
			13, 72, "40\n");
	put_input("/devices/virtual/misc/uhid/0003:054C:0CE6.0007/input/input22", DESK, "event9",
			13, 73, "5\n");
	put_hid("0003:054C:0CE6.0007", DESK, 3);
	put("/devices/virtual/misc/uhid/0003:054C:0CE6.0009/uevent",
			"HID_UNIQ=02:11:22:33:44:55\n");
	assert_int_equal(add("02:11:22:33:44:55"), 4);
	assert_true(is_node("input/event7", 13, 71));
	assert_true(is_node("raw/hidraw3", 245, 3));
	assert_true(has_record("c245:3"));
	assert_int_equal(add("02:11:22:33:44:56"), -ENOENT);
	char path[PATH_BYTES], text[UDEV_RECORD_MAX] = "";
	text_format(path, sizeof(path), "%s/udev/data/c13:72", tree.folder);
	OWN(fd_close) int fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "E:ID_INPUT_ACCELEROMETER=1\n"));
}

/* Its reports set light and triggers: nobody else's desktop has them. */
static void reports_of_a_hid_device_come_and_go_with_it(void **state) {
	(void)state;
	need_root();
	static const char name[] = "0003:054C:0CE6.0007";
	char path[PATH_BYTES];
	put_input("/devices/virtual/misc/uhid/0003:054C:0CE6.0007/input/input20", DESK, "event7",
			13, 71, "0\n");
	put_hid(name, DESK, 3);
	assert_int_equal(add("02:11:22:33:44:55"), 2);
	pad_tree_each(&tree, hear, NULL);
	assert_int_equal(heard.added, 4);
	assert_string_equal(heard.last.node, "hidraw3");
	assert_int_equal(heard.last.kind, UDEV_RAW);
	assert_string_equal(heard.last.path,
			"/devices/virtual/misc/uhid/0003:054C:0CE6.0007/hidraw/hidraw3");
	text_format(path, sizeof(path), "%s/sys/dev/char/245:3", root);
	assert_int_equal(unlink(path), 0);
	pad_tree_sweep(&tree, hear, NULL);
	assert_int_equal(heard.removed, 1);
	assert_false(is_node("raw/hidraw3", 245, 3));
	assert_false(has_record("c245:3"));
	assert_true(is_node("input/event7", 13, 71));
}

static void reports_at_another_desktops_place_are_not_given(void **state) {
	(void)state;
	need_root();
	put_input("/devices/virtual/misc/uhid/0003:054C:0CE6.0007/input/input20", DESK, "event7",
			13, 71, "0\n");
	put_hid("0003:054C:0CE6.0007", OTHER, 3);
	assert_int_equal(add("02:11:22:33:44:55"), 1);
	assert_false(is_node("raw/hidraw3", 245, 3));
}

static void what_is_gone_takes_its_nodes_along(void **state) {
	(void)state;
	need_root();
	char path[PATH_BYTES];
	put_input("/devices/virtual/input/input12", DESK, "event5", 13, 69, "0\n");
	put_input("/devices/virtual/input/input13", DESK, "event6", 13, 70, "0\n");
	assert_int_equal(add("input12"), 1);
	assert_int_equal(add("input13"), 1);
	pad_tree_sweep(&tree, hear, NULL);
	assert_int_equal(heard.removed, 0);
	text_format(path, sizeof(path), "%s/sys/dev/char/13:69", root);
	assert_int_equal(unlink(path), 0);
	pad_tree_sweep(&tree, hear, NULL);
	assert_int_equal(heard.removed, 1);
	assert_string_equal(heard.last.node, "input/event5");
	assert_false(is_node("input/event5", 13, 69));
	assert_false(has_record("c13:69"));
	assert_true(is_node("input/event6", 13, 70));
	/* Its number is somebody else's by now. */
	put_input("/devices/virtual/input/input13", OTHER, "event6", 13, 70, "0\n");
	pad_tree_sweep(&tree, hear, NULL);
	assert_false(is_node("input/event6", 13, 70));
	assert_int_equal(heard.removed, 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				a_pad_of_the_desktop_gets_nodes_and_records, setup, teardown),
		cmocka_unit_test_setup_teardown(
				what_is_not_the_desktops_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hid_device_has_several, setup, teardown),
		cmocka_unit_test_setup_teardown(
				reports_of_a_hid_device_come_and_go_with_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
				reports_at_another_desktops_place_are_not_given, setup, teardown),
		cmocka_unit_test_setup_teardown(
				what_is_gone_takes_its_nodes_along, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
