/* SPDX-License-Identifier: MIT */
#include "gate/flows.h"

#include "proto/enet.h"
#include "proto/ping.h"

const char *flow_refusal_name(enum flow_refusal refusal) {
	static const char *const names[FLOW_REFUSALS] = {
		[FLOW_REFUSED_NONSENSE] = "nonsense",
		[FLOW_REFUSED_LEGACY] = "legacy-ping",
		[FLOW_REFUSED_NO_DATA] = "connect-without-data",
		[FLOW_REFUSED_UNKNOWN] = "unknown-secret",
		[FLOW_REFUSED_UNPROVEN] = "unproven-address",
		[FLOW_REFUSED_OLD] = "old-counter",
		[FLOW_REFUSED_TOO_SOON] = "too-soon",
	};
	return refusal < FLOW_REFUSALS ? names[refusal] : "unknown";
}

static int refuse(enum flow_refusal refusal, enum flow_refusal *out_refusal) {
	*out_refusal = refusal;
	return -EPROTO;
}

static int judge_ping(struct sessions *sessions, enum ipc_flow flow, const struct address *from,
		const struct ping *ping, uint64_t now_ms, struct flow_choice *out,
		enum flow_refusal *out_refusal) {
	struct session *found = NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->list[i];
		const struct secret *secret =
				flow == FLOW_VIDEO ? &session->video_ping : &session->audio_ping;
		if (session->id && bytes_equal_secretly(
						   secret->bytes, ping->secret, PING_SECRET_SIZE)) {
			found = session;
		}
	}
	if (!found) {
		return refuse(FLOW_REFUSED_UNKNOWN, out_refusal);
	}
	struct session_flow *state = &found->flows[flow];
	if (!session_is_proven(found, from)) {
		return refuse(FLOW_REFUSED_UNPROVEN, out_refusal);
	}
	if (ping->counter <= state->counter) {
		return refuse(FLOW_REFUSED_OLD, out_refusal);
	}
	if (now_ms < state->next_ms) {
		return refuse(FLOW_REFUSED_TOO_SOON, out_refusal);
	}
	state->counter = ping->counter;
	state->next_ms = now_ms + SESSION_FLOW_GAP_MS;
	state->opened = true;
	*out = (struct flow_choice){ .session = found, .counter = ping->counter };
	return 0;
}

static int judge_connect(struct sessions *sessions, const struct address *from, uint32_t data,
		uint64_t now_ms, struct flow_choice *out, enum flow_refusal *out_refusal) {
	if (data == 0) {
		return refuse(FLOW_REFUSED_NO_DATA, out_refusal);
	}
	bool known = false;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->list[i];
		if (!session->id || session->connect_data != data) {
			continue;
		}
		known = true;
		if (!session_is_proven(session, from)) {
			continue;
		}
		struct session_flow *state = &session->flows[FLOW_CONTROL];
		if (now_ms < state->next_ms) {
			return refuse(FLOW_REFUSED_TOO_SOON, out_refusal);
		}
		state->next_ms = now_ms + SESSION_FLOW_GAP_MS;
		state->opened = true;
		*out = (struct flow_choice){ .session = session };
		return 0;
	}
	return refuse(known ? FLOW_REFUSED_UNPROVEN : FLOW_REFUSED_UNKNOWN, out_refusal);
}

/* A connection whose client's address has changed. */
static int judge_moved(struct sessions *sessions, const struct address *from, uint16_t id,
		uint64_t now_ms, struct flow_choice *out, enum flow_refusal *out_refusal) {
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->list[i];
		struct session_flow *state = &session->flows[FLOW_CONTROL];
		if (!session->id || session->enet_peer != id || !state->opened) {
			continue;
		}
		bool proven = session_is_proven(session, from);
		uint64_t *next = proven ? &state->next_ms : &state->next_alien_ms;
		if (now_ms < *next) {
			return refuse(FLOW_REFUSED_TOO_SOON, out_refusal);
		}
		*next = now_ms + (proven ? (uint64_t)SESSION_FLOW_GAP_MS : SESSION_ALIEN_GAP_MS);
		*out = (struct flow_choice){ .session = session };
		return 0;
	}
	return refuse(FLOW_REFUSED_UNKNOWN, out_refusal);
}

int flows_judge(struct sessions *sessions, enum ipc_flow flow, const struct address *from,
		const void *datagram, size_t len, uint64_t now_ms, struct flow_choice *out,
		enum flow_refusal *out_refusal) {
	if (flow != FLOW_CONTROL) {
		struct ping ping;
		if (ping_decode(datagram, len, &ping) < 0) {
			return refuse(FLOW_REFUSED_NONSENSE, out_refusal);
		}
		return ping.kind == PING_LEGACY ? refuse(FLOW_REFUSED_LEGACY, out_refusal)
						: judge_ping(sessions, flow, from, &ping, now_ms,
								  out, out_refusal);
	}
	struct enet_connect connect;
	uint16_t id;
	if (enet_connect_peek(datagram, len, &connect) == 0) {
		return judge_connect(sessions, from, connect.data, now_ms, out, out_refusal);
	}
	if (enet_id_peek(datagram, len, &id) < 0 || id == ENET_ID_NONE) {
		return refuse(FLOW_REFUSED_NONSENSE, out_refusal);
	}
	return judge_moved(sessions, from, id, now_ms, out, out_refusal);
}
