/* SPDX-License-Identifier: MIT */
#include "supervisor/metrics.h"

#include <dirent.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/version.h"
#include "supervisor/exposition.h"
#include "supervisor/health.h"
#include "supervisor/services.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

#define LABELS(...) ((const struct exposition_label[]){ __VA_ARGS__, { 0 } })

static const uint64_t launch_bounds_ms[METRICS_LAUNCH_CLASSES - 1] = { 250, 500, 1000, 2000, 4000,
	8000, 15000, 30000 };

void metrics_note_refused(struct metrics *metrics, uint32_t reason) {
	metrics->refused[reason < REASONS ? reason : 0]++;
}

void metrics_note_ended(struct metrics *metrics, uint32_t reason) {
	metrics->sessions_ended[reason < REASONS ? reason : 0]++;
}

void metrics_note_streaming(struct metrics *metrics, uint64_t launch_ms) {
	unsigned class = 0;
	while (class < ARRAY_LEN(launch_bounds_ms) && launch_ms >= launch_bounds_ms[class]) {
		class ++;
	}
	metrics->launch_classes[class]++;
	metrics->launch_ms += launch_ms;
	metrics->streams_begun++;
}

static void gauge(struct exposition *out, const char *name, const char *help, uint64_t value) {
	exposition_family(out, name, EXPOSITION_GAUGE, help);
	exposition_number(out, NULL, value);
}

static void counter(struct exposition *out, const char *name, const char *help, uint64_t value) {
	exposition_family(out, name, EXPOSITION_COUNTER, help);
	exposition_number(out, NULL, value);
}

/* One sample for each reason that has happened. */
static void by_reason(struct exposition *out, const char *name, const char *help,
		const uint64_t counts[REASONS]) {
	exposition_family(out, name, EXPOSITION_COUNTER, help);
	for (uint32_t reason = 0; reason < REASONS; reason++) {
		if (counts[reason]) {
			exposition_number(out, LABELS({ "reason", reason_row(reason)->name }),
					counts[reason]);
		}
	}
}

static void write_host(struct supervisor *supervisor, struct exposition *out) {
	exposition_family(out, "perigee_build_info", EXPOSITION_GAUGE, "The version that runs.");
	exposition_number(out, LABELS({ "version", perigee_version() }), 1);
	exposition_family(out, "perigee_uptime_seconds", EXPOSITION_GAUGE,
			"Since the supervisor was started.");
	exposition_fraction(out, NULL, clock_now_ms() - supervisor->begun_ms, 1000);
	exposition_family(out, "perigee_encoder_works", EXPOSITION_GAUGE,
			"Whether an encoder kind encoded a picture when it was tried.");
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		const struct ipc_message *probed = &supervisor->probed[i];
		exposition_number(out, LABELS({ "encoder", probed->encoder_probed.name }),
				probed->encoder_probed.mask != 0);
	}
	counter(out, "perigee_log_dropped_lines_total", "Log lines that found no room.",
			supervisor->journal.dropped);
}

static void write_sessions(struct supervisor *supervisor, struct exposition *out) {
	uint64_t states[LIFE_STATES] = { 0 }, internal = 0, viewers = 0, apart = 0,
		 ceiling_kbps = 0;
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->internal) {
			internal++;
			continue;
		}
		states[at->life.state]++;
		if (at->life.state == LIFE_STREAMING && at->view) {
			viewers++;
			apart += line_is_apart(&at->view->line);
			ceiling_kbps += at->view->params.bitrate_kbps;
		}
	}
	exposition_family(
			out, "perigee_sessions", EXPOSITION_GAUGE, "Sessions of users, by state.");
	for (int state = 0; state < LIFE_ENDED; state++) {
		exposition_number(out, LABELS({ "state", life_state_name((enum life_state)state) }),
				states[state]);
	}
	gauge(out, "perigee_sessions_internal", "Sessions of the readiness trial.", internal);
	gauge(out, "perigee_sessions_limit", "Sessions of users that are admitted at once.",
			supervisor->config.sessions_max);
	gauge(out, "perigee_viewers", "Viewers that are sent pictures.", viewers);
	gauge(out, "perigee_viewers_apart",
			"Those whose line is so bad that they have an encoding of their own.",
			apart);
	gauge(out, "perigee_launches_waiting",
			"Launches without encryption that wait for another of the same address.",
			supervisor->deferred.count);
	gauge(out, "perigee_stream_bitrate_bits_per_second", "Pictures sent, FEC included.",
			supervisor->metrics.bitrate_bps);
	gauge(out, "perigee_stream_bitrate_ceiling_bits_per_second",
			"What the clients of these viewers allow together.", ceiling_kbps * 1000);
}

