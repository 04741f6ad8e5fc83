/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

/* What these take of what all commands have. */
static const struct direct_options *directed(struct command *command) {
	command->direct.runtime = command->runtime;
	command->direct.json = command->json;
	command->direct.name = command->name;
	return &command->direct;
}

enum exit_status run_sessions(struct command *command) {
	return (enum exit_status)direct_sessions(
			directed(command), command->argument, command->second);
}

enum exit_status run_lobby(struct command *command) {
	return (enum exit_status)direct_lobby(
			directed(command), command->argument, command->second);
}

enum exit_status run_token(struct command *command) {
	return (enum exit_status)direct_token(
			directed(command), command->argument, command->second);
}
