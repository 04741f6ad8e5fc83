/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LINE_H
#define SUPERVISOR_LINE_H

#include <stdbool.h>
#include <stdint.h>

/* When a viewer loses so much that those who share its encoding would see it, and when it
 * loses no more. It gets an encoding of its own, and comes back to the shared one after a
 * while without trouble, which is twice as long each time that it did not last so long. Pure: times
 * and counts are arguments. */
enum {
	LINE_WINDOW_S = 10,
	LINE_RECOVERIES = 4,   /* more within the window are too many */
	LINE_CALM_MS = 60000,  /* never too many for so long: it comes back; unless configured */
	LINE_DOUBLINGS = 4,    /* of that, at the most: 16 minutes */
	LINE_RETRY_MS = 30000, /* after it could not be moved */
	LINE_MOVE_MS = 8000,   /* an encoder that is started, on a busy machine */
	LINE_SHARE = 4,        /* one of so many viewers may be set apart, and one of fewer */
};

enum line_state {
	LINE_SHARED,
	LINE_PARTING, /* an encoding of its own is being started */
	LINE_APART,
	LINE_RETURNING, /* a shared one is awaited */
	LINE_STATES,
};

enum line_event {
	LINE_LOSSY,  /* it loses too much, and others share its encoding */
	LINE_CALM,   /* it has lost little for long enough */
	LINE_MOVED,  /* it reads the other encoding */
	LINE_STAYED, /* it could not, or the move was given up */
	LINE_EVENTS,
};

enum line_action {
	LINE_NOTHING,
	LINE_PART,       /* move it to an encoding of its own */
	LINE_RETURN,     /* move it to one that is shared */
	LINE_SAY_PARTED, /* it is there */
	LINE_SAY_BACK,
	LINE_SAY_STAYED, /* it goes on where it was */
};

enum line_action line_step(enum line_state *state, enum line_event event);

const char *line_state_name(enum line_state state);

struct line {
	enum line_state state;
	bool heard;       /* counted is known */
	uint64_t counted; /* the stream's recoveries when it was heard last */
	uint64_t second;  /* the newest of recent, by the clock */
	uint32_t recent[LINE_WINDOW_S];
	uint64_t lossy_ms; /* when it lost too much last, or was set apart */
	uint64_t begun_ms; /* the newest move */
	uint64_t back_ms;  /* when it came back last, 0: never */
	uint64_t rest_ms;  /* no move before that */
	uint32_t calm_ms;  /* instead of LINE_CALM_MS; 0: that */
	uint32_t parted;   /* how often it was set apart, each time soon after it was back */
};

/* One of a predecessor's record. */
void line_restore(struct line *line, bool apart, uint32_t parted, uint64_t now_ms);

/* Its stream has caused so many recoveries since it began. */
void line_hear(struct line *line, uint64_t recoveries, uint64_t now_ms);

/* Recoveries in the window. */
uint32_t line_recent(const struct line *line);

/* What is to happen now, LINE_EVENTS for nothing. shares: others read its encoding. */
enum line_event line_judge(const struct line *line, bool shares, uint64_t now_ms);

/* line_step() with its times. */
enum line_action line_happen(struct line *line, enum line_event event, uint64_t now_ms);

/* Whether one more of a desktop's viewers may be set apart. When many lose at once it is not
 * the line of one of them, and encoders would only make it worse. */
bool line_may_part(unsigned viewers, unsigned apart);

bool line_is_apart(const struct line *line);

#endif
