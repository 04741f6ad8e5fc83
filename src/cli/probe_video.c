/* SPDX-License-Identifier: MIT */
#include "cli/probe_video.h"

#include <errno.h>

#include "base/clock.h"
#include "base/png.h"

enum {
	DROPS_MAX = 120, /* VideoDepacketizer.c: CONSECUTIVE_DROP_LIMIT */
	COMPARE_EVERY_MS = 500,
};

int probe_video_init(struct probe_video *video, const struct probe_video_config *config) {
	*video = (struct probe_video){
		.width = config->width, .height = config->height, .asks_after_frame = true
	};
	probe_pattern_init(&video->pattern, &config->colours);
	struct video_receive_config receive = { .key = config->key,
		.codec = config->hevc ? VIDEO_HEVC : VIDEO_H264,
		.packet_size = config->packet_size,
		.can_invalidate = config->can_invalidate };
	int rc = video_receiver_create(&receive, &video->receiver);
	return rc < 0 || !config->decode ? rc : probe_decoder_create(config->hevc, &video->decoder);
}

void probe_video_finish(struct probe_video *video) {
	video_receiver_destroy(TAKE(video->receiver, NULL));
	probe_decoder_destroy(TAKE(video->decoder, NULL));
	probe_pattern_finish(&video->pattern);
	samples_finish(&video->gaps_ms);
	samples_finish(&video->host_ms);
}

static void look(struct probe_video *video, uint64_t arrived_ns) {
	struct probe_picture picture;
	if (probe_decoder_picture(video->decoder, &picture) < 0) {
		return;
	}
	video->wrong_size += picture.width != video->width || picture.height != video->height;
	video->has_scene = probe_pattern_look(&video->pattern, &picture, &video->scene) == 0;
	if (!video->has_scene) {
		return;
	}
	uint64_t now_ns = clock_now_ns();
	video->scene_arrived_ns = arrived_ns;
	if (video->scene.number > video->scene_highest) {
		uint64_t still_ns = video->scene_risen_ns ? arrived_ns - video->scene_risen_ns : 0;
		video->scene_highest = video->scene.number;
		video->scene_risen_ns = arrived_ns;
		video->still_longest_ns = still_ns > video->still_longest_ns
							  ? still_ns
							  : video->still_longest_ns;
	}
	video->scene_decoded_ns = now_ns;
	if (video->may_compare && now_ns - video->compared_ns > COMPARE_EVERY_MS * NS_PER_MS) {
		(void)!probe_pattern_compare(&video->pattern, &picture, &video->scene);
		video->compared_ns = clock_now_ns();
	}
}

static void decode(struct probe_video *video, const struct video_received *frame,
		uint64_t arrived_ns) {
	if (!video->decoder || !frame->decodable) {
		return;
	}
	/* A client that asked its decoder for a fresh start gives it nothing before. */
	if (video->broken && !frame->key) {
		return;
	}
	video->broken = false;
	int rc = probe_decoder_take(video->decoder, frame->data, frame->size);
	if (rc < 0) {
		video->decode_errors++;
		video->broken = true;
		video->asks_after_frame = true;
	} else if (rc > 0) {
		video->decoded++;
		look(video, arrived_ns);
	}
}

static void note_gap(struct probe_video *video, uint64_t arrived_ns) {
	double ms = (double)(int64_t)(arrived_ns - video->newest_frame_ns) / 1e6;
	samples_add(&video->gaps_ms, ms);
	if (ms > PROBE_GAP_MS && video->gap_count < PROBE_GAPS_MAX) {
		video->gaps[video->gap_count++] = (struct probe_gap){
			.at_ms = (double)(int64_t)(video->newest_frame_ns - video->first_frame_ns) /
				 1e6,
			.ms = ms,
		};
	}
}

static void count(struct probe_video *video, const struct video_received *frame,
		uint64_t arrived_ns) {
	if (video->newest_index && frame->frame_index > video->newest_index + 1) {
		video->missing += frame->frame_index - video->newest_index - 1;
	} else if (video->newest_index == 0) {
		video->missing += frame->frame_index - 1;
	}
	video->newest_index = frame->frame_index;
	video->idrs += frame->key;
	video->after_invalidation += frame->type == VIDEO_FRAME_AFTER_INVALIDATION;
	if (video->frames++ == 0) {
		video->first_frame_ns = arrived_ns;
	} else {
		note_gap(video, arrived_ns);
	}
	video->newest_frame_ns = arrived_ns;
	if (frame->latency_100us) {
		samples_add(&video->host_ms, frame->latency_100us / 10.0);
	}
}

bool probe_video_take(
		struct probe_video *video, const void *datagram, size_t len, uint64_t arrived_ns) {
	if (video->packets++ == 0) {
		video->first_packet_ns = arrived_ns;
	}
	video->newest_packet_ns = arrived_ns;
	video->bytes += len;
	struct video_received frame;
	bool whole = video_receive(video->receiver, datagram, len, &frame) == 1;
	const struct video_receive_stats *stats = video_receive_stats(video->receiver);
	if (stats->frames_lost != video->losses_seen) {
		video->losses_seen = stats->frames_lost;
		video->asks_after_frame = true;
	}
	if (!whole) {
		return false;
	}
	count(video, &frame, arrived_ns);
	video->dropped_in_row = frame.decodable ? 0 : video->dropped_in_row + 1;
	decode(video, &frame, arrived_ns);
	return true;
}

bool probe_video_wants(struct probe_video *video, struct control_message *out) {
	if (video_receive_fec_status(video->receiver, &out->fec_status)) {
		out->kind = CONTROL_FEC_STATUS;
		return true;
	}
	struct video_request request = video_receive_request(video->receiver);
	if (request.kind == VIDEO_ASK_INVALIDATE) {
		out->kind = CONTROL_INVALIDATE;
		out->invalidate.first = request.first;
		out->invalidate.last = request.last;
		video->invalidations_asked++;
		return true;
	}
	bool again = video->dropped_in_row >= DROPS_MAX;
	bool dropped = request.kind == VIDEO_ASK_IDR && video->dropped_in_row > 0;
	if (again || ((dropped || video->broken) && video->asks_after_frame)) {
		video->asks_after_frame = false;
		video->dropped_in_row = again ? 0 : video->dropped_in_row;
		video->idrs_asked++;
		out->kind = CONTROL_REQUEST_IDR;
		return true;
	}
	return false;
}

int probe_video_shot(const struct probe_video *video, const char *file) {
	struct probe_picture picture;
	int rc = video->decoder ? probe_decoder_picture(video->decoder, &picture) : -ENOENT;
	if (rc < 0) {
		return rc;
	}
	OWN(free) void *rgb = malloc((size_t)picture.width * picture.height * 3);
	if (!rgb) {
		return -ENOMEM;
	}
	probe_picture_to_rgb(&picture, &video->pattern.colours, rgb);
	return png_save(file, rgb, picture.width, picture.height);
}
