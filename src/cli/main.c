/* SPDX-License-Identifier: MIT */
/* The operator's command. It asks the host's API over its Unix socket and says what
 * came back; it has no state, opens no other file of the host and needs no privilege
 * but to connect. `perigee probe` is a program of its own, because it links decoders. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "cli/api.h"
#include "cli/config.h"
#include "cli/direct.h"
#include "cli/doctor.h"
#include "cli/evidence.h"
#include "cli/health.h"
#include "cli/programs.h"
#include "cli/show.h"
#include "cli/upgrade.h"

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
	bool json, ready;
	struct upgrade_options upgrade;
	struct direct_options direct;
	const char *argument; /* the one after the subcommand, or NULL */
	const char *second;   /* the one after that, or NULL */
	struct api api;
};

/* Says why nothing came back. */
static enum exit_status unreachable(const struct command *command, int rc) {
	if (rc == -ENOENT || rc == -ECONNREFUSED) {
		fprintf(stderr,
				"perigee: no host answers at %s. Is it running? "
				"(--runtime DIR says where its sockets are.)\n",
				command->api.socket);
	} else if (rc == -EACCES) {
		fprintf(stderr, "perigee: %s may not be used by this user.\n", command->api.socket);
	} else if (rc == -ETIMEDOUT) {
		fprintf(stderr, "perigee: the host at %s does not answer within 10 seconds.\n",
				command->api.socket);
	} else {
		fprintf(stderr, "perigee: %s: %s\n", command->api.socket, strerror(-rc));
	}
	return EXIT_UNREACHABLE;
}

static bool says_success(const struct api_answer *answer) {
	const json_t *success = json_object_get(answer->json, "success");
	return answer->status == 200 && answer->json && !json_is_false(success);
}

static enum exit_status refused(const struct api_answer *answer) {
	const char *error = json_string_value(json_object_get(answer->json, "error"));
	const char *message = json_string_value(json_object_get(answer->json, "message"));
	fputs("perigee: ", stderr);
	if (error || message) {
		show_text(stderr, error ? error : message);
		fputc('\n', stderr);
	} else if (answer->status == 404) {
		fputs("this host does not know that request.\n", stderr);
	} else {
		fprintf(stderr, "the host answered with status %d.\n", answer->status);
	}
	return EXIT_REFUSED;
}

/* Calls, and says what went wrong if it did. EXIT_DONE: *out is to be finished. */
static enum exit_status call(
		struct command *command, const char *target, json_t *body, struct api_answer *out) {
	int rc = api_find(command->runtime, &command->api);
	rc = rc < 0 ? rc : api_call(&command->api, target, body, out);
	json_decref(body);
	if (rc < 0) {
		return unreachable(command, rc);
	}
	if (!says_success(out)) {
		enum exit_status status = refused(out);
		api_answer_finish(out);
		return status;
	}
	return EXIT_DONE;
}

static void print(const struct command *command, json_t *json) {
	if (command->json) {
		json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
		putchar('\n');
		return;
	}
	if (json_is_object(json)) {
		json_object_del(json, "success");
	}
	show_json(stdout, json);
}

static enum exit_status ask_and_print(struct command *command, const char *target) {
	struct api_answer answer = { 0 };
	enum exit_status status = call(command, target, NULL, &answer);
	if (status == EXIT_DONE) {
		print(command, answer.json);
		api_answer_finish(&answer);
	}
	return status;
}

static enum exit_status run_status(struct command *command) {
	return ask_and_print(command, "/api/v1/status");
}

static enum exit_status run_clients(struct command *command) {
	return ask_and_print(command, "/api/v1/clients");
}

