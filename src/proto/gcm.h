/* SPDX-License-Identifier: MIT */
#ifndef PROTO_GCM_H
#define PROTO_GCM_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"

/* AES-128-GCM with 12-byte IVs, 16-byte tags and no associated data: what the
 * control stream, the video stream and encrypted RTSP use.
 *
 * One object holds one key for one direction, so that only the IV is set for
 * each packet. An IV must never be sealed under twice with the same key: that
 * is the caller's to guarantee. Not to be shared between threads. */
struct gcm;

enum {
	GCM_IV_SIZE = 12,
	GCM_TAG_SIZE = 16,
};

enum gcm_direction {
	GCM_SEAL,
	GCM_OPEN,
};

/* -ENOMEM when the library refuses. */
int gcm_create(const struct secret *key, enum gcm_direction direction, struct gcm **out) NODISCARD;

/* Accepts NULL. Wipes the key schedule. */
void gcm_destroy(struct gcm *gcm);

/* Encrypts len bytes (at most INT_MAX) of `in` to `out`, which may be the same
 * place but not overlap otherwise, and writes the tag. Cannot fail. */
void gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const void *in, size_t len,
		uint8_t *out, uint8_t out_tag[GCM_TAG_SIZE]);

/* Decrypts len bytes of `in` to `out`, which may be the same place.
 * -EBADMSG when the tag does not fit: `out` is then zeroed. */
int gcm_open(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const uint8_t tag[GCM_TAG_SIZE],
		const void *in, size_t len, uint8_t *out) NODISCARD;

OWN_DEFINE(struct gcm *, gcm_destroy)

#endif