static void write_launches(struct supervisor *supervisor, struct exposition *out) {
	const struct metrics *metrics = &supervisor->metrics;
	counter(out, "perigee_launches_total", "Launches of users that began a session.",
			metrics->launches);
	counter(out, "perigee_streams_begun_total", "Launches and resumes that led to a picture.",
			metrics->streams_begun);
	by_reason(out, "perigee_launches_refused_total", "Launches and resumes refused.",
			metrics->refused);
	by_reason(out, "perigee_sessions_ended_total", "Sessions of users that ended, by why.",
			metrics->sessions_ended);
	exposition_family(out, "perigee_viewers_on_bad_lines_total", EXPOSITION_COUNTER,
			"What was done with viewers who lose much beside others.");
	exposition_number(out, LABELS({ "done", "apart" }), metrics->parted);
	exposition_number(out, LABELS({ "done", "back" }), metrics->returned);
	exposition_number(out, LABELS({ "done", "kept" }), metrics->kept);
	exposition_family(out, "perigee_launch_seconds", EXPOSITION_HISTOGRAM,
			"From a launch or resume to its first packet, the client's time included.");
	struct exposition_histogram histogram = { launch_bounds_ms, ARRAY_LEN(launch_bounds_ms),
		metrics->launch_classes, metrics->launch_ms, 1000 };
	exposition_histogram(out, NULL, &histogram);
}

/* What is seen of the processes of one kind. */
enum process_state {
	PROCESS_STARTING, /* it has not said hello yet */
	PROCESS_RUNNING,
	PROCESS_STOPPING,
	PROCESS_KILLED, /* and not reaped yet */
	PROCESS_CORPSE, /* fenced: stopped for good, being looked at */
	PROCESS_STATES,
};

struct kind_view {
	uint64_t states[PROCESS_STATES];
	uint64_t lag_max_ns, queue_max, slow;
};

static enum process_state state_of(const struct child *child) {
	if (child->phase == CHILD_CORPSE) {
		return PROCESS_CORPSE;
	}
	if (child->killed || child->phase == CHILD_FENCING) {
		return PROCESS_KILLED;
	}
	if (child->stopping) {
		return PROCESS_STOPPING;
	}
	return child->hello || child->kind == PEER_SOUND ? PROCESS_RUNNING : PROCESS_STARTING;
}

static void see(const struct child *child, struct kind_view *view) {
	view->states[state_of(child)]++;
	if (child->channel.waiting_count > view->queue_max) {
		view->queue_max = child->channel.waiting_count;
	}
	if (child->pulse.map) {
		struct pulse_view pulse;
		pulse_look((const struct pulse *)(const void *)child->pulse.map, &pulse);
		view->lag_max_ns = pulse.lag_max_ns > view->lag_max_ns ? pulse.lag_max_ns
								       : view->lag_max_ns;
		view->slow += pulse.slow;
	}
}

/* A kind that this host starts at all. */
static bool is_started(enum ipc_peer kind) {
	return kind != PEER_SUPERVISOR && kind != PEER_HOLDER;
}

static void write_by_kind(struct exposition *out, const char *name, const char *help,
		enum exposition_type type, const uint64_t *first, size_t stride, uint64_t scale) {
	exposition_family(out, name, type, help);
	for (unsigned kind = 0; kind < PEER_KINDS; kind++) {
		if (is_started((enum ipc_peer)kind)) {
			exposition_fraction(out,
					LABELS({ "kind", ipc_peer_name((enum ipc_peer)kind) }),
					first[kind * stride], scale);
		}
	}
}

