/* SPDX-License-Identifier: MIT */
#include "gate/web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/text.h"
#include "gate/assets.h"
#include "gate/body.h"
#include "gate/gate.h"
#include "gate/health.h"
#include "gate/web_obey.h"
#include "gate/web_restart.h"

static const char page_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
				  "img-src 'self'; connect-src 'self'; base-uri 'none'; "
				  "form-action 'none'";

void web_prepare(void) {
	json_object_seed(random_u32() | 1);
}

/* ---- answers ---- */

/* Takes the object. */
static void answer(struct connection *connection, int status, json_t *object) {
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	struct http_answer reply = { .status = text ? status : 500,
		.content_type = "application/json" };
	request_answer(connection, &reply, reply.status, text ? text : "", text ? strlen(text) : 0);
	free(text);
}

static void answer_error(struct connection *connection, int status, const char *words) {
	answer(connection, status, json_pack("{s:b,s:s}", "success", 0, "error", words));
}

static void answer_success(struct connection *connection) {
	answer(connection, 200, json_pack("{s:b}", "success", 1));
}

/* ---- pages ---- */

static void answer_asset(struct request *request, const char *name) {
	for (size_t i = 0; i < assets_count; i++) {
		if (strcmp(assets[i].name, name) == 0) {
			struct http_answer reply = { .status = 200,
				.content_type = assets[i].type,
				.content_policy = page_policy };
			request_answer_kept(request->connection, &reply, 200, assets[i].bytes,
					assets[i].len, NULL);
			return;
		}
	}
	answer_error(request->connection, 404, "There is nothing here.");
}

static void handle_page(struct request *request) {
	answer_asset(request, "index.html");
}

static void handle_asset(struct request *request) {
	answer_asset(request, request->connection->path + 1);
}

/* ---- pairing ---- */

static struct web_pending *find_pending(struct web *web, uint32_t pairing) {
	for (size_t i = 0; i < WEB_PENDING_MAX; i++) {
		if (web->pending[i].pairing == pairing) {
			return &web->pending[i];
		}
	}
	return NULL;
}

static void handle_pending(struct request *request) {
	const struct web *web = &request->gate->web;
	json_t *list = json_array();
	for (size_t i = 0; i < WEB_PENDING_MAX; i++) {
		const struct web_pending *pending = &web->pending[i];
		if (!pending->pairing) {
			continue;
		}
		char address[ADDRESS_TEXT_MAX], fingerprint[65], secret[16];
		address_ip_text(&pending->address, address);
		hex_encode(pending->client, 32, fingerprint);
		text_format(secret, sizeof(secret), "%u", pending->pairing);
		json_array_append_new(list,
				json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:I}", "pairing",
						(json_int_t)pending->pairing, "pair_secret", secret,
						"client_ip", address, "address", address,
						"fingerprint", fingerprint, "name", pending->name,
						"waits_s",
						(json_int_t)((clock_now_ms() - pending->since_ms) /
								1000)));
	}
	answer(request->connection, 200, json_pack("{s:b,s:o}", "success", 1, "requests", list));
}

/* The link with the key in it: for who may use the Unix socket, and knows all of it anyway. */
static void handle_link(struct request *request) {
	answer(request->connection, 200,
			json_pack("{s:b,s:s}", "success", 1, "url",
					request->gate->options.web_url));
}

static struct web_pending *choose_pending(struct web *web, uint32_t pairing) {
	if (pairing) {
		return find_pending(web, pairing);
	}
	struct web_pending *only = NULL;
	for (size_t i = 0; i < WEB_PENDING_MAX; i++) {
		if (web->pending[i].pairing && only) {
			return NULL;
		}
		only = web->pending[i].pairing ? &web->pending[i] : only;
	}
	return only;
}

static const char *fault_of(
		struct web *web, const struct body_pin *body, struct web_pending **out) {
	*out = choose_pending(web, body->pairing);
	if (!*out) {
		return body->pairing ? "That client is not waiting any more. Start pairing in "
				       "Moonlight again."
				     : "Not just one client is waiting: say which with "
				       "\"pairing\".";
	}
	return (*out)->request ? "A PIN was just given for this client." : NULL;
}

