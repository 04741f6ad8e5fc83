/* SPDX-License-Identifier: MIT */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* `perigee doctor`: tries everything that a session needs, and says of each whether it
 * works and what to do when not. Where a host runs, that one is asked; else one is
 * started for as long as it takes, with ports and folders of its own, so that the same
 * programs are tried that would run. */

enum {
	DOCTOR_ROWS_MAX = 48,
	DOCTOR_DETAIL_MAX = 300,
};

enum doctor_verdict {
	DOCTOR_WORKS,
	DOCTOR_POOR,    /* a session goes without it, but less well */
	DOCTOR_FAILS,   /* and no session without it */
	DOCTOR_UNKNOWN, /* it could not be tried */
};

struct doctor_row {
	char name[32];
	enum doctor_verdict verdict;
	char detail[DOCTOR_DETAIL_MAX];
	const char *remedy; /* a literal, NULL when nothing is to be done */
};

struct doctor {
	const char *runtime, *libexec; /* borrowed; NULL: the usual ones */
	struct doctor_row rows[DOCTOR_ROWS_MAX];
	size_t count;
	char state[256], data[256]; /* folders of the host that was asked, "" when unknown */
};

void doctor_add(struct doctor *doctor, const char *name, enum doctor_verdict verdict,
		const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* doctor_host.c: the host, its doors, its encoders, and the legs of a session. */
void doctor_try_host(struct doctor *doctor);
/* doctor_machine.c: what the machine gives. */
void doctor_try_machine(struct doctor *doctor);

/* True when no row fails. */
bool doctor_is_possible(const struct doctor *doctor);

/* What --json prints; the caller owns it. */
json_t *doctor_json(const struct doctor *doctor);

/* Does all of it; 0 when a session is possible. */
int doctor_command(const char *runtime, const char *libexec, bool json);

#endif
