/* SPDX-License-Identifier: MIT */
/* What other clients send, at the Moonlight door as a real process: the heads and orders
 * of moonlight-embedded (libcurl), moonlight-qt, moonlight-android (OkHttp) and
 * moonlight-web-stream (hyper), as recorded or as their public sources state them. */
#include "../unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/text.h"
#include "proto/xml.h"
#include "rig.h"

enum shape {
	EMBEDDED,
	QT,
	ANDROID,
	WEB,
	SHAPES,
};

#define UNIQUEID "uniqueid=0123456789ABCDEF"
#define UUID "uuid=fad15483-9489-4074-a6d8-2d15edb4ad23"
#define KEY_LOWER "000102030405060708090a0b0c0d0e0f"
#define KEY_UPPER "000102030405060708090A0B0C0D0E0F"
#define HDR \
	"hdrMode=1&clientHdrCapVersion=0&clientHdrCapSupportedFlagsInUint32=0" \
	"&clientHdrCapMetaDataId=NV_STATIC_METADATA_TYPE_1" \
	"&clientHdrCapDisplayData=0x0x0x0x0x0x0x0x0x0x0"
#define SOUND "localAudioPlayMode=0&surroundAudioInfo=196610"

/* The request target of an ordinary question is the same everywhere. */
static const struct {
	const char *fields; /* with the port in them */
	const char *common; /* of every query */
	const char *launch;
	int32_t key_id;
	bool hdr;
	const char *pair; /* phase 1; salt and certificate go in */
	bool upper;       /* its hex digits */
} shapes[SHAPES] = {
	[EMBEDDED] = {
		.fields = "Host: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n",
		.common = UNIQUEID "&" UUID,
		.launch = UNIQUEID "&" UUID
			"&appid=7&mode=1280x720x60&additionalStates=1&sops=0&rikey=" KEY_LOWER
			"&rikeyid=-419612359&" SOUND "&remoteControllersBitmap=1&gcmap=1&" HDR
			"&corever=1",
		.key_id = -419612359,
		.hdr = true,
		.pair = UNIQUEID "&" UUID "&devicename=roth&updateState=1"
			"&phrase=getservercert&salt=%s&clientcert=%s",
	},
	[QT] = {
		.fields = "Host: 127.0.0.1:%u\r\nConnection: Keep-Alive\r\n"
			  "Accept-Encoding: zstd, br, gzip, deflate\r\nAccept-Language: en,*\r\n"
			  "User-Agent: Mozilla/5.0\r\n\r\n",
		.common = "uniqueid=2e7e8c59a8389e32&uuid=c5ffe4127454468c9b22fb00284a7422",
		.launch = "uniqueid=2e7e8c59a8389e32&uuid=c5ffe4127454468c9b22fb00284a7422"
			"&appid=7&mode=1280x720x60&additionalStates=1&sops=1&rikey=" KEY_LOWER
			"&rikeyid=-878920192&" SOUND
			"&remoteControllersBitmap=0&gcmap=0&gcpersist=0&corever=1",
		.key_id = -878920192,
		.pair = "uniqueid=e&uuid=c5ffe4127454468c9b22fb00284a7422&devicename=roth"
			"&updateState=1&phrase=getservercert&salt=%s&clientcert=%s",
	},
	[ANDROID] = {
		.fields = "Host: 127.0.0.1:%u\r\nConnection: Keep-Alive\r\n"
			  "Accept-Encoding: gzip\r\nUser-Agent: okhttp/4.12.0\r\n\r\n",
		.common = UNIQUEID "&" UUID,
		.launch = "appid=7&mode=1280x720x60&additionalStates=1&sops=1&rikey=" KEY_UPPER
			"&rikeyid=5&" HDR "&" SOUND
			"&remoteControllersBitmap=0&gcmap=0&gcpersist=0&corever=1&" UNIQUEID "&" UUID,
		.key_id = 5,
		.hdr = true,
		.pair = "devicename=roth&updateState=1&phrase=getservercert&salt=%s&clientcert=%s&"
			UNIQUEID "&" UUID,
		.upper = true,
	},
	[WEB] = {
		.fields = "host: 127.0.0.1:%u\r\n\r\n",
		.common = "uniqueid=admin&" UUID,
		.launch = "uniqueid=admin&" UUID
			"&corever=1&appid=7&mode=1280x720x60&additionalStates=1&sops=1&rikey=" KEY_UPPER
			"&rikeyid=4294967295&" SOUND
			"&remoteControllersBitmap=0&gcmap=0&gcpersist=0",
		.key_id = -1,
		.pair = "uniqueid=admin&" UUID "&devicename=roth&updateState=1"
			"&phrase=getservercert&salt=%s&clientcert=%s",
		.upper = true,
	},
};

