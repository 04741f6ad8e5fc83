/* SPDX-License-Identifier: MIT */

/* Tells everything to a door or a supervisor that is new. */

#include <string.h>

#include "base/text.h"
#include "store/store_inside.h"

void store_client_message(const struct database_client *client, struct ipc_message *out) {
	*out = (struct ipc_message){ .kind = IPC_CLIENT };
	memcpy(out->client.client, client->fingerprint, sizeof(client->fingerprint));
	memcpy(out->client.der, client->der, client->der_len);
	out->client.der_len = client->der_len;
	text_copy(out->client.name, sizeof(out->client.name), client->name);
	out->client.created_s = client->created_s;
	out->client.permissions = client->permissions;
}

/* Fills the next message of the listing; 0, -ENOENT when its table is through, or what
 * the database said. */
static int next_client(struct store *store, struct listing *listing, bool to_door,
		struct ipc_message *out) {
	if (listing->half) {
		listing->half = false;
		int rc = database_settings(store->database, listing->client, out);
		if (rc != -ENOENT) {
			return rc;
		} /* removed just now */
	}
	struct database_client *client = &store->scratch;
	int rc = database_client_next(
			store->database, listing->any ? listing->client : NULL, client);
	if (rc < 0) {
		return rc;
	}
	memcpy(listing->client, client->fingerprint, sizeof(listing->client));
	listing->any = true;
	if (!to_door) {
		return database_settings(store->database, listing->client, out);
	}
	listing->half = true;
	store_client_message(client, out);
	return 0;
}

static int next_profile(struct store *store, struct listing *listing, struct ipc_message *out) {
	int rc = database_profile_next(
			store->database, listing->any ? listing->profile : NULL, out);
	if (rc == 0) {
		listing->any = true;
		text_copy(listing->profile, sizeof(listing->profile), out->profile.id);
	}
	return rc;
}

static int next_app(struct store *store, struct listing *listing, struct ipc_message *out) {
	int rc = database_app_next(store->database, listing->any ? listing->app : 0, out);
	if (rc == 0) {
		listing->any = true;
		listing->app = out->app.app;
	}
	return rc;
}

static int next_token(struct store *store, struct listing *listing, struct ipc_message *out) {
	int rc = database_token_next(store->database, listing->any ? listing->token : NULL, out);
	if (rc == 0) {
		listing->any = true;
		memcpy(listing->token, out->token.hash, sizeof(listing->token));
	}
	return rc;
}

/* Profiles and apps are nothing that the Moonlight door needs. */
static int next(struct store *store, struct listing *listing, enum ipc_peer to,
		struct ipc_message *out) {
	bool supervisor = to == PEER_SUPERVISOR;
	for (;;) {
		int rc = -ENOENT;
		switch (listing->at) {
		case LISTING_CLIENTS:
			rc = next_client(store, listing, !supervisor, out);
			break;
		case LISTING_PROFILES:
			rc = to == PEER_GATE ? -ENOENT : next_profile(store, listing, out);
			break;
		case LISTING_APPS:
			rc = to == PEER_GATE ? -ENOENT : next_app(store, listing, out);
			break;
		case LISTING_TOKENS:
			rc = to == PEER_WEB ? next_token(store, listing, out) : -ENOENT;
			break;
		case LISTING_END:
			listing->at = LISTING_DONE;
			*out = (struct ipc_message){ .kind = supervisor ? IPC_STATE_END
									: IPC_CLIENTS_END };
			return 0;
		default:
			return -ENOENT;
		}
		if (rc != -ENOENT) {
			return rc;
		}
		listing->at++;
		listing->any = false;
	}
}

static void list(struct store *store, struct listing *listing, struct channel *channel) {
	while (listing->at != LISTING_DONE && channel_is_open(channel) &&
			channel->waiting_count < LISTING_QUEUE_MAX) {
		struct ipc_message message;
		store_begin(store, READ_MS);
		int rc = next(store, listing, channel->peer, &message);
		store_end(store);
		if (rc < 0) {
			/* A short list would lock people out in silence. */
			worker_end(&store->worker, REASON_RESOURCES, "the state cannot be read: %s",
					strerror(-rc));
			return;
		}
		channel_post(channel, &message, NULL, 0);
	}
}

void store_list(struct store *store) {
	if (!store->database || store->worker.ending) {
		return;
	}
	for (size_t i = 0; i < PEERS_MAX; i++) {
		list(store, &store->peers[i].listing, &store->peers[i].channel);
	}
	list(store, &store->listing, &store->worker.channel);
}
