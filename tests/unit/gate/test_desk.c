/* SPDX-License-Identifier: MIT */
/* A desktop's own door as a real process: what it tells, what it does not, and what it costs
 * the others. */
#include "../unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/shm.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "rig.h"

enum {
	FLOOD = 300, /* more than a desktop may ask at once */
};

static const uint64_t desk_a = 0xa000000000000001, desk_b = 0xb000000000000002;

static int listen_at(const char *path) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	assert_true(text_copy(sa.sun_path, sizeof(sa.sun_path), path));
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static int reach(const char *path) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	assert_true(text_copy(sa.sun_path, sizeof(sa.sun_path), path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = { .tv_sec = RIG_WAIT_MS / 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void tell(struct world *world, uint64_t desk, bool launcher, int fd) {
	struct ipc_message message = { .kind = IPC_GATE_DESK,
		.gate_desk = { .desk = desk, .launcher = launcher } };
	assert_int_equal(channel_send_fd(world->rig.supervisor, &message, &fd, 1), 0);
	rig_settle(&world->rig);
}

/* Two desktops, the second of which has a launcher. */
struct doors {
	char a[64], b[64];
	int listen_a, listen_b;
};

static struct world *begin(void **state, struct doors *doors) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	text_format(doors->a, sizeof(doors->a), "/tmp/perigee-desk-a-%d.sock", getpid());
	text_format(doors->b, sizeof(doors->b), "/tmp/perigee-desk-b-%d.sock", getpid());
	doors->listen_a = listen_at(doors->a);
	doors->listen_b = listen_at(doors->b);
	tell(world, desk_a, false, doors->listen_a);
	tell(world, desk_b, true, doors->listen_b);
	return world;
}

static void end(struct world *world, struct doors *doors) {
	close(doors->listen_a);
	close(doors->listen_b);
	unlink(doors->a);
	unlink(doors->b);
	world_end(world);
}

static void send_to(int fd, const char *what, const char *body) {
	char request[1024];
	text_format(request, sizeof(request),
			"%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", what,
			strlen(body), body);
	rig_write(fd, NULL, request);
}

static void ask(struct world *world, const char *path, const char *what, const char *body) {
	int fd = reach(path);
	send_to(fd, what, body);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	close(fd);
}

static void what_is_asked_is_about_the_sockets_own_desktop(void **state) {
	struct doors doors;
	struct world *world = begin(state, &doors);
	const char *const paths[] = { doors.a, doors.b };
	const uint64_t desks[] = { desk_a, desk_b };
	for (size_t i = 0; i < 2; i++) {
		struct ipc_message asked, row = { .kind = IPC_STATUS_LINE };
		char filter[32];
		int fd = reach(paths[i]);
		send_to(fd, "GET /api/v2/desktop", "");
		rig_expect(&world->rig, IPC_STATUS_ASK, &asked);
		text_format(filter, sizeof(filter), "desk %016llx", (unsigned long long)desks[i]);
		assert_string_equal(asked.status_ask.filter, filter);
		row.status_line.request = asked.status_ask.request;
		text_copy(row.status_line.line, sizeof(row.status_line.line),
				"{\"what\":\"desktop\",\"app\":\"X\"}");
		rig_send(&world->rig, &row);
		text_copy(row.status_line.line, sizeof(row.status_line.line),
				"{\"what\":\"viewer\",\"name\":\"Anna\"}");
		rig_send(&world->rig, &row);
		row.kind = IPC_STATUS_END;
		rig_send(&world->rig, &row);
		rig_read_answer(fd, NULL, world->text, sizeof(world->text));
		assert_has(world->text, "{\"success\":true,\"desktop\":{\"app\":\"X\"},"
					"\"viewers\":[{\"name\":\"Anna\"}]}");
		close(fd);
		fd = reach(paths[i]);
		send_to(fd, "POST /api/v2/desktop/input", "{\"keys\":[30]}");
		rig_expect(&world->rig, IPC_API_INPUT_ASK, &asked);
		assert_true(asked.api_input.session == desks[i]);
		close(fd);
		fd = reach(paths[i]);
		send_to(fd, "GET /api/v2/desktop/screenshot", "");
		rig_expect(&world->rig, IPC_SHOT_ASK, &asked);
		assert_true(asked.shot_ask.desk == desks[i]);
		close(fd);
	}
	end(world, &doors);
}

static void a_desktop_that_is_gone_is_said_to_be(void **state) {
	struct doors doors;
	struct world *world = begin(state, &doors);
	struct ipc_message asked, row = { .kind = IPC_STATUS_END };
	int fd = reach(doors.a);
	send_to(fd, "GET /api/v2/desktop", "");
	rig_expect(&world->rig, IPC_STATUS_ASK, &asked);
	row.status_line.request = asked.status_ask.request;
	rig_send(&world->rig, &row);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "HTTP/1.1 404 ");
	struct ipc_message gone = { .kind = IPC_GATE_DESK_GONE, .gate_desk.desk = desk_a };
	rig_send(&world->rig, &gone);
	char byte;
	assert_int_equal(recv(fd, &byte, 1, 0), 0); /* and nobody stays at its door */
	close(fd);
	end(world, &doors);
}

static void nothing_else_is_there_and_no_id_is_taken(void **state) {
	static const char *const others[] = { "GET /api/v1/sessions", "GET /api/v1/clients",
		"GET /api/v1/lobbies", "GET /api/v1/status", "GET /api/v1/events", "GET /metrics",
		"GET /api/v2/desktops", "GET /api/v2/desktops/screenshot?desktop_id=1",
		"GET /api/v2/viewers", "GET /api/v2/tokens", "POST /api/v1/sessions/stop",
		"POST /api/v1/lobbies/join", "POST /api/v2/tokens/create",
		"POST /api/v2/desktops/input", "GET /api/v1/pair/pending", "GET /",
		"GET /api/v1/keyboard/state", "POST /api/v1/system/restart" };
	static const char *const ids[] = { "GET /api/v2/desktop?desktop_id=5",
		"GET /api/v2/desktop/screenshot?session_id=5",
		"GET /api/v2/desktop/screenshot?lobby_id=5" };
	struct doors doors;
	struct world *world = begin(state, &doors);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		ask(world, doors.a, others[i], "");
		assert_has(world->text, "HTTP/1.1 404 ");
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		ask(world, doors.b, ids[i], ""); /* one door's budget is not for all of them */
		assert_has(world->text, "HTTP/1.1 400 ");
	}
	ask(world, doors.b, "POST /api/v2/desktop/input", "{\"session_id\":\"5\",\"keys\":[30]}");
	assert_has(world->text, "HTTP/1.1 400 ");
	assert_true(rig_is_quiet(&world->rig, 100));
	end(world, &doors);
}

