/* SPDX-License-Identifier: MIT */
#include "desktop/pads.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/pad.h"

void pads_init(struct pads *pads, struct pads_home *home, uint32_t viewer) {
	*pads = (struct pads){ .home = home, .viewer = viewer };
	for (uint8_t i = 0; i < IPC_PADS_MAX; i++) {
		pads->list[i].pads = pads;
		pads->list[i].number = i;
	}
}

static void unmake(struct desktop_pad *pad) {
	const struct pads_home *home = pad->pads->home;
	pad_device_destroy(TAKE(pad->device, NULL));
	if (pad->name[0]) {
		home->tell(home->user, IPC_PAD_GONE, pad->name);
		pad->name[0] = '\0';
	}
	pad->request = 0;
	memset(&pad->state, 0, sizeof(pad->state));
}

void pads_finish(struct pads *pads) {
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		unmake(&pads->list[i]);
		pads->list[i].here = false;
	}
}

static void ask(struct desktop_pad *pad, enum ipc_pad_device device) {
	struct pads_home *home = pad->pads->home;
	pad->request = ++home->requests;
	pad->asked = (uint8_t)device;
	home->ask(home->user, pad->request, device);
}

static void make(struct desktop_pad *pad) {
	if (pad->here && pad->pads->allowed && !pad->device && !pad->request) {
		/* Only uhid makes a whole one of it. */
		ask(pad, pad->shown == PAD_PS ? PAD_UHID : PAD_UINPUT);
	}
}

static void tell(const struct desktop_pad *pad) {
	struct ipc_message message = { .kind = IPC_PAD_PLUG,
		.pad = { pad->number, pad->shown, pad->capabilities } };
	if (pad->pads->say) {
		pad->pads->say(pad->pads->user, &message);
	}
}

static void plug(struct desktop_pad *pad, const struct ipc_message *message) {
	/* A stream that took over and has not heard yet what its client said of it. */
	if (pad->here && pad->capabilities && !message->pad.capabilities) {
		tell(pad);
		return;
	}
	unmake(pad);
	pad->here = true;
	pad->shown = message->pad.shown;
	pad->capabilities = message->pad.capabilities;
	make(pad);
}

static void take_sense(struct desktop_pad *pad, const pad_sense *sense) {
	if (pad->device && pad->pads->allowed) {
		pad_device_sense(pad->device, sense);
	}
}

static void take_state(struct desktop_pad *pad, const pad_state *state) {
	if (!pad->here || !pad->pads->allowed) {
		return;
	}
	pad->state = *state;
	if (pad->device) {
		pad_device_state(pad->device, state);
	}
}

bool pads_message(struct pads *pads, const struct ipc_message *message) {
	struct desktop_pad *pad;
	switch (message->kind) {
	case IPC_PAD_PLUG:
		plug(&pads->list[message->pad.number], message);
		return true;
	case IPC_PAD_UNPLUG:
		pad = &pads->list[message->pad.number];
		unmake(pad);
		pad->here = false;
		return true;
	case IPC_PAD_STATE:
		take_state(&pads->list[message->pad_state.number], &message->pad_state);
		return true;
	case IPC_PAD_SENSE:
		take_sense(&pads->list[message->pad_sense.number], &message->pad_sense);
		return true;
	default:
		return false;
	}
}

void pads_release(struct pads *pads) {
	static const pad_state neutral;
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		struct desktop_pad *pad = &pads->list[i];
		pad->state = neutral;
		if (pad->device) {
			pad_device_state(pad->device, &neutral);
		}
	}
}

void pads_allow(struct pads *pads, bool allowed) {
	pads->allowed = allowed;
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		if (allowed) {
			make(&pads->list[i]);
		} else {
			unmake(&pads->list[i]);
		}
	}
}

void pads_tell(struct pads *pads) {
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		if (pads->list[i].here) {
			tell(&pads->list[i]);
		}
	}
}

static void handle_feedback(void *user, struct ipc_message *message) {
	struct desktop_pad *pad = user;
	message->kind = IPC_PAD_FEEDBACK;
	message->pad_feedback.number = pad->number;
	if (pad->pads->say) {
		pad->pads->say(pad->pads->user, message);
	}
}

unsigned pads_feel(struct pads *pads, const struct ipc_message *feedback) {
	unsigned count = 0;
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		if (pads->list[i].here) {
			struct ipc_message message = *feedback;
			handle_feedback(&pads->list[i], &message);
			count++;
		}
	}
	return count;
}

static void handle_named(void *user, const char *name) {
	struct desktop_pad *pad = user;
	struct pads_home *home = pad->pads->home;
	text_copy(pad->name, sizeof(pad->name), name);
	home->tell(home->user, IPC_PAD_MADE, pad->name);
}

static int make_device(struct desktop_pad *pad, int fd) {
	struct pads *pads = pad->pads;
	const struct pad_device_plan plan = { pads->home->desk, pad->shown, pad->asked,
		pads->viewer, pad->number };
	const struct pad_device_events events = { handle_feedback, handle_named, pad };
	int rc = pad_device_create(
			&plan, fd, pads->home->event, pads->home->kernel, &events, &pad->device);
	if (rc < 0) {
		log_warning("pad-refused", "viewer=%u pad=%u shape=%u error=%d", pads->viewer,
				pad->number, pad->shown, -rc);
		return rc;
	}
	log_info("pad", "viewer=%u pad=%u shape=%u device=%u", pads->viewer, pad->number,
			pad->shown, pad->asked);
	pad_device_state(pad->device, &pad->state);
	return 0;
}

bool pads_device(struct pads *pads, const struct ipc_message *message, int fd) {
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		struct desktop_pad *pad = &pads->list[i];
		if (pad->request == 0 || pad->request != message->pad_device.request) {
			continue;
		}
		pad->request = 0;
		int rc = message->kind == IPC_PAD_DEVICE ? make_device(pad, fd) : -ENODEV;
		if (rc < 0 && pad->asked == PAD_UHID) {
			ask(pad, PAD_UINPUT);
		}
		return true;
	}
	return false;
}
