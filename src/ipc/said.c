/* SPDX-License-Identifier: MIT */
#include "ipc/said.h"

#include <fcntl.h>
#include <string.h>

#include "ipc/channel.h"

struct said_message {
	struct ipc_message message;
	int fds[IPC_FDS_MAX]; /* owned duplicates */
	size_t n_fds;
};

static void destroy(struct said_message *entry) {
	if (!entry) {
		return;
	}
	for (size_t i = 0; i < entry->n_fds; i++) {
		fd_close(entry->fds[i]);
	}
	explicit_bzero(&entry->message, sizeof(entry->message));
	free(entry);
}

static struct said_message *create(
		const struct ipc_message *message, const int *fds, size_t n_fds) {
	struct said_message *entry = calloc(1, sizeof(*entry));
	if (!entry) {
		return NULL;
	}
	entry->message = *message;
	for (size_t i = 0; i < n_fds; i++) {
		int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (copy < 0) {
			destroy(entry);
			return NULL;
		}
		entry->fds[entry->n_fds++] = copy;
	}
	return entry;
}

int said_note(struct said *said, const struct ipc_message *message, const int *fds, size_t n_fds) {
	if (!ipc_kind_lasts(message->kind)) {
		return 0;
	}
	size_t i = 0;
	while (i < said->count && said->list[i]->message.kind != message->kind) {
		i++;
	}
	if (i == SAID_MAX) {
		return -ENOSPC;
	}
	struct said_message *entry = create(message, fds, n_fds);
	if (!entry) {
		return errno ? -errno : -ENOMEM;
	}
	if (i == said->count) {
		said->count++;
	} else {
		destroy(said->list[i]);
	}
	said->list[i] = entry;
	return 0;
}

void said_repeat(const struct said *said, struct channel *channel) {
	for (size_t i = 0; i < said->count; i++) {
		const struct said_message *entry = said->list[i];
		channel_post(channel, &entry->message, entry->fds, entry->n_fds);
	}
}

void said_finish(struct said *said) {
	for (size_t i = 0; i < said->count; i++) {
		destroy(said->list[i]);
	}
	said->count = 0;
}
