/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-device.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "supervisor/pad_announce.h"
#include "supervisor/udev.h"

static const struct udev_device pad = {
	.kind = UDEV_JOYSTICK,
	.major = 13,
	.minor = 69,
	.path = "/devices/virtual/input/input12/event5",
	.node = "input/event5",
};

static void the_hash_is_that_of_the_filters(void **state) {
	(void)state;
	/* MurmurHash2 with seed 0 of the reference implementation. */
	assert_int_equal(udev_hash(""), 0);
	assert_int_equal(udev_hash("usb"), 0x0577c5e5);
	assert_int_equal(udev_hash("seat"), 0x435b3e40);
	assert_int_equal(udev_hash("input"), 0xc1a28470);
	assert_int_equal(udev_hash("hidraw"), 0xc2caf397);
}

static void a_record_says_what_the_device_is(void **state) {
	(void)state;
	char text[UDEV_RECORD_MAX + 1], name[24];
	size_t len = udev_record(&pad, 123456, text, UDEV_RECORD_MAX);
	text[len] = '\0';
	udev_name(&pad, name);
	assert_string_equal(name, "c13:69");
	assert_string_equal(text, "I:123456\nE:ID_INPUT=1\nE:ID_INPUT_JOYSTICK=1\nE:ID_BUS=usb\n"
				  "E:ID_SERIAL=noserial\nG:seat\nQ:seat\nG:uaccess\nQ:uaccess\n"
				  "V:1\n");
	for (size_t size = 0; size < len; size++) {
		assert_int_equal(udev_record(&pad, 123456, text, size), 0);
	}
}

static void a_message_has_a_header_and_the_words(void **state) {
	(void)state;
	static const char expected[] = "ACTION=add\0DEVPATH=/devices/virtual/input/input12/event5\0"
				       "SUBSYSTEM=input\0DEVNAME=/dev/input/event5\0MAJOR=13\0"
				       "MINOR=69\0SEQNUM=7\0USEC_INITIALIZED=5\0ID_INPUT=1\0"
				       "ID_INPUT_JOYSTICK=1\0.INPUT_CLASS=joystick\0ID_BUS=usb\0"
				       "ID_SERIAL=noserial\0TAGS=:seat:uaccess:\0"
				       "CURRENT_TAGS=:seat:uaccess:";
	char words[UDEV_WORDS_MAX];
	uint8_t message[UDEV_MESSAGE_MAX];
	size_t len = udev_words(&pad, "add", 7, 5, words, sizeof(words));
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(words, expected, len);
	size_t total = udev_message(&pad, words, len, message, sizeof(message));
	assert_int_equal(total, UDEV_HEADER + len);
	assert_memory_equal(message, "libudev\0\xfe\xed\xca\xfe", 12);
	uint32_t fields[3];
	memcpy(fields, message + 12, sizeof(fields));
	assert_int_equal(fields[0], UDEV_HEADER);
	assert_int_equal(fields[1], UDEV_HEADER);
	assert_int_equal(fields[2], len);
	assert_memory_equal(message + 24, "\xc1\xa2\x84\x70\0\0\0\0", 8);
	assert_int_equal(udev_message(&pad, words, len, message, total - 1), 0);
	assert_int_equal(udev_words(&pad, "add", 7, 5, words, len - 1), 0);
}

/* ---- systemd's own monitor, in namespaces of its own, is told of it ---- */

enum {
	WAIT_US = 20000000,
	CHILD_CANNOT = 77,
};

static int handle_device(sd_device_monitor *monitor, sd_device *device, void *user) {
	const char *node = NULL, *joystick = NULL;
	sd_device_action_t action;
	(void)user;
	bool right = sd_device_get_devname(device, &node) >= 0 &&
		     strcmp(node, "/dev/input/event5") == 0 &&
		     sd_device_get_action(device, &action) >= 0 && action == SD_DEVICE_ADD &&
		     sd_device_get_property_value(device, "ID_INPUT_JOYSTICK", &joystick) >= 0 &&
		     strcmp(joystick, "1") == 0 && sd_device_has_current_tag(device, "uaccess") > 0;
	return sd_event_exit(sd_device_monitor_get_event(monitor), right ? 0 : 2);
}

static int handle_late(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	(void)user;
	return sd_event_exit(sd_event_source_get_event(source), 3);
}

/* It hears nothing where it does not believe that there is a udev. */
static bool pretend_udev(void) {
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 ||
			mkdir("/run/udev", 0755) < 0) {
		return false;
	}
	OWN(fd_close) int fd = open("/run/udev/control", O_CREAT | O_WRONLY, 0644);
	return fd >= 0;
}

static void listen_for_it(int tell) {
	sd_event *event = NULL;
	sd_device_monitor *monitor = NULL;
	if (!pretend_udev() || sd_event_new(&event) < 0 || sd_device_monitor_new(&monitor) < 0 ||
			sd_device_monitor_filter_add_match_subsystem_devtype(
					monitor, "input", NULL) < 0 ||
			sd_device_monitor_filter_add_match_tag(monitor, "uaccess") < 0 ||
			sd_device_monitor_attach_event(monitor, event) < 0 ||
			sd_device_monitor_start(monitor, handle_device, NULL) < 0 ||
			sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, WAIT_US, 0,
					handle_late, NULL) < 0 ||
			write(tell, "", 1) != 1) {
		_exit(CHILD_CANNOT);
	}
	_exit(sd_event_loop(event));
}

static void a_monitor_in_a_network_of_its_own_hears_it(void **state) {
	(void)state;
	int pipes[2];
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		listen_for_it(pipes[1]);
	}
	close(pipes[1]);
	char byte;
	int status = 0;
	if (read(pipes[0], &byte, 1) != 1) {
		waitpid(pid, &status, 0);
		close(pipes[0]);
		assert_int_equal(WEXITSTATUS(status), CHILD_CANNOT);
		SKIP("root and network namespaces");
	}
	close(pipes[0]);
	OWN(fd_close) int fd = pad_announce_open((uint32_t)pid);
	assert_true(fd >= 0);
	assert_int_equal(pad_announce(fd, &pad, true, 1, 5), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void where_the_real_udev_is_heard_nothing_is_said(void **state) {
	(void)state;
	assert_int_equal(pad_announce_open((uint32_t)getpid()), -EEXIST);
	assert_true(pad_announce_open(0) < 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_that_of_the_filters),
		cmocka_unit_test(a_record_says_what_the_device_is),
		cmocka_unit_test(a_message_has_a_header_and_the_words),
		cmocka_unit_test(a_monitor_in_a_network_of_its_own_hears_it),
		cmocka_unit_test(where_the_real_udev_is_heard_nothing_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
