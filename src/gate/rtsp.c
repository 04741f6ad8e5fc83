/* SPDX-License-Identifier: MIT */
#include "gate/rtsp.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/gate.h"
#include "gate/negotiate.h"
#include "proto/rtsp.h"
#include "proto/sdp.h"

enum {
	ANSWER_MAX = 4096,
};

struct call {
	struct gate *gate;
	struct connection *connection;
	struct session *session;
	struct rtsp_request request;
};

/* What the answer to ANNOUNCE needs when it comes. */
struct announce_wait {
	uint64_t serial; /* of the session */
	uint32_t cseq;
};

static void answer(struct connection *connection, struct session *session,
		const struct rtsp_answer *answer) {
	char text[ANSWER_MAX];
	int len = rtsp_answer_write(answer, text, sizeof(text));
	char *out = malloc(sizeof(text) + RTSP_SEAL_HEADER);
	if (len >= 0 && out && session && session->sealed) {
		len = rtsp_seal_close(&session->seal, text, (size_t)len, out);
	} else if (len >= 0 && out) {
		memcpy(out, text, (size_t)len);
	}
	log_info("rtsp", "method=%s code=%d trace=%s ms=%llu", connection->path, answer->status,
			session ? session->trace : "none",
			(unsigned long long)((clock_now_us() - connection->begun_us) / US_PER_MS));
	if (len < 0 || !out) {
		log_error("answer-failed", "path=%s error=%d", connection->path, len);
		free(out);
		connection_close(connection);
		return;
	}
	connection_answer(connection, out, (size_t)len, NULL, 0, NULL, false);
}

static void answer_status(struct call *call, int status) {
	struct rtsp_answer plain = { .status = status,
		.cseq = call->request.cseq,
		.session = call->session ? call->session->token : NULL };
	answer(call->connection, call->session, &plain);
}

static struct negotiate_offer offer(const struct gate *gate) {
	return (struct negotiate_offer){
		.codecs = gate->codecs.mask,
		.reference_invalidation = gate->codecs.reference_invalidation,
		.encryption = gate->options.encryption,
	};
}

static void handle_options(struct call *call) {
	answer_status(call, 200);
}

static void handle_describe(struct call *call) {
	struct negotiate_offer offered = offer(call->gate);
	struct rtsp_describe describe;
	char body[RTSP_DESCRIBE_MAX];
	negotiate_describe(&offered, &describe);
	int len = rtsp_describe_write(&describe, body, sizeof(body));
	struct rtsp_answer reply = { .status = len < 0 ? 500 : 200,
		.cseq = call->request.cseq,
		.body = { body, len < 0 ? 0 : (size_t)len } };
	answer(call->connection, call->session, &reply);
}

static void handle_setup(struct call *call) {
	const struct gate *gate = call->gate;
	const struct session *session = call->session;
	struct rtsp_answer reply = {
		.status = 200, .cseq = call->request.cseq, .session = session->token
	};
	char ping[RTSP_PING_PAYLOAD_SIZE + 1] = "";
	switch (call->request.stream) {
	case RTSP_STREAM_AUDIO:
		memcpy(ping, session->audio_ping.bytes, RTSP_PING_PAYLOAD_SIZE);
		reply.ping_payload = ping;
		reply.server_port = gate->options.audio_port;
		break;
	case RTSP_STREAM_VIDEO:
		memcpy(ping, session->video_ping.bytes, RTSP_PING_PAYLOAD_SIZE);
		reply.ping_payload = ping;
		reply.server_port = gate->options.video_port;
		break;
	case RTSP_STREAM_CONTROL:
		reply.has_connect_data = true;
		reply.connect_data = session->connect_data;
		reply.server_port = gate->options.control_port;
		break;
	case RTSP_STREAM_NONE:
		reply.status = 400;
		break;
	}
	answer(call->connection, call->session, &reply);
	explicit_bzero(ping, sizeof(ping));
}

static void handle_announce(struct call *call) {
	struct connection *connection = call->connection;
	struct session *session = call->session;
	struct negotiate_offer offered = offer(call->gate);
	struct sdp_announce announce;
	struct ipc_message message = { .kind = IPC_ANNOUNCE };
	const char *culprit = "";
	int status = sdp_announce_parse(call->request.body, &announce, &culprit) < 0
				     ? 400
				     : negotiate_announce(&offered, &announce,
						       &message.announce.params, &culprit);
	struct announce_wait *wait = status ? NULL : calloc(1, sizeof(*wait));
	if (!wait) {
		log_warning("announce-refused", "trace=%s code=%d attribute=%s", session->trace,
				status ? status : 500, log_quote(culprit).text);
		answer_status(call, status ? status : 500);
		return;
	}
	*wait = (struct announce_wait){ .serial = session->serial, .cseq = call->request.cseq };
	const struct ipc_stream_params *params = &message.announce.params;
	log_info("announce",
			"trace=%s size=%ux%u rate_x100=%u kbps=%u codec=%u encryption=%u "
			"channels=%u",
			session->trace, params->width, params->height, params->rate_x100,
			params->bitrate_kbps, params->codec, params->encryption, params->channels);
	message.announce.request = connection_request(connection);
	message.announce.session = session->id;
	connection->wait = wait;
	connection->awaits = AWAITS_ANNOUNCED;
	connection_extend(connection, GATE_ANNOUNCE_MS);
	gate_post(call->gate, &message);
}

