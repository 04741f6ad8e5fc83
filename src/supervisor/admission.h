/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_ADMISSION_H
#define SUPERVISOR_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether one more session can be carried, by what was measured on this machine.
 * Pure: what is measured and what runs are arguments.
 *
 * The promise: everybody who was admitted may show pictures in full motion, at the
 * size and rate admitted, all at once, without pictures being dropped for want of
 * processor time. A paused session keeps its place, for its viewer may come back at
 * any time. A desktop that stands still is counted as if it moved. */

enum {
	ADMISSION_ENCODERS_MAX = 8,
	ADMISSION_USABLE_PERMILLE = 850, /* of the processors; the rest is everybody's slack */
	ADMISSION_DEVICE_PERMILLE = 900,
	ADMISSION_APP_MILLI_MAX = 500, /* an app that computes for itself takes what is left */
};

#define ADMISSION_ENCODING_MEMORY (UINT64_C(48) << 20) /* bytes: encoder, packets, pictures */

enum admission_short {
	ADMISSION_FITS,
	ADMISSION_NUMBER,    /* limits.sessions */
	ADMISSION_CLIENT,    /* limits.per_client */
	ADMISSION_PROCESSOR, /* limits.processor is measured, and it would not keep up */
	ADMISSION_MEMORY,
	ADMISSION_DEVICE, /* no encoder has a place left */
	ADMISSION_SHORTS,
};

/* For the API and the log. */
const char *admission_short_name(enum admission_short what);

struct admission_form {
	uint32_t width, height, rate_mhz;
};

/* An encoder that works here. Processor time is in ns for 1000 pixels. */
struct admission_encoder {
	char name[32];
	uint32_t ns_per_kpx, probed_ns_per_kpx;
	uint32_t device_ns_per_kpx; /* 0: no device */
	uint32_t sessions;          /* of the device, 0: no bound */
};

struct admission_costs {
	struct admission_encoder encoders[ADMISSION_ENCODERS_MAX]; /* in order of preference */
	unsigned encoders_count;
	uint32_t rest_ns_per_kpx; /* rendering, conversion, sending */
	uint32_t sound_milli;     /* sound server and sound encoder: thousandths of a processor */
	uint64_t memory;          /* bytes that a session takes */
};

struct admission_limits {
	uint32_t sessions, per_client;
	bool processor; /* false: not looked at */
};

struct admission_machine {
	uint32_t processor_milli;           /* thousandths of a processor that we may use */
	uint64_t memory_total, memory_free; /* bytes, 0 in total: not known */
};

/* One that runs, or is about to. */
struct admission_session {
	struct admission_form form;
	uint32_t app_milli; /* what its app is known to take */
	uint64_t memory;    /* what it takes now, bytes; it may still grow */
	bool same_client;   /* as the one who asks */
	bool encoding;      /* no session: one more encoding of a desktop that is there */
};

struct admission_answer {
	enum admission_short what;
	uint32_t used, capacity; /* capacity: as many as would run if more of this form came */
	uint32_t processor_used_milli, processor_milli, processor_needs_milli;
	uint64_t memory_free, memory_needs; /* bytes, after what the others may still take */
};

/* What a session of this form takes on the first encoder that has a place for it. */
uint32_t admission_processor_milli(const struct admission_costs *costs,
		const struct admission_form *form, uint32_t app_milli);

/* wanted->memory is not looked at. */
void admission_decide(const struct admission_limits *limits,
		const struct admission_machine *machine, const struct admission_costs *costs,
		const struct admission_session *running, size_t count,
		const struct admission_session *wanted, struct admission_answer *out);

/* What the person reads; "" when it fits. */
void admission_words(const struct admission_answer *answer, const struct admission_form *form,
		char *out, size_t size);

/* A new measurement while running: dearer is believed soon, cheaper slowly (a picture
 * that stands still is cheap), and never less than half of what the probe saw. */
uint32_t admission_learn(uint32_t known, uint32_t probed, uint64_t seen);

#endif
