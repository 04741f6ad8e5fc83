/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PAIRING_CRYPTO_H
#define PROTO_PAIRING_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"

/* What both sides of pairing compute with: certificates as Moonlight uses them (self
 * signed, compared by their bytes and by nothing else), RSA signatures and AES-128-ECB
 * under a key from the PIN. No call leaves errors in OpenSSL's queue. */
enum {
	PAIRING_PEM_MAX = 8192,
	PAIRING_DER_MAX = PAIRING_PEM_MAX / 4 * 3,
	PAIRING_SIGNATURE_MAX = 512, /* RSA-4096 */
	PAIRING_HASH_SIZE = 32,
	PAIRING_CHALLENGE_SIZE = 16,
	PAIRING_PIN_LEN = 4,
};

struct evp_pkey_st;

struct pairing_certificate {
	struct evp_pkey_st *key; /* owned */
	uint8_t der[PAIRING_DER_MAX];
	size_t der_len;
	uint8_t signature[PAIRING_SIGNATURE_MAX]; /* X.509 signatureValue, a secret's salt here */
	size_t signature_len;
};

/* Exactly one PEM certificate of at most PAIRING_PEM_MAX bytes with an RSA key of 2048 to
 * 4096 bits, else -EBADMSG. Filled in place; finish it in either case. */
int pairing_certificate_parse(
		const void *pem, size_t len, struct pairing_certificate *out) NODISCARD;

/* Harmless on a zeroed one. */
void pairing_certificate_finish(struct pairing_certificate *certificate);

/* SHA-256 of the DER, by which operators tell clients apart. */
int pairing_fingerprint(const void *der, size_t len, uint8_t out[PAIRING_HASH_SIZE]) NODISCARD;

/* RSA PKCS#1 v1.5 with SHA-256. out has PAIRING_SIGNATURE_MAX bytes; answers the length. */
int pairing_sign(struct evp_pkey_st *key, const void *data, size_t len, uint8_t *out) NODISCARD;
bool pairing_verify(struct evp_pkey_st *key, const void *data, size_t len, const void *signature,
		size_t signature_len);

/* The first half of SHA-256(salt, PIN). -EINVAL for anything but four digits. */
int pairing_key_derive(const uint8_t salt[16], const char *pin, struct secret *out) NODISCARD;

/* len is a multiple of 16, at most 64. */
int pairing_encrypt(const struct secret *key, const void *data, size_t len, uint8_t *out) NODISCARD;
int pairing_decrypt(const struct secret *key, const void *data, size_t len, uint8_t *out) NODISCARD;

/* SHA-256(challenge, the certificate's signature, secret): both sides' proof. */
int pairing_proof(const uint8_t challenge[PAIRING_CHALLENGE_SIZE],
		const struct pairing_certificate *certificate,
		const uint8_t secret[PAIRING_CHALLENGE_SIZE],
		uint8_t out[PAIRING_HASH_SIZE]) NODISCARD;

#endif
