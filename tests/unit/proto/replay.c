/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"

#include "proto/control.h"
#include "proto/enet.h"
#include "proto/http.h"
#include "proto/ping.h"
#include "proto/rtsp_seal.h"

struct stage {
	const struct transcript *transcript;
	struct replay *out;
	uint64_t host_now_ms, client_now_ms;
	struct rtsp_seal host_seal, client_seal;
	enum rtsp_stream asked; /* by the last SETUP */
	bool describing;
	struct enet_peer *host, *client; /* owned */
	bool accepted;
	struct control_opener host_opener, client_opener; /* of whom it serves */
};

/* ---- HTTP ---- */

static int note_launch(struct stage *stage, struct span query) {
	const char *culprit;
	stage->out->launches++;
	return launch_query_parse(query, &stage->out->launch, &culprit);
}

static int note_resume(struct stage *stage, struct span query) {
	const char *culprit;
	stage->out->resumes++;
	return launch_resume_parse(query, &stage->out->launch, &culprit);
}

static int note_pair(struct stage *stage, struct span query) {
	static struct pair_query pair;
	const char *culprit;
	stage->out->pairings++;
	return pair_query_parse(query, &pair, &culprit);
}

static int note_cancel(struct stage *stage, struct span query) {
	(void)query;
	stage->out->cancels++;
	return 0;
}

static int note_art(struct stage *stage, struct span query) {
	(void)stage;
	const char *culprit;
	int32_t app;
	return launch_appid_parse(query, &app, &culprit);
}

static const struct {
	const char *path;
	int (*note)(struct stage *stage, struct span query);
} paths[] = {
	{ "/launch", note_launch },
	{ "/resume", note_resume },
	{ "/pair", note_pair },
	{ "/cancel", note_cancel },
	{ "/appasset", note_art },
	{ "/serverinfo", NULL },
	{ "/applist", NULL },
	{ "/unpair", NULL },
};

static int take_request(struct stage *stage, const char *text, size_t len) {
	struct http_request request;
	int taken = http_request_parse(text, len, 0, &request);
	if (taken < 0) {
		return taken;
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (span_is(request.path, paths[i].path)) {
			int rc = paths[i].note ? paths[i].note(stage, request.query) : 0;
			return rc < 0 ? rc : (size_t)taken == len ? 0 : -EBADMSG;
		}
	}
	return -ENOENT;
}

static void play_http(struct stage *stage, const struct transcript_event *event) {
	stage->out->requests++;
	if (take_request(stage, (const char *)event->bytes, event->len) < 0) {
		stage->out->refused_requests++;
	}
}

/* ---- RTSP ---- */

/* The text of one message into out, which has RTSP_SEAL_PLAIN_MAX bytes. */
static int open_rtsp(struct stage *stage, const struct transcript_event *event, char *out) {
	if (!stage->transcript->sealed) {
		if (event->len > RTSP_SEAL_PLAIN_MAX) {
			return -ENOSPC;
		}
		memcpy(out, event->bytes, event->len);
		return (int)event->len;
	}
	int whole = rtsp_seal_measure(event->bytes, event->len);
	if (whole < 0 || (size_t)whole != event->len) {
		return whole < 0 ? whole : -EBADMSG;
	}
	return rtsp_seal_open(event->from_host ? &stage->client_seal : &stage->host_seal,
			event->bytes, event->len, out);
}

static int take_answer(struct stage *stage, const char *text, size_t len) {
	struct replay *out = stage->out;
	struct rtsp_response response;
	int rc = rtsp_response_parse(text, len, &response);
	if (rc < 0 || response.status != 200) {
		return rc < 0 ? rc : -EPROTO;
	}
	out->n_answers++;
	if (stage->describing) {
		return rtsp_describe_parse(response.body, &out->describe);
	}
	if (response.ping_payload.len && stage->asked != RTSP_STREAM_CONTROL) {
		memcpy(out->secret[stage->asked == RTSP_STREAM_AUDIO], response.ping_payload.at,
				RTSP_PING_PAYLOAD_SIZE);
	}
	out->connect_data = response.connect_data ? response.connect_data : out->connect_data;
	return 0;
}

