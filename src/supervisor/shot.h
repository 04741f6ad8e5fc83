/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SHOT_H
#define SUPERVISOR_SHOT_H

#include <stdint.h>

struct desk;
struct ipc_message;
struct supervisor;

/* Screenshots: an encoder process of its own takes one picture out of the desktop's pool,
 * beside those that encode for viewers, and makes a PNG of it. */

enum {
	SHOTS_MAX = 4,            /* at once, on the whole host */
	SHOT_MS = 5000,           /* for one, when nothing else was asked */
	SHOT_SIZE_MAX = 32 << 20, /* bytes of a PNG */
};

/* SHOT_ASK, which gets one answer. */
void shot_handle(struct supervisor *supervisor, const struct ipc_message *message);

/* The desktop is gone: whoever waits for a picture of it is told so. */
void shots_release(struct desk *desk, uint32_t reason);

#endif
