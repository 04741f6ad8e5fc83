/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PAD_DEVICE_H
#define DESKTOP_PAD_DEVICE_H

#include <stdint.h>

#include "base/own.h"
#include "desktop/pad_dualsense.h"
#include "desktop/pad_event.h"
#include "ipc/message.h"

struct sd_event;

/* One virtual gamepad: a device node that the supervisor opened, made into a device of
 * the kernel, by uinput or by uhid. It goes with pad_device_destroy(), and whoever has it
 * open reads its end. */
struct pad_device;

/* The kernel, or what a test puts in its place. */
struct pad_kernel {
	int (*control)(int fd, unsigned long request, void *argument); /* ioctl: 0 or -errno */
};

extern const struct pad_kernel pad_kernel;

struct pad_device_events {
	/* An app wants something of the pad: what, a, b and the rest of pad_feedback are set. */
	void (*feedback)(void *user, struct ipc_message *message);
	/* The kernel has made of it what PAD_MADE calls `name`; perhaps within create. */
	void (*named)(void *user, const char *name);
	void *user; /* borrowed */
};

enum {
	PAD_DEVICE_NAME_MAX = 40,
	PAD_DEVICE_PLACE_MAX = 64,
};

struct pad_device_plan {
	uint64_t desk;   /* whose place it has */
	uint8_t shown;   /* enum ipc_pad */
	uint8_t device;  /* enum ipc_pad_device */
	uint32_t viewer; /* with the number it tells devices apart */
	uint8_t number;
};

/* Takes fd. -errno when the kernel makes no device of it. */
int pad_device_create(const struct pad_device_plan *plan, int fd, struct sd_event *event,
		const struct pad_kernel *kernel, const struct pad_device_events *events,
		struct pad_device **out) NODISCARD;

/* What still moves in the client's hands stops. Accepts NULL. */
void pad_device_destroy(struct pad_device *device);

/* What the client's pad is like now. A kernel that takes no events drops them. */
void pad_device_state(struct pad_device *device, const pad_state *state);

/* What else it feels; most devices have nothing to feel it with. */
void pad_device_sense(struct pad_device *device, const pad_sense *sense);

/* For the two kinds. */
void pad_device_place(const struct pad_device_plan *plan, char out[PAD_DEVICE_PLACE_MAX]);

#endif
