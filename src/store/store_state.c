/* SPDX-License-Identifier: MIT */

/* What perigee-store keeps beyond identity and certificates: what clients may, how
 * they like it, profiles, apps made by programs. */

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/rules.h"
#include "store/store_inside.h"

enum {
	PIN_TRIES = 5,
	PIN_LOCK_MS = 30000,
};

static void answer(struct peer *peer, uint32_t request, uint32_t reason, const char *detail,
		int32_t app) {
	struct ipc_message done = { .kind = IPC_STATE_DONE,
		.state_done = { .request = request, .reason = reason, .app = app } };
	text_copy(done.state_done.detail, sizeof(done.state_done.detail), detail);
	if (!channel_is_open(&peer->channel)) { /* the supervisor's own, which nobody waits for */
		if (reason != REASON_NONE) {
			log_warning("state-refused", "detail=%s", log_quote(detail).text);
		}
		return;
	}
	channel_post(&peer->channel, &done, NULL, 0);
}

/* How a write ended, for a person. */
static void answer_write(
		struct peer *peer, uint32_t request, int rc, const char *missing, int32_t app) {
	static const struct {
		int error;
		const char *words;
	} rows[] = {
		{ ENOSPC, "There is no room for one more." },
		{ EEXIST, "That id is another one's." },
		{ EBUSY, "The state is busy; try again." },
	};
	const char *words = rc == -ENOENT ? missing : rc == 0 ? "" : "The disk failed.";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		words = rows[i].error == -rc ? rows[i].words : words;
	}
	answer(peer, request, rc == 0 ? REASON_NONE : REASON_STATE_REFUSED, words, app);
}

static void tell_all(struct store *store, const struct ipc_message *news, bool to_gate) {
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &store->peers[i];
		if (channel_is_open(&peer->channel) &&
				(to_gate || peer->channel.peer == PEER_WEB)) {
			channel_post(&peer->channel, news, NULL, 0);
		}
	}
	worker_post(&store->worker, news, NULL, 0);
}

void store_tell_settings(struct store *store, const uint8_t *fingerprint) {
	struct ipc_message news;
	store_begin(store, READ_MS);
	int rc = database_settings(store->database, fingerprint, &news);
	store_end(store);
	if (rc == 0) {
		tell_all(store, &news, true);
	}
}

static void client_set(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	uint32_t request = message->client_settings.request;
	char words[160];
	int rc = rules_settings(message, words, sizeof(words));
	if (rc < 0) {
		answer(peer, request, REASON_STATE_REFUSED, words, 0);
		return;
	}
	store_begin(store, WRITE_MS);
	rc = database_settings_change(store->database, message);
	store_end(store);
	log_info("client-set", "fields=0x%x permissions=0x%x error=%d",
			message->client_settings.fields, message->client_settings.permissions, rc);
	if (rc == 0) {
		store_tell_settings(store, message->client_settings.client);
	}
	answer_write(peer, request, rc, "There is no such client.", 0);
}

static bool is_kept(struct store *store, const struct ipc_message *put) {
	store_begin(store, READ_MS);
	bool same = database_profile_same(store->database, put);
	store_end(store);
	return same;
}

static void profile_put(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	char words[160];
	int rc = rules_profile(message, words, sizeof(words));
	if (rc < 0) {
		answer(peer, message->profile.request, REASON_STATE_REFUSED, words, 0);
		return;
	}
	message->profile.has_pin |= message->profile.pin[0] != '\0';
	if (peer == &store->supervisor && is_kept(store, message)) {
		explicit_bzero(message->profile.pin, sizeof(message->profile.pin));
		return; /* perigee.yaml says it at every start */
	}
	store_begin(store, WRITE_MS);
	rc = database_profile_put(store->database, message);
	store_end(store);
	log_info("profile-put", "id=%s pin=%d error=%d", log_quote(message->profile.id).text,
			message->profile.has_pin, rc);
	explicit_bzero(message->profile.pin, sizeof(message->profile.pin));
	uint32_t request = message->profile.request;
	if (rc == 0) {
		message->kind = IPC_PROFILE;
		message->profile.request = 0;
		tell_all(store, message, false);
	}
	answer_write(peer, request, rc, "", 0);
}

/* Apps of it are gone as well; who holds them in memory drops them with it. */
static void profile_remove(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	store_begin(store, WRITE_MS);
	int rc = database_profile_remove(store->database, message->profile_ref.id);
	store_end(store);
	log_info("profile-remove", "id=%s error=%d", log_quote(message->profile_ref.id).text, rc);
	uint32_t request = message->profile_ref.request;
	if (rc == 0) {
		message->kind = IPC_PROFILE_GONE;
		message->profile_ref.request = 0;
		explicit_bzero(message->profile_ref.pin, sizeof(message->profile_ref.pin));
		tell_all(store, message, false);
	}
	answer_write(peer, request, rc, "There is no such profile.", 0);
}

