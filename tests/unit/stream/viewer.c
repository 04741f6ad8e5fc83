/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "viewer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/page.h"
#include "ipc/pulse.h"
#include "proto/ping.h"

enum {
	SOUND_SIZE = 120,
	FRAME_MAX = 2 << 20,
};

/* What is sent under a sequence once is sent again the same or not at all: its IV
 * follows from the sequence. */
static void viewer_note_sound(struct viewer *viewer, const uint8_t *datagram, size_t len) {
	if (len < AUDIO_RTP_SIZE || (datagram[1] & 0x7f) != AUDIO_TYPE_OPUS) {
		return;
	}
	uint16_t sequence = (uint16_t)(datagram[2] << 8 | datagram[3]);
	uint64_t hash = 14695981039346656037u;
	for (size_t i = AUDIO_RTP_SIZE; i < len; i++) {
		hash = (hash ^ datagram[i]) * 1099511628211u;
	}
	uint64_t *seen = &viewer->sound_hashes[sequence % VIEWER_SOUNDS_MAX];
	viewer->sounds_reused += *seen && *seen != hash;
	*seen = hash;
}

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
	uint64_t number = from->pictures_before + from->pictures.sequence + 1 + 1000000ull * source;
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
	uint64_t number = from->sound_before + from->sound.sequence + 1 + 1000000ull * source;
	make_sound(number, bytes);
	struct ring_packet packet = { .flags = flags };
	assert_int_equal(ring_write(&from->sound, &packet, bytes, sizeof(bytes)), 0);
	wake(from->sound_event);
	return number;
}

void viewer_say(struct viewer *viewer, const struct ipc_message *message) {
	assert_int_equal(channel_send_fd(viewer->channel, message, NULL, 0), 0);
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
		viewer->flows[i].taken_fd = viewer->flows[i].offered_fd = -1;
	}
	for (int i = 0; i < VIEWER_SOURCES; i++) {
		struct viewer_source *source = &viewer->sources[i];
		source->pictures.shm = source->sound.shm = SHM_NONE;
		source->pictures_event = source->sound_event = source->picture_requests = -1;
		source->sound_requests = source->input = -1;
	}
	viewer->channel = -1;
	viewer->pulse = SHM_NONE;
	assert_int_equal(page_create(&viewer->page), 0);
	viewer_spawn(viewer);
	open_receivers(viewer);
	viewer->now_ms = clock_now_ms();
	client_control_init(&viewer->control, &viewer->key, VIEWER_CONNECT_DATA, viewer->now_ms);
	viewer_start(viewer);
	viewer_offer_source(viewer, 0);
	return viewer;
}

void viewer_reap(struct viewer *viewer) {
	if (viewer->pid > 0) {
		assert_int_equal(waitpid(viewer->pid, &viewer->status, 0), viewer->pid);
		viewer->pid = 0;
		viewer->exited = true;
	}
}

bool viewer_has_newest(struct viewer *viewer) {
	const struct viewer_source *source = &viewer->sources[0];
	return viewer->newest_picture == source->pictures_before + source->pictures.sequence;
}

bool viewer_has_newest_sound(struct viewer *viewer) {
	const struct viewer_source *source = &viewer->sources[0];
	return viewer->newest_sound == source->sound_before + source->sound.sequence;
}

void viewer_destroy(struct viewer *viewer) {
	if (viewer->pid > 0) {
		kill(viewer->pid, SIGKILL);
		viewer_reap(viewer);
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
		fd_close(viewer->flows[i].taken_fd);
		fd_close(viewer->flows[i].offered_fd);
	}
	fd_close(viewer->channel);
	video_receiver_destroy(viewer->video);
	audio_receiver_destroy(viewer->audio);
	client_control_finish(&viewer->control);
	shm_finish(&viewer->pulse);
	shm_finish(&viewer->page);
	free(viewer);
}

static void take_message(struct viewer *viewer) {
	struct ipc_message message;
	struct ipc_fds fds;
	int rc = channel_receive_fd(
			viewer->channel, PEER_SUPERVISOR, PEER_STREAM, 0, &message, &fds);
	if (rc < 0) {
		assert_int_equal(rc, -ECANCELED); /* the end */
		viewer_reap(viewer);
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
	case IPC_STREAM_FLOW:
		viewer_note_answer(viewer, &message);
		break;
	case IPC_FLOW_PROVEN:
		viewer->proven++;
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
	viewer_note_sound(viewer, datagram, len);
	struct audio_received sound;
	if (audio_receive(viewer->audio, datagram, len) < 0) {
		viewer->sounds_wrong += datagram[1] != AUDIO_TYPE_FEC;
	}
	while (audio_receive_next(viewer->audio, &sound) == 0) {
		uint8_t expected[SOUND_SIZE];
		uint64_t number = 0;
		if (!sound.data || sound.size != SOUND_SIZE) {
			viewer->sounds_wrong += !viewer->sound_may_jump;
			continue;
		}
		memcpy(&number, sound.data, sizeof(number));
		make_sound(number, expected);
		viewer->sounds_wrong += memcmp(expected, sound.data, SOUND_SIZE) != 0;
		viewer->sounds_wrong += viewer->sounds > 0 &&
					sound.timestamp != viewer->sound_timestamp + 5 &&
					!viewer->sound_may_jump;
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

void viewer_step(struct viewer *viewer, uint64_t until_ms) {
	turn(viewer, until_ms * NS_PER_MS);
	flush_control(viewer);
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
