/* SPDX-License-Identifier: MIT */
#include "stream/source.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <systemd/sd-event.h>

#include "base/clock.h"

enum source_fd {
	FD_PICTURES = 0, /* and eventfd, requests */
	FD_SOUND = 3,    /* the same */
	FD_INPUT = 6,
};

static void ignore_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)channel;
	(void)message;
	(void)fds;
}

/* Nobody at the other end: the supervisor sees it die and sends another source. */
static void ignore_closed(struct channel *channel, int error) {
	(void)channel;
	(void)error;
}

static const struct channel_events quiet = { .message = ignore_message, .closed = ignore_closed };

static void drain(int fd) {
	uint64_t count;
	if (read(fd, &count, sizeof(count)) < 0) {
		return; /* somebody else's wake-up */
	}
}

/* The description is shared with the encoder, which does not mind. */
static int take_event(struct ipc_fds *fds, unsigned index) {
	int fd = fds_take(fds, index);
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	return fd;
}

static int handle_pictures(sd_event_source *io, int fd, uint32_t revents, void *user) {
	(void)io;
	(void)revents;
	struct source *source = (struct source *)user;
	drain(fd);
	source->events->pictures(source, source->user);
	return 0;
}

static int handle_sound(sd_event_source *io, int fd, uint32_t revents, void *user) {
	(void)io;
	(void)revents;
	struct source *source = (struct source *)user;
	drain(fd);
	source->events->sound(source, source->user);
	return 0;
}

static void part_destroy(struct source_part *part) {
	if (!part) {
		return;
	}
	sd_event_source_disable_unref(part->io);
	fd_close(part->event_fd);
	channel_close(&part->requests);
	ring_reader_finish(&part->ring);
	free(part);
}

OWN_DEFINE(struct source_part *, part_destroy)

/* fds from `first` on: ring, eventfd, requests. */
static int part_create(struct source *source, struct sd_event *event, struct ipc_fds *fds,
		unsigned first, sd_event_io_handler_t handler, struct source_part **out) {
	OWN(part_destroy) struct source_part *part = calloc(1, sizeof(*part));
	if (!part) {
		return -ENOMEM;
	}
	*part = (struct source_part){ .ring.shm = SHM_NONE, .event_fd = -1, .requests.fd = -1 };
	int rc = ring_open(fds->fd[first], &part->ring);
	if (rc < 0) {
		return rc;
	}
	fds->fd[first] = -1;
	part->event_fd = take_event(fds, first + 1);
	rc = channel_open(&part->requests, event, fds_take(fds, first + 2), PEER_STREAM,
			PEER_ENCODER, &quiet, NULL);
	if (rc == 0) {
		rc = sd_event_add_io(event, &part->io, part->event_fd, EPOLLIN, handler, source);
	}
	if (rc < 0) {
		return rc;
	}
	*out = TAKE(part, NULL);
	return 0;
}

static void handle_desktop(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct source *source = channel->user;
	source->events->pad(source, message, source->user);
}

static const struct channel_events from_desktop = {
	.message = handle_desktop,
	.closed = ignore_closed,
};

static int open_all(struct source *source, struct sd_event *event, struct ipc_fds *fds) {
	int rc = part_create(source, event, fds, FD_PICTURES, handle_pictures, &source->pictures);
	if (rc == 0) {
		rc = part_create(source, event, fds, FD_SOUND, handle_sound, &source->sound);
	}
	if (rc == 0) {
		rc = channel_open(&source->input, event, fds_take(fds, FD_INPUT), PEER_STREAM,
				PEER_DESKTOP, &from_desktop, source);
	}
	return rc;
}

int source_create(struct sd_event *event, const struct ipc_message *message, struct ipc_fds *fds,
		const struct source_events *events, void *user, struct source **out) {
	OWN(source_destroy) struct source *source = calloc(1, sizeof(*source));
	if (!source) {
		return -ENOMEM;
	}
	*source = (struct source){
		.id = message->stream_source.source,
		.reference_invalidation = message->stream_source.reference_invalidation,
		.input.fd = -1,
		.events = events,
		.user = user,
	};
	int rc = open_all(source, event, fds);
	if (rc == 0) {
		*out = TAKE(source, NULL);
	}
	return rc;
}

static int replace(struct source *source, struct sd_event *event, struct ipc_fds *fds,
		sd_event_io_handler_t handler, struct source_part **at) {
	struct source_part *part;
	int rc = part_create(source, event, fds, 0, handler, &part);
	if (rc == 0) {
		part_destroy(*at);
		*at = part;
	}
	return rc;
}

int source_replace_pictures(struct source *source, struct sd_event *event,
		const struct ipc_message *message, struct ipc_fds *fds) {
	int rc = replace(source, event, fds, handle_pictures, &source->pictures);
	if (rc == 0) {
		source->reference_invalidation = message->stream_part.reference_invalidation;
	}
	return rc;
}

int source_replace_sound(struct source *source, struct sd_event *event, struct ipc_fds *fds) {
	return replace(source, event, fds, handle_sound, &source->sound);
}

void source_destroy(struct source *source) {
	if (!source) {
		return;
	}
	part_destroy(source->pictures);
	part_destroy(source->sound);
	channel_close(&source->input);
	free(source);
}

void source_ask_key(struct source *source, uint32_t why) {
	struct ipc_message message = { .kind = IPC_KEYFRAME_ASK, .keyframe_ask.why = why };
	channel_post(&source->pictures->requests, &message, NULL, 0);
}

void source_invalidate(struct source *source, uint64_t first, uint64_t last) {
	struct ipc_message message = {
		.kind = IPC_INVALIDATE,
		.invalidate = { .first = first, .last = last },
	};
	channel_post(&source->pictures->requests, &message, NULL, 0);
}

void source_input(struct source *source, const struct ipc_message *message) {
	if (channel_send(&source->input, message, NULL, 0) < 0) {
		source->inputs_lost++;
	}
}

static uint64_t newest_key(const struct source *source, uint64_t from, uint64_t since_ns) {
	uint64_t newest = ring_newest(&source->pictures->ring);
	for (uint64_t sequence = newest; sequence > 0 && sequence >= from; sequence--) {
		struct ring_packet packet;
		int rc = ring_peek(&source->pictures->ring, sequence, &packet);
		if (rc < 0 || packet.encode_end_ns < since_ns) {
			return 0; /* the older ones are gone, or too old as well */
		}
		if (packet.flags & RING_KEY) {
			return sequence;
		}
	}
	return 0;
}

bool source_seek_key(struct source *source, uint64_t from) {
	uint64_t key = newest_key(source, from, 0);
	source->pictures->ring.next = key ? key : ring_newest(&source->pictures->ring) + 1;
	return key != 0;
}

uint64_t source_fresh_key(const struct source *source, uint64_t since_ns) {
	return newest_key(source, 1, since_ns);
}
