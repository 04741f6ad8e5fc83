/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_ASKED_H
#define SUPERVISOR_ASKED_H

#include <stdbool.h>
#include <stdint.h>

struct desk;
struct ipc_message;
struct supervisor;

/* What programs ask of sessions through the web door: API_DO, API_INPUT_ASK, KEYS_ASK,
 * SHOT_ASK. Each gets one answer. False for other kinds. */
bool asked_handle(struct supervisor *supervisor, const struct ipc_message *message);

/* A desktop that runs and that programs may see and steer; NULL: it was answered why not. */
struct desk *asked_desk(struct supervisor *supervisor, uint64_t id, uint32_t request);

/* API_DONE. */
void asked_answer(struct supervisor *supervisor, uint32_t request, uint32_t reason);

#endif
