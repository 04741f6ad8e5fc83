/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "stream/stream.h"

static void tell_active(struct stream *stream, uint32_t source, enum reason reason) {
	struct ipc_message message = {
		.kind = IPC_STREAM_SOURCE_ACTIVE,
		.stream_active = { .source = source, .reason = reason },
	};
	worker_post(&stream->worker, &message, NULL, 0);
}

static void handle_ring_news(struct source *source, void *user) {
	(void)source;
	stream_settle((struct stream *)user);
}

static void hear_pad(void *user, const struct ipc_message *message) {
	struct stream *stream = (struct stream *)user;
	if (stream->playing) {
		source_input(stream->playing, message);
	}
	if (message->kind == IPC_PAD_PLUG) {
		log_info("pad-plugged", "pad=%u shape=%u", message->pad.number, message->pad.shown);
	}
}

struct pads_hearer stream_source_hearer(struct stream *stream) {
	return (struct pads_hearer){ hear_pad, stream };
}

/* From a desktop that the viewer has left nothing counts. */
static void handle_pad(struct source *source, const struct ipc_message *message, void *user) {
	struct stream *stream = (struct stream *)user;
	struct control_message control;
	if (source != stream->playing || stream->ending || stream->lost) {
		return;
	}
	if (message->kind == IPC_PAD_PLUG) {
		pads_recall(&stream->pads, message);
	} else if (message->kind == IPC_PAD_FEEDBACK &&
			pads_feedback(&stream->pads, message, &control) == 0 &&
			stream_control_say(&stream->control, &control) == 0) {
		stream_settle(stream);
	}
}

static const struct source_events source_events = {
	.pictures = handle_ring_news,
	.sound = handle_ring_news,
	.pad = handle_pad,
};

void stream_source_release_input(struct stream *stream) {
	if (stream->playing) {
		struct ipc_message message = { .kind = IPC_INPUT_RELEASE };
		source_input(stream->playing, &message);
	}
}

static bool can_invalidate(const struct stream *stream) {
	return stream->params.references != 1;
}

/* The one of the two that is no longer used goes. */
static void replace_playing(struct stream *stream, struct source *source) {
	struct source *old = stream->playing;
	stream->playing = source;
	if (stream->sound != old) {
		source_destroy(old);
	}
}

/* Sound follows at the next group, whether or not the old source completes one. */
static void move_to(struct stream *stream, struct source *source, uint64_t key, uint64_t now_ns) {
	struct pads_hearer hearer = stream_source_hearer(stream);
	pads_leave(&stream->pads, &hearer);
	struct control_message still;
	while (pads_still(&stream->pads, &still) &&
			stream_control_say(&stream->control, &still) == 0) {
	}
	stream_source_release_input(stream);
	replace_playing(stream, source);
	pads_come(&stream->pads, &hearer);
	stream->source_told = false;
	stream->sound_until_ns = now_ns + STREAM_SOUND_MOVE_MS * NS_PER_MS;
	if (stream->video.ready) {
		stream_video_set_source(&stream->video, source, key, can_invalidate(stream));
	}
}

/* A viewer that has seen nothing yet has nothing to stay with. */
static void begin_elsewhere(struct stream *stream, struct source *source) {
	uint64_t now_ns = clock_now_ns();
	stream->switching.sound = true;
	move_to(stream, source, source_fresh_key(source, now_ns - SOURCE_FRESH_MS * NS_PER_MS),
			now_ns);
}

void stream_source_offer(
		struct stream *stream, const struct ipc_message *message, struct ipc_fds *fds) {
	struct source *source = NULL;
	int rc = source_create(stream->worker.event, message, fds, &source_events, stream, &source);
	if (rc < 0) {
		log_error("source-refused", "source=%u error=%d", message->stream_source.source,
				-rc);
		tell_active(stream, message->stream_source.source, REASON_WORKER_LIED);
		return;
	}
	if (!stream->playing) {
		/* Where to begin in its ring is decided when pictures may start. */
		stream->playing = stream->sound = source;
		stream_audio_set_source(&stream->audio, source);
		struct pads_hearer hearer = stream_source_hearer(stream);
		pads_come(&stream->pads, &hearer);
		return;
	}
	if (stream->video.first_packet_ns == 0 && !stream->video.busy) {
		begin_elsewhere(stream, source);
		return;
	}
	if (stream->next) {
		tell_active(stream, stream->next->id, REASON_TAKEN_OVER);
		source_destroy(stream->next);
	}
	stream->next = source;
	uint64_t now_ns = clock_now_ns();
	switching_begin(&stream->switching, now_ns);
	if (source_fresh_key(source, now_ns - SOURCE_FRESH_MS * NS_PER_MS) == 0) {
		source_ask_key(source, REASON_ASKED);
	}
}

