/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_STREAM_VIEWER_H
#define TESTS_UNIT_STREAM_VIEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client_control.h"
#include "ipc/channel.h"
#include "ipc/ring.h"
#include "proto/audio_receive.h"
#include "proto/video_receive.h"

/* A real perigee-stream with everybody around it played by the test: the
 * supervisor on its channel, encoders behind the rings, a desktop at the input
 * channel and a client at the other end of three loopback sockets. */
enum {
	VIEWER_WAIT_MS = 10000, /* for anything that is to happen soon */
	VIEWER_SOURCES = 2,
	VIEWER_INPUTS_MAX = 64,
	VIEWER_SOUNDS_MAX = 4096, /* sequences, of which none comes twice in a test */
	VIEWER_CONNECT_DATA = 0x5eed1234,
};

struct viewer_source {
	struct ring_writer pictures, sound;
	uint64_t pictures_before, sound_before;      /* of encoders before this one */
	int pictures_event, sound_event;             /* owned */
	int picture_requests, sound_requests, input; /* owned: our ends */
	unsigned key_asks, invalidations, releases;
	uint64_t first, last; /* of the newest INVALIDATE */
	unsigned input_count;
	struct ipc_message inputs[VIEWER_INPUTS_MAX];
	uint64_t encoded; /* bytes of pictures are made from this, see viewer_picture() */
};

/* The host's side of a flow, as the supervisor keeps it. */
struct viewer_flow {
	struct ipc_message taken, offered;
	int taken_fd, offered_fd; /* owned, -1: none */
};

struct viewer_config {
	uint8_t encryption;   /* ENCRYPT_ bits */
	uint8_t references;   /* as in ipc_stream_params */
	bool invalidates;     /* the encoders and the client can */
	uint16_t packet_size; /* 0: 1392 */
	uint32_t kbps;        /* 0: 50000 */
	bool narrow;          /* the video flow is a Unix socket: it fills up, unlike loopback */
	unsigned loss;        /* datagrams of video that the client misses, of 1000 */
	const char *program;  /* NULL: perigee-stream */
};

struct viewer {
	struct viewer_config config;
	struct secret key;
	pid_t pid;
	uint32_t incarnation;
	int channel; /* owned: the supervisor's end */
	struct shm pulse, page;
	struct viewer_source sources[VIEWER_SOURCES];
	int sockets[FLOWS]; /* owned: the client's */
	struct viewer_flow flows[FLOWS];
	struct client_control control;
	struct video_receiver *video;
	struct audio_receiver *audio;
	uint32_t random;

	/* what the supervisor heard */
	bool first, lost, stopped, exited;
	uint32_t lost_reason, stopped_reason;
	unsigned actives;
	unsigned proven; /* addresses that the stream vouched for */
	struct ipc_message active, stats;
	int status; /* of waitpid */

	/* what the client saw */
	unsigned frames, recoveries, keys, dropped; /* frames: whole and decodable */
	uint32_t newest_index;
	uint64_t newest_picture; /* which viewer_picture() it was */
	enum video_frame_type newest_type;
	uint32_t newest_timestamp;
	unsigned wrong; /* frames that are not as they were written, or out of order */
	unsigned sounds, sounds_wrong;
	uint32_t sound_timestamp;
	uint64_t newest_sound;
	bool sound_may_jump; /* a begun group is given up when somebody dies */
	unsigned sounds_reused;
	uint64_t sound_hashes[VIEWER_SOUNDS_MAX];
	unsigned datagrams;
	unsigned refused[FLOWS]; /* ECONNREFUSED: the host's socket is gone */
	bool deaf;               /* the client does not read its video socket */
	uint64_t now_ms;
};

/* The program starts, has its start messages and source 0; no flow yet. */
struct viewer *viewer_create(struct viewer_config config);
void viewer_destroy(struct viewer *viewer);

/* Announces source `index` (its number is index + 1). */
void viewer_offer_source(struct viewer *viewer, unsigned index);

/* Hands over a flow with its first datagram, through a fresh pair of sockets. */
void viewer_open_flow(struct viewer *viewer, enum ipc_flow flow, uint32_t counter);

/* All three flows, ENet's handshake, start A and B, and the first key frame. */
void viewer_connect(struct viewer *viewer);

/* Moves everything until done() or the deadline; true when done. */
bool viewer_until(struct viewer *viewer, bool (*done)(struct viewer *viewer), int timeout_ms);

/* Waits for one thing to happen, until then at the latest, and moves it. */
void viewer_step(struct viewer *viewer, uint64_t until_ms);

/* Moves everything until that time. */
void viewer_until_ns(struct viewer *viewer, uint64_t until_ns);

/* Writes a picture of `size` bytes and wakes the stream; returns its number,
 * which the client recognises. references 0: the one before. */
uint64_t viewer_write(struct viewer *viewer, unsigned source, size_t size, uint32_t flags,
		uint64_t references);
uint64_t viewer_write_sound(struct viewer *viewer, unsigned source, uint32_t flags);

bool viewer_has_newest(struct viewer *viewer);
bool viewer_has_newest_sound(struct viewer *viewer);

/* viewer_host.c: the supervisor's side. A stream that has exited gets a successor
 * with its page, its sockets and what the encoders and the desktop hold. */
void viewer_spawn(struct viewer *viewer);
void viewer_start(struct viewer *viewer);
void viewer_succeed(struct viewer *viewer);
void viewer_reap(struct viewer *viewer);
void viewer_note_answer(struct viewer *viewer, const struct ipc_message *message);

/* Source 0 gets another encoder, whose ring begins anew. */
void viewer_replace_part(struct viewer *viewer, enum ipc_kind kind);

void viewer_say(struct viewer *viewer, const struct ipc_message *message);

#endif
