/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PAIRING_H
#define PROTO_PAIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "proto/pairing_crypto.h"
#include "proto/pairing_identity.h"

/* The host's side of one pairing (moonlight-qt nvpairingmanager.cpp:207-372, phases 1 to 4;
 * the fifth is an HTTPS request that the certificate itself answers).
 *
 * One shot: each phase once and in order, one PIN, one guess, a deadline. Whatever is
 * out of order, malformed, late or unproven ends it, and an ended one refuses everything;
 * the next try begins anew with fresh secrets. Several pairings are told apart, counted
 * and limited by the caller, by (uniqueid, address). One thread. */
enum {
	PAIRING_WINDOW_MS = 5 * 60 * 1000,
};

enum pairing_state {
	PAIRING_GONE, /* also a zeroed struct's */
	PAIRING_AWAITS_PIN,
	PAIRING_AWAITS_CHALLENGE,
	PAIRING_AWAITS_RESPONSE,
	PAIRING_AWAITS_SECRET,
	PAIRING_PROVEN,
	PAIRING_STATES,
};

enum pairing_event {
	PAIRING_BEGIN,     /* phase 1 again: in place of the first one's answer */
	PAIRING_PIN,       /* the operator typed it; the answer is phase 1's */
	PAIRING_CHALLENGE, /* phase 2, "clientchallenge" */
	PAIRING_RESPONSE,  /* phase 3, "serverchallengeresp" */
	PAIRING_SECRET,    /* phase 4, "clientpairingsecret" */
	PAIRING_ABORT,     /* the client went, or the operator refused */
	PAIRING_EVENTS,
};

struct pairing {
	enum pairing_state state;
	uint64_t deadline_ms;
	const struct pairing_identity *host; /* borrowed until pairing_finish() */
	struct pairing_certificate client;   /* what to remember once proven */
	uint8_t salt[16];
	struct secret key;
	uint8_t host_secret[PAIRING_CHALLENGE_SIZE];
	uint8_t host_challenge[PAIRING_CHALLENGE_SIZE];
	uint8_t client_proof[PAIRING_HASH_SIZE];
};

/* What to answer: the element's name (NULL for none) and its bytes. */
struct pairing_reply {
	const char *name;
	uint8_t data[PAIRING_PEM_MAX];
	size_t len;
};

/* Phase 1. Answers 0 and then awaits the PIN; the caller holds the request open.
 * -EBADMSG for a certificate that is not one PEM of RSA 2048 to 4096. Finish it in
 * either case. */
int pairing_begin(struct pairing *pairing, const struct pairing_identity *host, const void *pem,
		size_t pem_len, const uint8_t salt[16], uint64_t now_ms) NODISCARD;

/* Everything after it. in is the blob, or the PIN's digits.
 *
 * On success *out is the reply. PAIRING_SECRET's success alone means that the client is
 * paired: remember pairing->client.der on disk *before* answering so. On failure:
 *   -EINVAL     a PIN that is not four digits (ask again), or a proof that does not hold
 *   -EBADMSG    a blob of the wrong size
 *   -EPROTO     not in this order
 *   -ETIMEDOUT  after the deadline
 * and in every case but the first the pairing is gone. */
int pairing_step(struct pairing *pairing, enum pairing_event event, const void *in, size_t in_len,
		uint64_t now_ms, struct pairing_reply *out) NODISCARD;

/* Wipes the secrets. Harmless twice and on a zeroed struct. */
void pairing_finish(struct pairing *pairing);

#endif
