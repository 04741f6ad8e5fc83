/* SPDX-License-Identifier: MIT */
#ifndef STREAM_LIKES_H
#define STREAM_LIKES_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"

/* What the viewer's client may send to a desktop, and how its mouse and wheel are
 * scaled. Pure. */
struct likes {
	uint32_t permissions; /* PERMIT_ */
	uint32_t mouse_milli, scroll_milli, scroll_side_milli;
	/* What was less than a pixel or a step, in thousandths of one, comes later. */
	int32_t rest_x, rest_y, rest_scroll, rest_scroll_side;
};

/* Everything, as it is. */
struct likes likes_begin(void);

/* STREAM_CLIENT; a factor of 0, which an older supervisor leaves, is 1. */
void likes_take(struct likes *likes, const struct ipc_message *message);

/* Scales an INPUT. False when it may not go on. What releases a key or a button always
 * may: it would be held for good otherwise. */
bool likes_apply(struct likes *likes, struct ipc_message *input);

#endif
