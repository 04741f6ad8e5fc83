/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/pairing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct identities {
	struct pairing_identity host, client;
};

/* Made once: making RSA keys takes longer than everything else here. */
static const struct identities *identities_get(void) {
	static struct identities *identities;
	if (identities) {
		return identities;
	}
	identities = calloc(1, sizeof(*identities));
	char certificate[PAIRING_PEM_MAX], key[PAIRING_PEM_MAX];
	int rc = pairing_identity_generate(PAIRING_HOST, 0, certificate, key);
	rc = rc < 0 ? rc : pairing_identity_load(certificate, key, &identities->host);
	rc = rc < 0 ? rc : pairing_identity_generate(PAIRING_CLIENT, 0, certificate, key);
	rc = rc < 0 ? rc : pairing_identity_load(certificate, key, &identities->client);
	assert(rc == 0);
	return identities;
}

/* The input is a list of {event, be16 length, bytes}. Whatever it is, nobody without the
 * client's key gets paired, and after a refusal nothing is ever answered again. */
static void steps_run(struct pairing *pairing, struct reader r) {
	static struct pairing_reply reply;
	bool gone = false;
	for (uint64_t now = 0; r.left > 0; now += 1000) {
		unsigned event = reader_u8(&r) % PAIRING_EVENTS;
		size_t len = reader_be16(&r);
		len = len < r.left ? len : r.left;
		const uint8_t *blob = reader_take(&r, len);
		if (!blob) {
			break;
		}
		int rc = pairing_step(pairing, (enum pairing_event)event, blob, len, now, &reply);
		assert(!gone || rc == -EPROTO);
		gone = pairing->state == PAIRING_GONE;
		assert(gone || rc == 0 || (rc == -EINVAL && event == PAIRING_PIN));
		assert(pairing->state != PAIRING_PROVEN);
		assert(rc < 0 || reply.len <= sizeof(reply.data));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const uint8_t salt[16];
	const struct identities *identities = identities_get();
	static struct pairing pairing;
	if (pairing_begin(&pairing, &identities->host, data, size, salt, 0) == 0) {
		assert(pairing.client.key && pairing.client.der_len <= PAIRING_DER_MAX);
	} else {
		assert(pairing.state == PAIRING_GONE);
	}
	pairing_finish(&pairing);
	int rc = pairing_begin(&pairing, &identities->host, identities->client.pem,
			identities->client.pem_len, salt, 0);
	assert(rc == 0);
	steps_run(&pairing, reader_over(data, size));
	pairing_finish(&pairing);
	return 0;
}
