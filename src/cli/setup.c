/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/config.h"

enum exit_status run_config(struct command *command) {
	const char *verb = command->argument ? command->argument : "show";
	if (strcmp(verb, "check") == 0) {
		int rc = config_check_command(command->libexec, command->second);
		fprintf(stderr, "perigee: perigeed is not installed: %s (--libexec DIR)\n",
				strerror(-rc));
		return EXIT_UNREACHABLE;
	}
	bool reload = strcmp(verb, "reload") == 0;
	if (!reload && strcmp(verb, "show") != 0) {
		fputs("perigee: say config check [FILE], show, or reload.\n", stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = reload ? command_call(command, "/api/v1/system/reload",
							   json_object(), &answer)
					 : command_call(command, "/api/v1/status?filter=config",
							   NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	if (command->json) {
		command_print(command, answer.json);
	} else if (reload) {
		config_show_reloaded(answer.json);
	} else {
		config_show(json_object_get(answer.json, "status"));
	}
	api_answer_finish(&answer);
	return EXIT_DONE;
}

/* Of the folder that is named, or that the running host has. */
enum exit_status run_backup(struct command *command) {
	if (!command->argument) {
		fputs("perigee: say backup FILE.\n", stderr);
		return EXIT_USAGE;
	}
	const char *folder = command->state;
	struct api_answer answer = { 0 };
	enum exit_status status =
			folder ? EXIT_DONE : command_call(command, "/api/v1/status", NULL, &answer);
	const json_t *rows = json_object_get(answer.json, "status");
	for (size_t i = 0; i < json_array_size(rows) && !folder; i++) {
		const json_t *row = json_array_get(rows, i);
		const char *what = json_string_value(json_object_get(row, "what"));
		bool host = what && strcmp(what, "host") == 0;
		folder = host ? json_string_value(json_object_get(row, "state")) : NULL;
	}
	if (status == EXIT_DONE && folder) {
		int rc = config_run(command->libexec, "perigee-backup", folder, command->argument);
		fprintf(stderr, "perigee: perigee-backup is not installed: %s (--libexec DIR)\n",
				strerror(-rc));
		status = EXIT_UNREACHABLE;
	}
	api_answer_finish(&answer);
	return status;
}

enum exit_status run_import(struct command *command) {
	if (!command->second) {
		fputs("perigee: say import wolf config.toml, or import sunshine apps.json.\n",
				stderr);
		return EXIT_USAGE;
	}
	int rc = config_run(command->libexec, "perigee-import", command->argument, command->second);
	fprintf(stderr, "perigee: perigee-import is not installed: %s (--libexec DIR)\n",
			strerror(-rc));
	return EXIT_UNREACHABLE;
}
