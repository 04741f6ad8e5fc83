/* SPDX-License-Identifier: MIT */
#include "desktop/pad_device.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/text.h"
#include "desktop/pad_uhid.h"
#include "desktop/pad_uinput.h"

struct pad_device {
	struct pad_uinput *uinput; /* owned; one of the two */
	struct pad_uhid *uhid;     /* owned */
};

static int control(int fd, unsigned long request, void *argument) {
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

const struct pad_kernel pad_kernel = { control };

void pad_device_place(const struct pad_device_plan *plan, char out[PAD_DEVICE_PLACE_MAX]) {
	text_format(out, PAD_DEVICE_PLACE_MAX, "perigee/%016llx/%u.%u",
			(unsigned long long)plan->desk, plan->viewer, plan->number);
}

OWN_DEFINE(struct pad_device *, pad_device_destroy)

int pad_device_create(const struct pad_device_plan *plan, int fd, struct sd_event *event,
		const struct pad_kernel *kernel, const struct pad_device_events *events,
		struct pad_device **out) {
	OWN(pad_device_destroy) struct pad_device *device = calloc(1, sizeof(*device));
	if (!device) {
		fd_close(fd);
		return -ENOMEM;
	}
	int rc = plan->device == PAD_UHID ? pad_uhid_create(plan, fd, event, events, &device->uhid)
					  : pad_uinput_create(plan, fd, event, kernel, events,
							    &device->uinput);
	if (rc == 0) {
		*out = TAKE(device, NULL);
	}
	return rc;
}

void pad_device_destroy(struct pad_device *device) {
	if (device) {
		pad_uinput_destroy(device->uinput);
		pad_uhid_destroy(device->uhid);
		free(device);
	}
}

void pad_device_state(struct pad_device *device, const pad_state *state) {
	if (device->uhid) {
		pad_uhid_state(device->uhid, state);
	} else {
		pad_uinput_state(device->uinput, state);
	}
}

void pad_device_sense(struct pad_device *device, const pad_sense *sense) {
	if (device->uhid) {
		pad_uhid_sense(device->uhid, sense);
	}
}
