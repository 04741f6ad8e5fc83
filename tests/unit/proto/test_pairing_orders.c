/* SPDX-License-Identifier: MIT */
/* A million orders of pairing's phases, right and wrong ones, none accepted but the right one.
 * The state machine is the real one; the arithmetic of RSA and AES is played here, so that
 * it takes seconds. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/pairing.h"

enum {
	ORDERS = 1000000,
	STEPS_MAX = 10,
	NOW = 1000,
	SIGNATURE_LEN = 16,
};

/* ---- crypto to play with: each still fails just when the real one would ---- */

int pairing_certificate_parse(const void *pem, size_t len, struct pairing_certificate *out) {
	memset(out, 0, sizeof(*out));
	memcpy(out->der, pem, len);
	out->der_len = len;
	return 0;
}

void pairing_certificate_finish(struct pairing_certificate *certificate) {
	memset(certificate, 0, sizeof(*certificate));
}

int pairing_key_derive(const uint8_t salt[16], const char *pin, struct secret *out) {
	for (size_t i = 0; i < 16; i++) {
		out->bytes[i] = (uint8_t)(salt[i] ^ pin[i % PAIRING_PIN_LEN]);
	}
	return strspn(pin, "0123456789") == PAIRING_PIN_LEN ? 0 : -EINVAL;
}

int pairing_encrypt(const struct secret *key, const void *data, size_t len, uint8_t *out) {
	const uint8_t *from = data;
	for (size_t i = 0; i < len; i++) {
		out[i] = from[i] ^ key->bytes[i % 16];
	}
	return 0;
}

int pairing_decrypt(const struct secret *key, const void *data, size_t len, uint8_t *out) {
	return pairing_encrypt(key, data, len, out);
}

