/* SPDX-License-Identifier: MIT */
#include "proto/cbc.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>

#include <openssl/evp.h>

#include "proto/cipher.h"

struct cbc {
	EVP_CIPHER_CTX *ctx; /* owned */
	enum cbc_direction direction;
};

void cbc_destroy(struct cbc *cbc) {
	if (!cbc) {
		return;
	}
	cipher_destroy(cbc->ctx);
	free(cbc);
}

int cbc_create(const struct secret *key, enum cbc_direction direction, struct cbc **out) {
	OWN(cbc_destroy) struct cbc *cbc = calloc(1, sizeof(*cbc));
	if (!cbc) {
		return -ENOMEM;
	}
	cbc->direction = direction;
	int rc = cipher_create("AES-128-CBC", key, direction == CBC_SEAL, &cbc->ctx);
	if (rc == 0) {
		*out = TAKE(cbc, NULL);
	}
	return rc;
}

void cbc_seal(struct cbc *cbc, const uint8_t iv[CBC_IV_SIZE], const void *in, size_t len,
		uint8_t *out) {
	assert(cbc->direction == CBC_SEAL && len <= INT_MAX - CBC_BLOCK_SIZE);
	int whole = 0, rest = 0;
	cipher_must(EVP_EncryptInit_ex2(cbc->ctx, NULL, NULL, iv, NULL));
	cipher_must(EVP_EncryptUpdate(cbc->ctx, out, &whole, (const uint8_t *)in, (int)len));
	cipher_must(EVP_EncryptFinal_ex(cbc->ctx, out + whole, &rest));
	assert((size_t)(whole + rest) == cbc_sealed_size(len));
}

int cbc_open(struct cbc *cbc, const uint8_t iv[CBC_IV_SIZE], const void *in, size_t len,
		uint8_t *out, size_t *out_len) {
	assert(cbc->direction == CBC_OPEN);
	if (len == 0 || len % CBC_BLOCK_SIZE != 0 || len > INT_MAX) {
		return -EBADMSG;
	}
	int whole = 0, rest = 0;
	cipher_must(EVP_DecryptInit_ex2(cbc->ctx, NULL, NULL, iv, NULL));
	cipher_must(EVP_DecryptUpdate(cbc->ctx, out, &whole, (const uint8_t *)in, (int)len));
	if (EVP_DecryptFinal_ex(cbc->ctx, out + whole, &rest) != 1) {
		return -EBADMSG;
	}
	*out_len = (size_t)(whole + rest);
	return 0;
}