static enum exit_status run_apps(struct command *command) {
	return ask_and_print(command, "/api/v1/apps");
}

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
	enum exit_status status = call(command, "/api/v1/pair/pending", NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	if (command->json) {
		print(command, answer.json);
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

static enum exit_status run_pair(struct command *command) {
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
	enum exit_status status = call(command, "/api/v1/pair/client", body, &answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			print(command, answer.json);
		} else {
			puts("The PIN was taken; the client now proves that it knows it.");
		}
		api_answer_finish(&answer);
	}
	return status;
}

static enum exit_status run_unpair(struct command *command) {
	if (!command->argument) {
		fputs("perigee: which client? `perigee clients` shows their IDs.\n", stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = call(command, "/api/v1/unpair/client",
			json_pack("{ss}", "client_id", command->argument), &answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			print(command, answer.json);
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

static enum exit_status run_permit(struct command *command) {
	if (!command->second) {
		fputs("perigee: say permit ID WORDS, with the words of list, launch, keyboard, "
		      "mouse, "
		      "touch, gamepad, clipboard, lobby_create, lobby_join, separated by commas; "
		      "or "
		      "all, or none. `perigee clients` shows IDs.\n",
				stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = call(command, "/api/v1/clients/settings",
			json_pack("{ss,so}", "client_id", command->argument, "permissions",
					words_of(command->second)),
			&answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			print(command, answer.json);
		} else {
			puts("That is what the client may from now on.");
		}
		api_answer_finish(&answer);
	}
	return status;
}

static enum exit_status run_evidence(struct command *command) {
	const char *verb = command->argument ? command->argument : "list";
	bool show = strcmp(verb, "show") == 0, take = strcmp(verb, "take") == 0;
	if ((!show && !take && strcmp(verb, "list") != 0) || (show && !command->second)) {
		fputs("perigee: say evidence list, show ID, or take [KIND|WORKER].\n", stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = call(command, "/api/v1/status", NULL, &answer);
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

static enum exit_status run_health(struct command *command) {
	return health_command(command->runtime, command->ready) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_status run_doctor(struct command *command) {
	int rc = doctor_command(command->runtime, command->libexec, command->json);
	return rc == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_status run_restart(struct command *command) {
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
	enum exit_status status = call(command, "/api/v1/system/restart", body, &answer);
	if (status == EXIT_DONE) {
		if (command->json) {
			print(command, answer.json);
		} else {
			puts("It was ended; another one takes its place.");
		}
		api_answer_finish(&answer);
	}
	return status;
}

static enum exit_status run_upgrade(struct command *command) {
	json_t *body = upgrade_body(&command->upgrade);
	if (!body) {
		fputs("perigee: --deadline is a number of seconds, 1 to 600.\n", stderr);
		return EXIT_USAGE;
	}
	struct api_answer answer = { 0 };
	enum exit_status status = call(command, "/api/v1/system/upgrade", body, &answer);
	if (status == EXIT_DONE && command->json) {
		print(command, answer.json);
	} else if (status == EXIT_DONE &&
			upgrade_follow(&command->api, &command->upgrade, answer.json) < 0) {
		status = EXIT_REFUSED;
	}
	api_answer_finish(&answer);
	return status;
}

static enum exit_status run_config(struct command *command) {
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
	enum exit_status status =
			reload ? call(command, "/api/v1/system/reload", json_object(), &answer)
			       : call(command, "/api/v1/status?filter=config", NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	if (command->json) {
		print(command, answer.json);
	} else if (reload) {
		config_show_reloaded(answer.json);
	} else {
		config_show(json_object_get(answer.json, "status"));
	}
	api_answer_finish(&answer);
	return EXIT_DONE;
}

/* Of the folder that is named, or that the running host has. */
static enum exit_status run_backup(struct command *command) {
	if (!command->argument) {
		fputs("perigee: say backup FILE.\n", stderr);
		return EXIT_USAGE;
	}
	const char *folder = command->state;
	struct api_answer answer = { 0 };
	enum exit_status status =
			folder ? EXIT_DONE : call(command, "/api/v1/status", NULL, &answer);
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

static enum exit_status run_import(struct command *command) {
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

/* What these take of what all commands have. */
static const struct direct_options *directed(struct command *command) {
	command->direct.runtime = command->runtime;
	command->direct.json = command->json;
	command->direct.name = command->name;
	return &command->direct;
}

static enum exit_status run_sessions(struct command *command) {
	return (enum exit_status)direct_sessions(
			directed(command), command->argument, command->second);
}

static enum exit_status run_lobby(struct command *command) {
	return (enum exit_status)direct_lobby(
			directed(command), command->argument, command->second);
}

static enum exit_status run_token(struct command *command) {
	return (enum exit_status)direct_token(
			directed(command), command->argument, command->second);
}

static enum exit_status run_events(struct command *command) {
	return (enum exit_status)direct_events(directed(command), command->argument);
}

static enum exit_status run_logs(struct command *command) {
	return (enum exit_status)direct_logs(directed(command));
}

static enum exit_status run_top(struct command *command) {
	return (enum exit_status)direct_top(directed(command));
}

static enum exit_status run_version(struct command *command) {
	(void)command;
	printf("perigee %s\n", perigee_version());
	return EXIT_DONE;
}

static enum exit_status run_help(struct command *command);

static const struct {
	const char *name, *arguments, *words;
	enum exit_status (*run)(struct command *command);
} commands[] = {
	{ "status", "[--json]", "what the host does at the moment", run_status },
	{ "pair", "[PIN] [--name N] [--pairing ID]",
			"types the PIN that a client shows; alone: who waits", run_pair },
	{ "unpair", "ID", "forgets a client", run_unpair },
	{ "permit", "ID WORDS", "what a client may: list,launch,keyboard,mouse...; all; none",
			run_permit },
	{ "clients", "[--json]", "the paired clients", run_clients },
	{ "apps", "[--json]", "what can be launched", run_apps },
	{ "sessions", "[pause ID | stop ID]", "who has a session; sends its viewer away, ends it",
			run_sessions },
	{ "lobby", "[list | create NAME | join ID | leave ID | stop ID | kick ID]",
			"desktops with a life of their own: --app ID or --run COMMAND, --pin PIN, "
			"--session ID, --role player|viewer",
			run_lobby },
	{ "token", "[list | create --scope S,S | remove ID]", "what programs may on the web port",
			run_token },
	{ "events", "[NAME,NAME] [--json]", "what happens, as it happens", run_events },
	{ "logs", "[-f]", "the host's log; with -f also what is to come", run_logs },
	{ "top", "[--json]", "the sessions at a glance, live on a terminal", run_top },
	{ "evidence", "[list | show ID | take [WHOM]]",
			"what failed processes left; looks at healthy ones", run_evidence },
	{ "restart", "KIND [ID]",
			"ends a process, so that its successor goes on: encoder, sound-encoder, "
			"stream, desktop, runner, sound, gate, web, store, facts, discover",
			run_restart },
	{ "upgrade", "[--check] [--from DIR] [--deadline S]",
			"goes on with a newly installed version; no session ends", run_upgrade },
	{ "import", "wolf FILE | sunshine FILE", "another host's configuration as a perigee.yaml",
			run_import },
	{ "backup", "FILE [--state DIR]", "a copy of the state, while the host runs or not",
			run_backup },
	{ "config", "[show | check [FILE] | reload]",
			"what is configured; whether a file is good; reads it again", run_config },
	{ "probe", "MODE [OPTIONS]", "a Moonlight client for tests; see `perigee probe help`",
			NULL },
	{ "health", "[--ready]", "one line; exit 0 when it lives (can start a session)",
			run_health },
	{ "doctor", "[--json]", "tries what a session needs, and says what to do", run_doctor },
	{ "version", "", "", run_version },
	{ "help", "", "", run_help },
};

static enum exit_status run_help(struct command *command) {
	(void)command;
	puts("perigee COMMAND [OPTIONS]\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		int width = printf("  %s %s", commands[i].name, commands[i].arguments);
		printf("%*s%s\n", width < 44 ? 44 - width : 1, "", commands[i].words);
	}
	puts("\n  --runtime DIR   where the host's sockets are\n"
	     "  --libexec DIR   before `probe`, or of `doctor`: where programs are\n"
	     "  --json          the answer as it came, in one line\n\n"
	     "Exit status: 0 done, 1 the host refused, 2 wrong usage, 3 no host answers.");
	return EXIT_DONE;
}

/* Does not return unless there is no probe. */
static enum exit_status run_probe(const char *libexec, char **argv) {
	char own[PATH_MAX] = "", path[PATH_MAX + 64];
	int rc = program_own_folder(own, sizeof(own));
	rc = rc < 0 ? rc : program_find(libexec, own, "perigee-probe", path, sizeof(path));
	if (rc == 0) {
		execv(path, argv);
		rc = -errno;
	}
	fprintf(stderr,
			"perigee: perigee-probe is not installed: %s (--libexec DIR before "
			"`probe` says where it is)\n",
			strerror(-rc));
	return EXIT_UNREACHABLE;
}

/* `perigee [--libexec DIR] probe ...`: what follows is the probe's own. How many words
 * there are up to `probe`, or 0. */
static int find_probe(int argc, char **argv, const char **out_libexec) {
	int at = 1;
	if (argc > 2 && strcmp(argv[1], "--libexec") == 0) {
		*out_libexec = argv[2];
		at = 3;
	} else if (argc > 1 && strncmp(argv[1], "--libexec=", 10) == 0) {
		*out_libexec = argv[1] + 10;
		at = 2;
	}
	return argc > at && strcmp(argv[at], "probe") == 0 ? at : 0;
}

static enum exit_status run_command(const char *name, struct command *command) {
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(name, commands[i].name) == 0) {
			return commands[i].run(command);
		}
	}
	fprintf(stderr, "perigee: there is no command `%s`; `perigee help` shows them.\n", name);
	return EXIT_USAGE;
}

int main(int argc, char **argv) {
	const char *libexec = NULL;
	int probe = find_probe(argc, argv, &libexec);
	if (probe) {
		return run_probe(libexec, argv + probe);
	}
	static const struct option options[] = {
		{ "runtime", required_argument, NULL, 'r' },
		{ "name", required_argument, NULL, 'n' },
		{ "pairing", required_argument, NULL, 'p' },
		{ "libexec", required_argument, NULL, 'l' },
		{ "state", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "ready", no_argument, NULL, 'R' },
		{ "check", no_argument, NULL, 'c' },
		{ "scope", required_argument, NULL, 'S' },
		{ "pin", required_argument, NULL, 'P' },
		{ "app", required_argument, NULL, 'a' },
		{ "run", required_argument, NULL, 'u' },
		{ "session", required_argument, NULL, 'i' },
		{ "role", required_argument, NULL, 'o' },
		{ "follow", no_argument, NULL, 'f' },
		{ "from", required_argument, NULL, 'F' },
		{ "deadline", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct command command = { 0 };
	for (int c; (c = getopt_long(argc, argv, "hf", options, NULL)) != -1;) {
		switch (c) {
		case 'r':
			command.runtime = optarg;
			break;
		case 'n':
			command.name = optarg;
			break;
		case 'p':
			command.pairing = optarg;
			break;
		case 'l': /* of `doctor`; for `probe` it was read before */
			command.libexec = optarg;
			break;
		case 's':
			command.state = optarg;
			break;
		case 'S':
			command.direct.scope = optarg;
			break;
		case 'P':
			command.direct.pin = optarg;
			break;
		case 'a':
			command.direct.app = optarg;
			break;
		case 'u':
			command.direct.run = optarg;
			break;
		case 'i':
			command.direct.session = optarg;
			break;
		case 'o':
			command.direct.role = optarg;
			break;
		case 'f':
			command.direct.follow = true;
			break;
		case 'j':
			command.json = true;
			break;
		case 'R':
			command.ready = true;
			break;
		case 'c':
			command.upgrade.check = true;
			break;
		case 'F':
			command.upgrade.from = optarg;
			break;
		case 'd':
			command.upgrade.deadline = optarg;
			break;
		case 'h':
			return run_help(&command);
		case 'v':
			return run_version(&command);
		default:
			return EXIT_USAGE;
		}
	}
	if (optind >= argc) {
		run_help(&command);
		return EXIT_USAGE;
	}
	command.argument = optind + 1 < argc ? argv[optind + 1] : NULL;
	command.second = command.argument && optind + 2 < argc ? argv[optind + 2] : NULL;
	return run_command(argv[optind], &command);
}
