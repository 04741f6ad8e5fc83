/* SPDX-License-Identifier: MIT */
#include "supervisor/notice.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/apps.h"
#include "supervisor/desk.h"
#include "supervisor/notice_words.h"
#include "supervisor/record.h"
#include "supervisor/supervisor.h"

enum {
	GRACE_MS = 300,
	WINDOW_WAIT_MS = 10000, /* without a window: then it is said */
};

static void happen(struct desk *desk, enum notice_event event);

static uint64_t limit_ms(const struct desk *desk) {
	return desk->internal ? 0 : desk->app->window_deadline_s * (uint64_t)1000;
}

/* ---- its process ---- */

static void handle_ended(struct child *child, const struct child_end *end) {
	(void)end;
	struct desk *desk = (struct desk *)child->user;
	desk->notice.child = NULL;
	happen(desk, NOTICE_LOST);
	desk_child_gone(desk);
}

static const struct child_owner owner = { .ended = handle_ended };

static void handle_closing_ended(struct child *child, const struct child_end *end) {
	(void)end;
	desk_child_gone((struct desk *)child->user);
}

static const struct child_owner closing_owner = { .ended = handle_closing_ended };

static void let_go(struct desk *desk) {
	struct child *child = TAKE(desk->notice.child, NULL);
	desk->notice.introduced = desk->notice.up = false;
	if (child) {
		child->owner = &closing_owner;
		child_stop(child, REASON_ASKED, GRACE_MS);
	}
}

static void fill_words(const struct desk *desk, struct ipc_notice *out) {
	const struct notice *notice = &desk->notice;
	uint64_t waited_ms = notice->app_begun_ms ? clock_now_ms() - notice->app_begun_ms : 0;
	struct notice_facts facts = {
		.state = notice->life.state,
		.reason = notice->reason,
		.title = desk->app->title,
		.why = notice->why,
		.lines = notice->lines,
		.waited_s = (uint32_t)(waited_ms / 1000),
		.limit_s = desk->app->window_deadline_s,
	};
	notice_words(&facts, out);
}

/* One end for Notice, with its words, the other for the desktop. */
static void introduce(struct desk *desk) {
	struct notice *notice = &desk->notice;
	int pair[2];
	if (!notice->child || !desk->desktop_ready || notice->introduced ||
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) <
					0) {
		return;
	}
	OWN(fd_close) int ours = pair[0];
	OWN(fd_close) int theirs = pair[1];
	struct ipc_message to_desktop = { .kind = IPC_DESKTOP_NOTICE };
	struct ipc_message show = { .kind = IPC_NOTICE_SHOW };
	fill_words(desk, &show.notice);
	child_post(desk->desktop, &to_desktop, &theirs, 1);
	child_post(notice->child, &show, &ours, 1);
	notice->introduced = true;
}

static void open_notice(struct desk *desk) {
	struct notice *notice = &desk->notice;
	if (!notice->child) {
		struct child_spec spec = {
			.kind = PEER_NOTICE,
			.program = "perigee-notice",
			.session = desk->id,
			.name = "notice",
		};
		int rc = child_spawn(
				&desk->supervisor->nursery, &spec, &owner, desk, &notice->child);
		if (rc < 0) {
			happen(desk, NOTICE_LOST);
			return;
		}
		desk->children++;
	}
	introduce(desk);
}

static void say(struct desk *desk) {
	struct ipc_message words = { .kind = IPC_NOTICE_WORDS };
	if (desk->notice.introduced) {
		fill_words(desk, &words.notice);
		child_post(desk->notice.child, &words, NULL, 0);
	}
}

/* ---- its life ---- */

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	happen((struct desk *)user, NOTICE_OVERDUE);
	return 0;
}

static void arm(struct desk *desk) {
	struct notice *notice = &desk->notice;
	uint64_t deadline_ms = notice->life.deadline_ms;
	notice->overdue = sd_event_source_disable_unref(notice->overdue);
	if (deadline_ms) {
		sd_event_add_time(desk->supervisor->event, &notice->overdue, CLOCK_MONOTONIC,
				deadline_ms * US_PER_MS, 1000, handle_overdue, desk);
	}
}

static void finish(struct desk *desk) {
	char detail[sizeof(desk->notice.detail)];
	text_copy(detail, sizeof(detail), desk->notice.detail);
	desk_raise(desk, (enum desk_event)desk->notice.event, desk->notice.reason, detail);
}

static void act(struct desk *desk, enum notice_action action) {
	if (action == NOTICE_OPEN) {
		open_notice(desk);
	} else if (action == NOTICE_SAY) {
		say(desk);
	} else if (action == NOTICE_FINISH) {
		finish(desk);
	} else if (action == NOTICE_CLOSE || action == NOTICE_CLOSE_REVEAL) {
		let_go(desk);
	}
	if ((action == NOTICE_REVEAL || action == NOTICE_CLOSE_REVEAL) && desk->desktop_ready) {
		desk_raise(desk, DESK_SHOWN, REASON_NONE, NULL);
	}
}

