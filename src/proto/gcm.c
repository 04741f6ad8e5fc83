/* SPDX-License-Identifier: MIT */
#include "proto/gcm.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>

#include <openssl/evp.h>

struct gcm {
	EVP_CIPHER_CTX *ctx; /* owned */
	enum gcm_direction direction;
};

void gcm_destroy(struct gcm *gcm) {
	if (!gcm) {
		return;
	}
	EVP_CIPHER_CTX_free(gcm->ctx);
	free(gcm);
}

int gcm_create(const struct secret *key, enum gcm_direction direction, struct gcm **out) {
	OWN(gcm_destroy) struct gcm *gcm = calloc(1, sizeof(*gcm));
	if (!gcm) {
		return -ENOMEM;
	}
	gcm->direction = direction;
	gcm->ctx = EVP_CIPHER_CTX_new();
	/* Fetched here and not by name for every packet: that costs more than the packet. */
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	int ok = gcm->ctx && cipher &&
		 EVP_CipherInit_ex2(
				 gcm->ctx, cipher, key->bytes, NULL, direction == GCM_SEAL, NULL);
	EVP_CIPHER_free(cipher);
	if (!ok) {
		return -ENOMEM;
	}
	*out = TAKE(gcm, NULL);
	return 0;
}

/* A cipher that refuses a well-formed call would leave clear bytes in the
 * packet, so it ends the process. */
static void must(int ok) {
	assert(ok == 1);
	(void)ok;
}

void gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const void *in, size_t len,
		uint8_t *out, uint8_t out_tag[GCM_TAG_SIZE]) {
	assert(gcm->direction == GCM_SEAL && len <= INT_MAX);
	int written = 0;
	must(EVP_EncryptInit_ex2(gcm->ctx, NULL, NULL, iv, NULL));
	must(EVP_EncryptUpdate(gcm->ctx, out, &written, (const uint8_t *)in, (int)len));
	must(EVP_EncryptFinal_ex(gcm->ctx, out + written, &written));
	must(EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_SIZE, out_tag));
}

int gcm_open(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const uint8_t tag[GCM_TAG_SIZE],
		const void *in, size_t len, uint8_t *out) {
	assert(gcm->direction == GCM_OPEN && len <= INT_MAX);
	uint8_t expected[GCM_TAG_SIZE];
	memcpy(expected, tag, sizeof(expected));
	int written = 0;
	must(EVP_DecryptInit_ex2(gcm->ctx, NULL, NULL, iv, NULL));
	must(EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_SIZE, expected));
	must(EVP_DecryptUpdate(gcm->ctx, out, &written, (const uint8_t *)in, (int)len));
	int rest = 0;
	if (EVP_DecryptFinal_ex(gcm->ctx, out + written, &rest) != 1) {
		explicit_bzero(out, len);
		return -EBADMSG;
	}
	return 0;
}
