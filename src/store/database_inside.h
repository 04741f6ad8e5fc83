/* SPDX-License-Identifier: MIT */
#ifndef STORE_DATABASE_INSIDE_H
#define STORE_DATABASE_INSIDE_H

#include <stdbool.h>

#include <sqlite3.h>

#include "base/own.h"
#include "store/database.h"

/* What the files of the database share, and nobody else sees. */

struct database {
	sqlite3 *sqlite; /* owned */
};

OWN_DEFINE(sqlite3_stmt *, sqlite3_finalize)

/* SQLite's result as -errno. */
int database_error(int code);

/* Any number of statements without rows. */
int database_run(struct database *database, const char *sql) NODISCARD;

int database_prepare(struct database *database, const char *sql, sqlite3_stmt **out) NODISCARD;

/* 1 for a row, 0 at the end. */
int database_step(sqlite3_stmt *statement) NODISCARD;

/* -EBADMSG when the file is damaged. */
int database_check(struct database *database) NODISCARD;

/* The first column of the first row; -ENOENT without one. */
int database_number(struct database *database, const char *sql, int64_t *out) NODISCARD;

/* BEGIN IMMEDIATE; then COMMIT for rc 0 or 1, ROLLBACK else. Returns rc, or what the
 * commit said. */
int database_begin(struct database *database) NODISCARD;
int database_end(struct database *database, int rc) NODISCARD;

/* Text and bytes that other programs may have put there are cut to size. */
size_t column_bytes(sqlite3_stmt *statement, int column, void *out, size_t size);
void column_text(sqlite3_stmt *statement, int column, char *out, size_t size);

/* A parameter by its number. */
void bind_text(sqlite3_stmt *statement, int at, const char *text);
void bind_blob(sqlite3_stmt *statement, int at, const void *bytes, size_t len);

#endif
