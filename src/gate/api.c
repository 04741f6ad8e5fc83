/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "gate/gate.h"
#include "ipc/reason.h"

/* What all handlers of the API share: answering. */

static const char *const scopes[SCOPES] = {
	[SCOPE_READ] = "read",
	[SCOPE_PAIR] = "pair",
	[SCOPE_CLIENTS] = "clients",
	[SCOPE_APPS] = "apps",
	[SCOPE_SESSIONS] = "sessions",
	[SCOPE_LOBBIES] = "lobbies",
	[SCOPE_SCREEN] = "screen",
	[SCOPE_INPUT] = "input",
	[SCOPE_ADMIN] = "admin",
};

const char *api_scope_name(enum api_scope scope) {
	return scopes[scope];
}

void api_answer(struct connection *connection, int status, json_t *object) {
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	struct http_answer reply = { .status = text ? status : 500,
		.content_type = "application/json" };
	request_answer(connection, &reply, reply.status, text ? text : "", text ? strlen(text) : 0);
	free(text);
}

void api_error(struct connection *connection, int status, const char *words) {
	api_answer(connection, status, json_pack("{s:b,s:s}", "success", 0, "error", words));
}

void api_success(struct connection *connection) {
	api_answer(connection, 200, json_pack("{s:b}", "success", 1));
}

void api_refuse(struct connection *connection, uint32_t reason, const char *detail) {
	const struct reason_row *row = reason_row(reason);
	int status = row->status >= 400 && row->status < 600 ? row->status : 500;
	api_error(connection, status, detail && detail[0] ? detail : row->words);
}

/* ---- late and gone ---- */

static void forget(struct connection *connection) {
	struct gate *gate = (struct gate *)connection->pool->user;
	json_decref((json_t *)TAKE(connection->wait, NULL));
	api_pair_forget(gate, connection_request(connection));
}

void api_handle_gone(struct connection *connection) {
	forget(connection);
}

void api_handle_overdue(struct connection *connection) {
	static const char *const words[GATE_AWAITS] = {
		[AWAITS_PAIR_ANSWER] = "The client did not finish pairing in time.",
		[AWAITS_REMOVED] = "The host's database did not answer in time.",
		[AWAITS_STATUS] = "The host did not say its status in time.",
		[AWAITS_STATE] = "The host's database did not answer in time.",
		[AWAITS_PROFILE] = "The host's database did not answer in time.",
		[AWAITS_ADDED] = "The session was not ready in time.",
		[AWAITS_INPUT] = "The desktop did not answer in time.",
		[AWAITS_KEYS] = "The desktop did not answer in time.",
		[AWAITS_SHOT] = "The desktop gave no picture in time.",
		[AWAITS_OBEYED] = "The worker did not answer.",
	};
	const char *word = words[connection->awaits];
	forget(connection);
	api_error(connection, 503, word ? word : "The host did not answer in time.");
}
