/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "apps/home_link.h"
#include "base/own.h"
#include "base/text.h"

/* ---- requests ---- */

static void assert_writes(const struct home_request *request, const char *line, const char *body) {
	char text[HOME_REQUEST_MAX], length[40];
	int len = home_link_write(request, text, sizeof(text));
	assert_int_equal(len, strlen(text));
	assert_ptr_equal(strstr(text, line), text);
	const char *at = strstr(text, "\r\n\r\n");
	assert_non_null(at);
	assert_string_equal(at + 4, body);
	text_format(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body));
	assert_non_null(strstr(text, length));
}

static void each_wish_has_its_call(void **state) {
	(void)state;
	struct home_request request = { .want = HOME_NOTHING };
	assert_writes(&request, "GET /api/v2/launcher HTTP/1.1\r\n", "");
	request = (struct home_request){ .want = HOME_LOG_IN, .id = "bob", .pin = "047" };
	assert_writes(&request, "POST /api/v2/launcher/profile ",
			"{\"profile_id\":\"bob\",\"pin\":[0,4,7]}");
	request = (struct home_request){
		.want = HOME_CREATE, .id = "3", .profile = "ann", .several = true
	};
	assert_writes(&request, "POST /api/v2/launcher/create ",
			"{\"app_id\":\"3\",\"pin\":[],\"several\":true,\"profile_id\":\"ann\"}");
	request = (struct home_request){ .want = HOME_JOIN, .id = "12", .pin = "9" };
	assert_writes(&request, "POST /api/v2/launcher/join ", "{\"lobby_id\":\"12\",\"pin\":[9]}");
	request = (struct home_request){ .want = HOME_STOP, .id = "12" };
	assert_writes(&request, "POST /api/v2/launcher/stop ", "{\"lobby_id\":\"12\",\"pin\":[]}");
	request = (struct home_request){ .want = HOME_LOG_OUT };
	assert_writes(&request, "POST /api/v2/launcher/profile ",
			"{\"profile_id\":\"\",\"pin\":[]}");
}

static void what_does_not_fit_is_not_written(void **state) {
	(void)state;
	char text[HOME_REQUEST_MAX];
	struct home_request request = { .want = HOME_CREATE };
	assert_int_equal(home_link_write(&request, text, 64), -ENOSPC);
	/* Each of these bytes takes six. */
	memset(request.id, 1, sizeof(request.id) - 1);
	memset(request.profile, 1, sizeof(request.profile) - 1);
	assert_int_equal(home_link_write(&request, text, sizeof(text)), -ENOSPC);
}

/* ---- answers ---- */

static int answer(const char *body, struct home_said *said) {
	char text[2048];
	assert_true(text_format(
			text, sizeof(text), "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n%s", body));
	return home_link_read(text, strlen(text), said);
}

static void the_world_is_read(void **state) {
	(void)state;
	struct home_said said;
	assert_int_equal(answer("{\"success\":true,\"profiles\":[{\"id\":\"bob\",\"name\":\"Bob\","
				"\"pin_required\":true}],\"apps\":[{\"id\":\"4\",\"title\":"
				"\"Steam\","
				"\"installed\":false,\"why_not\":\"It is not installed.\"}],"
				"\"lobbies\":[{\"id\":\"11\",\"name\":\"Together\",\"multi_user\":"
				"true,"
				"\"pin_required\":false,\"state\":\"ready\","
				"\"members\":[\"Ann\",\"\"]},{\"id\":\"12\",\"multi_user\":false,"
				"\"private\":true,\"mine\":true,"
				"\"pin_required\":true,\"state\":\"starting\",\"members\":[]}]}",
					 &said),
			0);
	assert_true(said.done && said.has_world);
	assert_int_equal(said.world.profiles_count, 1);
	assert_string_equal(said.world.profiles[0].name, "Bob");
	assert_true(said.world.profiles[0].has_pin);
	assert_int_equal(said.world.apps_count, 1);
	assert_false(said.world.apps[0].installed);
	assert_string_equal(said.world.apps[0].why_not, "It is not installed.");
	assert_int_equal(said.world.lobbies_count, 2);
	const struct home_lobby *lobby = &said.world.lobbies[0];
	assert_true(lobby->ready && !lobby->has_pin && !lobby->one_at_a_time);
	assert_true(!lobby->is_private && !lobby->mine);
	assert_int_equal(lobby->members, 2);
	assert_string_equal(lobby->who, "Ann, somebody");
	lobby++;
	assert_true(!lobby->ready && lobby->has_pin && lobby->one_at_a_time);
	assert_true(lobby->is_private && lobby->mine);
	assert_string_equal(lobby->who, "");
}

