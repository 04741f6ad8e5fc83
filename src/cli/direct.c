/* SPDX-License-Identifier: MIT */
#include "cli/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/api.h"
#include "cli/named.h"
#include "cli/net.h"
#include "cli/show.h"
#include "proto/http.h"

OWN_DEFINE(json_t *, json_decref)

enum {
	DONE = 0,
	REFUSED = 1,
	USAGE = 2,
	UNREACHABLE = 3,
	ANSWER_MS = 9000, /* for what the host makes; we ourselves wait 10 s for bytes */
	TOP_MS = 1000,
	LOG_TAIL = 8192, /* bytes shown of what was there before */
};

/* ---- calls ---- */

static int unreachable(const struct api *api, int rc) {
	fprintf(stderr, "perigee: no host answers at %s: %s\n", api->socket, strerror(-rc));
	return UNREACHABLE;
}

static int complain(const struct api_answer *answer) {
	const char *error = json_string_value(json_object_get(answer->json, "error"));
	fputs("perigee: ", stderr);
	show_text(stderr, error ? error : "the host refused and did not say why.");
	fputc('\n', stderr);
	return REFUSED;
}

/* Takes the body. DONE: *out is to be finished. */
static int call(const struct direct_options *options, const char *target, json_t *body,
		struct api_answer *out) {
	struct api api;
	int rc = api_find(options->runtime, &api);
	rc = rc < 0 ? rc : api_call(&api, target, body, out);
	json_decref(body);
	if (rc < 0) {
		return unreachable(&api, rc);
	}
	if (out->status != 200) {
		rc = complain(out);
		api_answer_finish(out);
		return rc;
	}
	return DONE;
}

