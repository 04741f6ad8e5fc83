/* SPDX-License-Identifier: MIT */
#include "proto/rtsp_seal.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/bytes.h"

#define SEALED UINT32_C(0x80000000)

enum {
	IV_SIZE = 12,
	TAG_SIZE = 16,
};

static void iv_fill(uint8_t iv[IV_SIZE], enum rtsp_seal_side speaker, uint32_t sequence) {
	memset(iv, 0, IV_SIZE);
	struct writer w = writer_over(iv, IV_SIZE);
	writer_le32(&w, sequence);
	iv[10] = speaker == RTSP_SEAL_CLIENT ? 'C' : 'H';
	iv[11] = 'R';
}

static enum rtsp_seal_side other(enum rtsp_seal_side side) {
	return side == RTSP_SEAL_CLIENT ? RTSP_SEAL_HOST : RTSP_SEAL_CLIENT;
}

/* encrypt: 1 or 0, as OpenSSL counts. */
static EVP_CIPHER_CTX *context_create(const struct secret *key, int encrypt) {
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	if (context && EVP_CipherInit_ex(context, EVP_aes_128_gcm(), NULL, key->bytes, NULL,
				       encrypt) != 1) {
		EVP_CIPHER_CTX_free(context);
		return NULL;
	}
	return context;
}

int rtsp_seal_init(struct rtsp_seal *seal, enum rtsp_seal_side side, const struct secret *rikey) {
	*seal = (struct rtsp_seal){
		.side = side,
		.sealing = context_create(rikey, 1),
		.opening = context_create(rikey, 0),
	};
	if (!seal->sealing || !seal->opening) {
		rtsp_seal_finish(seal);
		return -ENOMEM;
	}
	return 0;
}

void rtsp_seal_finish(struct rtsp_seal *seal) {
	EVP_CIPHER_CTX_free(seal->sealing);
	EVP_CIPHER_CTX_free(seal->opening);
	*seal = (struct rtsp_seal){ .side = seal->side };
}

int rtsp_seal_measure(const void *data, size_t len) {
	struct reader r = reader_over(data, len);
	if (len > 0 && !(r.at[0] & 0x80)) {
		return -EBADMSG;
	}
	uint32_t length = reader_be32(&r);
	if (r.failed) {
		return -EAGAIN;
	}
	length &= ~SEALED;
	if (length == 0) {
		return -EBADMSG;
	}
	return length > RTSP_SEAL_PLAIN_MAX ? -ENOSPC : (int)(RTSP_SEAL_HEADER + length);
}

int rtsp_seal_open(struct rtsp_seal *seal, const void *data, size_t len, void *out) {
	int whole = rtsp_seal_measure(data, len);
	if (whole < 0 || (size_t)whole != len) {
		return -EBADMSG;
	}
	struct reader r = reader_over(data, len);
	reader_take(&r, 4);
	uint32_t sequence = reader_be32(&r);
	uint8_t tag[TAG_SIZE], iv[IV_SIZE];
	reader_copy(&r, tag, sizeof(tag));
	iv_fill(iv, other(seal->side), sequence);

	EVP_CIPHER_CTX *context = seal->opening;
	int n = 0, tail = 0;
	uint8_t *text = (uint8_t *)out;
	if (EVP_DecryptInit_ex(context, NULL, NULL, NULL, iv) != 1 ||
			EVP_DecryptUpdate(context, text, &n, r.at, (int)r.left) != 1 ||
			EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1 ||
			EVP_DecryptFinal_ex(context, text + n, &tail) != 1) {
		explicit_bzero(out, r.left);
		ERR_clear_error(); /* or the thread's next TLS call takes it for its own */
		return -EBADMSG;
	}
	/* Only now: a replay is told from garbage, and the host that tries many keys
	 * learns whose it was. */
	if (sequence <= seal->received) {
		return -EPROTO;
	}
	seal->received = sequence;
	return n + tail;
}

int rtsp_seal_close(struct rtsp_seal *seal, const void *text, size_t len, void *out) {
	if (len == 0 || len > RTSP_SEAL_PLAIN_MAX) {
		return -EINVAL;
	}
	if (seal->sent == UINT32_MAX) {
		return -EPROTO;
	}
	uint32_t sequence = ++seal->sent;
	struct writer w = writer_over(out, RTSP_SEAL_HEADER + len);
	writer_be32(&w, SEALED | (uint32_t)len);
	writer_be32(&w, sequence);
	uint8_t *tag = writer_take(&w, TAG_SIZE);
	uint8_t iv[IV_SIZE];
	iv_fill(iv, seal->side, sequence);

	EVP_CIPHER_CTX *context = seal->sealing;
	uint8_t *sealed = w.at;
	int n = 0, tail = 0;
	if (EVP_EncryptInit_ex(context, NULL, NULL, NULL, iv) != 1 ||
			EVP_EncryptUpdate(context, sealed, &n, (const uint8_t *)text, (int)len) !=
					1 ||
			EVP_EncryptFinal_ex(context, sealed + n, &tail) != 1 ||
			EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) != 1) {
		return -ENOMEM;
	}
	return (int)(RTSP_SEAL_HEADER + len);
}
