/* SPDX-License-Identifier: MIT */
#include "cli/probe_http.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/net.h"
#include "proto/http.h"

enum {
	REQUEST_MAX = HTTP_TARGET_MAX + 512,
	READ_SIZE = 64 * 1024,
};

/* Certificates are compared with the pin after the handshake, whatever they say. */
static int accept_any(int ok, X509_STORE_CTX *store) {
	(void)ok;
	(void)store;
	return 1;
}

static int context_create(const struct probe_identity *identity, SSL_CTX **out) {
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	const uint8_t *der = identity->own.certificate.der;
	/* curl offers both, and so must a host be offered. */
	static const unsigned char protocols[] = { 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1',
		'.', '1' };
	if (!context ||
			!SSL_CTX_use_certificate_ASN1(
					context, (int)identity->own.certificate.der_len, der) ||
			!SSL_CTX_use_PrivateKey(context, identity->own.key) ||
			SSL_CTX_set_alpn_protos(context, protocols, sizeof(protocols)) != 0) {
		ERR_clear_error();
		SSL_CTX_free(context);
		return -ENOMEM;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
	SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
	*out = context;
	return 0;
}

int probe_http_init(struct probe_http *http, const struct address *address, bool secure,
		const struct probe_identity *identity, struct probe_transcript *transcript) {
	*http = (struct probe_http){ .address = *address,
		.secure = secure,
		.identity = identity,
		.transcript = transcript,
		.fd = -1 };
	return secure ? context_create(identity, &http->context) : 0;
}

void probe_http_hang_up(struct probe_http *http) {
	if (http->tls) {
		/* One try: the other side need not hear it. */
		SSL_shutdown(http->tls);
		SSL_free(TAKE(http->tls, NULL));
		ERR_clear_error();
	}
	fd_release(&http->fd);
}

void probe_http_finish(struct probe_http *http) {
	probe_http_hang_up(http);
	SSL_CTX_free(TAKE(http->context, NULL));
	free(TAKE(http->body, NULL));
}

/* Waits for what TLS wants next; the error when it wants nothing. */
static int tls_wait(struct probe_http *http, int result, uint64_t deadline_ns) {
	int error = SSL_get_error(http->tls, result);
	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_WANT_READ:
		return net_wait(http->fd, POLLIN, deadline_ns);
	case SSL_ERROR_WANT_WRITE:
		return net_wait(http->fd, POLLOUT, deadline_ns);
	case SSL_ERROR_ZERO_RETURN:
		return -EPIPE;
	case SSL_ERROR_SYSCALL:
		return errno ? -errno : -EPIPE;
	default:
		return -EPROTO;
	}
}

static int check_host(struct probe_http *http) {
	const unsigned char *protocol;
	unsigned len;
	SSL_get0_alpn_selected(http->tls, &protocol, &len);
	if (len == 2) {
		return -EPROTO;
	}
	if (http->identity->host_len == 0) {
		return 0;
	}
	X509 *certificate = SSL_get0_peer_certificate(http->tls);
	unsigned char *der = NULL;
	int der_len = certificate ? i2d_X509(certificate, &der) : -1;
	bool same = der_len == (int)http->identity->host_len &&
		    memcmp(der, http->identity->host, http->identity->host_len) == 0;
	OPENSSL_free(der);
	return same ? 0 : -EACCES;
}

static int handshake(struct probe_http *http, uint64_t deadline_ns) {
	http->tls = SSL_new(http->context);
	if (!http->tls || !SSL_set_fd(http->tls, http->fd)) {
		return -ENOMEM;
	}
	int result;
	while ((result = SSL_connect(http->tls)) != 1) {
		int rc = tls_wait(http, result, deadline_ns);
		if (rc < 0) {
			return rc;
		}
	}
	return check_host(http);
}

static int connect_host(struct probe_http *http, uint64_t deadline_ns) {
	uint64_t connect_ns = net_deadline_ns(NET_LIMIT_MS);
	connect_ns = connect_ns < deadline_ns ? connect_ns : deadline_ns;
	int rc = net_connect_tcp(&http->address, connect_ns, &http->fd);
	if (rc == 0 && http->secure) {
		rc = handshake(http, connect_ns);
	}
	if (rc < 0) {
		probe_http_hang_up(http);
		return rc;
	}
	http->connections++;
	return 0;
}

