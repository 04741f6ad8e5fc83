/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_VIDEO_H
#define CLI_PROBE_VIDEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "cli/probe_decoder.h"
#include "cli/probe_pattern.h"
#include "cli/samples.h"
#include "proto/control_message.h"
#include "proto/video_receive.h"

/* The pictures: datagrams to frames, frames to pictures, pictures to numbers; and what
 * a client would ask the host for meanwhile. */
struct probe_video_config {
	bool hevc;
	uint16_t packet_size;
	bool can_invalidate;
	const struct secret *key; /* NULL: not encrypted */
	bool decode;
	struct probe_colours colours;
	uint32_t width, height; /* asked for */
};

enum {
	PROBE_GAP_MS = 100, /* longer ones between two frames are listed */
	PROBE_GAPS_MAX = 32,
};

struct probe_gap {
	double at_ms, ms; /* since the first frame, and how long */
};

struct probe_video {
	struct video_receiver *receiver; /* owned */
	struct probe_decoder *decoder;   /* owned; NULL: not decoded */
	struct probe_pattern pattern;
	uint32_t width, height;

	uint64_t first_packet_ns, first_frame_ns, newest_frame_ns; /* 0 before */
	uint64_t newest_packet_ns;
	uint64_t packets, bytes, frames, idrs, after_invalidation;
	uint64_t decoded, decode_errors, wrong_size;
	uint64_t missing; /* frame indices passed over */
	uint32_t newest_index;
	uint64_t idrs_asked, invalidations_asked;
	struct samples gaps_ms, host_ms;
	struct probe_gap gaps[PROBE_GAPS_MAX];
	unsigned gap_count;

	/* Of the newest picture, when it showed Pattern. */
	bool has_scene;
	struct pattern_scene scene;
	uint64_t scene_arrived_ns; /* its last datagram came */
	uint64_t scene_decoded_ns;
	uint32_t scene_highest;    /* number so far */
	uint64_t scene_risen_ns;   /* when it came */
	uint64_t still_longest_ns; /* between two risings */
	uint64_t compared_ns;      /* when a picture was last compared with the real one */
	bool may_compare;          /* set by the loop: there is time for it */

	/* Asking as VideoDepacketizer.c does: once after the first whole frame that follows
	 * a loss, and again after so many frames dropped in a row. */
	uint64_t losses_seen;
	bool asks_after_frame;
	unsigned dropped_in_row;
	bool broken; /* the decoder met an error: a key frame is wanted */
};

int probe_video_init(struct probe_video *video, const struct probe_video_config *config) NODISCARD;
void probe_video_finish(struct probe_video *video);

/* Takes one datagram; true when it completed a frame. */
bool probe_video_take(
		struct probe_video *video, const void *datagram, size_t len, uint64_t arrived_ns);

/* The next message that a client would send now, false when there is none. */
bool probe_video_wants(struct probe_video *video, struct control_message *out);

/* Saves the newest picture. -ENOENT when there is none. */
int probe_video_shot(const struct probe_video *video, const char *file) NODISCARD;

#endif
