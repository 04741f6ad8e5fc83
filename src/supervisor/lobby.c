/* SPDX-License-Identifier: MIT */
#include "supervisor/lobby.h"

#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/app_plan.h"
#include "supervisor/desk.h"
#include "supervisor/encoding.h"
#include "supervisor/groups.h"
#include "supervisor/lobby_inside.h"
#include "supervisor/member.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/session_parts.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"

static void handle_desk_event(
		struct desk *desk, enum desk_event event, uint32_t reason, const char *detail) {
	static const enum lobby_life_event events[DESK_EVENTS] = {
		[DESK_READY] = LOBBY_LIFE_READY,
		[DESK_APP_BEGAN] = LOBBY_LIFE_READY,
		[DESK_AGAIN] = LOBBY_LIFE_AGAIN,
		[DESK_BROKEN] = LOBBY_LIFE_BROKEN,
		[DESK_APP_OVER] = LOBBY_LIFE_STOP,
		[DESK_EMPTY] = LOBBY_LIFE_ALL_GONE,
	};
	struct lobby *lobby = (struct lobby *)desk->user;
	if (event == DESK_SHOWN) {
		encodings_desktop_back(desk);
	} else if (event == DESK_TROUBLE) {
		log_warning("lobby-trouble", "lobby=%s reason=%s", lobby->id,
				reason_row(reason)->name);
	} else if (event != DESK_READY || app_plan_is_container(desk)) {
		/* Whoever made it is answered once its app runs. An image may take long. */
		lobby_raise(lobby, events[event], reason, detail);
	}
}

static const struct desk_owner desk_owner = { .event = handle_desk_event };

struct lobby *lobby_of_desk(const struct desk *desk) {
	return desk->owner == &desk_owner ? (struct lobby *)desk->user : NULL;
}

struct lobby *lobby_make(struct supervisor *supervisor, uint64_t desk, const struct app *listed) {
	struct lobby *lobby = calloc(1, sizeof(*lobby));
	if (!lobby) {
		return NULL;
	}
	lobby->supervisor = supervisor;
	lobby->runner = SHM_NONE;
	const struct app *app = listed ? listed : &lobby->own_app;
	lobby->desk = desk_make(supervisor, desk, app, &desk_owner, lobby);
	if (!lobby->desk) {
		free(lobby);
		return NULL;
	}
	lobby->next = supervisor->lobbies;
	supervisor->lobbies = lobby;
	return lobby;
}

void lobby_free(struct lobby *lobby) {
	struct supervisor *supervisor = lobby->supervisor;
	struct lobby **at = &supervisor->lobbies;
	while (*at != lobby) {
		at = &(*at)->next;
	}
	*at = lobby->next;
	uint64_t desk = lobby->desk->id;
	desk_destroy(lobby->desk);
	lobby_runner_finish(lobby);
	groups_sweep(supervisor);
	record_drop(supervisor, IPC_LEDGER_LOBBY, desk);
	record_drop(supervisor, IPC_LOBBY_CREATE, desk);
	keep_drop(&supervisor->keep, "s%016llx.", (unsigned long long)desk);
	sd_event_source_disable_unref(lobby->overdue);
	sd_event_source_disable_unref(lobby->aged);
	explicit_bzero(lobby, sizeof(*lobby));
	free(lobby);
}

unsigned lobby_members(const struct lobby *lobby) {
	unsigned count = 0;
	for (const struct session *at = lobby->supervisor->sessions; at; at = at->next) {
		count += member_is_of(at, lobby);
	}
	return count;
}

void lobby_tell(const struct lobby *lobby) {
	const struct desk *desk = lobby->desk;
	enum lobby_life_state state = lobby->life.state;
	uint8_t now = state >= LOBBY_LIFE_PAUSING ? LOBBY_PAUSED : 0;
	struct ipc_message message = {
		.kind = IPC_LOBBY_STATE,
		.lobby_state = { .flags = (uint8_t)(lobby->flags | now |
						    (lobby->pin.text[0] ? LOBBY_HAS_PIN : 0)),
				.state = state == LOBBY_LIFE_STARTING ? LOBBY_STARTING
					 : lobby_life_ends(state)     ? LOBBY_ENDING
								      : LOBBY_READY,
				.width = desk->width,
				.height = desk->height,
				.rate_x100 = desk->rate_mhz / 10,
				.channels = desk->channels,
				.app = desk->app->id,
				.members = lobby_members(lobby),
				.created_ms = lobby->created_ms,
				.desktop = desk->id },
	};
	memcpy(message.lobby_state.client, lobby->client, sizeof(lobby->client));
	typeof(message.lobby_state) *out = &message.lobby_state;
	text_copy(out->lobby, sizeof(out->lobby), lobby->id);
	text_copy(out->name, sizeof(out->name), lobby->name);
	text_copy(out->icon, sizeof(out->icon), lobby->icon);
	text_copy(out->owner, sizeof(out->owner), lobby->owner);
	text_copy(out->state_folder, sizeof(out->state_folder), desk->state_folder);
	supervisor_post(lobby->supervisor, SERVICE_WEB, &message, NULL, 0);
}

