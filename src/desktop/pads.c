/* SPDX-License-Identifier: MIT */
#include "desktop/pads.h"

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
	if (pad->device) {
		char name[PAD_DEVICE_NAME_MAX];
		text_copy(name, sizeof(name), pad_device_name(pad->device));
		pad_device_destroy(TAKE(pad->device, NULL));
		home->tell(home->user, IPC_PAD_GONE, name);
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
		ask(pad, PAD_UINPUT);
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
	default:
		return message->kind == IPC_PAD_SENSE;
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

static void make_device(struct desktop_pad *pad, int fd) {
	struct pads *pads = pad->pads;
	const struct pad_device_plan plan = { pads->home->desk, pad->shown, pad->asked,
		pads->viewer, pad->number };
	const struct pad_device_events events = { handle_feedback, pad };
	int rc = pad_device_create(
			&plan, fd, pads->home->event, pads->home->kernel, &events, &pad->device);
	if (rc < 0) {
		log_warning("pad-refused", "viewer=%u pad=%u shape=%u error=%d", pads->viewer,
				pad->number, pad->shown, -rc);
		return;
	}
	log_info("pad", "viewer=%u pad=%u shape=%u device=%u name=%s", pads->viewer, pad->number,
			pad->shown, pad->asked, log_quote(pad_device_name(pad->device)).text);
	pads->home->tell(pads->home->user, IPC_PAD_MADE, pad_device_name(pad->device));
	pad_device_state(pad->device, &pad->state);
}

bool pads_device(struct pads *pads, const struct ipc_message *message, int fd) {
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		struct desktop_pad *pad = &pads->list[i];
		if (pad->request == 0 || pad->request != message->pad_device.request) {
			continue;
		}
		pad->request = 0;
		if (message->kind == IPC_PAD_DEVICE) {
			make_device(pad, fd);
		}
		return true;
	}
	return false;
}
