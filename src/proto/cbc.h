/* SPDX-License-Identifier: MIT */
#ifndef PROTO_CBC_H
#define PROTO_CBC_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"

/* AES-128-CBC with PKCS#7 padding: how the audio stream is encrypted
 * (moonlight-common-c AudioStream.c). It protects nothing against change.
 *
 * One object holds one key for one direction. Not to be shared between threads. */
struct cbc;

enum {
	CBC_IV_SIZE = 16,
	CBC_BLOCK_SIZE = 16,
};

enum cbc_direction {
	CBC_SEAL,
	CBC_OPEN,
};

/* What len bytes become: always at least one byte of padding. */
static inline size_t cbc_sealed_size(size_t len) {
	return len / CBC_BLOCK_SIZE * CBC_BLOCK_SIZE + CBC_BLOCK_SIZE;
}

/* -ENOMEM when the library refuses. */
int cbc_create(const struct secret *key, enum cbc_direction direction, struct cbc **out) NODISCARD;

/* Accepts NULL. Wipes the key schedule. */
void cbc_destroy(struct cbc *cbc);

/* Encrypts len bytes to `out`, which has room for cbc_sealed_size(len) and
 * does not overlap `in`. Cannot fail. */
void cbc_seal(struct cbc *cbc, const uint8_t iv[CBC_IV_SIZE], const void *in, size_t len,
		uint8_t *out);

/* Decrypts len bytes to `out`, which has room for len bytes and does not
 * overlap `in`, and tells how many are left without padding.
 * -EBADMSG for a length or padding that cannot be. */
int cbc_open(struct cbc *cbc, const uint8_t iv[CBC_IV_SIZE], const void *in, size_t len,
		uint8_t *out, size_t *out_len) NODISCARD;

OWN_DEFINE(struct cbc *, cbc_destroy)

#endif
