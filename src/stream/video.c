/* SPDX-License-Identifier: MIT */
#include "stream/video.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "stream/source.h"

enum {
	PICTURE_ROOM = 256 << 10, /* bytes to begin with */
	RING_TURNS = RING_SLOTS,  /* packets looked at in one go */
};

int stream_video_init(struct stream_video *video, const struct video_config *config) {
	memset(video, 0, sizeof(*video));
	video->timestamp = config->timestamp;
	pacer_init(&video->pacer, config->ceiling_kbps, config->rate_x100);
	return video_sender_init(&video->sender, &config->format, config->key, &config->position);
}

void stream_video_finish(struct stream_video *video) {
	video_sender_finish(&video->sender);
	free(TAKE(video->picture, NULL));
	free(TAKE(video->datagrams, NULL));
}

void stream_video_set_source(
		struct stream_video *video, struct source *source, uint64_t key, bool invalidate) {
	video->source = source;
	frames_begin(&video->frames, invalidate && source->reference_invalidation, key == 0);
	source->pictures->ring.next = key ? key : ring_newest(&source->pictures->ring) + 1;
}

static bool grow(uint8_t **bytes, size_t *size, size_t need) {
	if (need <= *size) {
		return true;
	}
	size_t room = need + need / 2;
	uint8_t *larger = realloc(*bytes, room < PICTURE_ROOM ? PICTURE_ROOM : room);
	if (!larger) {
		return false;
	}
	*bytes = larger;
	*size = room < PICTURE_ROOM ? PICTURE_ROOM : room;
	return true;
}

/* Something of the ring is lost to us: go on with a key frame, a newer one that
 * is there already or one that is asked for. */
static void skip_to_key(struct stream_video *video) {
	uint64_t from = video->source->pictures->ring.next;
	frames_break(&video->frames);
	if (source_seek_key(video->source, from)) {
		video->frames.request.kind = FRAMES_ASK_NOTHING;
	}
}

static bool is_stale(const struct ring_packet *packet, uint64_t now_ns) {
	return !(packet->flags & RING_KEY) &&
	       ages_between(packet->encode_end_ns, now_ns) > VIDEO_STALE_MS * NS_PER_MS;
}

/* Copies the next packet; -EAGAIN when there is none or it is passed over. */
static int read_packet(struct stream_video *video, struct ring_packet *packet) {
	for (;;) {
		int rc = ring_read(&video->source->pictures->ring, packet, video->picture,
				video->picture_size);
		if (rc != -EMSGSIZE) {
			return rc;
		}
		if (packet->size > RING_PACKET_MAX ||
				!grow(&video->picture, &video->picture_size, packet->size)) {
			return -ENOMEM;
		}
	}
}

/* Finds the next packet that is to be sent: 1 with its bytes in video->picture. */
static int next_packet(struct stream_video *video, uint64_t now_ns, enum video_frame_type *type) {
	struct ring_reader *ring = &video->source->pictures->ring;
	for (int turn = 0; turn < RING_TURNS; turn++) {
		struct ring_packet packet;
		int rc = ring_peek(ring, ring->next, &packet);
		if (rc == 0 && (is_stale(&packet, now_ns) ||
					       !frames_judge(&video->frames, &packet, type))) {
			if (is_stale(&packet, now_ns) && video->frames.state == FRAMES_FLOW) {
				video->counters.lapped++;
				skip_to_key(video);
			} else {
				ring->next++;
			}
			continue;
		}
		rc = read_packet(video, &video->packet);
		if (rc == 0) {
			/* What was judged may be gone, and this be the next one. */
			if (frames_judge(&video->frames, &video->packet, type)) {
				return 1;
			}
		} else if (rc == -EAGAIN) {
			return 0;
		} else {
			/* Lapped, or nonsense: a liar is not waited for either. */
			video->counters.lapped++;
			ring->next += rc == -EOVERFLOW ? 0 : 1;
			skip_to_key(video);
		}
	}
	return 0;
}

/* A picture that is sent again has the commit time of long ago; its own time is
 * when the desktop handed it over. */