static struct guessed *guessed_of(struct store *store, const char *profile) {
	for (size_t i = 0; i < GUESSED_MAX; i++) {
		if (strcmp(store->guessed[i].profile, profile) == 0) {
			return &store->guessed[i];
		}
	}
	struct guessed *oldest = &store->guessed[store->next_guessed++ % GUESSED_MAX];
	*oldest = (struct guessed){ .wrong = 0 };
	text_copy(oldest->profile, sizeof(oldest->profile), profile);
	return oldest;
}

static void profile_pin(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	const char *id = message->profile_ref.id;
	uint32_t request = message->profile_ref.request;
	uint64_t now_ms = clock_now_ms();
	/* Whether there is one is no secret, and unknown ones are not to push others out. */
	store_begin(store, WRITE_MS);
	int rc = database_profile_pin(store->database, id, message->profile_ref.pin);
	store_end(store);
	explicit_bzero(message->profile_ref.pin, sizeof(message->profile_ref.pin));
	if (rc < 0 && rc != -EACCES) {
		answer_write(peer, request, rc, "There is no such profile.", 0);
		return;
	}
	struct guessed *guessed = guessed_of(store, id);
	if (now_ms < guessed->until_ms) {
		answer(peer, request, REASON_PIN_LOCKED, "", 0); /* right or wrong */
		return;
	}
	guessed->wrong = rc == 0 ? 0 : guessed->wrong + 1;
	if (guessed->wrong >= PIN_TRIES) {
		log_warning("pin-locked", "profile=%s", log_quote(id).text);
		guessed->wrong = 0;
		guessed->until_ms = now_ms + PIN_LOCK_MS;
	}
	answer(peer, request, rc == 0 ? REASON_NONE : REASON_PIN_WRONG, "", 0);
}

static void app_put(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	uint32_t request = message->app.request;
	char words[160];
	int rc = rules_app(message, words, sizeof(words));
	if (rc < 0) {
		answer(peer, request, REASON_STATE_REFUSED, words, 0);
		return;
	}
	store_begin(store, WRITE_MS);
	rc = database_app_put(store->database, message);
	store_end(store);
	log_info("app-put", "app=%d title=%s error=%d", message->app.app,
			log_quote(message->app.title).text, rc);
	if (rc == 0) {
		message->kind = IPC_APP;
		message->app.request = 0;
		tell_all(store, message, false);
	}
	answer_write(peer, request, rc, "There is no such profile.", message->app.app);
}

static void app_remove(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	uint32_t request = message->app_ref.request;
	store_begin(store, WRITE_MS);
	int rc = database_app_remove(store->database, &message->app_ref.app, message->app_ref.id);
	store_end(store);
	log_info("app-remove", "app=%d error=%d", message->app_ref.app, rc);
	if (rc == 0) {
		message->kind = IPC_APP_GONE;
		message->app_ref.request = 0;
		tell_all(store, message, false);
	}
	answer_write(peer, request, rc, "There is no such app.", message->app_ref.app);
}

/* To the web doors alone: nobody else lets programs in. */
static void tell_doors(struct store *store, const struct ipc_message *news) {
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &store->peers[i];
		if (channel_is_open(&peer->channel) && peer->channel.peer == PEER_WEB) {
			channel_post(&peer->channel, news, NULL, 0);
		}
	}
}

static void token_add(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	uint32_t request = message->token.request;
	store_begin(store, WRITE_MS);
	int rc = database_token_add(store->database, message);
	store_end(store);
	log_info("token-add", "name=%s scopes=0x%x error=%d", log_quote(message->token.name).text,
			message->token.scopes, rc);
	if (rc == 0) {
		message->kind = IPC_TOKEN;
		message->token.request = 0;
		tell_doors(store, message);
	}
	answer_write(peer, request, rc, "", 0);
}

static void token_remove(struct peer *peer, struct ipc_message *message) {
	struct store *store = peer->store;
	uint32_t request = message->token_ref.request;
	store_begin(store, WRITE_MS);
	int rc = database_token_remove(store->database, message->token_ref.hash);
	store_end(store);
	log_info("token-remove", "error=%d", rc);
	if (rc == 0) {
		message->kind = IPC_TOKEN_GONE;
		message->token_ref.request = 0;
		tell_doors(store, message);
	}
	answer_write(peer, request, rc, "There is no such token.", 0);
}

static const struct state_row {
	enum ipc_kind kind;
	void (*handle)(struct peer *peer, struct ipc_message *message);
} rows[] = {
	{ IPC_CLIENT_SET, client_set },
	{ IPC_PROFILE_PUT, profile_put },
	{ IPC_PROFILE_REMOVE, profile_remove },
	{ IPC_PROFILE_PIN, profile_pin },
	{ IPC_APP_PUT, app_put },
	{ IPC_APP_REMOVE, app_remove },
	{ IPC_TOKEN_ADD, token_add },
	{ IPC_TOKEN_REMOVE, token_remove },
};

bool store_handle_state(struct peer *peer, struct ipc_message *message) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind == message->kind) {
			rows[i].handle(peer, message);
			return true;
		}
	}
	return false;
}
