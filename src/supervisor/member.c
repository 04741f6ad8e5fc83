/* SPDX-License-Identifier: MIT */
#include "supervisor/member.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/lobby.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

static void tell(const struct session *session, const struct lobby *lobby, bool present,
		uint32_t reason) {
	struct ipc_message message = {
		.kind = IPC_LOBBY_MEMBER,
		.lobby_member = { .session = session->id,
				.role = session->member.role,
				.present = present,
				.reason = reason },
	};
	memcpy(message.lobby_member.lobby, lobby->id, sizeof(message.lobby_member.lobby));
	supervisor_post(session->supervisor, SERVICE_WEB, &message, NULL, 0);
	log_info(present ? "lobby-joined" : "lobby-left", "lobby=%s session=%016llx reason=%s",
			lobby->id, (unsigned long long)session->id, reason_row(reason)->name);
}

static void answer(struct session *session, uint32_t reason) {
	struct member *member = &session->member;
	if (member->asked) {
		member->asked = false;
		lobby_answer(session->supervisor, member->request, reason, NULL);
	}
}

/* It is in a lobby no more; the lobby hears of it last, because that may be its end. */
static void depart(struct session *session, uint32_t reason) {
	struct member *member = &session->member;
	struct lobby *lobby = TAKE(member->lobby, NULL);
	tell(session, lobby, false, reason);
	lobby_left(lobby);
}

static void welcome(struct session *session) {
	struct member *member = &session->member;
	struct lobby *next = TAKE(member->next, NULL);
	if (next) {
		depart(session, REASON_ASKED);
		member->lobby = next;
	}
	member->role = member->next_role;
	tell(session, member->lobby, true, REASON_NONE);
	lobby_tell(member->lobby);
	answer(session, REASON_NONE);
}

/* From home it never was in the lobby; while changing it stays where it was. */
static void apologize(struct session *session, uint32_t reason) {
	struct member *member = &session->member;
	struct lobby *next = TAKE(member->next, NULL);
	answer(session, reason);
	if (!next && member->state == MEMBER_HOME) {
		next = TAKE(member->lobby, NULL);
	}
	if (next) {
		lobby_left(next);
	}
}

static void happen(struct session *session, enum member_event event, uint32_t reason) {
	struct member *member = &session->member;
	enum member_state before = member->state;
	struct lobby *was = member->lobby;
	enum member_action action = member_step(&member->state, event);
	log_debug("member-step", "session=%016llx state=%s next=%s",
			(unsigned long long)session->id, member_state_name(before),
			member_state_name(member->state));
	if (action == MEMBER_WELCOME) {
		welcome(session);
	} else if (action == MEMBER_APOLOGIZE) {
		apologize(session, reason);
	} else if (action == MEMBER_FAREWELL) {
		answer(session, REASON_NONE);
		depart(session, member->reason);
	} else if (action == MEMBER_FORGET) {
		struct lobby *next = TAKE(member->next, NULL);
		answer(session, reason);
		depart(session, reason);
		if (next) {
			lobby_left(next);
		}
	}
	if (was) {
		lobby_tell_audience(was);
	}
	if (member->lobby && member->lobby != was) {
		lobby_tell_audience(member->lobby);
	}
	record_touch(session);
}

static uint32_t go(struct session *session, struct desk *desk, bool may_input) {
	if (!session->view || !desk->desktop_ready) {
		return session->view ? REASON_NOT_READY : REASON_SESSION_UNKNOWN;
	}
	int rc = view_switch(session->view, desk, may_input);
	if (rc == -EALREADY) {
		happen(session, MEMBER_MOVED, REASON_NONE);
		return REASON_NONE;
	}
	return rc == -EBUSY ? REASON_SWITCH_PENDING : rc < 0 ? REASON_RESOURCES : REASON_NONE;
}

