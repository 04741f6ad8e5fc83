/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_SUBJECT_H
#define AUTOPSY_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whom an autopsy is about and what is known of it beforehand: the command line. All
 * pointers are borrowed from it. */
struct subject {
	const char *kind;     /* of worker: "stream" */
	const char *worker;   /* the supervisor's number for it */
	const char *session;  /* 16 hex digits, "" for a worker of the whole host */
	const char *name;     /* whose: an app, a role */
	const char *incident; /* number of the incident, "" for a snapshot */
	const char *what;     /* hung, crashed, killed, ... */
	const char *reason;   /* enum reason's name */
	const char *detail;   /* a sentence */
	const char *done;     /* what was done about it */
	const char *group;    /* folder of its session's control group, NULL: none */
	pid_t pid;            /* 0: gone already */
	pid_t was;            /* its number, also of one that is gone; 0: not known */
	bool live;            /* healthy: it must not notice */
	bool keyless;         /* the kind never holds a key: its heap may be written down */
};

#endif