static void what_home_asks_is_answered_at_a_launchers_door_alone(void **state) {
	static const char *const calls[] = { "GET /api/v2/launcher", "POST /api/v2/launcher/join",
		"POST /api/v2/launcher/stop", "POST /api/v2/launcher/create",
		"POST /api/v2/launcher/leave", "POST /api/v2/launcher/profile" };
	struct doors doors;
	struct world *world = begin(state, &doors);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		ask(world, doors.a, calls[i], "");
		assert_has(world->text, "HTTP/1.1 404 ");
	}
	ask(world, doors.b, "GET /api/v2/launcher", "");
	assert_has(world->text, "HTTP/1.1 200 ");
	/* It is told anew which is which. */
	struct ipc_message all = { .kind = IPC_GATE_DESK_GONE, .gate_desk.desk = GATE_DESK_ALL };
	rig_send(&world->rig, &all);
	tell(world, desk_b, false, doors.listen_b);
	ask(world, doors.b, "GET /api/v2/launcher", "");
	assert_has(world->text, "HTTP/1.1 404 ");
	end(world, &doors);
}

static void answer_store(struct world *world, uint32_t reason) {
	struct ipc_message asked, done = { .kind = IPC_STATE_DONE };
	rig_expect_store(&world->rig, IPC_PROFILE_PIN, &asked);
	assert_string_equal(asked.profile_ref.id, "ann");
	assert_string_equal(asked.profile_ref.pin, "04");
	done.state_done.request = asked.profile_ref.request;
	done.state_done.reason = reason;
	rig_send_store(&world->rig, &done);
}

static void say_pin(struct world *world, struct doors *doors, uint32_t reason) {
	int fd = reach(doors->b);
	send_to(fd, "POST /api/v2/launcher/profile", "{\"profile_id\":\"ann\",\"pin\":[0,4]}");
	answer_store(world, reason);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	close(fd);
}

static void create_for(struct world *world, struct doors *doors, const char *profile, bool open) {
	struct ipc_message asked;
	char body[100];
	int fd = reach(doors->b);
	text_format(body, sizeof(body), "{\"app_id\":\"3\",\"profile_id\":\"%s\"}", profile);
	send_to(fd, "POST /api/v2/launcher/create", body);
	rig_expect(&world->rig, IPC_DESK_ASK, &asked);
	assert_true(asked.desk_ask.desk == desk_b);
	assert_string_equal(asked.desk_ask.owner, profile);
	assert_int_equal(asked.desk_ask.open, open);
	close(fd); /* nobody waits for the lobby any more */
	rig_expect(&world->rig, IPC_LOBBY_CANCEL, &asked);
}

