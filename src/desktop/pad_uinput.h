/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PAD_UINPUT_H
#define DESKTOP_PAD_UINPUT_H

#include "desktop/pad_device.h"

/* A gamepad by uinput (Documentation/input/uinput.rst): keys, axes, and rumble. */
struct pad_uinput;

/* As pad_device_create(). */
int pad_uinput_create(const struct pad_device_plan *plan, int fd, struct sd_event *event,
		const struct pad_kernel *kernel, const struct pad_device_events *events,
		struct pad_uinput **out) NODISCARD;

/* Accepts NULL. */
void pad_uinput_destroy(struct pad_uinput *device);

void pad_uinput_state(struct pad_uinput *device, const pad_state *state);

#endif
