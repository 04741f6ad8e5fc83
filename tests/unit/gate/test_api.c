/* SPDX-License-Identifier: MIT */
/* The API at a real web door: who may call what, and events for readers of every pace. */
#include "../unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "gate/api.h"
#include "gate/connection.h"
#include "gate/events.h"
#include "gate/tls.h"
#include "gate/web.h"
#include "ipc/reason.h"
#include "rig.h"

#define WEB_KEY "0123456789abcdef0123456789abcdef"

/* ---- who may ---- */

static int status_of(const char *answer) {
	return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

/* A request that, once it is allowed, is refused for what it says, so that nothing is
 * waited for. */
static int ask(struct world *world, const struct route *route, const char *key) {
	char request[1024];
	struct tls_client client;
	bool get = route->method == HTTP_GET;
	tls_client_open(&client, world->rig.ports[DOOR_WEB], NULL);
	text_format(request, sizeof(request),
			"%s %s%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
			"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
			get ? "GET" : "POST", route->path, get ? "?nonsense=1" : "", key,
			get ? 0 : 1, get ? "" : "[");
	rig_write(client.fd, client.ssl, request);
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	tls_client_close(&client);
	return status_of(world->text);
}

static void give_token(struct world *world, const char *text, uint32_t scopes) {
	struct ipc_message token = { .kind = IPC_TOKEN, .token.scopes = scopes };
	tls_sha256(text, strlen(text), token.token.hash);
	rig_send_store(&world->rig, &token);
}

static void every_call_wants_its_own_scope(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	for (int scope = 0; scope < SCOPES; scope++) {
		char one[16], others[16];
		text_format(one, sizeof(one), "one-%d", scope);
		text_format(others, sizeof(others), "others-%d", scope);
		give_token(world, one, 1u << scope);
		give_token(world, others, ((1u << SCOPES) - 1) & ~(1u << scope));
	}
	rig_settle(&world->rig);
	for (size_t i = 0; i < web_site.n_routes; i++) {
		const struct route *route = &web_site.routes[i];
		if (route->access != ACCESS_KEY || !(route->doors & ON(WEB))) {
			continue;
		}
		char one[16], others[16];
		text_format(one, sizeof(one), "one-%d", (int)route->about.scope);
		text_format(others, sizeof(others), "others-%d", (int)route->about.scope);
		assert_int_equal(ask(world, route, "nobody"), 401);
		assert_int_equal(ask(world, route, others), 403);
		assert_has(world->text, api_scope_name(route->about.scope));
		int status = ask(world, route, one);
		if (status == 401 || status == 403 || status == 0) {
			fail_msg("%s with its scope: %d", route->path, status);
		}
		status = ask(world, route, WEB_KEY);
		assert_true(status != 401 && status != 403 && status != 0);
	}
	world_end(world);
}

static void a_token_that_is_gone_lets_nobody_in(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	const struct route *route = NULL;
	struct span path = { "/api/v1/clients", 15 };
	assert_int_equal(route_find(web_site.routes, web_site.n_routes, DOOR_WEB, HTTP_GET, path,
					 &route),
			0);
	give_token(world, "robot", 1u << SCOPE_READ);
	rig_settle(&world->rig);
	assert_int_equal(ask(world, route, "robot"), 400);
	struct ipc_message gone = { .kind = IPC_TOKEN_GONE };
	tls_sha256("robot", 5, gone.token_ref.hash);
	rig_send_store(&world->rig, &gone);
	rig_settle(&world->rig);
	assert_int_equal(ask(world, route, "robot"), 401);
	world_end(world);
}

/* ---- sessions that programs make ---- */

static int open_unix(struct world *world) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	text_copy(sa.sun_path, sizeof(sa.sun_path), world->rig.api_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = { .tv_sec = 10 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static int post(struct world *world, const char *path, const char *body) {
	char request[1024];
	int fd = open_unix(world);
	text_format(request, sizeof(request),
			"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: "
			"%zu\r\n\r\n%s",
			path, strlen(body), body);
	rig_write(fd, NULL, request);
	return fd;
}

static void read_answer(struct world *world, int fd) {
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	close(fd);
}

#define NEW_SESSION \
	"{\"app_id\": \"7\", \"aes_key\": \"000102030405060708090a0b0c0d0e0f\", " \
	"\"aes_iv\": \"-5\", \"video_width\": 1280, \"video_height\": 720}"

static void a_program_launches_as_a_client_does(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct ipc_message asked;
	int fd = post(world, "/api/v1/sessions/add", NEW_SESSION);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	assert_int_equal(asked.launch.app, 7);
	assert_int_equal(asked.launch.width, 1280);
	assert_int_equal(asked.launch.rate_x100, 6000);
	assert_int_equal(asked.launch.key.bytes[15], 0x0f);
	assert_int_equal(asked.launch.key_id, -5);
	assert_int_equal(asked.launch.guest, 1);
	assert_int_equal(asked.launch.flags, LAUNCH_BY_API | LAUNCH_SEALED_RTSP);
	struct ipc_message answer = { .kind = IPC_LAUNCHED,
		.launched = { .request = asked.launch.request, .session = 42 } };
	rig_send(&world->rig, &answer);
	read_answer(world, fd);
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "\"session_id\":\"42\"");
	assert_has(world->text, "rtspenc://");
	fd = post(world, "/api/v1/sessions/add", "{\"app_id\": 7, \"wait\": false}");
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	assert_int_equal(asked.launch.flags,
			LAUNCH_BY_API | LAUNCH_SEALED_RTSP | LAUNCH_NO_KEY | LAUNCH_AT_ONCE);
	answer.launched.request = asked.launch.request;
	answer.launched.reason = REASON_HOST_FULL;
	rig_send(&world->rig, &answer);
	read_answer(world, fd);
	assert_has(world->text, "HTTP/1.1 503 ");
	assert_has(world->text, "This host is full.");
	world_end(world);
}

/* Whoever goes away, or got no answer in time, leaves no session behind. */
static void a_session_that_nobody_waits_for_is_ended(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct ipc_message asked, gone;
	int fd = post(world, "/api/v1/sessions/add", NEW_SESSION);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	close(fd);
	rig_expect(&world->rig, IPC_API_DO, &gone);
	assert_int_equal(gone.api_do.what, API_FORGET);
	assert_int_equal(gone.api_do.request, asked.launch.request);
	assert_int_equal(gone.api_do.session, 0);
	struct ipc_message late = { .kind = IPC_LAUNCHED,
		.launched = { .request = asked.launch.request, .session = 42 } };
	rig_send(&world->rig, &late);
	rig_expect(&world->rig, IPC_API_DO, &gone);
	assert_int_equal(gone.api_do.what, API_FORGET);
	assert_int_equal(gone.api_do.session, 42);
	world_end(world);
}

/* ---- what is held down ---- */

static int get(struct world *world, const char *path) {
	char request[256];
	int fd = open_unix(world);
	text_format(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
	rig_write(fd, NULL, request);
	return fd;
}

static void give_session(struct world *world, uint64_t session, uint64_t desktop) {
	struct ipc_message message = {
		.kind = IPC_TOLD_SESSION,
		.told_session = { .session = session, .state = SESSION_WATCHED, .desktop = desktop }
	};
	rig_send(&world->rig, &message);
}

static void give_lobby(struct world *world, const char *id, uint64_t desktop) {
	struct ipc_message message = { .kind = IPC_LOBBY_STATE,
		.lobby_state = { .state = LOBBY_READY, .desktop = desktop } };
	text_copy(message.lobby_state.lobby, sizeof(message.lobby_state.lobby), id);
	rig_send(&world->rig, &message);
}

static void hold_key(struct world *world, uint64_t desktop, uint32_t code) {
	struct ipc_message asked, keys = { .kind = IPC_KEYS,
		.keys = { .session = desktop, .count = 1, .codes = { code } } };
	rig_expect(&world->rig, IPC_KEYS_ASK, &asked);
	assert_int_equal(asked.keys_ask.session, desktop);
	keys.keys.request = asked.keys_ask.request;
	rig_send(&world->rig, &keys);
}

/* Two see one lobby's desktop, nobody another's; and one that ends meanwhile keeps nobody
 * waiting. */
static void keys_are_told_of_every_desktop_once(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	struct ipc_message asked, gone = { .kind = IPC_API_DONE };
	give_lobby(world, "seen", 77);
	give_lobby(world, "alone", 88);
	give_session(world, 5, 77);
	give_session(world, 6, 77);
	give_session(world, 9, 9);
	rig_settle(&world->rig);
	int fd = get(world, "/api/v1/keyboard/state");
	hold_key(world, 77, 42);
	rig_expect(&world->rig, IPC_KEYS_ASK, &asked);
	assert_int_equal(asked.keys_ask.session, 9);
	gone.api_done.request = asked.keys_ask.request;
	gone.api_done.reason = REASON_DESKTOP_UNKNOWN;
	rig_send(&world->rig, &gone);
	hold_key(world, 88, 30);
	read_answer(world, fd);
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "\"session_id\":\"5\",\"desktop_id\":\"77\",\"lobby_id\":\"seen\"");
	assert_has(world->text, "\"session_id\":\"6\",\"desktop_id\":\"77\",\"lobby_id\":\"seen\"");
	assert_has(world->text,
			"\"session_id\":\"88\",\"desktop_id\":\"88\",\"lobby_id\":\"alone\"");
	static const char *const ways[] = { "{\"session_id\": \"5\"}", "{\"lobby_id\": \"seen\"}",
		"{\"desktop_id\": 77}", "{\"session_id\": 77}" };
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		fd = post(world, "/api/v1/keyboard/reset", ways[i]);
		hold_key(world, 77, 42);
		read_answer(world, fd);
		assert_has(world->text, "\"released_keys\":[\"key 42\"]");
	}
	read_answer(world, post(world, "/api/v1/keyboard/reset", "{\"session_id\": \"7\"}"));
	assert_has(world->text, "HTTP/1.1 404 ");
	world_end(world);
}

/* ---- events ---- */

/* Reads until the part is there; false when the stream ended before. */
static bool read_until(int fd, char *out, size_t size, const char *part) {
	size_t len = strlen(out);
	while (!strstr(out, part)) {
		if (len + 1 == size) { /* the newest half will do */
			memmove(out, out + size / 2, len - size / 2 + 1);
			len -= size / 2;
		}
		ssize_t n = recv(fd, out + len, size - len - 1, 0);
		if (n <= 0) {
			return false;
		}
		len += (size_t)n;
		out[len] = '\0';
	}
	return true;
}

static void tell(struct world *world, int number) {
	struct ipc_message event = { .kind = IPC_TOLD_EVENT,
		.told_event = { .event = TOLD_APP_EXITED, .session = 5, .number = number } };
	memset(event.told_event.detail, 'x', sizeof(event.told_event.detail) - 1);
	rig_send(&world->rig, &event);
}

static int open_events(struct world *world, const char *fields) {
	char request[256];
	int fd = open_unix(world);
	text_format(request, sizeof(request), "GET /api/v1/events HTTP/1.1\r\nHost: a\r\n%s\r\n",
			fields);
	rig_write(fd, NULL, request);
	world->text[0] = '\0';
	assert_true(read_until(fd, world->text, sizeof(world->text), "\r\n\r\n"));
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "text/event-stream");
	return fd;
}

