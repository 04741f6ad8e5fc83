/* SPDX-License-Identifier: MIT */
#include "cli/row.h"

const char *row_text(const json_t *row, const char *name) {
	const char *text = json_string_value(json_object_get(row, name));
	return text ? text : "";
}

long long row_number(const json_t *row, const char *name) {
	return (long long)json_integer_value(json_object_get(row, name));
}
