/* SPDX-License-Identifier: MIT */
#include "supervisor/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/exposition.h"
#include "supervisor/services.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"

struct verdict {
	bool alive, ready;
	const char *leg;
	char words[BOARD_WORDS_SIZE];
};

static struct verdict stalls(const char *leg, bool alive, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

static struct verdict stalls(const char *leg, bool alive, const char *format, ...) {
	struct verdict verdict = { .alive = alive, .leg = leg };
	va_list args;
	va_start(args, format);
	vsnprintf(verdict.words, sizeof(verdict.words), format, args);
	va_end(args);
	return verdict;
}

/* The needed service that has been away for longer than a restart takes, or NULL. */
static const struct service *missing_service(struct supervisor *supervisor, uint64_t now_ms) {
	struct health *health = &supervisor->health;
	const struct service *missing = NULL;
	for (int i = 0; i < SERVICES && !missing; i++) {
		const struct service *service = &supervisor->services[i];
		if (services_is_needed(service) && !service->ready) {
			missing = service;
		}
	}
	if (!missing) {
		health->down_ms = 0;
		return NULL;
	}
	health->down_ms = health->down_ms ? health->down_ms : now_ms;
	bool once_ready = supervisor->banner_shown;
	return !once_ready || now_ms - health->down_ms > HEALTH_DOWN_MS ? missing : NULL;
}

static struct verdict judge(struct supervisor *supervisor, const struct service *missing) {
	uint64_t now_ms = clock_now_ms();
	if (supervisor->stopping) {
		return stalls("stopping", true, "The host is being stopped.");
	}
	if (missing) {
		/* At the start that is how it must be, for a while. */
		bool alive = !supervisor->banner_shown &&
			     now_ms - supervisor->health.down_ms < 10 * HEALTH_DOWN_MS;
		return stalls(services_name(missing), alive, "The service %s is not there.",
				services_name(missing));
	}
	if (!supervisor->probe_done) {
		return stalls("encoder", true, "The encoders are still being tried.");
	}
	if (!supervisor->codecs) {
		return stalls("encoder", true, "No encoder works on this host.");
	}
	if (breaker_refuses(&supervisor->ready.breaker)) {
		return stalls(leg_name(supervisor->ready.leg), true, "%s",
				supervisor->ready.words[0] ? supervisor->ready.words
							   : "It is being tried.");
	}
	if (supervisor->ready.leg == LEG_TRIAL) {
		return stalls(leg_name(LEG_TRIAL), true, "It cannot be tried: %s",
				supervisor->ready.words);
	}
	if (ready_is_unproven(supervisor)) {
		return stalls("unproven", true, "A first session is being tried.");
	}
	if (supervisor->sessions_count >= supervisor->config.sessions_max) {
		return stalls("admission", true, "This host is full: %u of %u sessions are in use.",
				supervisor->sessions_count, supervisor->config.sessions_max);
	}
	return (struct verdict){ .alive = true, .ready = true, .leg = "" };
}

static void settle(struct supervisor *supervisor) {
	struct health *health = &supervisor->health;
	const struct service *missing = missing_service(supervisor, clock_now_ms());
	ready_tick(supervisor, missing);
	struct verdict verdict = judge(supervisor, missing);
	bool changed = health->ready != verdict.ready || health->alive != verdict.alive ||
		       strcmp(health->leg, verdict.leg) != 0;
	health->alive = verdict.alive;
	health->ready = verdict.ready;
	text_copy(health->leg, sizeof(health->leg), verdict.leg);
	text_copy(health->words, sizeof(health->words), verdict.words);
	if (changed) {
		health->changed_ms = clock_now_ms();
		log_line(verdict.ready || !supervisor->banner_shown ? LOG_LEVEL_INFO
								    : LOG_LEVEL_WARNING,
				verdict.ready ? "host-ready" : "host-not-ready",
				"alive=%d leg=%s detail=%s", verdict.alive,
				verdict.leg[0] ? verdict.leg : "none",
				log_quote(verdict.words).text);
		tell_health(supervisor);
	}
}

static void publish(struct supervisor *supervisor) {
	struct health *health = &supervisor->health;
	char *text = board_begin(&health->board);
	struct board_state state = {
		.text_len = (uint32_t)metrics_write(supervisor, text, BOARD_TEXT_MAX),
		.made_ns = clock_now_ns(),
		.alive = health->alive,
		.ready = health->ready,
	};
	text_copy(state.leg, sizeof(state.leg), health->leg);
	text_copy(state.words, sizeof(state.words), health->words);
	board_publish(&health->board, &state);
}

static void arm(struct supervisor *supervisor, uint64_t due_us) {
	supervisor->health.due_us = due_us;
	sd_event_source_set_time(supervisor->health.tick, due_us);
	sd_event_source_set_enabled(supervisor->health.tick, SD_EVENT_ONESHOT);
}

static int handle_tick(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	struct supervisor *supervisor = (struct supervisor *)user;
	uint64_t now_us = clock_now_us();
	uint64_t late_ns = now_us > usec ? (now_us - usec) * NS_PER_US : 0;
	if (late_ns > supervisor->metrics.late_max_ns) {
		supervisor->metrics.late_max_ns = late_ns;
	}
	settle(supervisor);
	tell_incidents(supervisor);
	publish(supervisor);
	arm(supervisor, now_us + HEALTH_TICK_MS * US_PER_MS);
	return 0;
}

int health_open(struct supervisor *supervisor) {
	int rc = board_create(&supervisor->health.board);
	if (rc < 0) {
		return rc;
	}
	supervisor->health.changed_ms = clock_now_ms();
	supervisor->nursery.totals = &supervisor->metrics.totals;
	rc = sd_event_add_time(supervisor->event, &supervisor->health.tick, CLOCK_MONOTONIC,
			clock_now_us(), 5 * US_PER_MS, handle_tick, supervisor);
	return rc < 0 ? rc : 0;
}

void health_close(struct supervisor *supervisor) {
	struct health *health = &supervisor->health;
	health->tick = sd_event_source_disable_unref(health->tick);
	board_writer_finish(&health->board);
}

void health_introduce(struct supervisor *supervisor, struct child *child) {
	struct ipc_message board = { .kind = IPC_BOARD };
	child_post(child, &board, &supervisor->health.board.shm.fd, 1);
}

void health_touch(struct supervisor *supervisor) {
	uint64_t soon_us = clock_now_us() + HEALTH_SETTLE_MS * US_PER_MS;
	if (supervisor->health.tick && supervisor->health.due_us > soon_us) {
		arm(supervisor, soon_us);
	}
}

void health_write_metrics(struct supervisor *supervisor, struct exposition *out) {
	const struct health *health = &supervisor->health;
	exposition_family(out, "perigee_alive", EXPOSITION_GAUGE,
			"Whether everything that serves the whole machine runs.");
	exposition_number(out, NULL, health->alive);
	exposition_family(
			out, "perigee_ready", EXPOSITION_GAUGE, "Whether a new session can start.");
	exposition_number(out, NULL, health->ready);
	exposition_family(out, "perigee_stalled", EXPOSITION_GAUGE,
			"1 for the leg because of which no new session can start.");
	if (!health->ready) {
		struct exposition_label leg[] = { { "leg", health->leg }, { 0 } };
		exposition_number(out, leg, 1);
	}
	exposition_family(out, "perigee_verdict_age_seconds", EXPOSITION_GAUGE,
			"Since when alive, ready and leg are as they are.");
	exposition_fraction(out, NULL, clock_now_ms() - health->changed_ms, 1000);
	ready_write_metrics(supervisor, out);
}