static void tell_member(const struct session *session, const struct lobby *lobby) {
	struct ipc_message message = {
		.kind = IPC_LOBBY_MEMBER,
		.lobby_member = { .session = session->id,
				.role = session->member.role,
				.present = 1 },
	};
	text_copy(message.lobby_member.lobby, sizeof(message.lobby_member.lobby), lobby->id);
	supervisor_post(lobby->supervisor, SERVICE_WEB, &message, NULL, 0);
}

/* The door before it never heard that somebody came whom it was told of: it was hanging, or had
 * died. Else it would not have left the wish. */
static void tell_who_came(struct supervisor *supervisor, const struct ipc_message *message) {
	const typeof(message->lobby_wish) *wish = &message->lobby_wish;
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		bool meant = wish->only ? at->id == wish->only
					: memcmp(at->client, wish->client, sizeof(at->client)) == 0;
		if (meant && at->life.state == LIFE_STREAMING && at->streaming_ms &&
				at->streaming_ms >= wish->made_ms) {
			tell_event(at, TOLD_STREAMING, 0, NULL);
			return;
		}
	}
}

/* What a door before it was told of the next viewers. */
static void tell_wishes(struct supervisor *supervisor) {
	struct ipc_message wish;
	uint64_t place;
	for (size_t at = 0; ledger_next(&supervisor->ledger, IPC_LOBBY_WISH, &at, &place, &wish) ==
			    0;) {
		uint64_t only = wish.lobby_wish.only;
		bool over = wish.lobby_wish.until_ms <= clock_now_ms() ||
			    (only && !session_find(supervisor, only));
		if (over) {
			record_drop(supervisor, IPC_LOBBY_WISH, place);
		} else {
			supervisor_post(supervisor, SERVICE_WEB, &wish, NULL, 0);
			tell_who_came(supervisor, &wish);
		}
	}
	explicit_bzero(&wish, sizeof(wish));
}

void lobby_tell_all(struct supervisor *supervisor) {
	tell_wishes(supervisor);
	for (const struct lobby *at = supervisor->lobbies; at; at = at->next) {
		lobby_tell(at);
		lobby_runner_tell(at);
		for (const struct session *of = supervisor->sessions; of; of = of->next) {
			if (of->member.state == MEMBER_IN && of->member.lobby == at) {
				tell_member(of, at);
			}
		}
	}
}

void lobby_answer(struct supervisor *supervisor, uint32_t request, uint32_t reason,
		const char *detail) {
	struct ipc_message done = { .kind = IPC_LOBBY_DONE,
		.lobby_done = { .request = request, .reason = reason } };
	text_copy(done.lobby_done.detail, sizeof(done.lobby_done.detail),
			detail && detail[0] ? detail
			: reason            ? reason_row(reason)->words
					    : "");
	supervisor_post(supervisor, SERVICE_WEB, &done, NULL, 0);
}

void lobby_answer_create(struct lobby *lobby, uint32_t reason) {
	if (!lobby->create_pending) {
		return;
	}
	lobby->create_pending = false;
	struct ipc_message answer = { .kind = IPC_LOBBY_CREATED,
		.lobby_created = { .request = lobby->request, .reason = reason } };
	text_copy(answer.lobby_created.lobby, sizeof(answer.lobby_created.lobby),
			reason ? "" : lobby->id);
	text_copy(answer.lobby_created.detail, sizeof(answer.lobby_created.detail),
			lobby->detail[0] ? lobby->detail
			: reason         ? reason_row(reason)->words
					 : "");
	supervisor_post(lobby->supervisor, SERVICE_WEB, &answer, NULL, 0);
}

static void do_answer(struct lobby *lobby) {
	log_info("lobby-ready", "lobby=%s desk=%016llx took_ms=%llu", lobby->id,
			(unsigned long long)lobby->desk->id,
			(unsigned long long)(clock_now_ms() - lobby->created_ms));
	record_flush(lobby->supervisor);
	lobby_answer_create(lobby, REASON_NONE);
}

static void do_note(struct lobby *lobby) {
	(void)lobby;
}

static void do_restart(struct lobby *lobby) {
	desk_restart(lobby->desk);
}

static void for_each_member(struct lobby *lobby, void (*act)(struct session *, struct lobby *)) {
	for (struct session *at = lobby->supervisor->sessions; at; at = at->next) {
		if (member_is_of(at, lobby)) {
			act(at, lobby);
		}
	}
}

