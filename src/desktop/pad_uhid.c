/* SPDX-License-Identifier: MIT */
#include "desktop/pad_uhid.h"

#include <linux/uhid.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "ipc/pad.h"

enum {
	MOTION_HZ = 100, /* that a client is asked for */
	LOCAL_ADDRESS = 0x02,
	GROUP_ADDRESS = 0x01,
};

struct pad_uhid {
	struct pad_dualsense pad;
	struct pad_device_events events;
	int fd; /* owned */
	bool made, named;
	char name[PAD_DEVICE_NAME_MAX];
	sd_event_source *io; /* owned */
};

static int send_event(const struct pad_uhid *device, const struct uhid_event *event, size_t len) {
	ssize_t sent = write(device->fd, event, offsetof(struct uhid_event, u) + len);
	return sent < 0 ? -errno : 0;
}

static int make(struct pad_uhid *device, const struct pad_device_plan *plan) {
	struct uhid_event event = { .type = UHID_CREATE2 };
	struct uhid_create2_req *create = &event.u.create2;
	char place[PAD_DEVICE_PLACE_MAX];
	pad_device_place(plan, place);
	text_copy((char *)create->name, sizeof(create->name), pad_shape_of(PAD_PS)->name);
	text_copy((char *)create->phys, sizeof(create->phys), place);
	text_copy((char *)create->uniq, sizeof(create->uniq), device->name);
	create->bus = BUS_USB;
	create->vendor = PAD_DUALSENSE_VENDOR;
	create->product = PAD_DUALSENSE_PRODUCT;
	create->version = pad_shape_of(PAD_PS)->version;
	create->rd_size = (uint16_t)pad_dualsense_descriptor_size;
	memcpy(create->rd_data, pad_dualsense_descriptor, pad_dualsense_descriptor_size);
	int rc = send_event(device, &event, sizeof(*create));
	device->made = rc == 0;
	return rc;
}

static void send_input(struct pad_uhid *device) {
	struct uhid_event event = { .type = UHID_INPUT2, .u.input2.size = PAD_DUALSENSE_INPUT };
	pad_dualsense_input(&device->pad, clock_now_us(), event.u.input2.data);
	/* What the kernel does not take is in the next report. */
	(void)send_event(device, &event,
			offsetof(struct uhid_input2_req, data) + PAD_DUALSENSE_INPUT);
}

static void say(struct pad_uhid *device, struct ipc_message *message) {
	device->events.feedback(device->events.user, message);
}

/* Clients send motion only if asked to. */
static void ask_for_motion(struct pad_uhid *device, uint16_t rate_hz) {
	static const uint8_t sensors[] = { PAD_MOTION_ACCELEROMETER, PAD_MOTION_GYROSCOPE };
	for (size_t i = 0; i < sizeof(sensors); i++) {
		struct ipc_message message = { .kind = IPC_PAD_FEEDBACK,
			.pad_feedback = { .what = PAD_MOTION_REPORTS,
					.a = rate_hz,
					.type_left = sensors[i] } };
		say(device, &message);
	}
}

/* The driver speaks to it when all of its devices are there. */
static void take_output(struct pad_uhid *device, const uint8_t *bytes, size_t len) {
	struct ipc_message says[PAD_DUALSENSE_SAYS_MAX];
	if (!device->named) {
		device->named = true;
		device->events.named(device->events.user, device->name);
		ask_for_motion(device, MOTION_HZ);
	}
	int count = pad_dualsense_output(&device->pad, bytes, len, says);
	for (int i = 0; i < count; i++) {
		say(device, &says[i]);
	}
}

