/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "viewer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/page.h"
#include "ipc/pulse.h"
#include "proto/ping.h"

extern char **environ;

enum {
	RING_BYTES = 8 << 20,
	SOUND_SIZE = 120,
	CONNECT_DATA = 0x5eed1234,
	FRAME_MAX = 2 << 20,
};

static const uint8_t ping_secret[FLOWS][PING_SECRET_SIZE] = {
	[FLOW_VIDEO] = "00112233445566VI",
	[FLOW_AUDIO] = "00112233445566AU",
};

/* Picture `number`: NAL units that say what it is, then bytes that follow from
 * the number; no start code can come up in them. */
static void make_picture(uint64_t number, bool key, uint8_t *out, size_t size) {
	static const uint8_t key_head[] = { 0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 0, 1, 0x68, 4, 0, 0, 0,
		1, 0x65 };
	static const uint8_t p_head[] = { 0, 0, 0, 1, 0x41 };
	size_t head = key ? sizeof(key_head) : sizeof(p_head);
	memcpy(out, key ? key_head : p_head, head);
	for (size_t i = 0; i < 8; i++) {
		out[head + i] = (uint8_t)(0x10 | (number >> (4 * i) & 15));
	}
	uint32_t random = (uint32_t)number * 2654435761u + 1;
	for (size_t i = head + 8; i < size; i++) {
		random = random * 1664525 + 1013904223;
		out[i] = (uint8_t)(random >> 24 | 4);
	}
}

static uint64_t picture_number(const struct video_received *frame) {
	size_t head = frame->key ? 19 : 5;
	uint64_t number = 0;
	for (size_t i = 0; i < 8 && head + i < frame->size; i++) {
		number |= (uint64_t)(frame->data[head + i] & 15) << (4 * i);
	}
	return number;
}

static void make_sound(uint64_t number, uint8_t *out) {
	for (size_t i = 0; i < SOUND_SIZE; i++) {
		out[i] = (uint8_t)(number * 31 + i);
	}
	memcpy(out, &number, sizeof(number));
}

