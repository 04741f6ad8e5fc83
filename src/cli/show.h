/* SPDX-License-Identifier: MIT */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <stdio.h>

#include <jansson.h>

/* Prints JSON for people: one "name: value" a line, what is inside indented, the
 * members of a list begun with a dash. Control characters come out as question
 * marks, because names in it were chosen by others. */
void show_json(FILE *file, const json_t *json);

/* The same for one text. */
void show_text(FILE *file, const char *text);

/* The same further in, below a line that begins with a time. */
void show_json_below(FILE *file, const json_t *json);

#endif
