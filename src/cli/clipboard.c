/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/named.h"
#include "cli/show.h"

enum {
	ANSWER_MAX = (1 << 20) + 4096, /* a text as long as the host gives, and its head */
	TEXT_MAX = 48 << 10,           /* of what it takes */
};

/* To a terminal without what would steer it; elsewhere as it is. */
static void print_text(const char *body, size_t len) {
	if (!isatty(STDOUT_FILENO)) {
		fwrite(body, 1, len, stdout);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)body[i];
		putchar((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? '?' : c);
	}
	if (len && body[len - 1] != '\n') {
		putchar('\n');
	}
}

static enum exit_status get_text(struct command *command, const char *field, const char *id) {
	char target[160];
	const char *body = NULL;
	size_t len = 0;
	OWN(free) void *answer = NULL;
	text_format(target, sizeof(target), "/api/v2/desktops/clipboard?%s=%s", field, id);
	enum exit_status status =
			command_get_bytes(command, target, ANSWER_MAX, &answer, &body, &len);
	if (status == EXIT_DONE && command->json) {
		json_t *row = json_pack("{s:o}", "text", json_stringn(body, len));
		command_print(command, row);
		json_decref(row);
	} else if (status == EXIT_DONE) {
		print_text(body, len);
	}
	return status;
}

/* The whole of the input. NULL: it was too long, or nothing came, which was said. */
static char *read_input(void) {
	OWN(free) void *text = malloc(TEXT_MAX + 2);
	size_t len = text ? fread(text, 1, TEXT_MAX + 1, stdin) : 0;
	if (!text || ferror(stdin) || len > TEXT_MAX) {
		fprintf(stderr, "perigee: %s\n",
				len > TEXT_MAX ? "that is more than 48 KiB, which is what a "
						 "clipboard takes at once."
					       : strerror(errno));
		return NULL;
	}
	((char *)text)[len] = '\0';
	return (char *)TAKE(text, NULL);
}

static enum exit_status set_text(struct command *command, const char *field, const char *id) {
	OWN(free) void *input = command->third ? NULL : read_input();
	const char *text = command->third ? command->third : (const char *)input;
	if (!text) {
		return EXIT_USAGE;
	}
	json_t *body = json_pack("{s:s,s:s}", field, id, "text", text);
	if (!body) {
		fputs("perigee: that is no text in UTF-8.\n", stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status =
			command_call(command, "/api/v2/desktops/clipboard", body, &answer);
	if (status == EXIT_DONE && command->json) {
		command_print(command, answer.json);
	} else if (status == EXIT_DONE) {
		puts(text[0] ? "It is on the clipboard." : "The clipboard is empty.");
	}
	api_answer_finish(&answer);
	return status;
}

enum exit_status run_clipboard(struct command *command) {
	const char *verb = command->argument ? command->argument : "", *field;
	char id[NAMED_ID_MAX];
	bool get = strcmp(verb, "get") == 0;
	if ((!get && strcmp(verb, "set") != 0) || !command->second) {
		fputs("perigee: say clipboard get SESSION|LOBBY, or clipboard set SESSION|LOBBY "
		      "[TEXT]; without TEXT it is read from the input.\n",
				stderr);
		return EXIT_USAGE;
	}
	if (!named_desktop(command->runtime, command->second, &field, id)) {
		return EXIT_REFUSED;
	}
	return get ? get_text(command, field, id) : set_text(command, field, id);
}
