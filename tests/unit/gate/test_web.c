/* SPDX-License-Identifier: MIT */
/* The web door as a real process: pages, the API, and who may use it. */
#include "../unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/shm.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "rig.h"

#define KEY "X-Perigee-Key: 0123456789abcdef0123456789abcdef\r\n"
#define BAD_KEY "X-Perigee-Key: 0123456789abcdef0123456789abcdee\r\n"

/* Sends a request with these header lines; method and path as "GET /". */
static void send_web(struct world *world, struct tls_client *client, const char *what,
		const char *fields, const char *body) {
	char request[4096];
	tls_client_open(client, world->rig.ports[DOOR_WEB], NULL);
	text_format(request, sizeof(request),
			"%s HTTP/1.1\r\nHost: 127.0.0.1:47990\r\nConnection: close\r\n%s"
			"Content-Length: %zu\r\n\r\n%s",
			what, fields, strlen(body), body);
	rig_write(client->fd, client->ssl, request);
}

static void read_web(struct world *world, struct tls_client *client) {
	rig_read_answer(client->fd, client->ssl, world->text, sizeof(world->text));
	tls_client_close(client);
}

static void ask_web(struct world *world, const char *what, const char *fields, const char *body) {
	struct tls_client client;
	send_web(world, &client, what, fields, body);
	read_web(world, &client);
}

static void pages_are_embedded_and_confined(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	static const struct {
		const char *path, *type, *part;
	} pages[] = {
		{ "GET /", "text/html", "<title>Perigee" },
		{ "GET /pin", "text/html", "<title>Perigee" },
		{ "GET /pair.js", "text/javascript", "use strict" },
		{ "GET /pair.css", "text/css", "SPDX" },
		{ "GET /icon.svg", "image/svg+xml", "<svg" },
	};
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		ask_web(world, pages[i].path, "", "");
		assert_has(world->text, "HTTP/1.1 200 ");
		assert_has(world->text, pages[i].type);
		assert_has(world->text, pages[i].part);
		assert_has(world->text,
				"Content-Security-Policy: default-src 'none'; script-src 'self'");
		assert_has(world->text, "frame-ancestors 'none'");
		assert_has(world->text, "X-Content-Type-Options: nosniff");
	}
	ask_web(world, "GET /../web/index.html", "", "");
	assert_has(world->text, "HTTP/1.1 404 ");
	ask_web(world, "GET /index.html", "", "");
	assert_has(world->text, "HTTP/1.1 404 ");
	world_end(world);
}

static void the_api_wants_its_key_and_no_other_site(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	ask_web(world, "GET /api/v1/clients", "", "");
	assert_has(world->text, "HTTP/1.1 401 ");
	assert_has(world->text, "{\"success\":false,\"error\":\"");
	ask_web(world, "GET /api/v1/clients", KEY "Origin: https://evil.example\r\n", "");
	assert_has(world->text, "HTTP/1.1 403 ");
	ask_web(world, "GET /api/v1/clients", KEY "Sec-Fetch-Site: cross-site\r\n", "");
	assert_has(world->text, "HTTP/1.1 403 ");
	ask_web(world, "GET /api/v1/clients",
			KEY "Origin: https://127.0.0.1:47990\r\nSec-Fetch-Site: same-origin\r\n",
			"");
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "Anna's tablet");
	for (unsigned i = 0; i < 8; i++) {
		ask_web(world, "GET /api/v1/clients", BAD_KEY, "");
		assert_has(world->text, "HTTP/1.1 401 ");
	}
	ask_web(world, "GET /api/v1/clients", BAD_KEY, "");
	assert_has(world->text, "HTTP/1.1 429 ");
	world_end(world);
}

static void wait_for_pairing(struct world *world, uint32_t number) {
	struct ipc_message waiting = { .kind = IPC_PAIR_WAITING,
		.pair_waiting = { .pairing = number, .name = "Moonlight \"x\"" } };
	assert_int_equal(address_parse_ip("192.0.2.7", &waiting.pair_waiting.address), 0);
	rig_send(&world->rig, &waiting);
}

