/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_ADOPTED_H
#define RUNNER_ADOPTED_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/own.h"

struct sd_event;
struct sd_event_source;

/* An app that a runner before this one started: no child of ours, so that no signal
 * tells its end and no wait its status. Its own process is known by a pidfd, what it
 * started by the label in the environment that everything of a session inherits. */
enum {
	ADOPTED_WATCHED_MAX = 64,
	ADOPTED_LABEL_MAX = 24,
};

struct adopted {
	struct sd_event *event; /* borrowed; NULL: nothing is adopted */
	char label[ADOPTED_LABEL_MAX];
	int pidfd;                     /* owned */
	bool ended;                    /* the app itself */
	struct sd_event_source *exits; /* owned */
	struct {
		int pidfd;                     /* owned */
		struct sd_event_source *exits; /* owned */
	} watched[ADOPTED_WATCHED_MAX];
	unsigned watched_count;
	void (*app_exited)(void *user);
	void (*changed)(void *user); /* one of those that were signalled is no more */
	void *user;                  /* borrowed */
};

/* Takes pidfd, also on failure. */
int adopted_open(struct adopted *adopted, struct sd_event *event, const char *label, int pidfd,
		void *user) NODISCARD;
void adopted_finish(struct adopted *adopted);

/* Sends a signal (0: none) to the app and to everything with its label that we may see;
 * returns how many there are and calls `changed` when one of them ends. What is hidden
 * from us the supervisor ends, when we have. */
unsigned adopted_signal(struct adopted *adopted, int number);

#endif
