/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LOBBY_H
#define SUPERVISOR_LOBBY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shm.h"
#include "ipc/message.h"
#include "supervisor/apps.h"
#include "supervisor/lobby_life.h"
#include "supervisor/lobby_pin.h"

struct desk;
struct session;
struct supervisor;

/* A desk with a life of its own: it is made and stopped by request, watched by whoever
 * joins it, and stays when they leave. */
struct lobby {
	struct supervisor *supervisor; /* borrowed */
	struct lobby *next;
	char id[40];       /* random */
	struct desk *desk; /* owned */
	struct lobby_life life;
	struct sd_event_source *overdue; /* owned: the life's deadline */
	struct sd_event_source *aged;    /* owned: its maximum age; NULL without one */
	char name[96], icon[256], owner[48];
	struct lobby_pin pin;
	uint8_t client[32]; /* who made it at Home; zeros: a program did */
	uint8_t flags;      /* LOBBY_ */
	uint64_t created_ms;
	struct app own_app; /* its desk uses this or one of the list */
	struct shm runner;  /* of its own app: LOBBY_RUNNER as it was written down */
	uint32_t request;   /* LOBBY_CREATE's */
	bool create_pending;
	uint32_t stop_request;
	bool stop_pending;
	uint32_t pause_request;
	bool pause_pending;
	uint32_t reason; /* why it ends */
	char detail[160];
};

/* What the web door asks of lobbies: LOBBY_CREATE, JOIN, LEAVE, STOP, KICK, ROLE,
 * each of which gets one answer, and LOBBY_CANCEL. Other kinds are no business of ours and
 * are ignored. */
void lobby_handle(struct supervisor *supervisor, const struct ipc_message *message);

/* The same, asked at Home by whoever looks at that session's own desktop: a client may stop what
 * it made, or what has a PIN that it knows. */
void lobby_handle_of(struct supervisor *supervisor, const struct session *asker,
		const struct ipc_message *message);

/* Tells a web door that has just come of all of them. */
void lobby_tell_all(struct supervisor *supervisor);

/* Ends all of them. */
void lobby_quit_all(struct supervisor *supervisor, uint32_t reason);

/* For member.c: somebody joins it, is in it, or has left. */
void lobby_joined(struct lobby *lobby);
void lobby_left(struct lobby *lobby);
void lobby_tell(const struct lobby *lobby);

/* Who sees its desk, or how they are connected, may have changed: its Notice hears of it. */
void lobby_tell_audience(struct lobby *lobby);
unsigned lobby_members(const struct lobby *lobby);

/* Answers one of the door's requests; detail may be NULL: the reason's words. */
void lobby_answer(struct supervisor *supervisor, uint32_t request, uint32_t reason,
		const char *detail);

/* A supervisor that takes over: from its record; then what is missing is started. */
void lobby_restore(struct supervisor *supervisor, const struct ipc_message *record);
void lobby_mend(struct lobby *lobby);
void lobby_write(const struct lobby *lobby);

/* Of that desk; NULL when it is not a lobby's. */
struct lobby *lobby_of_desk(const struct desk *desk);

#endif
