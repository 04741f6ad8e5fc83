/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PAIRING_CLIENT_H
#define PROTO_PAIRING_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "proto/launch.h"
#include "proto/pairing_crypto.h"
#include "proto/pairing_identity.h"

/* The client's side of pairing, for the probe and for the tests of pairing.h: for each
 * step in turn, ask pairing_client_query() and give the answer's element to
 * pairing_client_take(). One thread. */
enum {
	PAIRING_QUERY_MAX = 2 * PAIRING_PEM_MAX + 256,
};

struct pairing_client {
	const struct pairing_identity *identity; /* borrowed */
	enum pair_step step;                     /* PAIR_STEPS when all is done */
	uint8_t salt[PAIR_SALT_SIZE];
	struct secret key;
	uint8_t challenge[PAIRING_CHALLENGE_SIZE];
	uint8_t secret[PAIRING_CHALLENGE_SIZE];
	uint8_t host_proof[PAIRING_HASH_SIZE];
	uint8_t host_challenge[PAIRING_CHALLENGE_SIZE];
	struct pairing_certificate host; /* to be pinned once all is done */
};

/* -EINVAL for a PIN that is not four digits. */
int pairing_client_begin(struct pairing_client *client, const struct pairing_identity *identity,
		const char *pin) NODISCARD;

/* What this step sends, besides salt and phrase: the certificate's PEM or the phase's
 * ciphertext. out has PAIRING_PEM_MAX bytes. Answers the length. */
int pairing_client_blob(struct pairing_client *client, uint8_t *out) NODISCARD;

/* The query string of this step's request, with that blob. Answers its length, -ENOSPC. */
int pairing_client_query(struct pairing_client *client, char *buf, size_t size) NODISCARD;

/* The element that this step's answer must carry, NULL when `paired` is all. */
const char *pairing_client_wants(const struct pairing_client *client);

/* The element's bytes; moves to the next step. -EBADMSG for a malformed answer or a
 * host that does not own its certificate, -EINVAL for a wrong PIN. */
int pairing_client_take(struct pairing_client *client, const void *data, size_t len) NODISCARD;

void pairing_client_finish(struct pairing_client *client);

#endif
