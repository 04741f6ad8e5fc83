/* SPDX-License-Identifier: MIT */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "store/identity.h"

/* The state database: who this host is and which clients are paired. What a
 * function here has answered with 0 survives a crash of the process and of the
 * machine (WAL with synchronous=FULL). One thread. */
struct database;

enum {
	DATABASE_CLIENTS_MAX = 4096,
	DATABASE_DETAIL_MAX = 160,
};

struct database_client {
	uint8_t fingerprint[32]; /* SHA-256 of der */
	uint8_t der[4096];
	uint16_t der_len;
	char name[64];
	uint64_t created_s; /* Unix time */
	uint32_t permissions;
};

/* Opens folder/state.db, made with mode 0700 and 0600 when missing; folder NULL
 * is a database in memory. Brings an older schema up to date; makes the identity
 * at the first start. On failure out_detail (DATABASE_DETAIL_MAX bytes) is a
 * sentence for the operator with what to do:
 * -EACCES, -EROFS, -ENOTDIR...: the folder; -ENOSPC; -EBUSY: somebody else holds
 * it; -EBADMSG: damaged; -ENOTSUP: written by a newer release. */
int database_open(const char *folder, struct database **out, char *out_detail) NODISCARD;
void database_close(struct database *database);

int database_identity(struct database *database, struct identity *out) NODISCARD;

/* The client after `after` in the order of fingerprints, the first one for NULL.
 * -ENOENT after the last. */
int database_client_next(struct database *database, const uint8_t *after,
		struct database_client *out) NODISCARD;

/* Adds the client; one that is there already gets the new name and permissions
 * and keeps its age (out->created_s is filled in). -ENOSPC when there are
 * DATABASE_CLIENTS_MAX or the disk is full. */
int database_client_add(struct database *database, struct database_client *client) NODISCARD;

/* -ENOENT when there is no such client. */
int database_client_remove(struct database *database, const uint8_t *fingerprint) NODISCARD;

#endif
