/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_ASKED_H
#define SUPERVISOR_ASKED_H

#include <stdbool.h>

struct ipc_message;
struct supervisor;

/* What programs ask of sessions through the web door: API_DO, API_INPUT_ASK, KEYS_ASK,
 * SHOT_ASK. Each gets one answer. False for other kinds. */
bool asked_handle(struct supervisor *supervisor, const struct ipc_message *message);

#endif
