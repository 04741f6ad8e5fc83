/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PADS_H
#define SUPERVISOR_PADS_H

#include "ipc/message.h"

struct desk;

/* PAD_DEVICE_ASK of a desk's desktop: opens the device node that gamepads are made with and
 * answers with it. The desktop names no file and cannot open one. What is missing is said
 * once, and the desktop told of it: everything but gamepads goes on. */
void pads_open(struct desk *desk, const struct ipc_message *message);

#endif
