/* SPDX-License-Identifier: MIT */
#include "runner/command.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "runner/sandbox.h"

/* Where an app is looked for when its environment says nothing. */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"

struct words {
	const char *at[COMMAND_ENV_MAX];
	size_t count;
};

/* Cuts NUL-terminated strings that lie one after the other. */
static int split(const char *bytes, size_t len, size_t max, struct words *out) {
	out->count = 0;
	while (len > 0) {
		size_t word = strnlen(bytes, len);
		if (word == len || out->count == max) {
			return -EBADMSG;
		}
		out->at[out->count++] = bytes;
		bytes += word + 1;
		len -= word + 1;
	}
	return 0;
}

static const char *find_env(const struct words *env, const char *name) {
	size_t len = strlen(name);
	for (size_t i = 0; i < env->count; i++) {
		if (strncmp(env->at[i], name, len) == 0 && env->at[i][len] == '=') {
			return env->at[i] + len + 1;
		}
	}
	return NULL;
}

static bool is_program(const char *path) {
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static int find_program(const char *name, const char *folders, char *out, size_t size) {
	if (name[0] == '/') {
		text_copy(out, size, name);
		return is_program(name) ? 0 : -ENOENT;
	}
	while (!strchr(name, '/') && *folders) {
		size_t len = strcspn(folders, ":");
		if (text_format(out, size, "%.*s/%s", (int)len, folders, name) && out[0] == '/' &&
				is_program(out)) {
			return 0;
		}
		folders += len + (folders[len] == ':');
	}
	text_copy(out, size, name);
	return -ENOENT;
}

void command_add(struct command *command, const char *word) {
	if (command->n_args == COMMAND_ARGS_MAX - 1) {
		command->overflow = true;
		return;
	}
	command->args[command->n_args++] = word;
}

const char *command_keep(struct command *command, const char *format, ...) {
	char *at = command->kept + command->kept_len;
	size_t room = sizeof(command->kept) - command->kept_len;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(at, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		command->overflow = true;
		return "";
	}
	command->kept_len += (size_t)n + 1;
	return at;
}

static void add_pair(struct command *command, const char *option, const char *value) {
	if (value && value[0]) {
		command_add(command, option);
		command_add(command, value);
	}
}

static bool is_sandboxed(const struct command *command) {
	return command->plan.runner_plan.type == RUNNER_SANDBOX;
}

static void parent_of(const char *path, char *out, size_t size) {
	text_copy(out, size, path);
	char *slash = strrchr(out, '/');
	if (slash) {
		*slash = '\0';
	}
}

static void add_confinement(struct command *command, const struct command_place *place) {
	const char *home = command->start.runner_start.home;
	const char *runtime = command->start.runner_start.runtime;
	parent_of(home, command->homes, sizeof(command->homes));
	parent_of(runtime, command->runtimes, sizeof(command->runtimes));
	if (command->start.runner_start.uid) {
		text_format(command->uid, sizeof(command->uid), "%u",
				command->start.runner_start.uid);
		text_format(command->gid, sizeof(command->gid), "%u",
				command->start.runner_start.gid);
		add_pair(command, "--uid", command->uid);
		add_pair(command, "--gid", command->gid);
	}
	if (is_sandboxed(command)) {
		return; /* what it sees is all there is, and bubblewrap changes into it */
	}
	const char *folder = command->plan.runner_plan.folder;
	add_pair(command, "--cwd", folder[0] ? folder : home);
	if (place->normal) {
		command_add(command, "--may-gain");
		return;
	}
	add_pair(command, "--landlock-home", home);
	add_pair(command, "--landlock-runtime", runtime);
	add_pair(command, "--landlock-closed", command->homes);
	add_pair(command, "--landlock-closed", command->runtimes);
	for (size_t i = 0; i < place->n_closed; i++) {
		add_pair(command, "--landlock-closed", place->closed[i]);
	}
}

static void add_env(struct command *command, const struct words *env) {
	command_add(command, "--env-clear");
	for (size_t i = 0; i < env->count; i++) {
		if (env->at[i][0] != '-' && strchr(env->at[i], '=')) {
			command_add(command, env->at[i]);
		}
	}
	if (!find_env(env, "HOME") && command->start.runner_start.home[0]) {
		text_format(command->home_env, sizeof(command->home_env), "HOME=%s",
				command->start.runner_start.home);
		command_add(command, command->home_env);
	}
	if (!find_env(env, "PATH")) {
		command_add(command, "PATH=" DEFAULT_PATH);
	}
}

int command_build(const struct ipc_message *start, const struct ipc_message *plan,
		const struct command_place *place, struct command *out) {
	*out = (struct command){ .start = *start, .plan = *plan };
	struct words argv, env;
	int rc = split(out->start.runner_start.argv, out->start.runner_start.argv_len,
			COMMAND_WORDS_MAX, &argv);
	if (rc == 0) {
		rc = split(out->start.runner_start.env, out->start.runner_start.env_len,
				COMMAND_ENV_MAX, &env);
	}
	if (rc < 0 || argv.count == 0 || !argv.at[0][0]) {
		return -EBADMSG;
	}
	const char *folders = find_env(&env, "PATH");
	rc = find_program(argv.at[0], folders ? folders : DEFAULT_PATH, out->program,
			sizeof(out->program));
	if (rc < 0) {
		return rc;
	}
	command_add(out, "perigee-exec");
	command_add(out, "--gate");
	add_pair(out, "--listen-fds", "0"); /* no descriptor but the three */
	add_confinement(out, place);
	add_env(out, &env);
	command_add(out, "--");
	rc = is_sandboxed(out) ? sandbox_add(out, &out->plan, place) : 0;
	command_add(out, out->program);
	for (size_t i = 1; i < argv.count; i++) {
		command_add(out, argv.at[i]);
	}
	return rc < 0 ? rc : out->overflow ? -E2BIG : 0;
}
