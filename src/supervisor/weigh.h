/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_WEIGH_H
#define SUPERVISOR_WEIGH_H

#include <stdint.h>

#include "base/own.h"
#include "supervisor/admission.h"
#include "supervisor/apps.h"

struct ipc_encoding;
struct ipc_message;
struct sd_event_source;
struct session;
struct supervisor;

/* What sessions cost here, measured: by the encoder's probe at start, and by those
 * that run in full motion. Decides with it who is admitted (admission.h). */
struct weigh {
	struct admission_costs costs;
	uint32_t app_milli[APPS_MAX];  /* by place in the list of apps */
	struct sd_event_source *timer; /* owned */
	uint64_t refused;              /* launches, since the start */
};

/* A session's counters at the last look. */
struct weigh_look {
	uint64_t at_ns, pictures;
	uint64_t encode_ns, rest_ns, app_ns; /* processor time */
	uint64_t workers;                    /* which processes: sums compare only if the same */
	uint64_t memory;                     /* bytes */
};

/* Begins looking at who runs. */
int weigh_begin(struct supervisor *supervisor) NODISCARD;
void weigh_finish(struct supervisor *supervisor);

/* Another app has that place in the list. */
void weigh_forget_app(struct supervisor *supervisor, unsigned place);

/* ENCODER_COST of the probe. */
void weigh_probed(struct supervisor *supervisor, const struct ipc_message *message);

/* Whether `form` of an app (its place in the list) fits beside everybody but `self`,
 * which may be NULL. client: 32 bytes, who asks. */
void weigh_admit(struct supervisor *supervisor, const struct session *self,
		const uint8_t client[32], unsigned app, const struct admission_form *form,
		struct admission_answer *out);

/* Whether one more encoding of a desktop that is there fits beside everybody. */
void weigh_admit_encoding(struct supervisor *supervisor, const struct ipc_encoding *form,
		struct admission_answer *out);

#endif
