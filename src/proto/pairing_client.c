/* SPDX-License-Identifier: MIT */
#include "proto/pairing_client.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/text.h"

int pairing_client_begin(struct pairing_client *client, const struct pairing_identity *identity,
		const char *pin) {
	*client = (struct pairing_client){ .identity = identity };
	random_fill(client->salt, sizeof(client->salt));
	random_fill(client->challenge, sizeof(client->challenge));
	random_fill(client->secret, sizeof(client->secret));
	return pairing_key_derive(client->salt, pin, &client->key);
}

static int certificate_blob(struct pairing_client *client, uint8_t *out) {
	memcpy(out, client->identity->pem, client->identity->pem_len);
	return (int)client->identity->pem_len;
}

static int challenge_blob(struct pairing_client *client, uint8_t *out) {
	int rc = pairing_encrypt(&client->key, client->challenge, PAIRING_CHALLENGE_SIZE, out);
	return rc < 0 ? rc : PAIRING_CHALLENGE_SIZE;
}

static int response_blob(struct pairing_client *client, uint8_t *out) {
	uint8_t proof[PAIRING_HASH_SIZE];
	int rc = pairing_proof(client->host_challenge, &client->identity->certificate,
			client->secret, proof);
	rc = rc < 0 ? rc : pairing_encrypt(&client->key, proof, sizeof(proof), out);
	return rc < 0 ? rc : PAIRING_HASH_SIZE;
}

static int secret_blob(struct pairing_client *client, uint8_t *out) {
	memcpy(out, client->secret, PAIRING_CHALLENGE_SIZE);
	int len = pairing_sign(client->identity->key, client->secret, PAIRING_CHALLENGE_SIZE,
			out + PAIRING_CHALLENGE_SIZE);
	return len < 0 ? len : PAIRING_CHALLENGE_SIZE + len;
}

static int take_certificate(struct pairing_client *client, const uint8_t *data, size_t len) {
	pairing_certificate_finish(&client->host);
	return pairing_certificate_parse(data, len, &client->host);
}

static int take_challenge(struct pairing_client *client, const uint8_t *data, size_t len) {
	uint8_t plain[PAIRING_HASH_SIZE + PAIRING_CHALLENGE_SIZE];
	if (len != sizeof(plain)) {
		return -EBADMSG;
	}
	int rc = pairing_decrypt(&client->key, data, len, plain);
	if (rc < 0) {
		return rc;
	}
	memcpy(client->host_proof, plain, PAIRING_HASH_SIZE);
	memcpy(client->host_challenge, plain + PAIRING_HASH_SIZE, PAIRING_CHALLENGE_SIZE);
	return 0;
}

/* The signature first: a host that does not own the certificate is worse news than a
 * wrong PIN. */
static int take_secret(struct pairing_client *client, const uint8_t *data, size_t len) {
	if (len <= PAIRING_CHALLENGE_SIZE ||
			!pairing_verify(client->host.key, data, PAIRING_CHALLENGE_SIZE,
					data + PAIRING_CHALLENGE_SIZE,
					len - PAIRING_CHALLENGE_SIZE)) {
		return -EBADMSG;
	}
	uint8_t proof[PAIRING_HASH_SIZE];
	int rc = pairing_proof(client->challenge, &client->host, data, proof);
	if (rc < 0) {
		return rc;
	}
	return bytes_equal_secretly(proof, client->host_proof, sizeof(proof)) ? 0 : -EINVAL;
}

static const struct {
	const char *phrase;
	const char *parameter;
	int (*blob)(struct pairing_client *client, uint8_t *out);
	const char *wants;
	int (*take)(struct pairing_client *client, const uint8_t *data, size_t len);
} steps[PAIR_STEPS] = {
	[PAIR_GET_SERVER_CERT] = { "getservercert", "clientcert", certificate_blob, "plaincert",
			take_certificate },
	[PAIR_CLIENT_CHALLENGE] = { NULL, "clientchallenge", challenge_blob, "challengeresponse",
			take_challenge },
	[PAIR_SERVER_CHALLENGE_RESP] = { NULL, "serverchallengeresp", response_blob,
			"pairingsecret", take_secret },
	[PAIR_CLIENT_SECRET] = { NULL, "clientpairingsecret", secret_blob, NULL, NULL },
	[PAIR_CHALLENGE] = { "pairchallenge", NULL, NULL, NULL, NULL },
};

int pairing_client_blob(struct pairing_client *client, uint8_t *out) {
	if (client->step == PAIR_STEPS) {
		return -EINVAL;
	}
	return steps[client->step].blob ? steps[client->step].blob(client, out) : 0;
}

static void hex_put(struct writer *w, const char *name, const uint8_t *data, size_t len) {
	text_putf(w, "&%s=", name);
	for (size_t i = 0; i < len; i++) {
		char digits[3];
		hex_encode(&data[i], 1, digits);
		text_put(w, digits);
	}
}

int pairing_client_query(struct pairing_client *client, char *buf, size_t size) {
	uint8_t blob[PAIRING_PEM_MAX];
	int len = pairing_client_blob(client, blob);
	if (len < 0) {
		return len;
	}
	struct writer w = writer_over(buf, size);
	text_put(&w, "uniqueid=0123456789ABCDEF&devicename=roth&updateState=1");
	if (steps[client->step].phrase) {
		text_putf(&w, "&phrase=%s", steps[client->step].phrase);
	}
	if (client->step == PAIR_GET_SERVER_CERT) {
		hex_put(&w, "salt", client->salt, sizeof(client->salt));
	}
	if (steps[client->step].parameter) {
		hex_put(&w, steps[client->step].parameter, blob, (size_t)len);
	}
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

const char *pairing_client_wants(const struct pairing_client *client) {
	return client->step == PAIR_STEPS ? NULL : steps[client->step].wants;
}

int pairing_client_take(struct pairing_client *client, const void *data, size_t len) {
	if (client->step == PAIR_STEPS) {
		return -EINVAL;
	}
	int rc = 0;
	if (steps[client->step].take) {
		rc = steps[client->step].take(client, (const uint8_t *)data, len);
	}
	if (rc == 0) {
		client->step = (enum pair_step)(client->step + 1);
	}
	return rc;
}

void pairing_client_finish(struct pairing_client *client) {
	pairing_certificate_finish(&client->host);
	explicit_bzero(client, sizeof(*client));
}