/* Prints the list of that name, or what else there is. */
static int call_and_print(const struct direct_options *options, const char *target, json_t *body,
		const char *list, const char *none) {
	struct api_answer answer = { 0 };
	int rc = call(options, target, body, &answer);
	if (rc != DONE) {
		return rc;
	}
	json_t *rows = list ? json_object_get(answer.json, list) : NULL;
	if (options->json) {
		json_dumpf(answer.json, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (rows && json_array_size(rows) == 0) {
		puts(none);
	} else if (rows) {
		show_json(stdout, rows);
	} else {
		json_object_del(answer.json, "success");
		if (json_object_size(answer.json) > 0) {
			show_json(stdout, answer.json);
		} else {
			puts(none);
		}
	}
	api_answer_finish(&answer);
	return DONE;
}

static void put(json_t *body, const char *name, const char *value) {
	if (value) {
		json_object_set_new(body, name, json_string(value));
	}
}

static int usage(const char *words) {
	fprintf(stderr, "perigee: %s\n", words);
	return USAGE;
}

/* ---- sessions ---- */

int direct_sessions(const struct direct_options *options, const char *verb, const char *id) {
	if (!verb) {
		return call_and_print(options, "/api/v1/sessions", NULL, "sessions",
				"Nobody has a session.");
	}
	bool stop = strcmp(verb, "stop") == 0;
	if ((!stop && strcmp(verb, "pause") != 0) || !id) {
		return usage("say sessions, sessions pause ID, or sessions stop ID.");
	}
	char session[NAMED_ID_MAX];
	named_session(options->runtime, id, session);
	return call_and_print(options, stop ? "/api/v1/sessions/stop" : "/api/v1/sessions/pause",
			json_pack("{s:s}", "session_id", session), NULL,
			stop ? "The session ends." : "The viewer is sent away; its desktop stays.");
}

/* ---- lobbies ---- */

/* Digits as Wolf wants them. False when it is none. */
static bool put_pin(json_t *body, const char *pin) {
	if (!pin) {
		return true;
	}
	json_t *digits = json_array();
	for (const char *c = pin; *c; c++) {
		if (*c < '0' || *c > '9') {
			json_decref(digits);
			return false;
		}
		json_array_append_new(digits, json_integer(*c - '0'));
	}
	json_object_set_new(body, "pin", digits);
	return true;
}

static int lobby_create(const struct direct_options *options, const char *name) {
	if (!name || (!options->app && !options->run)) {
		return usage("say lobby create NAME --app APP, or --run COMMAND.");
	}
	json_t *body = json_pack("{s:s,s:i}", "name", name, "deadline_ms", ANSWER_MS);
	if (options->app) {
		char app[NAMED_ID_MAX];
		named_app(options->runtime, options->app, app);
		put(body, "app_id", app);
	}
	if (options->run) {
		json_object_set_new(body, "runner",
				json_pack("{s:s,s:s}", "type", "process", "run_cmd", options->run));
	}
	if (!put_pin(body, options->pin)) {
		json_decref(body);
		return usage("a PIN has digits only.");
	}
	return call_and_print(options, "/api/v1/lobbies/create", body, NULL, "");
}

int direct_lobby(const struct direct_options *options, const char *verb, const char *id) {
	static const struct {
		const char *verb, *target, *done;
		bool session, pin, role;
	} verbs[] = {
		{ "join", "/api/v1/lobbies/join", "It is in the lobby.", true, true, true },
		{ "leave", "/api/v1/lobbies/leave", "It is back at its own desktop.", true, false,
				false },
		{ "stop", "/api/v1/lobbies/stop", "The lobby ends.", false, true, false },
		{ "kick", "/api/v2/lobbies/kick", "It is put out.", true, false, false },
	};
	if (!verb || strcmp(verb, "list") == 0) {
		return call_and_print(
				options, "/api/v1/lobbies", NULL, "lobbies", "There is no lobby.");
	}
	if (strcmp(verb, "create") == 0) {
		return lobby_create(options, id);
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verb, verbs[i].verb) != 0) {
			continue;
		}
		if (!id || (verbs[i].session && !options->session)) {
			return usage(verbs[i].session ? "say which: LOBBY --session ID."
						      : "say which lobby.");
		}
		char lobby[NAMED_ID_MAX], session[NAMED_ID_MAX];
		if (!named_lobby(options->runtime, id, lobby)) {
			return USAGE;
		}
		json_t *body = json_pack("{s:s}", "lobby_id", lobby);
		if (verbs[i].session) {
			named_session(options->runtime, options->session, session);
			put(body, "moonlight_session_id", session);
		}
		put(body, "role", verbs[i].role ? options->role : NULL);
		if (verbs[i].role) {
			json_object_set_new(body, "deadline_ms", json_integer(ANSWER_MS));
		}
		if (!put_pin(body, verbs[i].pin ? options->pin : NULL)) {
			json_decref(body);
			return usage("a PIN has digits only.");
		}
		return call_and_print(options, verbs[i].target, body, NULL, verbs[i].done);
	}
	return usage("say lobby list, create, join, leave, stop or kick.");
}

/* ---- tokens ---- */

static json_t *split(const char *list) {
	json_t *out = json_array();
	while (list && *list) {
		size_t len = strcspn(list, ",");
		json_array_append_new(out, json_stringn(list, len));
		list += len + (list[len] == ',');
	}
	return out;
}

int direct_token(const struct direct_options *options, const char *verb, const char *id) {
	if (!verb || strcmp(verb, "list") == 0) {
		return call_and_print(
				options, "/api/v2/tokens", NULL, "tokens", "There is no token.");
	}
	if (strcmp(verb, "create") == 0 && options->scope) {
		json_t *body = json_pack("{s:o}", "scopes", split(options->scope));
		put(body, "name", options->name);
		return call_and_print(options, "/api/v2/tokens/create", body, NULL, "");
	}
	if (strcmp(verb, "remove") == 0 && id) {
		return call_and_print(options, "/api/v2/tokens/remove",
				json_pack("{s:s}", "token_id", id), NULL,
				"The token lets nobody in any more.");
	}
	return usage("say token list, token create --scope read,lobbies [--name N], or token "
		     "remove ID.");
}

/* ---- events ---- */

