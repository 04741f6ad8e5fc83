/* SPDX-License-Identifier: MIT */
#include "cli/config.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/programs.h"
#include "cli/row.h"
#include "cli/show.h"

int config_check_command(const char *libexec, const char *file) {
	char own[PATH_MAX] = "", path[PATH_MAX + 64];
	char *argv[] = { (char[]){ "perigeed" }, (char[]){ "--check" }, NULL, NULL, NULL };
	char flag[] = "--config";
	if (file) {
		argv[2] = flag;
		argv[3] = (char *)(uintptr_t)file;
	}
	int rc = program_own_folder(own, sizeof(own));
	rc = rc < 0 ? rc : program_find(libexec, own, "perigeed", path, sizeof(path));
	if (rc == 0) {
		execv(path, argv);
		rc = -errno;
	}
	return rc;
}

int config_run(const char *libexec, const char *program, const char *first, const char *second) {
	char own[PATH_MAX] = "", path[PATH_MAX + 64];
	char *argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)first,
		(char *)(uintptr_t)second, NULL };
	int rc = program_own_folder(own, sizeof(own));
	rc = rc < 0 ? rc : program_find(libexec, own, program, path, sizeof(path));
	if (rc == 0) {
		fflush(NULL);
		execv(path, argv);
		rc = -errno;
	}
	return rc;
}

void config_show(const json_t *rows) {
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		const char *key = row_text(row, "key");
		if (!key[0]) {
			fputs("# file: ", stdout);
			show_text(stdout,
					row_text(row, "file")[0] ? row_text(row, "file") : "none");
			puts("\n# key, value, where it comes from; * changes at a restart only");
			continue;
		}
		printf("%-26s%s", key, json_is_true(json_object_get(row, "live")) ? "  " : "* ");
		show_text(stdout, row_text(row, "value")[0] ? row_text(row, "value") : "-");
		printf("  (%s)\n", row_text(row, "from"));
	}
}

void config_show_reloaded(const json_t *answer) {
	const char *applied = row_text(answer, "applied"), *restart = row_text(answer, "restart");
	if (applied[0]) {
		fputs("In effect now: ", stdout);
		show_text(stdout, applied);
		putchar('\n');
	}
	if (restart[0]) {
		fputs("In effect when Perigee is started again: ", stdout);
		show_text(stdout, restart);
		putchar('\n');
	}
	if (!applied[0] && !restart[0]) {
		puts("Nothing has changed.");
	}
}
