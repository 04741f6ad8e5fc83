/* SPDX-License-Identifier: MIT */
#include "supervisor/ready.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/exposition.h"
#include "supervisor/services.h"
#include "supervisor/supervisor.h"

#define LABELS(...) ((const struct exposition_label[]){ __VA_ARGS__, { 0 } })

static void raise_event(struct supervisor *supervisor, enum breaker_event event);

static bool is_tried(const struct supervisor *supervisor) {
	return supervisor->config.readiness_trial;
}

static void start_trial(struct supervisor *supervisor) {
	if (!is_tried(supervisor)) {
		/* Nobody may try: what could be seen is fine. */
		raise_event(supervisor, BREAKER_PASSED);
		return;
	}
	int rc = trial_start(supervisor);
	if (rc == -EBUSY) {
		raise_event(supervisor, BREAKER_VOID);
	} else if (rc < 0) {
		ready_handle_trial(supervisor, TRIAL_FAILED, LEG_TRIAL, strerror(-rc), 0);
	}
}

static void act(struct supervisor *supervisor, enum breaker_action action) {
	struct ready *ready = &supervisor->ready;
	switch (action) {
	case BREAKER_TRY:
		start_trial(supervisor);
		break;
	case BREAKER_TRIP:
		ready->opened++;
		log_error("launches-refused-from-now", "leg=%s detail=%s", leg_name(ready->leg),
				log_quote(ready->words).text);
		break;
	case BREAKER_DROP:
		ready->opened++;
		trial_drop(supervisor);
		log_error("launches-refused-from-now", "leg=service");
		break;
	case BREAKER_CLOSE:
		log_info("launches-accepted-again", "");
		break;
	default:
		break;
	}
}

static void raise_event(struct supervisor *supervisor, enum breaker_event event) {
	struct breaker *breaker = &supervisor->ready.breaker;
	enum breaker_state before = breaker->state;
	act(supervisor, breaker_step(breaker, event, clock_now_ms()));
	if (breaker->state != before) {
		log_debug("breaker", "from=%s to=%s", breaker_state_name(before),
				breaker_state_name(breaker->state));
		health_touch(supervisor);
	}
}

static void note_proof(struct supervisor *supervisor) {
	struct ready *ready = &supervisor->ready;
	ready->proven_ms = clock_now_ms();
	ready->leg = LEG_NONE;
	ready->words[0] = '\0';
	health_touch(supervisor);
}

void ready_tick(struct supervisor *supervisor, const struct service *missing) {
	struct ready *ready = &supervisor->ready;
	uint64_t now_ms = clock_now_ms();
	if (supervisor->stopping) {
		trial_drop(supervisor);
		return;
	}
	if (!ready->begun) {
		if (missing || !supervisor->probe_done) {
			return;
		}
		ready->begun = true;
		uint64_t first_ms = is_tried(supervisor) ? now_ms + READY_FIRST_MS : 0;
		ready->breaker = breaker_begin(
				first_ms, supervisor->config.readiness_period_s * 1000);
	}
	if (missing && !ready->down) {
		text_format(ready->words, sizeof(ready->words), "The service %s is not there.",
				services_name(missing));
	}
	if (missing ? !ready->down : ready->down) {
		ready->down = missing != NULL;
		raise_event(supervisor, missing ? BREAKER_MISSING : BREAKER_BACK);
	}
	if (ready->breaker.next_ms && now_ms >= ready->breaker.next_ms) {
		raise_event(supervisor, BREAKER_DUE);
	}
}

void ready_note_picture(struct supervisor *supervisor) {
	note_proof(supervisor);
	raise_event(supervisor, BREAKER_PROVEN);
}

/* What the host is to blame for, and what may hit the next one, too. */
static bool is_suspicious(uint32_t reason) {
	static const uint8_t suspicious[REASONS] = {
		[REASON_DESKTOP_DIED] = 1,
		[REASON_ENCODER_DIED] = 1,
		[REASON_STREAM_DIED] = 1,
		[REASON_RUNNER_DIED] = 1,
		[REASON_WORKER_HUNG] = 1,
		[REASON_START_OVERDUE] = 1,
		[REASON_RESOURCES] = 1,
		[REASON_NO_ENCODER] = 1,
		[REASON_SPAWN_FAILED] = 1,
		[REASON_NOT_CONFINED] = 1,
		[REASON_RESTARTS_SPENT] = 1,
	};
	return reason < REASONS && suspicious[reason];
}