/* One block of lines up to an empty one. */
static void print_event(const struct direct_options *options, char *block) {
	char *name = NULL, *data = NULL, *rest = block;
	for (char *line; (line = strsep(&rest, "\n"));) {
		name = strncmp(line, "event: ", 7) == 0 ? line + 7 : name;
		data = strncmp(line, "data: ", 6) == 0 ? line + 6 : data;
	}
	if (!name || !data) {
		return;
	}
	OWN(json_decref) json_t *object = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
	if (options->json) {
		OWN(json_decref)
		json_t *row = json_pack("{s:s,s:O}", "event", name, "data", object);
		json_dumpf(row, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		show_text(stdout, name);
		putchar('\n');
		show_json(stdout, object);
	}
	fflush(stdout);
}

static int begin_events(int fd, const char *filter) {
	char request[1200];
	if (!text_format(request, sizeof(request),
			    "GET /api/v1/events%s%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
			    filter ? "?events=" : "", filter ? filter : "")) {
		return -ENOSPC;
	}
	return net_write(fd, request, strlen(request), net_deadline_ns(NET_LIMIT_MS));
}

/* Takes whole blocks off the buffer's front. Returns what is left in it. */
static size_t print_blocks(const struct direct_options *options, char *buf, size_t len) {
	char *end;
	while ((end = (char *)memmem(buf, len, "\n\n", 2))) {
		size_t used = (size_t)(end - buf) + 2;
		*end = '\0';
		print_event(options, buf);
		memmove(buf, buf + used, len - used);
		len -= used;
	}
	return len;
}

int direct_events(const struct direct_options *options, const char *filter) {
	static const size_t size = 256 * 1024;
	struct api api;
	OWN(fd_close) int fd = -1;
	OWN(free) void *memory = malloc(size);
	char *buf = (char *)memory;
	int rc = api_find(options->runtime, &api);
	rc = rc < 0 ? rc : net_connect_unix(api.socket, net_deadline_ns(NET_LIMIT_MS), &fd);
	rc = rc < 0 ? rc : begin_events(fd, filter);
	if (rc < 0 || !buf) {
		return unreachable(&api, rc < 0 ? rc : -ENOMEM);
	}
	size_t len = 0;
	bool begun = false;
	for (;;) {
		/* A comment comes every 15 s, whatever happens. */
		int got = net_read(fd, buf + len, size - len, net_deadline_ns(40000));
		if (got <= 0) {
			fputs("perigee: the host has ended the stream of events.\n", stderr);
			return UNREACHABLE;
		}
		len += (size_t)got;
		struct http_response response;
		int head = begun ? 0 : http_response_parse(buf, len, 0, &response);
		if (!begun && head > 0) {
			if (response.status != 200) {
				return usage("there is no event of that name.");
			}
			begun = true;
			len -= (size_t)head;
			memmove(buf, buf + head, len);
		}
		len = begun ? print_blocks(options, buf, len) : len;
		if (len == size) {
			return unreachable(&api, -EBADMSG);
		}
	}
}

/* ---- the log ---- */

static int find_log(const struct direct_options *options, char *out, size_t size) {
	struct api_answer answer = { 0 };
	int rc = call(options, "/api/v1/status?filter=host", NULL, &answer);
	if (rc != DONE) {
		return rc;
	}
	const json_t *row = json_array_get(json_object_get(answer.json, "status"), 0);
	const char *path = json_string_value(json_object_get(row, "log"));
	rc = path && text_copy(out, size, path) ? DONE : REFUSED;
	api_answer_finish(&answer);
	return rc;
}

static void print_lines(const struct direct_options *options, FILE *file) {
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&line, &size, file)) > 0) {
		line[len - (line[len - 1] == '\n')] = '\0';
		if (options->json) {
			OWN(json_decref) json_t *row = json_pack("{s:s}", "line", line);
			json_dumpf(row, stdout, JSON_COMPACT);
		} else {
			show_text(stdout, line);
		}
		putchar('\n');
	}
	clearerr(file);
	fflush(stdout);
	free(line);
}

