/* SPDX-License-Identifier: MIT */
/* Health and metrics on the web door, with the test as a supervisor that may fall silent. */
#include "../unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "gate/health.h"
#include "rig.h"

#define KEY "X-Perigee-Key: 0123456789abcdef0123456789abcdef\r\n"
#define BEARER "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n"

static void ask(struct world *world, const char *path, const char *fields) {
	struct tls_client client;
	char request[1024];
	tls_client_open(&client, world->rig.ports[DOOR_WEB], NULL);
	text_format(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n", path,
			fields);
	rig_write(client.fd, client.ssl, request);
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	tls_client_close(&client);
}

static void ask_api(struct world *world, const char *path) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char request[256];
	text_copy(sa.sun_path, sizeof(sa.sun_path), world->rig.api_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	text_format(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	rig_write(fd, NULL, request);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	close(fd);
}

static void publish(
		struct board_writer *board, uint64_t age_ms, const char *leg, const char *metrics) {
	struct board_state state = { .made_ns = clock_now_ns() - age_ms * NS_PER_MS,
		.alive = 1,
		.ready = leg[0] == '\0',
		.words = "It does not answer.",
		.text_len = (uint32_t)strlen(metrics) };
	text_copy(state.leg, sizeof(state.leg), leg);
	memcpy(board_begin(board), metrics, strlen(metrics));
	board_publish(board, &state);
}

static void give_board(struct world *world, struct board_writer *board) {
	struct ipc_message message = { .kind = IPC_BOARD };
	assert_int_equal(board_create(board), 0);
	assert_int_equal(channel_send_fd(world->rig.supervisor, &message, &board->shm.fd, 1), 0);
	rig_settle(&world->rig);
}

static void without_a_board_nothing_is_claimed(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	static const char *const paths[] = { "/healthz", "/readyz", "/metrics" };
	for (size_t i = 0; i < 3; i++) {
		ask(world, paths[i], KEY);
		assert_has(world->text, "HTTP/1.1 503 ");
		ask_api(world, paths[i]);
		assert_has(world->text, "HTTP/1.1 503 ");
	}
	world_end(world);
}

static void the_board_is_what_is_answered(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct board_writer board;
	give_board(world, &board);
	publish(&board, 0, "", "# TYPE a gauge\na 1\n");
	ask(world, "/readyz", "");
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "\r\n\r\nready\n");
	ask_api(world, "/healthz");
	assert_has(world->text, "\r\n\r\nalive\n");
	publish(&board, 0, "encoder", "a 2\n");
	ask_api(world, "/readyz");
	assert_has(world->text, "HTTP/1.1 503 ");
	assert_has(world->text, "not ready: encoder: It does not answer.\n");
	ask(world, "/healthz", "");
	assert_has(world->text, "HTTP/1.1 200 ");
	/* A new supervisor has a new board. */
	struct board_writer next;
	give_board(world, &next);
	publish(&next, 0, "", "a 3\n");
	ask_api(world, "/readyz");
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_true(rig_is_quiet(&world->rig, 20));
	board_writer_finish(&next);
	board_writer_finish(&board);
	world_end(world);
}

static void metrics_want_the_key_and_say_their_age(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct board_writer board;
	give_board(world, &board);
	publish(&board, 7000, "", "# TYPE a gauge\na 1\n");
	ask(world, "/metrics", "");
	assert_has(world->text, "HTTP/1.1 401 ");
	static const char *const keys[] = { KEY, BEARER };
	for (size_t i = 0; i < 2; i++) {
		ask(world, "/metrics", keys[i]);
		assert_has(world->text, "HTTP/1.1 200 ");
		assert_has(world->text, "text/plain; version=0.0.4");
		assert_has(world->text, "\na 1\n# HELP perigee_board_age_seconds");
		assert_has(world->text, "\nperigee_board_age_seconds 7.");
		assert_has(world->text, "\nperigee_supervisor_silent 1\n");
	}
	ask(world, "/readyz", "");
	assert_has(world->text, "not ready: supervisor: It has been silent for 7 s.\n");
	board_writer_finish(&board);
	world_end(world);
}

static void a_block_that_is_no_board_changes_nothing(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct board_writer board;
	struct shm other;
	give_board(world, &board);
	publish(&board, 0, "", "");
	assert_int_equal(shm_create("other", 4096, true, &other), 0);
	struct ipc_message message = { .kind = IPC_BOARD };
	assert_int_equal(channel_send_fd(world->rig.supervisor, &message, &other.fd, 1), 0);
	ask_api(world, "/readyz");
	assert_has(world->text, "HTTP/1.1 200 ");
	shm_finish(&other);
	board_writer_finish(&board);
	world_end(world);
}

static void silence_and_death_are_told_apart(void **unused) {
	(void)unused;
	struct board_state state = { .alive = 1, .ready = 1 };
	assert_int_equal(health_ready(&state, HEALTH_SILENT_MS).status, 200);
	assert_int_equal(health_ready(&state, HEALTH_SILENT_MS + 1).status, 503);
	assert_int_equal(health_alive(&state, HEALTH_DEAD_MS).status, 200);
	assert_int_equal(health_alive(&state, HEALTH_DEAD_MS + 1).status, 503);
	state.alive = 0;
	text_copy(state.leg, sizeof(state.leg), "store");
	assert_int_equal(health_alive(&state, 0).status, 503);
	assert_non_null(strstr(health_alive(&state, 0).text, "dead: store: "));
	assert_int_equal(health_alive(NULL, 0).status, 503);
	assert_int_equal(health_ready(NULL, 0).status, 503);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(without_a_board_nothing_is_claimed),
		UNIT(the_board_is_what_is_answered),
		UNIT(metrics_want_the_key_and_say_their_age),
		UNIT(a_block_that_is_no_board_changes_nothing),
		UNIT(silence_and_death_are_told_apart),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
