/* SPDX-License-Identifier: MIT */

/* perigee-store: owns the state database. It may touch the disk, slowly; it
 * answers gates and the supervisor by message and hears nothing else. What it has
 * acknowledged is on disk. */

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "base/text.h"
#include "store/store_inside.h"

void store_begin(struct store *store, uint32_t limit_ms) {
	pulse_begin(store->worker.pulse, PULSE_DATABASE, limit_ms);
}

void store_end(struct store *store) {
	pulse_end(store->worker.pulse);
}

static int handle_post(sd_event_source *source, void *user) {
	(void)source;
	store_list((struct store *)user);
	return 0;
}

void store_tell_peers(
		struct store *store, const struct peer *but, const struct ipc_message *message) {
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &store->peers[i];
		if (peer != but && channel_is_open(&peer->channel)) {
			channel_post(&peer->channel, message, NULL, 0);
		}
	}
}

static void answer(struct peer *peer, enum ipc_kind kind, uint32_t request,
		const uint8_t *fingerprint, int rc) {
	struct ipc_message message = { .kind = kind };
	message.client_ref.request = request;
	message.client_ref.outcome = (uint32_t)-rc;
	memcpy(message.client_ref.client, fingerprint, 32);
	channel_post(&peer->channel, &message, NULL, 0);
}

static bool is_fingerprint(const uint8_t *fingerprint, const void *der, size_t len) {
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	return EVP_Digest(der, len, digest, &digest_len, EVP_sha256(), NULL) && digest_len == 32 &&
	       memcmp(digest, fingerprint, 32) == 0;
}

static void handle_add(struct peer *peer, const struct ipc_message *message) {
	struct store *store = peer->store;
	struct database_client *client = &store->scratch;
	*client = (struct database_client){
		.der_len = message->client.der_len,
		.created_s = message->client.created_s ? message->client.created_s
						       : (uint64_t)time(NULL),
		.permissions = message->client.permissions,
	};
	memcpy(client->fingerprint, message->client.client, sizeof(client->fingerprint));
	memcpy(client->der, message->client.der, client->der_len);
	text_copy(client->name, sizeof(client->name), message->client.name);
	int rc = is_fingerprint(client->fingerprint, client->der, client->der_len) ? 0 : -EBADMSG;
	if (rc == 0) {
		store_begin(store, WRITE_MS);
		rc = database_client_add(store->database, client);
		store_end(store);
	}
	log_info("client-add", "name=%s error=%d", log_quote(client->name).text, rc);
	if (rc == 0) {
		struct ipc_message news;
		store_client_message(client, &news);
		store_tell_peers(store, peer, &news);
	}
	answer(peer, IPC_CLIENT_ADDED, message->client.request, client->fingerprint, rc);
	if (rc == 0) { /* who asked knows the client only from now on */
		store_tell_settings(store, client->fingerprint);
	}
}

static void handle_remove(struct peer *peer, const struct ipc_message *message) {
	struct store *store = peer->store;
	store_begin(store, WRITE_MS);
	int rc = database_client_remove(store->database, message->client_ref.client);
	store_end(store);
	log_info("client-remove", "error=%d", rc);
	if (rc == 0) {
		struct ipc_message news = { .kind = IPC_CLIENT_GONE };
		memcpy(news.client_ref.client, message->client_ref.client, 32);
		store_tell_peers(store, NULL, &news);
		worker_post(&store->worker, &news, NULL, 0);
	}
	answer(peer, IPC_CLIENT_REMOVED, message->client_ref.request, message->client_ref.client,
			rc);
}

static void handle_peer_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct peer *peer = channel->user;
	if (store_handle_state(peer, message)) {
		return;
	}
	if (message->kind == IPC_CLIENT_ADD) {
		handle_add(peer, message);
	} else if (message->kind == IPC_CLIENT_REMOVE) {
		handle_remove(peer, message);
	}
}

static void handle_peer_closed(struct channel *channel, int error) {
	struct peer *peer = channel->user;
	peer->listing.at = LISTING_DONE;
	log_info("peer-gone", "peer=%s error=%d", ipc_peer_name(channel->peer), error);
}

static const struct channel_events peer_events = {
	.message = handle_peer_message,
	.closed = handle_peer_closed,
};

