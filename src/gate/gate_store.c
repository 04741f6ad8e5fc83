/* SPDX-License-Identifier: MIT */
#include "gate/gate_store.h"

#include <errno.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/api.h"
#include "gate/gate.h"
#include "gate/tls.h"

void gate_store_forget(struct gate *gate, const uint8_t fingerprint[32]) {
	if (clients_remove(&gate->clients, fingerprint)) {
		api_tell_client(gate, fingerprint, false);
		log_info("client-gone", "clients=%zu", gate->clients.count);
	}
	sessions_state(&gate->sessions, fingerprint, 0, 0, SESSION_GONE);
	connections_distrust(&gate->connections, fingerprint);
}

static void handle_identity(struct gate *gate, const struct ipc_message *message) {
	char certificate[sizeof(message->identity.certificate) + 1] = "";
	char key[sizeof(message->identity.key) + 1] = "";
	struct ssl_ctx_st *tls = NULL;
	memcpy(certificate, message->identity.certificate, message->identity.certificate_len);
	memcpy(key, message->identity.key, message->identity.key_len);
	struct pairing_identity identity;
	int rc = pairing_identity_load(certificate, key, &identity);
	if (rc == 0) {
		rc = tls_server_create(message->identity.certificate,
				message->identity.certificate_len, message->identity.key,
				message->identity.key_len, &tls);
	}
	explicit_bzero(key, sizeof(key));
	if (rc < 0) {
		pairing_identity_finish(&identity);
		worker_fail(&gate->worker, REASON_STORE_SILENT,
				"The host's certificate or key cannot be used.");
		return;
	}
	if (gate->has_identity) {
		pairing_identity_finish(&identity); /* it never changes while we run */
		tls_server_destroy(tls);
		return;
	}
	gate->identity = identity;
	gate->tls = tls;
	gate->connections.tls = tls;
	text_copy(gate->host_id, sizeof(gate->host_id), message->identity.host_id);
	text_copy(gate->web_key, sizeof(gate->web_key), message->identity.web_key);
	gate->has_identity = true;
}

static void handle_client(struct gate *gate, const struct ipc_message *message) {
	uint8_t fingerprint[32];
	tls_sha256(message->client.der, message->client.der_len, fingerprint);
	if (memcmp(fingerprint, message->client.client, 32) != 0) {
		log_error("client-refused", "why=fingerprint");
		return;
	}
	bool known = clients_named(&gate->clients, fingerprint) != NULL;
	int rc = clients_put(&gate->clients, fingerprint, message->client.der,
			message->client.der_len, message->client.name, message->client.created_s,
			message->client.permissions);
	if (rc < 0) {
		log_error("client-refused", "error=%d", rc);
	} else if (!known) { /* a new store lists them all again */
		api_tell_client(gate, fingerprint, true);
	}
}

/* For the web door alone: what programs and people have made. */
static void handle_kept(struct gate *gate, const struct ipc_message *message) {
	static void (*const kept[IPC_KINDS])(struct gate *, const struct ipc_message *) = {
		[IPC_APP] = api_handle_app_row,
		[IPC_APP_GONE] = api_handle_app_gone,
		[IPC_PROFILE] = api_handle_profile_row,
		[IPC_PROFILE_GONE] = api_handle_profile_gone,
		[IPC_CLIENT_SETTINGS] = api_handle_settings_row,
		[IPC_TOKEN] = api_handle_token_row,
		[IPC_TOKEN_GONE] = api_handle_token_gone,
		[IPC_STATE_DONE] = api_handle_state_done,
	};
	if (message->kind == IPC_STATE_DONE) {
		store_line_answered(&gate->store_line, message->state_done.request);
	}
	if (gate->role == PEER_WEB && kept[message->kind]) {
		kept[message->kind](gate, message);
	}
}

/* Who was removed while a store died, and nobody said so. */
static void drop_stale(struct gate *gate) {
	const struct client *stale;
	while ((stale = clients_next_stale(&gate->clients))) {
		uint8_t fingerprint[32];
		memcpy(fingerprint, stale->fingerprint, sizeof(fingerprint));
		gate_store_forget(gate, fingerprint);
	}
}

/* Our own is in no store's list. */
static void begin_listing(struct gate *gate) {
	clients_begin_listing(&gate->clients);
	for (size_t i = 0; gate->has_guest && i < gate->clients.count; i++) {
		struct client *client = &gate->clients.list[i];
		client->listed |= memcmp(client->fingerprint, gate->guest, 32) == 0;
	}
}

static void handle_store(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct gate *gate = (struct gate *)channel->user;
	switch ((int)message->kind) {
	case IPC_IDENTITY:
		handle_identity(gate, message);
		explicit_bzero(message, sizeof(*message));
		break;
	case IPC_CLIENT:
		handle_client(gate, message);
		break;
	case IPC_CLIENT_GONE:
		gate_store_forget(gate, message->client_ref.client);
		break;
	case IPC_CLIENTS_END:
		drop_stale(gate);
		gate->has_clients = true;
		break;
	case IPC_CLIENT_SETTINGS:
		clients_settle(&gate->clients, message);
		handle_kept(gate, message);
		break;
	case IPC_CLIENT_ADDED:
		store_line_answered(&gate->store_line, message->client_ref.request);
		pair_handle_added(gate, message);
		break;
	case IPC_CLIENT_REMOVED:
		store_line_answered(&gate->store_line, message->client_ref.request);
		if (message->client_ref.outcome == 0) {
			gate_store_forget(gate, message->client_ref.client);
		}
		api_handle_removed(gate, message);
		break;
	default:
		handle_kept(gate, message);
		break;
	}
	gate_check_ready(gate);
}

static void handle_store_closed(struct channel *channel, int error) {
	struct gate *gate = (struct gate *)channel->user;
	log_warning("store-gone", "error=%d", error);
	pairs_handle_store_lost(gate);
}

static const struct channel_events store_events = {
	.message = handle_store,
	.closed = handle_store_closed,
};

void gate_store_open(struct gate *gate, int fd) {
	channel_close(&gate->store);
	pairs_handle_store_lost(gate);
	int rc = channel_open(&gate->store, gate->worker.event, fd, gate->role, PEER_STORE,
			&store_events, gate);
	if (rc < 0) {
		worker_fail(&gate->worker, REASON_RESOURCES, "the store's channel: %s",
				strerror(-rc));
		return;
	}
	sd_event_source_set_priority(gate->store.io, CONNECTION_PRIORITY_MESSAGES);
	begin_listing(gate);
	store_line_repeat(&gate->store_line, &gate->store, clock_now_ms());
}
