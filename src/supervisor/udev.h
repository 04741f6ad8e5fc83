/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_UDEV_H
#define SUPERVISOR_UDEV_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* What udev would say of a gamepad, for apps that no udev serves: the record of a device
 * (systemd's src/libsystemd/sd-device, what lies in /run/udev/data) and the message that
 * tells monitors of it. Pure. */

enum {
	UDEV_RECORD_MAX = 512,
	UDEV_WORDS_MAX = 1024,
	UDEV_HEADER = 40,
	UDEV_MESSAGE_MAX = UDEV_HEADER + UDEV_WORDS_MAX,
	UDEV_GROUP = 2, /* of NETLINK_KOBJECT_UEVENT: what udev says, not the kernel */
};

enum udev_kind {
	UDEV_JOYSTICK,
	UDEV_TOUCHPAD,
	UDEV_MOTION,
	UDEV_RAW, /* hidraw */
	UDEV_KINDS,
};

struct udev_device {
	enum udev_kind kind;
	unsigned major, minor;
	char path[256]; /* below /sys: /devices/... */
	char node[48];  /* below /dev: input/event5 */
};

/* "c13:69", its name in /run/udev/data. */
void udev_name(const struct udev_device *device, char out[24]);

/* The record's text; 0 when it does not fit. since_us is the monotonic time it began. */
size_t udev_record(const struct udev_device *device, uint64_t since_us, char *out, size_t size);

/* NAME=VALUE strings, each ended by a NUL, of an "add" (or "remove"); 0 when they do not
 * fit. The sequence number is not zero. */
size_t udev_words(const struct udev_device *device, const char *action, uint64_t sequence,
		uint64_t since_us, char *out, size_t size);

/* The message with these words; 0 when it does not fit. */
size_t udev_message(const struct udev_device *device, const char *words, size_t words_len,
		uint8_t *out, size_t size);

/* MurmurHash2 with seed 0, as the monitors' filters have it. */
uint32_t udev_hash(const char *text);

#endif
