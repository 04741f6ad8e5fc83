/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/command.h"
#include "cli/named.h"
#include "cli/show.h"

/* The list in an answer, whatever it is called. */
static json_t *list_in(const struct api_answer *answer) {
	const char *name;
	json_t *value;
	json_object_foreach(answer->json, name, value) {
		if (json_is_array(value)) {
			return value;
		}
	}
	return NULL;
}

enum exit_status run_clients(struct command *command) {
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/clients", NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	json_t *clients = list_in(&answer);
	if (!command->json && json_array_size(clients) == 0) {
		puts("No client is paired. Choose this host in Moonlight, then: perigee pair PIN");
	} else {
		command_print_list(command, answer.json, "clients");
	}
	api_answer_finish(&answer);
	return EXIT_DONE;
}

/* Where a browser can type the PIN. A host without a web door has no such place. */
static void print_link(struct command *command) {
	struct api_answer answer = { 0 };
	if (api_call(&command->api, "/api/v1/pair/link", NULL, &answer) < 0) {
		return;
	}
	const char *url = json_string_value(json_object_get(answer.json, "url"));
	if (answer.status == 200 && url) {
		fputs("Pair in a browser: ", stdout);
		show_text(stdout, url);
		putchar('\n');
	}
	api_answer_finish(&answer);
}

static enum exit_status show_waiting(struct command *command) {
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/pair/pending", NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	if (command->json) {
		command_print(command, answer.json);
	} else {
		json_t *waiting = list_in(&answer);
		if (json_array_size(waiting) == 0) {
			puts("No client waits to be paired. Choose this host in Moonlight; it "
			     "shows a PIN.\nThen: perigee pair PIN");
		} else {
			puts("Waiting to be paired:");
			show_json(stdout, waiting);
			puts("Type the PIN that the client shows: perigee pair PIN [--pairing ID]");
		}
		print_link(command);
	}
	api_answer_finish(&answer);
	return EXIT_DONE;
}

static bool is_pin(const char *text) {
	return strlen(text) == 4 && strspn(text, "0123456789") == 4;
}

enum exit_status run_pair(struct command *command) {
	if (!command->argument) {
		return show_waiting(command);
	}
	if (!is_pin(command->argument)) {
		fputs("perigee: a PIN is the four digits that the client shows.\n", stderr);
		return EXIT_USAGE;
	}
	json_t *body = json_pack("{ss}", "pin", command->argument);
	if (body && command->name) {
		json_object_set_new(body, "name", json_string(command->name));
	}
	if (body && command->pairing) {
		json_object_set_new(body, "pairing", json_string(command->pairing));
	}
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/pair/client", body, &answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			command_print(command, answer.json);
		} else {
			puts("The PIN was taken; the client now proves that it knows it.");
		}
		api_answer_finish(&answer);
	}
	return status;
}

enum exit_status run_unpair(struct command *command) {
	if (!command->argument) {
		fputs("perigee: which client? `perigee clients` shows their names.\n", stderr);
		return EXIT_USAGE;
	}
	char id[NAMED_ID_MAX];
	if (!named_client(command->runtime, command->argument, id)) {
		return EXIT_REFUSED;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/unpair/client",
			json_pack("{ss}", "client_id", id), &answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			command_print(command, answer.json);
		} else {
			puts("The client is no longer paired.");
		}
		api_answer_finish(&answer);
	}
	return status;
}

/* "list,launch" as a list; "all" is every permission there is. */
static json_t *words_of(const char *text) {
	json_t *list = json_array();
	if (strcmp(text, "all") == 0) {
		text = "list,launch,keyboard,mouse,touch,gamepad,clipboard,lobby_create,lobby_join";
	}
	while (*text && strcmp(text, "none") != 0) {
		size_t len = strcspn(text, ",");
		json_array_append_new(list, json_stringn(text, len));
		text += len + (text[len] == ',');
	}
	return list;
}

enum exit_status run_permit(struct command *command) {
	if (!command->second) {
		fputs("perigee: say permit CLIENT WORDS, with the words of list, launch, keyboard, "
		      "mouse, "
		      "touch, gamepad, clipboard, lobby_create, lobby_join, separated by commas; "
		      "or "
		      "all, or none. `perigee clients` shows clients.\n",
				stderr);
		return EXIT_USAGE;
	}
	char id[NAMED_ID_MAX];
	if (!named_client(command->runtime, command->argument, id)) {
		return EXIT_REFUSED;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/clients/settings",
			json_pack("{ss,so}", "client_id", id, "permissions",
					words_of(command->second)),
			&answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			command_print(command, answer.json);
		} else {
			puts("That is what the client may from now on.");
		}
		api_answer_finish(&answer);
	}
	return status;
}