static void a_pin_is_answered_with_how_the_pairing_ended(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	static const struct {
		uint32_t reason, outcome;
		const char *body, *detail, *answer;
	} cases[] = {
		{ 0, 0, "{\"pairing\":5,\"pin\":\"1234\",\"name\":\"TV\"}", "",
				"{\"success\":true}" },
		{ 0, EINVAL, "{\"pair_secret\":\"5\",\"pin\":\"1234\"}", "The PIN was wrong.",
				"{\"success\":false,\"error\":\"The PIN was wrong.\"}" },
		{ REASON_NOTHING_RUNS, 0, "{\"pin\":\"1234\"}", "Not waiting.",
				"{\"success\":false,\"error\":\"Not waiting.\"}" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_client client;
		struct ipc_message pin;
		wait_for_pairing(world, 5);
		ask_web(world, "GET /api/v1/pair/pending", KEY, "");
		assert_has(world->text, "\"pair_secret\":\"5\"");
		assert_has(world->text, "\"client_ip\":\"192.0.2.7\"");
		assert_has(world->text, "Moonlight \\\"x\\\"");
		send_web(world, &client, "POST /api/v1/pair/client", KEY, cases[i].body);
		rig_expect(&world->rig, IPC_PAIR_PIN, &pin);
		assert_int_equal(pin.pair_pin.pairing, 5);
		assert_string_equal(pin.pair_pin.pin, "1234");
		struct ipc_message answer = { .kind = IPC_PAIR_ANSWER,
			.pair_answer = { .request = pin.pair_pin.request,
					.reason = cases[i].reason } };
		text_copy(answer.pair_answer.detail, sizeof(answer.pair_answer.detail),
				cases[i].reason ? cases[i].detail : "");
		rig_send(&world->rig, &answer);
		struct ipc_message gone = { .kind = IPC_PAIR_GONE,
			.pair_gone = { .pairing = 5, .outcome = cases[i].outcome } };
		text_copy(gone.pair_gone.detail, sizeof(gone.pair_gone.detail), cases[i].detail);
		rig_send(&world->rig, &gone);
		read_web(world, &client);
		assert_has(world->text, cases[i].answer);
	}
	ask_web(world, "GET /api/v1/pair/pending", KEY, "");
	assert_has(world->text, "\"requests\":[]");
	world_end(world);
}

static void with_the_gate_go_all_who_waited_there(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct tls_client client;
	struct ipc_message pin;
	wait_for_pairing(world, 5);
	wait_for_pairing(world, 6);
	send_web(world, &client, "POST /api/v1/pair/client", KEY,
			"{\"pairing\":5,\"pin\":\"1234\"}");
	rig_expect(&world->rig, IPC_PAIR_PIN, &pin);
	struct ipc_message gone = { .kind = IPC_PAIR_GONE,
		.pair_gone = { .outcome = EPIPE, .detail = "The connection broke off." } };
	rig_send(&world->rig, &gone);
	read_web(world, &client);
	assert_has(world->text, "{\"success\":false,\"error\":\"The connection broke off.\"}");
	ask_web(world, "GET /api/v1/pair/pending", KEY, "");
	assert_has(world->text, "\"requests\":[]");
	world_end(world);
}

static void bad_pins_and_bad_json_are_refused_in_words(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	static const char *const bodies[] = { "", "[]", "{\"pin\":\"12\"}", "{\"pin\":1234}",
		"{\"pin\":\"1234\",\"pin\":\"1235\"}", "{\"pin\":\"1234\",\"pairing\":-1}",
		"{\"pin\":\"1234\",\"pair_secret\":\"x\"}", "{\"pin\":\"1234\",\"pairing\":6}",
		"{\"pin\":\"1234\",\"name\":\"a\\u0000b\"}", "{\"pin\":\"1234\"} x" };
	wait_for_pairing(world, 5);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		ask_web(world, "POST /api/v1/pair/client", KEY, bodies[i]);
		assert_has(world->text, "HTTP/1.1 400 ");
		assert_has(world->text, "{\"success\":false,\"error\":\"");
	}
	assert_true(rig_is_quiet(&world->rig, 20));
	world_end(world);
}

static void unpairing_waits_for_the_store(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	char body[200], hex[65];
	struct tls_client client;
	struct ipc_message message;
	hex_encode(world->client.fingerprint, 32, hex);
	text_format(body, sizeof(body), "{\"client_id\":\"%s\"}", hex);
	send_web(world, &client, "POST /api/v1/unpair/client", KEY, body);
	rig_expect_store(&world->rig, IPC_CLIENT_REMOVE, &message);
	assert_memory_equal(message.client_ref.client, world->client.fingerprint, 32);
	message.kind = IPC_CLIENT_REMOVED;
	rig_send_store(&world->rig, &message);
	read_web(world, &client);
	assert_has(world->text, "{\"success\":true}");
	ask_web(world, "GET /api/v1/clients", KEY, "");
	assert_has(world->text, "\"clients\":[]");
	ask_web(world, "POST /api/v1/unpair/client", KEY, body);
	assert_has(world->text, "HTTP/1.1 404 ");
	world_end(world);
}

