/* SPDX-License-Identifier: MIT */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "base/own.h"

struct database;

/* The newest schema that this release knows; PRAGMA user_version has the file's. */
int schema_newest(void);

/* Brings the file's schema up to date, each step a transaction. -ENOTSUP for one that
 * a newer release wrote, which is left as it is. */
int schema_migrate(struct database *database) NODISCARD;

#endif
