/* SPDX-License-Identifier: MIT */
#ifndef IPC_SAID_H
#define IPC_SAID_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/message.h"

struct channel;

enum {
	SAID_MAX = 8,
};

/* What a worker has said that lasts (ipc_kind_lasts()): the newest message of each
 * kind, with its descriptors. A supervisor may die with such a message in its
 * hands, so its successor hears them all again. */
struct said {
	struct said_message *list[SAID_MAX]; /* owned, in the order of their first time */
	size_t count;
};

/* Remembers it if its kind lasts; duplicates fds. -ENOMEM, -EMFILE, -ENOSPC. */
int said_note(struct said *said, const struct ipc_message *message, const int *fds,
		size_t n_fds) NODISCARD;

/* Posts all of them. */
void said_repeat(const struct said *said, struct channel *channel);

void said_finish(struct said *said);

#endif
