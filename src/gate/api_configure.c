/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* What is to become of a client's next viewer: it goes to a lobby with its first picture. The
 * supervisor keeps it as well, for a door that comes after this one; who asked hears of the join by
 * events. */

enum {
	KEPT_MS = 10 * 60 * 1000,
	JOIN_MS = 30 * 1000, /* the supervisor's own deadlines are shorter */
	/* Requests that no connection has: their upper half is no place of one. */
	REQUESTS = (int)0xffff0000,
};

/* Of a session that was added with one, else of its client. */
static struct web_wish *find_only(struct web *web, uint64_t session) {
	for (size_t i = 0; i < WEB_WISHES_MAX; i++) {
		if (web->wishes[i].used && web->wishes[i].only == session) {
			return &web->wishes[i];
		}
	}
	return NULL;
}

static struct web_wish *find(struct web *web, const uint8_t client[32]) {
	for (size_t i = 0; i < WEB_WISHES_MAX; i++) {
		struct web_wish *wish = &web->wishes[i];
		if (wish->used && !wish->session && !wish->only &&
				memcmp(wish->client, client, 32) == 0) {
			return wish;
		}
	}
	return NULL;
}

/* One that has begun is not begun again by the next door. */
static void write_down(struct gate *gate, const struct web_wish *wish) {
	struct ipc_message message = { .kind = IPC_LOBBY_WISH,
		.lobby_wish = { .place = (uint8_t)(wish - gate->web.wishes),
				.used = wish->used && !wish->session,
				.only = wish->only,
				.until_ms = wish->until_ms,
				.made_ms = wish->made_ms,
				.role = wish->role } };
	__typeof__(message.lobby_wish) *out = &message.lobby_wish;
	memcpy(out->client, wish->client, sizeof(out->client));
	text_copy(out->lobby, sizeof(out->lobby), wish->lobby);
	text_copy(out->pin, sizeof(out->pin), wish->pin);
	gate_post(gate, &message);
	explicit_bzero(&message, sizeof(message));
}

void api_handle_wish(struct gate *gate, const struct ipc_message *message) {
	const __typeof__(message->lobby_wish) *from = &message->lobby_wish;
	if (from->place >= WEB_WISHES_MAX || gate->web.wishes[from->place].used) {
		return;
	}
	struct web_wish *wish = &gate->web.wishes[from->place];
	*wish = (struct web_wish){ .used = from->used,
		.only = from->only,
		.until_ms = from->until_ms,
		.made_ms = from->made_ms,
		.role = from->role };
	memcpy(wish->client, from->client, sizeof(wish->client));
	text_copy(wish->lobby, sizeof(wish->lobby), from->lobby);
	text_copy(wish->pin, sizeof(wish->pin), from->pin);
}

static void forget(struct gate *gate, struct web_wish *wish) {
	bool told = wish->used;
	explicit_bzero(wish, sizeof(*wish));
	if (told) {
		write_down(gate, wish);
	}
}

static struct web_wish *make(struct gate *gate) {
	uint64_t now = clock_now_ms();
	for (size_t i = 0; i < WEB_WISHES_MAX; i++) {
		struct web_wish *wish = &gate->web.wishes[i];
		if (!wish->used || wish->until_ms <= now) {
			forget(gate, wish);
			return wish;
		}
	}
	return NULL;
}

/* Clients share their uniqueid: it names one only where there is one. */
static bool wanted_client(struct request *request, uint8_t out[32]) {
	const struct clients *clients = &request->gate->clients;
	if (schema_text(request->json, "client_id", "")[0]) {
		return api_wanted_client(request, out);
	}
	if (!schema_text(request->json, "client_unique_id", "")[0]) {
		api_error(request->connection, 400, "Say which client: \"client_id\".");
		return false;
	}
	if (clients->count != 1) {
		api_error(request->connection, clients->count ? 409 : 404,
				clients->count ? "Nearly all clients send the same uniqueid: say "
						 "which one by \"client_id\"."
					       : "There is no such client.");
		return false;
	}
	memcpy(out, clients->list[0].fingerprint, 32);
	return true;
}

static void fill(struct web_wish *wish, const json_t *body) {
	text_copy(wish->lobby, sizeof(wish->lobby), schema_text(body, "immediate_lobby_id", ""));
	bool viewer = strcmp(schema_text(body, "role", "player"), "viewer") == 0;
	wish->role = viewer ? ROLE_VIEWER : ROLE_PLAYER;
}

bool api_wish_fits(struct gate *gate) {
	return make(gate) != NULL;
}