static void write_processes(struct supervisor *supervisor, struct exposition *out) {
	static const char *const states[PROCESS_STATES] = { "starting", "running", "stopping",
		"killed", "fenced" };
	const struct totals *totals = &supervisor->metrics.totals;
	struct kind_view views[PEER_KINDS] = { 0 };
	for (unsigned kind = 0; kind < PEER_KINDS; kind++) {
		views[kind].lag_max_ns = totals->lag_max_ns[kind];
		views[kind].slow = totals->slow[kind];
	}
	for (const struct child *at = supervisor->nursery.first; at; at = at->next) {
		see(at, &views[at->kind]);
	}
	for (const struct child *at = supervisor->nursery.corpses; at; at = at->next) {
		views[at->kind].states[PROCESS_CORPSE]++;
	}
	exposition_family(
			out, "perigee_processes", EXPOSITION_GAUGE, "Processes by kind and state.");
	for (unsigned kind = 0; kind < PEER_KINDS; kind++) {
		for (unsigned state = 0; is_started((enum ipc_peer)kind) && state < PROCESS_STATES;
				state++) {
			exposition_number(out,
					LABELS({ "kind", ipc_peer_name((enum ipc_peer)kind) },
							{ "state", states[state] }),
					views[kind].states[state]);
		}
	}
	size_t stride = sizeof(views[0]) / sizeof(uint64_t);
	write_by_kind(out, "perigee_loop_lag_max_seconds",
			"The longest handling of one wake-up since the supervisor started.",
			EXPOSITION_GAUGE, &views[0].lag_max_ns, stride, NS_PER_S);
	write_by_kind(out, "perigee_slow_operations_total",
			"Operations that took more than half of the time they had announced.",
			EXPOSITION_COUNTER, &views[0].slow, stride, 1);
	write_by_kind(out, "perigee_channel_queue_messages",
			"Messages that wait for the process that takes them slowest.",
			EXPOSITION_GAUGE, &views[0].queue_max, stride, 1);
	write_by_kind(out, "perigee_process_starts_total", "Processes started.", EXPOSITION_COUNTER,
			totals->starts, 1, 1);
	write_by_kind(out, "perigee_process_ends_total", "Processes that ended.",
			EXPOSITION_COUNTER, totals->ends, 1, 1);
}

static void write_incidents(struct supervisor *supervisor, struct exposition *out) {
	const struct totals *totals = &supervisor->metrics.totals;
	exposition_family(out, "perigee_incidents_total", EXPOSITION_COUNTER,
			"Processes that ended though nobody asked for it, by why.");
	for (unsigned kind = 0; kind < PEER_KINDS; kind++) {
		for (uint32_t reason = 0; reason < REASONS; reason++) {
			if (totals->incidents[kind][reason]) {
				exposition_number(out,
						LABELS({ "kind", ipc_peer_name((enum ipc_peer)kind) },
								{ "reason", reason_row(reason)->name }),
						totals->incidents[kind][reason]);
			}
		}
	}
	counter(out, "perigee_processes_lost_total", "All of these.", supervisor->nursery.lost);
	counter(out, "perigee_processes_hung_total", "Those among them that hung.",
			supervisor->nursery.hung);
	counter(out, "perigee_processes_fenced_total", "Those that were stopped for good.",
			supervisor->nursery.fenced);
	counter(out, "perigee_processes_starved_total",
			"Times that a process was late because it was not scheduled.",
			supervisor->nursery.starved);
	counter(out, "perigee_supervisor_late_rounds_total",
			"Rounds of watching that came late: we were not scheduled.",
			supervisor->nursery.late);
	counter(out, "perigee_processes_written_off_total",
			"Those that could not be stopped, or that SIGKILL did not end.",
			supervisor->nursery.written_off);
	exposition_family(out, "perigee_evidence_total", EXPOSITION_COUNTER,
			"Looks at processes, by whether what was seen could be written down.");
	exposition_number(out, LABELS({ "outcome", "written" }), supervisor->evidence.written);
	exposition_number(out, LABELS({ "outcome", "failed" }), supervisor->evidence.failed);
}

static void write_evidence(struct supervisor *supervisor, struct exposition *out) {
	const struct evidence *evidence = &supervisor->evidence;
	gauge(out, "perigee_evidence_running", "Processes that are being looked at.",
			evidence->running);
	gauge(out, "perigee_evidence_corpses", "Corpses kept stopped for a debugger.",
			evidence->kept_corpses);
}

static void write_services(struct supervisor *supervisor, struct exposition *out) {
	uint64_t up[SERVICES], failures[SERVICES];
	exposition_family(out, "perigee_service_up", EXPOSITION_GAUGE,
			"Whether what serves the whole machine runs.");
	for (int i = 0; i < SERVICES; i++) {
		const struct service *service = &supervisor->services[i];
		up[i] = service->child != NULL;
		failures[i] = service->failures;
		if (services_stays(service)) {
			exposition_number(
					out, LABELS({ "service", services_name(service) }), up[i]);
		}
	}
	exposition_family(out, "perigee_service_failures_in_a_row", EXPOSITION_GAUGE,
			"Failures without a steady time between; they lengthen the wait.");
	for (int i = 0; i < SERVICES; i++) {
		const struct service *service = &supervisor->services[i];
		if (services_stays(service)) {
			exposition_number(out, LABELS({ "service", services_name(service) }),
					failures[i]);
		}
	}
	exposition_family(out, "perigee_service_restarts_total", EXPOSITION_COUNTER,
			"Services started again.");
	for (int i = 0; i < SERVICES; i++) {
		const struct service *service = &supervisor->services[i];
		if (services_stays(service)) {
			exposition_number(out, LABELS({ "service", services_name(service) }),
					service->restarts);
		}
	}
}

