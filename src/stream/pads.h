/* SPDX-License-Identifier: MIT */
#ifndef STREAM_PADS_H
#define STREAM_PADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"
#include "proto/control_message.h"
#include "proto/input.h"

/* The gamepads of one viewer: which ones its client has, and what they are shown as. A
 * desktop is told of them when the viewer comes to it and told of their end when it leaves,
 * so that each desktop makes devices of its own. What was pressed on the way counts only
 * once it was let go. Pure; what the desktop shall hear is handed to `say`. */
struct pad {
	bool here;
	bool arrived;     /* the client said what it is; older ones do not */
	uint8_t type;     /* enum input_controller_type */
	uint8_t shown;    /* enum ipc_pad, never AUTO */
	bool triggers[2]; /* left, right: pulled when the desktop changed */
	bool rumbles;     /* as the client was told last */
	uint16_t capabilities;
	uint32_t buttons, kept_back; /* as the client said last; of those, not passed on */
	uint8_t left_trigger, right_trigger;
};

struct pads {
	struct pad list[IPC_PADS_MAX];
	uint8_t overrides[IPC_PADS_MAX]; /* enum ipc_pad by number */
	uint8_t motion;                  /* enum ipc_pad of those that feel motion */
};

struct pads_hearer {
	void (*say)(void *user, const struct ipc_message *message);
	void *user; /* borrowed */
};

/* True for what pads_take() is for. */
bool pads_is_theirs(enum input_kind kind);

/* What the client said of its pads. sequence and received_ns go into what is said. */
void pads_take(struct pads *pads, const struct input_event *event, uint64_t sequence,
		uint64_t received_ns, const struct pads_hearer *hearer);

/* STREAM_CLIENT: how the viewer's client wants them shown. One that changes its kind is
 * unplugged and plugged in. */
void pads_prefer(struct pads *pads, const struct ipc_message *message,
		const struct pads_hearer *hearer);

/* The viewer leaves a desktop, and comes to one. */
void pads_leave(struct pads *pads, const struct pads_hearer *hearer);
void pads_come(struct pads *pads, const struct pads_hearer *hearer);

/* PAD_PLUG of a desktop: what the stream before this one plugged in there. */
void pads_recall(struct pads *pads, const struct ipc_message *message);

/* PAD_FEEDBACK of a desktop as the client hears it. -ENOENT when that pad is not there,
 * -ENOTSUP when it cannot do that. */
int pads_feedback(struct pads *pads, const struct ipc_message *message,
		struct control_message *out) NODISCARD;

/* The viewer has left a desktop: the message that stills a pad which rumbles for it. False
 * when there is none. */
bool pads_still(struct pads *pads, struct control_message *out);

#endif