static void handle_play(struct call *call) {
	struct ipc_message message = { .kind = IPC_PLAY, .play.session = call->session->id };
	call->session->negotiating = false;
	gate_post(call->gate, &message);
	answer_status(call, 200);
}

static const struct {
	const char *name;
	void (*handle)(struct call *call);
} methods[RTSP_METHODS] = {
	[RTSP_OPTIONS] = { "OPTIONS", handle_options },
	[RTSP_DESCRIBE] = { "DESCRIBE", handle_describe },
	[RTSP_SETUP] = { "SETUP", handle_setup },
	[RTSP_ANNOUNCE] = { "ANNOUNCE", handle_announce },
	[RTSP_PLAY] = { "PLAY", handle_play },
};

static void dispatch(struct call *call) {
	session_prove(call->session, &call->connection->peer);
	call->connection->path = methods[call->request.method].name;
	methods[call->request.method].handle(call);
}

static void note_refusal(struct connection *connection, const char *why) {
	char address[ADDRESS_TEXT_MAX];
	address_ip_text(&connection->peer, address);
	log_info("rtsp-refused", "from=%s why=%s", address, log_quote(why).text);
}

/* Without a key there is nothing to answer with, so a message that no key opens just ends its
 * connection. */
static int receive_sealed(struct call *call) {
	struct connection *connection = call->connection;
	int whole = rtsp_seal_measure(connection->in, connection->in_len);
	if (whole < 0) {
		return whole;
	}
	if (connection->in_len < (size_t)whole) {
		return -EAGAIN;
	}
	char text[RTSP_SEAL_PLAIN_MAX];
	size_t len;
	int rc = sessions_unseal(&call->gate->sessions, connection->in, (size_t)whole,
			clock_now_ms(), text, &len, &call->session);
	if (rc < 0) {
		note_refusal(connection, rc == -EPROTO ? "a replay" : "no session has its key");
		return -EPROTO;
	}
	connection_begin(connection, REQUEST_TIMEOUT_MS);
	struct rtsp_progress progress = { 0 };
	rc = rtsp_request_parse(&progress, text, len, &call->request);
	if (rc < 0 || (size_t)rc != len) {
		call->request.cseq = 0;
		connection->path = "unreadable";
		answer_status(call, rtsp_status_of(rc < 0 && rc != -EAGAIN ? rc : -EBADMSG));
	} else {
		dispatch(call);
	}
	explicit_bzero(text, sizeof(text));
	return whole;
}

static int receive_plain(struct call *call) {
	struct connection *connection = call->connection;
	struct rtsp_progress progress = { connection->seen[0], connection->seen[1] };
	int rc = rtsp_request_parse(&progress, connection->in, connection->in_len, &call->request);
	connection->seen[0] = progress.scanned;
	connection->seen[1] = progress.head_len;
	if (rc == -EAGAIN) {
		if (progress.head_len) {
			connection_body(connection);
		}
		return rc;
	}
	connection_begin(connection, REQUEST_TIMEOUT_MS);
	if (rc < 0) {
		connection->path = "unreadable";
		call->request.cseq = 0;
		answer_status(call, rtsp_status_of(rc));
		return (int)connection->in_len;
	}
	call->session = sessions_plain(&call->gate->sessions, &connection->peer, clock_now_ms());
	if (call->session) {
		dispatch(call);
	} else {
		note_refusal(connection, "no plain launch came from this address");
		connection->path = "stranger";
		answer_status(call, 403);
	}
	return rc;
}

static int receive(struct connection *connection) {
	struct call call = { .gate = (struct gate *)connection->pool->user,
		.connection = connection };
	return (uint8_t)connection->in[0] & 0x80 ? receive_sealed(&call) : receive_plain(&call);
}

static void finish_announce(struct connection *connection, int status) {
	struct gate *gate = (struct gate *)connection->pool->user;
	struct announce_wait *wait = TAKE(connection->wait, NULL);
	struct session *session = sessions_by_serial(&gate->sessions, wait->serial);
	struct rtsp_answer reply = { .status = status, .cseq = wait->cseq };
	free(wait);
	if (!session) {
		connection_close(connection); /* it ended meanwhile: so did its key */
		return;
	}
	reply.session = session->token;
	answer(connection, session, &reply);
}

void rtsp_handle_announced(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->announced.request, AWAITS_ANNOUNCED);
	if (!connection) {
		return;
	}
	int status = message->announced.reason == REASON_NONE
				     ? 200
				     : reason_row(message->announced.reason)->status;
	if (message->announced.reason != REASON_NONE) {
		log_warning("announce-failed", "reason=%s detail=%s",
				reason_row(message->announced.reason)->name,
				log_quote(message->announced.detail).text);
		status = status == 200 ? 503 : status;
	}
	finish_announce(connection, status);
}

void rtsp_handle_overdue(struct connection *connection) {
	finish_announce(connection, 503);
}

void rtsp_handle_gone(struct connection *connection) {
	free(TAKE(connection->wait, NULL));
}

const struct connection_class rtsp_class = {
	.name = "rtsp",
	.half_close = true,
	.receive = receive,
	.overdue = gate_overdue,
	.gone = gate_gone,
};
