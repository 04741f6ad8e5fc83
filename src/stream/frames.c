/* SPDX-License-Identifier: MIT */
#include "stream/frames.h"

#include "base/clock.h"

static struct frames_sent *entry(struct frames *frames, uint32_t index) {
	return &frames->sent[index % FRAMES_HISTORY];
}

static bool remembers(const struct frames *frames, uint32_t index) {
	return frames->newest - index < frames->remembered;
}

static struct frames_sent *find(struct frames *frames, uint64_t sequence) {
	for (uint32_t i = 0; i < frames->remembered; i++) {
		struct frames_sent *sent = entry(frames, frames->newest - i);
		if (sent->sequence <= sequence) {
			return sent->sequence == sequence ? sent : NULL;
		}
	}
	return NULL;
}

static void ask_key(struct frames *frames) {
	frames->request = (struct frames_request){ .kind = FRAMES_ASK_KEY };
}

void frames_begin(struct frames *frames, bool can_invalidate, bool ask) {
	*frames = (struct frames){ .can_invalidate = can_invalidate };
	if (ask) {
		ask_key(frames);
	}
}

static uint64_t reference_of(const struct ring_packet *packet) {
	return packet->references ? packet->references : packet->sequence - 1;
}

void frames_break(struct frames *frames) {
	frames->state = FRAMES_WAIT_KEY;
	ask_key(frames);
}

bool frames_judge(struct frames *frames, const struct ring_packet *packet,
		enum video_frame_type *out_type) {
	if (packet->flags & RING_KEY) {
		*out_type = VIDEO_FRAME_IDR;
		return true;
	}
	if (frames->state == FRAMES_WAIT_KEY) {
		return false;
	}
	const struct frames_sent *reference = find(frames, reference_of(packet));
	bool whole = reference && reference->good;
	if (frames->state == FRAMES_WAIT_ANSWER) {
		/* Another viewer's answer may refer to what this one lost. */
		*out_type = VIDEO_FRAME_AFTER_INVALIDATION;
		return whole && packet->flags & RING_AFTER_INVALIDATION;
	}
	if (!whole) {
		frames_break(frames);
		return false;
	}
	*out_type = packet->flags & RING_REFRESH ? VIDEO_FRAME_INTRA_REFRESH : VIDEO_FRAME_P;
	return true;
}

void frames_sent(struct frames *frames, const struct ring_packet *packet, uint32_t index,
		enum video_frame_type type) {
	bool key = type == VIDEO_FRAME_IDR;
	bool recovers = key || type == VIDEO_FRAME_AFTER_INVALIDATION;
	if (frames->remembered < FRAMES_HISTORY) {
		frames->remembered++;
	}
	frames->newest = index;
	*entry(frames, index) = (struct frames_sent){
		.sequence = packet->sequence,
		.references = key ? 0 : reference_of(packet),
		.recovers = recovers,
		.good = true,
	};
	if (recovers) {
		frames->state = FRAMES_FLOW;
		/* Another viewer's earlier key does not answer a request that has
		 * yet to go out. */
		if (frames->request.kind == FRAMES_ASK_NOTHING) {
			frames->asked_ns = 0;
		}
	}
}

/* Marks [first, last] and what rests on it; true when a frame after them that
 * ends the client's wait is still good. */
static bool mark(struct frames *frames, uint32_t first, uint32_t last) {
	bool answered = false;
	uint32_t oldest = frames->newest - frames->remembered + 1;
	for (uint32_t index = oldest; index != frames->newest + 1; index++) {
		struct frames_sent *sent = entry(frames, index);
		if (index - first <= last - first) {
			sent->good = false;
		} else if (index - first < FRAMES_HISTORY && sent->references) {
			const struct frames_sent *reference = find(frames, sent->references);
			sent->good = sent->good && reference && reference->good;
		}
		bool after = index - last < FRAMES_HISTORY && index != last;
		answered = answered || (after && sent->good && sent->recovers);
	}
	return answered;
}

bool frames_lost(struct frames *frames, uint32_t first, uint32_t last, uint64_t newest) {
	if (frames->remembered == 0 || (int32_t)(frames->newest - first) < 0 ||
			(int32_t)(last - first) < 0) {
		return false;
	}
	if ((int32_t)(frames->newest - last) < 0) {
		last = frames->newest;
	}
	if (mark(frames, first, last)) {
		return true; /* on its way already */
	}
	if (!remembers(frames, first)) {
		frames_break(frames);
		return true;
	}
	if (frames->state == FRAMES_WAIT_KEY) {
		return true;
	}
	if (!frames->can_invalidate) {
		frames_break(frames);
		return true;
	}
	uint64_t begin = entry(frames, first)->sequence;
	bool covered = frames->state == FRAMES_WAIT_ANSWER && begin >= frames->request.first;
	if (!covered) {
		frames->request = (struct frames_request){
			.kind = FRAMES_ASK_INVALIDATE, .first = begin, .last = newest
		};
		frames->state = FRAMES_WAIT_ANSWER;
	}
	return true;
}

void frames_want_key(struct frames *frames, uint64_t now_ns) {
	bool underway = frames->asked_ns && frames->state != FRAMES_WAIT_ANSWER &&
			now_ns - frames->asked_ns < FRAMES_COALESCE_MS * NS_PER_MS;
	if (!underway) {
		ask_key(frames);
	}
}

uint64_t frames_deadline_ns(const struct frames *frames) {
	if (frames->request.kind != FRAMES_ASK_NOTHING) {
		return 0;
	}
	if (frames->state == FRAMES_FLOW || frames->asked_ns == 0) {
		return UINT64_MAX;
	}
	uint64_t wait_ms = frames->state == FRAMES_WAIT_KEY ? FRAMES_KEY_MS : FRAMES_ANSWER_MS;
	return frames->asked_ns + wait_ms * NS_PER_MS;
}

struct frames_request frames_due(struct frames *frames, uint64_t now_ns) {
	if (frames->request.kind == FRAMES_ASK_NOTHING && now_ns >= frames_deadline_ns(frames)) {
		frames_break(frames);
	}
	struct frames_request due = frames->request;
	if (due.kind != FRAMES_ASK_NOTHING) {
		frames->asked_ns = now_ns;
		frames->request.kind = FRAMES_ASK_NOTHING;
	}
	return due;
}
