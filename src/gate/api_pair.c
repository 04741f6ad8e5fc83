/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/text.h"
#include "gate/gate.h"

/* Pairing: who waits for a PIN, and the PIN that somebody types. */

static struct web_pending *find_pending(struct web *web, uint32_t pairing) {
	for (size_t i = 0; i < WEB_PENDING_MAX; i++) {
		if (web->pending[i].pairing == pairing) {
			return &web->pending[i];
		}
	}
	return NULL;
}

void api_handle_pending(struct request *request) {
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
	api_answer(request->connection, 200,
			json_pack("{s:b,s:o}", "success", 1, "requests", list));
}

/* The link with the key in it: for who may use the Unix socket, and knows all of it anyway. */
void api_handle_link(struct request *request) {
	api_answer(request->connection, 200,
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

/* Ours is a number; Wolf's the same as text. */
static uint32_t wanted_pairing(const json_t *body) {
	uint64_t id = schema_id(body, "pairing");
	id = id ? id : schema_id(body, "pair_secret");
	return id <= UINT32_MAX ? (uint32_t)id : UINT32_MAX;
}

static const char *find_wanted(struct web *web, const json_t *body, struct web_pending **out) {
	bool named = json_object_get(body, "pairing") || json_object_get(body, "pair_secret");
	uint32_t pairing = wanted_pairing(body);
	*out = named && pairing == 0 ? NULL : choose_pending(web, pairing);
	if (!*out && json_object_get(body, "pair_secret")) {
		return "Invalid pair secret"; /* Wolf's words, which its clients may look for */
	}
	if (!*out) {
		return named ? "That client is not waiting any more. Start pairing in "
			       "Moonlight again."
			     : "Not just one client is waiting: say which with \"pairing\".";
	}
	return (*out)->request ? "A PIN was just given for this client." : NULL;
}

void api_handle_pair(struct request *request) {
	struct gate *gate = request->gate;
	struct connection *connection = request->connection;
	struct web_pending *pending;
	const char *fault = find_wanted(&gate->web, request->json, &pending);
	if (fault) {
		api_error(connection, 400, fault);
		return;
	}
	pending->request = connection_request(connection);
	connection->awaits = AWAITS_PAIR_ANSWER;
	connection_extend(connection, WEB_PAIR_MS);
	struct ipc_message message = { .kind = IPC_PAIR_PIN,
		.pair_pin = { .request = pending->request, .pairing = pending->pairing } };
	text_copy(message.pair_pin.pin, sizeof(message.pair_pin.pin),
			schema_text(request->json, "pin", ""));
	text_copy(message.pair_pin.name, sizeof(message.pair_pin.name),
			schema_text(request->json, "name", ""));
	gate_post(gate, &message);
	explicit_bzero(&message, sizeof(message));
}

static struct web_pending *find_by_request(struct web *web, uint32_t request) {
	for (size_t i = 0; i < WEB_PENDING_MAX; i++) {
		if (web->pending[i].pairing && web->pending[i].request == request) {
			return &web->pending[i];
		}
	}
	return NULL;
}

void api_handle_waiting(struct gate *gate, const struct ipc_message *message) {
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
	char address[ADDRESS_TEXT_MAX];
	address_ip_text(&slot->address, address);
	events_tell(gate, EVENT_PAIR, 0, NULL,
			json_pack("{s:s,s:s,s:s,s:I}", "client_ip", address, "host_ip",
					gate->options.host_address, "name", slot->name, "pairing",
					(json_int_t)slot->pairing));
}

static void end_pending(struct gate *gate, struct web_pending *pending, uint32_t outcome,
		const char *detail) {
	struct connection *connection = gate_waiting(gate, pending->request, AWAITS_PAIR_ANSWER);
	*pending = (struct web_pending){ .pairing = 0 };
	if (connection && outcome == 0) {
		api_success(connection);
	} else if (connection) {
		api_error(connection, 400, detail);
	}
}

void api_handle_pair_gone(struct gate *gate, const struct ipc_message *message) {
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
void api_handle_pair_answer(struct gate *gate, const struct ipc_message *message) {
	uint32_t request = message->pair_answer.request;
	struct connection *connection = gate_waiting(gate, request, AWAITS_PAIR_ANSWER);
	if (!connection || message->pair_answer.reason == REASON_NONE) {
		return;
	}
	struct web_pending *pending = find_by_request(&gate->web, request);
	if (pending) {
		pending->request = 0;
	}
	api_error(connection, 400,
			message->pair_answer.detail[0]
					? message->pair_answer.detail
					: reason_row(message->pair_answer.reason)->words);
}

void api_pair_forget(struct gate *gate, uint32_t request) {
	struct web_pending *pending = find_by_request(&gate->web, request);
	if (pending) {
		pending->request = 0;
	}
}
