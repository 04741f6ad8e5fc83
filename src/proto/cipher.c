/* SPDX-License-Identifier: MIT */
#include "proto/cipher.h"

#include <assert.h>
#include <errno.h>

#include <openssl/evp.h>

void cipher_destroy(EVP_CIPHER_CTX *ctx) {
	EVP_CIPHER_CTX_free(ctx);
}

int cipher_create(const char *name, const struct secret *key, bool seals, EVP_CIPHER_CTX **out) {
	OWN(cipher_destroy) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	/* Fetched here and not by name for every packet: that costs more than the packet. */
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	int ok = ctx && cipher && EVP_CipherInit_ex2(ctx, cipher, key->bytes, NULL, seals, NULL);
	EVP_CIPHER_free(cipher);
	if (!ok) {
		return -ENOMEM;
	}
	*out = TAKE(ctx, NULL);
	return 0;
}

void cipher_must(int ok) {
	assert(ok == 1);
	(void)ok;
}
