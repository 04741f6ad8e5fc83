/* SPDX-License-Identifier: MIT */
#include "stream/source.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <systemd/sd-event.h>

#include "base/clock.h"

enum source_fd {
	FD_PICTURES,
	FD_PICTURES_EVENT,
	FD_PICTURE_REQUESTS,
	FD_SOUND,
	FD_SOUND_EVENT,
	FD_SOUND_REQUESTS,
	FD_INPUT,
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
static int take_event(struct ipc_fds *fds, enum source_fd index) {
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

static int open_ring(struct ipc_fds *fds, enum source_fd index, struct ring_reader *out) {
	int rc = ring_open(fds->fd[index], out);
	if (rc == 0) {
		fds->fd[index] = -1;
	}
	return rc;
}

static int open_channel(struct sd_event *event, struct ipc_fds *fds, enum source_fd index,
		enum ipc_peer peer, struct channel *out) {
	return channel_open(out, event, fds_take(fds, index), PEER_STREAM, peer, &quiet, NULL);
}

static int open_all(struct source *source, struct sd_event *event, struct ipc_fds *fds) {
	int rc = open_ring(fds, FD_PICTURES, &source->pictures);
	if (rc == 0) {
		rc = open_ring(fds, FD_SOUND, &source->sound);
	}
	if (rc == 0) {
		rc = open_channel(event, fds, FD_PICTURE_REQUESTS, PEER_ENCODER,
				&source->picture_requests);
	}
	if (rc == 0) {
		rc = open_channel(event, fds, FD_SOUND_REQUESTS, PEER_ENCODER,
				&source->sound_requests);
	}
	if (rc == 0) {
		rc = open_channel(event, fds, FD_INPUT, PEER_DESKTOP, &source->input);
	}
	if (rc < 0) {
		return rc;
	}
	source->pictures_fd = take_event(fds, FD_PICTURES_EVENT);
	source->sound_fd = take_event(fds, FD_SOUND_EVENT);
	rc = sd_event_add_io(event, &source->pictures_io, source->pictures_fd, EPOLLIN,
			handle_pictures, source);
	if (rc >= 0) {
		rc = sd_event_add_io(event, &source->sound_io, source->sound_fd, EPOLLIN,
				handle_sound, source);
	}
	return rc < 0 ? rc : 0;
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
		.pictures.shm = SHM_NONE,
		.sound.shm = SHM_NONE,
		.pictures_fd = -1,
		.sound_fd = -1,
		.picture_requests.fd = -1,
		.sound_requests.fd = -1,
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

void source_destroy(struct source *source) {
	if (!source) {
		return;
	}
	sd_event_source_disable_unref(source->pictures_io);
	sd_event_source_disable_unref(source->sound_io);
	fd_close(source->pictures_fd);
	fd_close(source->sound_fd);
	channel_close(&source->picture_requests);
	channel_close(&source->sound_requests);
	channel_close(&source->input);
	ring_reader_finish(&source->pictures);
	ring_reader_finish(&source->sound);
	free(source);
}

void source_ask_key(struct source *source, uint32_t why) {
	struct ipc_message message = { .kind = IPC_KEYFRAME_ASK, .keyframe_ask.why = why };
	channel_post(&source->picture_requests, &message, NULL, 0);
}

void source_invalidate(struct source *source, uint64_t first, uint64_t last) {
	struct ipc_message message = {
		.kind = IPC_INVALIDATE,
		.invalidate = { .first = first, .last = last },
	};
	channel_post(&source->picture_requests, &message, NULL, 0);
}

void source_input(struct source *source, const struct ipc_message *message) {
	if (channel_send(&source->input, message, NULL, 0) < 0) {
		source->inputs_lost++;
	}
}

static uint64_t newest_key(const struct source *source, uint64_t from, uint64_t since_ns) {
	uint64_t newest = ring_newest(&source->pictures);
	for (uint64_t sequence = newest; sequence > 0 && sequence >= from; sequence--) {
		struct ring_packet packet;
		int rc = ring_peek(&source->pictures, sequence, &packet);
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
	source->pictures.next = key ? key : ring_newest(&source->pictures) + 1;
	return key != 0;
}

uint64_t source_fresh_key(const struct source *source, uint64_t since_ns) {
	return newest_key(source, 1, since_ns);
}