/* A store dies with what it was asked in its hands. */
static void the_next_store_is_asked_what_the_last_one_did_not_answer(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	char body[200], hex[65];
	struct tls_client client;
	struct ipc_message message;
	hex_encode(world->client.fingerprint, 32, hex);
	text_format(body, sizeof(body), "{\"client_id\":\"%s\"}", hex);
	send_web(world, &client, "POST /api/v1/unpair/client", KEY, body);
	rig_expect_store(&world->rig, IPC_CLIENT_REMOVE, &message);
	rig_replace_store(&world->rig);
	rig_expect_store(&world->rig, IPC_CLIENT_REMOVE, &message);
	assert_memory_equal(message.client_ref.client, world->client.fingerprint, 32);
	message.kind = IPC_CLIENT_REMOVED;
	rig_send_store(&world->rig, &message);
	read_web(world, &client);
	assert_has(world->text, "{\"success\":true}");
	world_end(world);
}

static void who_is_pairing_when_the_gate_dies_hears_of_it(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct tls_client client;
	struct ipc_message pin;
	wait_for_pairing(world, 5);
	wait_for_pairing(world, 6);
	send_web(world, &client, "POST /api/v1/pair/client", KEY,
			"{\"pairing\":5,\"pin\":\"1234\"}");
	rig_expect(&world->rig, IPC_PAIR_PIN, &pin);
	struct ipc_message gone = { .kind = IPC_PAIR_GONE,
		.pair_gone = { .pairing = 0, .outcome = ECONNRESET, .detail = "Start again." } };
	rig_send(&world->rig, &gone);
	read_web(world, &client);
	assert_has(world->text, "{\"success\":false,\"error\":\"Start again.\"}");
	ask_web(world, "GET /api/v1/pair/pending", KEY, "");
	assert_has(world->text, "\"requests\":[]");
	world_end(world);
}

static int post_lobby(struct world *world, const char *body) {
	char request[500];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	text_copy(address.sun_path, sizeof(address.sun_path), world->rig.api_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	text_format(request, sizeof(request),
			"POST /api/v1/lobbies/create HTTP/1.1\r\nHost: a\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			strlen(body), body);
	rig_write(fd, NULL, request);
	return fd;
}

static int ask_for_a_lobby(struct world *world, struct ipc_message *out) {
	int fd = post_lobby(world, "{\"name\":\"L\",\"app_id\":3,\"pin\":[1,2],\"wait\":false}");
	rig_expect(&world->rig, IPC_LOBBY_CREATE, out);
	assert_true(out->lobby_create.flags & LOBBY_AT_ONCE);
	return fd;
}

static void a_lobbys_runner_is_taken_whole_or_refused(void **state) {
	static const struct {
		const char *runner, *words;
	} refused[] = {
		{ "{\"type\":\"child_session\"}", "runner.type" },
		{ "{\"type\":\"docker\",\"run_cmd\":\"x\"}", "runner.image" },
		{ "{\"type\":\"Process\",\"image\":\"x\"}", "runner.run_cmd" },
	};
	struct world *world = world_begin(state, PEER_WEB, 1);
	char body[300];
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		text_format(body, sizeof(body), "{\"name\":\"L\",\"runner\":%s}",
				refused[i].runner);
		int fd = post_lobby(world, body);
		rig_read_answer(fd, NULL, world->text, sizeof(world->text));
		assert_has(world->text, " 400 ");
		assert_has(world->text, refused[i].words);
		close(fd);
	}
	int fd = post_lobby(world,
			"{\"name\":\"L\",\"runner\":{\"type\":\"Docker\",\"image\":\"box\","
			"\"mounts\":[\"/a:/b:ro\"],\"env\":[\"A=1\",\"B=2\"],\"devices\":[],"
			"\"ports\":[\"80:80\"],\"base_create_json\":\"{}\"}}");
	struct ipc_message create;
	rig_expect(&world->rig, IPC_LOBBY_CREATE, &create);
	const struct ipc_app_how *how = &create.lobby_create.how;
	assert_string_equal(how->runner, "container");
	assert_string_equal(how->image, "box");
	assert_int_equal(create.lobby_create.argv_len, 0);
	assert_int_equal(how->env_len, 8);
	assert_memory_equal(how->env, "A=1\0B=2", 8);
	assert_int_equal(how->mounts_len, 9);
	assert_int_equal(how->devices_len, 0);
	assert_int_equal(how->ports_len, 6);
	assert_int_equal(how->base_len, 2);
	close(fd);
	rig_expect(&world->rig, IPC_LOBBY_CANCEL, &create);
	world_end(world);
}

static void a_lobby_that_nobody_waits_for_is_cancelled(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct ipc_message create, cancel;
	close(ask_for_a_lobby(world, &create));
	rig_expect(&world->rig, IPC_LOBBY_CANCEL, &cancel);
	assert_int_equal(cancel.lobby_cancel.request, create.lobby_create.request);
	/* It was made all the same: nobody knows its id. */
	struct ipc_message made = { .kind = IPC_LOBBY_CREATED,
		.lobby_created.request = create.lobby_create.request };
	text_copy(made.lobby_created.lobby, sizeof(made.lobby_created.lobby), "its-id");
	rig_send(&world->rig, &made);
	rig_expect(&world->rig, IPC_LOBBY_CANCEL, &cancel);
	assert_string_equal(cancel.lobby_cancel.lobby, "its-id");

	int fd = ask_for_a_lobby(world, &create);
	made.lobby_created.request = create.lobby_create.request;
	rig_send(&world->rig, &made);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "its-id");
	close(fd);
	assert_true(rig_is_quiet(&world->rig, 20));
	world_end(world);
}

