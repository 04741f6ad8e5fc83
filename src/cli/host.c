/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/evidence.h"
#include "cli/health.h"

enum exit_status run_status(struct command *command) {
	return command_ask(command, "/api/v1/status");
}

enum exit_status run_apps(struct command *command) {
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/apps", NULL, &answer);
	if (status == EXIT_DONE) {
		command_print_list(command, answer.json, "apps");
		api_answer_finish(&answer);
	}
	return status;
}

enum exit_status run_evidence(struct command *command) {
	const char *verb = command->argument ? command->argument : "list";
	bool show = strcmp(verb, "show") == 0, take = strcmp(verb, "take") == 0;
	if ((!show && !take && strcmp(verb, "list") != 0) || (show && !command->second)) {
		fputs("perigee: say evidence list, show ID, or take [KIND|WORKER].\n", stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/status", NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	const json_t *rows = json_object_get(answer.json, "status");
	int rc = show   ? evidence_show(rows, command->second)
		 : take ? evidence_take(rows, command->second)
			: evidence_list(rows, command->json);
	api_answer_finish(&answer);
	return rc ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_status run_health(struct command *command) {
	return health_command(command->runtime, command->ready) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_status run_doctor(struct command *command) {
	int rc = doctor_command(command->runtime, command->libexec, command->json);
	return rc == 0 ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_status run_restart(struct command *command) {
	if (!command->argument) {
		fputs("perigee: restart what? For example: perigee restart encoder ID, with the "
		      "session's ID that `perigee status` shows.\n",
				stderr);
		return EXIT_USAGE;
	}
	json_t *body = json_pack("{ss}", "kind", command->argument);
	if (body && command->second) {
		json_object_set_new(body, "id", json_string(command->second));
	}
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/system/restart", body, &answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			command_print(command, answer.json);
		} else {
			puts("It was ended; another one takes its place.");
		}
		api_answer_finish(&answer);
	}
	return status;
}

enum exit_status run_upgrade(struct command *command) {
	json_t *body = upgrade_body(&command->upgrade);
	if (!body) {
		fputs("perigee: --deadline is a number of seconds, 1 to 600.\n", stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/system/upgrade", body, &answer);
	if (status == EXIT_DONE && command->json) {
		command_print(command, answer.json);
	} else if (status == EXIT_DONE &&
			upgrade_follow(&command->api, &command->upgrade, answer.json) < 0) {
		status = EXIT_REFUSED;
	}
	api_answer_finish(&answer);
	return status;
}
