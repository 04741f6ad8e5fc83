/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/number.h"
#include "base/random.h"
#include "base/text.h"
#include "gate/gate.h"
#include "gate/tls.h"
#include "ipc/reason.h"

/* Sessions that a program makes, and keys that it gives to them. What it says becomes a launch
 * like a client's own; the key is in no answer and no event. */

enum {
	ANSWER_MS = 20000, /* the supervisor's own deadlines are shorter */
	KEY_DIGITS = 32,
};

/* NULL, or what is wrong in words. */
static const char *read_key(const json_t *body, struct ipc_message *out) {
	const char *key = schema_text(body, "aes_key", ""), *iv = schema_text(body, "aes_iv", "");
	int64_t number;
	if (!key[0] && !iv[0]) {
		out->launch.flags |= LAUNCH_NO_KEY;
		return NULL;
	}
	if (strlen(key) != KEY_DIGITS || hex_decode(key, KEY_DIGITS, out->launch.key.bytes) < 0) {
		return "\"aes_key\" has 32 hex digits.";
	}
	if (number_parse(iv, strlen(iv), INT32_MIN, UINT32_MAX, &number) < 0) {
		return "\"aes_iv\" is a number of 32 bits, as text.";
	}
	out->launch.key_id = (int32_t)(uint32_t)number;
	tls_sha256(out->launch.key.bytes, sizeof(out->launch.key.bytes), out->launch.key_hash);
	return NULL;
}

static const char *read_address(
		const struct request *request, const json_t *body, struct ipc_message *out) {
	const char *ip = schema_text(body, "client_ip", "");
	bool sealed = request->gate->options.encryption != 0;
	out->launch.flags |= sealed ? LAUNCH_SEALED_RTSP : 0;
	if (!ip[0]) {
		return sealed || out->launch.flags & LAUNCH_NO_KEY
				       ? NULL
				       : "Without encryption \"client_ip\" says who will come.";
	}
	return address_parse_ip(ip, &out->launch.address) < 0 ? "\"client_ip\" is an IP address."
							      : NULL;
}

/* The app that shows the others, where none is named. */
static int32_t wanted_app(const struct gate *gate, const json_t *body) {
	uint64_t named = schema_id(body, "app_id");
	for (size_t i = 0; !named && i < gate->apps.count; i++) {
		if (gate->apps.list[i].flags & APP_LAUNCHER) {
			return gate->apps.list[i].id;
		}
	}
	return named <= INT32_MAX ? (int32_t)named : 0;
}

static void read_form(const json_t *body, struct ipc_message *out) {
	static const uint16_t masks[] = { [2] = 0x3, [6] = 0x3f, [8] = 0x63f };
	unsigned channels = (unsigned)schema_integer(body, "audio_channel_count", 2);
	channels = channels == 6 || channels == 8 ? channels : 2;
	out->launch.width = (uint16_t)schema_integer(body, "video_width", 1920);
	out->launch.height = (uint16_t)schema_integer(body, "video_height", 1080);
	out->launch.rate_x100 = (uint32_t)schema_integer(body, "video_refresh_rate", 60) * 100;
	out->launch.surround = (uint32_t)masks[channels] << 16 | channels;
}

/* False: it was answered that there is no such client. */
static bool read_client(struct request *request, struct ipc_message *out) {
	if (!schema_text(request->json, "client_id", "")[0]) {
		random_fill(out->launch.client, sizeof(out->launch.client));
		out->launch.guest = true;
		text_copy(out->launch.client_name, sizeof(out->launch.client_name), "nobody");
		return true;
	}
	if (!api_wanted_client(request, out->launch.client)) {
		return false;
	}
	const struct client *client = clients_named(&request->gate->clients, out->launch.client);
	text_copy(out->launch.client_name, sizeof(out->launch.client_name), client->name);
	return true;
}

/* False: it was answered that it cannot go there. */
static bool check_lobby(struct request *request) {
	const char *lobby = schema_text(request->json, "immediate_lobby_id", "");
	char pin[20];
	if (!lobby[0]) {
		return true;
	}
	if (!json_object_get(request->gate->web.lobbies, lobby)) {
		api_error(request->connection, 404, "Invalid lobby ID");
	} else if (!api_read_pin(request->json, pin, sizeof(pin))) {
		api_error(request->connection, 403, "Invalid PIN");
	} else if (!api_wish_fits(request->gate)) {
		api_refuse(request->connection, REASON_RESOURCES, NULL);
	} else {
		explicit_bzero(pin, sizeof(pin));
		return true;
	}
	explicit_bzero(pin, sizeof(pin));
	return false;
}

