/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_BREAKER_H
#define SUPERVISOR_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether launches are let through, and when it is tried whether they could be. While
 * the host cannot start a session, launches are refused at once instead of each waiting
 * for the same failure; one trial at a time finds out when it can again. Pure: events in,
 * one action out, a time at which BREAKER_DUE is wanted. */

enum breaker_state {
	BREAKER_CLOSED,  /* launches pass */
	BREAKER_PROVING, /* the same, and a trial runs */
	BREAKER_OPEN,    /* launches are refused */
	BREAKER_TRYING,  /* the same, and a trial runs */
	BREAKER_DOWN,    /* refused, and no trial makes sense: a service is missing */
	BREAKER_STATES,
};

enum breaker_event {
	BREAKER_DUE,       /* next_ms has come */
	BREAKER_PROVEN,    /* a launch of a user led to a picture */
	BREAKER_SUSPECTED, /* one failed in a way that is the host's fault */
	BREAKER_PASSED,    /* the trial saw a picture */
	BREAKER_FAILED,    /* it did not */
	BREAKER_VOID,      /* it says nothing: what it used was taken away meanwhile */
	BREAKER_MISSING,   /* a service without which nothing goes is not there */
	BREAKER_BACK,      /* all of them are there */
	BREAKER_EVENTS,
};

enum breaker_action {
	BREAKER_REFUSE, /* nobody honest raises this now */
	BREAKER_IGNORE,
	BREAKER_NOTE,  /* moved on, nothing to do */
	BREAKER_TRY,   /* start a trial */
	BREAKER_TRIP,  /* launches are refused from now on */
	BREAKER_CLOSE, /* they pass again */
	BREAKER_DROP,  /* end the trial, it is void; launches are refused */
	BREAKER_ACTIONS,
};

enum {
	BREAKER_RETRY_MS = 2000, /* after a failed trial; doubled each time */
	BREAKER_RETRY_MAX_MS = 60000,
	BREAKER_SUSPECT_MS = 10000, /* trials for suspicion are at least so far apart */
};

struct breaker {
	enum breaker_state state;
	uint64_t next_ms; /* when BREAKER_DUE is wanted; 0: never */
	uint64_t tried_ms;
	uint32_t period_ms; /* between a proof and the next trial */
	uint32_t failures;  /* in a row, void trials among them */
};

/* The first trial is due at first_ms; 0: when something is suspected. */
struct breaker breaker_begin(uint64_t first_ms, uint32_t period_ms);

enum breaker_action breaker_step(
		struct breaker *breaker, enum breaker_event event, uint64_t now_ms);

bool breaker_refuses(const struct breaker *breaker);

const char *breaker_state_name(enum breaker_state state);

#endif
