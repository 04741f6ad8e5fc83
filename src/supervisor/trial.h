/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_TRIAL_H
#define SUPERVISOR_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/leg.h"

struct child;
struct sd_event_source;
struct session;
struct supervisor;

/* One try whether a session can start: perigee-trial comes through the front door as a
 * client of its own, which the gate knows for so long and nobody stores. */

enum {
	TRIAL_MS = 15000, /* from its start to its first picture */
	TRIAL_WIDTH = 320,
	TRIAL_HEIGHT = 240,
	TRIAL_RATE = 30,
};

enum trial_phase {
	TRIAL_IDLE,
	TRIAL_STARTING, /* its process makes a key */
	TRIAL_MEETING,  /* the gate is told who it is */
	TRIAL_RUNNING,
	TRIAL_ENDING, /* its word is known; its process is on its way out */
};

enum trial_result {
	TRIAL_PASSED,
	TRIAL_FAILED,
	TRIAL_VOID, /* what it used was taken away meanwhile: it says nothing */
	TRIAL_RESULTS,
};

struct trial {
	enum trial_phase phase;
	struct child *child;              /* NULL when there is none */
	struct sd_event_source *deadline; /* owned */
	uint8_t client[32];               /* its certificate's SHA-256 */
	uint32_t gate;                    /* worker id of the gate that it began with */
	uint64_t begun_ms;
	/* What its session was seen to fail at, before it is gone. */
	enum leg leg;
	char detail[160];
};

/* -errno when its process cannot be spawned. trial_ended() of ready.h follows. */
int trial_start(struct supervisor *supervisor) NODISCARD;

/* Ends it without a verdict; nothing follows. Harmless when none runs. */
void trial_drop(struct supervisor *supervisor);

/* True for the trial's client. */
bool trial_is(const struct supervisor *supervisor, const uint8_t client[32]);

/* GUEST_KNOWN of the gate. */
struct ipc_message;
void trial_handle_known(struct supervisor *supervisor, const struct ipc_message *message);

/* The trial's session got into trouble, with this reason. Called while it still is as it
 * was, so that what is missing can be seen. */
void trial_note(const struct session *session, uint32_t reason, const char *detail);

/* Pure: where a session's reason belongs; LEG_NONE when it depends. */
enum leg trial_leg_of_reason(uint32_t reason);

#endif
