/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PAD_UHID_H
#define DESKTOP_PAD_UHID_H

#include "desktop/pad_device.h"

/* A DualSense by uhid (Documentation/hid/uhid.rst): the kernel's own driver for it makes the
 * devices, with touchpad, motion, light, and triggers that push back. */
struct pad_uhid;

/* As pad_device_create(). It is named by its address, once the driver speaks to it. */
int pad_uhid_create(const struct pad_device_plan *plan, int fd, struct sd_event *event,
		const struct pad_device_events *events, struct pad_uhid **out) NODISCARD;

/* Accepts NULL. */
void pad_uhid_destroy(struct pad_uhid *device);

void pad_uhid_state(struct pad_uhid *device, const pad_state *state);
void pad_uhid_sense(struct pad_uhid *device, const pad_sense *sense);

#endif
