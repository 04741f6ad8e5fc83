/* SPDX-License-Identifier: MIT */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/* Lists for people: a line for each row, columns as wide as what is in them. What else a row
 * has, --json shows. */

enum {
	TABLE_CELL_MAX = 128,
	TABLE_COLUMNS_MAX = 10,
};

struct table_column {
	const char *heading;
	const char *field; /* a member: a text, a number, yes or "-", or a list of such */
	/* Instead of a field; `out` has TABLE_CELL_MAX bytes and is "" at first. */
	void (*say)(const json_t *row, char *out);
};

/* Control characters come out as question marks, because names in it were chosen by others. */
void table_show(FILE *file, const json_t *rows, const struct table_column *columns, size_t count);

/* The list that an answer calls "apps", "sessions", "lobbies" or "clients" as such a table; of
 * another name all that its rows have. */
void table_show_list(FILE *file, const char *name, const json_t *rows);

#endif
