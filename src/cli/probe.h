/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/address.h"
#include "base/own.h"
#include "cli/probe_http.h"
#include "cli/probe_identity.h"
#include "cli/probe_options.h"
#include "cli/probe_transcript.h"

/* perigee-probe: a Moonlight client without a screen, for tests and diagnosis. It does
 * what real clients do in their order and with their limits, and reports what it saw.
 * One thread. */

enum probe_exit {
	PROBE_OK = 0,
	PROBE_FAILED = 1, /* it answered, and something was wrong */
	PROBE_USAGE = 2,
	PROBE_UNREACHABLE = 3, /* no answer in time */
	PROBE_UNPAIRED = 4,
	PROBE_REFUSED = 5, /* the host said no, and why */
};

/* What /serverinfo said. */
struct probe_host {
	char hostname[128];
	char uniqueid[64];
	char state[64];
	uint16_t https_port;
	uint32_t codecs; /* enum serverinfo_codec */
	int32_t current_game;
	bool paired;
};

struct probe {
	struct probe_options options;
	struct probe_identity identity;
	struct probe_transcript transcript;
	struct address address; /* the host's, with its HTTP port */
	struct probe_http http, https;
	struct probe_host host;
	json_t *report; /* owned: what --json prints */
	uint64_t begin_ns;
	enum probe_exit exit;
	char step[32]; /* that failed */
	char error[400];
};

/* Notes what went wrong, for the report and the exit status; the first one counts.
 * Returns -ECANCELED, for `return probe_fail(...)`. */
int probe_fail(struct probe *probe, enum probe_exit exit, const char *step, const char *format, ...)
		__attribute__((format(printf, 4, 5)));

/* For a transport error. */
int probe_fail_transport(struct probe *probe, const char *step, const char *what, int rc);

/* Milliseconds since `from_ns`, with three decimals, into the report under `name`. */
void probe_note_ms(json_t *report, const char *name, uint64_t from_ns, uint64_t to_ns);

/* Launches or resumes this app, streams as the options say, leaves. */
int probe_watch(struct probe *probe, int32_t app, const char *title, bool resume) NODISCARD;

/* Says something to the person at the terminal, unless --json. */
void probe_say(const struct probe *probe, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

#endif
