/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_KEEP_H
#define SUPERVISOR_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/own.h"
#include "ipc/channel.h"

struct sd_event;

/* What of ours lies with the holder: every descriptor that a supervisor which takes
 * over must have, by name. What a predecessor left is read before anything else is
 * done, and taken name by name. */

struct keep_events {
	/* A process that was no child of ours, or of a predecessor, was reaped. */
	void (*exited)(void *user, pid_t pid, int status);
	/* HOLD_DIED: how our predecessor ended. */
	void (*died)(void *user, const struct ipc_message *message);
	/* The holder is gone. */
	void (*closed)(void *user, int error);
};

struct keep_item;

struct keep {
	struct channel holder; /* closed when we run without one */
	const struct keep_events *events;
	void *user;             /* borrowed */
	struct keep_item *left; /* owned array: what a predecessor left, not taken yet */
	size_t n_left;
	uint32_t version;    /* which we are to the holder: 1, until there was an upgrade */
	uint32_t failed;     /* the one that was tried before and was not ready; 0: none */
	char failure[160];   /* how that ended */
	char hold_build[32]; /* the holder's own version, "" for one that does not say */
	pid_t hold_pid;
};

/* Takes fd 3 when it is a socket, reads what was left, then listens. Runs without
 * a holder when fd 3 is something else. -ETIMEDOUT when the holder is silent. */
int keep_open(struct keep *keep, struct sd_event *event, const struct keep_events *events,
		void *user) NODISCARD;
void keep_close(struct keep *keep);
bool keep_is_open(const struct keep *keep);

/* Whether something of that name was left and not taken. */
bool keep_has(const struct keep *keep, const char *name);

/* The descriptor that was left under that name, the caller's from now on; the
 * holder keeps its own. -1 for none. */
int keep_take(struct keep *keep, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Leaves a duplicate of fd with the holder, instead of an older one of that name.
 * Harmless when fd is negative. */
void keep_put(struct keep *keep, int fd, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Forgets that name, or with a '.' at its end all that begin with it. */
void keep_drop(struct keep *keep, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What nobody took is of nobody: the holder forgets it too. */
void keep_settle(struct keep *keep);

#endif
