/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_READY_H
#define SUPERVISOR_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/breaker.h"
#include "supervisor/trial.h"

struct exposition;
struct service;
struct supervisor;

/* Whether a new session can start, by proof: the newest first packet of a user's launch,
 * or a trial when that is long ago. What is learned moves the breaker. */

enum {
	READY_FIRST_MS = 1000, /* after everything stands: a person may be launching already */
};

struct ready {
	struct breaker breaker;
	bool begun;         /* everything stood once */
	bool down;          /* the breaker knows that a service is missing */
	uint64_t proven_ms; /* the newest proof, 0: none yet */
	enum leg leg;       /* of the newest failed trial, LEG_NONE after a proof */
	char words[160];
	uint64_t results[TRIAL_RESULTS], failures[LEGS];
	uint64_t opened, took_ms, tries_ms; /* took_ms: the newest trial; tries_ms: all */
};

/* Once a second, and when something changed: missing is a needed service that is not
 * there, or NULL. */
void ready_tick(struct supervisor *supervisor, const struct service *missing);

/* For the breaker: a launch of a user led to its first packet; one came to nothing. */
void ready_note_picture(struct supervisor *supervisor);
void ready_note_failure(struct supervisor *supervisor, uint32_t reason);

void ready_handle_trial(struct supervisor *supervisor, enum trial_result result, enum leg leg,
		const char *detail, uint64_t took_ms);

/* REASON_NONE, or why every launch is refused now; detail is for the person. */
uint32_t ready_refuses(const struct supervisor *supervisor, char *detail, size_t size);

/* Trials are made, and none has proven anything yet. */
bool ready_is_unproven(const struct supervisor *supervisor);

void ready_write_metrics(struct supervisor *supervisor, struct exposition *out);

#endif
