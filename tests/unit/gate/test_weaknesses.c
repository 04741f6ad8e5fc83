/* SPDX-License-Identifier: MIT */
/* Published weaknesses of other hosts, tried at the doors of a real gate. docs/security-tests.md
 * has the whole list. */
#include "../unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "rig.h"

#define KEY "X-Perigee-Key: 0123456789abcdef0123456789abcdef\r\n"

enum {
	NOBODY = 65534,
};

/* One request as it is, to a plain or TLS door, as nobody in particular. */
static void ask(struct world *world, enum ipc_door door, const char *request) {
	if (door == DOOR_HTTP) {
		int fd = rig_connect(world->rig.ports[door]);
		rig_write(fd, NULL, request);
		rig_read_answer(fd, NULL, world->text, sizeof(world->text));
		close(fd);
		return;
	}
	struct tls_client client;
	tls_client_open(&client, world->rig.ports[door], NULL);
	rig_write(client.fd, client.ssl, request);
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	tls_client_close(&client);
}

static void get(struct world *world, enum ipc_door door, const char *target, const char *fields) {
	char request[2048];
	text_format(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1:47990\r\nConnection: close\r\n%s\r\n",
			target, fields);
	ask(world, door, request);
}

/* CVE-2024-31220: a path of a file was made from what stood in the address. */
static void no_path_of_a_file_is_made_from_an_address_cve_2024_31220(void **state) {
	static const char *const targets[] = {
		"/../../etc/passwd",
		"/%2e%2e/%2e%2e/etc/passwd",
		"/..%2f..%2fetc/passwd",
		"/..\\..\\etc/passwd",
		"//etc/passwd",
		"/pair.js/../../../etc/passwd",
		"/node_modules/../../../etc/passwd",
		"/pair.js%00.html",
		"/./pair.js",
		"/pair.js/",
		"/appasset/../../etc/passwd",
		"/appasset?appid=../../etc/passwd",
		"/api/v1/../../etc/passwd",
		"file:///etc/passwd",
	};
	struct world *world = world_begin(state, PEER_WEB, 1);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		get(world, DOOR_WEB, targets[i], KEY);
		assert_has(world->text, "HTTP/1.1 4");
		assert_null(strstr(world->text, "root:"));
		assert_null(strstr(world->text, "use strict"));
	}
	world_end(world);
	world = world_begin(state, PEER_GATE, 1);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		get(world, DOOR_HTTP, targets[i], "");
		assert_has(world->text, "HTTP/1.1 4");
		world_get_tls(world, &world->client,
				targets[i][0] == '/' ? targets[i] : "/file:///etc/passwd");
		assert_has(world->text, "HTTP/1.1 4");
		assert_null(strstr(world->text, "root:"));
	}
	world_end(world);
}

static void check_confined(const struct world *world, const char *what) {
	static const char *const fields[] = { "frame-ancestors 'none'", "default-src 'none'",
		"X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer" };
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!strstr(world->text, fields[i])) {
			fail_msg("%s: no %s in %.300s", what, fields[i], world->text);
		}
	}
	/* And no answer leaves something with a browser that it would show to others. */
	assert_null(strstr(world->text, "Set-Cookie"));
	assert_null(strstr(world->text, "Access-Control-Allow"));
}

/* CVE-2025-53096: pages, and also errors, could be framed and clicked through. */
static void every_answer_forbids_frames_and_guessing_cve_2025_53096(void **state) {
	static const struct {
		enum ipc_peer role;
		enum ipc_door door;
		const char *request;
	} rows[] = {
		{ PEER_WEB, DOOR_WEB, "GET / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "GET /icon.svg HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "GET /api/v1/clients HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "GET /api/v1/clients HTTP/1.1\r\nHost: a\r\n" KEY "\r\n" },
		{ PEER_WEB, DOOR_WEB,
				"GET /api/v1/clients HTTP/1.1\r\nHost: a\r\n" KEY
				"Origin: https://b\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB,
				"POST /api/v1/pair/client HTTP/1.1\r\nHost: a\r\n" KEY
				"Content-Length: 1\r\n\r\n{" },
		{ PEER_WEB, DOOR_WEB, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_WEB, DOOR_WEB, "GET / HTTP/1.1\nHost: a\n\n" },
		{ PEER_GATE, DOOR_HTTP, "GET /serverinfo HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_GATE, DOOR_HTTP, "GET /pair?x HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_GATE, DOOR_HTTP, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_GATE, DOOR_HTTP, "GET / HTTP/1.1\nHost: a\n\n" },
		{ PEER_GATE, DOOR_HTTPS, "GET /applist HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ PEER_GATE, DOOR_HTTPS, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" },
	};
	static const enum ipc_peer roles[] = { PEER_WEB, PEER_GATE };
	for (size_t role = 0; role < ARRAY_LEN(roles); role++) {
		struct world *world = world_begin(state, roles[role], 1);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			if (rows[i].role == roles[role]) {
				ask(world, rows[i].door, rows[i].request);
				check_confined(world, rows[i].request);
			}
		}
		world_end(world);
	}
}

/* CVE-2025-53095: another site's page let a logged-in browser add a command. Here nothing that a
 * browser adds by itself authorises: the key is a field that only our page sets. */
