/* SPDX-License-Identifier: MIT */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <stdbool.h>
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
	DATABASE_DETAIL_MAX = 240,
	DATABASE_PROFILES_MAX = 256,
	DATABASE_TOKENS_MAX = 64,
	DATABASE_APPS_MAX = 96, /* with the configured ones no more than a door holds */
};

/* What the name of a damaged file gets, with a number behind it. */
#define DATABASE_DAMAGED ".damaged"

struct ipc_message;

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
 * it; -EBADMSG: damaged, and now beside its place under another name, or it was so
 * before and nobody put a copy there; -ENOTSUP: written by a newer release. */
int database_open(const char *folder, struct database **out, char *out_detail) NODISCARD;
void database_close(struct database *database);

int database_identity(struct database *database, struct identity *out) NODISCARD;

/* The client after `after` in the order of fingerprints, the first one for NULL.
 * -ENOENT after the last. */
int database_client_next(struct database *database, const uint8_t *after,
		struct database_client *out) NODISCARD;

/* Adds the client; one that is there already gets the new name and keeps its age and
 * what it may (both are filled in). -ENOSPC when there are DATABASE_CLIENTS_MAX or
 * the disk is full. */
int database_client_add(struct database *database, struct database_client *client) NODISCARD;

/* -ENOENT when there is no such client. */
int database_client_remove(struct database *database, const uint8_t *fingerprint) NODISCARD;

/* The rest speaks in messages of the catalogue: what is kept of a client, a profile or
 * an app is what they carry. Their words are checked by rules.h before. */

/* CLIENT_SETTINGS of one client; -ENOENT. */
int database_settings(struct database *database, const uint8_t *fingerprint,
		struct ipc_message *out) NODISCARD;

/* What CLIENT_SET's fields name. -ENOENT. */
int database_settings_change(struct database *database, const struct ipc_message *change) NODISCARD;

/* PROFILE after the one with this id, NULL for the first. -ENOENT after the last. */
int database_profile_next(
		struct database *database, const char *after, struct ipc_message *out) NODISCARD;

/* Adds PROFILE_PUT, or puts it in the place of the one with its id. -ENOSPC. Takes
 * about 0.1 s with a PIN, which is kept salted and hashed. */
int database_profile_put(struct database *database, const struct ipc_message *put) NODISCARD;

/* Whether it is kept as PROFILE_PUT says it, with that PIN, or without one. */
bool database_profile_same(struct database *database, const struct ipc_message *put);

/* With its apps. -ENOENT. */
int database_profile_remove(struct database *database, const char *id) NODISCARD;

/* 0 when it is the PIN, or there is none; -EACCES when not; -ENOENT. */
int database_profile_pin(struct database *database, const char *id, const char *pin) NODISCARD;

/* APP after this number, 0 for the first. -ENOENT after the last. */
int database_app_next(struct database *database, int32_t after, struct ipc_message *out) NODISCARD;

/* Adds APP_PUT, or puts it in the place of the one with its number or else its id;
 * number and id are filled in. -ENOENT: no such profile. -ENOSPC. -EEXIST: its id is
 * that of another. */
int database_app_put(struct database *database, struct ipc_message *put) NODISCARD;

/* By its number, or by id when that is 0; the number is filled in. -ENOENT. */
int database_app_remove(struct database *database, int32_t *app, const char *id) NODISCARD;

/* Programs' tokens: rows of IPC_TOKEN by their hash, after it (NULL: from the first).
 * -ENOENT: no other, no such. -ENOSPC: enough of them. */
int database_token_next(
		struct database *database, const uint8_t *after, struct ipc_message *out) NODISCARD;
int database_token_add(struct database *database, const struct ipc_message *add) NODISCARD;
int database_token_remove(struct database *database, const uint8_t hash[32]) NODISCARD;

#endif
