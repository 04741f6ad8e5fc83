/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PERMITS_H
#define SUPERVISOR_PERMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"
#include "supervisor/config_clients.h"

struct session;
struct supervisor;

/* What each client may and how it likes it, as the store tells: held in memory, so that
 * no launch waits for a disk. A store that is new, or was asked by a supervisor that
 * took over, lists all of it; who is not in the list was removed meanwhile. */

struct permit {
	client_settings settings;
	bool listed; /* by the store that is there now */
};

struct permits {
	struct permit *list; /* owned array */
	size_t count, room;
	bool known; /* a list has come to its end */
};

/* A store was started, and will list. */
void permits_begin(struct permits *permits);

/* CLIENT_SETTINGS. -ENOMEM. */
int permits_take(struct permits *permits, const struct ipc_message *message) NODISCARD;

bool permits_drop(struct permits *permits, const uint8_t client[32]);

/* One that is not in the list that has ended, or NULL. */
const struct permit *permits_next_stale(const struct permits *permits);

/* NULL for a client that the store did not name: one of our own, or one that is just
 * being paired, which may everything. */
const client_settings *permits_of(const struct permits *permits, const uint8_t client[32]);

bool permits_allow(const client_settings *settings, uint32_t permissions);
bool permits_allow_app(const client_settings *settings, int32_t app);
/* By its name; for who joins it. */
bool permits_allow_lobby(const client_settings *settings, const char *name);

void permits_finish(struct permits *permits);

/* ---- what follows from it ---- */

/* The store's words about clients: settings, removed, end of the list. */
void permits_handle(struct supervisor *supervisor, const struct ipc_message *message);

/* The configuration was read again: what it says of clients holds from now on. */
void permits_lay_over(struct supervisor *supervisor);

/* Why this client may not launch that app (id), REASON_NONE if it may. */
uint32_t permits_judge(const struct supervisor *supervisor, const uint8_t client[32], int32_t app,
		const char *title, char *detail, size_t size);

/* Why this client may not join (PERMIT_LOBBY_JOIN) or make (PERMIT_LOBBY_CREATE) that lobby. */
uint32_t permits_judge_lobby(const struct supervisor *supervisor, const uint8_t client[32],
		uint32_t permission, const char *name, char *detail, size_t size);

/* To the session's stream, if it has begun. */
void permits_tell_stream(struct session *session);

#endif