bool api_wish_add(struct gate *gate, uint64_t session, const json_t *body) {
	struct web_wish *wish = make(gate);
	if (!wish || !api_read_pin(body, wish->pin, sizeof(wish->pin))) {
		return false;
	}
	wish->used = true;
	wish->only = session;
	wish->until_ms = UINT64_MAX; /* it goes with the session */
	wish->made_ms = clock_now_ms();
	fill(wish, body);
	write_down(gate, wish);
	return true;
}

void api_wish_forget(struct gate *gate, uint64_t session) {
	struct web_wish *wish = find_only(&gate->web, session);
	if (wish) {
		forget(gate, wish);
	}
}

static void say(struct connection *connection, const char *words) {
	api_answer(connection, 200, json_pack("{s:b,s:s}", "success", 1, "message", words));
}

void api_handle_configure(struct request *request) {
	struct connection *connection = request->connection;
	struct web *web = &request->gate->web;
	const char *lobby = schema_text(request->json, "immediate_lobby_id", "");
	uint8_t client[32];
	if (!wanted_client(request, client)) {
		return;
	}
	struct web_wish *wish = find(web, client);
	if (!lobby[0]) {
		if (wish) {
			forget(request->gate, wish);
		}
		say(connection, "The client's next session begins at its own desktop.");
		return;
	}
	if (!json_object_get(web->lobbies, lobby)) {
		api_error(connection, 404, "Invalid lobby ID");
		return;
	}
	wish = wish ? wish : make(request->gate);
	if (!wish) {
		api_refuse(connection, REASON_RESOURCES, NULL);
		return;
	}
	uint64_t now_ms = clock_now_ms();
	struct web_wish fresh = { .used = true, .made_ms = now_ms, .until_ms = now_ms + KEPT_MS };
	if (!api_read_pin(request->json, fresh.pin, sizeof(fresh.pin))) {
		api_error(connection, 403, "Invalid PIN");
		return;
	}
	memcpy(fresh.client, client, 32);
	fill(&fresh, request->json);
	*wish = fresh;
	write_down(request->gate, wish);
	explicit_bzero(&fresh, sizeof(fresh));
	say(connection, "The client's next session goes to the lobby with its first picture.");
}

void api_wish_begins(struct gate *gate, const struct web_session *row) {
	struct web_wish *wish = find_only(&gate->web, row->session);
	wish = wish ? wish : find(&gate->web, row->client);
	if (!wish || wish->session || wish->until_ms <= clock_now_ms()) {
		return;
	}
	wish->session = row->session;
	write_down(gate, wish);
	size_t index = (size_t)(wish - gate->web.wishes);
	struct ipc_message message = { .kind = IPC_LOBBY_JOIN,
		.lobby_ask = { .request = (uint32_t)REQUESTS | (uint32_t)index,
				.session = row->session,
				.role = wish->role } };
	text_copy(message.lobby_ask.lobby, sizeof(message.lobby_ask.lobby), wish->lobby);
	text_copy(message.lobby_ask.pin, sizeof(message.lobby_ask.pin), wish->pin);
	gate_post(gate, &message);
	explicit_bzero(&message, sizeof(message));
}

bool api_wish_now(struct gate *gate, struct ipc_message *join) {
	struct web_wish *wish = make(gate);
	if (!wish) {
		return false;
	}
	*wish = (struct web_wish){ .used = true,
		.until_ms = clock_now_ms() + JOIN_MS,
		.session = join->lobby_ask.session };
	text_copy(wish->lobby, sizeof(wish->lobby), join->lobby_ask.lobby);
	join->lobby_ask.request = (uint32_t)REQUESTS | (uint32_t)(wish - gate->web.wishes);
	gate_post(gate, join);
	return true;
}

void api_wish_done(struct gate *gate, const struct ipc_message *message) {
	uint32_t index = message->lobby_done.request & ~(uint32_t)REQUESTS;
	struct web_wish *wish = index < WEB_WISHES_MAX ? &gate->web.wishes[index] : NULL;
	if ((message->lobby_done.request & (uint32_t)REQUESTS) != (uint32_t)REQUESTS || !wish ||
			!wish->session) {
		return;
	}
	uint32_t reason = message->lobby_done.reason;
	if (reason != REASON_NONE) {
		char session[API_ID_SIZE];
		api_id_text(wish->session, session);
		const struct reason_row *row = reason_row(reason);
		log_warning("wish-refused", "session=%016llx lobby=%s reason=%s",
				(unsigned long long)wish->session, wish->lobby, row->name);
		events_tell(gate, EVENT_JOIN_FAILED, wish->session, wish->lobby,
				json_pack("{s:s,s:s,s:s,s:s}", "session_id", session, "lobby_id",
						wish->lobby, "reason", row->name, "detail",
						row->words));
	}
	forget(gate, wish);
}
