/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_EXPLAIN_H
#define SUPERVISOR_CONFIG_EXPLAIN_H

struct config_text;

/* What is wrong with a file, for the person who wrote it: its line, the key, and what would
 * be right, made from what libcyaml says to programmers. */

/* found: libcyaml's lines. Pure but for reading the file's lines. */
void config_explain(const char *path, const char *found, struct config_text *out);

/* The same for a mistake that we found: text begins with its key, "apps[2].runner: ...". */
void config_explain_key(const char *path, const char *text, struct config_text *out);

/* The line on which a key of the file stands: "limits.sessions", "apps[2].title";
 * 0 when it is not found. */
unsigned config_line(const char *path, const char *key);

#endif
