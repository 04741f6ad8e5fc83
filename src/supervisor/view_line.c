/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/desk.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view_inside.h"

/* A viewer on a bad line, and its pictures: line.h says when it moves, this does it. It stays
 * with what it reads until the other encoding has a ring; the desktop, its sound and its input
 * are the same all the while. */

static void happen(struct view *view, enum line_event event, uint32_t reason);

/* Its pictures are those that were coming, and whatever it read is left. */
void view_line_ready(struct view *view) {
	struct encoding **at = &view->now.encoding[ENCODING_PICTURES];
	struct encoding *left = *at;
	*at = TAKE(view->coming, NULL);
	int rc = 0;
	if (view->started) {
		rc = view_seat_goes_on(view, &view->now, *at);
	} else {
		view_start_stream(view);
	}
	encoding_leave(left, REASON_ASKED);
	record_touch(view->session);
	happen(view, LINE_MOVED, REASON_NONE);
	if (rc < 0) {
		session_raise(view->session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
	}
}

void view_line_fails(struct view *view, uint32_t reason) {
	struct encoding *coming = TAKE(view->coming, NULL);
	encoding_leave(coming, REASON_ASKED);
	happen(view, LINE_STAYED, reason);
}

static int move(struct view *view, const struct encoding_form *form, bool own) {
	int rc = encoding_join(view->now.desk, ENCODING_PICTURES, form, NULL, own, &view->coming);
	if (rc == 0 && view->coming->ring_fd >= 0) {
		view_line_ready(view);
	}
	return rc;
}

static bool many_are_lossy(const struct view *view) {
	unsigned viewers = 0, apart = 0;
	for (const struct session *at = view->session->supervisor->sessions; at; at = at->next) {
		if (at->view && at->view != view && at->view->now.desk == view->now.desk) {
			viewers++;
			apart += at->view->line.state != LINE_SHARED;
		}
	}
	return !line_may_part(viewers + 1, apart);
}

static uint32_t part(struct view *view) {
	struct encoding_form form;
	struct admission_answer answer;
	encoding_form(&view->params, ENCODING_PICTURES, &form);
	if (many_are_lossy(view)) {
		return REASON_LINES_LOSSY;
	}
	weigh_admit_encoding(view->session->supervisor, &form.pictures, &answer);
	if (answer.what != ADMISSION_FITS) {
		return REASON_HOST_FULL;
	}
	return move(view, &form, true) < 0 ? REASON_RESOURCES : REASON_NONE;
}

/* Where nobody else has what it wants, its own is the one that others may join. */
static uint32_t go_back(struct view *view) {
	struct encoding *own = view->now.encoding[ENCODING_PICTURES];
	struct encoding_form form;
	encoding_form(&view->params, ENCODING_PICTURES, &form);
	if (encoding_shared(view->now.desk, ENCODING_PICTURES, &form)) {
		return move(view, &form, false) < 0 ? REASON_RESOURCES : REASON_NONE;
	}
	encoding_open_to_all(own);
	happen(view, LINE_MOVED, REASON_NONE);
	return REASON_NONE;
}

static void say(const struct view *view, const char *event, uint32_t recoveries, uint32_t reason) {
	log_info(event, "session=%016llx desk=%016llx recoveries=%u parted=%u reason=%s",
			(unsigned long long)view->session->id,
			(unsigned long long)view->now.desk->id, recoveries, view->line.parted,
			reason_row(reason)->name);
}

static void happen(struct view *view, enum line_event event, uint32_t reason) {
	struct metrics *metrics = &view->session->supervisor->metrics;
	uint32_t recent = line_recent(&view->line), refused = REASON_NONE;
	switch (line_happen(&view->line, event, clock_now_ms())) {
	case LINE_NOTHING:
		return;
	case LINE_PART:
		refused = part(view);
		break;
	case LINE_RETURN:
		refused = go_back(view);
		break;
	case LINE_SAY_PARTED:
		metrics->parted++;
		say(view, "viewer-apart", recent, REASON_LINE_LOSSY);
		break;
	case LINE_SAY_BACK:
		metrics->returned++;
		say(view, "viewer-back", recent, REASON_NONE);
		break;
	case LINE_SAY_STAYED:
		metrics->kept++;
		say(view, "viewer-not-moved", recent, reason);
		break;
	}
	record_touch(view->session);
	if (refused != REASON_NONE) {
		happen(view, LINE_STAYED, refused);
	}
}

void view_line_heard(struct view *view, uint64_t recoveries) {
	const struct encoding *pictures = view->now.encoding[ENCODING_PICTURES];
	uint64_t now_ms = clock_now_ms();
	line_hear(&view->line, recoveries, now_ms);
	view->line.calm_ms = view->session->supervisor->config.lobby_calm_s * 1000;
	if (!view->started || view->next.desk || !pictures) {
		return;
	}
	enum line_event event = line_judge(&view->line, encoding_members(pictures) > 1, now_ms);
	if (event == LINE_STAYED) {
		view_line_fails(view, REASON_SWITCH_OVERDUE);
	} else if (event != LINE_EVENTS) {
		happen(view, event, REASON_NONE);
	}
}