static void wake(int fd) {
	uint64_t one = 1;
	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

uint64_t viewer_write(struct viewer *viewer, unsigned source, size_t size, uint32_t flags,
		uint64_t references) {
	static uint8_t bytes[FRAME_MAX];
	struct viewer_source *from = &viewer->sources[source];
	uint64_t number = from->pictures.sequence + 1 + 1000000ull * source;
	make_picture(number, flags & RING_KEY, bytes, size);
	uint64_t now_ns = clock_now_ns();
	struct ring_packet packet = {
		.flags = flags,
		.references = flags & RING_KEY ? 0
			      : references     ? references
					       : from->pictures.sequence,
		.picture = number,
		.commit_ns = now_ns - 3 * NS_PER_MS,
		.rendered_ns = now_ns - 2 * NS_PER_MS,
		.convert_ns = now_ns - 2 * NS_PER_MS + 1000,
		.handed_ns = now_ns - NS_PER_MS,
		.encode_begin_ns = now_ns - NS_PER_MS + 1000,
		.encode_end_ns = now_ns,
	};
	assert_int_equal(ring_write(&from->pictures, &packet, bytes, size), 0);
	wake(from->pictures_event);
	return number;
}

uint64_t viewer_write_sound(struct viewer *viewer, unsigned source, uint32_t flags) {
	uint8_t bytes[SOUND_SIZE];
	struct viewer_source *from = &viewer->sources[source];
	uint64_t number = from->sound.sequence + 1 + 1000000ull * source;
	make_sound(number, bytes);
	struct ring_packet packet = { .flags = flags };
	assert_int_equal(ring_write(&from->sound, &packet, bytes, sizeof(bytes)), 0);
	wake(from->sound_event);
	return number;
}

void viewer_say(struct viewer *viewer, const struct ipc_message *message) {
	assert_int_equal(channel_send_fd(viewer->channel, message, NULL, 0), 0);
}

static void open_source(struct viewer_source *source) {
	assert_int_equal(ring_create(RING_BYTES, &source->pictures), 0);
	assert_int_equal(ring_create(64 << 10, &source->sound), 0);
	source->pictures_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	source->sound_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void viewer_offer_source(struct viewer *viewer, unsigned index) {
	struct viewer_source *source = &viewer->sources[index];
	int requests[2], sound_requests[2], input[2];
	open_source(source);
	assert_int_equal(channel_pair(requests), 0);
	assert_int_equal(channel_pair(sound_requests), 0);
	assert_int_equal(channel_pair(input), 0);
	source->picture_requests = requests[0];
	source->sound_requests = sound_requests[0];
	source->input = input[0];
	struct ipc_message message = {
		.kind = IPC_STREAM_SOURCE,
		.stream_source = { .source = index + 1,
				.reference_invalidation = viewer->config.invalidates },
	};
	int fds[7] = { source->pictures.shm.fd, source->pictures_event, requests[1],
		source->sound.shm.fd, source->sound_event, sound_requests[1], input[1] };
	assert_int_equal(channel_send_fd(viewer->channel, &message, fds, ARRAY_LEN(fds)), 0);
	fd_close(requests[1]);
	fd_close(sound_requests[1]);
	fd_close(input[1]);
}

static void spawn(struct viewer *viewer, int fd) {
	char *argv[] = { (char *)(uintptr_t)PERIGEE_STREAM, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 3);
	assert_int_equal(posix_spawn(&viewer->pid, PERIGEE_STREAM, &actions, NULL, argv, environ),
			0);
	posix_spawn_file_actions_destroy(&actions);
}

static void send_starts(struct viewer *viewer) {
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &viewer->pulse), 0);
	assert_int_equal(page_create(&viewer->page), 0);
	struct ipc_message start = {
		.kind = IPC_START,
		.start = { .worker = 1,
				.session = 2,
				.log_level = LOG_LEVEL_WARNING,
				.name = "test" },
	};
	assert_int_equal(channel_send_fd(viewer->channel, &start, &viewer->pulse.fd, 1), 0);
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
			.connect_data = CONNECT_DATA,
			.enet_peer = 0x321,
			.incarnation = 1,
			.trace = "trace",
		},
	};
	assert_int_equal(channel_send_fd(viewer->channel, &stream, &viewer->page.fd, 1), 0);
}

static void open_receivers(struct viewer *viewer) {
	struct video_receive_config video = {
		.key = viewer->config.encryption & ENCRYPT_VIDEO ? &viewer->key : NULL,
		.codec = VIDEO_H264,
		.packet_size = viewer->config.packet_size,
		.can_invalidate = viewer->config.invalidates,
	};
	struct audio_format audio = {
		.duration_ms = 5,
		.encrypted = viewer->config.encryption & ENCRYPT_AUDIO,
		.key_id = 0x12345678,
	};
	assert_int_equal(video_receiver_create(&video, &viewer->video), 0);
	assert_int_equal(audio_receiver_create(&audio, audio.encrypted ? &viewer->key : NULL,
					 &viewer->audio),
			0);
}

struct viewer *viewer_create(struct viewer_config config) {
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	assert_non_null(viewer);
	viewer->config = config;
	viewer->config.packet_size = config.packet_size ? config.packet_size : 1392;
	viewer->config.kbps = config.kbps ? config.kbps : 50000;
	viewer->random = 12345;
	memcpy(viewer->key.bytes, "sixteen bytes !!", sizeof(viewer->key.bytes));
	for (int i = 0; i < FLOWS; i++) {
		viewer->sockets[i] = -1;
	}
	for (int i = 0; i < VIEWER_SOURCES; i++) {
		struct viewer_source *source = &viewer->sources[i];
		source->pictures.shm = source->sound.shm = SHM_NONE;
		source->pictures_event = source->sound_event = source->picture_requests = -1;
		source->sound_requests = source->input = -1;
	}
	int fds[2];
	assert_int_equal(channel_pair(fds), 0);
	viewer->channel = fds[0];
	spawn(viewer, fds[1]);
	fd_close(fds[1]);
	open_receivers(viewer);
	viewer->now_ms = clock_now_ms();
	client_control_init(&viewer->control, &viewer->key, CONNECT_DATA, viewer->now_ms);
	send_starts(viewer);
	viewer_offer_source(viewer, 0);
	return viewer;
}

