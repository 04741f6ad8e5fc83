/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_UPGRADE_H
#define SUPERVISOR_UPGRADE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/own.h"
#include "ipc/message.h"
#include "supervisor/programs.h"
#include "supervisor/upgrade_life.h"

struct sd_event_source;
struct supervisor;

/* Another version of Perigee takes over while streams go on. The running supervisor opens
 * the new version's programs, asks its perigeed whether it can go on with what is there,
 * leaves the programs with the holder, writes down what it begins, and leaves. The holder
 * starts the new perigeed, which adopts everybody (adopt.h), replaces the doors, the store
 * and the helpers one after the other, and says that it is ready. If it is not in time the
 * holder ends it and starts the old version's again, which goes the same way back. */

enum {
	UPGRADE_LIMIT_MS = 30000, /* for the new perigeed to be ready, unless asked for another */
	UPGRADE_LIMIT_MIN_MS = 1000,
	UPGRADE_LIMIT_MAX_MS = 600000,
	UPGRADE_CHECK_MS = 10000, /* for its answer whether it can */
};

struct upgrade {
	enum upgrade_phase phase, before; /* before: while it is checked */
	struct ipc_message record;        /* LEDGER_UPGRADE, of the newest that began */

	/* The check that is on its way. */
	uint32_t request, limit_ms;
	bool only_check;
	struct programs candidate; /* owned while CHECKING */
	pid_t pid;
	int output_fd;                          /* owned, -1 for none */
	struct sd_event_source *exit, *overdue; /* owned */

	struct sd_event_source *step; /* owned: while services of another version run */
	bool planned;                 /* the predecessor left for us */
	bool settled;                 /* the workers have said who they are */
};

void upgrade_init(struct upgrade *upgrade);

/* IPC_UPGRADE of the web door; it is answered when the new version has. */
void upgrade_ask(struct supervisor *supervisor, const struct ipc_message *message);

/* What a supervisor that takes over finds of an upgrade. */
void upgrade_adopt(struct supervisor *supervisor);

/* The predecessor did not die: it left for us. */
bool upgrade_was_planned(const struct supervisor *supervisor);

/* Whether the holder is to hear later that we are ready. */
bool upgrade_is_under_way(const struct supervisor *supervisor);

void upgrade_note_settled(struct supervisor *supervisor);

#endif
