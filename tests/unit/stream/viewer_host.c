/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "viewer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/page.h"
#include "ipc/pulse.h"
#include "proto/ping.h"

extern char **environ;

enum {
	RING_BYTES = 8 << 20,
};

static const uint8_t ping_secret[FLOWS][PING_SECRET_SIZE] = {
	[FLOW_VIDEO] = "00112233445566VI",
	[FLOW_AUDIO] = "00112233445566AU",
};

/* Who is dead does not take it; its successor is told again. */
static void tell(struct viewer *viewer, const struct ipc_message *message, const int *fds,
		size_t n_fds) {
	int rc = channel_send_fd(viewer->channel, message, fds, n_fds);
	assert_true(rc == 0 || rc == -EPIPE || rc == -ECONNRESET);
}

static void open_pictures(struct viewer_source *source) {
	assert_int_equal(ring_create(RING_BYTES, &source->pictures), 0);
}

static void open_sound(struct viewer_source *source) {
	assert_int_equal(ring_create(64 << 10, &source->sound), 0);
}

/* What a desktop reads of a channel before it takes another for the same viewer. */
static void drain_input(struct viewer_source *source) {
	struct ipc_message message;
	struct ipc_fds fds;
	while (source->input >= 0 && channel_receive_fd(source->input, PEER_DESKTOP, PEER_STREAM, 0,
						     &message, &fds) == 0) {
		if (message.kind == IPC_INPUT) {
			assert_true(source->input_count < VIEWER_INPUTS_MAX);
			source->inputs[source->input_count++] = message;
		}
	}
}

static void new_reader(int *event, int *requests, int *theirs) {
	int pair[2];
	fd_close(*event);
	fd_close(*requests);
	*event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(channel_pair(pair), 0);
	*requests = pair[0];
	*theirs = pair[1];
}

static void offer(struct viewer *viewer, unsigned index) {
	struct viewer_source *source = &viewer->sources[index];
	int requests, sound_requests, input[2];
	new_reader(&source->pictures_event, &source->picture_requests, &requests);
	new_reader(&source->sound_event, &source->sound_requests, &sound_requests);
	assert_int_equal(channel_pair(input), 0);
	drain_input(source);
	fd_close(source->input);
	source->input = input[0];
	struct ipc_message message = {
		.kind = IPC_STREAM_SOURCE,
		.stream_source = { .source = index + 1,
				.reference_invalidation = viewer->config.invalidates },
	};
	int fds[7] = { source->pictures.shm.fd, source->pictures_event, requests,
		source->sound.shm.fd, source->sound_event, sound_requests, input[1] };
	tell(viewer, &message, fds, ARRAY_LEN(fds));
	fd_close(requests);
	fd_close(sound_requests);
	fd_close(input[1]);
}

void viewer_offer_source(struct viewer *viewer, unsigned index) {
	open_pictures(&viewer->sources[index]);
	open_sound(&viewer->sources[index]);
	offer(viewer, index);
}

void viewer_replace_part(struct viewer *viewer, enum ipc_kind kind) {
	struct viewer_source *source = &viewer->sources[0];
	bool pictures = kind == IPC_STREAM_PICTURES;
	struct ring_writer *ring = pictures ? &source->pictures : &source->sound;
	*(pictures ? &source->pictures_before : &source->sound_before) += ring->sequence;
	ring_writer_finish(ring);
	int requests;
	if (pictures) {
		open_pictures(source);
		new_reader(&source->pictures_event, &source->picture_requests, &requests);
	} else {
		open_sound(source);
		new_reader(&source->sound_event, &source->sound_requests, &requests);
	}
	struct ipc_message message = {
		.kind = kind,
		.stream_part = { .source = 1,
				.reference_invalidation = pictures && viewer->config.invalidates },
	};
	int fds[3] = { ring->shm.fd, pictures ? source->pictures_event : source->sound_event,
		requests };
	tell(viewer, &message, fds, ARRAY_LEN(fds));
	fd_close(requests);
}

