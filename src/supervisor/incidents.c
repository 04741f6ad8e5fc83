/* SPDX-License-Identifier: MIT */
#include "supervisor/incidents.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

/* clang-format off */
static const char *const whats[INCIDENT_WHATS] = {
	[INCIDENT_HUNG] = "hung", [INCIDENT_CRASHED] = "crashed", [INCIDENT_KILLED] = "killed",
	[INCIDENT_LIED] = "lied", [INCIDENT_LATE] = "late", [INCIDENT_ENDED] = "ended",
	[INCIDENT_SHORT] = "out-of-resources", [INCIDENT_WRITTEN_OFF] = "written-off",
};

static const char *const evidences[] = {
	[EVIDENCE_NONE] = "none", [EVIDENCE_BEING_WRITTEN] = "being-written",
	[EVIDENCE_WRITTEN] = "written", [EVIDENCE_FAILED] = "failed",
};
/* clang-format on */

const char *incident_what_name(enum incident_what what) {
	return whats[what];
}

const char *incident_evidence_name(enum incident_evidence evidence) {
	return evidences[evidence];
}

struct incident *incidents_add(struct incidents *incidents, const struct incident *incident) {
	uint32_t number = ++incidents->count;
	struct incident *place = &incidents->last[number % INCIDENTS_KEPT];
	*place = *incident;
	place->number = number;
	incidents->counts[place->kind][place->reason < REASONS ? place->reason : REASON_NONE]++;
	return place;
}

struct incident *incidents_find(struct incidents *incidents, uint32_t number) {
	struct incident *place = &incidents->last[number % INCIDENTS_KEPT];
	return number != 0 && place->number == number ? place : NULL;
}

uint64_t incidents_count(const struct incidents *incidents, enum ipc_peer kind, uint32_t reason) {
	return kind < PEER_KINDS && reason < REASONS ? incidents->counts[kind][reason] : 0;
}

static bool is_own_doing(int number) {
	return number == SIGSEGV || number == SIGABRT || number == SIGBUS || number == SIGILL ||
	       number == SIGFPE || number == SIGSYS || number == SIGTRAP;
}

enum incident_what incident_judge(
		bool fenced, bool written_off, bool crashed, uint32_t reason, int status) {
	if (written_off) {
		return INCIDENT_WRITTEN_OFF;
	}
	if (crashed || (!fenced && WIFSIGNALED(status) && is_own_doing(WTERMSIG(status)))) {
		return INCIDENT_CRASHED;
	}
	if (fenced) {
		return reason == REASON_WORKER_LIED     ? INCIDENT_LIED
		       : reason == REASON_START_OVERDUE ? INCIDENT_LATE
		       : reason == REASON_RESOURCES     ? INCIDENT_SHORT
							: INCIDENT_HUNG;
	}
	return WIFSIGNALED(status) ? INCIDENT_KILLED : INCIDENT_ENDED;
}
