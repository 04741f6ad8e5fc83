/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/api.h"
#include "cli/direct.h"
#include "cli/upgrade.h"

/* What every command of `perigee` is given, and what those that ask the host share. A
 * command is one row of the table in main.c and one run_ function in a file by its topic:
 * clients.c, clipboard.c, direct_commands.c (sessions, lobbies, tokens), events.c,
 * host.c, logs.c, screenshot.c, setup.c, top.c. */

enum exit_status {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,
};

struct command {
	const char *runtime, *name, *pairing; /* borrowed, NULL when not given */
	const char *libexec;                  /* borrowed, NULL when not given */
	const char *state;                    /* borrowed, NULL when not given */
	bool json, ready, follow;
	struct upgrade_options upgrade;
	struct direct_options direct;
	const char *argument; /* the one after the subcommand, or NULL */
	const char *second;   /* the one after that, or NULL */
	const char *third;    /* and the next, or NULL */
	struct api api;
};

/* Calls the host, and says what went wrong if it did. Takes body, which may be NULL.
 * EXIT_DONE: *out is to be finished. */
enum exit_status command_call(
		struct command *command, const char *target, json_t *body, struct api_answer *out);

/* Says why nothing came back from command->api. */
enum exit_status command_unreachable(const struct command *command, int rc);

/* The same for what is no JSON: a picture, a text, of `size` bytes at most with its head. *out
 * (owned by the caller, free()) holds it, *out_body (within it) and *out_len say where. */
enum exit_status command_get_bytes(struct command *command, const char *target, size_t size,
		void **out, const char **out_body, size_t *out_len);

/* An answer as people read it, or as it came when they asked for JSON. */
void command_print(const struct command *command, json_t *json);

/* The same of a list that an answer has by that name: for people a table. */
void command_print_list(const struct command *command, json_t *json, const char *list);

/* Asks and prints: all that some commands do. */
enum exit_status command_ask(struct command *command, const char *target);

/* clients.c: who may use this host. */
enum exit_status run_clients(struct command *command);
enum exit_status run_pair(struct command *command);
enum exit_status run_unpair(struct command *command);
enum exit_status run_permit(struct command *command);

/* clipboard.c, screenshot.c: what a desktop has and shows. */
enum exit_status run_clipboard(struct command *command);
enum exit_status run_screenshot(struct command *command);

/* events.c, logs.c, top.c: what happens, and what did. */
enum exit_status run_events(struct command *command);
enum exit_status run_logs(struct command *command);
enum exit_status run_top(struct command *command);

/* direct_commands.c: what runs at the moment. */
enum exit_status run_sessions(struct command *command);
enum exit_status run_lobby(struct command *command);
enum exit_status run_token(struct command *command);

/* host.c: the host as a whole, and its processes. */
enum exit_status run_status(struct command *command);
enum exit_status run_apps(struct command *command);
enum exit_status run_evidence(struct command *command);
enum exit_status run_restart(struct command *command);
enum exit_status run_upgrade(struct command *command);
enum exit_status run_health(struct command *command);
enum exit_status run_doctor(struct command *command);

/* setup.c: files that a host starts from. */
enum exit_status run_import(struct command *command);
enum exit_status run_backup(struct command *command);
enum exit_status run_config(struct command *command);

#endif