/* The last part of it, from the beginning of a line on. */
static void go_to_tail(FILE *file) {
	if (fseek(file, -LOG_TAIL, SEEK_END) < 0) {
		rewind(file);
		return;
	}
	for (int c; (c = getc(file)) != EOF && c != '\n';) {
	}
}

int direct_logs(const struct direct_options *options) {
	char path[512];
	int rc = find_log(options, path, sizeof(path));
	if (rc != DONE) {
		return rc;
	}
	OWN(file_close) FILE *file = fopen(path, "re");
	OWN(fd_close) int watch = options->follow ? inotify_init1(IN_CLOEXEC) : -1;
	if (!file || (options->follow && inotify_add_watch(watch, path, IN_MODIFY | IN_MOVE_SELF) <
							 0)) {
		fprintf(stderr, "perigee: %s: %s\n", path, strerror(errno));
		return REFUSED;
	}
	go_to_tail(file);
	print_lines(options, file);
	while (options->follow && !ferror(stdout)) {
		char events[4096];
		ssize_t got = read(watch, events, sizeof(events));
		if (got <= 0 && errno != EINTR) {
			break;
		}
		print_lines(options, file);
		struct stat now, ours;
		if (stat(path, &now) == 0 && fstat(fileno(file), &ours) == 0 &&
				now.st_ino != ours.st_ino) { /* rotated: the new one from its start
							      */
			FILE *next = fopen(path, "re");
			if (next && inotify_add_watch(watch, path, IN_MODIFY | IN_MOVE_SELF) >= 0) {
				fclose(file);
				file = next;
				print_lines(options, file);
			}
		}
	}
	return DONE;
}

/* ---- top ---- */

static void print_top(const json_t *rows) {
	size_t i;
	json_t *row;
	json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
		const char *what = json_string_value(json_object_get(row, "what"));
#define NUMBER(name) ((long long)json_integer_value(json_object_get(row, name)))
#define WORD(name) (json_string_value(json_object_get(row, name)) ?: "")
		if (strcmp(what ? what : "", "host") == 0) {
			printf("%s  up %lld s  sessions %lld of %lld  processes %lld  lost %lld  "
			       "hung %lld\n\n%-17s %-16s %-10s %9s %5s %9s %9s %8s\n",
					WORD("name"), NUMBER("uptime_s"), NUMBER("sessions"),
					NUMBER("sessions_max"), NUMBER("processes"), NUMBER("lost"),
					NUMBER("hung"), "SESSION", "APP", "STATE", "SIZE", "HZ",
					"AGE p50", "AGE p99", "LOSS ppm");
		} else if (strcmp(what ? what : "", "session") == 0) {
			char size[24];
			text_format(size, sizeof(size), "%lldx%lld", NUMBER("width"),
					NUMBER("height"));
			printf("%-17s %-16.16s %-10s %9s %5lld %6lld us %6lld us %8lld\n",
					WORD("id"), WORD("app"), WORD("state"), size,
					NUMBER("rate_mhz") / 1000, NUMBER("age_p50_us"),
					NUMBER("age_p99_us"), NUMBER("loss_ppm"));
		}
#undef NUMBER
#undef WORD
	}
}

int direct_top(const struct direct_options *options) {
	bool live = isatty(STDOUT_FILENO) && !options->json;
	for (;;) {
		struct api_answer answer = { 0 };
		int rc = call(options, "/api/v1/status", NULL, &answer);
		if (rc != DONE) {
			return rc;
		}
		const json_t *rows = json_object_get(answer.json, "status");
		if (options->json) {
			json_dumpf(rows, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			fputs(live ? "\033[H\033[2J" : "", stdout);
			print_top(rows);
		}
		fflush(stdout);
		api_answer_finish(&answer);
		/* Until somebody presses a key, the terminal is gone, or it is time to look. */
		struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
		if (!live || poll(&input, 1, TOP_MS) != 0) {
			return DONE;
		}
	}
}