void ready_note_failure(struct supervisor *supervisor, uint32_t reason) {
	if (is_tried(supervisor) && is_suspicious(reason)) {
		raise_event(supervisor, BREAKER_SUSPECTED);
	}
}

void ready_handle_trial(struct supervisor *supervisor, enum trial_result result, enum leg leg,
		const char *detail, uint64_t took_ms) {
	static const char *const names[TRIAL_RESULTS] = { "passed", "failed", "void" };
	static const enum breaker_event events[TRIAL_RESULTS] = { BREAKER_PASSED, BREAKER_FAILED,
		BREAKER_VOID };
	struct ready *ready = &supervisor->ready;
	ready->results[result]++;
	ready->took_ms = took_ms;
	ready->tries_ms += took_ms;
	if (result == TRIAL_PASSED) {
		note_proof(supervisor);
	} else if (result == TRIAL_FAILED) {
		ready->leg = leg;
		ready->failures[leg]++;
		text_copy(ready->words, sizeof(ready->words), detail);
	}
	log_line(result == TRIAL_FAILED ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "readiness-trial",
			"result=%s leg=%s took_ms=%llu detail=%s", names[result],
			result == TRIAL_FAILED ? leg_name(leg) : "none",
			(unsigned long long)took_ms,
			log_quote(result == TRIAL_FAILED ? detail : "").text);
	/* That the trial itself cannot run says nothing about users' sessions. */
	bool own_fault = result == TRIAL_FAILED && leg == LEG_TRIAL;
	raise_event(supervisor, own_fault ? BREAKER_VOID : events[result]);
	health_touch(supervisor);
}

uint32_t ready_refuses(const struct supervisor *supervisor, char *detail, size_t size) {
	const struct ready *ready = &supervisor->ready;
	if (!breaker_refuses(&ready->breaker)) {
		return REASON_NONE;
	}
	text_format(detail, size, "This host cannot start a session now (%s). It tries again.",
			ready->down ? "a service is missing" : leg_name(ready->leg));
	return REASON_HOST_SICK;
}

bool ready_is_unproven(const struct supervisor *supervisor) {
	return is_tried(supervisor) && supervisor->ready.proven_ms == 0;
}

void ready_write_metrics(struct supervisor *supervisor, struct exposition *out) {
	const struct ready *ready = &supervisor->ready;
	exposition_family(out, "perigee_breaker_refuses", EXPOSITION_GAUGE,
			"Whether launches are refused because none could succeed.");
	exposition_number(out, NULL, breaker_refuses(&ready->breaker));
	exposition_family(out, "perigee_breaker_state", EXPOSITION_GAUGE, "1 for its state.");
	for (int i = 0; i < BREAKER_STATES; i++) {
		exposition_number(out,
				LABELS({ "state", breaker_state_name((enum breaker_state)i) }),
				ready->breaker.state == (enum breaker_state)i);
	}
	exposition_family(out, "perigee_breaker_opened_total", EXPOSITION_COUNTER,
			"Times that launches began to be refused.");
	exposition_number(out, NULL, ready->opened);
	exposition_family(out, "perigee_readiness_proof_age_seconds", EXPOSITION_GAUGE,
			"Since a session was last seen to start; nothing before the first time.");
	if (ready->proven_ms) {
		exposition_fraction(out, NULL, clock_now_ms() - ready->proven_ms, 1000);
	}
	exposition_family(out, "perigee_trials_total", EXPOSITION_COUNTER,
			"Readiness trials, by result.");
	static const char *const names[TRIAL_RESULTS] = { "passed", "failed", "void" };
	for (int i = 0; i < TRIAL_RESULTS; i++) {
		exposition_number(out, LABELS({ "result", names[i] }), ready->results[i]);
	}
	exposition_family(out, "perigee_trial_failures_total", EXPOSITION_COUNTER,
			"Failed readiness trials, by the leg that stalled.");
	for (uint32_t leg = LEG_TRIAL; leg < LEGS; leg++) {
		exposition_number(out, LABELS({ "leg", leg_name(leg) }), ready->failures[leg]);
	}
	exposition_family(out, "perigee_trial_seconds", EXPOSITION_GAUGE,
			"What the newest trial took.");
	exposition_fraction(out, NULL, ready->took_ms, 1000);
	exposition_family(out, "perigee_trial_seconds_total", EXPOSITION_COUNTER,
			"What all of them took.");
	exposition_fraction(out, NULL, ready->tries_ms, 1000);
}
