/* SPDX-License-Identifier: MIT */
#include "proto/pairing_crypto.h"

#include <errno.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum {
	KEY_BITS_MIN = 2048,
	KEY_BITS_MAX = 4096,
	EXPONENT_BITS_MAX = 32, /* a larger one only costs us time */
};

OWN_DEFINE(X509 *, X509_free)
OWN_DEFINE(BIO *, BIO_free_all)
OWN_DEFINE(BIGNUM *, BN_free)
OWN_DEFINE(EVP_MD_CTX *, EVP_MD_CTX_free)
OWN_DEFINE(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)

/* What OpenSSL leaves in the thread's queue would be taken for the next TLS call's. */
static int failed(int rc) {
	ERR_clear_error();
	return rc;
}

static bool key_is_served(EVP_PKEY *key) {
	if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		return false;
	}
	int bits = EVP_PKEY_get_bits(key);
	OWN(BN_free) BIGNUM *exponent = NULL;
	if (bits < KEY_BITS_MIN || bits > KEY_BITS_MAX ||
			EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
		return false;
	}
	return BN_num_bits(exponent) <= EXPONENT_BITS_MAX;
}

static bool rest_is_blank(BIO *bio) {
	char *rest = NULL;
	long len = BIO_get_mem_data(bio, &rest);
	for (long i = 0; i < len; i++) {
		if (rest[i] != '\0' && !strchr(" \t\r\n", rest[i])) {
			return false;
		}
	}
	return true;
}

/* A PEM reader skips what stands before a certificate: here nothing may. */
static X509 *pem_read(const void *pem, size_t len) {
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	if (len > PAIRING_PEM_MAX || len < sizeof(begin) ||
			memcmp(pem, begin, sizeof(begin) - 1) != 0) {
		return NULL;
	}
	OWN(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	OWN(X509_free) X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!x509 || !rest_is_blank(bio)) {
		return NULL;
	}
	return TAKE(x509, NULL);
}

int pairing_certificate_parse(const void *pem, size_t len, struct pairing_certificate *out) {
	*out = (struct pairing_certificate){ 0 };
	OWN(X509_free) X509 *x509 = pem_read(pem, len);
	if (!x509) {
		return failed(-EBADMSG);
	}
	const ASN1_BIT_STRING *signature = NULL;
	X509_get0_signature(&signature, NULL, x509);
	int signature_len = signature ? ASN1_STRING_length(signature) : 0;
	int der_len = i2d_X509(x509, NULL);
	if (signature_len <= 0 || signature_len > PAIRING_SIGNATURE_MAX || der_len <= 0 ||
			der_len > PAIRING_DER_MAX) {
		return failed(-EBADMSG);
	}
	out->key = X509_get_pubkey(x509);
	if (!key_is_served(out->key)) {
		return failed(-EBADMSG);
	}
	uint8_t *at = out->der;
	out->der_len = (size_t)i2d_X509(x509, &at);
	out->signature_len = (size_t)signature_len;
	memcpy(out->signature, ASN1_STRING_get0_data(signature), out->signature_len);
	return 0;
}

void pairing_certificate_finish(struct pairing_certificate *certificate) {
	EVP_PKEY_free(certificate->key);
	certificate->key = NULL;
}

int pairing_fingerprint(const void *der, size_t len, uint8_t out[PAIRING_HASH_SIZE]) {
	return EVP_Digest(der, len, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : failed(-ENOMEM);
}

int pairing_sign(EVP_PKEY *key, const void *data, size_t len, uint8_t *out) {
	OWN(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t n = PAIRING_SIGNATURE_MAX;
	if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
			EVP_DigestSign(context, out, &n, (const uint8_t *)data, len) != 1) {
		return failed(-ENOMEM);
	}
	return (int)n;
}

bool pairing_verify(EVP_PKEY *key, const void *data, size_t len, const void *signature,
		size_t signature_len) {
	OWN(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, (const uint8_t *)signature, signature_len,
				    (const uint8_t *)data, len) == 1;
	ERR_clear_error();
	return good;
}

static bool pin_is_four_digits(const char *pin) {
	return strlen(pin) == PAIRING_PIN_LEN && strspn(pin, "0123456789") == PAIRING_PIN_LEN;
}

int pairing_key_derive(const uint8_t salt[16], const char *pin, struct secret *out) {
	if (!pin_is_four_digits(pin)) {
		return -EINVAL;
	}
	uint8_t salted[16 + PAIRING_PIN_LEN], hash[PAIRING_HASH_SIZE];
	memcpy(salted, salt, 16);
	memcpy(salted + 16, pin, PAIRING_PIN_LEN);
	if (EVP_Digest(salted, sizeof(salted), hash, NULL, EVP_sha256(), NULL) != 1) {
		return failed(-ENOMEM);
	}
	memcpy(out->bytes, hash, sizeof(out->bytes));
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(hash, sizeof(hash));
	return 0;
}

static int ecb(const struct secret *key, int encrypt, const void *data, size_t len, uint8_t *out) {
	OWN(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int n = 0, tail = 0;
	if (!context ||
			EVP_CipherInit_ex(context, EVP_aes_128_ecb(), NULL, key->bytes, NULL,
					encrypt) != 1 ||
			EVP_CIPHER_CTX_set_padding(context, 0) != 1 ||
			EVP_CipherUpdate(context, out, &n, (const uint8_t *)data, (int)len) != 1 ||
			EVP_CipherFinal_ex(context, out + n, &tail) != 1) {
		return failed(-ENOMEM);
	}
	return 0;
}

int pairing_encrypt(const struct secret *key, const void *data, size_t len, uint8_t *out) {
	return ecb(key, 1, data, len, out);
}

int pairing_decrypt(const struct secret *key, const void *data, size_t len, uint8_t *out) {
	return ecb(key, 0, data, len, out);
}

int pairing_proof(const uint8_t challenge[PAIRING_CHALLENGE_SIZE],
		const struct pairing_certificate *certificate,
		const uint8_t secret[PAIRING_CHALLENGE_SIZE], uint8_t out[PAIRING_HASH_SIZE]) {
	OWN(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
			EVP_DigestUpdate(context, challenge, PAIRING_CHALLENGE_SIZE) != 1 ||
			EVP_DigestUpdate(context, certificate->signature,
					certificate->signature_len) != 1 ||
			EVP_DigestUpdate(context, secret, PAIRING_CHALLENGE_SIZE) != 1 ||
			EVP_DigestFinal_ex(context, out, NULL) != 1) {
		return failed(-ENOMEM);
	}
	return 0;
}
