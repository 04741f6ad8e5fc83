/* SPDX-License-Identifier: MIT */
#include "desktop/pad_uinput.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/text.h"
#include "desktop/pad_rumble.h"

enum {
	READ_EVENTS = 16,
};

struct pad_uinput {
	const struct pad_shape *shape;
	const struct pad_kernel *kernel; /* borrowed */
	struct pad_device_events events;
	int fd; /* owned */
	bool made;
	pad_state state;
	struct pad_rumble rumble;
	uint16_t strong, weak;       /* as the client was told last */
	sd_event_source *io, *timer; /* owned */
};

/* What xpad and its like offer by the kernel's ff-memless.c. */
static const uint16_t forces[] = { FF_RUMBLE, FF_PERIODIC, FF_SQUARE, FF_TRIANGLE, FF_SINE,
	FF_GAIN };

/* ioctl() takes these numbers in place of the pointer. */
static int set_bit(struct pad_uinput *device, unsigned long request, unsigned long bit) {
	return device->kernel->control(device->fd, request, (void *)bit);
}

static int announce(struct pad_uinput *device) {
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
	rc = rc < 0 ? rc : set_bit(device, UI_SET_EVBIT, EV_FF);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(forces); i++) {
		rc = set_bit(device, UI_SET_FFBIT, forces[i]);
	}
	return rc;
}

static int make(struct pad_uinput *device, const struct pad_device_plan *plan) {
	struct uinput_setup setup = {
		.id = { BUS_USB, device->shape->vendor, device->shape->product,
				device->shape->version },
		.ff_effects_max = PAD_RUMBLE_EFFECTS,
	};
	char place[PAD_DEVICE_PLACE_MAX], name[PAD_DEVICE_NAME_MAX] = "";
	text_copy(setup.name, sizeof(setup.name), device->shape->name);
	pad_device_place(plan, place);
	int rc = announce(device);
	rc = rc < 0 ? rc : device->kernel->control(device->fd, UI_SET_PHYS, place);
	rc = rc < 0 ? rc : device->kernel->control(device->fd, UI_DEV_SETUP, &setup);
	rc = rc < 0 ? rc : device->kernel->control(device->fd, UI_DEV_CREATE, NULL);
	device->made = rc == 0;
	if (rc == 0 && device->kernel->control(device->fd, UI_GET_SYSNAME(sizeof(name)), name) ==
					0) {
		name[sizeof(name) - 1] = '\0';
		device->events.named(device->events.user, name);
	}
	return rc;
}

/* ---- rumble ---- */

static void tell(struct pad_uinput *device, uint16_t strong, uint16_t weak) {
	if (strong != device->strong || weak != device->weak) {
		struct ipc_message message = { .kind = IPC_PAD_FEEDBACK,
			.pad_feedback = { .what = PAD_RUMBLE, .a = strong, .b = weak } };
		device->strong = strong;
		device->weak = weak;
		device->events.feedback(device->events.user, &message);
	}
}

static void update(struct pad_uinput *device) {
	uint64_t now_ms = clock_now_ms();
	uint16_t strong, weak;
	pad_rumble_level(&device->rumble, now_ms, &strong, &weak);
	tell(device, strong, weak);
	uint64_t next_ms = pad_rumble_deadline(&device->rumble, now_ms);
	sd_event_source_set_time(device->timer, next_ms * US_PER_MS);
	sd_event_source_set_enabled(device->timer, next_ms ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int handle_timer(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	update(user);
	return 0;
}

/* The app's ioctl() waits for the answer. */
static void answer_upload(struct pad_uinput *device, uint32_t request) {
	struct uinput_ff_upload upload = { .request_id = request };
	if (device->kernel->control(device->fd, UI_BEGIN_FF_UPLOAD, &upload) == 0) {
		upload.retval = pad_rumble_put(&device->rumble, &upload.effect);
		(void)device->kernel->control(device->fd, UI_END_FF_UPLOAD, &upload);
	}
}

static void answer_erase(struct pad_uinput *device, uint32_t request) {
	struct uinput_ff_erase erase = { .request_id = request };
	if (device->kernel->control(device->fd, UI_BEGIN_FF_ERASE, &erase) == 0) {
		erase.retval = pad_rumble_erase(&device->rumble, erase.effect_id);
		(void)device->kernel->control(device->fd, UI_END_FF_ERASE, &erase);
	}
}

static void take(struct pad_uinput *device, const struct input_event *event) {
	if (event->type == EV_UINPUT && event->code == UI_FF_UPLOAD) {
		answer_upload(device, (uint32_t)event->value);
	} else if (event->type == EV_UINPUT && event->code == UI_FF_ERASE) {
		answer_erase(device, (uint32_t)event->value);
	} else if (event->type == EV_FF) {
		pad_rumble_event(&device->rumble, event->code, event->value, clock_now_ms());
	}
}

static int handle_io(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)revents;
	struct pad_uinput *device = user;
	struct input_event events[READ_EVENTS];
	ssize_t len = read(fd, events, sizeof(events));
	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR)) {
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	}
	for (size_t i = 0; len > 0 && i < (size_t)len / sizeof(events[0]); i++) {
		take(device, &events[i]);
	}
	update(device);
	return 0;
}

/* ---- life ---- */

static int watch(struct pad_uinput *device, struct sd_event *event) {
	int rc = sd_event_add_io(event, &device->io, device->fd, EPOLLIN, handle_io, device);
	rc = rc < 0 ? rc
		    : sd_event_add_time(event, &device->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000,
				      handle_timer, device);
	return rc < 0 ? rc : sd_event_source_set_enabled(device->timer, SD_EVENT_OFF);
}

OWN_DEFINE(struct pad_uinput *, pad_uinput_destroy)

int pad_uinput_create(const struct pad_device_plan *plan, int fd, struct sd_event *event,
		const struct pad_kernel *kernel, const struct pad_device_events *events,
		struct pad_uinput **out) {
	OWN(pad_uinput_destroy) struct pad_uinput *device = calloc(1, sizeof(*device));
	if (!device) {
		fd_close(fd);
		return -ENOMEM;
	}
	*device = (struct pad_uinput){
		.fd = fd, .kernel = kernel, .events = *events, .shape = pad_shape_of(plan->shown)
	};
	pad_rumble_init(&device->rumble);
	int rc = watch(device, event);
	rc = rc < 0 ? rc : make(device, plan);
	if (rc == 0) {
		*out = TAKE(device, NULL);
	}
	return rc;
}

void pad_uinput_destroy(struct pad_uinput *device) {
	if (!device) {
		return;
	}
	device->io = sd_event_source_disable_unref(device->io);
	device->timer = sd_event_source_disable_unref(device->timer);
	tell(device, 0, 0);
	if (device->made) {
		device->kernel->control(device->fd, UI_DEV_DESTROY, NULL);
	}
	fd_close(device->fd);
	free(device);
}

void pad_uinput_state(struct pad_uinput *device, const pad_state *state) {
	struct input_event events[PAD_EVENTS_MAX];
	size_t count = pad_events(device->shape, &device->state, state, events);
	device->state = *state;
	if (count > 0 && write(device->fd, events, count * sizeof(events[0])) < 0) {
		return; /* a whole state follows with the next change */
	}
}
