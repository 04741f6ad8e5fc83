/* SPDX-License-Identifier: MIT */
#ifndef PROTO_CIPHER_H
#define PROTO_CIPHER_H

#include <stdbool.h>

#include "base/own.h"
#include "base/secret.h"

/* What our ciphers (gcm, cbc) have in common: one key for one direction, in a context of
 * the library that is made once; a packet then sets the IV only. */
struct evp_cipher_ctx_st;

/* A context for the cipher that the library calls `name`; its key is of 16 bytes. -ENOMEM
 * when the library refuses. */
int cipher_create(const char *name, const struct secret *key, bool seals,
		struct evp_cipher_ctx_st **out) NODISCARD;

/* Accepts NULL. Wipes the key schedule. */
void cipher_destroy(struct evp_cipher_ctx_st *ctx);

/* For calls that cannot fail: a cipher that refuses a well-formed one would leave clear
 * bytes in the packet, so it ends the process. */
void cipher_must(int ok);

OWN_DEFINE(struct evp_cipher_ctx_st *, cipher_destroy)

#endif