static void spawn(struct viewer *viewer, int fd) {
	const char *program = viewer->config.program ? viewer->config.program : PERIGEE_STREAM;
	char *argv[] = { (char *)(uintptr_t)program, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 3);
	assert_int_equal(posix_spawn(&viewer->pid, program, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
}

void viewer_spawn(struct viewer *viewer) {
	int fds[2];
	assert_int_equal(channel_pair(fds), 0);
	fd_close(viewer->channel);
	viewer->channel = fds[0];
	spawn(viewer, fds[1]);
	fd_close(fds[1]);
	viewer->exited = false;
}

void viewer_start(struct viewer *viewer) {
	shm_finish(&viewer->pulse);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &viewer->pulse), 0);
	struct ipc_message start = {
		.kind = IPC_START,
		.start = { .worker = 1,
				.session = 2,
				.log_level = LOG_LEVEL_WARNING,
				.name = "test" },
	};
	tell(viewer, &start, &viewer->pulse.fd, 1);
	struct ipc_message stream = {
		.kind = IPC_STREAM_START,
		.stream_start = {
			.key = viewer->key,
			.key_id = 0x12345678,
			.params = {
				.width = 1920,
				.height = 1080,
				.rate_x100 = 6000,
				.bitrate_kbps = viewer->config.kbps,
				.packet_size = viewer->config.packet_size,
				.references = viewer->config.references,
				.encryption = viewer->config.encryption,
				.channels = 2,
				.sound_ms = 5,
				.fec_minimum = 2,
				.video_qos = 1,
				.audio_qos = 1,
			},
			.connect_data = VIEWER_CONNECT_DATA,
			.enet_peer = 0x321,
			.incarnation = ++viewer->incarnation,
			.trace = "trace",
		},
	};
	tell(viewer, &stream, &viewer->page.fd, 1);
}

static int bound_socket(struct sockaddr_in *out) {
	int room = 8 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	*out = (struct sockaddr_in){ .sin_family = AF_INET };
	out->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t len = sizeof(*out);
	assert_int_equal(bind(fd, (struct sockaddr *)out, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)out, &len), 0);
	return fd;
}

void viewer_open_flow(struct viewer *viewer, enum ipc_flow flow, uint32_t counter) {
	struct sockaddr_in ours, theirs;
	int client = bound_socket(&ours), host = bound_socket(&theirs), pair[2];
	assert_int_equal(connect(client, (struct sockaddr *)&theirs, sizeof(theirs)), 0);
	assert_int_equal(connect(host, (struct sockaddr *)&ours, sizeof(ours)), 0);
	if (viewer->config.narrow && flow == FLOW_VIDEO) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
		fd_close(client);
		fd_close(host);
		client = pair[0];
		host = pair[1];
	}
	struct ipc_message message = {
		.kind = IPC_FLOW,
		.flow = { .session = 2, .flow = (uint8_t)flow, .counter = counter },
	};
	assert_int_equal(address_from_sockaddr((struct sockaddr *)&ours, sizeof(ours),
					 &message.flow.peer),
			0);
	if (flow == FLOW_CONTROL) {
		message.flow.datagram_len = (uint16_t)enet_peer_transmit(&viewer->control.peer,
				clock_now_ms(), message.flow.datagram,
				sizeof(message.flow.datagram));
	} else {
		message.flow.datagram_len = PING_SIZE;
		ping_encode(ping_secret[flow], counter, message.flow.datagram);
	}
	tell(viewer, &message, &host, 1);
	fd_close(viewer->flows[flow].offered_fd);
	viewer->flows[flow].offered = message;
	viewer->flows[flow].offered_fd = host;
	fd_close(viewer->sockets[flow]);
	viewer->sockets[flow] = client;
}

void viewer_note_answer(struct viewer *viewer, const struct ipc_message *message) {
	struct viewer_flow *flow = &viewer->flows[message->stream_flow.flow];
	if (flow->offered_fd < 0) {
		return; /* about one that was handed over again */
	}
	if (message->stream_flow.taken) {
		fd_close(flow->taken_fd);
		flow->taken = flow->offered;
		flow->taken_fd = TAKE(flow->offered_fd, -1);
	}
	fd_release(&flow->offered_fd);
}

static void send_flow(struct viewer *viewer, const struct ipc_message *message, int fd) {
	if (fd >= 0) {
		tell(viewer, message, &fd, 1);
	}
}

void viewer_succeed(struct viewer *viewer) {
	assert_true(viewer->exited);
	viewer->sound_may_jump = true;
	viewer_spawn(viewer);
	viewer_start(viewer);
	offer(viewer, 0);
	for (int i = 0; i < FLOWS; i++) {
		struct viewer_flow *flow = &viewer->flows[i];
		/* It answers all in order; one place is enough for what tests do. */
		if (flow->offered_fd < 0) {
			flow->offered = flow->taken;
			flow->offered_fd = TAKE(flow->taken_fd, -1);
		} else {
			send_flow(viewer, &flow->taken, flow->taken_fd);
		}
		send_flow(viewer, &flow->offered, flow->offered_fd);
	}
}