static void ask(struct request *request, struct ipc_message *message) {
	struct connection *connection = request->connection;
	message->launch.request = connection_request(connection);
	text_copy(message->launch.trace, sizeof(message->launch.trace), connection->trace);
	int64_t deadline_ms = schema_integer(request->json, "deadline_ms", 0);
	connection->wait = json_incref(request->json);
	connection->awaits = AWAITS_ADDED;
	connection_extend(connection, deadline_ms ? (uint32_t)deadline_ms : ANSWER_MS);
	gate_post(request->gate, message);
}

void api_handle_session_add(struct request *request) {
	struct ipc_message message = { .kind = IPC_LAUNCH };
	message.launch.flags = LAUNCH_BY_API;
	message.launch.flags |= schema_flag(request->json, "wait", true) ? 0 : LAUNCH_AT_ONCE;
	const char *fault = read_key(request->json, &message);
	fault = fault ? fault : read_address(request, request->json, &message);
	read_form(request->json, &message);
	message.launch.app = wanted_app(request->gate, request->json);
	if (!fault && message.launch.app == 0) {
		fault = "Say which app: \"app_id\".";
	}
	if (fault) {
		api_error(request->connection, 400, fault);
	} else if (read_client(request, &message) && check_lobby(request)) {
		ask(request, &message);
	}
	explicit_bzero(&message, sizeof(message));
}

void api_handle_session_resume(struct request *request) {
	struct ipc_message message = { .kind = IPC_LAUNCH };
	const struct web_session *row = api_wanted_session(request, "session_id");
	if (!row) {
		return;
	}
	message.launch.flags = LAUNCH_BY_API | LAUNCH_RESUME;
	message.launch.session = row->session;
	message.launch.address = row->address;
	const char *fault = read_key(request->json, &message);
	fault = fault ? fault : read_address(request, request->json, &message);
	if (fault) {
		api_error(request->connection, 400, fault);
	} else {
		ask(request, &message);
	}
	explicit_bzero(&message, sizeof(message));
}

/* ---- the answer ---- */

/* Nobody will know of it: nothing of it is to stay. */
static void forget(struct gate *gate, uint32_t request, uint64_t session) {
	struct ipc_message message = { .kind = IPC_API_DO,
		.api_do = { .request = request, .what = API_FORGET, .session = session } };
	gate_post(gate, &message);
}

void api_added_gone(struct connection *connection) {
	forget((struct gate *)connection->pool->user, connection_request(connection), 0);
	api_handle_gone(connection);
}

void api_added_overdue(struct connection *connection) {
	forget((struct gate *)connection->pool->user, connection_request(connection), 0);
	api_handle_overdue(connection);
}

static json_t *added_json(const struct gate *gate, uint64_t session, bool watchable) {
	char id[API_ID_SIZE], url[100];
	api_id_text(session, id);
	json_t *answer = json_pack("{s:b,s:s}", "success", 1, "session_id", id);
	if (watchable && text_format(url, sizeof(url), "%s://%s:%u",
					 gate->options.encryption ? "rtspenc" : "rtsp",
					 gate->options.host_address, gate->options.rtsp_port)) {
		json_object_set_new(answer, "rtsp_url", json_string(url));
	}
	return answer;
}

void api_handle_added(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection = gate_waiting(gate, message->launched.request, AWAITS_ADDED);
	uint64_t session = message->launched.session;
	if (!connection) {
		if (message->launched.reason == REASON_NONE) {
			forget(gate, 0, session);
		}
		return;
	}
	json_t *body = (json_t *)TAKE(connection->wait, NULL);
	if (message->launched.reason != REASON_NONE) {
		api_refuse(connection, message->launched.reason, message->launched.detail);
	} else if (schema_text(body, "immediate_lobby_id", "")[0] &&
			!api_wish_add(gate, session, body)) {
		forget(gate, 0, session);
		api_refuse(connection, REASON_RESOURCES, NULL);
	} else {
		api_answer(connection, 200,
				added_json(gate, session, schema_text(body, "aes_key", "")[0]));
	}
	json_decref(body);
}
