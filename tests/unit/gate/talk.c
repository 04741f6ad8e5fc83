/* SPDX-License-Identifier: MIT */
#include "talk.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hex.h"

void talk_ask_tls(struct world *world, struct tls_client *client, const char *target) {
	char request[2048];
	tls_client_open(client, world->rig.ports[DOOR_HTTPS], &world->client);
	text_format(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", target);
	rig_write(client->fd, client->ssl, request);
}

void talk_read_tls(struct world *world, struct tls_client *client) {
	rig_read_answer(client->fd, client->ssl, world->text, sizeof(world->text));
	tls_client_close(client);
}

struct ipc_message talk_granted(const struct ipc_message *launch) {
	struct ipc_message message = { .kind = IPC_LAUNCHED,
		.launched = { .request = launch->launch.request,
				.session = 42,
				.video_ping = { "0123456789ABCDEF" },
				.audio_ping = { "FEDCBA9876543210" },
				.connect_data = 0xdeadbeef,
				.enet_peer = 17 } };
	return message;
}

void talk_launch(struct world *world, const char *extra) {
	struct tls_client client;
	struct ipc_message asked;
	char target[600];
	text_format(target, sizeof(target), "/launch?" TALK_LAUNCH "%s", extra);
	talk_ask_tls(world, &client, target);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	assert_int_equal(asked.launch.app, 7);
	assert_int_equal(asked.launch.width, 1280);
	assert_int_equal(asked.launch.rate_x100, 6000);
	assert_int_equal(asked.launch.key_id, -5);
	assert_int_equal(asked.launch.key.bytes[15], 0x0f);
	assert_memory_equal(asked.launch.client, world->client.fingerprint, 32);
	assert_string_equal(asked.launch.client_name, "Anna's tablet");
	assert_int_equal(strlen(asked.launch.trace), 16);
	struct ipc_message answer = talk_granted(&asked);
	rig_send(&world->rig, &answer);
	talk_read_tls(world, &client);
}

int talk_send(struct talk *talk, enum rtsp_method method, const char *target, struct span body) {
	struct rtsp_question question = { .method = method,
		.target = target,
		.cseq = ++talk->cseq,
		.host = "127.0.0.1",
		.body = body,
		.session = talk->session[0] ? talk->session : NULL };
	char request[8192];
	uint8_t sealed[8192 + RTSP_SEAL_HEADER];
	int len = rtsp_request_write(&question, request, sizeof(request));
	assert_true(len > 0);
	int fd = rig_connect_from(talk->world->rig.ports[DOOR_RTSP],
			talk->source ? talk->source : "127.0.0.1");
	const void *from = request;
	if (talk->seal) {
		len = rtsp_seal_close(talk->seal, request, (size_t)len, sealed);
		from = sealed;
	}
	/* Clients send in pieces. */
	for (int at = 0; at < len; at += 500) {
		int piece = len - at < 500 ? len - at : 500;
		assert_int_equal(send(fd, (const char *)from + at, (size_t)piece, 0), piece);
	}
	return fd;
}

int talk_read(struct talk *talk, int fd) {
	uint8_t raw[8192];
	size_t len = 0;
	ssize_t n;
	while ((n = recv(fd, raw + len, sizeof(raw) - len, 0)) > 0) {
		len += (size_t)n;
	}
	close(fd);
	assert_int_equal(n, 0); /* until the host's end, as the client reads */
	if (len == 0) {
		return -EPIPE;
	}
	if (talk->seal) {
		int plain = rtsp_seal_open(talk->seal, raw, len, talk->text);
		assert_true(plain > 0);
		len = (size_t)plain;
	} else {
		memcpy(talk->text, raw, len);
	}
	assert_int_equal(rtsp_response_parse(talk->text, len, &talk->response), 0);
	assert_int_equal(talk->response.cseq, talk->cseq);
	return talk->response.status;
}

int talk_ask(struct talk *talk, enum rtsp_method method, const char *target) {
	return talk_read(talk, talk_send(talk, method, target, (struct span){ NULL, 0 }));
}

void talk_set_up(struct talk *talk) {
	const struct rig *rig = &talk->world->rig;
	assert_int_equal(talk_ask(talk, RTSP_OPTIONS, "rtsp://127.0.0.1"), 200);
	assert_int_equal(talk_ask(talk, RTSP_DESCRIBE, "rtsp://127.0.0.1"), 200);
	struct rtsp_describe described;
	assert_int_equal(rtsp_describe_parse(talk->response.body, &described), 0);
	assert_true(described.hevc);
	assert_false(described.av1);
	assert_true(described.rfi);
	assert_int_equal(described.features, 0);
	assert_int_equal(described.encryption_supported, 7);
	assert_int_equal(described.encryption_requested, 1);
	assert_int_equal(talk_ask(talk, RTSP_SETUP, "streamid=audio/0/0"), 200);
	assert_int_equal(talk->response.server_port, rig->ports[DOOR_AUDIO]);
	assert_true(span_is(talk->response.ping_payload, "FEDCBA9876543210"));
	assert_true(talk->response.session.len > 0);
	memcpy(talk->session, talk->response.session.at, talk->response.session.len);
	assert_int_equal(talk_ask(talk, RTSP_SETUP, "streamid=video/0/0"), 200);
	assert_int_equal(talk->response.server_port, rig->ports[DOOR_VIDEO]);
	assert_true(span_is(talk->response.ping_payload, "0123456789ABCDEF"));
	assert_int_equal(talk_ask(talk, RTSP_SETUP, "streamid=control/13/0"), 200);
	assert_int_equal(talk->response.server_port, rig->ports[DOOR_CONTROL]);
	assert_int_equal(talk->response.connect_data, 0xdeadbeef);
}

struct rtsp_seal talk_seal(void) {
	struct secret key;
	struct rtsp_seal seal;
	assert_int_equal(hex_decode(TALK_RIKEY, 32, key.bytes), 0);
	assert_int_equal(rtsp_seal_init(&seal, RTSP_SEAL_CLIENT, &key), 0);
	return seal;
}
