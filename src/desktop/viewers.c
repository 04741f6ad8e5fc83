/* SPDX-License-Identifier: MIT */
#include "desktop/viewers.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "media/scale.h"

/* How long an input took from its datagram to the Wayland event. */
static void count(struct pulse *pulse, uint64_t received_ns) {
	uint64_t now = clock_now_ns();
	pulse_add(pulse, PULSE_DESKTOP_INPUTS, 1);
	if (received_ns == 0 || received_ns > now) {
		return;
	}
	uint64_t took = now - received_ns;
	unsigned class = pulse_class(&pulse_input_bounds, took);
	pulse_add(pulse, PULSE_DESKTOP_INPUT_NS, took);
	pulse_add(pulse, PULSE_DESKTOP_INPUT_CLASSES + class, 1);
	if (took > pulse->counters[PULSE_DESKTOP_INPUT_MAX_NS]) {
		pulse_set(pulse, PULSE_DESKTOP_INPUT_MAX_NS, took);
	}
}

static uint64_t *word_of(struct viewer *viewer, uint64_t sequence) {
	return &viewer->applied[sequence % VIEWERS_WINDOW / 64];
}

/* True once for each number; false for what is too old to tell. */
static bool is_new(struct viewer *viewer, uint64_t sequence) {
	uint64_t bit = UINT64_C(1) << sequence % 64;
	if (sequence > viewer->newest) {
		uint64_t step = sequence - viewer->newest;
		if (step >= VIEWERS_WINDOW) {
			memset(viewer->applied, 0, sizeof(viewer->applied));
		}
		for (uint64_t skipped = viewer->newest + 1;
				step < VIEWERS_WINDOW && skipped < sequence; skipped++) {
			*word_of(viewer, skipped) &= ~(UINT64_C(1) << skipped % 64);
		}
		viewer->newest = sequence;
	} else if (viewer->newest - sequence >= VIEWERS_WINDOW ||
			*word_of(viewer, sequence) & bit) {
		return false;
	}
	*word_of(viewer, sequence) |= bit;
	return true;
}

/* From the picture that the viewer sees to the desktop, whose borders are outside. */
static void place(const struct viewer *viewer, struct desktop_input *input) {
	const struct viewers *viewers = viewer->viewers;
	if (input->kind != INPUT_POSITION || input->w <= 0 || input->h <= 0 || !viewer->width ||
			!viewer->height || !viewers->width || !viewers->height) {
		return;
	}
	struct scale_fit fit =
			scale_fit(viewers->width, viewers->height, viewer->width, viewer->height);
	int64_t x = (int64_t)input->x * viewer->width / input->w - fit.left;
	int64_t y = (int64_t)input->y * viewer->height / input->h - fit.top;
	input->w = (int32_t)fit.width;
	input->h = (int32_t)fit.height;
	input->x = (int32_t)(x < 0 ? 0 : x >= fit.width ? fit.width - 1 : x);
	input->y = (int32_t)(y < 0 ? 0 : y >= fit.height ? fit.height - 1 : y);
}

static void say_key(void *user, uint32_t code, bool down) {
	struct viewer *viewer = user;
	const struct desktop_input input = {
		.kind = down ? INPUT_KEY_DOWN : INPUT_KEY_UP,
		.code = code,
	};
	desktop_input(viewer->viewers->desktop, viewer->id, &input);
}

static void take_keys(struct viewer *viewer, const struct ipc_message *message) {
	const struct pad_keys_hearer hearer = { say_key, viewer };
	if (!viewer->viewers->pad_keys) {
		return;
	}
	if (message->kind == IPC_PAD_STATE) {
		pad_keys_take(&viewer->keys, message->pad_state.number, &message->pad_state,
				&hearer);
	} else if (message->kind == IPC_PAD_UNPLUG) {
		pad_keys_take(&viewer->keys, message->pad.number, NULL, &hearer);
	}
}

/* Plugging is about a state and may be said twice; what a pad does is not. */
static bool take_pad(struct viewer *viewer, const struct ipc_message *message) {
	uint64_t sequence = message->kind == IPC_PAD_STATE   ? message->pad_state.sequence
			    : message->kind == IPC_PAD_SENSE ? message->pad_sense.sequence
							     : 0;
	uint64_t received_ns = message->kind == IPC_PAD_STATE   ? message->pad_state.received_ns
			       : message->kind == IPC_PAD_SENSE ? message->pad_sense.received_ns
								: 0;
	bool acts = message->kind == IPC_PAD_STATE || message->kind == IPC_PAD_SENSE;
	if (acts && (!viewer->may_input || !is_new(viewer, sequence))) {
		return true;
	}
	bool theirs = pads_message(&viewer->pads, message);
	take_keys(viewer, message);
	if (theirs && acts) {
		count(viewer->viewers->pulse, received_ns);
	}
	return theirs;
}

static void say_pad(void *user, const struct ipc_message *message) {
	struct viewer *viewer = user;
	if (channel_is_open(&viewer->channel) &&
			channel_send(&viewer->channel, message, NULL, 0) < 0) {
		log_info("pad-unheard", "viewer=%u", viewer->id); /* its stream is replaced */
	}
}

