/* SPDX-License-Identifier: MIT */
#include "gate/sessions.h"

#include <string.h>

#include "base/hex.h"
#include "base/random.h"
#include "base/text.h"

static void forget(struct session *session) {
	rtsp_seal_finish(&session->seal);
	explicit_bzero(session, sizeof(*session));
}

/* The same session's, else a free one, else the oldest whose time to negotiate is over
 * without anything having come of it. */
static struct session *slot_for(struct sessions *sessions, uint64_t id, uint64_t now_ms) {
	struct session *found = NULL, *stale = NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->list[i];
		if (session->id == id) {
			return session;
		}
		if (session->id == 0) {
			found = found ? found : session;
		} else if (session->negotiating &&
				now_ms - session->launched_ms > SESSION_NEGOTIATION_MS) {
			stale = session;
		}
	}
	return found ? found : stale;
}

int sessions_put(struct sessions *sessions, const struct session_launch *launch, uint64_t now_ms,
		struct session **out) {
	struct session *session = slot_for(sessions, launch->id, now_ms);
	if (!session || launch->id == 0) {
		return session ? -EINVAL : -ENOSPC;
	}
	forget(session);
	int rc = rtsp_seal_init(&session->seal, RTSP_SEAL_HOST, &launch->key);
	if (rc < 0) {
		return rc;
	}
	uint8_t token[8];
	random_fill(token, sizeof(token));
	hex_encode(token, sizeof(token), session->token);
	session->id = launch->id;
	session->serial = ++sessions->serials;
	memcpy(session->client, launch->client, 32);
	session->launcher = launch->launcher;
	session->sealed = launch->sealed;
	session->negotiating = true;
	session->launched_ms = now_ms;
	session->video_ping = launch->video_ping;
	session->audio_ping = launch->audio_ping;
	session->connect_data = launch->connect_data;
	session->enet_peer = launch->enet_peer;
	text_copy(session->trace, sizeof(session->trace), launch->trace);
	*out = session;
	return 0;
}

static bool is_of(const uint8_t client[32], uint64_t session, const uint8_t of[32], uint64_t id) {
	return session != 0 && (session == id || id == 0) && memcmp(client, of, 32) == 0;
}

static void forget_all(struct sessions *sessions, const uint8_t client[32], uint64_t id) {
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (is_of(sessions->list[i].client, sessions->list[i].id, client, id)) {
			forget(&sessions->list[i]);
		}
		if (is_of(sessions->games[i].client, sessions->games[i].session, client, id)) {
			sessions->games[i] = (struct game){ .session = 0 };
		}
	}
}

void sessions_state(struct sessions *sessions, const uint8_t client[32], uint64_t id, int32_t app,
		uint8_t state) {
	if (state == SESSION_GONE) {
		forget_all(sessions, client, id);
		return;
	}
	if (id == 0 || app == 0) { /* one that a program added */
		return;
	}
	struct game *slot = NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct game *game = &sessions->games[i];
		if (is_of(game->client, game->session, client, id)) {
			slot = game;
			break;
		}
		if (!slot && game->session == 0) {
			slot = game;
		}
	}
	if (slot) {
		*slot = (struct game){ .session = id, .app = app, .state = state };
		memcpy(slot->client, client, 32);
	}
}

int32_t sessions_game(const struct sessions *sessions, const uint8_t client[32]) {
	int32_t app = 0;
	uint64_t newest = 0;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct game *game = &sessions->games[i];
		if (game->session >= newest && is_of(game->client, game->session, client, 0)) {
			newest = game->session;
			app = game->app;
		}
	}
	return app;
}

struct session *sessions_by_serial(struct sessions *sessions, uint64_t serial) {
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (sessions->list[i].id && sessions->list[i].serial == serial) {
			return &sessions->list[i];
		}
	}
	return NULL;
}

struct session *sessions_by_id(struct sessions *sessions, uint64_t id) {
	for (size_t i = 0; id && i < SESSIONS_MAX; i++) {
		if (sessions->list[i].id == id) {
			return &sessions->list[i];
		}
	}
	return NULL;
}

static bool negotiates(const struct session *session, uint64_t now_ms) {
	return session->id && session->negotiating &&
	       now_ms - session->launched_ms <= SESSION_NEGOTIATION_MS;
}

int sessions_unseal(struct sessions *sessions, const void *data, size_t len, uint64_t now_ms,
		void *out, size_t *out_len, struct session **out_session) {
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->list[i];
		if (!negotiates(session, now_ms) || !session->sealed) {
			continue;
		}
		int rc = rtsp_seal_open(&session->seal, data, len, out);
		if (rc == -EPROTO) {
			return rc;
		}
		if (rc >= 0) {
			*out_len = (size_t)rc;
			*out_session = session;
			return 0;
		}
	}
	return -ENOENT;
}

struct session *sessions_plain(
		struct sessions *sessions, const struct address *from, uint64_t now_ms) {
	struct session *found = NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->list[i];
		if (negotiates(session, now_ms) && !session->sealed &&
				address_same_ip(&session->launcher, from) &&
				(!found || session->serial > found->serial)) {
			found = session;
		}
	}
	return found;
}

bool session_is_proven(const struct session *session, const struct address *address) {
	for (size_t i = 0; i < session->n_proven; i++) {
		if (address_same_ip(&session->proven[i], address)) {
			return true;
		}
	}
	return false;
}

void session_prove(struct session *session, const struct address *address) {
	if (session_is_proven(session, address)) {
		return;
	}
	if (session->n_proven == SESSION_PROVEN_MAX) {
		/* A client that wanders needs its newest address, not its oldest. */
		memmove(session->proven, session->proven + 1,
				sizeof(session->proven) - sizeof(session->proven[0]));
		session->n_proven--;
	}
	session->proven[session->n_proven++] = *address;
}

void sessions_finish(struct sessions *sessions) {
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		forget(&sessions->list[i]);
	}
}