enum {
	REQUEST_MAX = 8192,
};

static void write_request(enum shape shape, uint16_t port, const char *path, const char *query,
		char out[REQUEST_MAX]) {
	size_t len = 0;
	assert_true(text_format(out, REQUEST_MAX, "GET %s?%s HTTP/1.1\r\n", path, query));
	len = strlen(out);
	/* The one %u in it. */
	const char *fields = shapes[shape].fields;
	const char *mark = strstr(fields, "%u");
	assert_true(text_format(out + len, REQUEST_MAX - len, "%.*s%u%s", (int)(mark - fields),
			fields, port, mark + 2));
}

static void write_plainly(int fd, const void *bytes, size_t len) {
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void read_ok(struct world *world, int fd, SSL *ssl) {
	assert_true(rig_read_answer(fd, ssl, world->text, sizeof(world->text)) > 0);
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "status_code=\"200\"");
	assert_null(strstr(world->text, "Content-Encoding"));
	assert_null(strstr(world->text, "Transfer-Encoding"));
	assert_has(world->text, "Content-Length: ");
}

/* Pieces are to go out as they are written. */
static int undelayed(int fd) {
	int on = 1;
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	return fd;
}

static int connect_undelayed(uint16_t port) {
	return undelayed(rig_connect(port));
}

/* ---- heads ---- */

static void every_clients_head_is_answered_uncompressed(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	for (enum shape shape = 0; shape < SHAPES; shape++) {
		char request[REQUEST_MAX];
		int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
		write_request(shape, world->rig.ports[DOOR_HTTP], "/serverinfo",
				shapes[shape].common, request);
		rig_write(fd, NULL, request);
		read_ok(world, fd, NULL);
		assert_has(world->text, "<PairStatus>0</PairStatus>");
		close(fd);
		struct tls_client client;
		tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
		rig_write(client.fd, client.ssl, request);
		read_ok(world, client.fd, client.ssl);
		assert_has(world->text, "<PairStatus>1</PairStatus>");
		tls_client_close(&client);
	}
	world_end(world);
}

/* Over TLS each half is a record of its own, so a read of its own. */
static void a_head_may_be_split_at_every_byte(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	for (enum shape shape = 0; shape < SHAPES; shape++) {
		char request[REQUEST_MAX];
		struct tls_client client;
		write_request(shape, world->rig.ports[DOOR_HTTPS], "/serverinfo",
				shapes[shape].common, request);
		size_t len = strlen(request);
		int fd = connect_undelayed(world->rig.ports[DOOR_HTTP]);
		tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
		undelayed(client.fd);
		for (size_t at = 1; at < len; at++) {
			assert_int_equal(SSL_write(client.ssl, request, (int)at), at);
			assert_int_equal(SSL_write(client.ssl, request + at, (int)(len - at)),
					len - at);
			read_ok(world, client.fd, client.ssl);
			write_plainly(fd, request, at);
			write_plainly(fd, request + at, len - at);
			read_ok(world, fd, NULL);
		}
		tls_client_close(&client);
		close(fd);
	}
	world_end(world);
}

static void grant(struct world *world, const struct ipc_message *asked) {
	struct ipc_message message = { .kind = IPC_LAUNCHED,
		.launched = { .request = asked->launch.request,
				.session = 42,
				.video_ping = { "0123456789ABCDEF" },
				.audio_ping = { "FEDCBA9876543210" },
				.connect_data = 0xdeadbeef,
				.enet_peer = 17 } };
	rig_send(&world->rig, &message);
}