static void another_sites_page_can_do_nothing_cve_2025_53095(void **state) {
	static const char *const foreign[] = {
		"Origin: https://evil.example\r\n",
		"Origin: null\r\n",
		"Origin: http://127.0.0.1:47990\r\n",
		"Origin: https://127.0.0.1:47991\r\n",
		"Origin: https://127.0.0.1\r\n",
		"Origin: https://127.0.0.1:47990.evil.example\r\n",
		"Origin: https://127.0.0.1:47990\r\nOrigin: https://evil.example\r\n",
		"Sec-Fetch-Site: cross-site\r\n",
		"Sec-Fetch-Site: same-site\r\n",
		"Sec-Fetch-Site: \r\n",
		"Origin: https://127.0.0.1:47990\r\nSec-Fetch-Site: cross-site\r\n",
	};
	/* What browsers add by themselves, or a form can carry. */
	static const char *const ambient[] = {
		"Cookie: key=0123456789abcdef0123456789abcdef\r\n",
		"Authorization: Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6\r\n",
		"Content-Type: text/plain\r\n",
		"Referer: https://127.0.0.1:47990/\r\n",
	};
	struct world *world = world_begin(state, PEER_WEB, 1);
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		char fields[512];
		text_format(fields, sizeof(fields), KEY "%s", foreign[i]);
		get(world, DOOR_WEB, "/api/v1/clients", fields);
		if (!strstr(world->text, "HTTP/1.1 403 ")) {
			fail_msg("%s: %.100s", foreign[i], world->text);
		}
		assert_null(strstr(world->text, "Anna"));
	}
	for (size_t i = 0; i < ARRAY_LEN(ambient); i++) {
		get(world, DOOR_WEB, "/api/v1/clients", ambient[i]);
		assert_has(world->text, "HTTP/1.1 401 ");
		/* The right key between them keeps the source from being locked out. */
		get(world, DOOR_WEB, "/api/v1/clients", KEY);
		assert_has(world->text, "Anna");
	}
	get(world, DOOR_WEB, "/api/v1/clients?key=0123456789abcdef0123456789abcdef", "");
	assert_has(world->text, "HTTP/1.1 401 ");
	/* A read cannot change anything, whatever it is called. */
	get(world, DOOR_WEB, "/api/v1/unpair/client", KEY);
	assert_has(world->text, "HTTP/1.1 405 ");
	world_end(world);
}

/* Moonshine 0.10: the uniqueid of a pairing request came back in a page, unescaped. */
static void a_hostile_uniqueid_is_refused_and_never_echoed(void **state) {
	static const char *const ids[] = {
		"%3Cscript%3Ealert(1)%3C/script%3E",
		"\"onload=alert(1)",
		"0123%27%3B--",
		"%0d%0aSet-Cookie:x=y",
		"../../x",
	};
	struct world *world = world_begin(state, PEER_GATE, 1);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		char target[512];
		text_format(target, sizeof(target),
				"/pair?uniqueid=%s&phrase=getservercert"
				"&salt=000102030405060708090A0B0C0D0E0F&clientcert=00",
				ids[i]);
		get(world, DOOR_HTTP, target, "");
		assert_true(strstr(world->text, "HTTP/1.1 400 ") ||
				strstr(world->text, "status_code=\"400\""));
		assert_null(strstr(world->text, "alert"));
		assert_null(strstr(world->text, "script"));
		assert_null(strstr(world->text, "Set-Cookie"));
		assert_null(strstr(world->text, "../.."));
	}
	assert_true(rig_is_quiet(&world->rig, 20));
	world_end(world);
}

/* As another user, whom file permissions let through this time. Returns an answer's first
 * bytes through the pipe. */
static void ask_as_nobody(const struct world *world, const char *request, char *out, size_t size) {
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		struct sockaddr_un sa = { .sun_family = AF_UNIX };
		char answer[512] = "";
		text_copy(sa.sun_path, sizeof(sa.sun_path), world->rig.api_path);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0 &&
				connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
				send(fd, request, strlen(request), 0) > 0) {
			ssize_t n = recv(fd, answer, sizeof(answer) - 1, 0);
			n = write(ends[1], answer, n > 0 ? (size_t)n : 0);
		}
		_exit(0);
	}
	assert_true(child > 0);
	close(ends[1]);
	ssize_t n = read(ends[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	waitpid(child, NULL, 0);
}

/* Wolf: whoever reached the API's socket, and that was every app, could run any command. */
static void the_unix_socket_asks_who_is_there_for_every_verb(void **state) {
	static const char *const requests[] = {
		"GET /api/v1/status HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /api/v1/clients HTTP/1.1\r\nHost: a\r\n" KEY "\r\n",
		"GET /api/v1/pair/link HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /api/v1/pair/client HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
		"POST /api/v1/unpair/client HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
	};
	if (getuid() != 0) {
		SKIP("root: it is done as a second user");
	}
	struct world *world = world_begin(state, PEER_WEB, 1);
	assert_int_equal(chmod(world->rig.api_path, 0666), 0);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		char answer[512];
		ask_as_nobody(world, requests[i], answer, sizeof(answer));
		if (!strstr(answer, "HTTP/1.1 403 ")) {
			fail_msg("%.40s: %.100s", requests[i], answer);
		}
	}
	assert_true(rig_is_quiet(&world->rig, 20));
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(no_path_of_a_file_is_made_from_an_address_cve_2024_31220),
		UNIT(every_answer_forbids_frames_and_guessing_cve_2025_53096),
		UNIT(another_sites_page_can_do_nothing_cve_2025_53095),
		UNIT(a_hostile_uniqueid_is_refused_and_never_echoed),
		UNIT(the_unix_socket_asks_who_is_there_for_every_verb),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