static void reap(struct viewer *viewer) {
	if (viewer->pid > 0) {
		assert_int_equal(waitpid(viewer->pid, &viewer->status, 0), viewer->pid);
		viewer->pid = 0;
		viewer->exited = true;
	}
}

void viewer_destroy(struct viewer *viewer) {
	if (viewer->pid > 0) {
		kill(viewer->pid, SIGKILL);
		reap(viewer);
	}
	for (int i = 0; i < VIEWER_SOURCES; i++) {
		struct viewer_source *source = &viewer->sources[i];
		ring_writer_finish(&source->pictures);
		ring_writer_finish(&source->sound);
		fd_close(source->pictures_event);
		fd_close(source->sound_event);
		fd_close(source->picture_requests);
		fd_close(source->sound_requests);
		fd_close(source->input);
	}
	for (int i = 0; i < FLOWS; i++) {
		fd_close(viewer->sockets[i]);
	}
	fd_close(viewer->channel);
	video_receiver_destroy(viewer->video);
	audio_receiver_destroy(viewer->audio);
	client_control_finish(&viewer->control);
	shm_finish(&viewer->pulse);
	shm_finish(&viewer->page);
	free(viewer);
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
	assert_int_equal(channel_send_fd(viewer->channel, &message, &host, 1), 0);
	fd_close(host);
	fd_close(viewer->sockets[flow]);
	viewer->sockets[flow] = client;
}

static void take_message(struct viewer *viewer) {
	struct ipc_message message;
	struct ipc_fds fds;
	int rc = channel_receive_fd(
			viewer->channel, PEER_SUPERVISOR, PEER_STREAM, 0, &message, &fds);
	if (rc < 0) {
		assert_int_equal(rc, -ECANCELED); /* the end */
		reap(viewer);
		return;
	}
	switch (message.kind) {
	case IPC_STREAM_FIRST:
		viewer->first = true;
		break;
	case IPC_STREAM_LOST:
		viewer->lost = true;
		viewer->lost_reason = message.stream_lost.reason;
		break;
	case IPC_STREAM_SOURCE_ACTIVE:
		viewer->actives++;
		viewer->active = message;
		break;
	case IPC_STREAM_STATS:
		viewer->stats = message;
		break;
	case IPC_STOPPED:
		viewer->stopped = true;
		viewer->stopped_reason = message.stopped.reason;
		break;
	default:
		assert_int_equal(message.kind, IPC_HELLO);
	}
}

static void take_request(struct viewer_source *source) {
	struct ipc_message message;
	struct ipc_fds fds;
	if (channel_receive_fd(source->picture_requests, PEER_ENCODER, PEER_STREAM, 0, &message,
			    &fds) < 0) {
		fd_release(&source->picture_requests);
	} else if (message.kind == IPC_KEYFRAME_ASK) {
		source->key_asks++;
	} else {
		source->invalidations++;
		source->first = message.invalidate.first;
		source->last = message.invalidate.last;
	}
}

static void take_input(struct viewer_source *source) {
	struct ipc_message message;
	struct ipc_fds fds;
	if (channel_receive_fd(source->input, PEER_DESKTOP, PEER_STREAM, 0, &message, &fds) < 0) {
		fd_release(&source->input);
	} else if (message.kind == IPC_INPUT_RELEASE) {
		source->releases++;
	} else {
		assert_true(source->input_count < VIEWER_INPUTS_MAX);
		source->inputs[source->input_count++] = message;
	}
}

