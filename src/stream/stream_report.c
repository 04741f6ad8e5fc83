/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/log.h"
#include "stream/stream.h"

static uint32_t loss_ppm(struct stream *stream) {
	uint64_t packets = stream->video.pacer.counters.datagrams - stream->told.packets;
	uint64_t missing = stream->missing - stream->told.missing;
	stream->told.packets += packets;
	stream->told.missing = stream->missing;
	if (missing == 0) {
		return 0;
	}
	return missing >= packets ? 1000000 : (uint32_t)(missing * 1000000 / packets);
}

static void set_stages(struct stream *stream) {
	struct pulse *pulse = stream->worker.pulse;
	const struct video_stages *stages = &stream->video.stages;
	pulse_set(pulse, PULSE_STREAM_TIMED, stages->count);
	pulse_set(pulse, PULSE_STREAM_AGE_NS, stages->ns[PULSE_STAGE_AGE]);
	pulse_set(pulse, PULSE_STREAM_RENDER_NS, stages->ns[PULSE_STAGE_RENDER]);
	pulse_set(pulse, PULSE_STREAM_CONVERT_NS, stages->ns[PULSE_STAGE_CONVERT]);
	pulse_set(pulse, PULSE_STREAM_ENCODE_NS, stages->ns[PULSE_STAGE_ENCODE]);
	pulse_set(pulse, PULSE_STREAM_HAND_NS, stages->hand_ns);
	pulse_set(pulse, PULSE_STREAM_PACE_NS, stages->ns[PULSE_STAGE_PACE]);
	for (unsigned i = 0; i < PULSE_STAGES * PULSE_STAGE_CLASSES; i++) {
		pulse_set(pulse, PULSE_STREAM_STAGES + i,
				stages->classes[i / PULSE_STAGE_CLASSES][i % PULSE_STAGE_CLASSES]);
	}
	for (unsigned i = 0; i < AGES_HAND_CLASSES; i++) {
		pulse_set(pulse, PULSE_STREAM_HAND_CLASSES + i, stages->hand_classes[i]);
	}
}

static void set_pulse(struct stream *stream) {
	struct pulse *pulse = stream->worker.pulse;
	const struct pacer_counters *pacer = &stream->video.pacer.counters;
	uint64_t errors = pacer->failed + pacer->refused;
	for (int i = 0; i < FLOWS; i++) {
		errors += stream->flows[i].counters.failed + stream->flows[i].counters.refused;
	}
	pulse_set(pulse, PULSE_STREAM_PICTURES, stream->video.counters.frames);
	pulse_set(pulse, PULSE_STREAM_PACKETS, pacer->datagrams);
	pulse_set(pulse, PULSE_STREAM_BYTES, pacer->bytes);
	pulse_set(pulse, PULSE_STREAM_SOUND, stream->audio.counters.packets);
	pulse_set(pulse, PULSE_STREAM_INPUTS, stream->inputs);
	pulse_set(pulse, PULSE_STREAM_REFUSED,
			stream->control.counters.refused + stream->control.counters.malformed);
	pulse_set(pulse, PULSE_STREAM_LAPPED, stream->video.counters.lapped);
	pulse_set(pulse, PULSE_STREAM_SEND_ERRORS, errors);
	pulse_set(pulse, PULSE_STREAM_KEYS, stream->video.counters.keys);
	pulse_set(pulse, PULSE_STREAM_RECOVERIES, stream->video.counters.recoveries);
	pulse_set(pulse, PULSE_STREAM_ABANDONED, stream->video.counters.abandoned);
	pulse_set(pulse, PULSE_STREAM_KEY_ASKS, stream->video.counters.key_asks);
	pulse_set(pulse, PULSE_STREAM_INVALIDATIONS, stream->video.counters.invalidations);
	pulse_set(pulse, PULSE_STREAM_PARITY, stream->video.counters.parity);
	pulse_set(pulse, PULSE_STREAM_MISSING, stream->missing);
	pulse_set(pulse, PULSE_STREAM_IDR_REQUESTS, stream->idr_requests);
	pulse_set(pulse, PULSE_STREAM_LOSS_REPORTS, stream->losses_reported);
	pulse_set(pulse, PULSE_STREAM_INPUTS_SKIPPED, stream->inputs_skipped);
	pulse_set(pulse, PULSE_STREAM_INPUTS_DENIED, stream->inputs_denied);
	set_stages(stream);
}

void stream_report_second(struct stream *stream) {
	struct ipc_message message;
	memset(&message, 0, sizeof(message));
	message.kind = IPC_STREAM_STATS;
	message.stream_stats.pictures = stream->video.counters.frames;
	message.stream_stats.key_frames = stream->video.counters.keys;
	message.stream_stats.video_packets = stream->video.pacer.counters.datagrams;
	message.stream_stats.audio_packets = stream->audio.counters.packets;
	message.stream_stats.bytes = stream->video.pacer.counters.bytes;
	message.stream_stats.invalidations = stream->losses_reported;
	message.stream_stats.idr_requests = stream->idr_requests;
	message.stream_stats.lapped = stream->video.counters.lapped;
	message.stream_stats.recoveries = stream->video.counters.recoveries_asked;
	message.stream_stats.input_events = stream->inputs;
	message.stream_stats.loss_ppm = loss_ppm(stream);
	ages_take(&stream->video.age, &message.stream_stats.age_p50_us,
			&message.stream_stats.age_p99_us);
	ages_take(&stream->video.hand, &message.stream_stats.hand_p50_us,
			&message.stream_stats.hand_p99_us);
	set_pulse(stream);
	if (memcmp(&message.stream_stats, &stream->told.message.stream_stats,
			    sizeof(message.stream_stats)) != 0) {
		stream->told.message = message;
		worker_post(&stream->worker, &message, NULL, 0);
	}
}

#define N(value) ((unsigned long long)(value))

void stream_report_end(struct stream *stream) {
	const struct video_counters *video = &stream->video.counters;
	const struct pacer_counters *pacer = &stream->video.pacer.counters;
	const struct stream_control_counters *control = &stream->control.counters;
	set_pulse(stream);
	log_info("stream-end",
			"trace=%s frames=%llu keys=%llu recoveries=%llu lapped=%llu abandoned=%llu "
			"packets=%llu bytes=%llu calls=%llu full=%llu failed=%llu segments=%d",
			log_quote(stream->trace).text, N(video->frames), N(video->keys),
			N(video->recoveries), N(video->lapped), N(video->abandoned),
			N(pacer->datagrams), N(pacer->bytes), N(pacer->calls), N(pacer->full),
			N(pacer->failed), stream->video.pacer.segments);
	log_info("stream-end-sides",
			"sound=%llu repeated=%llu messages=%llu refused=%llu unknown=%llu "
			"inputs=%llu skipped=%llu denied=%llu idr=%llu lost=%llu key_asks=%llu "
			"invalidations=%llu",
			N(stream->audio.counters.packets), N(stream->audio.counters.repeated),
			N(control->messages), N(control->refused), N(control->unknown),
			N(stream->inputs), N(stream->inputs_skipped), N(stream->inputs_denied),
			N(stream->idr_requests), N(stream->losses_reported), N(video->key_asks),
			N(video->invalidations));
}
