/* SPDX-License-Identifier: MIT */
#include "autopsy/report.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/version.h"

static void write_time(FILE *file) {
	time_t now = time(NULL);
	struct tm local, utc;
	char text[64];
	localtime_r(&now, &local);
	gmtime_r(&now, &utc);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &local);
	fprintf(file, "When:       %s", text);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	fprintf(file, " (%s)\n", text);
}

static uint64_t since_ms(uint64_t then_ns) {
	uint64_t now_ns = clock_now_ns();
	return then_ns && now_ns > then_ns ? (now_ns - then_ns) / NS_PER_MS : 0;
}

static void write_doing(const struct findings *findings, FILE *file) {
	const struct pulse *pulse = &findings->pulse;
	if (!findings->has_pulse) {
		fputs("Was doing:  not known, it had no pulse page\n", file);
		return;
	}
	fprintf(file, "Was doing:  %s", pulse_operation_name(pulse->operation));
	if (pulse->operation_begin_ns) {
		fprintf(file, ", since %llu ms",
				(unsigned long long)since_ms(pulse->operation_begin_ns));
	}
	if (pulse->operation_deadline_ns) {
		fprintf(file, " (it had announced %llu ms)",
				(unsigned long long)((pulse->operation_deadline_ns -
								     pulse->operation_begin_ns) /
						     NS_PER_MS));
	}
	fprintf(file, "; %llu wake-ups, %llu slow operations\n", (unsigned long long)pulse->beats,
			(unsigned long long)pulse->slow);
	if (pulse->crash_signal) {
		fprintf(file, "Crash:      signal %u (%s), address 0x%llx\n", pulse->crash_signal,
				strsignal((int)pulse->crash_signal),
				(unsigned long long)pulse->crash_address);
	}
}

static void write_found(
		const struct subject *subject, const struct findings *findings, FILE *file) {
	if (subject->pid == 0) {
		fputs("Found:      the process is gone: what it had shown and said is here\n",
				file);
		return;
	}
	if (findings->state[0]) {
		fprintf(file, "State:      %s\n", findings->state);
	}
	if (findings->place[0]) {
		fprintf(file, "Stood in:   %s\n", findings->place);
	}
	fprintf(file, "Threads:    %u, of which %u gave their registers\n", findings->threads,
			findings->threads_stopped);
	if (findings->trace_error) {
		fprintf(file,
				"Note:       it may not be traced (%s): no backtraces and no core. "
				"Where /proc/sys/kernel/yama/ptrace_scope is 1 or more, a host "
				"that was not started by root may not look into its own workers\n",
				strerror(findings->trace_error));
	}
	fprintf(file, "Held for:   %llu us\n", (unsigned long long)findings->held_us);
	if (findings->core[0]) {
		fprintf(file, "Core:       %s\n", findings->core);
	}
}

static void write_files(
		const struct subject *subject, const struct findings *findings, FILE *file) {
	fputs("\nFiles here:\n", file);
	if (subject->pid) {
		fputs("  backtrace.txt  every thread, innermost function first\n"
		      "  threads.txt    what the kernel says of each thread\n"
		      "  fds.txt        open descriptors\n"
		      "  process.txt    limits, memory, mappings\n",
				file);
		if (findings->core[0]) {
			fputs("  core           for gdb; docs/debugging.md\n", file);
		}
	}
	fputs("  pulse.txt      what it showed of itself: operation, counters\n"
	      "  log.txt        its last lines\n"
	      "  machine.txt    memory, load and pressure at that time\n",
			file);
}

void report_write_summary(
		const struct subject *subject, const struct findings *findings, FILE *file) {
	fprintf(file, "%s (%s) was %s: %s\n\n", subject->kind, subject->name, subject->what,
			subject->detail[0] ? subject->detail : subject->reason);
	write_time(file);
	fprintf(file, "What:       %s\n", subject->what);
	fprintf(file, "Reason:     %s\n", subject->reason);
	fprintf(file, "Detail:     %s\n", subject->detail);
	fprintf(file, "Who:        perigee-%s, worker %s, process %s%d\n", subject->kind,
			subject->worker, subject->pid ? "" : "gone, was ",
			subject->was ? subject->was : (int)findings->pulse.pid);
	fprintf(file, "Session:    %s\n",
			subject->session[0] ? subject->session : "none, it serves everybody");
	if (subject->incident[0]) {
		fprintf(file, "Incident:   %s\n", subject->incident);
	}
	write_doing(findings, file);
	fprintf(file, "Done:       %s\n", subject->done);
	write_found(subject, findings, file);
	if (findings->oom_kills) {
		fprintf(file,
				"Memory:     the kernel has killed %lu processes of this session "
				"for "
				"lack of memory; machine.txt\n",
				findings->oom_kills);
	}
	if (findings->lines[0]) {
		fprintf(file, "Log:        %s\n", findings->lines);
	}
	fprintf(file, "Version:    %s\n", perigee_version());
	fprintf(file, "Complete:   %s\n",
			findings->complete ? "yes" : "no: the autopsy did not get to its end");
	write_files(subject, findings, file);
}