static unsigned own_descriptors(void) {
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;
	while (folder && readdir(folder)) {
		count++;
	}
	if (folder) {
		closedir(folder);
	}
	return count > 3 ? count - 3 : 0; /* ".", ".." and the folder's own */
}

static void write_pads(const struct supervisor *supervisor, struct exposition *out) {
	static const char *const devices[PAD_DEVICES] = { "uinput", "uhid" };
	const struct metrics *metrics = &supervisor->metrics;
	exposition_family(out, "perigee_pads_missing_total", EXPOSITION_COUNTER,
			"Gamepads for which the host has no device to make them with.");
	for (unsigned i = 0; i < PAD_DEVICES; i++) {
		exposition_number(out, LABELS({ "device", devices[i] }), metrics->pads_missing[i]);
	}
	counter(out, "perigee_pads_hidden_total",
			"Gamepads that apps in sandboxes and containers do not see.",
			metrics->pads_hidden);
}

static void write_own(struct supervisor *supervisor, struct exposition *out) {
	const struct metrics *metrics = &supervisor->metrics;
	gauge(out, "perigee_supervisor_descriptors", "Descriptors that the supervisor holds.",
			own_descriptors());
	exposition_family(out, "perigee_supervisor_late_max_seconds", EXPOSITION_GAUGE,
			"How late the supervisor's clock once was.");
	exposition_fraction(out, NULL, metrics->late_max_ns, NS_PER_S);
	counter(out, "perigee_board_writes_total", "Times that these figures were written.",
			metrics->written);
	exposition_family(out, "perigee_board_write_seconds_total", EXPOSITION_COUNTER,
			"Time spent on that.");
	exposition_fraction(out, NULL, metrics->write_ns, NS_PER_S);
	exposition_family(out, "perigee_board_write_max_seconds", EXPOSITION_GAUGE,
			"The longest of it.");
	exposition_fraction(out, NULL, metrics->write_max_ns, NS_PER_S);
}

/* Bits per second of what all streams sent since the last look. */
static void measure_bitrate(struct supervisor *supervisor, uint64_t now_ns) {
	struct metrics *metrics = &supervisor->metrics;
	uint64_t bytes = metrics_sum(supervisor, PEER_STREAM, PULSE_STREAM_BYTES);
	uint64_t took_ns = now_ns - metrics->bytes_ns;
	if (took_ns < NS_PER_S / 2) {
		return;
	}
	if (metrics->bytes_ns && bytes >= metrics->bytes) {
		double seconds = (double)took_ns / 1e9;
		metrics->bitrate_bps = (uint64_t)((double)(bytes - metrics->bytes) * 8 / seconds);
	}
	metrics->bytes_ns = now_ns;
	metrics->bytes = bytes;
}

size_t metrics_write(struct supervisor *supervisor, char *text, size_t size) {
	struct metrics *metrics = &supervisor->metrics;
	struct exposition out = exposition_over(text, size);
	uint64_t begun_ns = clock_now_ns();
	measure_bitrate(supervisor, begun_ns);
	health_write_metrics(supervisor, &out);
	write_host(supervisor, &out);
	write_sessions(supervisor, &out);
	write_launches(supervisor, &out);
	write_services(supervisor, &out);
	write_processes(supervisor, &out);
	write_incidents(supervisor, &out);
	write_evidence(supervisor, &out);
	metrics_write_workers(supervisor, &out);
	metrics_write_machine(supervisor, &out);
	write_pads(supervisor, &out);
	write_own(supervisor, &out);
	uint64_t took_ns = clock_now_ns() - begun_ns;
	metrics->written++;
	metrics->write_ns += took_ns;
	metrics->write_max_ns = took_ns > metrics->write_max_ns ? took_ns : metrics->write_max_ns;
	metrics->samples = out.samples;
	return exposition_end(&out);
}