static void send_identity(struct store *store, struct peer *peer) {
	struct ipc_message message = { .kind = IPC_IDENTITY };
	struct identity identity;
	store_begin(store, READ_MS);
	int rc = database_identity(store->database, &identity);
	store_end(store);
	if (rc < 0) {
		worker_end(&store->worker, REASON_RESOURCES, "the identity cannot be read: %s",
				strerror(-rc));
		return;
	}
	message.identity.certificate_len = (uint16_t)strlen(identity.certificate);
	memcpy(message.identity.certificate, identity.certificate,
			message.identity.certificate_len);
	message.identity.key_len = (uint16_t)strlen(identity.key);
	memcpy(message.identity.key, identity.key, message.identity.key_len);
	text_copy(message.identity.host_id, sizeof(message.identity.host_id), identity.host_id);
	text_copy(message.identity.web_key, sizeof(message.identity.web_key), identity.web_key);
	channel_post(&peer->channel, &message, NULL, 0);
	explicit_bzero(&identity, sizeof(identity));
	explicit_bzero(&message, sizeof(message));
	peer->listing = (struct listing){ .at = LISTING_CLIENTS };
}

static void handle_peer(struct store *store, struct ipc_message *message, struct ipc_fds *fds) {
	struct peer *peer = store->peers;
	struct peer *last = store->peers + PEERS_MAX;
	while (peer < last && channel_is_open(&peer->channel)) {
		peer++;
	}
	if (!store->database || peer == last) {
		worker_fail(&store->worker, REASON_RESOURCES,
				store->database ? "too many peers" : "the state is not open");
		return; /* its channel is closed, which the peer notices */
	}
	int rc = channel_open(&peer->channel, store->worker.event, fds_take(fds, 0), PEER_STORE,
			(enum ipc_peer)message->store_peer.peer, &peer_events, peer);
	if (rc < 0) {
		worker_fail(&store->worker, REASON_RESOURCES, "a peer's channel: %s",
				strerror(-rc));
		return;
	}
	send_identity(store, peer);
}

static void handle_open(struct store *store, struct ipc_message *message) {
	struct ipc_message ready = { .kind = IPC_STORE_READY };
	const char *folder = message->store_open.in_memory ? NULL : message->store_open.folder;
	struct identity identity = { 0 };
	int rc = store->database ? -EBUSY : 0;
	store_begin(store, OPEN_MS);
	if (rc == 0) {
		rc = database_open(folder, &store->database, ready.store_ready.detail);
	}
	if (rc == 0) {
		rc = database_identity(store->database, &identity);
	}
	store_end(store);
	ready.store_ready.outcome = (uint32_t)-rc;
	text_copy(ready.store_ready.web_key, sizeof(ready.store_ready.web_key), identity.web_key);
	text_copy(ready.store_ready.host_id, sizeof(ready.store_ready.host_id), identity.host_id);
	explicit_bzero(&identity, sizeof(identity));
	log_line(rc < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "store-open",
			"folder=%s error=%d detail=%s", log_quote(folder ? folder : "").text, rc,
			log_quote(ready.store_ready.detail).text);
	worker_post(&store->worker, &ready, NULL, 0);
	if (rc == 0) {
		store->listing = (struct listing){ .at = LISTING_CLIENTS };
	}
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	if (message->kind == IPC_STORE_OPEN) {
		handle_open(worker->user, message);
	} else if (message->kind == IPC_STORE_PEER) {
		handle_peer(worker->user, message, fds);
	} else if (message->kind == IPC_CLIENT_SET || message->kind == IPC_PROFILE_PUT) {
		struct store *store = (struct store *)worker->user;
		if (store->database) {
			store_handle_state(&store->supervisor, message);
		}
	}
}

static void handle_stop(struct worker *worker, uint32_t reason) {
	(void)reason;
	struct store *store = worker->user;
	store_begin(store, WRITE_MS);
	database_close(TAKE(store->database, NULL)); /* writes the log back into the file */
	store_end(store);
	worker_leave(worker);
}

/* A supervisor that takes over knows nothing of it. */
static void handle_asked(struct worker *worker) {
	struct store *store = (struct store *)worker->user;
	store->listing = (struct listing){ .at = LISTING_CLIENTS };
	store_list(store);
}

static const struct worker_class store_class = {
	.kind = PEER_STORE,
	.message = handle_message,
	.stop = handle_stop,
	.asked = handle_asked,
};

int main(void) {
	struct store *store = calloc(1, sizeof(*store));
	if (!store) {
		return 1;
	}
	for (size_t i = 0; i < PEERS_MAX; i++) {
		store->peers[i].channel.fd = -1;
		store->peers[i].store = store;
		store->peers[i].listing.at = LISTING_DONE;
	}
	store->supervisor = (struct peer){
		.channel.fd = -1, .store = store, .listing.at = LISTING_DONE
	};
	store->listing.at = LISTING_DONE;
	int rc = worker_open(&store->worker, &store_class, store);
	if (rc >= 0) {
		/* Before the first event: one that is added during an event is not
		 * called after that one. */
		rc = sd_event_add_post(store->worker.event, &store->post, handle_post, store);
	}
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	_exit(worker_run(&store->worker));
}
