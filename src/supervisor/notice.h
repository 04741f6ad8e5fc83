/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_NOTICE_H
#define SUPERVISOR_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/notice_life.h"

struct child;
struct child_left;
struct desk;
struct ledger;
struct sd_event_source;

/* Who may see what a desk shows. */
enum notice_audience {
	NOTICE_NOBODY,
	NOTICE_COMING, /* a client was told that it may connect */
	NOTICE_WATCHING,
};

/* A desk's Notice (perigee-notice): tells who watches what happened to the desktop or to the
 * app. An end with something to say is held back until that was read. Also knows what the
 * app printed last, and when it should have had a window. */
struct notice {
	struct notice_life life;
	struct child *child;             /* NULL for none */
	struct sd_event_source *overdue; /* owned: the life's deadline */
	struct sd_event_source *due;     /* owned: when a window is late, and when too late */
	enum notice_audience audience;
	bool introduced;       /* to the desktop that is there now */
	bool up;               /* its window is there */
	unsigned windows;      /* of the app */
	bool window_seen;      /* of the app that runs */
	uint64_t app_begun_ms; /* 0: none runs */
	uint8_t event;         /* enum desk_event: the end that is held back */
	uint32_t reason;
	char detail[160]; /* of the end */
	char why[160];
	char lines[400];
};

/* The desktop is gone, for that reason; another is being started in its place; it is
 * there. */
void notice_desktop_gone(struct desk *desk, uint32_t reason, const char *why);
void notice_desktop_starts(struct desk *desk);
void notice_desktop_ready(struct desk *desk);

/* What the desktop shows now: so many windows of apps, and whether Notice's. */
void notice_windows(struct desk *desk, unsigned count, bool up);

/* Whether who watches is to keep the last picture until Notice is there. */
bool notice_hides(const struct desk *desk);

/* Whether the desk is about to end, and Notice says so: no app is started any more. */
bool notice_ends(const struct desk *desk);

/* An end that its owner is to hear of as that event: true when Notice is shown first, and
 * the owner hears of it afterwards. why: for the person, "" when nobody knows. */
bool notice_end(struct desk *desk, unsigned event, uint32_t reason, const char *detail,
		const char *why);

/* The end that is held back, now. */
void notice_end_now(struct desk *desk);

void notice_set_audience(struct desk *desk, enum notice_audience audience);

/* The app was started, has printed, has ended. */
void notice_app_began(struct desk *desk);
void notice_app_lines(struct desk *desk, const char *lines);
void notice_app_over(struct desk *desk);

/* The desk ends; its processes are killed; it is gone. */
void notice_stop(struct desk *desk);
void notice_kill(struct desk *desk, uint32_t reason);
void notice_finish(struct desk *desk);

/* For a supervisor that takes over: what the one before had written, its process, and what
 * was missed. */
void notice_write(struct desk *desk);
void notice_restore(struct desk *desk);
int notice_adopt(struct desk *desk, struct child_left *left) NODISCARD;
void notice_mend(struct desk *desk);

#endif