static void answer_get(struct pad_uhid *device, const struct uhid_get_report_req *asked) {
	struct uhid_event event = { .type = UHID_GET_REPORT_REPLY,
		.u.get_report_reply = { .id = asked->id, .err = EIO } };
	struct uhid_get_report_reply_req *reply = &event.u.get_report_reply;
	int size = asked->rtype == UHID_FEATURE_REPORT
				   ? pad_dualsense_feature(&device->pad, asked->rnum, reply->data)
				   : -ENOENT;
	if (size > 0) {
		reply->err = 0;
		reply->size = (uint16_t)size;
	}
	(void)send_event(device, &event, sizeof(*reply));
}

static void answer_set(struct pad_uhid *device, const struct uhid_set_report_req *asked) {
	bool output = asked->rtype == UHID_OUTPUT_REPORT && asked->size <= sizeof(asked->data);
	struct uhid_event event = { .type = UHID_SET_REPORT_REPLY,
		.u.set_report_reply = { .id = asked->id, .err = output ? 0 : EIO } };
	if (output) {
		take_output(device, asked->data, asked->size);
	}
	(void)send_event(device, &event, sizeof(event.u.set_report_reply));
}

static int handle_io(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)revents;
	struct pad_uhid *device = user;
	struct uhid_event event = { 0 };
	ssize_t len = read(fd, &event, sizeof(event));
	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR)) {
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	}
	if (len < (ssize_t)sizeof(event.type)) {
		return 0;
	}
	if (event.type == UHID_GET_REPORT) {
		answer_get(device, &event.u.get_report);
	} else if (event.type == UHID_SET_REPORT) {
		answer_set(device, &event.u.set_report);
	} else if (event.type == UHID_OUTPUT &&
			event.u.output.size <= sizeof(event.u.output.data)) {
		take_output(device, event.u.output.data, event.u.output.size);
	}
	return 0;
}

/* An address of nobody's, by which the kernel and apps tell one from another. */
static void draw_address(struct pad_uhid *device) {
	uint8_t address[PAD_DUALSENSE_ADDRESS];
	random_fill(address, sizeof(address));
	address[0] = (uint8_t)((address[0] | LOCAL_ADDRESS) & ~GROUP_ADDRESS);
	pad_dualsense_init(&device->pad, address);
	text_format(device->name, sizeof(device->name), "%02x:%02x:%02x:%02x:%02x:%02x", address[0],
			address[1], address[2], address[3], address[4], address[5]);
}

OWN_DEFINE(struct pad_uhid *, pad_uhid_destroy)

int pad_uhid_create(const struct pad_device_plan *plan, int fd, struct sd_event *event,
		const struct pad_device_events *events, struct pad_uhid **out) {
	OWN(pad_uhid_destroy) struct pad_uhid *device = calloc(1, sizeof(*device));
	if (!device) {
		fd_close(fd);
		return -ENOMEM;
	}
	*device = (struct pad_uhid){ .fd = fd, .events = *events };
	draw_address(device);
	int rc = sd_event_add_io(event, &device->io, device->fd, EPOLLIN, handle_io, device);
	rc = rc < 0 ? rc : make(device, plan);
	if (rc == 0) {
		*out = TAKE(device, NULL);
	}
	return rc < 0 ? rc : 0;
}

void pad_uhid_destroy(struct pad_uhid *device) {
	if (!device) {
		return;
	}
	device->io = sd_event_source_disable_unref(device->io);
	if (device->pad.motors[0] || device->pad.motors[1]) {
		struct ipc_message still = { .kind = IPC_PAD_FEEDBACK,
			.pad_feedback.what = PAD_RUMBLE };
		say(device, &still);
	}
	if (device->named) {
		ask_for_motion(device, 0);
	}
	if (device->made) {
		const struct uhid_event event = { .type = UHID_DESTROY };
		(void)send_event(device, &event, 0);
	}
	fd_close(device->fd);
	free(device);
}

void pad_uhid_state(struct pad_uhid *device, const pad_state *state) {
	device->pad.state = *state;
	send_input(device);
}

void pad_uhid_sense(struct pad_uhid *device, const pad_sense *sense) {
	if (pad_dualsense_sense(&device->pad, sense)) {
		send_input(device);
	}
}
