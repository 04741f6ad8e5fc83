/* SPDX-License-Identifier: MIT */
#include "gate/tls.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

OWN_DEFINE(BIO *, BIO_vfree)
OWN_DEFINE(X509 *, X509_free)
OWN_DEFINE(EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(SSL_CTX *, SSL_CTX_free)

enum {
	CERTIFICATES_MAX = 16 * 1024, /* bytes a client may send */
};

void tls_prepare(void) {
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

/* Trust is decided afterwards, by exact DER: no chain is built, no date is looked at. */
static int accept_any(X509_STORE_CTX *store, void *user) {
	(void)user;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		const unsigned char *offered, unsigned offered_len, void *user) {
	(void)ssl;
	(void)user;
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen = NULL;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
			OPENSSL_NPN_NEGOTIATED) {
		return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 3.2: it would speak h2 to us */
	}
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int no_password(char *buf, int size, int writing, void *user) {
	(void)buf;
	(void)size;
	(void)writing;
	(void)user;
	return -1;
}

static X509 *parse_certificate(const void *pem, size_t len) {
	OWN(BIO_vfree) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	return bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
}

static void configure(SSL_CTX *server) {
	SSL_CTX_set_min_proto_version(server, TLS1_2_VERSION);
	SSL_CTX_set_options(server, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
						    SSL_OP_NO_COMPRESSION |
						    SSL_OP_IGNORE_UNEXPECTED_EOF |
						    SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(server, SSL_MODE_ENABLE_PARTIAL_WRITE |
						 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						 SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(server, 0);
	SSL_CTX_set_max_cert_list(server, CERTIFICATES_MAX);
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(server, accept_any, NULL);
	SSL_CTX_set_alpn_select_cb(server, choose_protocol, NULL);
}

int tls_server_create(const void *certificate, size_t certificate_len, const void *key,
		size_t key_len, SSL_CTX **out) {
	OWN(SSL_CTX_free) SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	OWN(BIO_vfree) BIO *key_bio = BIO_new_mem_buf(key, (int)key_len);
	if (!server || !key_bio) {
		return -ENOMEM;
	}
	configure(server);
	OWN(X509_free) X509 *own = parse_certificate(certificate, certificate_len);
	OWN(EVP_PKEY_free)
	EVP_PKEY *own_key = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);
	if (!own || !own_key || SSL_CTX_use_certificate(server, own) != 1 ||
			SSL_CTX_use_PrivateKey(server, own_key) != 1) {
		ERR_clear_error();
		return -EBADMSG;
	}
	*out = TAKE(server, NULL);
	return 0;
}

void tls_server_destroy(SSL_CTX *server) {
	SSL_CTX_free(server);
}

SSL *tls_create(SSL_CTX *server, int fd) {
	SSL *tls = SSL_new(server);
	if (tls && SSL_set_fd(tls, fd) != 1) {
		SSL_free(tls);
		tls = NULL;
	}
	if (tls) {
		SSL_set_accept_state(tls);
	}
	ERR_clear_error();
	return tls;
}

void tls_destroy(SSL *tls) {
	SSL_free(tls);
}

static int step_result(SSL *tls, int rc, uint32_t *out_events) {
	int error = SSL_get_error(tls, rc);
	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_WANT_READ:
		*out_events = EPOLLIN;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		*out_events = EPOLLOUT;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return -ECONNRESET;
	}
}

int tls_handshake(SSL *tls, uint32_t *out_events) {
	ERR_clear_error();
	int rc = SSL_do_handshake(tls);
	if (rc == 1) {
		return 0;
	}
	rc = step_result(tls, rc, out_events);
	return rc == 0 ? -ECONNRESET : rc;
}

bool tls_has_greeted(const SSL *tls) {
	OSSL_HANDSHAKE_STATE state = SSL_get_state(tls);
	return state != TLS_ST_BEFORE && state != TLS_ST_SR_CLNT_HELLO;
}

int tls_read(SSL *tls, void *buf, size_t size, uint32_t *out_events) {
	ERR_clear_error();
	int rc = SSL_read(tls, buf, size > INT_MAX ? INT_MAX : (int)size);
	return rc > 0 ? rc : step_result(tls, rc, out_events);
}

int tls_write(SSL *tls, const void *buf, size_t len, uint32_t *out_events) {
	ERR_clear_error();
	int rc = SSL_write(tls, buf, len > INT_MAX ? INT_MAX : (int)len);
	if (rc > 0) {
		return rc;
	}
	rc = step_result(tls, rc, out_events);
	return rc == 0 ? -ECONNRESET : rc;
}

bool tls_has_more(SSL *tls) {
	return SSL_pending(tls) > 0;
}

void tls_end(SSL *tls) {
	ERR_clear_error();
	if (SSL_is_init_finished(tls)) {
		SSL_shutdown(tls);
	}
	ERR_clear_error();
}

static int certificate_to_der(const X509 *certificate, uint8_t out_der[TLS_DER_MAX],
		size_t *out_len, uint8_t out_fingerprint[32]) {
	int len = i2d_X509(certificate, NULL);
	if (len <= 0) {
		return -EBADMSG;
	}
	if (len > TLS_DER_MAX) {
		return -ENOSPC;
	}
	unsigned char *at = out_der;
	i2d_X509(certificate, &at);
	tls_sha256(out_der, (size_t)len, out_fingerprint);
	*out_len = (size_t)len;
	return 0;
}

int tls_peer(SSL *tls, uint8_t out_der[TLS_DER_MAX], size_t *out_len, uint8_t out_fingerprint[32]) {
	const X509 *certificate = SSL_get0_peer_certificate(tls);
	return certificate ? certificate_to_der(certificate, out_der, out_len, out_fingerprint)
			   : -ENOENT;
}

int tls_pem_to_der(const void *pem, size_t len, uint8_t out_der[TLS_DER_MAX], size_t *out_len,
		uint8_t out_fingerprint[32]) {
	OWN(X509_free) X509 *certificate = parse_certificate(pem, len);
	ERR_clear_error();
	return certificate ? certificate_to_der(certificate, out_der, out_len, out_fingerprint)
			   : -EBADMSG;
}

void tls_sha256(const void *data, size_t len, uint8_t out[32]) {
	int rc = EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL);
	assert(rc == 1);
	(void)rc;
}