static void send_home(struct session *session, struct lobby *lobby) {
	member_leave(session, lobby->reason, false, 0);
}

static void put_out(struct session *session, struct lobby *lobby) {
	session_raise(session, LIFE_VIEWER_LOST, lobby->reason, lobby->detail);
}

void lobby_send_home(struct lobby *lobby) {
	log_info("lobby-sends-home", "lobby=%s members=%u", lobby->id, lobby_members(lobby));
	for_each_member(lobby, send_home);
}

static void answer_pause(struct lobby *lobby, uint32_t reason) {
	if (lobby->pause_pending) {
		lobby->pause_pending = false;
		lobby_answer(lobby->supervisor, lobby->pause_request, reason, NULL);
	}
}

static void send_aside(struct session *session, struct lobby *lobby) {
	(void)lobby;
	member_leave(session, REASON_LOBBY_PAUSED, false, 0);
}

static void put_aside(struct session *session, struct lobby *lobby) {
	(void)lobby;
	session_raise(session, LIFE_VIEWER_LOST, REASON_LOBBY_PAUSED, NULL);
}

void lobby_empty(struct lobby *lobby) {
	for_each_member(lobby, send_aside);
}

static void do_rest(struct lobby *lobby) {
	log_info("lobby-paused", "lobby=%s", lobby->id);
	record_flush(lobby->supervisor); /* whoever hears of it may rely on it */
	answer_pause(lobby, REASON_NONE);
}

static void do_put_aside(struct lobby *lobby) {
	for_each_member(lobby, put_aside);
	do_rest(lobby);
}

static void do_stop_all(struct lobby *lobby) {
	log_info("lobby-ending", "lobby=%s reason=%s detail=%s", lobby->id,
			reason_row(lobby->reason)->name, log_quote(lobby->detail).text);
	session_parts_stop(lobby->desk, lobby->reason);
	if (lobby->desk->children == 0) {
		/* From the loop's next round: whoever began this still looks at it. */
		lobby->life.deadline_ms = clock_now_ms();
		lobby_arm(lobby);
	}
}

static void do_put_out(struct lobby *lobby) {
	for_each_member(lobby, put_out);
	do_stop_all(lobby);
}

static void do_kill_all(struct lobby *lobby) {
	session_parts_kill(lobby->desk, lobby->reason);
}

/* Whoever hears that it is gone finds nothing of it any more. */
static void do_reap(struct lobby *lobby) {
	struct supervisor *supervisor = lobby->supervisor;
	struct lobby left = *lobby;
	struct ipc_message gone = { .kind = IPC_LOBBY_GONE, .lobby_gone.reason = lobby->reason };
	text_copy(gone.lobby_gone.lobby, sizeof(gone.lobby_gone.lobby), lobby->id);
	text_copy(gone.lobby_gone.detail, sizeof(gone.lobby_gone.detail), lobby->detail);
	lobby_free(lobby);
	lobby_answer_create(&left, left.reason);
	answer_pause(&left, REASON_LOBBY_ENDS);
	if (left.stop_pending) {
		lobby_answer(supervisor, left.stop_request, REASON_NONE, NULL);
	}
	supervisor_post(supervisor, SERVICE_WEB, &gone, NULL, 0);
	log_info("lobby-end", "lobby=%s reason=%s ran_ms=%llu", left.id,
			reason_row(left.reason)->name,
			(unsigned long long)(clock_now_ms() - left.created_ms));
	explicit_bzero(&left, sizeof(left));
	supervisor_check_end(supervisor);
}

static void do_give_up(struct lobby *lobby) {
	log_error("lobby-written-off", "lobby=%s processes=%u", lobby->id, lobby->desk->children);
	do_reap(lobby);
}

/* clang-format off */
static void (*const actions[])(struct lobby *) = {
	[LOBBY_LIFE_NOTE] = do_note,
	[LOBBY_LIFE_ANSWER] = do_answer,
	[LOBBY_LIFE_RESTART] = do_restart,
	[LOBBY_LIFE_SEND_HOME] = lobby_send_home,
	[LOBBY_LIFE_PUT_OUT] = do_put_out,
	[LOBBY_LIFE_STOP_ALL] = do_stop_all,
	[LOBBY_LIFE_KILL_ALL] = do_kill_all,
	[LOBBY_LIFE_REAP] = do_reap,
	[LOBBY_LIFE_GIVE_UP] = do_give_up,
	[LOBBY_LIFE_EMPTY] = lobby_empty,
	[LOBBY_LIFE_PUT_ASIDE] = do_put_aside,
	[LOBBY_LIFE_REST] = do_rest,
};
/* clang-format on */

