/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_NOTICE_WORDS_H
#define SUPERVISOR_NOTICE_WORDS_H

#include "ipc/message.h"
#include "supervisor/notice_life.h"

/* What Notice says: pure. */
struct notice_facts {
	enum notice_state state;
	uint32_t reason;            /* of what happened */
	const char *title;          /* of the app; borrowed, as all below */
	const char *why;            /* "" when nobody knows */
	const char *lines;          /* the app's last ones, "" for none */
	uint32_t waited_s, limit_s; /* for a window */
};

/* Fills all of it. */
void notice_words(const struct notice_facts *facts, struct ipc_notice *out);

#endif
