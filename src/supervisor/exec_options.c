/* SPDX-License-Identifier: MIT */
#include "supervisor/exec_options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"
#include "base/text.h"

enum {
	LAST_FD = 63, /* where a program may come by its descriptor */
};

enum option_form {
	OPTION_FLAG,
	OPTION_NUMBER,
	OPTION_TEXT,
	OPTION_FOLDER, /* appended to a list of `min` at most; its count is `count` */
};

struct option_row {
	const char *name;
	enum option_form form;
	size_t offset, count;
	int64_t min, max;
};

#define FOLDERS LANDLOCK_FOLDERS_MAX
#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{ "--uid", OPTION_NUMBER, AT(uid), 0, 0, UINT32_MAX - 1 },
	{ "--gid", OPTION_NUMBER, AT(gid), 0, 0, UINT32_MAX - 1 },
	{ "--nofile", OPTION_NUMBER, AT(nofile), 0, 16, 1 << 20 },
	{ "--die-with-parent", OPTION_FLAG, AT(die_with_parent), 0, 0, 0 },
	{ "--program-fd", OPTION_NUMBER, AT(program_fd), 0, FIRST_FD + 1, LAST_FD },
	{ "--gate", OPTION_FLAG, AT(gate), 0, 0, 0 },
	{ "--listen-fds", OPTION_NUMBER, AT(listen_fds), 0, 0, 64 },
	{ "--nice", OPTION_NUMBER, AT(nice), 0, -20, 19 },
	{ "--prompt", OPTION_FLAG, AT(prompt), 0, 0, 0 },
	{ "--realtime", OPTION_FLAG, AT(realtime), 0, 0, 0 },
	{ "--setsid", OPTION_FLAG, AT(setsid), 0, 0, 0 },
	{ "--env-clear", OPTION_FLAG, AT(env_clear), 0, 0, 0 },
	{ "--cwd", OPTION_TEXT, AT(cwd), 0, 0, 0 },
	{ "--confine", OPTION_TEXT, AT(kind), 0, 0, 0 },
	{ "--may-gain", OPTION_FLAG, AT(may_gain), 0, 0, 0 },
	{ "--print-table", OPTION_FLAG, AT(print_table), 0, 0, 0 },
	{ "--at-state", OPTION_TEXT, AT(places.state), 0, 0, 0 },
	{ "--at-runtime", OPTION_TEXT, AT(places.runtime), 0, 0, 0 },
	{ "--cgroup", OPTION_FOLDER, AT(cgroups), AT(n_cgroups), CGROUP_CONTROLLERS, 0 },
	{ "--hide", OPTION_FOLDER, AT(hide), AT(n_hide), VEIL_FOLDERS_MAX - 2, 0 },
	{ "--at-display", OPTION_TEXT, AT(places.display), 0, 0, 0 },
	{ "--at-app", OPTION_TEXT, AT(places.app), 0, 0, 0 },
	{ "--at-libexec", OPTION_TEXT, AT(places.libexec), 0, 0, 0 },
	{ "--at-home", OPTION_TEXT, AT(places.home), 0, 0, 0 },
	{ "--landlock-rw", OPTION_FOLDER, AT(landlock.write), AT(landlock.n_write), FOLDERS, 0 },
	{ "--landlock-home", OPTION_FOLDER, AT(landlock.write), AT(landlock.n_write), FOLDERS, 0 },
	{ "--landlock-runtime", OPTION_FOLDER, AT(landlock.write), AT(landlock.n_write), FOLDERS,
			0 },
	{ "--landlock-ro", OPTION_FOLDER, AT(landlock.read), AT(landlock.n_read), FOLDERS, 0 },
	{ "--landlock-closed", OPTION_FOLDER, AT(landlock.closed), AT(landlock.n_closed), FOLDERS,
			0 },
};

_Noreturn void exec_fail(int status, const char *step, const char *what, int error) {
	log_error("exec-failed", "step=%s what=%s error=%s", step, log_quote(what).text,
			log_quote(strerror(error)).text);
	_exit(status);
}

static const struct option_row *find_row(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

static int set_value(struct options *options, const struct option_row *row, const char *text) {
	char *base = (char *)options;
	if (row->form == OPTION_NUMBER) {
		return number_parse(text, strlen(text), row->min, row->max,
				(int64_t *)(void *)(base + row->offset));
	}
	const char **at = (const char **)(void *)(base + row->offset);
	if (row->form == OPTION_FOLDER) {
		size_t *count = (size_t *)(void *)(base + row->count);
		if (*count == (size_t)row->min) {
			return -ENOSPC;
		}
		at += (*count)++;
	}
	*at = text;
	return 0;
}

static void add_env(struct options *options, const char *text) {
	if (options->n_env == ENV_MAX) {
		exec_fail(EXIT_CANNOT, "arguments", text, ENOSPC);
	}
	options->env[options->n_env++] = text;
}

void exec_parse(char **argv, struct options *out) {
	for (char **at = argv + 1; *at; at++) {
		if (strcmp(*at, "--") == 0) {
			out->program = at + 1;
			break;
		}
		const struct option_row *row = find_row(*at);
		if (row && row->form == OPTION_FLAG) {
			*(bool *)((char *)out + row->offset) = true;
		} else if (row) {
			const char *value = at[1];
			int rc = value ? set_value(out, row, value) : -EINVAL;
			if (rc < 0) {
				exec_fail(EXIT_CANNOT, "arguments", *at, -rc);
			}
			at++;
		} else if (out->env_clear && (*at)[0] != '-' && strchr(*at, '=')) {
			add_env(out, *at);
		} else {
			exec_fail(EXIT_CANNOT, "arguments", *at, EINVAL);
		}
	}
	if (out->print_table) {
		return;
	}
	if (!out->program || !out->program[0] || out->program[0][0] != '/') {
		exec_fail(EXIT_CANNOT, "arguments", "-- /path/of/program is missing", EINVAL);
	}
	out->file = out->program[0];
	if (out->program_fd != UNSET) {
		text_format(out->file_room, sizeof(out->file_room), "/proc/self/fd/%d",
				(int)out->program_fd);
		out->file = out->file_room;
	}
	if ((out->uid == UNSET) != (out->gid == UNSET)) {
		exec_fail(EXIT_CANNOT, "arguments", "--uid and --gid go together", EINVAL);
	}
}
