/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_INCIDENTS_H
#define SUPERVISOR_INCIDENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/message.h"
#include "ipc/reason.h"

/* What went wrong with workers since the supervisor started: the last of them one by one,
 * all of them by kind and reason. */

enum {
	INCIDENTS_KEPT = 64,
};

enum incident_what {
	INCIDENT_HUNG,        /* made no progress, or did not take its messages */
	INCIDENT_CRASHED,     /* by a signal of its own doing, a forbidden call among them */
	INCIDENT_KILLED,      /* SIGKILL of somebody: a person, the kernel's lack of memory */
	INCIDENT_LIED,        /* broke the rules of its channel */
	INCIDENT_LATE,        /* did not start in time */
	INCIDENT_ENDED,       /* left by itself, unasked */
	INCIDENT_SHORT,       /* refused again and again, for want of memory or descriptors */
	INCIDENT_WRITTEN_OFF, /* could not be stopped: it may still run */
	INCIDENT_WHATS,
};

const char *incident_what_name(enum incident_what what);

/* What became of the evidence. */
enum incident_evidence {
	EVIDENCE_NONE, /* too many at once, or nobody to write it */
	EVIDENCE_BEING_WRITTEN,
	EVIDENCE_WRITTEN,
	EVIDENCE_FAILED, /* a full disk, say; some of it may be there */
};

const char *incident_evidence_name(enum incident_evidence evidence);

struct incident {
	uint32_t number; /* from 1 on, never reused */
	enum ipc_peer kind;
	enum incident_what what;
	uint32_t reason; /* enum reason */
	uint32_t worker;
	pid_t pid;
	uint64_t session;
	int64_t time_s; /* CLOCK_REALTIME */
	enum incident_evidence evidence;
	char entry[96]; /* the folder's name below the evidence folder */
	char detail[160];
};

struct incidents {
	struct incident last[INCIDENTS_KEPT]; /* by number, modulo */
	uint32_t count;                       /* of all; the newest one's number */
	uint64_t counts[PEER_KINDS][REASONS];
};

/* Copies the incident, gives it its number and counts it. The pointer is valid until
 * INCIDENTS_KEPT more have come. */
struct incident *incidents_add(struct incidents *incidents, const struct incident *incident);

/* NULL when it is no longer, or was never, in the table. */
struct incident *incidents_find(struct incidents *incidents, uint32_t number);

/* How many of that kind had that reason. */
uint64_t incidents_count(const struct incidents *incidents, enum ipc_peer kind, uint32_t reason);

/* What the end of a process was, by what waitpid said (0 when it was fenced) and the
 * reason that it was fenced for. */
enum incident_what incident_judge(
		bool fenced, bool written_off, bool crashed, uint32_t reason, int status);

#endif