struct name_row {
	const char *kind;
	unsigned counter;
	const char *name;
};

/* clang-format off */
static const struct name_row names[] = {
	{ "desktop", PULSE_DESKTOP_PICTURES, "pictures" },
	{ "desktop", PULSE_DESKTOP_REPLACED, "pictures replaced before encoding" },
	{ "desktop", PULSE_DESKTOP_AGAIN, "refinements and repeats" },
	{ "desktop", PULSE_DESKTOP_INPUTS, "inputs" },
	{ "desktop", PULSE_DESKTOP_INPUT_MAX_NS, "slowest input, ns" },
	{ "desktop", PULSE_DESKTOP_RENDER_NS, "rendering, ns" },
	{ "desktop", PULSE_DESKTOP_CONVERT_NS, "converting, ns" },
	{ "desktop", PULSE_DESKTOP_CLIENTS, "Wayland clients" },
	{ "encoder", PULSE_ENCODER_PICTURES, "pictures" },
	{ "encoder", PULSE_ENCODER_KEYS, "key frames" },
	{ "encoder", PULSE_ENCODER_BYTES, "bytes" },
	{ "encoder", PULSE_ENCODER_NS, "encoding, ns" },
	{ "encoder", PULSE_ENCODER_INVALIDATED, "invalidations" },
	{ "encoder", PULSE_ENCODER_ASKED, "key frames asked for" },
	{ "encoder", PULSE_ENCODER_READERS, "readers" },
	{ "stream", PULSE_STREAM_PICTURES, "pictures" },
	{ "stream", PULSE_STREAM_PACKETS, "video packets" },
	{ "stream", PULSE_STREAM_BYTES, "bytes" },
	{ "stream", PULSE_STREAM_SOUND, "sound packets" },
	{ "stream", PULSE_STREAM_INPUTS, "inputs" },
	{ "stream", PULSE_STREAM_REFUSED, "control messages refused" },
	{ "stream", PULSE_STREAM_LAPPED, "times lapped by the encoder" },
	{ "stream", PULSE_STREAM_SEND_ERRORS, "send errors" },
	{ "gate", PULSE_GATE_ACCEPTED, "connections accepted" },
	{ "gate", PULSE_GATE_REQUESTS, "requests" },
	{ "gate", PULSE_GATE_HANDSHAKES, "handshakes" },
	{ "gate", PULSE_GATE_OPEN, "connections open" },
	{ "gate", PULSE_GATE_OVERDUE, "closed by a deadline" },
	{ "gate", PULSE_GATE_REFUSED, "refused" },
	{ "gate", PULSE_GATE_DATAGRAMS, "first datagrams" },
	{ "gate", PULSE_GATE_DATAGRAMS_REFUSED, "first datagrams refused" },
};
/* clang-format on */

static const char *counter_name(const char *kind, unsigned counter) {
	kind = strcmp(kind, "web") == 0 ? "gate" : kind;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].counter == counter && strcmp(names[i].kind, kind) == 0) {
			return names[i].name;
		}
	}
	return "";
}

void report_write_pulse(const struct findings *findings, const char *kind, FILE *file) {
	const struct pulse *pulse = &findings->pulse;
	if (!findings->has_pulse) {
		fputs("it had no pulse page\n", file);
		return;
	}
	fprintf(file, "layout: %u\npid: %u\nbeats: %llu\npoked: %llu\n", pulse->layout, pulse->pid,
			(unsigned long long)pulse->beats, (unsigned long long)pulse->poked);
	fprintf(file, "operation: %s\noperation begun: %llu ms ago\n",
			pulse_operation_name(pulse->operation),
			(unsigned long long)since_ms(pulse->operation_begin_ns));
	fprintf(file, "longest wake-up: %llu us\nslow operations: %llu\n",
			(unsigned long long)(pulse->lag_max_ns / NS_PER_US),
			(unsigned long long)pulse->slow);
	fprintf(file, "crash signal: %u\ncrash address: 0x%llx\n\n", pulse->crash_signal,
			(unsigned long long)pulse->crash_address);
	for (unsigned i = 0; i < PULSE_COUNTERS; i++) {
		if (pulse->counters[i]) {
			fprintf(file, "counter %u: %llu  %s\n", i,
					(unsigned long long)pulse->counters[i],
					counter_name(kind, i));
		}
	}
}