static void who_comes_back_is_told_what_followed(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	int fd = open_events(world, "");
	tell(world, 1);
	assert_true(read_until(fd, world->text, sizeof(world->text), "\"status\":1"));
	char id[40] = "", fields[80];
	const char *at = strstr(world->text, "id: ");
	assert_non_null(at);
	text_copy(id, strcspn(at + 4, "\n") + 1, at + 4);
	close(fd);
	tell(world, 2);
	text_format(fields, sizeof(fields), "Last-Event-ID: %s\r\n", id);
	fd = open_events(world, fields);
	assert_true(read_until(fd, world->text, sizeof(world->text), "\"status\":2"));
	assert_null(strstr(world->text, "\"status\":1"));
	assert_null(strstr(world->text, "EventsMissed"));
	close(fd);
	for (int i = 0; i < EVENTS_KEPT + 1; i++) {
		tell(world, 3);
	}
	fd = open_events(world, fields);
	assert_true(read_until(fd, world->text, sizeof(world->text), "perigee::EventsMissed"));
	close(fd);
	world_end(world);
}

static int read_events(struct world *world, const char *path) {
	int fd = get(world, path);
	world->text[0] = '\0';
	assert_true(read_until(fd, world->text, sizeof(world->text), "\r\n\r\n"));
	assert_has(world->text, "text/event-stream");
	return fd;
}

