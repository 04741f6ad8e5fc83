/* SPDX-License-Identifier: MIT */
/* The operator's command. It asks the host's API over its Unix socket and says what
 * came back; it has no state, opens no other file of the host and needs no privilege
 * but to connect. `perigee probe` is a program of its own, because it links decoders. */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/programs.h"

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
	{ "unpair", "CLIENT", "forgets a client", run_unpair },
	{ "permit", "CLIENT WORDS", "what a client may: list,launch,keyboard,mouse...; all; none",
			run_permit },
	{ "clients", "[--json]", "the paired clients", run_clients },
	{ "apps", "[--json]", "what can be launched", run_apps },
	{ "sessions", "[pause ID | stop ID]", "who has a session; sends its viewer away, ends it",
			run_sessions },
	{ "lobby", "[list | create NAME | join L | leave L | pause L | resume L | stop L | kick L]",
			"desktops with a life of their own: --app ID or --run COMMAND, --pin PIN, "
			"--session ID, --role player|viewer",
			run_lobby },
	{ "screenshot", "SESSION|LOBBY [FILE]",
			"a picture of what a session sees, or of a lobby, as PNG; FILE -: to the "
			"output",
			run_screenshot },
	{ "clipboard", "get | set SESSION|LOBBY [TEXT]",
			"the text on a desktop's clipboard; set without TEXT: of the input",
			run_clipboard },
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

/* A flag and what it sets: the text that follows it, or that it was given. */
struct flag {
	const char *name;
	const char **text; /* NULL: nothing follows it */
	bool *given;
};

#define FLAGS_MAX 24
#define FLAG_FIRST 0x100 /* what getopt answers for the first; below are letters */

/* Reads the flags; leaves the words for optind. 0; 'h' or 'v' when that was asked for;
 * -EINVAL, said, for what is no flag. */
static int read_flags(int argc, char **argv, const struct flag *flags, size_t count) {
	assert(count <= FLAGS_MAX);
	struct option options[FLAGS_MAX + 3] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
	};
	for (size_t i = 0; i < count; i++) {
		options[i + 2] = (struct option){ flags[i].name,
			flags[i].text ? required_argument : no_argument, NULL,
			FLAG_FIRST + (int)i };
	}
	for (int c; (c = getopt_long(argc, argv, "hf", options, NULL)) != -1;) {
		if (c == 'h' || c == 'v') {
			return c;
		}
		/* The one letter of `logs -f` is its flag's short form. */
		for (size_t i = 0; c == 'f' && i < count; i++) {
			c = strcmp(flags[i].name, "follow") == 0 ? FLAG_FIRST + (int)i : c;
		}
		if (c < FLAG_FIRST) {
			return -EINVAL;
		}
		const struct flag *flag = &flags[c - FLAG_FIRST];
		if (flag->text) {
			*flag->text = optarg;
		} else {
			*flag->given = true;
		}
	}
	return 0;
}

int main(int argc, char **argv) {
	const char *libexec = NULL;
	int probe = find_probe(argc, argv, &libexec);
	if (probe) {
		return run_probe(libexec, argv + probe);
	}
	struct command command = { 0 };
	const struct flag flags[] = {
		{ "runtime", &command.runtime, NULL },
		{ "name", &command.name, NULL },
		{ "pairing", &command.pairing, NULL },
		{ "libexec", &command.libexec, NULL },
		{ "state", &command.state, NULL },
		{ "scope", &command.direct.scope, NULL },
		{ "pin", &command.direct.pin, NULL },
		{ "app", &command.direct.app, NULL },
		{ "run", &command.direct.run, NULL },
		{ "session", &command.direct.session, NULL },
		{ "role", &command.direct.role, NULL },
		{ "from", &command.upgrade.from, NULL },
		{ "deadline", &command.upgrade.deadline, NULL },
		{ "json", NULL, &command.json },
		{ "ready", NULL, &command.ready },
		{ "check", NULL, &command.upgrade.check },
		{ "follow", NULL, &command.follow },
	};
	int read = read_flags(argc, argv, flags, ARRAY_LEN(flags));
	if (read != 0) {
		return read == 'h'   ? run_help(&command)
		       : read == 'v' ? run_version(&command)
				     : EXIT_USAGE;
	}
	if (optind >= argc) {
		run_help(&command);
		return EXIT_USAGE;
	}
	command.argument = optind + 1 < argc ? argv[optind + 1] : NULL;
	command.second = command.argument && optind + 2 < argc ? argv[optind + 2] : NULL;
	command.third = command.second && optind + 3 < argc ? argv[optind + 3] : NULL;
	return run_command(argv[optind], &command);
}
