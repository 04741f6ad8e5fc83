/* SPDX-License-Identifier: MIT */
#include "gate/clients.h"

#include <string.h>

#include "base/text.h"

static struct client *find(const struct clients *clients, const uint8_t fingerprint[32]) {
	for (size_t i = 0; i < clients->count; i++) {
		if (memcmp(clients->list[i].fingerprint, fingerprint, 32) == 0) {
			return &clients->list[i];
		}
	}
	return NULL;
}

static int grow(struct clients *clients) {
	if (clients->count < clients->room) {
		return 0;
	}
	if (clients->count >= CLIENTS_MAX) {
		return -ENOSPC;
	}
	size_t room = clients->room ? clients->room * 2 : 16;
	struct client *list = realloc(clients->list, room * sizeof(*list));
	if (!list) {
		return -ENOMEM;
	}
	clients->list = list;
	clients->room = room;
	return 0;
}

int clients_put(struct clients *clients, const uint8_t fingerprint[32], const void *der,
		size_t der_len, const char *name, uint64_t created_s, uint32_t permissions) {
	uint8_t *copy = malloc(der_len ? der_len : 1);
	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, der, der_len);
	struct client *client = find(clients, fingerprint);
	if (!client) {
		int rc = grow(clients);
		if (rc < 0) {
			free(copy);
			return rc;
		}
		client = &clients->list[clients->count++];
		*client = (struct client){ .settings = { .mouse_milli = 1000,
							   .scroll_milli = 1000,
							   .scroll_side_milli = 1000 } };
		memcpy(client->fingerprint, fingerprint, 32);
		memcpy(client->settings.client, fingerprint, 32);
		client->settings.permissions = permissions & PERMIT_ALL;
	}
	free(client->der);
	client->der = copy;
	client->der_len = der_len;
	client->created_s = created_s;
	client->listed = true;
	text_copy(client->name, sizeof(client->name), name);
	return 0;
}

void clients_settle(struct clients *clients, const struct ipc_message *message) {
	struct client *client = find(clients, message->client_settings.client);
	if (client) {
		client->settings = message->client_settings;
		text_copy(client->name, sizeof(client->name), message->client_settings.name);
	}
}

bool client_may(const struct client *client, uint32_t permissions) {
	return (client->settings.permissions & permissions) == permissions;
}

bool client_may_app(const struct client *client, int32_t app) {
	unsigned count = client->settings.apps_count;
	for (unsigned i = 0; i < count; i++) {
		if (client->settings.apps[i] == app) {
			return true;
		}
	}
	return count == 0;
}

void clients_begin_listing(struct clients *clients) {
	for (size_t i = 0; i < clients->count; i++) {
		clients->list[i].listed = false;
	}
}

const struct client *clients_next_stale(const struct clients *clients) {
	for (size_t i = 0; i < clients->count; i++) {
		if (!clients->list[i].listed) {
			return &clients->list[i];
		}
	}
	return NULL;
}

bool clients_remove(struct clients *clients, const uint8_t fingerprint[32]) {
	struct client *client = find(clients, fingerprint);
	if (!client) {
		return false;
	}
	free(client->der);
	*client = clients->list[--clients->count];
	return true;
}

const struct client *clients_named(const struct clients *clients, const uint8_t fingerprint[32]) {
	return find(clients, fingerprint);
}

const struct client *clients_find(const struct clients *clients, const uint8_t fingerprint[32],
		const void *der, size_t der_len) {
	const struct client *client = find(clients, fingerprint);
	return client && client->der_len == der_len && memcmp(client->der, der, der_len) == 0
			       ? client
			       : NULL;
}

void clients_finish(struct clients *clients) {
	for (size_t i = 0; i < clients->count; i++) {
		free(clients->list[i].der);
	}
	free(clients->list);
	*clients = (struct clients){ .list = NULL };
}
