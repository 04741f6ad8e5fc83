/* SPDX-License-Identifier: MIT */
#include "supervisor/line.h"

#include <string.h>

struct step {
	enum line_action action;
	enum line_state next;
};

#define L(word) LINE_##word

/* clang-format off */
static const struct step steps[LINE_STATES][LINE_EVENTS] = {
	[LINE_SHARED] = {
		[LINE_LOSSY]  = { L(PART),       L(PARTING) },
		[LINE_CALM]   = { L(NOTHING),    L(SHARED) },
		[LINE_MOVED]  = { L(NOTHING),    L(SHARED) },
		[LINE_STAYED] = { L(NOTHING),    L(SHARED) },
	},
	[LINE_PARTING] = {
		[LINE_LOSSY]  = { L(NOTHING),    L(PARTING) },
		[LINE_CALM]   = { L(NOTHING),    L(PARTING) },
		[LINE_MOVED]  = { L(SAY_PARTED), L(APART) },
		[LINE_STAYED] = { L(SAY_STAYED), L(SHARED) },
	},
	[LINE_APART] = {
		[LINE_LOSSY]  = { L(NOTHING),    L(APART) },
		[LINE_CALM]   = { L(RETURN),     L(RETURNING) },
		[LINE_MOVED]  = { L(NOTHING),    L(APART) },
		[LINE_STAYED] = { L(NOTHING),    L(APART) },
	},
	[LINE_RETURNING] = {
		[LINE_LOSSY]  = { L(NOTHING),    L(RETURNING) },
		[LINE_CALM]   = { L(NOTHING),    L(RETURNING) },
		[LINE_MOVED]  = { L(SAY_BACK),   L(SHARED) },
		[LINE_STAYED] = { L(SAY_STAYED), L(APART) },
	},
};

static const char *const state_names[LINE_STATES] = {
	[LINE_SHARED] = "shared", [LINE_PARTING] = "parting", [LINE_APART] = "apart",
	[LINE_RETURNING] = "returning",
};
/* clang-format on */

enum line_action line_step(enum line_state *state, enum line_event event) {
	const struct step *step = &steps[*state][event];
	*state = step->next;
	return step->action;
}

const char *line_state_name(enum line_state state) {
	return state_names[state];
}

bool line_is_apart(const struct line *line) {
	return line->state == LINE_APART || line->state == LINE_RETURNING;
}

void line_restore(struct line *line, bool apart, uint32_t parted, uint64_t now_ms) {
	*line = (struct line){
		.state = apart ? LINE_APART : LINE_SHARED,
		.lossy_ms = now_ms,
		.parted = parted,
	};
}

uint32_t line_recent(const struct line *line) {
	uint32_t sum = 0;
	for (int i = 0; i < LINE_WINDOW_S; i++) {
		sum += line->recent[i];
	}
	return sum;
}

/* The seconds that nothing was heard of are empty. */
static void advance(struct line *line, uint64_t second) {
	if (second - line->second >= LINE_WINDOW_S) {
		memset(line->recent, 0, sizeof(line->recent));
		line->second = second;
	}
	while (line->second < second) {
		line->recent[++line->second % LINE_WINDOW_S] = 0;
	}
}

/* A stream's successor counts from the beginning. */
void line_hear(struct line *line, uint64_t recoveries, uint64_t now_ms) {
	advance(line, now_ms / 1000);
	if (line->heard && recoveries >= line->counted) {
		line->recent[line->second % LINE_WINDOW_S] +=
				(uint32_t)(recoveries - line->counted);
	}
	line->heard = true;
	line->counted = recoveries;
	if (line_recent(line) > LINE_RECOVERIES) {
		line->lossy_ms = now_ms;
	}
}

static uint64_t calm_ms(const struct line *line) {
	uint32_t times = line->parted ? line->parted - 1 : 0;
	uint64_t once = line->calm_ms ? line->calm_ms : LINE_CALM_MS;
	return once << (times < LINE_DOUBLINGS ? times : LINE_DOUBLINGS);
}

enum line_event line_judge(const struct line *line, bool shares, uint64_t now_ms) {
	if (line->state == LINE_PARTING || line->state == LINE_RETURNING) {
		return now_ms - line->begun_ms >= LINE_MOVE_MS ? LINE_STAYED : LINE_EVENTS;
	}
	if (now_ms < line->rest_ms) {
		return LINE_EVENTS;
	}
	if (line->state == LINE_SHARED) {
		bool lossy = line_recent(line) > LINE_RECOVERIES;
		return lossy && shares ? LINE_LOSSY : LINE_EVENTS;
	}
	return now_ms - line->lossy_ms >= calm_ms(line) ? LINE_CALM : LINE_EVENTS;
}

/* What it had asked for where it was says nothing about where it is. */
static void note_move(struct line *line, enum line_action action, uint64_t now_ms) {
	memset(line->recent, 0, sizeof(line->recent));
	if (action == LINE_SAY_BACK) {
		line->back_ms = now_ms;
		return;
	}
	bool lasted = line->back_ms && now_ms - line->back_ms > calm_ms(line);
	line->parted = lasted ? 1 : line->parted + 1;
	line->lossy_ms = now_ms;
}

enum line_action line_happen(struct line *line, enum line_event event, uint64_t now_ms) {
	enum line_action action = line_step(&line->state, event);
	if (action == LINE_PART || action == LINE_RETURN) {
		line->begun_ms = now_ms;
	} else if (action == LINE_SAY_STAYED) {
		line->rest_ms = now_ms + LINE_RETRY_MS;
	} else if (action != LINE_NOTHING) {
		note_move(line, action, now_ms);
	}
	return action;
}

bool line_may_part(unsigned viewers, unsigned apart) {
	return apart == 0 || (apart + 1) * LINE_SHARE <= viewers;
}
