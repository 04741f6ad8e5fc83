/* SPDX-License-Identifier: MIT */
#include "proto/gcm.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>

#include <openssl/evp.h>

#include "proto/cipher.h"

struct gcm {
	EVP_CIPHER_CTX *ctx; /* owned */
	enum gcm_direction direction;
};

void gcm_destroy(struct gcm *gcm) {
	if (!gcm) {
		return;
	}
	cipher_destroy(gcm->ctx);
	free(gcm);
}

int gcm_create(const struct secret *key, enum gcm_direction direction, struct gcm **out) {
	OWN(gcm_destroy) struct gcm *gcm = calloc(1, sizeof(*gcm));
	if (!gcm) {
		return -ENOMEM;
	}
	gcm->direction = direction;
	int rc = cipher_create("AES-128-GCM", key, direction == GCM_SEAL, &gcm->ctx);
	if (rc == 0) {
		*out = TAKE(gcm, NULL);
	}
	return rc;
}

void gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const void *in, size_t len,
		uint8_t *out, uint8_t out_tag[GCM_TAG_SIZE]) {
	assert(gcm->direction == GCM_SEAL && len <= INT_MAX);
	int written = 0;
	cipher_must(EVP_EncryptInit_ex2(gcm->ctx, NULL, NULL, iv, NULL));
	cipher_must(EVP_EncryptUpdate(gcm->ctx, out, &written, (const uint8_t *)in, (int)len));
	cipher_must(EVP_EncryptFinal_ex(gcm->ctx, out + written, &written));
	cipher_must(EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_SIZE, out_tag));
}

int gcm_open(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const uint8_t tag[GCM_TAG_SIZE],
		const void *in, size_t len, uint8_t *out) {
	assert(gcm->direction == GCM_OPEN && len <= INT_MAX);
	uint8_t expected[GCM_TAG_SIZE];
	memcpy(expected, tag, sizeof(expected));
	int written = 0;
	cipher_must(EVP_DecryptInit_ex2(gcm->ctx, NULL, NULL, iv, NULL));
	cipher_must(EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_SIZE, expected));
	cipher_must(EVP_DecryptUpdate(gcm->ctx, out, &written, (const uint8_t *)in, (int)len));
	int rest = 0;
	if (EVP_DecryptFinal_ex(gcm->ctx, out + written, &rest) != 1) {
		explicit_bzero(out, len);
		return -EBADMSG;
	}
	return 0;
}
