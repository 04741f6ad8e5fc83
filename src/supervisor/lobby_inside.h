/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LOBBY_INSIDE_H
#define SUPERVISOR_LOBBY_INSIDE_H

#include "base/own.h"
#include "supervisor/lobby.h"

/* Between lobby.c, which lives a lobby's life, lobby_requests.c, which hears what the
 * door asks, and lobby_record.c. Nobody else includes this. */

/* In the supervisor's list, with its desk but without processes. NULL without memory. */
struct lobby *lobby_make(struct supervisor *supervisor, uint64_t desk, const struct app *listed);
void lobby_free(struct lobby *lobby);

/* Raises an event; the reason is kept when it is an end. detail may be NULL. */
void lobby_raise(struct lobby *lobby, enum lobby_life_event event, uint32_t reason,
		const char *detail);

/* Everybody who is in it is put out; who cannot go home loses its view. */
void lobby_send_home(struct lobby *lobby);

/* The same, for a pause. */
void lobby_empty(struct lobby *lobby);

/* Sets the timer to the life's deadline. */
void lobby_arm(struct lobby *lobby);

/* It ends when it reaches the configured age, however long it has lived already. */
void lobby_arm_age(struct lobby *lobby);

/* LOBBY_CREATED, if somebody still waits for it. */
void lobby_answer_create(struct lobby *lobby, uint32_t reason);

/* Its desk is told whose its app's home is. */
void lobby_name_home(struct lobby *lobby);

/* lobby_runner.c: an app of its own, made of what LOBBY_CREATE says, and left with the holder.
 * REASON_NONE, or why not, with words. */
uint32_t lobby_runner_make(
		struct lobby *lobby, const struct ipc_message *create, char *detail, size_t size);
/* The same of what a predecessor left. False: it left nothing that makes sense. */
bool lobby_runner_restore(struct lobby *lobby, const struct ipc_message *create);
/* To the web door; harmless for an app of the list. */
void lobby_runner_tell(const struct lobby *lobby);
void lobby_runner_finish(struct lobby *lobby);

#endif