/* A profile's, of 47 bytes: longer ones the store refuses. */
static void the_longest_id_is_kept_whole(void **state) {
	(void)state;
	static const char id[] = "anna-with-a-name-that-is-as-long-as-one-may-be_";
	assert_int_equal(sizeof(id), HOME_ID_SIZE);
	char body[200];
	struct home_said said;
	text_format(body, sizeof(body),
			"{\"success\":true,\"profiles\":[{\"id\":\"%s\",\"name\":\"Anna\"}],"
			"\"apps\":[]}",
			id);
	assert_int_equal(answer(body, &said), 0);
	assert_string_equal(said.world.profiles[0].id, id);
	struct home_request request = { .want = HOME_CREATE, .id = "3" };
	text_copy(request.profile, sizeof(request.profile), id);
	text_format(body, sizeof(body),
			"{\"app_id\":\"3\",\"pin\":[],\"several\":false,\"profile_id\":\"%s\"}",
			id);
	assert_writes(&request, "POST /api/v2/launcher/create ", body);
}

static void yes_and_no_are_told_apart(void **state) {
	(void)state;
	struct home_said said;
	assert_int_equal(answer("{\"success\":true,\"lobby_id\":\"8d1f\"}", &said), 0);
	assert_true(said.done && !said.has_world);
	assert_string_equal(said.lobby, "8d1f");
	assert_int_equal(answer("{\"success\":false,\"error\":\"Invalid PIN\"}", &said), 0);
	assert_false(said.done);
	assert_string_equal(said.words, "Invalid PIN");
	assert_string_equal(said.lobby, "");
}

static void what_is_no_answer_is_refused(void **state) {
	(void)state;
	static const char *const bodies[] = { "", "[true]", "{\"apps\":[]}", "{\"success\":1}",
		"{\"success\":true,\"success\":false}", "{\"success\":true", "busy" };
	struct home_said said;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_int_equal(answer(bodies[i], &said), -EBADMSG);
		assert_false(said.done);
	}
	const char *bare = "{\"success\":true}";
	assert_int_equal(home_link_read(bare, strlen(bare), &said), -EBADMSG);
}

static void names_that_are_too_long_are_cut_between_letters(void **state) {
	(void)state;
	struct home_said said;
	char name[3 * 120 + 1] = "", body[1024];
	for (size_t i = 0; i < 120; i++) {
		memcpy(name + 3 * i, "\u20ac", 4);
	}
	text_format(body, sizeof(body),
			"{\"success\":true,\"lobbies\":[{\"id\":\"1\",\"members\":[\"%s\"]}]}",
			name);
	assert_int_equal(answer(body, &said), 0);
	/* 199 bytes hold 66 of them. */
	assert_int_equal(strlen(said.world.lobbies[0].who), 66 * strlen("\u20ac"));
}

/* ---- the link ---- */

struct rig {
	char folder[32], path[64];
	int listener;
	struct home_link link;
};

static void rig_init(struct rig *rig) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	folder_make(rig->folder, sizeof(rig->folder), "home-link");
	text_format(rig->path, sizeof(rig->path), "%s/sock", rig->folder);
	text_copy(address.sun_path, sizeof(address.sun_path), rig->path);
	rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(rig->listener, 4), 0);
	home_link_init(&rig->link, rig->path);
}