static int take_rtsp(struct stage *stage, const char *text, size_t len) {
	struct replay *out = stage->out;
	struct rtsp_progress progress = { 0 };
	struct rtsp_request request;
	int rc = rtsp_request_parse(&progress, text, len, &request);
	if (rc < 0 || (size_t)rc != len || out->n_methods == REPLAY_RTSP_MAX) {
		return rc < 0 ? rc : -EBADMSG;
	}
	out->methods[out->n_methods] = request.method;
	out->streams[out->n_methods] = request.stream;
	out->cseq[out->n_methods++] = request.cseq;
	stage->asked = request.stream;
	stage->describing = request.method == RTSP_DESCRIBE;
	if (request.method != RTSP_ANNOUNCE) {
		return 0;
	}
	const char *culprit;
	out->announced++;
	return sdp_announce_parse(request.body, &out->announce, &culprit);
}

static void play_rtsp(struct stage *stage, const struct transcript_event *event) {
	static char text[RTSP_SEAL_PLAIN_MAX];
	int len = open_rtsp(stage, event, text);
	if (len >= 0) {
		len = (event->from_host ? take_answer : take_rtsp)(stage, text, (size_t)len);
	}
	stage->out->refused_rtsp += len < 0;
}

/* ---- pings ---- */

static void play_ping(struct stage *stage, const struct transcript_event *event) {
	struct replay *out = stage->out;
	unsigned which = event->flow == TRANSCRIPT_AUDIO;
	struct ping ping;
	if (ping_decode(event->bytes, event->len, &ping) < 0 || ping.kind != PING_WITH_SECRET ||
			memcmp(ping.secret, out->secret[which], sizeof(ping.secret)) != 0) {
		out->refused_pings++;
		return;
	}
	out->pings[which]++;
	out->counts = out->counts && ping.counter == out->counter[which] + 1;
	out->counter[which] = ping.counter;
}

/* ---- control ---- */

static void note_input(struct replay *out, const struct control_message *message) {
	if (out->n_input == REPLAY_INPUT_MAX ||
			input_decode(message->input.data, message->input.len,
					&out->input[out->n_input]) < 0) {
		out->refused_input++;
		return;
	}
	out->n_input++;
}

static void note_message(struct stage *stage, const struct enet_event *event) {
	struct replay *out = stage->out;
	struct replay_message *heard = &out->messages[out->n_messages];
	if (out->n_messages == REPLAY_MESSAGES_MAX ||
			control_open(&stage->host_opener, event->bytes, event->len, heard->bytes,
					&heard->len, &heard->sequence) < 0) {
		out->refused_messages++;
		return;
	}
	out->n_messages++;
	struct control_message message;
	if (control_message_decode(CONTROL_CLIENT, heard->bytes, heard->len, &message) < 0) {
		out->unknown_messages++;
		return;
	}
	heard->kind = message.kind;
	out->kinds[message.kind]++;
	if (message.kind == CONTROL_INPUT) {
		note_input(out, &message);
	}
}

static void note_host_message(struct stage *stage, const struct enet_event *event) {
	uint8_t bytes[CONTROL_MESSAGE_MAX];
	size_t len;
	uint32_t sequence;
	struct control_message message;
	if (control_open(&stage->client_opener, event->bytes, event->len, bytes, &len, &sequence) <
					0 ||
			control_message_decode(CONTROL_HOST, bytes, len, &message) < 0) {
		stage->out->host_refused++;
		return;
	}
	stage->out->host_kinds[message.kind]++;
}

/* What a peer wants to send was recorded already. */
static void drop_output(struct enet_peer *peer, uint64_t now_ms) {
	uint8_t buf[ENET_MTU];
	for (size_t len = 1; len;) {
		len = enet_peer_transmit(peer, now_ms, buf, sizeof(buf));
	}
}

static void accept_client(struct stage *stage, const struct transcript_event *event) {
	struct enet_connect connect;
	if (enet_connect_peek(event->bytes, event->len, &connect) < 0 ||
			enet_peer_accept(stage->host, event->bytes, event->len,
					stage->host->local_id, stage->host_now_ms) < 0) {
		stage->out->refused_datagrams++;
		return;
	}
	struct enet_client_config config = {
		.local_id = connect.peer_id,
		.channels = (uint8_t)connect.channels,
		.data = connect.data,
		.connect_id = connect.connect_id,
	};
	stage->out->said_connect_data = connect.data;
	stage->accepted = enet_peer_init_client(stage->client, &config, stage->client_now_ms) == 0;
}

