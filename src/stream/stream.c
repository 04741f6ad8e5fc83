/* SPDX-License-Identifier: MIT */
#include "stream/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/page.h"

static struct stream *stream_of(struct worker *worker) {
	return container_of(worker, struct stream, worker);
}

void stream_commit(struct stream *stream) {
	struct takeover *takeover = &stream->takeover;
	if (stream->control.accepted) {
		takeover_put_enet(takeover, &stream->control.peer);
	}
	takeover->video = stream->video.sender.position;
	takeover->video_timestamp = stream->video.timestamp;
	takeover->audio_sequence = stream->audio.sender.position.next_sequence;
	takeover->audio_timestamp = stream->audio.sender.position.next_timestamp;
	takeover->control_seen = stream->control.opener.window;
	takeover->inputs = stream->inputs;
	takeover->source = stream->playing ? stream->playing->id : 0;
	takeover->flags = (stream->control.started ? TAKEOVER_STARTED : 0) |
			  (stream->control.proven ? TAKEOVER_PROVEN : 0) |
			  (stream->first_told ? TAKEOVER_FIRST_SENT : 0);
	if (page_commit(&stream->page, takeover, takeover_size(takeover)) < 0) {
		stream->takeover.enet_len = 0; /* cannot be: the struct fits */
	}
}

static void commit(void *user) {
	stream_commit((struct stream *)user);
}

/* What ENet wants to say leaves after it was committed. */
static void flush_control(struct stream *stream, uint64_t now_ms) {
	uint8_t bytes[STREAM_CONTROL_BATCH][ENET_MTU];
	size_t sizes[STREAM_CONTROL_BATCH];
	size_t count;
	do {
		for (count = 0; count < STREAM_CONTROL_BATCH; count++) {
			sizes[count] = stream_control_transmit(
					&stream->control, now_ms, bytes[count], ENET_MTU);
			if (sizes[count] == 0) {
				break;
			}
		}
		if (count == 0) {
			break;
		}
		stream_commit(stream);
		for (size_t i = 0; i < count; i++) {
			flow_send(&stream->flows[FLOW_CONTROL], bytes[i], sizes[i]);
		}
	} while (count == STREAM_CONTROL_BATCH);
	stream_control_tick(&stream->control, now_ms);
}

static void arm(struct stream *stream, enum stream_timer timer, uint64_t when_ns);

static int handle_timer(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct stream *stream = (struct stream *)user;
	for (int i = 0; i < STREAM_TIMERS; i++) {
		if (stream->timers[i] == source) {
			stream->armed_us[i] = UINT64_MAX;
		}
	}
	if (source == stream->timers[STREAM_TIMER_STATS]) {
		stream_report_second(stream);
		arm(stream, STREAM_TIMER_STATS, clock_now_ns() + STREAM_STATS_MS * NS_PER_MS);
	}
	stream_settle(stream);
	return 0;
}

