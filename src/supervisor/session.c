/* SPDX-License-Identifier: MIT */
#include "supervisor/session.h"

#include <errno.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "supervisor/groups.h"
#include "supervisor/lobby.h"
#include "supervisor/record.h"
#include "supervisor/session_added.h"
#include "supervisor/session_inside.h"
#include "supervisor/session_parts.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"
#include "supervisor/view.h"

enum {
	ENET_PEERS = 4095, /* 12 bits, the last is reserved (ENet protocol.h) */
};

static void session_free(struct session *session) {
	struct supervisor *supervisor = session->supervisor;
	for (struct session **at = &supervisor->sessions; *at; at = &(*at)->next) {
		if (*at == session) {
			*at = session->next;
			supervisor->sessions_count -= !session->internal;
			break;
		}
	}
	desk_destroy(session->desk);
	groups_sweep(supervisor);
	record_forget_session(session);
	sd_event_source_disable_unref(session->overdue);
	explicit_bzero(session, sizeof(*session));
	free(session);
	supervisor_check_end(supervisor);
}

void session_tell_state(const struct session *session) {
	enum life_state state = session->life.state;
	struct ipc_message message = {
		.kind = IPC_SESSION_STATE,
		.session_state = { .session = session->id,
				/* What a program added is not what the client runs. */
				.app = session->added ? 0 : session->app->id,
				.state = state >= LIFE_ENDING ? SESSION_GONE
					 : session->view      ? SESSION_WATCHED
							      : SESSION_RUNNING },
	};
	memcpy(message.session_state.client, session->client, sizeof(session->client));
	supervisor_post(session->supervisor, SERVICE_GATE, &message, NULL, 0);
	supervisor_post(session->supervisor, SERVICE_WEB, &message, NULL, 0);
	tell_session(session);
}

void session_tell_states(struct supervisor *supervisor) {
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		session_tell_state(at);
	}
}

void session_refuse_launch(struct supervisor *supervisor, const struct ipc_message *launch,
		uint32_t reason, const char *detail) {
	struct ipc_message answer = { .kind = IPC_LAUNCHED,
		.launched = { .request = launch->launch.request, .reason = reason } };
	bool by_api = launch->launch.flags & LAUNCH_BY_API;
	text_copy(answer.launched.detail, sizeof(answer.launched.detail), detail ? detail : "");
	metrics_note_refused(&supervisor->metrics, reason);
	log_warning("launch-refused", "reason=%s detail=%s", reason_row(reason)->name,
			log_quote(answer.launched.detail).text);
	supervisor_post(supervisor, by_api ? SERVICE_WEB : SERVICE_GATE, &answer, NULL, 0);
}

void session_answer_launch(struct session *session) {
	if (!session->launch_pending) {
		return;
	}
	session->launch_pending = false;
	session->answer.launched.request = session->launch.launch.request;
	session_tell_state(session);
	log_info("launch-answered", "session=%016llx trace=%s took_ms=%llu",
			(unsigned long long)session->id, session->trace,
			(unsigned long long)(clock_now_ms() - session->launched_ms));
	/* The client acts on these secrets: a successor must know them by then. */
	record_touch(session);
	record_flush(session->supervisor);
	if (session->launch.launch.flags & LAUNCH_BY_API) {
		session_added_ready(session);
		return;
	}
	supervisor_post(session->supervisor, SERVICE_GATE, &session->answer, NULL, 0);
}

static void answer_announce(struct session *session, uint32_t reason) {
	if (!session->announce_pending) {
		return;
	}
	session->announce_pending = false;
	if (session->announce_by_api) {
		session_added_started(session, reason);
		return;
	}
	struct ipc_message answer = { .kind = IPC_ANNOUNCED,
		.announced = { .request = session->announce_request, .reason = reason } };
	text_copy(answer.announced.detail, sizeof(answer.announced.detail),
			reason ? session->detail : "");
	supervisor_post(session->supervisor, SERVICE_GATE, &answer, NULL, 0);
}

static uint16_t free_enet_peer(struct supervisor *supervisor) {
	for (;;) {
		uint16_t id = (uint16_t)(random_u32() % ENET_PEERS);
		bool used = false;
		for (struct session *at = supervisor->sessions; at; at = at->next) {
			used |= at->answer.launched.enet_peer == id;
		}
		if (!used) {
			return id;
		}
	}
}

static void draw_ping(struct secret *out) {
	uint8_t half[8];
	char text[17];
	random_fill(half, sizeof(half));
	hex_encode(half, sizeof(half), text);
	memcpy(out->bytes, text, 16);
}

/* New secrets for a client that comes (back). */
void session_draw_secrets(struct session *session) {
	struct ipc_message *answer = &session->answer;
	*answer = (struct ipc_message){ .kind = IPC_LAUNCHED, .launched.session = session->id };
	draw_ping(&answer->launched.video_ping);
	draw_ping(&answer->launched.audio_ping);
	do {
		answer->launched.connect_data = random_u32();
	} while (answer->launched.connect_data == 0);
	answer->launched.enet_peer = free_enet_peer(session->supervisor);
}