/* Whose home may be opened from there. */
static void who_is_at_home_is_known_by_the_pin_alone(void **state) {
	struct doors doors;
	struct world *world = begin(state, &doors);
	struct ipc_message row = { .kind = IPC_PROFILE, .profile = { .name = "A", .has_pin = 1 } };
	struct ipc_message told;
	text_copy(row.profile.id, sizeof(row.profile.id), "ann");
	rig_send_store(&world->rig, &row);
	text_copy(row.profile.id, sizeof(row.profile.id), "ben");
	row.profile.has_pin = 0;
	rig_send_store(&world->rig, &row);

	say_pin(world, &doors, REASON_PIN_WRONG);
	assert_has(world->text, "HTTP/1.1 403 ");
	assert_true(rig_is_quiet(&world->rig, 100));
	say_pin(world, &doors, REASON_NONE);
	assert_has(world->text, "HTTP/1.1 200 ");
	rig_expect(&world->rig, IPC_DESK_PROFILE, &told);
	assert_true(told.desk_profile.desk == desk_b);
	assert_string_equal(told.desk_profile.profile, "ann");

	create_for(world, &doors, "ann", false);
	create_for(world, &doors, "ben", true);
	create_for(world, &doors, "", false);
	ask(world, doors.b, "POST /api/v2/launcher/create",
			"{\"app_id\":\"3\",\"profile_id\":\"eve\"}");
	assert_has(world->text, "HTTP/1.1 404 ");

	ask(world, doors.b, "POST /api/v2/launcher/profile", "{\"profile_id\":\"\"}");
	assert_has(world->text, "HTTP/1.1 200 ");
	rig_expect(&world->rig, IPC_DESK_PROFILE, &told);
	assert_true(told.desk_profile.desk == desk_b);
	assert_string_equal(told.desk_profile.profile, "");
	end(world, &doors);
}