static void arm(struct stream *stream, enum stream_timer timer, uint64_t when_ns) {
	uint64_t when_us =
			when_ns == UINT64_MAX ? UINT64_MAX : (when_ns + NS_PER_US - 1) / NS_PER_US;
	if (when_us == stream->armed_us[timer]) {
		return;
	}
	stream->armed_us[timer] = when_us;
	if (when_us == UINT64_MAX) {
		sd_event_source_set_enabled(stream->timers[timer], SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(stream->timers[timer], when_us);
	sd_event_source_set_enabled(stream->timers[timer], SD_EVENT_ONESHOT);
}

static uint64_t sooner(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

/* Pictures start when the client is known to listen for them. */
static uint64_t update_ready(struct stream *stream, uint64_t now_ns) {
	if (stream->video.ready || !flow_is_here(&stream->flows[FLOW_VIDEO]) || !stream->playing) {
		return UINT64_MAX;
	}
	uint64_t patience_ns = stream->video_flow_ns + STREAM_PATIENCE_MS * NS_PER_MS;
	if (!stream->control.connected && now_ns < patience_ns) {
		return patience_ns;
	}
	stream->video.ready = true;
	/* What is in the ring a predecessor may have sent already. */
	uint64_t since_ns = now_ns - SOURCE_FRESH_MS * NS_PER_MS;
	uint64_t key = stream->succeeds ? 0 : source_fresh_key(stream->playing, since_ns);
	stream_video_set_source(
			&stream->video, stream->playing, key, stream->params.references != 1);
	return UINT64_MAX;
}

static void tell_first(struct stream *stream) {
	if (!stream->first_told && stream->video.first_packet_ns) {
		stream->first_told = true;
		struct ipc_message message = {
			.kind = IPC_STREAM_FIRST,
			.stream_first.first_packet_ns = stream->video.first_packet_ns,
		};
		worker_post(&stream->worker, &message, NULL, 0);
	}
}

/* Whoever hears it may end the source before: the group of sound that it began must be out,
 * or clients conceal what is missing of it. */
static void tell_source(struct stream *stream) {
	if (!stream->source_told && stream->video.frames.newest && !stream->switching.sound) {
		stream->source_told = true;
		struct ipc_message message = {
			.kind = IPC_STREAM_SOURCE_ACTIVE,
			.stream_active = { .source = stream->playing->id, .reason = REASON_NONE },
		};
		worker_post(&stream->worker, &message, NULL, 0);
	}
}

static uint64_t settle_video(struct stream *stream, uint64_t now_ns) {
	uint64_t deadline = update_ready(stream, now_ns);
	uint64_t exact;
	do {
		bool pause = stream_source_waits(stream);
		exact = stream_video_run(&stream->video, pause, commit, stream);
	} while (stream_source_move_pictures(stream, now_ns));
	if (exact == 0) {
		flow_watch(&stream->flows[FLOW_VIDEO], true);
		deadline = sooner(deadline, stream->video.full_until_ns);
		exact = UINT64_MAX;
	}
	arm(stream, STREAM_TIMER_EXACT, exact);
	tell_first(stream);
	deadline = sooner(deadline, stream_video_ask(&stream->video, now_ns));
	return sooner(deadline, switching_deadline_ns(&stream->switching));
}

static uint64_t settle_audio(struct stream *stream, uint64_t now_ns) {
	do {
		stream_source_move_sound(stream, now_ns);
	} while (stream_audio_step(&stream->audio, now_ns, commit, stream));
	arm(stream, STREAM_TIMER_SOUND, stream_audio_deadline_ns(&stream->audio));
	return stream->switching.sound ? stream->sound_until_ns : UINT64_MAX;
}

void stream_settle(struct stream *stream) {
	if (!stream->have_start) {
		return;
	}
	uint64_t now_ns = clock_now_ns();
	uint64_t deadline = UINT64_MAX;
	if (!stream->ending && !stream->lost) {
		deadline = sooner(settle_video(stream, now_ns), settle_audio(stream, now_ns));
		tell_source(stream);
	} else {
		arm(stream, STREAM_TIMER_EXACT, UINT64_MAX);
		arm(stream, STREAM_TIMER_SOUND, UINT64_MAX);
	}
	if (flow_is_here(&stream->flows[FLOW_CONTROL])) {
		flush_control(stream, now_ns / NS_PER_MS);
	}
	uint64_t control_ms = stream_control_deadline_ms(&stream->control);
	if (control_ms != UINT64_MAX) {
		deadline = sooner(deadline, control_ms * NS_PER_MS);
	}
	arm(stream, STREAM_TIMER_COARSE, deadline);
	if (stream->ending && !stream->left && stream_control_is_over(&stream->control)) {
		stream->left = true;
		worker_leave(&stream->worker);
	}
}

static void settle(void *user) {
	stream_settle((struct stream *)user);
}

static void handle_control_datagram(void *user, const void *datagram, size_t len, uint64_t now_ns) {
	struct stream *stream = (struct stream *)user;
	stream_control_receive(&stream->control, datagram, len, now_ns / NS_PER_MS);
}

static bool take_media_flow(struct flow *flow, const struct ipc_message *message, uint64_t now_ns) {
	struct ping ping;
	if (ping_decode(message->flow.datagram, message->flow.datagram_len, &ping) < 0 ||
			!flow_may_move(flow, &ping, now_ns)) {
		return false;
	}
	memcpy(flow->secret, ping.secret, sizeof(flow->secret));
	flow->counter = ping.counter;
	flow->heard_ns = now_ns;
	return true;
}

static void note_flow(struct stream *stream, struct flow *flow, uint64_t now_ns) {
	struct takeover_flow *saved = &stream->takeover.flows[flow->kind];
	saved->peer = flow->peer;
	saved->counter = flow->counter;
	memcpy(saved->secret, flow->secret, sizeof(saved->secret));
	if (flow->kind == FLOW_VIDEO) {
		pacer_attach(&stream->video.pacer, flow->fd);
		stream->video_flow_ns = stream->video_flow_ns ? stream->video_flow_ns : now_ns;
	}
	if (flow->kind == FLOW_AUDIO && flow->counters.moves == 0 && stream->sound) {
		stream_audio_set_source(&stream->audio, stream->sound); /* not with what was */
	}
	char ip[ADDRESS_TEXT_MAX];
	address_ip_text(&flow->peer, ip);
	log_info("flow", "kind=%d peer=%s port=%u moves=%llu", flow->kind, ip, flow->peer.port,
			(unsigned long long)flow->counters.moves);
	stream_commit(stream);
}

/* Every offer is answered, in order: the supervisor keeps what was taken. */
static void tell_flow(struct stream *stream, const struct ipc_message *offer, bool taken) {
	struct ipc_message message = {
		.kind = IPC_STREAM_FLOW,
		.stream_flow = { .flow = offer->flow.flow,
				.peer = offer->flow.peer,
				.taken = taken },
	};
	worker_post(&stream->worker, &message, NULL, 0);
}

static bool judge_flow(struct stream *stream, struct flow *flow, const struct ipc_message *message,
		uint64_t now_ns) {
	if (stream_waits_for_flow(stream, flow)) {
		return stream_adopt_flow(stream, flow, &message->flow.peer, now_ns);
	}
	return flow->kind == FLOW_CONTROL
			       ? stream_control_offer(&stream->control, message->flow.datagram,
						 message->flow.datagram_len, now_ns / NS_PER_MS)
			       : take_media_flow(flow, message, now_ns);
}

static void handle_flow(struct stream *stream, struct ipc_message *message, struct ipc_fds *fds) {
	if (message->flow.flow >= FLOWS) {
		return;
	}
	struct flow *flow = &stream->flows[message->flow.flow];
	uint64_t now_ns = clock_now_ns();
	if (!judge_flow(stream, flow, message, now_ns)) {
		flow->counters.moves_refused++;
		tell_flow(stream, message, false);
		return;
	}
	bool qos = (flow->kind == FLOW_VIDEO && stream->params.video_qos) ||
		   (flow->kind == FLOW_AUDIO && stream->params.audio_qos);
	int fd = fds_take(fds, 0);
	int rc = flow_open(flow, stream->worker.event, fd, &message->flow.peer, qos);
	if (rc < 0) {
		fd_close(fd);
		tell_flow(stream, message, false);
		worker_fail(&stream->worker, REASON_RESOURCES, "flow: %s", strerror(-rc));
		return;
	}
	note_flow(stream, flow, now_ns);
	tell_flow(stream, message, true);
	if (flow->kind == FLOW_CONTROL && flow->counters.moves > 0) {
		/* It decrypted: sound and pictures may go there as well, once asked for. */
		struct ipc_message proven = { .kind = IPC_FLOW_PROVEN,
			.flow_proven.address = flow->peer };
		worker_post(&stream->worker, &proven, NULL, 0);
	}
}

static int open_parts(struct stream *stream, const struct ipc_message *message) {
	const struct ipc_stream_params *params = &stream->params;
	struct video_config video = {
		.format = {
			.packet_size = params->packet_size,
			.fec_percent = VIDEO_FEC_PERCENT,
			.min_parity = params->fec_minimum,
			.encrypted = params->encryption & ENCRYPT_VIDEO,
		},
		.key = &stream->key,
		.position = stream->takeover.video,
		.timestamp = stream->takeover.video_timestamp,
		.ceiling_kbps = params->bitrate_kbps,
		.rate_x100 = params->rate_x100,
	};
	struct audio_format audio = {
		.duration_ms = params->sound_ms,
		.encrypted = params->encryption & ENCRYPT_AUDIO,
		.key_id = (uint32_t)message->stream_start.key_id,
	};
	struct audio_position begin = { stream->takeover.audio_sequence,
		stream->takeover.audio_timestamp };
	begin = audio_position_aligned(begin, audio.duration_ms);
	int rc = stream_video_init(&stream->video, &video);
	if (rc == 0) {
		rc = stream_audio_init(&stream->audio, &audio, &stream->key, &begin,
				&stream->flows[FLOW_AUDIO]);
	}
	if (rc == 0) {
		rc = stream_control_init(&stream->control, &stream->key,
				(uint32_t)stream->takeover.control_reserved,
				message->stream_start.connect_data, message->stream_start.enet_peer,
				&stream_control_events, stream);
	}
	return rc;
}

static void handle_stream_start(
		struct stream *stream, struct ipc_message *message, struct ipc_fds *fds) {
	if (stream->have_start) {
		worker_end(&stream->worker, REASON_WORKER_LIED, "a second stream start");
		return;
	}
	stream->key = message->stream_start.key;
	secret_wipe(&message->stream_start.key);
	stream->params = message->stream_start.params;
	text_copy(stream->trace, sizeof(stream->trace), message->stream_start.trace);
	int rc = stream_adopt_page(stream, fds_take(fds, 0), message->stream_start.incarnation);
	if (rc == 0) {
		rc = open_parts(stream, message);
	}
	if (rc == 0 && stream->succeeds) {
		rc = stream_adopt_control(stream, clock_now_ms());
	}
	if (rc < 0) {
		worker_end(&stream->worker, REASON_RESOURCES, "stream start: %s", strerror(-rc));
		return;
	}
	stream->have_start = true;
	stream_commit(stream);
	if (stream->control.started) {
		stream_control_events.started(stream); /* what it said last may have gone */
	}
	log_info("stream-start",
			"incarnation=%u trace=%s mode=%ux%u rate_x100=%u kbps=%u packet=%u "
			"encryption=%u",
			stream->takeover.incarnation, log_quote(stream->trace).text,
			stream->params.width, stream->params.height, stream->params.rate_x100,
			stream->params.bitrate_kbps, stream->params.packet_size,
			stream->params.encryption);
	arm(stream, STREAM_TIMER_STATS, clock_now_ns() + STREAM_STATS_MS * NS_PER_MS);
}

/* What is held is let go: it may be what must not be pressed any more. */
static void handle_client(struct stream *stream, const struct ipc_message *message) {
	if (stream->likes.permissions & ~message->stream_client.permissions) {
		stream_source_release_input(stream);
	}
	likes_take(&stream->likes, message);
	struct pads_hearer hearer = stream_source_hearer(stream);
	pads_prefer(&stream->pads, message, &hearer);
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	struct stream *stream = stream_of(worker);
	if (message->kind == IPC_STREAM_START) {
		handle_stream_start(stream, message, fds);
	} else if (!stream->have_start) {
		worker_end(worker, REASON_WORKER_LIED, "%s before the stream's start",
				ipc_kind_name(message->kind));
	} else if (message->kind == IPC_STREAM_SOURCE) {
		stream_source_offer(stream, message, fds);
	} else if (message->kind == IPC_STREAM_PICTURES || message->kind == IPC_STREAM_SOUND) {
		stream_source_replace(stream, message, fds);
	} else if (message->kind == IPC_FLOW) {
		handle_flow(stream, message, fds);
	} else if (message->kind == IPC_STREAM_CLIENT) {
		handle_client(stream, message);
	} else if (message->kind == IPC_STREAM_END) {
		stream->end_code = message->stream_end.code;
		worker_end(worker, (enum reason)message->stream_end.reason, "%s", "");
	}
	stream_settle(stream);
}

static void handle_stop(struct worker *worker, uint32_t reason) {
	(void)reason;
	struct stream *stream = stream_of(worker);
	if (!stream->have_start) {
		worker_leave(worker);
		return;
	}
	stream->ending = true;
	stream_source_release_input(stream);
	stream_control_goodbye(&stream->control,
			stream->end_code ? stream->end_code : CONTROL_END_ORDERLY, clock_now_ms());
	stream_settle(stream);
}

static int handle_start(struct worker *worker) {
	struct stream *stream = stream_of(worker);
	static const uint64_t accuracy_us[STREAM_TIMERS] = {
		[STREAM_TIMER_EXACT] = 1,
		[STREAM_TIMER_SOUND] = 500,
		[STREAM_TIMER_COARSE] = 1000,
		[STREAM_TIMER_STATS] = 50000,
	};
	for (int i = 0; i < STREAM_TIMERS; i++) {
		stream->armed_us[i] = UINT64_MAX;
		int rc = sd_event_add_time(worker->event, &stream->timers[i], CLOCK_MONOTONIC,
				UINT64_MAX, accuracy_us[i], handle_timer, stream);
		if (rc < 0) {
			return rc;
		}
		sd_event_source_set_enabled(stream->timers[i], SD_EVENT_OFF);
	}
	for (int i = 0; i < FLOWS; i++) {
		stream->flows[i].settle = settle;
	}
	stream->flows[FLOW_CONTROL].datagram = handle_control_datagram;
	return 0;
}

const struct worker_class stream_class = {
	.kind = PEER_STREAM,
	.start = handle_start,
	.message = handle_message,
	.stop = handle_stop,
};

struct stream *stream_create(void) {
	void *map = mmap(NULL, sizeof(struct stream), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		return NULL;
	}
	madvise(map, sizeof(struct stream), MADV_DONTDUMP);
	struct stream *stream = (struct stream *)map;
	stream->page = SHM_NONE;
	stream->likes = likes_begin();
	for (int i = 0; i < FLOWS; i++) {
		flow_init(&stream->flows[i], (enum ipc_flow)i, stream);
	}
	return stream;
}

void stream_destroy(struct stream *stream) {
	for (int i = 0; i < STREAM_TIMERS; i++) {
		sd_event_source_disable_unref(stream->timers[i]);
	}
	for (int i = 0; i < FLOWS; i++) {
		flow_finish(&stream->flows[i]);
	}
	if (stream->sound != stream->playing) {
		source_destroy(stream->sound);
	}
	source_destroy(stream->playing);
	source_destroy(stream->next);
	stream_control_finish(&stream->control);
	stream_video_finish(&stream->video);
	stream_audio_finish(&stream->audio);
	shm_finish(&stream->page);
	explicit_bzero(stream, sizeof(*stream));
	munmap(stream, sizeof(*stream));
}