static void expect_launch(
		struct world *world, enum shape shape, bool resume, struct ipc_message *out) {
	uint8_t key[16];
	assert_int_equal(hex_decode(KEY_LOWER, 32, key), 0);
	rig_expect(&world->rig, IPC_LAUNCH, out);
	assert_int_equal(out->launch.app, 7);
	assert_int_equal(out->launch.width, 1280);
	assert_int_equal(out->launch.height, 720);
	assert_int_equal(out->launch.rate_x100, 6000);
	assert_memory_equal(out->launch.key.bytes, key, sizeof(key));
	assert_int_equal(out->launch.key_id, shapes[shape].key_id);
	assert_int_equal(out->launch.surround, 3 << 16 | 2);
	assert_int_equal((out->launch.flags & LAUNCH_HDR) != 0, shapes[shape].hdr);
	assert_int_equal((out->launch.flags & LAUNCH_OPTIMIZE) != 0, shape != EMBEDDED);
	assert_int_equal((out->launch.flags & LAUNCH_RESUME) != 0, resume);
	assert_true(out->launch.flags & LAUNCH_SEALED_RTSP);
}

static void every_clients_order_means_the_same_launch(void **state) {
	for (enum shape shape = 0; shape < SHAPES; shape++) {
		struct world *world = world_begin(state, PEER_GATE, 1);
		for (int resume = 0; resume <= 1; resume++) {
			char request[REQUEST_MAX];
			struct tls_client client;
			struct ipc_message asked;
			write_request(shape, world->rig.ports[DOOR_HTTPS],
					resume ? "/resume" : "/launch", shapes[shape].launch,
					request);
			tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
			undelayed(client.fd);
			/* A byte a record. */
			for (const char *at = request; *at; at++) {
				assert_int_equal(SSL_write(client.ssl, at, 1), 1);
			}
			expect_launch(world, shape, resume, &asked);
			grant(world, &asked);
			read_ok(world, client.fd, client.ssl);
			assert_has(world->text, "<sessionUrl0>rtspenc://127.0.0.1:");
			assert_has(world->text, resume ? "<resume>1</resume>"
						       : "<gamesession>1</gamesession>");
			tls_client_close(&client);
		}
		world_end(world);
	}
}

/* Some 2.2 kB of request line: more than one segment on a real network. */
static void every_client_begins_to_pair(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	for (enum shape shape = 0; shape < SHAPES; shape++) {
		char pem[2 * PAIRING_PEM_MAX + 1], query[REQUEST_MAX], request[REQUEST_MAX];
		const char *certificate = world->stranger.certificate;
		hex_encode(certificate, strlen(certificate), pem);
		for (char *at = pem; *at && !shapes[shape].upper; at++) {
			*at = (char)(*at >= 'A' ? *at + 'a' - 'A' : *at);
		}
		const char *salt = shapes[shape].upper ? KEY_UPPER : KEY_LOWER;
		const char *form = shapes[shape].pair, *first = strstr(form, "%s");
		const char *second = strstr(first + 2, "%s");
		text_format(query, sizeof(query), "%.*s%s%.*s%s%s", (int)(first - form), form, salt,
				(int)(second - first - 2), first + 2, pem, second + 2);
		write_request(shape, world->rig.ports[DOOR_HTTP], "/pair", query, request);
		assert_true(strlen(request) > 1460);
		int fd = connect_undelayed(world->rig.ports[DOOR_HTTP]);
		write_plainly(fd, request, 1460);
		write_plainly(fd, request + 1460, strlen(request) - 1460);
		struct ipc_message waiting;
		rig_expect(&world->rig, IPC_PAIR_WAITING, &waiting);
		assert_memory_equal(waiting.pair_waiting.client, world->stranger.fingerprint, 32);
		close(fd);
		rig_expect(&world->rig, IPC_PAIR_GONE, &waiting);
	}
	world_end(world);
}

/* ---- connections ---- */

