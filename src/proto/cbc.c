/* SPDX-License-Identifier: MIT */
#include "proto/cbc.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>

#include <openssl/evp.h>

struct cbc {
	EVP_CIPHER_CTX *ctx; /* owned */
	enum cbc_direction direction;
};

void cbc_destroy(struct cbc *cbc) {
	if (!cbc) {
		return;
	}
	EVP_CIPHER_CTX_free(cbc->ctx);
	free(cbc);
}

int cbc_create(const struct secret *key, enum cbc_direction direction, struct cbc **out) {
	OWN(cbc_destroy) struct cbc *cbc = calloc(1, sizeof(*cbc));
	if (!cbc) {
		return -ENOMEM;
	}
	cbc->direction = direction;
	cbc->ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	int ok = cbc->ctx && cipher &&
		 EVP_CipherInit_ex2(
				 cbc->ctx, cipher, key->bytes, NULL, direction == CBC_SEAL, NULL);
	EVP_CIPHER_free(cipher);
	if (!ok) {
		return -ENOMEM;
	}
	*out = TAKE(cbc, NULL);
	return 0;
}

static void must(int ok) {
	assert(ok == 1);
	(void)ok;
}

void cbc_seal(struct cbc *cbc, const uint8_t iv[CBC_IV_SIZE], const void *in, size_t len,
		uint8_t *out) {
	assert(cbc->direction == CBC_SEAL && len <= INT_MAX - CBC_BLOCK_SIZE);
	int whole = 0, rest = 0;
	must(EVP_EncryptInit_ex2(cbc->ctx, NULL, NULL, iv, NULL));
	must(EVP_EncryptUpdate(cbc->ctx, out, &whole, (const uint8_t *)in, (int)len));
	must(EVP_EncryptFinal_ex(cbc->ctx, out + whole, &rest));
	assert((size_t)(whole + rest) == cbc_sealed_size(len));
}

int cbc_open(struct cbc *cbc, const uint8_t iv[CBC_IV_SIZE], const void *in, size_t len,
		uint8_t *out, size_t *out_len) {
	assert(cbc->direction == CBC_OPEN);
	if (len == 0 || len % CBC_BLOCK_SIZE != 0 || len > INT_MAX) {
		return -EBADMSG;
	}
	int whole = 0, rest = 0;
	must(EVP_DecryptInit_ex2(cbc->ctx, NULL, NULL, iv, NULL));
	must(EVP_DecryptUpdate(cbc->ctx, out, &whole, (const uint8_t *)in, (int)len));
	if (EVP_DecryptFinal_ex(cbc->ctx, out + whole, &rest) != 1) {
		return -EBADMSG;
	}
	*out_len = (size_t)(whole + rest);
	return 0;
}
