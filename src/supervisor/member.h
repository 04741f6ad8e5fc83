/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_MEMBER_H
#define SUPERVISOR_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"
#include "supervisor/member_life.h"

struct lobby;
struct session;

/* Where a session's viewer is (member_life.h). */
struct member {
	enum member_state state;
	struct lobby *lobby;     /* borrowed: where it is, or is going from home */
	struct lobby *next;      /* borrowed: where it is changing to */
	uint8_t role, next_role; /* enum ipc_role */
	uint32_t request;        /* that waits for its answer */
	bool asked;              /* there is one */
	bool may_stay;           /* it leaves by its own wish, without a request */
	uint32_t reason;         /* why it leaves */
};

/* Joins within deadline_ms (0: as long as a move may take), or answers why not. Whether the lobby lets it in is decided already. */
void member_join(struct session *session, struct lobby *lobby, uint8_t role, uint32_t request,
		uint32_t deadline_ms);

/* Leaves: asked for by `request`, or (asked is false) put out without one. */
void member_leave(struct session *session, uint32_t reason, bool asked, uint32_t request);

/* Its viewer wants to be at home again, wherever it is. While it moves it is not heard: who
 * wants it still presses again. */
void member_return(struct session *session);

void member_set_role(struct session *session, uint8_t role);

/* The session's view is gone. */
void member_view_gone(struct session *session);

/* After a supervisor's death: where the view is says where the member is. */
void member_restore(struct session *session);

/* In it, on its way there, or on its way from there. */
bool member_is_of(const struct session *session, const struct lobby *lobby);

#endif