void session_open_view(struct session *session) {
	int rc = session->view ? 0 : view_create(session, &session->view);
	if (rc < 0) {
		log_error("view-failed", "session=%016llx error=%s",
				(unsigned long long)session->id, log_quote(strerror(-rc)).text);
	}
}

static void close_view(struct session *session, uint32_t code) {
	struct view *view = TAKE(session->view, NULL);
	view_close(view, session->reason, code);
	member_view_gone(session);
	session->stats.kind = (enum ipc_kind)0;
}

void session_reopen_view(struct session *session) {
	close_view(session, REASON_TERMINATE_ORDERLY);
	session_open_view(session);
}

static void stop_all(struct session *session) {
	answer_announce(session, session->reason);
	close_view(session, reason_termination(session->reason));
	session_tell_state(session);
	session_parts_stop(session->desk, session->reason);
	log_info("session-ending", "session=%016llx reason=%s detail=%s",
			(unsigned long long)session->id, reason_row(session->reason)->name,
			log_quote(session->detail).text);
}

static void fail_launch(struct session *session) {
	if (session->launch_pending) {
		session->launch_pending = false;
		session_refuse_launch(session->supervisor, &session->launch, session->reason,
				session->detail);
	}
	stop_all(session);
}

static void reap(struct session *session) {
	log_info("session-end", "session=%016llx trace=%s reason=%s ran_ms=%llu",
			(unsigned long long)session->id, session->trace,
			reason_row(session->reason)->name,
			(unsigned long long)(clock_now_ms() - session->launched_ms));
	if (!session->internal) {
		metrics_note_ended(&session->supervisor->metrics, session->reason);
	}
	session_free(session);
}

/* RTSP of a plain launch is over, one way or the other: the next may come. */
void session_end_plain(struct session *session) {
	if (session->plain_pending) {
		session->plain_pending = false;
		record_touch(session);
		deferred_retry(&session->supervisor->deferred);
	}
}

static void renew(struct session *session) {
	session_draw_secrets(session);
	session_open_view(session);
	if (session->desk->desktop_ready) {
		session_answer_launch(session);
	}
}

static void take_over(struct session *session) {
	answer_announce(session, REASON_TAKEN_OVER);
	session->reason = REASON_TAKEN_OVER;
	close_view(session, REASON_TERMINATE_ORDERLY);
	renew(session);
}

static void open_view(struct session *session) {
	session_open_view(session);
	int rc = session->view ? 0 : -EAGAIN;
	if (rc < 0) {
		session_raise(session, LIFE_VIEWER_LOST, REASON_SPAWN_FAILED, NULL);
	}
}

static void do_answer_announce(struct session *session) {
	answer_announce(session, REASON_NONE);
	session_tell_state(session);
}

static void note_streaming(struct session *session) {
	uint64_t took_ms = clock_now_ms() - session->launched_ms;
	log_info("streaming", "session=%016llx trace=%s since_launch_ms=%llu",
			(unsigned long long)session->id, session->trace,
			(unsigned long long)took_ms);
	session->streaming_ms = clock_now_ms();
	tell_event(session, TOLD_STREAMING, 0, NULL);
	if (!session->internal) {
		metrics_note_streaming(&session->supervisor->metrics, took_ms);
		ready_note_picture(session->supervisor);
	}
}

static void do_close_view(struct session *session) {
	close_view(session, reason_termination(session->reason));
	session_tell_state(session);
}

static void fail_view(struct session *session) {
	answer_announce(session, session->reason);
	do_close_view(session);
}

static void kill_all(struct session *session) {
	/* What view_close() released dies by its own stop deadline. */
	session_parts_kill(session->desk, session->reason);
}

/* Processes that SIGKILL does not end are left to their own reaping: they hold
 * nothing of the session that is needed again. */
static void give_up(struct session *session) {
	log_error("session-written-off", "session=%016llx processes=%u",
			(unsigned long long)session->id,
			session->children + session->desk->children);
	for (struct child *child = session->supervisor->nursery.first; child; child = child->next) {
		static const struct child_owner nobody = { 0 };
		if (child->session == session->id) {
			child->owner = &nobody;
			child->user = NULL;
		}
	}
	reap(session);
}

static void restart_desktop(struct session *session) {
	desk_restart(session->desk);
}

/* clang-format off */
static void (*const actions[])(struct session *) = {
	[LIFE_ANSWER_LAUNCH] = session_answer_launch,
	[LIFE_OPEN_VIEW] = open_view,
	[LIFE_ANSWER_ANNOUNCE] = do_answer_announce,
	[LIFE_NOTE_STREAMING] = note_streaming,
	[LIFE_CLOSE_VIEW] = do_close_view,
	[LIFE_RENEW] = renew,
	[LIFE_TAKE_OVER] = take_over,
	[LIFE_FAIL_LAUNCH] = fail_launch,
	[LIFE_FAIL_VIEW] = fail_view,
	[LIFE_RESTART_DESKTOP] = restart_desktop,
	[LIFE_STOP_ALL] = stop_all,
	[LIFE_KILL_ALL] = kill_all,
	[LIFE_REAP] = reap,
	[LIFE_GIVE_UP] = give_up,
};
/* clang-format on */

