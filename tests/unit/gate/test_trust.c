/* SPDX-License-Identifier: MIT */
/* Who is a paired client: whose certificate is one that was stored, byte by byte, and who has
 * its key. Whatever else is right or wrong with a certificate changes nothing.
 *
 * What these shut out elsewhere: CVE-2026-32253 (verification errors that were turned into
 * success), CVE-2026-111044 (a certificate signed by a paired one was accepted). */
#include "../unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "rig.h"

enum signer {
	BY_ITSELF,
	BY_PAIRED, /* with the paired client's own key */
	BY_NOBODY, /* an authority that nobody knows */
};

enum key {
	KEY_OWN,    /* RSA 2048 of its own */
	KEY_PAIRED, /* the paired client's, which only that one has */
	KEY_EC,
	KEY_SMALL, /* RSA 1024 */
};

struct forgery {
	const char *what;
	enum signer signer;
	enum key key;
	long from_days, to_days;       /* validity, from now */
	const char *extension, *value; /* NULL for none; by name */
	const char *unknown;           /* a critical extension with this object identifier */
	bool broken;                   /* the signature is changed */
	bool chain;                    /* the paired certificate is sent with it */
	int expected;                  /* one of the errors of chain building, which we do not do */
};

/* clang-format off */
static const struct forgery forgeries[] = {
	{ .what = "its own issuer", .to_days = 365, .expected = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
	{ .what = "expired", .from_days = -9, .to_days = -1, .signer = BY_PAIRED, .chain = true,
		.expected = X509_V_ERR_CERT_HAS_EXPIRED },
	{ .what = "not yet valid", .from_days = 5, .to_days = 9, .signer = BY_PAIRED, .chain = true,
		.expected = X509_V_ERR_CERT_NOT_YET_VALID },
	{ .what = "signed by nobody known", .to_days = 365, .signer = BY_NOBODY,
		.expected = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
	{ .what = "signed by a paired client", .to_days = 365, .signer = BY_PAIRED, .chain = true,
		.expected = X509_V_ERR_INVALID_CA },
	{ .what = "signed by a paired client, alone", .to_days = 365, .signer = BY_PAIRED,
		.expected = X509_V_ERR_INVALID_CA },
	{ .what = "an authority signed by a paired client", .to_days = 365, .signer = BY_PAIRED,
		.chain = true, .extension = "basicConstraints", .value = "critical,CA:TRUE",
		.expected = X509_V_ERR_INVALID_CA },
	{ .what = "a broken signature of a paired client", .to_days = 365, .signer = BY_PAIRED,
		.chain = true, .broken = true, .expected = X509_V_ERR_CERT_SIGNATURE_FAILURE },
	{ .what = "for servers only", .to_days = 365, .signer = BY_PAIRED, .chain = true,
		.extension = "extendedKeyUsage", .value = "serverAuth",
		.expected = X509_V_ERR_INVALID_PURPOSE },
	{ .what = "an unknown critical extension", .to_days = 365, .signer = BY_PAIRED, .chain = true,
		.unknown = "1.2.3.4.5", .expected = X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION },
	{ .what = "a small key", .to_days = 365, .key = KEY_SMALL, .signer = BY_PAIRED, .chain = true,
		.expected = X509_V_ERR_EE_KEY_TOO_SMALL },
	{ .what = "an elliptic curve", .to_days = 365, .key = KEY_EC,
		.expected = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
	{ .what = "a paired client's key, another certificate", .to_days = 365, .key = KEY_PAIRED,
		.expected = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
};
/* clang-format on */

static EVP_PKEY *make_key(struct world *world, enum key kind) {
	switch (kind) {
	case KEY_PAIRED:
		EVP_PKEY_up_ref(world->client.identity.key);
		return world->client.identity.key;
	case KEY_EC:
		return EVP_EC_gen("P-256");
	case KEY_SMALL:
		return EVP_RSA_gen(1024);
	default:
		return EVP_RSA_gen(2048);
	}
}

static X509 *read_certificate(const char *pem) {
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(certificate);
	return certificate;
}

static void set_name(X509_NAME *name, const char *text) {
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)text,
					 -1, -1, 0),
			1);
}

static void add_extensions(X509 *x509, const struct forgery *forgery) {
	X509_EXTENSION *extension = NULL;
	if (forgery->extension) {
		extension = X509V3_EXT_conf_nid(
				NULL, NULL, OBJ_txt2nid(forgery->extension), forgery->value);
	} else if (forgery->unknown) {
		ASN1_OBJECT *object = OBJ_txt2obj(forgery->unknown, 1);
		ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(bytes, (const uint8_t *)"\x05\x00", 2);
		extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, bytes);
		ASN1_OCTET_STRING_free(bytes);
		ASN1_OBJECT_free(object);
	}
	if (extension) {
		assert_int_equal(X509_add_ext(x509, extension, -1), 1);
		X509_EXTENSION_free(extension);
	}
}

/* The same certificate with its last byte, which is the signature's, changed. */
static X509 *break_signature(X509 *x509) {
	uint8_t *der = NULL;
	int len = i2d_X509(x509, &der);
	assert_true(len > 0);
	der[len - 1] ^= 1;
	const uint8_t *at = der;
	X509 *broken = d2i_X509(NULL, &at, len);
	assert_non_null(broken);
	OPENSSL_free(der);
	X509_free(x509);
	return broken;
}

