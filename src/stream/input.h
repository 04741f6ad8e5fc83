/* SPDX-License-Identifier: MIT */
#ifndef STREAM_INPUT_H
#define STREAM_INPUT_H

#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

struct input_event;

/* What the client typed and moved, as the desktop wants it: evdev codes instead
 * of virtual keys and button numbers, code points instead of UTF-8. Scroll
 * amounts and reference sizes stay what they were. -ENOTSUP for what no desktop
 * takes yet (touch, pen), for pads (stream/pads.h) and for keys without a code. */
int input_message(const struct input_event *event, uint64_t sequence, uint64_t received_ns,
		struct ipc_message *out) NODISCARD;

#endif
