/* SPDX-License-Identifier: MIT */
#include "cli/show.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	DEPTH_MAX = 16,
	BELOW = 5, /* behind a time */
};

void show_text(FILE *file, const char *text) {
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		fputc(*c < 0x20 || *c == 0x7f ? '?' : *c, file);
	}
}

static void show_scalar(FILE *file, const json_t *json) {
	switch (json_typeof(json)) {
	case JSON_STRING:
		show_text(file, json_string_value(json));
		break;
	case JSON_INTEGER:
		fprintf(file, "%lld", (long long)json_integer_value(json));
		break;
	case JSON_REAL:
		fprintf(file, "%.6g", json_real_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		fputs(json_is_true(json) ? "yes" : "no", file);
		break;
	default:
		fputs("-", file);
		break;
	}
}

static bool is_simple(const json_t *json) {
	return !json_is_object(json) && !json_is_array(json);
}

/* A list of simple values takes one line. */
static bool show_in_line(FILE *file, const json_t *list) {
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!is_simple(json_array_get(list, i))) {
			return false;
		}
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		fputc(' ', file);
		show_scalar(file, json_array_get(list, i));
	}
	fputc('\n', file);
	return true;
}

static void show_at(FILE *file, const json_t *json, int depth, int first_indent);

static void show_object(FILE *file, const json_t *json, int depth, int first_indent) {
	const char *name;
	json_t *value;
	int indent = first_indent;
	/* The library's iteration wants a pointer to something that may change. */
	json_t *object = (json_t *)(uintptr_t)json;
	json_object_foreach(object, name, value) {
		fprintf(file, "%*s", indent, "");
		show_text(file, name);
		fputc(':', file);
		indent = 2 * depth;
		if (json_array_size(value) && show_in_line(file, value)) {
			continue;
		}
		if (json_object_size(value) || json_array_size(value)) {
			fputc('\n', file);
			show_at(file, value, depth + 1, 2 * (depth + 1));
		} else if (json_is_object(value) || json_is_array(value)) {
			fputs(" none\n", file);
		} else {
			fputc(' ', file);
			show_scalar(file, value);
			fputc('\n', file);
		}
	}
}

static void show_at(FILE *file, const json_t *json, int depth, int first_indent) {
	if (depth > DEPTH_MAX) {
		fputs("...\n", file);
		return;
	}
	if (json_is_object(json)) {
		show_object(file, json, depth, first_indent);
		return;
	}
	if (!json_is_array(json)) {
		fprintf(file, "%*s", first_indent, "");
		show_scalar(file, json);
		fputc('\n', file);
		return;
	}
	for (size_t i = 0; i < json_array_size(json); i++) {
		fprintf(file, "%*s- ", 2 * depth, "");
		show_at(file, json_array_get(json, i), depth + 1, 0);
	}
}

void show_json(FILE *file, const json_t *json) {
	show_at(file, json, 0, 0);
}

void show_json_below(FILE *file, const json_t *json) {
	show_at(file, json, BELOW, 2 * BELOW);
}
