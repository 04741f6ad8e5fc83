/* SPDX-License-Identifier: MIT */
#include "supervisor/confine_print.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "supervisor/confine_table.h"

static const char *const refusals[] = {
	[REFUSE_TOLD] = "EPERM, and the log names it",
	[REFUSE_SILENT] = "EPERM, and the kernel's audit log",
	[REFUSE_NOTHING] = "no filter",
};

static void print_groups(uint32_t groups) {
	const char *comma = "";
	for (unsigned group = 0; group < CALLS_GROUPS; group++) {
		if (groups & 1u << group) {
			printf("%s%s", comma, confine_groups[group].name);
			comma = ", ";
		}
	}
	printf("%s", groups ? "" : "-");
}

static void print_limits(const struct confine_limits *limits) {
	const struct {
		const char *format;
		uint32_t value;
	} list[] = {
		{ "address space %u MB", limits->memory_mb },
		{ "file %u MB", limits->file_mb },
		{ "%u descriptors", limits->files },
		{ "%u kB locked", limits->locked_kb },
	};
	const char *comma = "";
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		if (list[i].value) {
			printf("%s", comma);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			printf(list[i].format, list[i].value);
#pragma GCC diagnostic pop
			comma = ", ";
		}
	}
	printf("%s%s", limits->alone ? comma : "", limits->alone ? "no process, no thread" : "");
}

static void print_rest(const struct confine_row *row) {
	static const char *const veils[] = {
		[VEIL_NONE] = "",
		[VEIL_OURS] = "does not see Perigee's folders, container engines; ",
		[VEIL_RUN] = "does not see Perigee's folders, `/run`; ",
	};
	printf("%s%s%s%s%s%s%s", veils[row->veil],
			row->mounts ? "makes mounts: of Landlock only that it signals nobody else; " : "",
			row->no_network ? "no network (both if started by root); " : "",
			row->may_gain ? "may gain privileges; " : "", row->network ? "TCP; " : "",
			row->devices ? "groups of the GPU; " : "",
			row->shares_sockets ? "abstract sockets of others" : "");
}

static void print_access(uint8_t access) {
	static const struct {
		uint8_t access;
		const char *word;
	} words[] = {
		{ ACCESS_DEVICE, "device" },
		{ ACCESS_OWN, "all" },
		{ ACCESS_WRITE, "write" },
		{ ACCESS_SCRATCH, "files by name" },
		{ ACCESS_EXECUTE, "execute" },
		{ ACCESS_READ, "read" },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (access & words[i].access) {
			printf("%s", words[i].word);
			return;
		}
	}
	printf("reach its sockets");
}

static void print_rules(const struct confine_row *row, bool starting) {
	const char *comma = "";
	bool any = false;
	for (size_t i = 0; i < CONFINE_RULES_MAX && row->rules[i].path; i++) {
		if (row->rules[i].starting == starting) {
			printf("%s`%s` (", comma, row->rules[i].path);
			print_access(row->rules[i].access);
			printf(")");
			comma = ", ";
			any = true;
		}
	}
	if (!starting && row->mounts) {
		printf(", elsewhere as its user may");
	}
	if (!starting && row->system) {
		printf("%sthe system as its user sees it, less what is closed", comma);
		any = true;
	}
	printf("%s", any ? "" : row->refusal == REFUSE_NOTHING ? "as its user may" : "nothing");
}

static void print_conditions(unsigned group) {
	const char *last = "";
	for (size_t i = 0; i < confine_conditions_count; i++) {
		const struct confine_condition *condition = &confine_conditions[i];
		if (condition->group != group) {
			continue;
		}
		if (strcmp(last, condition->call) == 0) {
			printf(", %s", condition->says);
		} else {
			printf("%s `%s`: %s", last[0] ? ";" : "", condition->call, condition->says);
		}
		last = condition->call;
	}
}

void confine_print(void) {
	printf("| kind | what it is | calls for good | besides, to start | another call | limits | "
	       "besides "
	       "|\n|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < confine_rows_count; i++) {
		const struct confine_row *row = &confine_rows[i];
		printf("| %s | %s | ", row->name, row->says);
		print_groups(row->calls);
		printf(" | ");
		print_groups(row->starting);
		printf(" | %s | ", refusals[row->refusal]);
		print_limits(&row->limits);
		printf(" | ");
		print_rest(row);
		printf(" |\n");
	}
	printf("\n| kind | files for good | files to start |\n|---|---|---|\n");
	for (size_t i = 0; i < confine_rows_count; i++) {
		printf("| %s | ", confine_rows[i].name);
		print_rules(&confine_rows[i], false);
		printf(" | ");
		print_rules(&confine_rows[i], true);
		printf(" |\n");
	}
	printf("\n| group | what for | calls | only so |\n|---|---|---|---|\n");
	for (unsigned group = 0; group < CALLS_GROUPS; group++) {
		printf("| %s | %s |", confine_groups[group].name, confine_groups[group].says);
		for (const char *const *call = confine_groups[group].calls; *call; call++) {
			printf(" %s", *call);
		}
		printf(" |");
		print_conditions(group);
		printf(" |\n");
	}
}