static void end_lobby(struct world *world, const char *id) {
	struct ipc_message gone = { .kind = IPC_LOBBY_GONE };
	text_copy(gone.lobby_gone.lobby, sizeof(gone.lobby_gone.lobby), id);
	rig_send(&world->rig, &gone);
}

static void a_reader_hears_what_it_asked_for(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	int session = read_events(world, "/api/v1/events?session_id=5");
	int lobby = read_events(
			world, "/api/v1/events?lobby_id=one&events=StopLobbyEvent,LobbyEnded");
	struct ipc_message other = { .kind = IPC_TOLD_EVENT,
		.told_event = { .event = TOLD_APP_EXITED, .session = 6, .number = 1 } };
	rig_send(&world->rig, &other);
	give_lobby(world, "one", 77);
	give_lobby(world, "two", 88);
	end_lobby(world, "two");
	end_lobby(world, "one");
	tell(world, 2);
	world->text[0] = '\0';
	assert_true(read_until(session, world->text, sizeof(world->text), "\"status\":2"));
	assert_null(strstr(world->text, "\"status\":1"));
	assert_null(strstr(world->text, "LobbyEnded"));
	world->text[0] = '\0';
	assert_true(read_until(lobby, world->text, sizeof(world->text), "perigee::LobbyEnded"));
	assert_has(world->text, "StopLobbyEvent\ndata: {\"lobby_id\":\"one\"}");
	assert_null(strstr(world->text, "two"));
	assert_null(strstr(world->text, "CreateLobbyEvent"));
	assert_null(strstr(world->text, "AppExited"));
	close(session);
	close(lobby);
	world_end(world);
}

