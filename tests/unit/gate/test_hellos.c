/* SPDX-License-Identifier: MIT */
/* How clients begin TLS, at the Moonlight door as a real process. */
#include "../unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "rig.h"

struct hello {
	const char *alpn; /* with its length bytes, NULL for no extension */
	int min, max;     /* versions, 0 for any */
	size_t split;     /* 0: whole */
};

enum {
	HELLO_MAX = 16 * 1024,
};

static void write_hello(struct tls_client *client, size_t split) {
	static uint8_t hello[HELLO_MAX];
	SSL_set0_wbio(client->ssl, BIO_new(BIO_s_mem()));
	SSL_set0_rbio(client->ssl, BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(client->ssl), -1);
	assert_int_equal(SSL_connect(client->ssl), -1);
	int len = BIO_read(SSL_get_wbio(client->ssl), hello, sizeof(hello));
	assert_true(len > 0);
	split = split < (size_t)len ? split : (size_t)len - 1;
	assert_int_equal(send(client->fd, hello, split, 0), (ssize_t)split);
	assert_int_equal(send(client->fd, hello + split, (size_t)len - split, 0),
			len - (ssize_t)split);
	assert_int_equal(SSL_set_fd(client->ssl, client->fd), 1);
}

/* Answers what SSL_connect() does. */
static int say_hello(struct world *world, const struct hello *hello, struct tls_client *client) {
	client->context = SSL_CTX_new(TLS_client_method());
	assert_non_null(client->context);
	SSL_CTX_set_security_level(client->context, 0); /* or OpenSSL says no TLS 1.1 itself */
	rig_use_identity(client->context, &world->client);
	SSL_CTX_set_min_proto_version(client->context, hello->min);
	SSL_CTX_set_max_proto_version(client->context, hello->max);
	int on = 1;
	client->fd = rig_connect(world->rig.ports[DOOR_HTTPS]);
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	client->ssl = SSL_new(client->context);
	assert_non_null(client->ssl);
	SSL_set_fd(client->ssl, client->fd);
	if (hello->alpn) {
		assert_int_equal(SSL_set_alpn_protos(client->ssl, (const uint8_t *)hello->alpn,
						 (unsigned)strlen(hello->alpn)),
				0);
	}
	if (hello->split) {
		write_hello(client, hello->split);
	}
	ERR_clear_error();
	return SSL_connect(client->ssl);
}

static void check_answered(struct world *world, const struct hello *hello, bool chosen) {
	struct tls_client client;
	const unsigned char *protocol;
	unsigned len;
	assert_int_equal(say_hello(world, hello, &client), 1);
	SSL_get0_alpn_selected(client.ssl, &protocol, &len);
	assert_int_equal(len, chosen ? 8 : 0);
	assert_true(!chosen || memcmp(protocol, "http/1.1", 8) == 0);
	rig_write(client.fd, client.ssl, "GET /serverinfo HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	assert_has(world->text, "<PairStatus>1</PairStatus>");
	tls_client_close(&client);
}

static void check_refused(struct world *world, const struct hello *hello, int alert) {
	struct tls_client client;
	assert_true(say_hello(world, hello, &client) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), alert);
	tls_client_close(&client);
}

static void hellos_of_all_clients_are_answered(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	check_answered(world, &(struct hello){ .alpn = "\x02h2\x08http/1.1" }, true);
	check_answered(world, &(struct hello){ .alpn = "\x08http/1.1" }, true);
	check_answered(world, &(struct hello){ 0 }, false);
	check_answered(world, &(struct hello){ .min = TLS1_3_VERSION }, false);
	check_answered(world, &(struct hello){ .max = TLS1_2_VERSION }, false);
	check_answered(world,
			&(struct hello){ .max = TLS1_2_VERSION, .alpn = "\x02h2\x08http/1.1" },
			true);
	world_end(world);
}

static void hellos_that_cannot_be_served_get_an_alert(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	check_refused(world, &(struct hello){ .alpn = "\x02h2" },
			SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
	check_refused(world, &(struct hello){ .alpn = "\x02h2", .max = TLS1_2_VERSION },
			SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
	check_refused(world, &(struct hello){ .max = TLS1_1_VERSION },
			SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	check_answered(world, &(struct hello){ 0 }, false);
	world_end(world);
}

/* A hello with a post-quantum key share does not fit one segment; this one is made long by
 * the protocols it offers. */
static void a_hello_may_be_split_anywhere(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	static const size_t splits[] = { 1, 2, 4, 5, 6, 9, 43, 44, 76, 200, 511, 516 };
	for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
		check_answered(world, &(struct hello){ .split = splits[i] }, false);
	}
	char alpn[2048] = "";
	while (strlen(alpn) < 1800) {
		strcat(alpn, "\x0bperigee/x.y");
	}
	strcat(alpn, "\x08http/1.1");
	check_answered(world, &(struct hello){ .alpn = alpn, .split = 1460 }, true);
	check_answered(world, &(struct hello){ .alpn = alpn, .split = 5 }, true);
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(hellos_of_all_clients_are_answered),
		UNIT(hellos_that_cannot_be_served_get_an_alert),
		UNIT(a_hello_may_be_split_anywhere),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
