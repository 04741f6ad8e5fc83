/* SPDX-License-Identifier: MIT */
#include "proto/pairing_identity.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/random.h"

enum {
	KEY_BITS = 2048,
	DAY_S = 24 * 60 * 60,
	VALID_DAYS = 20 * 365,
};

OWN_DEFINE(EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(X509 *, X509_free)
OWN_DEFINE(BIO *, BIO_free_all)

static const char *const names[] = {
	[PAIRING_HOST] = "Perigee",
	[PAIRING_CLIENT] = "NVIDIA GameStream Client",
};

static int failed(int rc) {
	ERR_clear_error();
	return rc;
}

static uint64_t serial_of(enum pairing_flavour flavour) {
	if (flavour == PAIRING_CLIENT) {
		return 0;
	}
	return random_u32() | UINT64_C(1) << 32;
}

static X509 *certificate_make(enum pairing_flavour flavour, int64_t unix_now, EVP_PKEY *key) {
	OWN(X509_free) X509 *x509 = X509_new();
	if (!x509) {
		return NULL;
	}
	X509_NAME *name = X509_get_subject_name(x509);
	if (X509_set_version(x509, X509_VERSION_3) != 1 ||
			ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial_of(flavour)) !=
					1 ||
			!ASN1_TIME_set(X509_getm_notBefore(x509), unix_now - DAY_S) ||
			!ASN1_TIME_adj(X509_getm_notAfter(x509), unix_now, VALID_DAYS, 0) ||
			X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					(const uint8_t *)names[flavour], -1, -1, 0) != 1 ||
			X509_set_issuer_name(x509, name) != 1 || X509_set_pubkey(x509, key) != 1 ||
			X509_sign(x509, key, EVP_sha256()) <= 0) {
		return NULL;
	}
	return TAKE(x509, NULL);
}

/* What was written to bio, as text in out of PAIRING_PEM_MAX bytes. */
static int text_of(BIO *bio, char *out) {
	char *text = NULL;
	long len = BIO_get_mem_data(bio, &text);
	if (len <= 0 || len >= PAIRING_PEM_MAX) {
		return -ENOMEM;
	}
	memcpy(out, text, (size_t)len);
	out[len] = '\0';
	return 0;
}

int pairing_identity_generate(enum pairing_flavour flavour, int64_t unix_now, char *out_certificate,
		char *out_key) {
	OWN(EVP_PKEY_free) EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
	OWN(X509_free) X509 *x509 = key ? certificate_make(flavour, unix_now, key) : NULL;
	OWN(BIO_free_all) BIO *certificate = BIO_new(BIO_s_mem());
	OWN(BIO_free_all) BIO *secret = BIO_new(BIO_s_secmem());
	if (!x509 || !certificate || !secret || PEM_write_bio_X509(certificate, x509) != 1 ||
			PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) != 1) {
		return failed(-ENOMEM);
	}
	int rc = text_of(certificate, out_certificate);
	return rc < 0 ? rc : text_of(secret, out_key);
}

static EVP_PKEY *key_read(const char *pem) {
	size_t len = strlen(pem);
	OWN(BIO_free_all) BIO *bio = len < PAIRING_PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	/* An empty passphrase, so that OpenSSL never asks a terminal for one. */
	char none[] = "";
	return bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, none) : NULL;
}

int pairing_identity_load(const char *certificate, const char *key, struct pairing_identity *out) {
	*out = (struct pairing_identity){ 0 };
	size_t len = strlen(certificate);
	int rc = pairing_certificate_parse(certificate, len, &out->certificate);
	if (rc < 0) {
		return rc;
	}
	out->key = key_read(key);
	if (!out->key || EVP_PKEY_eq(out->key, out->certificate.key) != 1) {
		return failed(-EBADMSG);
	}
	memcpy(out->pem, certificate, len);
	out->pem_len = len;
	return 0;
}

void pairing_identity_finish(struct pairing_identity *identity) {
	EVP_PKEY_free(identity->key);
	identity->key = NULL;
	pairing_certificate_finish(&identity->certificate);
}
