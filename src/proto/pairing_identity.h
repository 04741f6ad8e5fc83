/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PAIRING_IDENTITY_H
#define PROTO_PAIRING_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "proto/pairing_crypto.h"

/* Who a host or a client is: an RSA key and a self-signed certificate over it. A host's
 * is kept for good, because clients pin it byte by byte (moonlight-qt nvhttp.cpp:435-455). */
struct pairing_identity {
	struct evp_pkey_st *key; /* owned; the private key */
	struct pairing_certificate certificate;
	char pem[PAIRING_PEM_MAX]; /* the certificate as text, which travels in pairing */
	size_t pem_len;
};

enum pairing_flavour {
	PAIRING_HOST,
	PAIRING_CLIENT, /* subject and serial that every Moonlight client has */
};

/* Makes an RSA-2048 identity, valid for twenty years from a day before unix_now, as two
 * PEM texts, terminated, in buffers of PAIRING_PEM_MAX. Takes a good part of a second:
 * not for a loop's thread. -ENOMEM. */
int pairing_identity_generate(enum pairing_flavour flavour, int64_t unix_now, char *out_certificate,
		char *out_key) NODISCARD;

/* -EBADMSG unless both texts are as generate() writes them and belong together. Filled in
 * place; finish it in either case. */
int pairing_identity_load(
		const char *certificate, const char *key, struct pairing_identity *out) NODISCARD;

/* Harmless on a zeroed one. */
void pairing_identity_finish(struct pairing_identity *identity);

#endif
