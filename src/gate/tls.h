/* SPDX-License-Identifier: MIT */
#ifndef GATE_TLS_H
#define GATE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

struct ssl_ctx_st;
struct ssl_st;

enum {
	TLS_DER_MAX = 4096, /* of a client's certificate */
};

/* Before anything else of OpenSSL: no configuration file, so no engine and no
 * provider that a file names. */
void tls_prepare(void);

/* A server with this certificate and key (PEM). Clients are asked for a certificate and
 * any one, or none, is accepted in the handshake: Moonlight expects a 401 and not
 * a broken handshake (protocol facts: moonlight-qt nvhttp.cpp:153-164). No tickets
 * and no resumption: every connection shows its certificate. -EBADMSG, -ENOMEM. */
int tls_server_create(const void *certificate, size_t certificate_len, const void *key,
		size_t key_len, struct ssl_ctx_st **out) NODISCARD;
void tls_server_destroy(struct ssl_ctx_st *server);

/* fd is borrowed. NULL without memory. */
struct ssl_st *tls_create(struct ssl_ctx_st *server, int fd);
void tls_destroy(struct ssl_st *tls);

/* Each takes one step: 0 or a count on success, -EAGAIN with the epoll events to wait
 * for in *out_events, -ECONNRESET when the connection is of no more use. */
int tls_handshake(struct ssl_st *tls, uint32_t *out_events) NODISCARD;
/* The handshake has gone beyond the client's hello. */
bool tls_has_greeted(const struct ssl_st *tls);
/* 0 is the peer's end. */
int tls_read(struct ssl_st *tls, void *buf, size_t size, uint32_t *out_events) NODISCARD;
int tls_write(struct ssl_st *tls, const void *buf, size_t len, uint32_t *out_events) NODISCARD;

bool tls_has_more(struct ssl_st *tls);

/* Says that nothing more comes; does not wait. */
void tls_end(struct ssl_st *tls);

/* The DER of the peer's certificate and its SHA-256. -ENOENT when it showed none,
 * -ENOSPC when it is longer than TLS_DER_MAX. */
int tls_peer(struct ssl_st *tls, uint8_t out_der[TLS_DER_MAX], size_t *out_len,
		uint8_t out_fingerprint[32]) NODISCARD;

/* DER and SHA-256 of one certificate in PEM. -EBADMSG, -ENOSPC. */
int tls_pem_to_der(const void *pem, size_t len, uint8_t out_der[TLS_DER_MAX], size_t *out_len,
		uint8_t out_fingerprint[32]) NODISCARD;

void tls_sha256(const void *data, size_t len, uint8_t out[32]);

#endif
