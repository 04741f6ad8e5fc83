/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "proto/input.h"
#include "stream/input.h"
#include "stream/stream.h"

/* What the client asks for, once its message has decrypted and was new. */

static void do_started(void *user) {
	struct stream *stream = (struct stream *)user;
	struct control_message message = { .kind = CONTROL_HDR_MODE, .hdr.enabled = false };
	if (stream_control_say(&stream->control, &message) < 0) {
		log_warning("hdr-mode-not-said", "");
	}
}

static void do_key_wanted(void *user) {
	struct stream *stream = (struct stream *)user;
	stream->idr_requests++;
	stream_video_want_key(&stream->video, clock_now_ns());
}

static void do_frames_lost(void *user, uint32_t first, uint32_t last) {
	struct stream *stream = (struct stream *)user;
	stream->losses_reported++;
	stream_video_lost(&stream->video, first, last);
}

/* The desktop that is left must not keep what is held; the next hears only what comes. */
static void ask_for_home(struct stream *stream) {
	struct ipc_message message = { .kind = IPC_STREAM_COMBO };
	stream_source_release_input(stream);
	log_info("combo", "");
	worker_post(&stream->worker, &message, NULL, 0);
}

/* What pads there are is noted also while there is no desktop to hear it. */
static void take_pad(struct stream *stream, const struct input_event *event, uint64_t sequence) {
	if (!(stream->likes.permissions & PERMIT_GAMEPAD)) {
		stream->inputs_denied++;
		return;
	}
	struct pads_hearer hearer = stream_source_hearer(stream);
	stream->inputs++;
	pads_take(&stream->pads, event, sequence, clock_now_ns(), &hearer);
}

/* An input carries the number of the client's message: a successor to whom the
 * client sends it again sends it again under the same number, and the desktop drops
 * what it has had. Not simply what is older: ENet keeps the order within a channel
 * only, and a key that arrives after a later mouse movement counts. */
static void do_input(void *user, uint64_t sequence, const uint8_t *data, size_t len) {
	struct stream *stream = (struct stream *)user;
	struct input_event event;
	struct ipc_message message;
	int rc = input_decode(data, len, &event);
	bool pad = rc == 0 && pads_is_theirs(event.kind);
	if (rc < 0 || (!stream->playing && !pad)) {
		stream->inputs_skipped++;
		return;
	}
	unsigned combo = combo_take(&stream->combo, &event);
	if (combo & COMBO_ASKS) {
		ask_for_home(stream);
	}
	if (combo & COMBO_KEEPS) {
		stream->inputs++;
		return;
	}
	if (pad) {
		take_pad(stream, &event, sequence);
		return;
	}
	if (input_message(&event, sequence, clock_now_ns(), &message) < 0) {
		stream->inputs_skipped++;
		return;
	}
	if (!likes_apply(&stream->likes, &message)) {
		stream->inputs_denied++;
		return;
	}
	stream->inputs++;
	source_input(stream->playing, &message);
}

static void do_fec_status(void *user, const struct control_fec_status *status) {
	struct stream *stream = (struct stream *)user;
	stream->missing += status->missing;
}

static void do_gone(void *user, enum reason reason) {
	struct stream *stream = (struct stream *)user;
	if (stream->ending || stream->lost) {
		return;
	}
	stream->lost = true;
	stream_source_release_input(stream);
	log_info("viewer-gone", "reason=%s", reason_row(reason)->name);
	struct ipc_message message = { .kind = IPC_STREAM_LOST, .stream_lost.reason = reason };
	worker_post(&stream->worker, &message, NULL, 0);
}

static void do_reserve(void *user, uint64_t end) {
	struct stream *stream = (struct stream *)user;
	stream->takeover.control_reserved = end;
	stream_commit(stream);
}

const struct stream_control_events stream_control_events = {
	.started = do_started,
	.key_wanted = do_key_wanted,
	.frames_lost = do_frames_lost,
	.input = do_input,
	.fec_status = do_fec_status,
	.gone = do_gone,
	.reserve = do_reserve,
};