static struct source *find(struct stream *stream, uint32_t id) {
	struct source *const all[] = { stream->next, stream->playing, stream->sound };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i] && all[i]->id == id) {
			return all[i];
		}
	}
	return NULL;
}

/* The picture encoder has a successor, which knows nothing of what was sent: its
 * first picture for us is a key. The frame in hand was copied and may leave. */
static int replace_pictures(struct stream *stream, struct source *source,
		const struct ipc_message *message, struct ipc_fds *fds) {
	int rc = source_replace_pictures(source, stream->worker.event, message, fds);
	if (rc < 0) {
		return rc;
	}
	if (source == stream->playing) {
		stream->source_told = false;
		if (stream->video.ready) {
			stream_video_set_source(&stream->video, source, 0, can_invalidate(stream));
		}
	} else if (source == stream->next) {
		source_ask_key(source, REASON_ASKED);
	}
	return 0;
}

/* The group that the old encoder began is not completed: sound goes on with the
 * next one. */
static int replace_sound(struct stream *stream, struct source *source, struct ipc_fds *fds) {
	int rc = source_replace_sound(source, stream->worker.event, fds);
	if (rc < 0 || source != stream->sound) {
		return rc;
	}
	if (!stream_audio_at_group(&stream->audio)) {
		rc = stream_audio_align(&stream->audio, &stream->key);
	}
	stream_audio_set_source(&stream->audio, source);
	return rc;
}

void stream_source_replace(
		struct stream *stream, const struct ipc_message *message, struct ipc_fds *fds) {
	struct source *source = find(stream, message->stream_part.source);
	int rc = !source ? -ENOENT
		 : message->kind == IPC_STREAM_SOUND
				 ? replace_sound(stream, source, fds)
				 : replace_pictures(stream, source, message, fds);
	if (rc < 0) {
		log_error("part-refused", "source=%u message=%s error=%d",
				message->stream_part.source, ipc_kind_name(message->kind), -rc);
		tell_active(stream, message->stream_part.source, REASON_WORKER_LIED);
	}
}

/* Since when a key of the next source counts as fresh. */
static uint64_t next_since_ns(const struct stream *stream) {
	return stream->switching.deadline_ns - (SWITCHING_MS + SOURCE_FRESH_MS) * NS_PER_MS;
}

bool stream_source_waits(const struct stream *stream) {
	return stream->next && source_fresh_key(stream->next, next_since_ns(stream)) != 0;
}

bool stream_source_move_pictures(struct stream *stream, uint64_t now_ns) {
	if (!stream->next || stream->video.busy) {
		return false;
	}
	uint64_t key = source_fresh_key(stream->next, next_since_ns(stream));
	if (switching_pictures_move(&stream->switching, key != 0)) {
		move_to(stream, TAKE(stream->next, NULL), key, now_ns);
		return true;
	}
	if (switching_overdue(&stream->switching, now_ns)) {
		tell_active(stream, stream->next->id, REASON_NOT_READY);
		source_destroy(TAKE(stream->next, NULL));
	}
	return false;
}

void stream_source_move_sound(struct stream *stream, uint64_t now_ns) {
	if (!stream->switching.sound) {
		return;
	}
	bool overdue = now_ns >= stream->sound_until_ns;
	if (overdue && !stream_audio_at_group(&stream->audio) &&
			stream_audio_align(&stream->audio, &stream->key) < 0) {
		worker_fail(&stream->worker, REASON_RESOURCES, "sound cannot be aligned");
	}
	if (switching_sound_moves(
			    &stream->switching, stream->audio.sender.position.next_sequence)) {
		source_destroy(stream->sound == stream->playing ? NULL : stream->sound);
		stream->sound = stream->playing;
		stream_audio_set_source(&stream->audio, stream->sound);
	}
}
