/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "supervisor/exposition.h"
#include "supervisor/machine.h"
#include "supervisor/metrics.h"
#include "supervisor/supervisor.h"

/* What processes take of the machine, by kind, and what admission makes of it. Read from
 * counters that the kernel gives without a lock of the process that is looked at: one
 * that is stuck must not hold us up. So memory is what is a process' own and what it
 * shares, and not PSS, for which its memory map would be locked. */

enum {
	SAMPLE_MS = 10000,
};

#define KIND(kind) \
	(const struct exposition_label[]) { \
		{ "kind", ipc_peer_name((enum ipc_peer)(kind)) }, { \
			0 \
		} \
	}

/* The size of that folder is the number of descriptors (Linux 6.2; before: 0). */
static uint64_t descriptors_of(pid_t pid) {
	char path[64];
	struct stat st;
	text_format(path, sizeof(path), "/proc/%d/fd", (int)pid);
	return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static void sample_one(struct metrics_sample *sample, unsigned kind, pid_t pid) {
	struct machine_memory memory;
	machine_memory("", pid, &memory);
	sample->own[kind] += memory.own;
	sample->shared[kind] += memory.shared;
	sample->descriptors[kind] += descriptors_of(pid);
}

static void sample(struct supervisor *supervisor) {
	struct metrics_sample *sample = &supervisor->metrics.sample;
	uint64_t now_ms = clock_now_ms();
	if (sample->taken_ms && now_ms - sample->taken_ms < SAMPLE_MS) {
		return;
	}
	*sample = (struct metrics_sample){ .taken_ms = now_ms };
	sample_one(sample, PEER_SUPERVISOR, getpid());
	for (const struct child *at = supervisor->nursery.first; at; at = at->next) {
		sample_one(sample, at->kind, at->pid);
	}
	machine_look("", &sample->machine);
}

static void write_kinds(struct exposition *out, const char *name, const char *help,
		const uint64_t values[PEER_KINDS]) {
	exposition_family(out, name, EXPOSITION_GAUGE, help);
	for (unsigned kind = 0; kind < PEER_KINDS; kind++) {
		if (kind != PEER_HOLDER) {
			exposition_number(out, KIND(kind), values[kind]);
		}
	}
}

static void write_processor(struct supervisor *supervisor, struct exposition *out) {
	uint64_t used_ns[PEER_KINDS];
	for (unsigned kind = 0; kind < PEER_KINDS; kind++) {
		used_ns[kind] = supervisor->metrics.totals.processor_ns[kind];
	}
	used_ns[PEER_SUPERVISOR] = machine_processor_ns(getpid());
	for (const struct child *at = supervisor->nursery.first; at; at = at->next) {
		used_ns[at->kind] += machine_processor_ns(at->pid);
	}
	exposition_family(out, "perigee_process_cpu_seconds_total", EXPOSITION_COUNTER,
			"Processor time by kind, of those that are gone too.");
	for (unsigned kind = 0; kind < PEER_KINDS; kind++) {
		if (kind != PEER_HOLDER) {
			exposition_fraction(out, KIND(kind), used_ns[kind], NS_PER_S);
		}
	}
}

static void write_tcp(struct supervisor *supervisor, struct exposition *out) {
	/* net/tcp_states.h */
	static const char *const names[] = { NULL, "established", "syn_sent", "syn_recv",
		"fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack", "listen",
		"closing" };
	_Static_assert(sizeof(supervisor->metrics.tcp) / sizeof(uint32_t) == ARRAY_LEN(names),
			"a name for each state");
	exposition_family(out, "perigee_tcp_connections", EXPOSITION_GAUGE,
			"Connections of our ports, by TCP state.");
	for (size_t i = 1; i < ARRAY_LEN(names); i++) {
		exposition_number(out, (struct exposition_label[]){ { "state", names[i] }, { 0 } },
				supervisor->metrics.tcp[i]);
	}
}

static void write_admission(struct supervisor *supervisor, struct exposition *out) {
	const struct admission_machine *machine = &supervisor->metrics.sample.machine;
	const struct admission_costs *costs = &supervisor->weigh.costs;
	exposition_family(out, "perigee_admission_processors", EXPOSITION_GAUGE,
			"Processors that we may use.");
	exposition_fraction(out, NULL, machine->processor_milli, 1000);
	exposition_family(out, "perigee_admission_memory_bytes", EXPOSITION_GAUGE,
			"Memory that we may use, and what is free of it.");
	exposition_number(out, (struct exposition_label[]){ { "kind", "total" }, { 0 } },
			machine->memory_total);
	exposition_number(out, (struct exposition_label[]){ { "kind", "free" }, { 0 } },
			machine->memory_free);
	exposition_family(out, "perigee_admission_session_memory_bytes", EXPOSITION_GAUGE,
			"What one more session is expected to take.");
	exposition_number(out, NULL, costs->memory);
	exposition_family(out, "perigee_admission_encode_seconds_per_megapixel", EXPOSITION_GAUGE,
			"Measured processor time of each encoder.");
	for (unsigned i = 0; i < costs->encoders_count; i++) {
		struct exposition_label name[] = { { "encoder", costs->encoders[i].name }, { 0 } };
		exposition_fraction(out, name, (uint64_t)costs->encoders[i].ns_per_kpx * 1000,
				NS_PER_S);
	}
	exposition_family(out, "perigee_admission_refused_total", EXPOSITION_COUNTER,
			"Launches refused because they could not be carried.");
	exposition_number(out, NULL, supervisor->weigh.refused);
}

void metrics_write_machine(struct supervisor *supervisor, struct exposition *out) {
	const struct metrics_sample *seen = &supervisor->metrics.sample;
	sample(supervisor);
	write_kinds(out, "perigee_process_memory_bytes", "Memory that is a process' own, by kind.",
			seen->own);
	write_kinds(out, "perigee_process_shared_memory_bytes",
			"Memory that processes share (pictures, mostly), counted in each.",
			seen->shared);
	write_kinds(out, "perigee_process_descriptors", "Descriptors held, by kind.",
			seen->descriptors);
	write_processor(supervisor, out);
	write_tcp(supervisor, out);
	write_admission(supervisor, out);
}
