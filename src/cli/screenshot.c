/* SPDX-License-Identifier: MIT */
#include "cli/screenshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/api.h"
#include "cli/direct.h"
#include "cli/named.h"
#include "cli/show.h"

OWN_DEFINE(json_t *, json_decref)

enum {
	DONE = 0,
	REFUSED = 1,
	USAGE = 2,
	UNREACHABLE = 3,
	ANSWER_MAX = 33 << 20, /* what the host sends at the most, and its head */
	ID_MAX = 39,
};

/* Ids of sessions are numbers, those of lobbies are not. */
static bool make_target(const char *id, bool jpeg, char *out, size_t size) {
	size_t digits = strspn(id, "0123456789");
	size_t usual = strspn(
			id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");
	return id[0] && strlen(id) <= ID_MAX && id[usual] == '\0' &&
	       text_format(out, size, "/api/v2/desktops/screenshot?%s=%s&format=%s",
			       id[digits] ? "lobby_id" : "session_id", id, jpeg ? "jpeg" : "png");
}

/* As the file is called; a picture otherwise is a PNG. */
static bool is_jpeg(const char *path) {
	const char *dot = path ? strrchr(path, '.') : NULL;
	return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

static int complain(const char *body, size_t len) {
	OWN(json_decref) json_t *json = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));
	fputs("perigee: ", stderr);
	show_text(stderr, error ? error : "the host refused and did not say why.");
	fputc('\n', stderr);
	return REFUSED;
}

static int write_file(const char *path, const char *body, size_t len) {
	OWN(file_close) FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "wbe");
	FILE *to = strcmp(path, "-") == 0 ? stdout : file;
	if (!to || fwrite(body, 1, len, to) != len || fflush(to) != 0) {
		fprintf(stderr, "perigee: %s: %s\n", path, strerror(errno));
		return REFUSED;
	}
	return DONE;
}

int screenshot_save(const struct direct_options *options, const char *id, const char *path) {
	char target[160], own[80], named[NAMED_ID_MAX];
	if (id) {
		named_session(options->runtime, id, named);
		if (strcmp(named, id) == 0 && !named_lobby(options->runtime, id, named)) {
			return USAGE;
		}
		id = named;
	}
	if (!id || !make_target(id, is_jpeg(path), target, sizeof(target))) {
		fputs("perigee: say screenshot SESSION [FILE], or screenshot LOBBY [FILE].\n",
				stderr);
		return USAGE;
	}
	if (path && strcmp(path, "-") == 0 && isatty(STDOUT_FILENO)) {
		fputs("perigee: a terminal does not show pictures; say a file.\n", stderr);
		return USAGE;
	}
	struct api api;
	const char *body = NULL;
	size_t len = 0;
	int status = 0;
	OWN(free) void *answer = NULL;
	int rc = api_find(options->runtime, &api);
	rc = rc < 0 ? rc : api_get_bytes(&api, target, ANSWER_MAX, &answer, &body, &len, &status);
	if (rc < 0) {
		fprintf(stderr, "perigee: no host answers at %s: %s\n", api.socket, strerror(-rc));
		return UNREACHABLE;
	}
	if (status != 200) {
		return complain(body, len);
	}
	text_format(own, sizeof(own), "screenshot-%s.png", id);
	path = path ? path : own;
	rc = write_file(path, body, len);
	if (rc == DONE && strcmp(path, "-") != 0) {
		OWN(json_decref)
		json_t *row = json_pack("{s:s,s:I}", "file", path, "bytes", (json_int_t)len);
		if (options->json) {
			json_dumpf(row, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			show_text(stdout, path);
			putchar('\n');
		}
	}
	return rc;
}