static void who_reads_too_slowly_is_let_go_with_the_reason(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	int slow = open_events(world, "");
	/* More than a socket holds and the ring keeps together. */
	for (int i = 0; i < 4 * EVENTS_KEPT; i++) {
		tell(world, 7);
	}
	int quick = open_events(world, "");
	tell(world, 8);
	assert_true(read_until(quick, world->text, sizeof(world->text), "\"status\":8"));
	world->text[0] = '\0';
	assert_true(read_until(slow, world->text, sizeof(world->text), "perigee::ReaderDropped"));
	assert_false(read_until(slow, world->text, sizeof(world->text), "no such text"));
	close(slow);
	close(quick);
	world_end(world);
}

static void readers_are_counted_and_their_places_come_free(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	int fds[EVENT_READERS_MAX];
	for (int i = 0; i < EVENT_READERS_MAX; i++) {
		fds[i] = open_events(world, "");
	}
	int more = open_unix(world);
	rig_write(more, NULL, "GET /api/v1/events HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_read_answer(more, NULL, world->text, sizeof(world->text));
	assert_has(world->text, "HTTP/1.1 503 ");
	close(more);
	size_t before = rig_count_fds(&world->rig);
	for (int i = 0; i < EVENT_READERS_MAX; i++) {
		close(fds[i]);
	}
	rig_await_fds(&world->rig, before - EVENT_READERS_MAX);
	close(open_events(world, ""));
	world_end(world);
}

/* Whoever sits between them would else forget the connection. Then events go on. */
static void a_quiet_stream_of_events_is_kept_alive(void **state) {
	struct world *world = world_begin(state, PEER_WEB, 1);
	int fd = open_events(world, "");
	struct timeval limit = { .tv_sec = 2 * CONNECTION_QUIET_MS / 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_true(read_until(fd, world->text, sizeof(world->text), "\n:keepalive\n\n"));
	tell(world, 7);
	assert_true(read_until(fd, world->text, sizeof(world->text), "perigee::AppExited"));
	close(fd);
	world_end(world);
}

static void a_gamepad_is_told_as_wolf_tells_of_it(void **state) {
	static const char words[] = "ACTION=add\0DEVNAME=/dev/input/event5\0ID_INPUT=1";
	struct world *world = world_begin(state, PEER_WEB, 1);
	int fd = open_events(world, "");
	struct ipc_message message = { .kind = IPC_TOLD_PAD,
		.told_pad = { .session = 5,
				.name = "c13:69",
				.record = "E:ID_INPUT=1\nV:1\n",
				.words_len = sizeof(words) } };
	memcpy(message.told_pad.words, words, sizeof(words));
	rig_send(&world->rig, &message);
	assert_true(read_until(fd, world->text, sizeof(world->text), "[\"E:ID_INPUT=1\",\"V:1\"]"));
	assert_has(world->text, "event: wolf::core::events::PlugDeviceEvent\n");
	assert_has(world->text, "\"session_id\":\"5\"");
	assert_has(world->text, "\"DEVNAME\":\"/dev/input/event5\"");
	assert_has(world->text, "\"ACTION\":\"add\"");
	assert_has(world->text, "\"udev_hw_db_entries\":[[\"c13:69\",");
	message.told_pad.gone = 1;
	message.told_pad.record[0] = '\0';
	memset(message.told_pad.words, 'x', sizeof(message.told_pad.words)); /* no words */
	rig_send(&world->rig, &message);
	assert_true(read_until(fd, world->text, sizeof(world->text), "UnplugDeviceEvent"));
	assert_true(read_until(fd, world->text, sizeof(world->text), "[[\"c13:69\",[]]]"));
	close(fd);
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_call_wants_its_own_scope),
		UNIT(a_token_that_is_gone_lets_nobody_in),
		UNIT(a_program_launches_as_a_client_does),
		UNIT(a_session_that_nobody_waits_for_is_ended),
		UNIT(keys_are_told_of_every_desktop_once),
		UNIT(a_gamepad_is_told_as_wolf_tells_of_it),
		UNIT(who_comes_back_is_told_what_followed),
		UNIT(a_reader_hears_what_it_asked_for),
		UNIT(who_reads_too_slowly_is_let_go_with_the_reason),
		UNIT(readers_are_counted_and_their_places_come_free),
		UNIT(a_quiet_stream_of_events_is_kept_alive),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
