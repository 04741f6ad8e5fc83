/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_EVIDENCE_H
#define SUPERVISOR_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/incidents.h"

struct autopsy;
struct child;
struct nursery;
struct sd_event_source;

enum {
	EVIDENCE_MS = 5500,   /* until an autopsy is given up; it ends itself before */
	EVIDENCE_AT_ONCE = 4, /* autopsies; a worker that dies beside them has none */
	EVIDENCE_SECRETS_MAX = 4096,
	EVIDENCE_SNAPSHOT_S = 3600,
	EVIDENCE_KEPT_CORPSES = 4, /* with on_hang: keep */
};

/* Incidents, and who looks at them. No file is touched here, and nobody is waited for:
 * perigee-autopsy does that. */
struct evidence {
	struct nursery *nursery; /* borrowed */
	char folder[232];
	const char *log; /* borrowed: where the host's lines are; NULL: nobody knows */
	uint32_t keep, megabytes, core_megabytes, snapshots_kept;
	bool keep_hung; /* on_hang: keep */
	bool snapshots; /* every snapshot_s */
	uint32_t snapshot_s;
	/* Writes the session keys that there are, 16 bytes each, and returns their size:
	 * they are blotted out wherever they are found. May be NULL. */
	size_t (*secrets)(void *user, uint8_t *out, size_t size);
	/* The folder that says how much memory a session has; false: none. May be NULL. */
	bool (*group)(void *user, uint64_t session, char *out, size_t size);
	void *user;            /* borrowed, for these two */
	struct autopsy *first; /* owned list */
	unsigned running, kept_corpses;
	struct sd_event_source *timer; /* owned */
	uint32_t snapshot_after;       /* the worker whose snapshot was begun last */
	uint64_t written, failed;
	struct incidents incidents;
};

/* Starts the timer of snapshots, if there are to be any. */
int evidence_open(struct evidence *evidence) NODISCARD;

/* Ends every autopsy. */
void evidence_close(struct evidence *evidence);

/* A child ended, and nobody had asked it to: notes the incident and has it looked at.
 * True when the corpse is needed meanwhile: fence_release() follows. */
bool evidence_incident(struct evidence *evidence, struct child *child);

/* An incident of which somebody else writes the evidence, into that entry. Returns its
 * number, by which evidence_of_other() says what became of it. */
uint32_t evidence_note_other(struct evidence *evidence, const struct child *child,
		const char *entry, enum incident_evidence state);
void evidence_of_other(struct evidence *evidence, uint32_t incident, enum incident_evidence state);

/* The words that call an autopsy of ourselves, one behind the other, each with its NUL;
 * what is missing is known to who calls it. Returns a descriptor, or -errno. */
int evidence_words_of_self(const struct evidence *evidence) NODISCARD;

/* The child is freed. */
void evidence_forget(struct evidence *evidence, const struct child *child);

#endif
