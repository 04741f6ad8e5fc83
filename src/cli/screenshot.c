/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/named.h"
#include "cli/show.h"

enum {
	ANSWER_MAX = 33 << 20, /* what the host sends at the most, and its head */
};

/* As the file is called; a picture otherwise is a PNG. */
static bool is_jpeg(const char *path) {
	const char *dot = path ? strrchr(path, '.') : NULL;
	return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

static enum exit_status write_file(const char *path, const char *body, size_t len) {
	OWN(file_close) FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "wbe");
	FILE *to = strcmp(path, "-") == 0 ? stdout : file;
	if (!to || fwrite(body, 1, len, to) != len || fflush(to) != 0) {
		fprintf(stderr, "perigee: %s: %s\n", path, strerror(errno));
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

enum exit_status run_screenshot(struct command *command) {
	const char *path = command->second, *field, *body = NULL;
	char target[160], own[80], id[NAMED_ID_MAX];
	if (!command->argument) {
		fputs("perigee: say screenshot SESSION [FILE], or screenshot LOBBY [FILE].\n",
				stderr);
		return EXIT_USAGE;
	}
	if (path && strcmp(path, "-") == 0 && isatty(STDOUT_FILENO)) {
		fputs("perigee: a terminal does not show pictures; say a file.\n", stderr);
		return EXIT_USAGE;
	}
	if (!named_desktop(command->runtime, command->argument, &field, id)) {
		return EXIT_REFUSED;
	}
	text_format(target, sizeof(target), "/api/v2/desktops/screenshot?%s=%s&format=%s", field,
			id, is_jpeg(path) ? "jpeg" : "png");
	size_t len = 0;
	OWN(free) void *answer = NULL;
	enum exit_status status =
			command_get_bytes(command, target, ANSWER_MAX, &answer, &body, &len);
	if (status != EXIT_DONE) {
		return status;
	}
	text_format(own, sizeof(own), "screenshot-%s.png", id);
	path = path ? path : own;
	status = write_file(path, body, len);
	if (status == EXIT_DONE && command->json && strcmp(path, "-") != 0) {
		json_t *row = json_pack("{s:s,s:I}", "file", path, "bytes", (json_int_t)len);
		command_print(command, row);
		json_decref(row);
	} else if (status == EXIT_DONE && strcmp(path, "-") != 0) {
		show_text(stdout, path);
		putchar('\n');
	}
	return status;
}