void member_join(struct session *session, struct lobby *lobby, uint8_t role, uint32_t request,
		uint32_t deadline_ms) {
	struct member *member = &session->member;
	if (member->state == MEMBER_IN && member->lobby == lobby) {
		member_set_role(session, role);
		lobby_answer(session->supervisor, request, REASON_NONE, NULL);
		return;
	}
	if (member_step(&member->state, MEMBER_JOIN) == MEMBER_REFUSE_BUSY) {
		lobby_answer(session->supervisor, request, REASON_SWITCH_PENDING, NULL);
		return;
	}
	member->request = request;
	member->asked = true;
	member->next_role = role;
	*(member->state == MEMBER_CHANGING ? &member->next : &member->lobby) = lobby;
	lobby_joined(lobby);
	uint32_t reason = go(session, lobby->desk, role == ROLE_PLAYER);
	if (reason == REASON_NONE) {
		view_switch_within(session->view, deadline_ms);
	} else {
		happen(session, MEMBER_STAYED, reason);
	}
	record_touch(session);
}

/* Whoever is put out and cannot go home loses its view: nobody is left behind in a desk
 * that ends. */
static void cannot_go_home(struct session *session, uint32_t reason) {
	bool put_out = !session->member.asked && !session->member.may_stay;
	happen(session, MEMBER_STAYED, reason);
	if (put_out) {
		session_raise(session, LIFE_VIEWER_LOST, session->member.reason, NULL);
	}
}

static void leave(struct session *session, uint32_t reason, bool asked, uint32_t request) {
	struct member *member = &session->member;
	enum member_state before = member->state;
	enum member_action action = member_step(&member->state, MEMBER_LEAVE);
	if (action == MEMBER_GO_HOME) {
		member->request = request;
		member->asked = asked;
		member->reason = reason;
		uint32_t trouble = go(session, session->desk, true);
		if (trouble != REASON_NONE) {
			cannot_go_home(session, trouble);
		}
	} else if (asked) {
		lobby_answer(session->supervisor, request,
				action == MEMBER_REFUSE_HOME ? REASON_NOT_A_MEMBER
							     : REASON_SWITCH_PENDING,
				NULL);
	} else if (before == MEMBER_JOINING || before == MEMBER_CHANGING) {
		view_switch_fails(session->view, reason);
	}
}

void member_leave(struct session *session, uint32_t reason, bool asked, uint32_t request) {
	struct member *member = &session->member;
	if (!asked || member->state == MEMBER_IN) {
		member->may_stay = false;
	}
	leave(session, reason, asked, request);
}

void member_return(struct session *session) {
	struct member *member = &session->member;
	log_info("combo", "session=%016llx member=%s", (unsigned long long)session->id,
			member_state_name(member->state));
	if (member->state == MEMBER_IN) {
		member->may_stay = true;
		leave(session, REASON_COMBO, false, 0);
	}
}

void member_set_role(struct session *session, uint8_t role) {
	struct member *member = &session->member;
	if (member->state == MEMBER_IN && member->role != role) {
		member->role = role;
		view_set_input(session->view, role == ROLE_PLAYER);
		tell(session, member->lobby, true, REASON_NONE);
	}
}

void session_switched(struct session *session, uint32_t reason) {
	bool leaving = session->member.state == MEMBER_LEAVING;
	if (reason != REASON_NONE && leaving && session->view) {
		cannot_go_home(session, reason);
	} else {
		happen(session, reason == REASON_NONE ? MEMBER_MOVED : MEMBER_STAYED, reason);
	}
}

void member_view_gone(struct session *session) {
	happen(session, MEMBER_VIEW_GONE, REASON_CLIENT_LEFT);
}

void member_restore(struct session *session) {
	struct member *member = &session->member;
	struct lobby *lobby = session->view && session->view->now.desk
					      ? lobby_of_desk(session->view->now.desk)
					      : NULL;
	if (member->state == MEMBER_HOME && lobby) {
		member->state = MEMBER_IN;
		member->lobby = lobby;
		member->role = session->view->now.may_input ? ROLE_PLAYER : ROLE_VIEWER;
		lobby_joined(lobby);
		lobby_tell_audience(lobby);
	}
}

bool member_is_of(const struct session *session, const struct lobby *lobby) {
	const struct member *member = &session->member;
	return member->state != MEMBER_HOME && (member->lobby == lobby || member->next == lobby);
}
