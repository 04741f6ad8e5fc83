/* SPDX-License-Identifier: MIT */
#include "store/identity.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/random.h"
#include "base/text.h"

OWN_DEFINE(EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(X509 *, X509_free)
OWN_DEFINE(BIO *, BIO_free_all)

enum {
	KEY_BITS = 2048,
	DAY_S = 86400,
	LIFETIME_DAYS = 7300, /* nobody renews it: clients pin it */
};

static int copy_bio(BIO *bio, char *out, size_t size) {
	int len = BIO_read(bio, out, (int)size - 1);
	if (len <= 0 || BIO_pending(bio) > 0) {
		return -ENOSPC;
	}
	out[len] = '\0';
	return 0;
}

static int sign(X509 *certificate, EVP_PKEY *key) {
	static const unsigned char name[] = "Perigee";
	X509_NAME *subject = X509_get_subject_name(certificate);
	uint64_t serial = 0;
	random_fill(&serial, sizeof(serial));
	/* It begins a day early for the sake of clients whose clock is slow. */
	bool ok = X509_set_version(certificate, 2) &&
		  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) &&
		  X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) &&
		  X509_time_adj_ex(X509_getm_notAfter(certificate), LIFETIME_DAYS, 0, NULL) &&
		  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) &&
		  X509_set_issuer_name(certificate, subject) && X509_set_pubkey(certificate, key) &&
		  X509_sign(certificate, key, EVP_sha256()) > 0;
	return ok ? 0 : -ENOMEM;
}

static int create_certificate(struct identity *out) {
	OWN(EVP_PKEY_free) EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
	OWN(X509_free) X509 *certificate = X509_new();
	OWN(BIO_free_all) BIO *certificate_pem = BIO_new(BIO_s_mem());
	OWN(BIO_free_all) BIO *key_pem = BIO_new(BIO_s_secmem());
	if (!key || !certificate || !certificate_pem || !key_pem) {
		return -ENOMEM;
	}
	int rc = sign(certificate, key);
	if (rc == 0 && (!PEM_write_bio_X509(certificate_pem, certificate) ||
				       !PEM_write_bio_PKCS8PrivateKey(
						       key_pem, key, NULL, NULL, 0, NULL, NULL))) {
		rc = -ENOMEM;
	}
	if (rc == 0) {
		rc = copy_bio(certificate_pem, out->certificate, sizeof(out->certificate));
	}
	if (rc == 0) {
		rc = copy_bio(key_pem, out->key, sizeof(out->key));
	}
	return rc;
}

/* RFC 4122 4.4, in capitals as clients know it from other hosts. */
static void create_host_id(struct identity *out) {
	uint8_t b[16];
	random_fill(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	text_format(out->host_id, sizeof(out->host_id),
			"%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X",
			b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			b[12], b[13], b[14], b[15]);
}

/* 64 characters, so that a random byte's low bits choose evenly. */
static void create_web_key(struct identity *out) {
	static const char letters[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t random[32];
	random_fill(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		out->web_key[i] = letters[random[i] & 63];
	}
	out->web_key[sizeof(random)] = '\0';
}

int identity_create(struct identity *out) {
	struct identity identity = { 0 };
	int rc = create_certificate(&identity);
	if (rc == 0) {
		create_host_id(&identity);
		create_web_key(&identity);
		*out = identity;
	}
	explicit_bzero(&identity, sizeof(identity));
	return rc;
}