/* As many rows as a hundred sessions have, in two messages; another's are left out. */
static void rows_come_together(struct world *world, int fd) {
	enum { ROWS = 1000 };
	static char text[65536];
	struct ipc_message ask, rows = { .kind = IPC_STATUS_ROWS };
	rig_write(fd, NULL, "GET /api/v2/counters HTTP/1.1\r\nHost: localhost\r\n\r\n");
	rig_expect(&world->rig, IPC_STATUS_ASK, &ask);
	size_t len = 0;
	for (int i = 0; i < ROWS; i++) {
		text_format(text + len, sizeof(text) - len, "{\"what\":\"%s\",\"n\":%d}\n",
				i % 2 ? "process" : "other", i);
		len += strlen(text + len);
	}
	struct shm shm;
	assert_int_equal(shm_create("rows", len, true, &shm), 0);
	memcpy(shm.map, text, len);
	rows.status_rows.request = ask.status_ask.request;
	rows.status_rows.size = (uint32_t)len;
	rig_send_fd(&world->rig, &rows, shm.fd);
	shm_finish(&shm);
	rows.kind = IPC_STATUS_END;
	rows.status_line.request = ask.status_ask.request;
	rig_send(&world->rig, &rows);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "\"processes\":[{\"what\":\"process\",\"n\":1},"
				"{\"what\":\"process\",\"n\":3},");
	assert_has(world->text, "\"n\":999}]");
	assert_null(strstr(world->text, "other"));
}

static void the_unix_socket_needs_no_key(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	text_copy(sa.sun_path, sizeof(sa.sun_path), world->rig.api_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	rig_write(fd, NULL, "GET /api/v1/status?filter=x HTTP/1.1\r\nHost: localhost\r\n\r\n");
	struct ipc_message ask, line = { .kind = IPC_STATUS_LINE };
	rig_expect(&world->rig, IPC_STATUS_ASK, &ask);
	assert_string_equal(ask.status_ask.filter, "x");
	line.status_line.request = ask.status_ask.request;
	text_copy(line.status_line.line, sizeof(line.status_line.line),
			"{\"what\":\"x\",\"worker\":\"gate\"}");
	rig_send(&world->rig, &line);
	rig_send(&world->rig, &line);
	line.kind = IPC_STATUS_END;
	rig_send(&world->rig, &line);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "\"status\":[{\"what\":\"x\",\"worker\":\"gate\"},{\"what\":\"x\","
				"\"worker\":\"gate\"}]");
	rows_come_together(world, fd);
	rig_write(fd, NULL, "GET /api/v1/pair/link HTTP/1.1\r\nHost: localhost\r\n\r\n");
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "{\"success\":true,\"url\":\"");
	close(fd);
	ask_web(world, "GET /api/v1/pair/link", KEY, "");
	assert_has(world->text, "HTTP/1.1 404 ");
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(pages_are_embedded_and_confined),
		UNIT(the_api_wants_its_key_and_no_other_site),
		UNIT(a_pin_is_answered_with_how_the_pairing_ended),
		UNIT(with_the_gate_go_all_who_waited_there),
		UNIT(bad_pins_and_bad_json_are_refused_in_words),
		UNIT(unpairing_waits_for_the_store),
		UNIT(the_next_store_is_asked_what_the_last_one_did_not_answer),
		UNIT(who_is_pairing_when_the_gate_dies_hears_of_it),
		UNIT(a_lobbys_runner_is_taken_whole_or_refused),
		UNIT(a_lobby_that_nobody_waits_for_is_cancelled),
		UNIT(the_unix_socket_needs_no_key),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
