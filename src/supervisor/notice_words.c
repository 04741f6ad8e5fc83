/* SPDX-License-Identifier: MIT */
#include "supervisor/notice_words.h"

#include "base/text.h"
#include "ipc/reason.h"

static bool is_about_the_app(uint32_t reason) {
	return reason == REASON_APP_FAILED || reason == REASON_APP_EXITED ||
	       reason == REASON_APP_NO_WINDOW;
}

static void say_what(const struct notice_facts *facts, char *out, size_t size) {
	const char *app = facts->title;
	if (facts->state == NOTICE_WAIT) {
		text_format(out, size, "%s has not shown a window yet.", app);
	} else if (facts->reason == REASON_APP_NO_WINDOW) {
		text_format(out, size, "%s has not shown a window.", app);
	} else if (facts->reason == REASON_APP_FAILED) {
		text_format(out, size, "%s ended with an error.", app);
	} else if (facts->reason == REASON_APP_EXITED) {
		text_format(out, size, "%s has ended.", app);
	} else if (facts->reason == REASON_RESTARTED) {
		text_copy(out, size, "The desktop was restarted on request.");
	} else {
		text_copy(out, size, "The desktop ended unexpectedly.");
	}
}

static void say_why(const struct notice_facts *facts, char *out, size_t size) {
	bool windowless = facts->reason == REASON_APP_NO_WINDOW || facts->state == NOTICE_WAIT;
	const char *silent = facts->lines[0] ? "" : " and has printed nothing";
	if (windowless) {
		text_format(out, size, "It was started %u seconds ago%s.", facts->waited_s, silent);
	} else if (facts->why[0]) {
		text_format(out, size, "Why: %s.", facts->why);
	} else {
		text_copy(out, size, "Nobody saw why.");
	}
}

static void say_next(const struct notice_facts *facts, char *out, size_t size) {
	const char *app = facts->title;
	if (facts->state == NOTICE_WAIT) {
		text_format(out, size, "If it shows none within %u seconds, this stream ends.",
				facts->limit_s);
	} else if (facts->state >= NOTICE_END) {
		text_format(out, size, "This stream ends in a moment. Launch %s again to go on.",
				app);
	} else {
		text_format(out, size, "%s is being started again. What it had not saved is lost.",
				app);
	}
}

void notice_words(const struct notice_facts *facts, struct ipc_notice *out) {
	*out = (struct ipc_notice){ 0 };
	uint32_t code = facts->state == NOTICE_WAIT ? REASON_APP_NO_WINDOW : facts->reason;
	text_copy(out->title, sizeof(out->title), facts->title);
	say_what(facts, out->what, sizeof(out->what));
	say_why(facts, out->why, sizeof(out->why));
	say_next(facts, out->next, sizeof(out->next));
	if (facts->state == NOTICE_WAIT || is_about_the_app(facts->reason)) {
		text_copy(out->lines, sizeof(out->lines), facts->lines);
	}
	text_copy(out->code, sizeof(out->code), reason_row(code)->name);
}
