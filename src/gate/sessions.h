/* SPDX-License-Identifier: MIT */
#ifndef GATE_SESSIONS_H
#define GATE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"
#include "base/secret.h"
#include "ipc/message.h"
#include "proto/rtsp_seal.h"

/* The launched sessions as the gate must know them: the secrets by which RTSP and
 * datagrams find theirs, and what runs for each certificate. No fd, no clock. */
enum {
	SESSIONS_MAX = 256,
	SESSION_PROVEN_MAX = 4,
	SESSION_NEGOTIATION_MS = 120 * 1000, /* from the launch to PLAY */
	SESSION_FLOW_GAP_MS = 500,           /* between two new flows of a kind */
	SESSION_ALIEN_GAP_MS = 500,          /* the same, to addresses that nothing proves */
	SESSION_TOKEN_SIZE = 17,
};

struct session_flow {
	bool opened;
	uint32_t counter;       /* of the newest ping that was taken */
	uint64_t next_ms;       /* no new flow before */
	uint64_t next_alien_ms; /* nor one from an address not proven (control only) */
};

struct session {
	uint64_t id;     /* 0: the slot is free */
	uint64_t serial; /* the gate's own name for this launch, never reused */
	uint8_t client[32];
	struct address launcher; /* where /launch came from */
	bool sealed;             /* RTSP must be encrypted */
	bool negotiating;        /* from LAUNCHED to PLAY */
	bool announced;
	uint64_t launched_ms;
	struct rtsp_seal seal; /* owned */
	struct secret video_ping, audio_ping;
	uint32_t connect_data;
	uint16_t enet_peer;
	struct address proven[SESSION_PROVEN_MAX]; /* IPs that showed the secret */
	size_t n_proven;
	struct session_flow flows[FLOWS];
	char token[SESSION_TOKEN_SIZE]; /* RTSP's Session */
	char trace[20];
};

struct game {
	uint8_t client[32];
	uint64_t session; /* 0: the slot is free */
	int32_t app;
	uint8_t state; /* SESSION_ */
};

struct sessions {
	struct session list[SESSIONS_MAX];
	struct game games[SESSIONS_MAX];
	uint64_t serials;
};

struct session_launch {
	uint64_t id;
	const uint8_t *client; /* 32 bytes */
	struct address launcher;
	bool sealed;
	struct secret key;
	struct secret video_ping, audio_ping;
	uint32_t connect_data;
	uint16_t enet_peer;
	const char *trace;
};

/* A launch was granted; one of the same session is replaced. -ENOSPC, -ENOMEM. */
int sessions_put(struct sessions *sessions, const struct session_launch *launch, uint64_t now_ms,
		struct session **out) NODISCARD;

/* The supervisor says what runs. SESSION_GONE forgets the session (0: all of that
 * certificate) with its secrets. */
void sessions_state(struct sessions *sessions, const uint8_t client[32], uint64_t id, int32_t app,
		uint8_t state);

/* The app that runs for this certificate, 0 for none. */
int32_t sessions_game(const struct sessions *sessions, const uint8_t client[32]);

struct session *sessions_by_serial(struct sessions *sessions, uint64_t serial);

/* NULL for one that is not here. */
struct session *sessions_by_id(struct sessions *sessions, uint64_t id);

/* The one that negotiates and whose key opens this sealed request; its text is in out
 * (RTSP_SEAL_PLAIN_MAX) and *out_len. -ENOENT when none does, -EPROTO for a replay. */
int sessions_unseal(struct sessions *sessions, const void *data, size_t len, uint64_t now_ms,
		void *out, size_t *out_len, struct session **out_session) NODISCARD;

/* The newest one that negotiates in the clear and was launched from this IP. */
struct session *sessions_plain(
		struct sessions *sessions, const struct address *from, uint64_t now_ms);

/* The IP has shown a secret of the session: it may receive. */
void session_prove(struct session *session, const struct address *address);
bool session_is_proven(const struct session *session, const struct address *address);

void sessions_finish(struct sessions *sessions);

#endif