void lobby_raise(struct lobby *lobby, enum lobby_life_event event, uint32_t reason,
		const char *detail) {
	enum lobby_life_state before = lobby->life.state;
	enum lobby_life_action action = lobby_life_step(&lobby->life, event, clock_now_ms());
	record_touch_desk(lobby->desk);
	log_debug("lobby-step", "lobby=%s state=%s event=%d action=%d next=%s", lobby->id,
			lobby_life_state_name(before), event, action,
			lobby_life_state_name(lobby->life.state));
	if (action == LOBBY_LIFE_REFUSE) {
		log_error("lobby-confused", "lobby=%s state=%s event=%d", lobby->id,
				lobby_life_state_name(before), event);
		return;
	}
	if (action == LOBBY_LIFE_IGNORE) {
		return;
	}
	if (reason != REASON_NONE && lobby_life_ends(lobby->life.state) &&
			!lobby_life_ends(before)) {
		lobby->reason = reason;
		/* How a process ended does not say which. */
		bool which = event == LOBBY_LIFE_BROKEN && detail && detail[0];
		text_format(lobby->detail, sizeof(lobby->detail), "%s%s%s%s",
				which ? reason_row(reason)->words : "", which ? " (" : "",
				detail ? detail : "", which ? ")" : "");
	}
	lobby_arm(lobby);
	if (action != LOBBY_LIFE_REAP && action != LOBBY_LIFE_GIVE_UP) {
		lobby_tell(lobby);
	}
	actions[action](lobby);
}

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct lobby *lobby = (struct lobby *)user;
	static const uint32_t reasons[LOBBY_LIFE_STATES] = {
		[LOBBY_LIFE_STARTING] = REASON_START_OVERDUE,
		[LOBBY_LIFE_ALONE] = REASON_LOBBY_LEFT_ALONE,
	};
	bool empty = lobby_life_stops(lobby->life.state) && lobby->desk->children == 0;
	bool waits_for_app = lobby->life.state == LOBBY_LIFE_STARTING && lobby->desk->desktop_ready;
	lobby_raise(lobby, empty ? LOBBY_LIFE_ALL_GONE : LOBBY_LIFE_OVERDUE,
			reasons[lobby->life.state],
			waits_for_app ? "The app was not started in time." : NULL);
	return 0;
}

void lobby_arm(struct lobby *lobby) {
	uint64_t deadline_ms = lobby->life.deadline_ms;
	if (!lobby->overdue) {
		sd_event_add_time(lobby->supervisor->event, &lobby->overdue, CLOCK_MONOTONIC,
				UINT64_MAX, 10 * US_PER_MS, handle_overdue, lobby);
	}
	if (lobby->overdue) {
		sd_event_source_set_time(
				lobby->overdue, deadline_ms ? deadline_ms * US_PER_MS : UINT64_MAX);
		sd_event_source_set_enabled(
				lobby->overdue, deadline_ms ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	}
}

static int handle_aged(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	lobby_raise((struct lobby *)user, LOBBY_LIFE_STOP, REASON_LOBBY_OLD, NULL);
	return 0;
}

void lobby_arm_age(struct lobby *lobby) {
	uint64_t age_ms = lobby->supervisor->config.lobby_max_age_s * UINT64_C(1000);
	if (age_ms && sd_event_add_time(lobby->supervisor->event, &lobby->aged, CLOCK_MONOTONIC,
				      (lobby->created_ms + age_ms) * US_PER_MS, US_PER_S / 10,
				      handle_aged, lobby) < 0) {
		log_error("lobby-ageless", "lobby=%s", lobby->id);
	}
}

void lobby_joined(struct lobby *lobby) {
	lobby_raise(lobby, LOBBY_LIFE_JOINED, REASON_NONE, NULL);
}

void lobby_left(struct lobby *lobby) {
	if (lobby_members(lobby) == 0) {
		lobby_raise(lobby, LOBBY_LIFE_LEFT, REASON_NONE, NULL);
	} else {
		lobby_tell(lobby);
	}
}

void lobby_tell_audience(struct lobby *lobby) {
	enum notice_audience most = NOTICE_NOBODY;
	for (const struct session *at = lobby->supervisor->sessions; at; at = at->next) {
		bool sees = at->member.lobby == lobby && at->member.state != MEMBER_JOINING;
		enum notice_audience one = sees ? session_audience(at) : NOTICE_NOBODY;
		most = one > most ? one : most;
	}
	notice_set_audience(lobby->desk, most);
}

void lobby_quit_all(struct supervisor *supervisor, uint32_t reason) {
	for (struct lobby *at = supervisor->lobbies, *next; at; at = next) {
		next = at->next;
		lobby_raise(at, LOBBY_LIFE_STOP, reason, NULL);
	}
}