static void check_frame(struct viewer *viewer, const struct video_received *frame) {
	static uint8_t expected[FRAME_MAX];
	bool next = frame->frame_index > viewer->newest_index;
	bool later = viewer->newest_index == 0 ||
		     (int32_t)(frame->timestamp_90k - viewer->newest_timestamp) > 0;
	uint64_t number = picture_number(frame);
	viewer->newest_index = frame->frame_index;
	viewer->newest_timestamp = frame->timestamp_90k;
	viewer->newest_type = frame->type;
	if (!frame->decodable) {
		viewer->dropped++;
		return;
	}
	make_picture(number, frame->key, expected, frame->size);
	if (!next || !later || number <= viewer->newest_picture || frame->latency_100us < 20 ||
			frame->key != (frame->type == VIDEO_FRAME_IDR) ||
			memcmp(expected, frame->data, frame->size) != 0) {
		viewer->wrong++;
	}
	viewer->newest_picture = number;
	viewer->frames++;
	viewer->keys += frame->key;
	viewer->recoveries += frame->type == VIDEO_FRAME_AFTER_INVALIDATION;
}

/* The client asks as real ones do. */
static void send_request(struct viewer *viewer) {
	struct video_request request = video_receive_request(viewer->video);
	if (request.kind == VIDEO_ASK_IDR) {
		client_control_kind(&viewer->control, 1, CONTROL_REQUEST_IDR);
	} else if (request.kind == VIDEO_ASK_INVALIDATE) {
		struct control_message message = { .kind = CONTROL_INVALIDATE,
			.invalidate = { request.first, request.last } };
		client_control_say(&viewer->control, 1, &message);
	}
}

static void take_video(struct viewer *viewer, const uint8_t *datagram, size_t len) {
	struct video_received frame;
	viewer->datagrams++;
	viewer->random = viewer->random * 1664525 + 1013904223;
	if (viewer->random >> 16 < viewer->config.loss * 65536 / 1000) {
		return;
	}
	if (video_receive(viewer->video, datagram, len, &frame) == 1) {
		check_frame(viewer, &frame);
	}
	send_request(viewer);
}

static void take_audio(struct viewer *viewer, const uint8_t *datagram, size_t len) {
	struct audio_received sound;
	if (audio_receive(viewer->audio, datagram, len) < 0) {
		viewer->sounds_wrong += datagram[1] != AUDIO_TYPE_FEC;
	}
	while (audio_receive_next(viewer->audio, &sound) == 0) {
		uint8_t expected[SOUND_SIZE];
		uint64_t number = 0;
		if (!sound.data || sound.size != SOUND_SIZE) {
			viewer->sounds_wrong++;
			continue;
		}
		memcpy(&number, sound.data, sizeof(number));
		make_sound(number, expected);
		viewer->sounds_wrong += memcmp(expected, sound.data, SOUND_SIZE) != 0;
		viewer->sounds_wrong += viewer->sounds > 0 &&
					sound.timestamp != viewer->sound_timestamp + 5;
		viewer->sounds++;
		viewer->sound_timestamp = sound.timestamp;
		viewer->newest_sound = number;
	}
}