/* moonlight-embedded keeps one connection of each kind for as long as it runs. */
static void one_connection_serves_a_whole_start(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	char request[REQUEST_MAX];
	uint16_t http = world->rig.ports[DOOR_HTTP], https = world->rig.ports[DOOR_HTTPS];
	int fd = rig_connect(http);
	for (int i = 0; i < 3; i++) {
		write_request(EMBEDDED, http, i == 1 ? "/unpair" : "/serverinfo",
				shapes[EMBEDDED].common, request);
		rig_write(fd, NULL, request);
		read_ok(world, fd, NULL);
	}
	struct tls_client client;
	struct ipc_message asked;
	tls_client_open(&client, https, &world->client);
	write_request(EMBEDDED, https, "/serverinfo", shapes[EMBEDDED].common, request);
	rig_write(client.fd, client.ssl, request);
	read_ok(world, client.fd, client.ssl);
	write_request(EMBEDDED, https, "/applist", shapes[EMBEDDED].common, request);
	rig_write(client.fd, client.ssl, request);
	read_ok(world, client.fd, client.ssl);
	write_request(EMBEDDED, https, "/launch", shapes[EMBEDDED].launch, request);
	rig_write(client.fd, client.ssl, request);
	expect_launch(world, EMBEDDED, false, &asked);
	grant(world, &asked);
	read_ok(world, client.fd, client.ssl);
	/* And the plain one is still there. */
	write_request(EMBEDDED, http, "/serverinfo", shapes[EMBEDDED].common, request);
	rig_write(fd, NULL, request);
	read_ok(world, fd, NULL);
	tls_client_close(&client);
	close(fd);
	world_end(world);
}

static void connection_close_is_answered_and_done(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	char rest[16];
	static const char request[] = "GET /serverinfo HTTP/1.1\r\nHost: a\r\n"
				      "Connection: close\r\n\r\n";
	int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
	rig_write(fd, NULL, request);
	read_ok(world, fd, NULL);
	assert_has(world->text, "Connection: close\r\n");
	assert_int_equal(recv(fd, rest, sizeof(rest), 0), 0);
	close(fd);
	struct tls_client client;
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
	rig_write(client.fd, client.ssl, request);
	read_ok(world, client.fd, client.ssl);
	assert_has(world->text, "Connection: close\r\n");
	assert_true(SSL_read(client.ssl, rest, sizeof(rest)) <= 0);
	tls_client_close(&client);
	world_end(world);
}

/* moonlight-qt asks again within 20 ms when a connection ended without an answer. */
static void the_same_launch_four_times_gets_the_same_answer(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	enum { TIMES = 4 };
	struct tls_client clients[TIMES];
	struct ipc_message asked[TIMES];
	char request[REQUEST_MAX], first[2048];
	write_request(QT, world->rig.ports[DOOR_HTTPS], "/launch", shapes[QT].launch, request);
	for (int i = 0; i < TIMES; i++) {
		tls_client_open(&clients[i], world->rig.ports[DOOR_HTTPS], &world->client);
	}
	for (int i = 0; i < TIMES; i++) {
		rig_write(clients[i].fd, clients[i].ssl, request);
	}
	for (int i = 0; i < TIMES; i++) {
		expect_launch(world, QT, false, &asked[i]);
		/* By these the supervisor knows it for the same. */
		assert_memory_equal(asked[i].launch.key_hash, asked[0].launch.key_hash, 32);
		assert_memory_equal(asked[i].launch.client, asked[0].launch.client, 32);
	}
	/* The gate may have read them in any order: which launch is whose is not known here. */
	for (int i = 0; i < TIMES; i++) {
		grant(world, &asked[i]);
	}
	for (int i = 0; i < TIMES; i++) {
		read_ok(world, clients[i].fd, clients[i].ssl);
		const char *body = strstr(world->text, "\r\n\r\n");
		assert_non_null(body);
		assert_true(i > 0 || text_copy(first, sizeof(first), body));
		assert_string_equal(body, first);
		tls_client_close(&clients[i]);
	}
	world_end(world);
}

/* ---- certificates ---- */

