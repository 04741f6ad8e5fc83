/* SPDX-License-Identifier: MIT */
#include "encoder/readers.h"

#include <poll.h>

#include "base/log.h"

void readers_init(struct readers *readers, struct sd_event *event,
		const struct readers_events *events, void *user) {
	*readers = (struct readers){ .event = event, .events = events, .user = user };
}

static void leave(struct reader *reader) {
	struct readers *readers = TAKE(reader->owner, NULL);
	if (!readers) {
		return;
	}
	channel_close(&reader->requests);
	fd_release(&reader->wake);
	readers->count--;
	log_info("reader-left", "reader=%u readers=%u", reader->id, readers->count);
	readers->events->left(readers->user);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct reader *reader = (struct reader *)channel->user;
	reader->owner->events->request(reader->owner->user, message);
}

static void handle_closed(struct channel *channel, int error) {
	struct reader *reader = (struct reader *)channel->user;
	if (error < 0) {
		log_warning("reader-refused", "reader=%u error=%d", reader->id, error);
	}
	leave(reader);
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

int readers_add(struct readers *readers, uint32_t id, int wake, int requests) {
	readers_remove(readers, id);
	struct reader *reader = readers->reader;
	while (reader < readers->reader + READERS_MAX && reader->owner) {
		reader++;
	}
	if (reader == readers->reader + READERS_MAX) {
		fd_close(wake);
		fd_close(requests);
		return -ENOSPC;
	}
	int rc = channel_open(&reader->requests, readers->event, requests, PEER_ENCODER,
			PEER_STREAM, &channel_events, reader);
	if (rc < 0) {
		fd_close(wake);
		return rc;
	}
	reader->owner = readers;
	reader->id = id;
	reader->wake = wake;
	readers->count++;
	log_info("reader-joined", "reader=%u readers=%u", id, readers->count);
	readers->events->joined(readers->user);
	return 0;
}

void readers_remove(struct readers *readers, uint32_t id) {
	for (struct reader *reader = readers->reader; reader < readers->reader + READERS_MAX;
			reader++) {
		if (reader->owner && reader->id == id) {
			leave(reader);
		}
	}
}

void readers_wake(struct readers *readers) {
	static const uint64_t one = 1;
	for (struct reader *reader = readers->reader; reader < readers->reader + READERS_MAX;
			reader++) {
		if (!reader->owner) {
			continue;
		}
		/* The reader shares this eventfd's flags and may have made it blocking
		 * and full: asked first, it cannot hold us. */
		struct pollfd can = { .fd = reader->wake, .events = POLLOUT };
		if (poll(&can, 1, 0) == 1 && can.revents == POLLOUT &&
				write(reader->wake, &one, sizeof(one)) < 0) {
			log_debug("reader-unwoken", "reader=%u", reader->id);
		}
	}
}
