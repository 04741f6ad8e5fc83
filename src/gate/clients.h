/* SPDX-License-Identifier: MIT */
#ifndef GATE_CLIENTS_H
#define GATE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

/* The paired clients, as the store tells them: held in memory, so that no request waits
 * for a disk. A client is its certificate, byte by byte; nothing signed by it, and
 * nothing that looks like it, is it (CVE-2026-111044). */
enum {
	CLIENTS_MAX = 1024,
	CLIENT_NAME_SIZE = 64,
};

struct client {
	uint8_t fingerprint[32]; /* SHA-256 of der */
	uint8_t *der;            /* owned */
	size_t der_len;
	char name[CLIENT_NAME_SIZE];
	uint64_t created_s; /* Unix time */
	bool listed;        /* by the store that is there now */
	/* What it may and how it likes it: everything until the store says otherwise. */
	__typeof__(((struct ipc_message *)NULL)->client_settings) settings;
};

struct clients {
	struct client *list; /* owned */
	size_t count, room;
};

/* Adds a client or replaces the one with this fingerprint. -ENOSPC, -ENOMEM. */
int clients_put(struct clients *clients, const uint8_t fingerprint[32], const void *der,
		size_t der_len, const char *name, uint64_t created_s,
		uint32_t permissions) NODISCARD;

/* CLIENT_SETTINGS of one that is here; ignored for another. */
void clients_settle(struct clients *clients, const struct ipc_message *message);

/* PERMIT_ bits, all of them; and whether it may see and launch that app. */
bool client_may(const struct client *client, uint32_t permissions);
bool client_may_app(const struct client *client, int32_t app);

/* A new store lists them all: who is not among them was removed while the one before
 * died, and was not heard of. begin() forgets who was listed, next_stale() finds one
 * that was not, or NULL. */
void clients_begin_listing(struct clients *clients);
const struct client *clients_next_stale(const struct clients *clients);

/* True when there was one. */
bool clients_remove(struct clients *clients, const uint8_t fingerprint[32]);

/* By fingerprint alone: for what the supervisor and the web page name. */
const struct client *clients_named(const struct clients *clients, const uint8_t fingerprint[32]);

/* By the whole certificate: for authorising. NULL when unknown. */
const struct client *clients_find(const struct clients *clients, const uint8_t fingerprint[32],
		const void *der, size_t der_len);

void clients_finish(struct clients *clients);

#endif