static int send_all(struct probe_http *http, const char *data, size_t len, uint64_t deadline_ns) {
	if (!http->tls) {
		return net_write(http->fd, data, len, deadline_ns);
	}
	int result;
	while ((result = SSL_write(http->tls, data, (int)len)) <= 0) {
		int rc = tls_wait(http, result, deadline_ns);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* 0 at the end. */
static int receive_some(struct probe_http *http, char *buf, size_t size, uint64_t deadline_ns) {
	if (!http->tls) {
		return net_read(http->fd, buf, size, deadline_ns);
	}
	int result;
	while ((result = SSL_read(http->tls, buf, (int)size)) <= 0) {
		int rc = tls_wait(http, result, deadline_ns);
		if (rc < 0) {
			return rc == -EPIPE ? 0 : rc;
		}
	}
	return result;
}

/* What has come so far. */
struct incoming {
	char *data; /* owned */
	size_t len, capacity;
	int head_len; /* 0 until the head is whole */
	struct http_response response;
};

static int make_room(struct incoming *in) {
	if (in->capacity - in->len > READ_SIZE) {
		return 0;
	}
	size_t capacity = in->capacity ? in->capacity * 2 : (size_t)4 * READ_SIZE;
	char *more = in->len < PROBE_BODY_MAX ? realloc(in->data, capacity) : NULL;
	if (!more) {
		return -ENOSPC;
	}
	in->data = more;
	in->capacity = capacity;
	return 0;
}

/* 1 when all is there, 0 when more must come. */
static int take_some(struct incoming *in, size_t got) {
	size_t seen = in->len;
	in->len += got;
	if (in->head_len == 0) {
		int rc = http_response_parse(in->data, in->len, seen, &in->response);
		if (rc < 0) {
			return rc == -EAGAIN && got > 0 ? 0 : rc == -EAGAIN ? -EPIPE : -EBADMSG;
		}
		in->head_len = rc;
	}
	size_t body = in->len - (size_t)in->head_len;
	if (in->response.has_length) {
		return body >= in->response.content_length ? 1 : got > 0 ? 0 : -EPIPE;
	}
	return got == 0;
}

static int receive_answer(struct probe_http *http, struct incoming *in, uint64_t deadline_ns) {
	int rc;
	do {
		rc = make_room(in);
		if (rc < 0) {
			return rc;
		}
		int got = receive_some(http, in->data + in->len, READ_SIZE, deadline_ns);
		if (got < 0) {
			return got;
		}
		rc = take_some(in, (size_t)got);
	} while (rc == 0);
	return rc < 0 ? rc : 0;
}

static bool stays_open(const struct incoming *in) {
	struct span connection;
	return in->response.has_length &&
	       !(head_find(&in->response.head, "Connection", &connection) == 0 &&
			       span_is_nocase(connection, "close"));
}

static int request_write(
		const struct probe_http *http, const char *target, char *buf, size_t size) {
	char ip[ADDRESS_TEXT_MAX];
	address_ip_text(&http->address, ip);
	bool v6 = !address_is_v4(&http->address);
	struct writer w = writer_over(buf, size);
	text_putf(&w, "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nAccept: */*\r\n\r\n", target,
			v6 ? "[" : "", ip, v6 ? "]" : "", http->address.port);
	return w.failed || !head_value_is_safe(target) ? -ENOSPC : (int)(size - w.left);
}

static int exchange(struct probe_http *http, const char *request, size_t len, struct incoming *in,
		uint64_t deadline_ns) {
	int rc = http->fd < 0 ? connect_host(http, deadline_ns) : 0;
	rc = rc < 0 ? rc : send_all(http, request, len, deadline_ns);
	return rc < 0 ? rc : receive_answer(http, in, deadline_ns);
}

int probe_http_get(struct probe_http *http, const char *target, uint32_t limit_ms,
		struct probe_answer *out) {
	uint64_t deadline_ns = net_deadline_ns(limit_ms);
	char request[REQUEST_MAX];
	int len = request_write(http, target, request, sizeof(request));
	if (len < 0) {
		return len;
	}
	char kind = http->secure ? 's' : 'h';
	probe_transcript_add(http->transcript, kind, 'C', request, (size_t)len);
	struct incoming in = { 0 };
	bool reused = http->fd >= 0;
	int rc = exchange(http, request, (size_t)len, &in, deadline_ns);
	if (rc < 0 && reused && in.len == 0 && rc != -ETIMEDOUT) {
		/* A kept connection may have been closed meanwhile: clients try once more. */
		probe_http_hang_up(http);
		rc = exchange(http, request, (size_t)len, &in, deadline_ns);
	}
	probe_transcript_add(http->transcript, kind, 'H', in.data, in.len);
	if (rc < 0 || !stays_open(&in)) {
		probe_http_hang_up(http);
	}
	if (rc < 0) {
		free(in.data);
		return rc;
	}
	free(http->body);
	http->body = in.data;
	size_t body = in.len - (size_t)in.head_len;
	if (in.response.has_length) {
		body = in.response.content_length;
	}
	in.data[(size_t)in.head_len + body] = '\0';
	*out = (struct probe_answer){
		.status = in.response.status, .body = in.data + in.head_len, .len = body
	};
	return 0;
}