static uint64_t own_time(const struct stream_video *video, const struct ring_packet *packet) {
	bool fresh = packet->commit_ns && packet->commit_ns != video->last_commit_ns;
	return fresh ? packet->commit_ns : packet->handed_ns;
}

static uint32_t next_timestamp(const struct stream_video *video, uint64_t time_ns) {
	uint32_t timestamp = (uint32_t)(time_ns * 9 / 100000);
	bool first = video->sender.position.next_frame == 1;
	bool later = first || (int32_t)(timestamp - video->timestamp) > 0;
	return time_ns && later ? timestamp : video->timestamp + 1;
}

/* A still picture that a viewer gets when it comes back was made long ago; that
 * says nothing about how fast we are, and goes out as "not known". */
static uint16_t latency(uint64_t time_ns, uint64_t now_ns) {
	uint64_t units = ages_between(time_ns, now_ns) / (100 * NS_PER_US);
	return units < UINT16_MAX ? (uint16_t)units : 0;
}

static bool begin_frame(struct stream_video *video, enum video_frame_type type, uint64_t now_ns,
		video_commit_fn *commit, void *user) {
	uint64_t time_ns = own_time(video, &video->packet);
	video->frame = (struct video_frame){
		.data = video->picture,
		.size = video->packet.size,
		.type = type,
		.timestamp_90k = next_timestamp(video, time_ns),
		.latency_100us = latency(time_ns, now_ns),
	};
	int rc = video_begin(&video->sender, &video->frame, &video->batch);
	if (rc < 0) {
		video->counters.too_large++;
		frames_break(&video->frames);
		return false;
	}
	frames_sent(&video->frames, &video->packet, video->batch.frame_index, type);
	video->timestamp = video->frame.timestamp_90k;
	uint32_t datagrams = 0;
	for (unsigned i = 0; i < video->batch.plan.block_count; i++) {
		datagrams += (uint32_t)video_plan_shards(&video->batch.plan, i);
	}
	pacer_begin(&video->pacer, datagrams, video->batch.plan.datagram_size, now_ns);
	video->busy = true;
	video->block = 0;
	video->first_ns = 0;
	video->full_until_ns = 0;
	commit(user);
	return true;
}

static void note_times(struct stream_video *video, uint64_t now_ns) {
	const struct ring_packet *packet = &video->packet;
	struct video_stages *stages = &video->stages;
	uint64_t age_ns = ages_between(packet->commit_ns, now_ns);
	uint64_t hand_ns = ages_between(packet->rendered_ns, packet->convert_ns) +
			   ages_between(packet->handed_ns, packet->encode_begin_ns) +
			   ages_between(packet->encode_end_ns, video->first_ns);
	ages_add(&video->age, age_ns);
	ages_add(&video->hand, hand_ns);
	const uint64_t ns[PULSE_STAGES] = {
		[PULSE_STAGE_AGE] = age_ns,
		[PULSE_STAGE_RENDER] = ages_between(packet->commit_ns, packet->rendered_ns),
		[PULSE_STAGE_CONVERT] = ages_between(packet->convert_ns, packet->handed_ns),
		[PULSE_STAGE_ENCODE] = ages_between(packet->encode_begin_ns, packet->encode_end_ns),
		[PULSE_STAGE_PACE] = ages_between(video->first_ns, now_ns),
	};
	stages->count++;
	stages->hand_ns += hand_ns;
	for (unsigned i = 0; i < PULSE_STAGES; i++) {
		stages->ns[i] += ns[i];
		stages->classes[i][pulse_class(&pulse_stage_bounds, ns[i])]++;
	}
	stages->hand_classes[ages_hand_class(hand_ns)]++;
}

static void end_frame(struct stream_video *video) {
	const struct ring_packet *packet = &video->packet;
	if (packet->commit_ns != video->last_commit_ns && packet->commit_ns) {
		note_times(video, clock_now_ns());
	}
	video->last_commit_ns = packet->commit_ns;
	video->counters.frames++;
	video->counters.keys += video->frame.type == VIDEO_FRAME_IDR;
	video->counters.recoveries += video->frame.type == VIDEO_FRAME_AFTER_INVALIDATION;
	video->busy = false;
}