static void take_datagram(struct stage *stage, const struct transcript_event *event) {
	struct enet_peer *peer = event->from_host ? stage->client : stage->host;
	uint64_t now_ms = event->from_host ? stage->client_now_ms : stage->host_now_ms;
	if (enet_peer_receive(peer, event->bytes, event->len, now_ms) < 0) {
		*(event->from_host ? &stage->out->host_refused : &stage->out->refused_datagrams) +=
				1;
	}
	struct enet_event told;
	while (enet_peer_next_event(peer, &told)) {
		if (told.kind == ENET_EVENT_PACKET) {
			(event->from_host ? note_host_message : note_message)(stage, &told);
		} else if (told.kind == ENET_EVENT_CONNECTED) {
			*(event->from_host ? &stage->out->host_connected : &stage->out->connected) =
					true;
		} else if (!event->from_host && told.end == ENET_END_PEER) {
			stage->out->disconnected = true;
		}
	}
}

static void play_control(struct stage *stage, const struct transcript_event *event) {
	if (!stage->accepted) {
		accept_client(stage, event);
	} else {
		take_datagram(stage, event);
	}
	if (stage->accepted) {
		drop_output(stage->host, stage->host_now_ms);
		drop_output(stage->client, stage->client_now_ms);
	}
}

static void (*const play[TRANSCRIPT_FLOWS])(
		struct stage *stage, const struct transcript_event *event) = {
	[TRANSCRIPT_HTTP] = play_http,
	[TRANSCRIPT_HTTPS] = play_http,
	[TRANSCRIPT_RTSP] = play_rtsp,
	[TRANSCRIPT_VIDEO] = play_ping,
	[TRANSCRIPT_AUDIO] = play_ping,
	[TRANSCRIPT_CONTROL] = play_control,
};

/* What to add to a time of the transcript for the clock that one side's datagrams tell;
 * acknowledgements repeat the other side's. */
static uint64_t find_clock(const struct transcript *transcript, bool from_host) {
	enum { SLACK_MS = 2 }; /* both were rounded */
	for (size_t i = 0; i < transcript->n_events; i++) {
		const struct transcript_event *event = &transcript->events[i];
		if (event->flow != TRANSCRIPT_CONTROL || event->from_host != from_host) {
			continue;
		}
		struct reader r = reader_over(event->bytes, event->len);
		bool timed = (reader_be16(&r) & 0x8000) != 0;
		uint16_t sent_time = reader_be16(&r);
		if (timed && !r.failed) {
			uint16_t ahead = (uint16_t)(sent_time - event->at_ms);
			return 0x10000u + ahead + SLACK_MS;
		}
	}
	return 0x10000;
}

/* Our peer id as the recorded host chose it: the client's datagrams carry it. */
static uint16_t find_id(const struct transcript *transcript) {
	unsigned heard = 0;
	for (size_t i = 0; i < transcript->n_events; i++) {
		const struct transcript_event *event = &transcript->events[i];
		uint16_t id;
		if (event->flow == TRANSCRIPT_CONTROL && !event->from_host && heard++ > 0 &&
				enet_id_peek(event->bytes, event->len, &id) == 0 &&
				id < ENET_ID_NONE) {
			return id;
		}
	}
	return 0;
}

void replay_run(const struct transcript *transcript, struct replay *out) {
	memset(out, 0, sizeof(*out));
	out->counts = true;
	struct stage stage = {
		.transcript = transcript,
		.out = out,
		.host = calloc(1, sizeof(struct enet_peer)),
		.client = calloc(1, sizeof(struct enet_peer)),
	};
	const struct secret *key = &transcript->rikey;
	assert_true(stage.host && stage.client);
	assert_int_equal(rtsp_seal_init(&stage.host_seal, RTSP_SEAL_HOST, key), 0);
	assert_int_equal(rtsp_seal_init(&stage.client_seal, RTSP_SEAL_CLIENT, key), 0);
	assert_int_equal(control_opener_init(&stage.host_opener, key, CONTROL_CLIENT), 0);
	assert_int_equal(control_opener_init(&stage.client_opener, key, CONTROL_HOST), 0);
	stage.host->local_id = find_id(transcript);
	uint64_t host_clock = find_clock(transcript, true);
	uint64_t client_clock = find_clock(transcript, false);
	for (size_t i = 0; i < transcript->n_events; i++) {
		stage.host_now_ms = host_clock + transcript->events[i].at_ms;
		stage.client_now_ms = client_clock + transcript->events[i].at_ms;
		if (!transcript->events[i].from_host ||
				transcript->events[i].flow >= TRANSCRIPT_RTSP) {
			play[transcript->events[i].flow](&stage, &transcript->events[i]);
		}
	}
	rtsp_seal_finish(&stage.host_seal);
	rtsp_seal_finish(&stage.client_seal);
	control_opener_finish(&stage.host_opener);
	control_opener_finish(&stage.client_opener);
	free(stage.host);
	free(stage.client);
}
