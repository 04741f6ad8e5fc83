/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PAD_TREE_H
#define SUPERVISOR_PAD_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"
#include "supervisor/udev.h"

/* The device nodes of one desktop's gamepads, in folders of their own: "input", which its
 * app's sandbox or container has as /dev/input, "raw" (hidraw), which it has as
 * PAD_RAW_FOLDER, and "udev" with udev's records of them, its /run/udev. What is there, and
 * whose a device is, is read from the file systems each time: nothing has to be remembered by
 * a supervisor that takes over. */

enum {
	PAD_TREE_PATH_MAX = 192,
	PAD_TREE_NAME_MAX = 40,
};

struct pad_tree {
	const char *sys;                /* borrowed: "/sys" */
	char folder[PAD_TREE_PATH_MAX]; /* input/, raw/, udev/ */
	uint64_t desk;                  /* a device is this desktop's whose place says so */
	uid_t uid;                      /* whom the nodes belong to */
	gid_t gid;
};

/* One node came or went. */
typedef void pad_tree_hearer(void *user, const struct udev_device *device, bool added);

/* "perigee/DESK/", with which the place (phys) of each of its devices begins. */
void pad_tree_place(uint64_t desk, char out[32]);

/* Makes the folder, empty. -errno; -EPERM or -EROFS where nobody but the system's root may. */
int pad_tree_make(const struct pad_tree *tree) NODISCARD;

/* Makes what is missing of a device: `name` is that of an input device ("input12"), or the
 * address that a HID device was made with ("02:11:22:33:44:55"). Answers how many nodes were made;
 * -EINVAL for a name that is none, -EPERM when it is not this desktop's, -ENOENT when it is not
 * there, else what mknod() said. */
int pad_tree_add(const struct pad_tree *tree, const char *name, uint64_t since_us,
		pad_tree_hearer *hearer, void *user) NODISCARD;

/* Removes the nodes whose devices are no more. */
void pad_tree_sweep(const struct pad_tree *tree, pad_tree_hearer *hearer, void *user);

/* Calls the hearer for every node that is there. */
void pad_tree_each(const struct pad_tree *tree, pad_tree_hearer *hearer, void *user);

#endif