/* What was sent of it is useless; when nothing was, its index goes to the next. */
static void abandon_frame(struct stream_video *video) {
	if (video->first_ns == 0) {
		video_abandon(&video->sender, &video->batch);
	}
	video->counters.abandoned++;
	video->busy = false;
	video->pacer.left = 0;
	skip_to_key(video);
}

static bool write_block(struct stream_video *video) {
	const struct video_plan *plan = &video->batch.plan;
	if (!grow(&video->datagrams, &video->datagrams_size, video_plan_size(plan, video->block)) ||
			video_write_block(&video->sender, &video->frame, &video->batch,
					video->block, video->datagrams) < 0) {
		return false;
	}
	pacer_load(&video->pacer, video->datagrams,
			(uint32_t)video_plan_shards(plan, video->block));
	video->counters.parity += plan->blocks[video->block].parity;
	video->block++;
	return true;
}

/* True when the frame has left or was given up; else *out_when. */
static bool send_frame(struct stream_video *video, uint64_t *out_when) {
	for (;;) {
		if (video->pacer.left == 0) {
			if (video->block == video->batch.plan.block_count) {
				end_frame(video);
				return true;
			}
			if (!write_block(video)) {
				abandon_frame(video);
				return true;
			}
		}
		uint64_t now_ns = clock_now_ns();
		enum pacer_result result = pacer_run(&video->pacer, now_ns);
		if (video->first_ns == 0 && video->pacer.sent > 0) {
			video->first_ns = now_ns;
			if (video->first_packet_ns == 0) {
				video->first_packet_ns = now_ns;
			}
		}
		if (result == PACER_LATER) {
			video->full_until_ns = 0;
			*out_when = pacer_next_ns(&video->pacer);
			return false;
		}
		if (result == PACER_FULL) {
			if (video->full_until_ns == 0) {
				video->full_until_ns = now_ns + VIDEO_FULL_MS * NS_PER_MS;
			} else if (now_ns >= video->full_until_ns) {
				abandon_frame(video);
				return true;
			}
			*out_when = 0;
			return false;
		}
		video->full_until_ns = 0;
	}
}

uint64_t stream_video_run(
		struct stream_video *video, bool pause, video_commit_fn *commit, void *user) {
	uint64_t when = UINT64_MAX;
	while (video->source && video->ready) {
		if (video->busy && !send_frame(video, &when)) {
			return when;
		}
		/* The picture may be newer than the wake-up. */
		uint64_t now_ns = clock_now_ns();
		enum video_frame_type type;
		if (pause || next_packet(video, now_ns, &type) == 0) {
			break;
		}
		begin_frame(video, type, now_ns, commit, user);
	}
	return UINT64_MAX;
}

/* What comes of the client's words. A request that is out already answers them too. */
static void note_loss(struct stream_video *video) {
	video->client_lost = video->client_lost || video->frames.request.kind != FRAMES_ASK_NOTHING;
}

void stream_video_lost(struct stream_video *video, uint32_t first, uint32_t last) {
	if (video->source) {
		frames_lost(&video->frames, first, last,
				ring_newest(&video->source->pictures->ring));
		note_loss(video);
	}
}

void stream_video_want_key(struct stream_video *video, uint64_t now_ns) {
	if (video->source && video->ready) {
		frames_want_key(&video->frames, now_ns);
		note_loss(video);
	}
}

uint64_t stream_video_ask(struct stream_video *video, uint64_t now_ns) {
	if (!video->source || !video->ready) {
		return UINT64_MAX;
	}
	struct frames_request request = frames_due(&video->frames, now_ns);
	if (request.kind != FRAMES_ASK_NOTHING) {
		video->counters.recoveries_asked += video->client_lost;
		video->client_lost = false;
	}
	if (request.kind == FRAMES_ASK_KEY) {
		video->counters.key_asks++;
		source_ask_key(video->source, 0);
	} else if (request.kind == FRAMES_ASK_INVALIDATE) {
		video->counters.invalidations++;
		source_invalidate(video->source, request.first, request.last);
	}
	return frames_deadline_ns(&video->frames);
}