static void handle_pair(struct request *request) {
	struct gate *gate = request->gate;
	struct connection *connection = request->connection;
	struct body_pin body;
	struct web_pending *pending = NULL;
	const char *fault;
	if (body_pin_parse(request->body, &body, &fault) == 0) {
		fault = fault_of(&gate->web, &body, &pending);
	}
	if (fault) {
		answer_error(connection, 400, fault);
		return;
	}
	pending->request = connection_request(connection);
	connection->awaits = AWAITS_PAIR_ANSWER;
	connection_extend(connection, WEB_PAIR_MS);
	struct ipc_message message = { .kind = IPC_PAIR_PIN,
		.pair_pin = { .request = pending->request, .pairing = pending->pairing } };
	text_copy(message.pair_pin.pin, sizeof(message.pair_pin.pin), body.pin);
	text_copy(message.pair_pin.name, sizeof(message.pair_pin.name), body.name);
	gate_post(gate, &message);
}

static struct web_pending *find_by_request(struct web *web, uint32_t request) {
	for (size_t i = 0; i < WEB_PENDING_MAX; i++) {
		if (web->pending[i].pairing && web->pending[i].request == request) {
			return &web->pending[i];
		}
	}
	return NULL;
}

void web_handle_waiting(struct gate *gate, const struct ipc_message *message) {
	struct web_pending *slot = find_pending(&gate->web, message->pair_waiting.pairing);
	slot = slot ? slot : find_pending(&gate->web, 0);
	if (!slot || message->pair_waiting.pairing == 0) {
		return;
	}
	if (slot->pairing && memcmp(slot->client, message->pair_waiting.client, 32) == 0) {
		return; /* said again, to a supervisor that took over */
	}
	*slot = (struct web_pending){
		.pairing = message->pair_waiting.pairing,
		.address = message->pair_waiting.address,
		.since_ms = clock_now_ms(),
	};
	memcpy(slot->client, message->pair_waiting.client, 32);
	text_copy(slot->name, sizeof(slot->name), message->pair_waiting.name);
}

static void end_pending(struct gate *gate, struct web_pending *pending, uint32_t outcome,
		const char *detail) {
	struct connection *connection = gate_waiting(gate, pending->request, AWAITS_PAIR_ANSWER);
	*pending = (struct web_pending){ .pairing = 0 };
	if (connection && outcome == 0) {
		answer_success(connection);
	} else if (connection) {
		answer_error(connection, 400, detail);
	}
}

void web_handle_pair_gone(struct gate *gate, const struct ipc_message *message) {
	uint32_t pairing = message->pair_gone.pairing;
	for (size_t i = 0; i < WEB_PENDING_MAX; i++) {
		struct web_pending *pending = &gate->web.pending[i];
		if (pending->pairing && (pairing == 0 || pairing == pending->pairing)) {
			end_pending(gate, pending, message->pair_gone.outcome,
					message->pair_gone.detail);
		}
	}
}

/* That the PIN was taken says little: the answer is how the pairing ends. */
void web_handle_pair_answer(struct gate *gate, const struct ipc_message *message) {
	uint32_t request = message->pair_answer.request;
	struct connection *connection = gate_waiting(gate, request, AWAITS_PAIR_ANSWER);
	if (!connection || message->pair_answer.reason == REASON_NONE) {
		return;
	}
	struct web_pending *pending = find_by_request(&gate->web, request);
	if (pending) {
		pending->request = 0;
	}
	answer_error(connection, 400,
			message->pair_answer.detail[0]
					? message->pair_answer.detail
					: reason_row(message->pair_answer.reason)->words);
}

/* ---- clients ---- */

static void handle_clients(struct request *request) {
	const struct clients *clients = &request->gate->clients;
	json_t *list = json_array();
	for (size_t i = 0; i < clients->count; i++) {
		const struct client *client = &clients->list[i];
		char fingerprint[65];
		hex_encode(client->fingerprint, 32, fingerprint);
		json_array_append_new(list,
				json_pack("{s:s,s:s,s:s,s:I,s:I}", "client_id", fingerprint,
						"fingerprint", fingerprint, "name", client->name,
						"created_s", (json_int_t)client->created_s, "app",
						(json_int_t)sessions_game(&request->gate->sessions,
								client->fingerprint)));
	}
	answer(request->connection, 200, json_pack("{s:b,s:o}", "success", 1, "clients", list));
}