/* What holds already when a state is entered, and so is no event any more. */
static enum notice_event standing(const struct notice *notice) {
	switch (notice->life.state) {
	case NOTICE_AGAIN:
	case NOTICE_END:
		return notice->up ? NOTICE_IS_UP : NOTICE_EVENTS;
	case NOTICE_AGAIN_READ:
	case NOTICE_WAIT:
		return notice->windows > 0 ? NOTICE_WINDOW : NOTICE_EVENTS;
	case NOTICE_END_SHOWN:
		return notice->audience == NOTICE_WATCHING ? NOTICE_WATCHED : NOTICE_EVENTS;
	default:
		return NOTICE_EVENTS;
	}
}

static void happen(struct desk *desk, enum notice_event event) {
	struct notice *notice = &desk->notice;
	enum notice_state before = notice->life.state;
	enum notice_action action = notice_step(&notice->life, event, clock_now_ms());
	if (action == NOTICE_IGNORE) {
		return;
	}
	record_touch_desk(desk);
	log_info("notice", "session=%016llx state=%s before=%s reason=%s",
			(unsigned long long)desk->id, notice_state_name(notice->life.state),
			notice_state_name(before), reason_row(notice->reason)->name);
	arm(desk);
	enum notice_event also = standing(notice);
	act(desk, action);
	if (action != NOTICE_FINISH && also != NOTICE_EVENTS) {
		happen(desk, also);
	}
}

/* ---- what happens ---- */

void notice_desktop_starts(struct desk *desk) {
	if (desk->notice.audience != NOTICE_NOBODY && !notice_ends(desk)) {
		happen(desk, NOTICE_DO_AGAIN);
	}
}

void notice_desktop_ready(struct desk *desk) {
	introduce(desk);
}

void notice_desktop_gone(struct desk *desk, uint32_t reason, const char *why) {
	struct notice *notice = &desk->notice;
	if (!notice_ends(desk)) {
		notice->reason = reason;
		text_copy(notice->why, sizeof(notice->why), why);
	}
	notice->windows = 0;
	notice_app_over(desk);
	happen(desk, NOTICE_LOST);
	let_go(desk);
}

void notice_windows(struct desk *desk, unsigned count, bool up) {
	struct notice *notice = &desk->notice;
	bool new_up = up && !notice->up;
	notice->windows = count;
	notice->up = up;
	if (count > 0 && !notice->window_seen) {
		notice->window_seen = true;
		notice->due = sd_event_source_disable_unref(notice->due);
	}
	if (new_up) {
		happen(desk, NOTICE_IS_UP);
	}
	if (count > 0) {
		happen(desk, NOTICE_WINDOW);
	}
}

bool notice_hides(const struct desk *desk) {
	return desk->notice.life.state == NOTICE_AGAIN || desk->notice.life.state == NOTICE_END;
}

bool notice_ends(const struct desk *desk) {
	return desk->notice.life.state >= NOTICE_END;
}

bool notice_end(struct desk *desk, unsigned event, uint32_t reason, const char *detail,
		const char *why) {
	struct notice *notice = &desk->notice;
	if (desk->ending || desk->internal || notice->audience == NOTICE_NOBODY) {
		return false;
	}
	if (notice_ends(desk)) {
		return true; /* for the first of its reasons */
	}
	notice->event = (uint8_t)event;
	notice->reason = reason;
	text_copy(notice->detail, sizeof(notice->detail), detail);
	text_copy(notice->why, sizeof(notice->why), why);
	happen(desk, NOTICE_DO_END);
	return true;
}

void notice_end_now(struct desk *desk) {
	if (notice_ends(desk)) {
		finish(desk);
	}
}

void notice_set_audience(struct desk *desk, enum notice_audience audience) {
	enum notice_audience before = desk->notice.audience;
	desk->notice.audience = audience;
	if (audience != before && audience != NOTICE_COMING) {
		happen(desk, audience == NOTICE_WATCHING ? NOTICE_WATCHED : NOTICE_UNWATCHED);
	}
}

/* ---- the app ---- */

static void watch_window(struct desk *desk);

static int handle_due(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct desk *desk = (struct desk *)user;
	struct notice *notice = &desk->notice;
	notice->due = sd_event_source_disable_unref(notice->due);
	if (clock_now_ms() < notice->app_begun_ms + limit_ms(desk)) {
		happen(desk, NOTICE_DO_WAIT);
		watch_window(desk);
		return 0;
	}
	char words[160];
	text_format(words, sizeof(words), "%s showed no window within %u s: %s", desk->app->title,
			desk->app->window_deadline_s, notice->lines);
	log_warning("app-no-window", "session=%016llx waited_s=%u lines=%s",
			(unsigned long long)desk->id, desk->app->window_deadline_s,
			log_quote(notice->lines).text);
	if (!notice_end(desk, DESK_APP_OVER, REASON_APP_NO_WINDOW, words, "")) {
		desk_raise(desk, DESK_APP_OVER, REASON_APP_NO_WINDOW, words);
	}
	return 0;
}

