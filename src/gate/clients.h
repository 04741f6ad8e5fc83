/* SPDX-License-Identifier: MIT */
#ifndef GATE_CLIENTS_H
#define GATE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

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
	uint32_t permissions;
};

struct clients {
	struct client *list; /* owned */
	size_t count, room;
};

/* Adds a client or replaces the one with this fingerprint. -ENOSPC, -ENOMEM. */
int clients_put(struct clients *clients, const uint8_t fingerprint[32], const void *der,
		size_t der_len, const char *name, uint64_t created_s,
		uint32_t permissions) NODISCARD;

/* True when there was one. */
bool clients_remove(struct clients *clients, const uint8_t fingerprint[32]);

/* By fingerprint alone: for what the supervisor and the web page name. */
const struct client *clients_named(const struct clients *clients, const uint8_t fingerprint[32]);

/* By the whole certificate: for authorising. NULL when unknown. */
const struct client *clients_find(const struct clients *clients, const uint8_t fingerprint[32],
		const void *der, size_t der_len);

void clients_finish(struct clients *clients);

#endif