static void rig_finish(struct rig *rig) {
	home_link_finish(&rig->link);
	close(rig->listener);
	assert_int_equal(folder_remove(rig->folder), 0);
}

/* The host's end of what was asked; what came lies in text. */
static int host_hears(struct rig *rig, char *text, size_t size) {
	int fd = accept(rig->listener, NULL, NULL);
	assert_true(fd >= 0);
	ssize_t n = recv(fd, text, size - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	return fd;
}

static void an_answer_is_whole_when_the_host_hangs_up(void **state) {
	(void)state;
	struct rig rig;
	char text[HOME_REQUEST_MAX];
	rig_init(&rig);
	uint64_t now_ms = 0;
	for (int i = 0; i < 2; i++) { /* one after the other */
		assert_int_equal(home_link_look(&rig.link), 0);
		assert_int_equal(home_link_look(&rig.link), -EBUSY);
		int fd = host_hears(&rig, text, sizeof(text));
		assert_ptr_equal(strstr(text, "GET /api/v2/launcher "), text);
		assert_int_equal(home_link_take(&rig.link, now_ms), -EAGAIN);
		assert_int_equal(send(fd, "ab", 2, 0), 2);
		assert_int_equal(home_link_take(&rig.link, now_ms), -EAGAIN);
		assert_int_equal(send(fd, "c", 1, 0), 1);
		close(fd);
		assert_int_equal(home_link_take(&rig.link, now_ms), -EAGAIN);
		assert_int_equal(home_link_take(&rig.link, now_ms), 0);
		assert_int_equal(rig.link.fd, -1);
		assert_int_equal(rig.link.len, 3);
		assert_memory_equal(rig.link.answer, "abc", 3);
	}
	rig_finish(&rig);
}

static void a_host_that_says_nothing_is_given_up(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	assert_int_equal(home_link_look(&rig.link), 0);
	uint64_t deadline_ms = rig.link.deadline_ms;
	assert_int_equal(home_link_take(&rig.link, deadline_ms - 1), -EAGAIN);
	assert_int_equal(home_link_take(&rig.link, deadline_ms), -ETIMEDOUT);
	assert_int_equal(rig.link.fd, -1);
	rig_finish(&rig);
}

static void a_host_that_does_not_stop_is_given_up(void **state) {
	(void)state;
	struct rig rig;
	char text[HOME_REQUEST_MAX] = "";
	rig_init(&rig);
	assert_int_equal(home_link_look(&rig.link), 0);
	int fd = host_hears(&rig, text, sizeof(text)), rc = -EAGAIN;
	while (rc == -EAGAIN) {
		assert_true(send(fd, text, sizeof(text), MSG_NOSIGNAL) > 0);
		rc = home_link_take(&rig.link, 0);
	}
	assert_int_equal(rc, -EMSGSIZE);
	assert_int_equal(rig.link.fd, -1);
	close(fd);
	rig_finish(&rig);
}

static void without_a_host_there_is_an_error(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	unlink(rig.path);
	assert_int_equal(home_link_look(&rig.link), -ENOENT);
	assert_int_equal(rig.link.fd, -1);
	char long_path[200];
	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	home_link_finish(&rig.link);
	home_link_init(&rig.link, long_path);
	assert_int_equal(home_link_look(&rig.link), -ENAMETOOLONG);
	rig_finish(&rig);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(each_wish_has_its_call),
		UNIT(what_does_not_fit_is_not_written),
		UNIT(the_world_is_read),
		UNIT(the_longest_id_is_kept_whole),
		UNIT(yes_and_no_are_told_apart),
		UNIT(what_is_no_answer_is_refused),
		UNIT(names_that_are_too_long_are_cut_between_letters),
		UNIT(an_answer_is_whole_when_the_host_hangs_up),
		UNIT(a_host_that_says_nothing_is_given_up),
		UNIT(a_host_that_does_not_stop_is_given_up),
		UNIT(without_a_host_there_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