/* First it is late, then too late. */
static void watch_window(struct desk *desk) {
	struct notice *notice = &desk->notice;
	uint64_t limit = limit_ms(desk), now_ms = clock_now_ms();
	notice->due = sd_event_source_disable_unref(notice->due);
	if (!limit || !notice->app_begun_ms || notice->window_seen) {
		return;
	}
	uint64_t late_ms = limit / 2 < WINDOW_WAIT_MS ? limit / 2 : WINDOW_WAIT_MS;
	uint64_t at_ms = notice->app_begun_ms +
			 (now_ms < notice->app_begun_ms + late_ms ? late_ms : limit);
	sd_event_add_time(desk->supervisor->event, &notice->due, CLOCK_MONOTONIC, at_ms * US_PER_MS,
			1000, handle_due, desk);
}

void notice_app_began(struct desk *desk) {
	struct notice *notice = &desk->notice;
	if (notice->app_begun_ms) {
		return; /* said again, to a supervisor that took over */
	}
	notice->app_begun_ms = clock_now_ms();
	notice->window_seen = notice->windows > 0;
	notice->lines[0] = '\0';
	watch_window(desk);
}

void notice_app_lines(struct desk *desk, const char *lines) {
	text_copy(desk->notice.lines, sizeof(desk->notice.lines), lines);
	if (desk->notice.life.state == NOTICE_WAIT) {
		say(desk);
	}
}

void notice_app_over(struct desk *desk) {
	desk->notice.due = sd_event_source_disable_unref(desk->notice.due);
	desk->notice.app_begun_ms = 0;
}

/* ---- the end ---- */

void notice_stop(struct desk *desk) {
	notice_app_over(desk);
	happen(desk, NOTICE_OVER);
	let_go(desk);
}

void notice_kill(struct desk *desk, uint32_t reason) {
	child_kill(desk->notice.child, reason, "the session ends");
}

void notice_finish(struct desk *desk) {
	record_drop(desk->supervisor, IPC_LEDGER_NOTICE, desk->id);
	desk->notice.due = sd_event_source_disable_unref(desk->notice.due);
	desk->notice.overdue = sd_event_source_disable_unref(desk->notice.overdue);
}

/* ---- a supervisor that takes over ---- */

void notice_write(struct desk *desk) {
	const struct notice *notice = &desk->notice;
	struct ipc_message message = {
		.kind = IPC_LEDGER_NOTICE,
		.ledger_notice = { .state = (uint8_t)notice->life.state,
				.deadline_ms = notice->life.deadline_ms,
				.introduced = notice->introduced,
				.up = notice->up,
				.windows = notice->windows,
				.window_seen = notice->window_seen,
				.app_begun_ms = notice->app_begun_ms,
				.event = notice->event,
				.reason = notice->reason },
	};
	text_copy(message.ledger_notice.detail, sizeof(message.ledger_notice.detail),
			notice->detail);
	text_copy(message.ledger_notice.why, sizeof(message.ledger_notice.why), notice->why);
	text_copy(message.ledger_notice.lines, sizeof(message.ledger_notice.lines), notice->lines);
	record_note(desk->supervisor, desk->id, &message);
}

void notice_restore(struct desk *desk) {
	struct notice *notice = &desk->notice;
	struct ipc_message message;
	if (ledger_get(&desk->supervisor->ledger, IPC_LEDGER_NOTICE, desk->id, &message) < 0 ||
			message.ledger_notice.state >= NOTICE_STATES ||
			message.ledger_notice.event >= DESK_EVENTS) {
		return;
	}
	const typeof(message.ledger_notice) *from = &message.ledger_notice;
	notice->life = (struct notice_life){ (enum notice_state)from->state, from->deadline_ms };
	notice->introduced = from->introduced;
	notice->up = from->up;
	notice->windows = from->windows;
	notice->window_seen = from->window_seen;
	notice->app_begun_ms = from->app_begun_ms;
	notice->event = from->event;
	notice->reason = from->reason;
	text_copy(notice->detail, sizeof(notice->detail), from->detail);
	text_copy(notice->why, sizeof(notice->why), from->why);
	text_copy(notice->lines, sizeof(notice->lines), from->lines);
}

int notice_adopt(struct desk *desk, struct child_left *left) {
	struct child *child = NULL;
	bool closing = left->stopping || desk->notice.life.state == NOTICE_OFF;
	int rc = child_adopt(&desk->supervisor->nursery, left, closing ? &closing_owner : &owner,
			desk, closing ? &child : &desk->notice.child);
	desk->children += rc == 0;
	child_stop(child, REASON_ASKED, GRACE_MS);
	return rc;
}

void notice_mend(struct desk *desk) {
	if (desk->notice.life.state != NOTICE_OFF && !desk->notice.child) {
		happen(desk, NOTICE_LOST);
	}
	introduce(desk);
	arm(desk);
	watch_window(desk);
}
