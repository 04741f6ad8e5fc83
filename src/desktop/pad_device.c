/* SPDX-License-Identifier: MIT */
#include "desktop/pad_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

struct pad_device {
	const struct pad_shape *shape;
	const struct pad_kernel *kernel; /* borrowed */
	struct pad_device_events events;
	int fd; /* owned */
	bool made;
	char name[PAD_DEVICE_NAME_MAX];
	pad_state state;
};

static int control(int fd, unsigned long request, void *argument) {
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

const struct pad_kernel pad_kernel = { control };

/* ioctl() takes these numbers in place of the pointer. */
static int set_bit(struct pad_device *device, unsigned long request, unsigned long bit) {
	return device->kernel->control(device->fd, request, (void *)bit);
}

static int announce(struct pad_device *device) {
	int rc = set_bit(device, UI_SET_EVBIT, EV_KEY);
	for (size_t i = 0; rc == 0 && i < PAD_EVENT_KEYS_MAX && device->shape->keys[i].code; i++) {
		rc = set_bit(device, UI_SET_KEYBIT, device->shape->keys[i].code);
	}
	/* UI_ABS_SETUP enables the axis, but is not said to enable axes at all. */
	rc = rc < 0 ? rc : set_bit(device, UI_SET_EVBIT, EV_ABS);
	struct uinput_abs_setup axes[PAD_EVENT_AXES_MAX];
	size_t count = pad_event_setup(device->shape, axes);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = device->kernel->control(device->fd, UI_ABS_SETUP, &axes[i]);
	}
	return rc;
}

static int make(struct pad_device *device, const struct pad_device_plan *plan) {
	struct uinput_setup setup = {
		.id = { BUS_USB, device->shape->vendor, device->shape->product,
				device->shape->version },
	};
	char place[64];
	text_copy(setup.name, sizeof(setup.name), device->shape->name);
	text_format(place, sizeof(place), "perigee/%016llx/%u.%u", (unsigned long long)plan->desk,
			plan->viewer, plan->number);
	int rc = announce(device);
	rc = rc < 0 ? rc : device->kernel->control(device->fd, UI_SET_PHYS, place);
	rc = rc < 0 ? rc : device->kernel->control(device->fd, UI_DEV_SETUP, &setup);
	rc = rc < 0 ? rc : device->kernel->control(device->fd, UI_DEV_CREATE, NULL);
	device->made = rc == 0;
	if (rc == 0 && device->kernel->control(device->fd, UI_GET_SYSNAME(sizeof(device->name)),
				       device->name) < 0) {
		device->name[0] = '\0';
	}
	device->name[sizeof(device->name) - 1] = '\0';
	return rc;
}

OWN_DEFINE(struct pad_device *, pad_device_destroy)

int pad_device_create(const struct pad_device_plan *plan, int fd, struct sd_event *event,
		const struct pad_kernel *kernel, const struct pad_device_events *events,
		struct pad_device **out) {
	(void)event;
	OWN(pad_device_destroy) struct pad_device *device = calloc(1, sizeof(*device));
	if (!device) {
		fd_close(fd);
		return -ENOMEM;
	}
	device->fd = fd;
	device->kernel = kernel;
	device->events = *events;
	device->shape = pad_shape_of(plan->shown);
	int rc = make(device, plan);
	if (rc == 0) {
		*out = TAKE(device, NULL);
	}
	return rc;
}

void pad_device_destroy(struct pad_device *device) {
	if (!device) {
		return;
	}
	if (device->made) {
		device->kernel->control(device->fd, UI_DEV_DESTROY, NULL);
	}
	fd_close(device->fd);
	free(device);
}

const char *pad_device_name(const struct pad_device *device) {
	return device->name;
}

void pad_device_state(struct pad_device *device, const pad_state *state) {
	struct input_event events[PAD_EVENTS_MAX];
	size_t count = pad_events(device->shape, &device->state, state, events);
	device->state = *state;
	if (count > 0 && write(device->fd, events, count * sizeof(events[0])) < 0) {
		return; /* a whole state follows with the next change */
	}
}