/* OpenSSL's trust stores look certificates up by exactly these two, and find the wrong one. */
static void clients_of_one_name_and_serial_are_told_apart(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	const struct rig_identity *both[] = { &world->client, &world->stranger };
	X509 *certificates[2];
	for (int i = 0; i < 2; i++) {
		BIO *bio = BIO_new_mem_buf(both[i]->certificate, -1);
		certificates[i] = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
	}
	assert_int_equal(X509_issuer_and_serial_cmp(certificates[0], certificates[1]), 0);
	world_get_tls(world, &world->stranger, "/applist");
	assert_has(world->text, "status_code=\"401\"");
	rig_send_client(&world->rig, &world->stranger, "Ben's phone");
	for (int i = 0; i < 6; i++) {
		struct tls_client client;
		struct ipc_message asked;
		char request[REQUEST_MAX];
		write_request(EMBEDDED, world->rig.ports[DOOR_HTTPS], "/launch",
				shapes[EMBEDDED].launch, request);
		tls_client_open(&client, world->rig.ports[DOOR_HTTPS], both[i % 2]);
		rig_write(client.fd, client.ssl, request);
		expect_launch(world, EMBEDDED, false, &asked);
		assert_memory_equal(asked.launch.client, both[i % 2]->fingerprint, 32);
		assert_string_equal(
				asked.launch.client_name, i % 2 ? "Ben's phone" : "Anna's tablet");
		grant(world, &asked);
		read_ok(world, client.fd, client.ssl);
		tls_client_close(&client);
	}
	X509_free(certificates[0]);
	X509_free(certificates[1]);
	world_end(world);
}

/* ---- answers ---- */

static const char *field(struct world *world, const char *name, char out[128]) {
	struct span found, body = { strstr(world->text, "\r\n\r\n") + 4, 0 };
	body.len = strlen(body.at);
	assert_int_equal(xml_find(body, name, &found), 0);
	assert_true(found.len > 0 && found.len < 128);
	memcpy(out, found.at, found.len);
	out[found.len] = '\0';
	return out;
}

/* moonlight-web-stream refuses a host that leaves any of these out or empty. */
static void no_field_of_serverinfo_is_empty(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	static const char *const names[] = { "hostname", "appversion", "GfeVersion", "uniqueid",
		"HttpsPort", "ExternalPort", "MaxLumaPixelsHEVC", "LocalIP",
		"ServerCodecModeSupport", "PairStatus", "currentgame", "state" };
	for (int tls = 0; tls <= 1; tls++) {
		char text[128];
		unsigned a, b, c;
		int d;
		if (tls) {
			world_get_tls(world, &world->client, "/serverinfo?" UNIQUEID);
		} else {
			world_get(world, "/serverinfo?" UNIQUEID);
		}
		assert_has(world->text, "status_code=\"200\"");
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			field(world, names[i], text);
		}
		assert_int_equal(sscanf(field(world, "appversion", text), "%u.%u.%u.%d", &a, &b, &c,
						 &d),
				4);
		assert_true(d < 0); /* or clients take it for another kind of host */
		assert_int_equal(strlen(field(world, "uniqueid", text)), 36);
		assert_int_equal(sscanf(field(world, "LocalIP", text), "%u.%u.%u.%d", &a, &b, &c,
						 &d),
				4);
		assert_true(strstr(field(world, "state", text), "_FREE"));
	}
	world_end(world);
}

/* moonlight-android stumbles over any text between the root and the first app. */
static void nothing_stands_before_the_first_app(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	char title[128];
	world_get_tls(world, &world->client, "/applist?" UNIQUEID);
	const char *root = strstr(world->text, "<root");
	assert_non_null(root);
	const char *end = strchr(root, '>');
	assert_memory_equal(end, "><App>", 6);
	assert_true(strlen(field(world, "AppTitle", title)) > 0);
	assert_has(world->text, "</root>");
	assert_null(strstr(world->text, "<Permission>"));
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_clients_head_is_answered_uncompressed),
		UNIT(a_head_may_be_split_at_every_byte),
		UNIT(every_clients_order_means_the_same_launch),
		UNIT(every_client_begins_to_pair),
		UNIT(one_connection_serves_a_whole_start),
		UNIT(connection_close_is_answered_and_done),
		UNIT(the_same_launch_four_times_gets_the_same_answer),
		UNIT(clients_of_one_name_and_serial_are_told_apart),
		UNIT(no_field_of_serverinfo_is_empty),
		UNIT(nothing_stands_before_the_first_app),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
