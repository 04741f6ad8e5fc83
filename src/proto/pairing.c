/* SPDX-License-Identifier: MIT */
#include "proto/pairing.h"

#include <errno.h>
#include <string.h>

#include "base/random.h"

typedef int pairing_handler(struct pairing *pairing, const uint8_t *in, size_t in_len,
		struct pairing_reply *out);

static int reply(struct pairing_reply *out, const char *name, size_t len) {
	out->name = name;
	out->len = len;
	return 0;
}

static int handle_pin(struct pairing *pairing, const uint8_t *in, size_t in_len,
		struct pairing_reply *out) {
	char pin[PAIRING_PIN_LEN + 1] = "";
	memcpy(pin, in, in_len < PAIRING_PIN_LEN ? in_len : PAIRING_PIN_LEN);
	int rc = pairing_key_derive(pairing->salt, pin, &pairing->key);
	explicit_bzero(pin, sizeof(pin));
	if (rc < 0) {
		return rc;
	}
	memcpy(out->data, pairing->host->pem, pairing->host->pem_len);
	return reply(out, "plaincert", pairing->host->pem_len);
}

/* Answers E(H, X): H proves that we know the PIN, X is our challenge. */
static int handle_challenge(struct pairing *pairing, const uint8_t *in, size_t in_len,
		struct pairing_reply *out) {
	if (in_len != PAIRING_CHALLENGE_SIZE) {
		return -EBADMSG;
	}
	uint8_t challenge[PAIRING_CHALLENGE_SIZE];
	uint8_t plain[PAIRING_HASH_SIZE + PAIRING_CHALLENGE_SIZE];
	random_fill(pairing->host_secret, sizeof(pairing->host_secret));
	random_fill(pairing->host_challenge, sizeof(pairing->host_challenge));
	int rc = pairing_decrypt(&pairing->key, in, in_len, challenge);
	rc = rc < 0 ? rc
		    : pairing_proof(challenge, &pairing->host->certificate, pairing->host_secret,
				      plain);
	if (rc < 0) {
		return rc;
	}
	memcpy(plain + PAIRING_HASH_SIZE, pairing->host_challenge, PAIRING_CHALLENGE_SIZE);
	rc = pairing_encrypt(&pairing->key, plain, sizeof(plain), out->data);
	return rc < 0 ? rc : reply(out, "challengeresponse", sizeof(plain));
}

/* The client's proof can only be checked when its secret is known, in the next phase. */
static int handle_response(struct pairing *pairing, const uint8_t *in, size_t in_len,
		struct pairing_reply *out) {
	if (in_len != PAIRING_HASH_SIZE) {
		return -EBADMSG;
	}
	int rc = pairing_decrypt(&pairing->key, in, in_len, pairing->client_proof);
	if (rc < 0) {
		return rc;
	}
	memcpy(out->data, pairing->host_secret, PAIRING_CHALLENGE_SIZE);
	int len = pairing_sign(pairing->host->key, pairing->host_secret, PAIRING_CHALLENGE_SIZE,
			out->data + PAIRING_CHALLENGE_SIZE);
	return len < 0 ? len : reply(out, "pairingsecret", PAIRING_CHALLENGE_SIZE + (size_t)len);
}

/* Both must hold: the hash proves the PIN, the signature that the certificate is the
 * client's own. Both are always computed. */
static int handle_secret(struct pairing *pairing, const uint8_t *in, size_t in_len,
		struct pairing_reply *out) {
	if (in_len <= PAIRING_CHALLENGE_SIZE ||
			in_len > PAIRING_CHALLENGE_SIZE + PAIRING_SIGNATURE_MAX) {
		return -EBADMSG;
	}
	uint8_t proof[PAIRING_HASH_SIZE];
	int rc = pairing_proof(pairing->host_challenge, &pairing->client, in, proof);
	if (rc < 0) {
		return rc;
	}
	bool knows_pin = bytes_equal_secretly(proof, pairing->client_proof, sizeof(proof));
	bool owns_key = pairing_verify(pairing->client.key, in, PAIRING_CHALLENGE_SIZE,
			in + PAIRING_CHALLENGE_SIZE, in_len - PAIRING_CHALLENGE_SIZE);
	if (!knows_pin || !owns_key) {
		return -EINVAL;
	}
	return reply(out, NULL, 0);
}

struct step {
	pairing_handler *handle; /* NULL refuses */
	enum pairing_state next;
};

/* clang-format off */
/* The diagonal, and nothing else. */
static const struct step steps[PAIRING_STATES][PAIRING_EVENTS] = {
	[PAIRING_AWAITS_PIN]       = { [PAIRING_PIN]       = { handle_pin,       PAIRING_AWAITS_CHALLENGE } },
	[PAIRING_AWAITS_CHALLENGE] = { [PAIRING_CHALLENGE] = { handle_challenge, PAIRING_AWAITS_RESPONSE } },
	[PAIRING_AWAITS_RESPONSE]  = { [PAIRING_RESPONSE]  = { handle_response,  PAIRING_AWAITS_SECRET } },
	[PAIRING_AWAITS_SECRET]    = { [PAIRING_SECRET]    = { handle_secret,    PAIRING_PROVEN } },
};
/* clang-format on */

int pairing_begin(struct pairing *pairing, const struct pairing_identity *host, const void *pem,
		size_t pem_len, const uint8_t salt[16], uint64_t now_ms) {
	*pairing = (struct pairing){ .host = host, .deadline_ms = now_ms + PAIRING_WINDOW_MS };
	memcpy(pairing->salt, salt, sizeof(pairing->salt));
	int rc = pairing_certificate_parse(pem, pem_len, &pairing->client);
	if (rc < 0) {
		pairing_finish(pairing);
		return rc;
	}
	pairing->state = PAIRING_AWAITS_PIN;
	return 0;
}

static int refuse(struct pairing *pairing, int rc) {
	pairing_finish(pairing);
	return rc;
}

int pairing_step(struct pairing *pairing, enum pairing_event event, const void *in, size_t in_len,
		uint64_t now_ms, struct pairing_reply *out) {
	const struct step *step = &steps[pairing->state][event];
	if (!step->handle) {
		return refuse(pairing, -EPROTO);
	}
	if (now_ms >= pairing->deadline_ms) {
		return refuse(pairing, -ETIMEDOUT);
	}
	/* The operator's slip is not the client's fault. */
	if (event == PAIRING_PIN && in_len != PAIRING_PIN_LEN) {
		return -EINVAL;
	}
	int rc = step->handle(pairing, (const uint8_t *)in, in_len, out);
	if (rc == -EINVAL && event == PAIRING_PIN) {
		return rc;
	}
	if (rc < 0) {
		return refuse(pairing, rc);
	}
	pairing->state = step->next;
	return 0;
}

void pairing_finish(struct pairing *pairing) {
	pairing_certificate_finish(&pairing->client);
	explicit_bzero(pairing, sizeof(*pairing));
}