static void handle_unpair(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_CLIENT_REMOVE,
		.client_ref.request = connection_request(connection) };
	const char *fault = "There is no such client.";
	int rc = body_client_parse(request->body, message.client_ref.client, &fault);
	if (rc == 0 && !clients_named(&request->gate->clients, message.client_ref.client)) {
		rc = -ENOENT;
	}
	if (rc < 0) {
		answer_error(connection, rc == -ENOENT ? 404 : 400, fault);
		return;
	}
	connection->awaits = AWAITS_REMOVED;
	connection_extend(connection, GATE_STORE_MS);
	if (!gate_post_store(request->gate, &message)) {
		answer_error(connection, 503, reason_row(REASON_STORE_SILENT)->words);
	}
}

void web_handle_removed(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->client_ref.request, AWAITS_REMOVED);
	if (!connection) {
		return;
	}
	if (message->client_ref.outcome == 0 || message->client_ref.outcome == ENOENT) {
		answer_success(connection);
	} else {
		answer_error(connection, 500, "The host could not remove the client.");
	}
}

/* ---- status ---- */

static void handle_status(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_STATUS_ASK,
		.status_ask.request = connection_request(connection) };
	if (http_query_text(request->http.query, "filter", message.status_ask.filter,
			    sizeof(message.status_ask.filter)) == -EBADMSG) {
		answer_error(connection, 400, "The filter cannot be read.");
		return;
	}
	connection->wait = json_array();
	connection->awaits = AWAITS_STATUS;
	connection_extend(connection, GATE_STATUS_MS);
	gate_post(request->gate, &message);
}

void web_handle_status_line(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->status_line.request, AWAITS_STATUS);
	json_t *list = connection ? (json_t *)connection->wait : NULL;
	if (!list || json_array_size(list) >= WEB_STATUS_LINES_MAX) {
		return;
	}
	json_t *line = json_loads(message->status_line.line, JSON_REJECT_DUPLICATES, NULL);
	if (line) {
		json_array_append_new(list, line);
	}
}

void web_handle_status_end(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->status_line.request, AWAITS_STATUS);
	if (!connection) {
		return;
	}
	json_t *list = (json_t *)TAKE(connection->wait, NULL);
	answer(connection, 200, json_pack("{s:b,s:o}", "success", 1, "status", list));
}

/* ---- late and gone ---- */

static void forget(struct connection *connection) {
	struct gate *gate = (struct gate *)connection->pool->user;
	json_decref((json_t *)TAKE(connection->wait, NULL));
	struct web_pending *pending = find_by_request(&gate->web, connection_request(connection));
	if (pending) {
		pending->request = 0;
	}
}

void web_handle_gone(struct connection *connection) {
	forget(connection);
}

void web_handle_overdue(struct connection *connection) {
	static const char *const words[GATE_AWAITS] = {
		[AWAITS_PAIR_ANSWER] = "The client did not finish pairing in time.",
		[AWAITS_REMOVED] = "The host's database did not answer in time.",
		[AWAITS_STATUS] = "The host did not say its status in time.",
	};
	const char *word = words[connection->awaits];
	forget(connection);
	answer_error(connection, 503, word ? word : "The host did not answer in time.");
}

/* ---- routes ---- */

static const struct route routes[] = {
	{ "/", ON(WEB), HTTP_GET, ACCESS_ANY, true, handle_page },
	{ "/pin", ON(WEB), HTTP_GET, ACCESS_ANY, true, handle_page },
	{ "/pair.js", ON(WEB), HTTP_GET, ACCESS_ANY, true, handle_asset },
	{ "/pair.css", ON(WEB), HTTP_GET, ACCESS_ANY, true, handle_asset },
	{ "/icon.svg", ON(WEB), HTTP_GET, ACCESS_ANY, true, handle_asset },
	{ "/api/v1/pair/pending", ON(WEB) | ON(API), HTTP_GET, ACCESS_KEY, true, handle_pending },
	{ "/api/v1/pair/link", ON(API), HTTP_GET, ACCESS_KEY, true, handle_link },
	{ "/api/v1/pair/client", ON(WEB) | ON(API), HTTP_POST, ACCESS_KEY, false, handle_pair },
	{ "/api/v1/clients", ON(WEB) | ON(API), HTTP_GET, ACCESS_KEY, true, handle_clients },
	{ "/api/v1/unpair/client", ON(WEB) | ON(API), HTTP_POST, ACCESS_KEY, false, handle_unpair },
	{ "/api/v1/system/restart", ON(API), HTTP_POST, ACCESS_KEY, false, web_handle_restart },
	{ "/api/v1/status", ON(WEB) | ON(API), HTTP_GET, ACCESS_KEY, true, handle_status },
#ifdef PERIGEE_OBEY
	{ "/api/v1/debug/obey", ON(API), HTTP_POST, ACCESS_KEY, false, web_handle_obey },
#endif
	{ "/healthz", ON(WEB) | ON(API), HTTP_GET, ACCESS_ANY, true, health_handle_alive },
	{ "/readyz", ON(WEB) | ON(API), HTTP_GET, ACCESS_ANY, true, health_handle_ready },
	{ "/metrics", ON(WEB) | ON(API), HTTP_GET, ACCESS_KEY, true, health_handle_metrics },
};