static void who_asks_without_end_is_told_to_wait_and_the_others_are_served(void **state) {
	struct doors doors;
	struct world *world = begin(state, &doors);
	bool busy = false;
	for (unsigned i = 0; i < FLOOD && !busy; i++) {
		ask(world, doors.a, "GET /nothing", "");
		busy = strstr(world->text, "HTTP/1.1 429 ") != NULL;
	}
	assert_true(busy);
	/* And connects without asking. */
	int idle[64];
	for (unsigned i = 0; i < ARRAY_LEN(idle); i++) {
		struct sockaddr_un sa = { .sun_family = AF_UNIX };
		assert_true(text_copy(sa.sun_path, sizeof(sa.sun_path), doors.a));
		idle[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(idle[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	for (unsigned i = 0; i < 20; i++) {
		ask(world, doors.b, "GET /api/v2/launcher", "");
		assert_has(world->text, "HTTP/1.1 200 ");
		ask(world, world->rig.api_path, "GET /api/v1/clients", "");
		assert_has(world->text, "HTTP/1.1 200 ");
	}
	for (unsigned i = 0; i < ARRAY_LEN(idle); i++) {
		close(idle[i]);
	}
	/* Whoever waited at its door is served in the end. */
	do {
		ask(world, doors.a, "GET /nothing", "");
	} while (strstr(world->text, "HTTP/1.1 429 "));
	assert_has(world->text, "HTTP/1.1 404 ");
	end(world, &doors);
}

static void a_desktop_takes_one_screenshot_at_a_time_and_never_all(void **state) {
	enum { DESKS = 4 };
	struct doors doors;
	struct world *world = begin(state, &doors);
	struct ipc_message asked;
	char path[DESKS][64];
	int listening[DESKS], pending[DESKS];
	for (unsigned i = 0; i < DESKS; i++) {
		text_format(path[i], sizeof(path[i]), "/tmp/perigee-desk-%u-%d.sock", i, getpid());
		listening[i] = listen_at(path[i]);
		tell(world, 100 + i, false, listening[i]);
	}
	unsigned begun = 0;
	for (unsigned i = 0; i < DESKS; i++) {
		pending[i] = reach(path[i]);
		send_to(pending[i], "GET /api/v2/desktop/screenshot", "");
		if (i < 2) {
			rig_expect(&world->rig, IPC_SHOT_ASK, &asked);
			begun++;
		} else {
			rig_read_answer(pending[i], NULL, world->text, sizeof(world->text));
			assert_has(world->text, "HTTP/1.1 503 ");
		}
	}
	assert_int_equal(begun, 2);
	ask(world, path[0], "GET /api/v2/desktop/screenshot", "");
	assert_has(world->text, "HTTP/1.1 503 ");
	for (unsigned i = 0; i < DESKS; i++) {
		close(pending[i]);
		close(listening[i]);
		unlink(path[i]);
	}
	end(world, &doors);
}

static int sealed(const char *text, struct shm *out) {
	assert_int_equal(shm_create("clipboard", strlen(text), true, out), 0);
	memcpy(out->map, text, strlen(text));
	return out->fd;
}

static void a_clipboard_is_carried_and_of_no_other_desktop(void **state) {
	struct doors doors;
	struct world *world = begin(state, &doors);
	struct ipc_message asked, clip = { .kind = IPC_CLIP };
	struct shm shm;
	int got_fd;
	int fd = reach(doors.a);
	send_to(fd, "GET /api/v2/desktop/clipboard", "");
	rig_expect(&world->rig, IPC_CLIP_GET, &asked);
	assert_true(asked.clip.desk == desk_a && asked.clip.session == 0);
	int text = sealed("of another", &shm);
	clip.clip = asked.clip;
	clip.clip.desk = desk_b;
	clip.clip.size = 10;
	assert_int_equal(channel_send_fd(world->rig.supervisor, &clip, &text, 1), 0);
	shm_finish(&shm);
	text = sealed("its own", &shm);
	clip.clip.desk = desk_a;
	clip.clip.size = 7;
	assert_int_equal(channel_send_fd(world->rig.supervisor, &clip, &text, 1), 0);
	shm_finish(&shm);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "its own");
	assert_null(strstr(world->text, "of another"));
	send_to(fd, "POST /api/v2/desktop/clipboard", "{\"text\":\"set\"}");
	rig_expect_fd(&world->rig, IPC_CLIP_SET, &asked, &got_fd);
	assert_true(asked.clip.desk == desk_a && asked.clip.size == 3);
	assert_int_equal(shm_adopt(got_fd, 3, false, &shm), 0);
	assert_memory_equal(shm.map, "set", 3);
	shm_finish(&shm);
	struct ipc_message done = { .kind = IPC_API_DONE,
		.api_done = { .request = asked.clip.request, .reason = REASON_NOT_PERMITTED } };
	rig_send(&world->rig, &done);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "HTTP/1.1 403 ");
	close(fd);
	end(world, &doors);
}

static void a_clipboards_text_may_be_longer_than_other_bodies_but_not_without_end(void **state) {
	enum { TEXT = 48 * 1024, HEAD = 200 };
	struct doors doors;
	struct world *world = begin(state, &doors);
	static char request[HEAD + TEXT + 64];
	struct ipc_message asked;
	for (int more = 0; more <= 1; more++) {
		int got_fd, fd = reach(doors.b);
		int head = snprintf(request, sizeof(request),
				"POST /api/v2/desktop/clipboard HTTP/1.1\r\nHost: a\r\n"
				"Content-Length: %d\r\n\r\n{\"text\":\"",
				TEXT + more + 11);
		memset(request + head, 'x', (size_t)(TEXT + more));
		memcpy(request + head + TEXT + more, "\"}", 3);
		rig_write(fd, NULL, request);
		if (more) {
			rig_read_answer(fd, NULL, world->text, sizeof(world->text));
			assert_has(world->text, "HTTP/1.1 400 ");
		} else {
			rig_expect_fd(&world->rig, IPC_CLIP_SET, &asked, &got_fd);
			assert_int_equal(asked.clip.size, TEXT);
			close(got_fd);
		}
		close(fd);
	}
	int fd = reach(doors.b);
	rig_write(fd, NULL,
			"POST /api/v2/desktop/clipboard HTTP/1.1\r\nHost: a\r\n"
			"Content-Length: 60000\r\n\r\n");
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "HTTP/1.1 413 ");
	close(fd);
	end(world, &doors);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_is_about_the_sockets_own_desktop),
		cmocka_unit_test(a_desktop_that_is_gone_is_said_to_be),
		cmocka_unit_test(nothing_else_is_there_and_no_id_is_taken),
		cmocka_unit_test(what_home_asks_is_answered_at_a_launchers_door_alone),
		cmocka_unit_test(who_is_at_home_is_known_by_the_pin_alone),
		cmocka_unit_test(who_asks_without_end_is_told_to_wait_and_the_others_are_served),
		cmocka_unit_test(a_clipboard_is_carried_and_of_no_other_desktop),
		cmocka_unit_test(
				a_clipboards_text_may_be_longer_than_other_bodies_but_not_without_end),
		cmocka_unit_test(a_desktop_takes_one_screenshot_at_a_time_and_never_all),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