/* A launch that came to nothing casts doubt on the next; the trial's own says why. */
static void note_trouble(struct session *session, uint32_t reason, const char *detail) {
	if (reason == REASON_NONE) {
		return;
	}
	if (session->internal) {
		trial_note(session, reason, detail);
	} else {
		ready_note_failure(session->supervisor, reason);
	}
}

enum notice_audience session_audience(const struct session *session) {
	static const enum notice_audience audiences[LIFE_STATES] = {
		[LIFE_LAUNCHED] = NOTICE_COMING,
		[LIFE_PREPARING] = NOTICE_COMING,
		[LIFE_CONNECTING] = NOTICE_COMING,
		[LIFE_STREAMING] = NOTICE_WATCHING,
	};
	return audiences[session->life.state];
}

void session_tell_audience(struct session *session) {
	notice_set_audience(session->desk, session_audience(session));
	if (session->member.lobby) {
		lobby_tell_audience(session->member.lobby);
	}
}

void session_raise(struct session *session, enum life_event event, uint32_t reason,
		const char *detail) {
	record_touch(session);
	enum life_state before = session->life.state;
	enum life_action action = life_step(&session->life, event, clock_now_ms());
	log_debug("session-step", "session=%016llx state=%s event=%s action=%d next=%s",
			(unsigned long long)session->id, life_state_name(before),
			life_event_name(event), action, life_state_name(session->life.state));
	if (action == LIFE_REFUSE) {
		log_error("session-confused", "session=%016llx state=%s event=%s",
				(unsigned long long)session->id, life_state_name(before),
				life_event_name(event));
		return;
	}
	if (action == LIFE_IGNORE) {
		return;
	}
	if (reason != REASON_NONE) {
		session->reason = reason;
		text_copy(session->detail, sizeof(session->detail), detail ? detail : "");
		log_info("session-reason", "session=%016llx event=%s reason=%s detail=%s",
				(unsigned long long)session->id, life_event_name(event),
				reason_row(reason)->name, log_quote(session->detail).text);
	}
	note_trouble(session, reason, detail);
	session_arm(session);
	session_tell_audience(session);
	if (session->life.state >= LIFE_STREAMING) {
		session_end_plain(session);
	}
	actions[action](session);
}

static void check_gone(struct session *session) {
	if (session->children + session->desk->children == 0 &&
			session->life.state >= LIFE_ENDING) {
		session_raise(session, LIFE_ALL_GONE, REASON_NONE, NULL);
	}
}

void session_child_gone(struct session *session) {
	session->children--;
	check_gone(session);
}

static void handle_desk_event(
		struct desk *desk, enum desk_event event, uint32_t reason, const char *detail) {
	static const enum life_event events[DESK_EVENTS] = {
		[DESK_READY] = LIFE_DESKTOP_READY,
		[DESK_AGAIN] = LIFE_DESKTOP_GONE,
		[DESK_BROKEN] = LIFE_BROKEN,
		[DESK_APP_OVER] = LIFE_QUIT,
		[DESK_TROUBLE] = LIFE_VIEWER_LOST,
	};
	struct session *session = (struct session *)desk->user;
	if (event == DESK_EMPTY) {
		check_gone(session);
	} else if (event == DESK_SHOWN) {
		encodings_desktop_back(desk);
	} else if (event != DESK_APP_BEGAN) {
		session_raise(session, events[event], reason, detail);
	}
}

const struct desk_owner session_desk_owner = {
	.event = handle_desk_event,
};

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct session *session = (struct session *)user;
	static const uint32_t reasons[LIFE_STATES] = {
		[LIFE_STARTING] = REASON_START_OVERDUE,
		[LIFE_LAUNCHED] = REASON_RTSP_OVERDUE,
		[LIFE_PREPARING] = REASON_START_OVERDUE,
		[LIFE_CONNECTING] = REASON_FLOW_OVERDUE,
	};
	session_raise(session, LIFE_OVERDUE, reasons[session->life.state], NULL);
	return 0;
}

void session_arm(struct session *session) {
	uint64_t deadline_ms = session->life.deadline_ms;
	if (!session->overdue) {
		sd_event_add_time(session->supervisor->event, &session->overdue, CLOCK_MONOTONIC,
				UINT64_MAX, 10 * US_PER_MS, handle_overdue, session);
	}
	if (session->overdue) {
		sd_event_source_set_time(session->overdue,
				deadline_ms ? deadline_ms * US_PER_MS : UINT64_MAX);
		sd_event_source_set_enabled(
				session->overdue, deadline_ms ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	}
}

void session_quit_all(struct supervisor *supervisor, enum reason reason) {
	for (struct session *at = supervisor->sessions, *next; at; at = next) {
		next = at->next;
		session_raise(at, LIFE_QUIT, reason, NULL);
	}
}
