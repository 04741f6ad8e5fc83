/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* What is held down on desktops, whether or not somebody watches them. Each is asked once,
 * however many see it. */

enum {
	KEYS_MS = 1000,
	DESKTOPS_MAX = 2 * SESSIONS_MAX,
};

/* ---- which ---- */

struct asked {
	uint64_t list[DESKTOPS_MAX];
	size_t count;
};

static void add(struct asked *asked, uint64_t desktop) {
	for (size_t i = 0; i < asked->count; i++) {
		if (asked->list[i] == desktop) {
			return;
		}
	}
	if (desktop && asked->count < DESKTOPS_MAX) {
		asked->list[asked->count++] = desktop;
	}
}

static void find_desktops(const struct web *web, struct asked *out) {
	json_t *row;
	const char *lobby;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (web->sessions[i].session) {
			add(out, web->sessions[i].desktop);
		}
	}
	json_object_foreach(web->lobbies, lobby, row) {
		add(out, schema_id(row, "desktop_id"));
	}
}

static const char *lobby_at(const struct web *web, uint64_t desktop) {
	json_t *row;
	const char *lobby;
	json_object_foreach(web->lobbies, lobby, row) {
		if (schema_id(row, "desktop_id") == desktop) {
			return lobby;
		}
	}
	return "";
}

/* ---- asking ---- */

static void ask(struct request *request, uint64_t desktop, bool release) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_KEYS_ASK,
		.keys_ask = { .request = connection_request(connection),
				.session = desktop,
				.release = release } };
	connection->awaits = release ? AWAITS_KEYS : AWAITS_KEYS_LIST;
	connection_extend(connection, KEYS_MS);
	gate_post(request->gate, &message);
}

/* Every desktop is asked; who answers in time is in the list. */
void api_handle_keyboard_state(struct request *request) {
	struct connection *connection = request->connection;
	json_t *list = json_array();
	struct asked asked = { .count = 0 };
	find_desktops(&request->gate->web, &asked);
	for (size_t i = 0; i < asked.count; i++) {
		ask(request, asked.list[i], false);
	}
	if (asked.count == 0) {
		api_answer(connection, 200, json_pack("{s:b,s:o}", "success", 1, "sessions", list));
		return;
	}
	connection->wait =
			json_pack("{s:I,s:o}", "asked", (json_int_t)asked.count, "sessions", list);
}

void api_handle_keyboard_reset(struct request *request) {
	uint64_t desktop = api_wanted_desktop(request);
	if (desktop) {
		ask(request, desktop, true);
	}
}

static json_t *codes_json(const struct ipc_message *message) {
	json_t *codes = json_array();
	for (unsigned i = 0; i < message->keys.count; i++) {
		json_array_append_new(codes, json_integer(message->keys.codes[i]));
	}
	return codes;
}

static json_t *names_json(const struct ipc_message *message) {
	json_t *names = json_array();
	for (unsigned i = 0; i < message->keys.count; i++) {
		char name[24];
		uint32_t code = message->keys.codes[i];
		text_format(name, sizeof(name), "%s %u", code < 0x100 ? "key" : "button", code);
		json_array_append_new(names, json_string(name));
	}
	return names;
}

static bool holds(const struct ipc_message *message, uint32_t left, uint32_t right) {
	for (unsigned i = 0; i < message->keys.count; i++) {
		if (message->keys.codes[i] == left || message->keys.codes[i] == right) {
			return true;
		}
	}
	return false;
}

static json_t *layer_json(const struct ipc_message *message) {
	return json_pack("{s:o,s:o,s:{s:b,s:b,s:b,s:b}}", "pressed_keys", codes_json(message),
			"pressed_key_names", names_json(message), "modifier_state", "shift",
			holds(message, 42, 54), "ctrl", holds(message, 29, 97), "alt",
			holds(message, 56, 100), "meta", holds(message, 125, 126));
}

/* One place knows what is held here: Wolf's three layers are the same one. */
static json_t *state_json(const struct ipc_message *message, uint64_t session, const char *lobby) {
	char id[API_ID_SIZE], desktop[API_ID_SIZE];
	api_id_text(session, id);
	api_id_text(message->keys.session, desktop);
	json_t *out = layer_json(message);
	json_object_set_new(out, "session_id", json_string(id));
	json_object_set_new(out, "desktop_id", json_string(desktop));
	json_object_set_new(out, "lobby_id", json_string(lobby));
	json_object_set_new(out, "timestamp_ms", json_integer((json_int_t)clock_now_ms()));
	json_object_set_new(out, "device_name", json_string("Perigee's seat"));
	json_object_set_new(out, "device_node", json_string(""));
	json_object_set_new(out, "wolf_state", layer_json(message));
	json_object_set_new(out, "inputtino_state", layer_json(message));
	json_object_set_new(out, "evdev_state", layer_json(message));
	json_object_set_new(out, "has_mismatch", json_false());
	json_object_set_new(out, "mismatch_description", json_string(""));
	return out;
}

/* A row for each session that sees it; for who asks about one that none sees it has the
 * desktop's own number. */
static void add_rows(const struct web *web, const struct ipc_message *message, json_t *list) {
	const char *lobby = lobby_at(web, message->keys.session);
	bool seen = false;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct web_session *row = &web->sessions[i];
		if (row->session && row->desktop == message->keys.session) {
			seen = true;
			json_array_append_new(list, state_json(message, row->session, lobby));
		}
	}
	if (!seen) {
		json_array_append_new(list, state_json(message, message->keys.session, lobby));
	}
}

/* ---- answering ---- */

void api_keys_overdue(struct connection *connection) {
	json_t *wait = (json_t *)TAKE(connection->wait, NULL);
	json_t *list = json_incref(json_object_get(wait, "sessions"));
	json_decref(wait);
	api_answer(connection, 200, json_pack("{s:b,s:o}", "success", 1, "sessions", list));
}

void api_keys_gone(struct connection *connection) {
	json_decref((json_t *)TAKE(connection->wait, NULL));
}

/* One of them has answered, or is no more. */
static void count_off(struct connection *connection) {
	json_t *asked = json_object_get((json_t *)connection->wait, "asked");
	json_integer_set(asked, json_integer_value(asked) - 1);
	if (json_integer_value(asked) <= 0) {
		api_keys_overdue(connection);
	}
}

void api_handle_keys(struct gate *gate, const struct ipc_message *message) {
	uint32_t request = message->keys.request;
	struct connection *connection = gate_waiting(gate, request, AWAITS_KEYS);
	if (connection) {
		api_answer(connection, 200,
				json_pack("{s:b,s:o,s:s}", "success", 1, "released_keys",
						names_json(message), "message",
						"What was held down is up."));
		return;
	}
	connection = gate_waiting(gate, request, AWAITS_KEYS_LIST);
	if (connection) {
		add_rows(&gate->web, message,
				json_object_get((json_t *)connection->wait, "sessions"));
		count_off(connection);
	}
}

bool api_keys_done(struct gate *gate, const struct ipc_message *message) {
	uint32_t request = message->api_done.request;
	struct connection *connection = gate_waiting(gate, request, AWAITS_KEYS);
	if (connection) {
		api_refuse(connection, message->api_done.reason, message->api_done.detail);
		return true;
	}
	connection = gate_waiting(gate, request, AWAITS_KEYS_LIST);
	if (connection) {
		count_off(connection);
	}
	return connection != NULL;
}
