/* SPDX-License-Identifier: MIT */
/* What a session was like, in numbers. */
#include <math.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/probe_session.h"
#include "proto/audio_receive.h"
#include "proto/video_receive.h"

static double rounded(double value) {
	return round(value * 1000) / 1000;
}

static void put_real(json_t *object, const char *name, double value) {
	json_object_set_new(object, name, json_real(rounded(value)));
}

static void put_count(json_t *object, const char *name, uint64_t value) {
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

/* From the launch on; null when it never came to that. */
static void put_stage(const struct probe_session *session, json_t *stages, const char *name,
		uint64_t at_ns) {
	if (at_ns) {
		put_real(stages, name, (double)(int64_t)(at_ns - session->launch_ns) / 1e6);
	} else {
		json_object_set_new(stages, name, json_null());
	}
}

static json_t *percentiles(struct samples *samples) {
	json_t *object = json_object();
	put_count(object, "count", samples->count);
	put_real(object, "p50", samples_percentile(samples, 0.5));
	put_real(object, "p95", samples_percentile(samples, 0.95));
	put_real(object, "p99", samples_percentile(samples, 0.99));
	put_real(object, "max", samples_percentile(samples, 1));
	return object;
}

/* 0 when it never began. */
static double seconds_between(uint64_t from_ns, uint64_t to_ns) {
	return from_ns && to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static json_t *pattern_report(struct probe_session *session, double seconds) {
	struct probe_pattern_stats *stats = &session->video.pattern.stats;
	if (stats->pictures == 0) {
		return json_null();
	}
	json_t *object = json_object();
	double span = (double)(stats->last - stats->first) + 1;
	put_count(object, "pictures", stats->pictures);
	put_count(object, "unreadable", stats->unreadable);
	put_count(object, "numbers", stats->numbers);
	put_count(object, "first", stats->first);
	put_count(object, "last", stats->last);
	put_count(object, "repeated", stats->repeated);
	put_count(object, "backwards", stats->backwards);
	put_real(object, "missing", fmax(0, span - (double)stats->numbers));
	put_real(object, "of_grid",
			(double)stats->numbers /
					fmax(1, seconds * (double)session->probe->options.fps));
	put_count(object, "compared", stats->psnr_luma.count);
	put_real(object, "psnr_min", samples_minimum(&stats->psnr_luma));
	put_real(object, "psnr_mean", samples_mean(&stats->psnr_luma));
	put_real(object, "psnr_chroma_min", samples_minimum(&stats->psnr_chroma));
	put_real(object, "psnr_chroma_mean", samples_mean(&stats->psnr_chroma));
	put_count(object, "events", session->video.scene.events);
	put_real(object, "still_longest_ms", (double)session->video.still_longest_ns / 1e6);
	put_real(object, "still_at_end_ms",
			1e3 * seconds_between(session->video.scene_risen_ns, session->end_ns));
	return object;
}

static json_t *gaps_report(const struct probe_video *video) {
	json_t *list = json_array();
	for (unsigned i = 0; i < video->gap_count; i++) {
		json_t *gap = json_object();
		put_real(gap, "at_ms", video->gaps[i].at_ms);
		put_real(gap, "ms", video->gaps[i].ms);
		json_array_append_new(list, gap);
	}
	return list;
}

static json_t *video_report(struct probe_session *session, double seconds) {
	struct probe_video *video = &session->video;
	const struct video_receive_stats *stats = video_receive_stats(video->receiver);
	json_t *object = json_object();
	put_count(object, "frames", video->frames);
	/* From the first frame to the end, so that a stream that stops is not praised. */
	double watched = seconds_between(video->first_frame_ns, session->end_ns);
	put_real(object, "fps", watched > 0 ? (double)video->frames / watched : 0);
	put_real(object, "silent_at_end_ms",
			1e3 * seconds_between(video->newest_frame_ns, session->end_ns));
	json_object_set_new(object, "gap_ms", percentiles(&video->gaps_ms));
	json_object_set_new(object, "long_gaps", gaps_report(video));
	json_object_set_new(object, "host_ms", percentiles(&video->host_ms));
	put_count(object, "idrs", video->idrs);
	put_count(object, "after_invalidation", video->after_invalidation);
	put_count(object, "idrs_asked", video->idrs_asked);
	put_count(object, "invalidations_asked", video->invalidations_asked);
	put_count(object, "missing_numbers", video->missing);
	put_count(object, "packets", video->packets);
	put_count(object, "lost", stats->missing);
	put_count(object, "recovered", stats->recovered);
	put_count(object, "fec_failed", stats->fec_failed);
	put_count(object, "malformed", stats->malformed);
	put_count(object, "stale_ivs", stats->stale_ivs);
	put_count(object, "ignored", stats->ignored);
	put_count(object, "corrupt", stats->corrupt);
	put_count(object, "undecodable", stats->undecodable);
	put_real(object, "kbps", seconds > 0 ? (double)video->bytes * 8 / 1e3 / seconds : 0);
	if (video->decoder) {
		struct probe_signalled signalled = probe_decoder_signalled(video->decoder);
		put_count(object, "decoded", video->decoded);
		put_count(object, "decode_errors", video->decode_errors);
		put_count(object, "wrong_size", video->wrong_size);
		json_object_set_new(object, "signalled",
				json_pack("{s:i,s:i,s:i,s:i}", "matrix", signalled.matrix,
						"full_range", signalled.full_range, "profile",
						signalled.profile, "level", signalled.level));
		json_object_set_new(object, "pattern", pattern_report(session, watched));
	}
	return object;
}

static json_t *audio_report(struct probe_session *session) {
	struct probe_audio *audio = &session->audio;
	const struct audio_receive_stats *stats = audio_receive_stats(audio->receiver);
	json_t *object = json_object();
	put_count(object, "packets", audio->packets);
	put_count(object, "errors", audio->errors);
	put_count(object, "lost", audio->lost);
	put_count(object, "recovered", stats->recovered);
	put_count(object, "parity", stats->parity);
	put_count(object, "malformed", stats->malformed);
	put_count(object, "contradicting", stats->contradicting);
	put_count(object, "ignored", stats->ignored);
	put_real(object, "silent_at_end_ms",
			1e3 * seconds_between(audio->newest_ns, session->end_ns));
	json_object_set_new(object, "gap_ms", percentiles(&audio->gaps_ms));
	if (audio->decoder) {
		put_real(object, "seconds", (double)audio->level->frames / LEVEL_RATE_HZ);
		put_real(object, "rms_db", level_rms_db(audio->level));
		put_real(object, "peak", (double)audio->level->peak);
		put_real(object, "tone_hz", level_tone_hz(audio->level));
		put_real(object, "quiet_longest_ms", (double)audio->quiet_longest_ns / 1e6);
		put_real(object, "quiet_at_end_ms",
				1e3 * seconds_between(audio->heard_ns, session->end_ns));
	}
	return object;
}

static json_t *input_report(struct probe_session *session) {
	struct probe_check *check = &session->check;
	/* What was still to come when the stream ended was not measured. */
	uint64_t unseen = check->missed + check->left + check->waits;
	json_t *object = json_object();
	put_count(object, "seen", check->arrived_ms.count);
	put_count(object, "missed", unseen);
	json_object_set_new(object, "to_arrival_ms", percentiles(&check->arrived_ms));
	json_object_set_new(object, "to_picture_ms", percentiles(&check->decoded_ms));
	return object;
}

static json_t *control_report(const struct probe_session *session) {
	const struct probe_control *control = &session->control;
	json_t *object = json_object();
	put_count(object, "messages", control->messages);
	put_count(object, "bad", control->bad);
	put_count(object, "unsent", control->unsent);
	put_count(object, "rumbles", control->rumbles);
	put_count(object, "hdr_modes", control->hdr_modes);
	put_count(object, "others", control->others);
	put_count(object, "rtt_ms", control->peer->pace.rtt_ms);
	put_count(object, "retransmitted", control->peer->counters.retransmitted);
	return object;
}

static const char *end_word(enum probe_end end) {
	static const char *const words[] = {
		[PROBE_END_NONE] = "none",
		[PROBE_END_TIME] = "time",
		[PROBE_END_TERMINATED] = "terminated",
		[PROBE_END_DISCONNECTED] = "disconnected",
		[PROBE_END_INTERRUPTED] = "interrupted",
		[PROBE_END_FAILED] = "failed",
	};
	return words[end];
}

void probe_session_report(struct probe_session *session, json_t *report) {
	json_t *stages = json_object();
	put_stage(session, stages, "control_connected", session->control.connected_ns);
	put_stage(session, stages, "first_packet", session->video.first_packet_ns);
	put_stage(session, stages, "first_frame", session->video.first_frame_ns);
	put_stage(session, stages, "first_audio", session->audio.first_ns);
	json_object_set_new(report, "since_launch_ms", stages);

	double seconds =
			session->begin_ns ? (double)(session->end_ns - session->begin_ns) / 1e9 : 0;
	put_real(report, "seconds", seconds);
	json_object_set_new(report, "end", json_string(end_word(session->end)));
	char code[16];
	text_format(code, sizeof(code), "0x%08x", session->control.termination);
	json_object_set_new(report, "termination",
			session->control.terminated ? json_string(code) : json_null());
	json_object_set_new(report, "left_cleanly",
			json_boolean(session->control.ended &&
					session->control.end != ENET_END_TIMEOUT));
	json_object_set_new(report, "video", video_report(session, seconds));
	json_object_set_new(report, "audio", audio_report(session));
	json_object_set_new(report, "control", control_report(session));
	if (session->check.arrived_ms.count || session->check.missed || session->check.left ||
			session->check.waits) {
		json_object_set_new(report, "input", input_report(session));
	}
	if (session->impair) {
		const struct impair_stats *stats = impair_stats(session->impair);
		json_object_set_new(report, "impaired",
				json_pack("{s:I,s:I,s:I,s:I}", "passed", (json_int_t)stats->passed,
						"dropped", (json_int_t)stats->dropped, "duplicated",
						(json_int_t)stats->duplicated, "reordered",
						(json_int_t)stats->reordered));
	}
}