int pairing_proof(const uint8_t challenge[PAIRING_CHALLENGE_SIZE],
		const struct pairing_certificate *certificate,
		const uint8_t secret[PAIRING_CHALLENGE_SIZE], uint8_t out[PAIRING_HASH_SIZE]) {
	uint64_t mixed = certificate->der[0];
	for (size_t i = 0; i < PAIRING_CHALLENGE_SIZE; i++) {
		mixed = (mixed ^ challenge[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
		mixed = (mixed ^ secret[i]) * UINT64_C(0x100000001b3);
	}
	for (size_t i = 0; i < PAIRING_HASH_SIZE; i++) {
		out[i] = (uint8_t)(mixed >> 8 * (i % 8));
	}
	return 0;
}

static void seal(uint8_t whose, const uint8_t *data, uint8_t out[SIGNATURE_LEN]) {
	for (size_t i = 0; i < SIGNATURE_LEN; i++) {
		out[i] = data[i] ^ whose;
	}
}

int pairing_sign(struct evp_pkey_st *key, const void *data, size_t len, uint8_t *out) {
	(void)key;
	assert_int_equal(len, SIGNATURE_LEN);
	seal('h', data, out);
	return SIGNATURE_LEN;
}

bool pairing_verify(struct evp_pkey_st *key, const void *data, size_t len, const void *signature,
		size_t signature_len) {
	(void)key;
	uint8_t expected[SIGNATURE_LEN];
	seal('c', data, expected);
	return len == SIGNATURE_LEN && signature_len == SIGNATURE_LEN &&
	       memcmp(signature, expected, SIGNATURE_LEN) == 0;
}

/* ---- dice ---- */

/* xorshift64: the same orders every time. */
static uint32_t dice(uint64_t *seed, uint32_t sides) {
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 33) % sides;
}

/* ---- the client ---- */

enum flaw {
	FLAW_NONE,
	FLAW_SHORT,
	FLAW_LONG,
	FLAW_WRONG, /* a bit of it is wrong */
	FLAW_EMPTY,
	FLAWS,
};

struct blob {
	uint8_t bytes[64];
	size_t len;
};

struct client {
	struct secret key;
	uint8_t secret[PAIRING_CHALLENGE_SIZE];
	struct pairing_certificate certificate;
	uint8_t host_challenge[PAIRING_CHALLENGE_SIZE];
};

static const uint8_t salt[16] = "salt and nothing";

/* What an honest client would say for this event, as far as it knows by now. */
static void honest(const struct client *client, enum pairing_event event, struct blob *out) {
	uint8_t proof[PAIRING_HASH_SIZE];
	int rc = 0;
	memset(out, 0, sizeof(*out));
	switch (event) {
	case PAIRING_PIN:
		memcpy(out->bytes, "1234", 4);
		out->len = 4;
		break;
	case PAIRING_CHALLENGE:
		out->len = PAIRING_CHALLENGE_SIZE;
		break;
	case PAIRING_RESPONSE:
		rc = pairing_proof(client->host_challenge, &client->certificate, client->secret,
				proof);
		rc |= pairing_encrypt(&client->key, proof, sizeof(proof), out->bytes);
		out->len = sizeof(proof);
		break;
	case PAIRING_SECRET:
		memcpy(out->bytes, client->secret, sizeof(client->secret));
		seal('c', client->secret, out->bytes + sizeof(client->secret));
		out->len = sizeof(client->secret) + SIGNATURE_LEN;
		break;
	default:
		break;
	}
	assert_int_equal(rc, 0);
}

static void spoil(struct blob *blob, enum flaw flaw, uint64_t *seed) {
	size_t at = blob->len ? dice(seed, (uint32_t)blob->len) : 0;
	switch (flaw) {
	case FLAW_SHORT:
		blob->len -= blob->len > 0;
		break;
	case FLAW_LONG:
		blob->len++;
		break;
	case FLAW_WRONG:
		blob->bytes[at] ^= (uint8_t)(1u << dice(seed, 8));
		break;
	case FLAW_EMPTY:
		blob->len = 0;
		break;
	default:
		break;
	}
}

/* ---- one order ---- */

static const enum pairing_event right_order[] = { PAIRING_PIN, PAIRING_CHALLENGE, PAIRING_RESPONSE,
	PAIRING_SECRET };

struct run {
	struct pairing pairing;
	struct client client;
	size_t done;   /* of the right order */
	bool spoiled;  /* a flaw that only shows later */
	bool hopeless; /* can never be accepted any more */
};

/* Whether this one keeps the way to being paired open, by the rules on the label. */
static void judge(struct run *run, enum pairing_event event, enum flaw flaw, bool late) {
	if (run->hopeless || run->done == ARRAY_LEN(right_order) ||
			event != right_order[run->done] || late) {
		run->hopeless = true;
		return;
	}
	if (event == PAIRING_PIN && flaw != FLAW_NONE) {
		/* Not four digits: asked again. Four other digits: known only in the end. */
		return;
	}
	bool size = flaw == FLAW_SHORT || flaw == FLAW_LONG || flaw == FLAW_EMPTY;
	if (size || (event == PAIRING_SECRET && (flaw != FLAW_NONE || run->spoiled))) {
		run->hopeless = true;
		return;
	}
	run->spoiled |= event == PAIRING_RESPONSE && flaw == FLAW_WRONG;
	run->done++;
}

static bool is_four_digits(const struct blob *blob) {
	return blob->len == 4 && strspn((const char *)blob->bytes, "0123456789") == 4;
}

/* Returns whether the pairing was accepted by it. */
static bool step(struct run *run, enum pairing_event event, enum flaw flaw, uint64_t now,
		uint64_t *seed) {
	static struct pairing_reply reply;
	struct blob blob;
	honest(&run->client, event, &blob);
	spoil(&blob, flaw, seed);
	enum pairing_state before = run->pairing.state;
	judge(run, event, flaw, now >= run->pairing.deadline_ms);
	if (event == PAIRING_PIN && !run->hopeless && flaw != FLAW_NONE && is_four_digits(&blob)) {
		run->done++; /* the operator typed another PIN than the client shows */
		run->spoiled = true;
	}
	int rc = pairing_step(&run->pairing, event, blob.bytes, blob.len, now, &reply);
	if (before == PAIRING_GONE) {
		assert_int_equal(rc, -EPROTO);
	}
	if (rc < 0) {
		bool asked_again = rc == -EINVAL && event == PAIRING_PIN;
		assert_int_equal(run->pairing.state,
				asked_again ? PAIRING_AWAITS_PIN : PAIRING_GONE);
		return false;
	}
	assert_false(run->hopeless);
	if (event == PAIRING_CHALLENGE) {
		uint8_t plain[PAIRING_HASH_SIZE + PAIRING_CHALLENGE_SIZE];
		assert_int_equal(
				pairing_decrypt(&run->client.key, reply.data, sizeof(plain), plain),
				0);
		memcpy(run->client.host_challenge, plain + PAIRING_HASH_SIZE,
				PAIRING_CHALLENGE_SIZE);
	}
	return run->pairing.state == PAIRING_PROVEN;
}

static void begin(struct run *run, const struct pairing_identity *host, uint64_t *seed) {
	memset(&run->client, 0, sizeof(run->client));
	run->done = 0;
	run->spoiled = run->hopeless = false;
	assert_int_equal(pairing_key_derive(salt, "1234", &run->client.key), 0);
	for (size_t i = 0; i < sizeof(run->client.secret); i++) {
		run->client.secret[i] = (uint8_t)dice(seed, 256);
	}
	run->client.certificate.der[0] = 'c';
	assert_int_equal(pairing_begin(&run->pairing, host, "c", 1, salt, NOW), 0);
}

/* Answers how often it was accepted: once at most. */
static unsigned play(struct run *run, uint64_t *seed) {
	unsigned accepted = 0;
	uint64_t now = NOW;
	unsigned steps = 4 + dice(seed, STEPS_MAX - 3);
	/* Some go nearly right, so that every state is reached; some go anyhow. */
	unsigned obedience = dice(seed, 100);
	for (unsigned i = 0; i < steps; i++) {
		enum pairing_event event = (enum pairing_event)dice(seed, PAIRING_EVENTS);
		enum flaw flaw = (enum flaw)dice(seed, FLAWS);
		if (dice(seed, 100) < obedience && run->done < ARRAY_LEN(right_order)) {
			event = right_order[run->done];
		}
		if (dice(seed, 100) < obedience) {
			flaw = FLAW_NONE;
		}
		now += dice(seed, 50) == 0 ? PAIRING_WINDOW_MS : dice(seed, 1000);
		bool was_accepted = step(run, event, flaw, now, seed);
		if (was_accepted) {
			assert_int_equal(run->done, ARRAY_LEN(right_order));
			assert_false(run->spoiled);
		}
		accepted += was_accepted;
	}
	/* And what was right in every way was not refused. */
	bool was_right = run->done == ARRAY_LEN(right_order) && !run->spoiled;
	assert_int_equal(accepted, was_right ? 1 : 0);
	return accepted;
}

static void of_a_million_orders_only_the_right_one_pairs(void **state) {
	(void)state;
	static struct run run;
	static const struct pairing_identity host = { .pem_len = 16 };
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned accepted = 0, reached[PAIRING_STATES] = { 0 };
	for (unsigned i = 0; i < ORDERS; i++) {
		begin(&run, &host, &seed);
		accepted += play(&run, &seed);
		reached[1 + run.done]++;
		pairing_finish(&run.pairing);
	}
	print_message("%u orders, %u of them right and accepted, stopped after 0 to 4 phases: "
		      "%u %u %u %u %u\n",
			ORDERS, accepted, reached[1], reached[2], reached[3], reached[4],
			reached[5]);
	for (unsigned i = 1; i < PAIRING_STATES; i++) {
		assert_true(reached[i] > ORDERS / 100);
	}
	assert_true(accepted > ORDERS / 100);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(of_a_million_orders_only_the_right_one_pairs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