/* A browser that was led here by another site says so in one of these. */
static bool is_foreign(const struct request *request) {
	const struct head *head = &request->http.head;
	struct span site, origin;
	int rc = head_find(head, "Sec-Fetch-Site", &site);
	if (rc != -ENOENT &&
			(rc < 0 || (!span_is(site, "same-origin") && !span_is(site, "none")))) {
		return true;
	}
	rc = head_find(head, "Origin", &origin);
	if (rc == -ENOENT) {
		return false;
	}
	static const char scheme[] = "https://";
	size_t skip = sizeof(scheme) - 1;
	return rc < 0 || origin.len != skip + request->http.host.len ||
	       memcmp(origin.at, scheme, skip) != 0 ||
	       memcmp(origin.at + skip, request->http.host.at, request->http.host.len) != 0;
}

/* "Authorization: Bearer KEY" is how monitors show theirs. */
static bool find_key(const struct request *request, struct span *out) {
	static const char scheme[] = "Bearer ";
	size_t skip = sizeof(scheme) - 1;
	if (head_find(&request->http.head, "X-Perigee-Key", out) == 0) {
		return true;
	}
	if (head_find(&request->http.head, "Authorization", out) < 0 || out->len < skip ||
			!span_is_nocase((struct span){ out->at, skip }, scheme)) {
		return false;
	}
	*out = (struct span){ out->at + skip, out->len - skip };
	return true;
}

static bool has_key(const struct request *request) {
	const char *key = request->gate->web_key;
	struct span shown;
	return key[0] && find_key(request, &shown) && shown.len == strlen(key) &&
	       bytes_equal_secretly(shown.at, key, shown.len);
}

static bool refuses_web(struct request *request) {
	struct connection *connection = request->connection;
	struct keyguard *guard = &request->gate->web.guard;
	struct source source = source_of(&connection->peer);
	uint64_t now = clock_now_ms();
	if (is_foreign(request)) {
		answer_error(connection, 403, "Another site may not use this API.");
		return true;
	}
	if (keyguard_is_locked(guard, &source, now)) {
		answer_error(connection, 429,
				"Too many wrong keys from your address. Wait half a minute, then "
				"try "
				"again.");
		return true;
	}
	if (!has_key(request)) {
		keyguard_note_wrong(guard, &source, now);
		answer_error(connection, 401,
				"The key is wrong. Open the link that the host printed, or run "
				"`perigee pair` on the host to see it again.");
		return true;
	}
	keyguard_note_right(guard, &source);
	places_know(&connection->pool->places, connection->slot);
	return false;
}

static bool refuses(struct request *request, const struct route *route) {
	struct connection *connection = request->connection;
	if (connection->door == DOOR_API) {
		if (connection->uid == 0 || connection->uid == geteuid()) {
			return false;
		}
		answer_error(connection, 403, "Only root and Perigee's own user may use this.");
		return true;
	}
	return route->access == ACCESS_KEY && refuses_web(request);
}

static void not_found(struct request *request, int status) {
	answer_error(request->connection, status,
			status == 405 ? "That does not work with this method."
				      : "There is nothing here.");
}

const struct request_site web_site = {
	.routes = routes,
	.n_routes = ARRAY_LEN(routes),
	.refuses = refuses,
	.not_found = not_found,
};

const struct connection_class web_class = {
	.name = "web",
	.tls = true,
	.receive = request_receive,
	.overdue = gate_overdue,
	.gone = gate_gone,
};

const struct connection_class web_api_class = {
	.name = "api",
	.receive = request_receive,
	.overdue = gate_overdue,
	.gone = gate_gone,
};
