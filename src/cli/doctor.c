/* SPDX-License-Identifier: MIT */
#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/show.h"

static const char *const verdicts[] = {
	[DOCTOR_WORKS] = "works",
	[DOCTOR_POOR] = "poor",
	[DOCTOR_FAILS] = "fails",
	[DOCTOR_UNKNOWN] = "unknown",
};

void doctor_add(struct doctor *doctor, const char *name, enum doctor_verdict verdict,
		const char *remedy, const char *format, ...) {
	if (doctor->count == DOCTOR_ROWS_MAX) {
		return;
	}
	struct doctor_row *row = &doctor->rows[doctor->count++];
	*row = (struct doctor_row){ .verdict = verdict,
		.remedy = verdict == DOCTOR_WORKS ? NULL : remedy };
	text_copy(row->name, sizeof(row->name), name);
	va_list args;
	va_start(args, format);
	vsnprintf(row->detail, sizeof(row->detail), format, args);
	va_end(args);
}

bool doctor_is_possible(const struct doctor *doctor) {
	for (size_t i = 0; i < doctor->count; i++) {
		if (doctor->rows[i].verdict == DOCTOR_FAILS) {
			return false;
		}
	}
	return true;
}

json_t *doctor_json(const struct doctor *doctor) {
	json_t *rows = json_array();
	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_row *row = &doctor->rows[i];
		json_t *object = json_pack("{s:s,s:s,s:s}", "name", row->name, "verdict",
				verdicts[row->verdict], "detail", row->detail);
		if (object && row->remedy) {
			json_object_set_new(object, "remedy", json_string(row->remedy));
		}
		json_array_append_new(rows, object);
	}
	return json_pack("{s:b,s:o}", "possible", doctor_is_possible(doctor), "checks", rows);
}

static void print(const struct doctor *doctor) {
	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_row *row = &doctor->rows[i];
		printf("%-8s %-16s ", verdicts[row->verdict], row->name);
		show_text(stdout, row->detail);
		putchar('\n');
		if (row->remedy) {
			printf("%25s %s\n", "->", row->remedy);
		}
	}
	puts(doctor_is_possible(doctor) ? "\nA session is possible."
					: "\nNo session is possible: see what fails above.");
}

int doctor_command(const char *runtime, const char *libexec, bool json) {
	OWN(free) void *memory = calloc(1, sizeof(struct doctor));
	struct doctor *doctor = memory;
	if (!doctor) {
		return 1;
	}
	doctor->runtime = runtime;
	doctor->libexec = libexec;
	doctor_try_host(doctor);
	doctor_try_machine(doctor);
	if (json) {
		json_t *object = doctor_json(doctor);
		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	} else {
		print(doctor);
	}
	return doctor_is_possible(doctor) ? 0 : 1;
}