static void let_go(struct viewer *viewer) {
	desktop_release(viewer->viewers->desktop, viewer->id);
	pads_release(&viewer->pads);
	viewer->keys = (struct pad_keys){ .down = { 0 } };
}

static void allow_pads(struct viewer *viewer) {
	pads_allow(&viewer->pads, viewer->may_input && !viewer->viewers->pad_keys);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct viewer *viewer = channel->user;
	struct viewers *viewers = viewer->viewers;
	if (message->kind == IPC_INPUT_RELEASE) {
		let_go(viewer);
		return;
	}
	if (take_pad(viewer, message)) {
		return;
	}
	if (message->kind != IPC_INPUT || !viewer->may_input ||
			!is_new(viewer, message->input.sequence)) {
		return;
	}
	struct desktop_input input = {
		.kind = (enum ipc_input_kind)message->input.kind,
		.code = message->input.code,
		.x = message->input.x,
		.y = message->input.y,
		.w = message->input.w,
		.h = message->input.h,
		.value = message->input.value,
	};
	if (viewer->width != viewers->width || viewer->height != viewers->height) {
		place(viewer, &input);
	}
	desktop_input(viewers->desktop, viewer->id, &input);
	count(viewers->pulse, message->input.received_ns);
}

/* The viewer stays known: its stream may be replaced. Its keys do not stay down. */
static void handle_closed(struct channel *channel, int error) {
	(void)error;
	struct viewer *viewer = channel->user;
	let_go(viewer);
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

void viewers_init(struct viewers *viewers, struct desktop *desktop, struct sd_event *event,
		struct pulse *pulse) {
	*viewers = (struct viewers){ .desktop = desktop,
		.event = event,
		.pulse = pulse,
		.pads = { .event = event, .kernel = &pad_kernel } };
	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		viewers->list[i] = (struct viewer){ .viewers = viewers, .channel.fd = -1 };
	}
}

void viewers_finish(struct viewers *viewers) {
	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		channel_close(&viewers->list[i].channel);
		if (viewers->list[i].used) {
			pads_finish(&viewers->list[i].pads);
		}
	}
}

static struct viewer *find(struct viewers *viewers, uint32_t id) {
	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		if (viewers->list[i].used && viewers->list[i].id == id) {
			return &viewers->list[i];
		}
	}
	return NULL;
}

static struct viewer *find_unused(struct viewers *viewers) {
	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		if (!viewers->list[i].used) {
			return &viewers->list[i];
		}
	}
	return NULL;
}

/* What the stream before said last is in there still. */
static void drain(struct viewer *viewer) {
	struct ipc_message message;
	struct ipc_fds fds;
	while (channel_is_open(&viewer->channel) &&
			channel_receive_fd(viewer->channel.fd, PEER_DESKTOP, PEER_STREAM, 0,
					&message, &fds) == 0) {
		handle_message(&viewer->channel, &message, &fds);
	}
}

int viewers_add(struct viewers *viewers, uint32_t id, bool may_input, int channel_fd) {
	OWN(fd_close) int fd = channel_fd;
	struct viewer *viewer = find(viewers, id);
	if (viewer) {
		drain(viewer);
		channel_close(&viewer->channel);
		let_go(viewer);
	} else {
		viewer = find_unused(viewers);
		if (!viewer) {
			return -ENOSPC;
		}
		*viewer = (struct viewer){ .viewers = viewers, .channel.fd = -1, .id = id };
		pads_init(&viewer->pads, &viewers->pads, id);
		viewer->pads.say = say_pad;
		viewer->pads.user = viewer;
	}
	viewer->used = true;
	viewer->may_input = may_input;
	allow_pads(viewer);
	int rc = channel_open(&viewer->channel, viewers->event, TAKE(fd, -1), PEER_DESKTOP,
			PEER_STREAM, &channel_events, viewer);
	if (rc == 0) {
		pads_tell(&viewer->pads);
	}
	return rc;
}

void viewers_set_size(struct viewers *viewers, uint32_t id, uint32_t width, uint32_t height) {
	struct viewer *viewer = find(viewers, id);
	if (viewer) {
		viewer->width = width;
		viewer->height = height;
	}
}

void viewers_set_input(struct viewers *viewers, uint32_t id, bool may_input) {
	struct viewer *viewer = find(viewers, id);
	if (viewer) {
		viewer->may_input = may_input;
		let_go(viewer);
		allow_pads(viewer);
	}
}

void viewers_device(
		struct viewers *viewers, const struct ipc_message *message, struct ipc_fds *fds) {
	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		struct viewer *viewer = &viewers->list[i];
		int fd = fds->count > 0 ? fds->fd[0] : -1;
		if (viewer->used && pads_device(&viewer->pads, message, fd)) {
			fds->fd[0] = -1;
			return;
		}
	}
}

void viewers_remove(struct viewers *viewers, uint32_t id) {
	struct viewer *viewer = find(viewers, id);
	if (viewer) {
		channel_close(&viewer->channel);
		desktop_release(viewers->desktop, id);
		pads_finish(&viewer->pads);
		viewer->used = false;
	}
}