/* Named and numbered like the paired client's, as all of Moonlight's are. */
static X509 *forge(const struct forgery *forgery, EVP_PKEY *key, X509 *paired, EVP_PKEY *paired_key,
		EVP_PKEY *nobody) {
	X509 *x509 = X509_new();
	X509_set_version(x509, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x509), forgery->from_days * 86400 - 60);
	X509_gmtime_adj(X509_getm_notAfter(x509), forgery->to_days * 86400);
	X509_set_pubkey(x509, key);
	if (forgery->signer == BY_ITSELF) {
		X509_set_subject_name(x509, X509_get_subject_name(paired));
		X509_set_serialNumber(x509, X509_get_serialNumber(paired));
	} else {
		/* Else it would look like its own issuer. */
		set_name(X509_get_subject_name(x509), "somebody");
		ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
	}
	if (forgery->signer == BY_NOBODY) {
		set_name(X509_get_issuer_name(x509), "nobody");
	} else {
		X509_set_issuer_name(x509, X509_get_subject_name(paired));
	}
	add_extensions(x509, forgery);
	EVP_PKEY *signer = forgery->signer == BY_ITSELF   ? key
			   : forgery->signer == BY_PAIRED ? paired_key
							  : nobody;
	assert_true(X509_sign(x509, signer, EVP_sha256()) > 0);
	return forgery->broken ? break_signature(x509) : x509;
}

struct search {
	int error;
	bool found;
};

static int note_error(int ok, X509_STORE_CTX *context) {
	struct search *search = X509_STORE_CTX_get_app_data(context);
	search->found |= !ok && X509_STORE_CTX_get_error(context) == search->error;
	return 1;
}

/* Whether a server that builds chains from the paired certificates would find this error. */
static bool verifies_with(X509 *certificate, X509 *paired, int error) {
	struct search search = { .error = error };
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, paired);
	X509_STORE_CTX_init(context, store, certificate, NULL);
	X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT);
	X509_STORE_CTX_set_app_data(context, &search);
	X509_STORE_CTX_set_verify_cb(context, note_error);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), 2);
	X509_verify_cert(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	ERR_clear_error();
	return search.found;
}

/* A request with this certificate; "" when TLS itself was refused. */
static void ask(struct world *world, X509 *certificate, EVP_PKEY *key, X509 *chain) {
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(context, 0); /* or our own library keeps us from it */
	assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	if (chain) {
		assert_int_equal(SSL_CTX_add1_chain_cert(context, chain), 1);
	}
	SSL *ssl = SSL_new(context);
	int fd = rig_connect(world->rig.ports[DOOR_HTTPS]);
	SSL_set_fd(ssl, fd);
	world->text[0] = '\0';
	if (SSL_connect(ssl) == 1) {
		static const char request[] = "GET /applist HTTP/1.1\r\nHost: a\r\n\r\n";
		if (SSL_write(ssl, request, sizeof(request) - 1) > 0) {
			rig_read_answer(fd, ssl, world->text, sizeof(world->text));
		}
	}
	ERR_clear_error();
	SSL_free(ssl);
	close(fd);
	SSL_CTX_free(context);
}

static void check_refused(const struct world *world, const char *what) {
	bool refused = world->text[0] == '\0' || strstr(world->text, "status_code=\"401\"");
	if (!refused || strstr(world->text, "<ID>7</ID>")) {
		fail_msg("%s: %.200s", what, world->text);
	}
}

/* CVE-2026-32253, CVE-2026-111044 */
static void whatever_verification_says_an_unknown_certificate_gets_a_401(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	X509 *paired = read_certificate(world->client.certificate);
	EVP_PKEY *nobody = EVP_RSA_gen(2048);
	unsigned answered = 0;
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		const struct forgery *forgery = &forgeries[i];
		EVP_PKEY *key = make_key(world, forgery->key);
		X509 *x509 = forge(forgery, key, paired, world->client.identity.key, nobody);
		if (!verifies_with(x509, paired, forgery->expected)) {
			fail_msg("%s: is not: %s", forgery->what,
					X509_verify_cert_error_string(forgery->expected));
		}
		ask(world, x509, key, forgery->chain ? paired : NULL);
		check_refused(world, forgery->what);
		answered += world->text[0] != '\0';
		X509_free(x509);
		EVP_PKEY_free(key);
	}
	/* Nearly all are told why, in a way that Moonlight understands. */
	assert_true(answered >= sizeof(forgeries) / sizeof(forgeries[0]) - 1);
	ask(world, paired, world->client.identity.key, NULL);
	assert_has(world->text, "<ID>7</ID>");
	EVP_PKEY_free(nobody);
	X509_free(paired);
	world_end(world);
}

/* The stored certificate is public: it was sent in the clear when pairing. */
static void a_paired_certificate_without_its_key_is_nothing(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	X509 *paired = read_certificate(world->client.certificate);
	X509 *own = read_certificate(world->stranger.certificate);
	/* As a chain beside the own one: the leaf alone counts. */
	ask(world, own, world->stranger.identity.key, paired);
	check_refused(world, "the paired certificate as an issuer");
	/* As the leaf, with a foreign key, a client's library does not even send it: what it
	 * would have to sign is checked by ours (RFC 8446 4.4.3). */
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_use_certificate(context, paired), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, world->stranger.identity.key), 0);
	ERR_clear_error();
	SSL_CTX_free(context);
	X509_free(own);
	X509_free(paired);
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(whatever_verification_says_an_unknown_certificate_gets_a_401),
		UNIT(a_paired_certificate_without_its_key_is_nothing),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