static void take_datagrams(struct viewer *viewer, enum ipc_flow flow) {
	uint8_t bytes[2048];
	ssize_t len;
	while ((len = recv(viewer->sockets[flow], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		if (flow == FLOW_VIDEO) {
			take_video(viewer, bytes, (size_t)len);
		} else if (flow == FLOW_AUDIO) {
			take_audio(viewer, bytes, (size_t)len);
		} else {
			client_control_receive(
					&viewer->control, bytes, (size_t)len, clock_now_ms());
		}
	}
	viewer->refused[flow] += len < 0 && errno == ECONNREFUSED;
}

static uint64_t flush_control(struct viewer *viewer) {
	uint8_t bytes[ENET_MTU];
	size_t len;
	if (viewer->sockets[FLOW_CONTROL] < 0) {
		return UINT64_MAX;
	}
	while ((len = enet_peer_transmit(
				&viewer->control.peer, clock_now_ms(), bytes, sizeof(bytes)))) {
		(void)!send(viewer->sockets[FLOW_CONTROL], bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	return enet_peer_next_deadline(&viewer->control.peer);
}

static void turn(struct viewer *viewer, uint64_t until_ns) {
	struct pollfd fds[FLOWS + 1 + 2 * VIEWER_SOURCES];
	nfds_t n = 0;
	for (int i = 0; i < FLOWS; i++) {
		bool heard = i != FLOW_VIDEO || !viewer->deaf;
		fds[n++] = (struct pollfd){ .fd = heard ? viewer->sockets[i] : -1,
			.events = POLLIN };
	}
	for (int i = 0; i < VIEWER_SOURCES; i++) {
		fds[n++] = (struct pollfd){ .fd = viewer->sources[i].picture_requests,
			.events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = viewer->sources[i].input, .events = POLLIN };
	}
	fds[n++] = (struct pollfd){ .fd = viewer->exited ? -1 : viewer->channel, .events = POLLIN };
	uint64_t deadline_ms = flush_control(viewer), now_ns = clock_now_ns();
	uint64_t deadline_ns =
			deadline_ms < until_ns / NS_PER_MS ? deadline_ms * NS_PER_MS : until_ns;
	uint64_t wait_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	struct timespec wait = { .tv_sec = (time_t)(wait_ns / NS_PER_S),
		.tv_nsec = (long)(wait_ns % NS_PER_S) };
	ppoll(fds, n, &wait, NULL);
	for (int i = 0; i < FLOWS; i++) {
		if (fds[i].revents) {
			take_datagrams(viewer, (enum ipc_flow)i);
		}
	}
	for (int i = 0; i < VIEWER_SOURCES; i++) {
		if (fds[FLOWS + 2 * i].revents) {
			take_request(&viewer->sources[i]);
		}
		if (fds[FLOWS + 2 * i + 1].revents) {
			take_input(&viewer->sources[i]);
		}
	}
	if (fds[n - 1].revents) {
		take_message(viewer);
	}
}

bool viewer_until(struct viewer *viewer, bool (*done)(struct viewer *viewer), int timeout_ms) {
	uint64_t until_ms = clock_now_ms() + (uint64_t)timeout_ms;
	while (!done(viewer)) {
		if (clock_now_ms() >= until_ms) {
			return false;
		}
		turn(viewer, until_ms * NS_PER_MS);
	}
	flush_control(viewer);
	return true;
}

void viewer_until_ns(struct viewer *viewer, uint64_t until_ns) {
	while (clock_now_ns() < until_ns) {
		turn(viewer, until_ns);
	}
}

static bool is_connected(struct viewer *viewer) {
	return viewer->control.connected;
}

static bool is_ready(struct viewer *viewer) {
	return viewer->control.connected && viewer->control.hdr_said &&
	       viewer->sources[0].key_asks > 0;
}

static bool has_first_frame(struct viewer *viewer) {
	return viewer->first && viewer->frames > 0 && viewer->actives > 0;
}

void viewer_connect(struct viewer *viewer) {
	viewer_open_flow(viewer, FLOW_CONTROL, 0);
	viewer_open_flow(viewer, FLOW_VIDEO, 1);
	viewer_open_flow(viewer, FLOW_AUDIO, 1);
	assert_true(viewer_until(viewer, is_connected, VIEWER_WAIT_MS));
	client_control_kind(&viewer->control, 1, CONTROL_REQUEST_IDR);
	client_control_kind(&viewer->control, 0, CONTROL_START_B);
	assert_true(viewer_until(viewer, is_ready, VIEWER_WAIT_MS));
	viewer_write(viewer, 0, 5000, RING_KEY, 0);
	assert_true(viewer_until(viewer, has_first_frame, VIEWER_WAIT_MS));
	assert_int_equal(viewer->newest_index, 1);
	assert_int_equal(viewer->newest_type, VIDEO_FRAME_IDR);
	viewer->sources[0].key_asks = 0;
}
