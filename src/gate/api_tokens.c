/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* Tokens by which programs use the web port. Made on the Unix socket alone, shown once. */

static json_t *scopes_json(uint32_t scopes) {
	json_t *list = json_array();
	for (int scope = 0; scope < SCOPES; scope++) {
		if (scopes & 1u << scope) {
			json_array_append_new(
					list, json_string(api_scope_name((enum api_scope)scope)));
		}
	}
	return list;
}

/* 0: one of them does not exist, or there are none. */
static uint32_t read_scopes(const json_t *list) {
	uint32_t scopes = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		uint32_t one = strcmp(name, "all") == 0 ? (1u << SCOPES) - 1 : 0;
		for (int scope = 0; scope < SCOPES; scope++) {
			one |= strcmp(name, api_scope_name((enum api_scope)scope)) == 0
					       ? 1u << scope
					       : 0;
		}
		if (!one) {
			return 0;
		}
		scopes |= one;
	}
	return scopes;
}

void api_handle_tokens(struct request *request) {
	const struct tokens *tokens = &request->gate->web.tokens;
	json_t *list = json_array();
	for (size_t i = 0; i < tokens->count; i++) {
		char id[TOKEN_ID_SIZE];
		token_id(&tokens->list[i], id);
		json_array_append_new(list,
				json_pack("{s:s,s:s,s:o,s:I}", "token_id", id, "name",
						tokens->list[i].name, "scopes",
						scopes_json(tokens->list[i].scopes), "created_s",
						(json_int_t)tokens->list[i].created_s));
	}
	api_answer(request->connection, 200, json_pack("{s:b,s:o}", "success", 1, "tokens", list));
}

/* Takes the answer that is given when the store has done it; NULL: plain success. */
static void ask_store(struct request *request, const struct ipc_message *message, json_t *answer) {
	struct connection *connection = request->connection;
	connection->wait = answer;
	connection->awaits = AWAITS_STATE;
	connection_extend(connection, GATE_STORE_MS);
	if (!gate_post_store(request->gate, message)) {
		json_decref((json_t *)TAKE(connection->wait, NULL));
		api_refuse(connection, REASON_STORE_SILENT, NULL);
	}
}

void api_handle_token_create(struct request *request) {
	struct ipc_message message = { .kind = IPC_TOKEN_ADD,
		.token = { .request = connection_request(request->connection),
				.scopes = read_scopes(json_object_get(request->json, "scopes")),
				.created_s = (uint64_t)time(NULL) } };
	if (!message.token.scopes) {
		api_error(request->connection, 400,
				"\"scopes\" lists what the token may: read, pair, clients, apps, "
				"sessions, lobbies, screen, input, admin, or all.");
		return;
	}
	char text[TOKEN_TEXT_SIZE], id[TOKEN_ID_SIZE];
	token_draw(text, message.token.hash);
	text_copy(message.token.name, sizeof(message.token.name),
			schema_text(request->json, "name", ""));
	hex_encode(message.token.hash, (TOKEN_ID_SIZE - 1) / 2, id);
	ask_store(request, &message,
			json_pack("{s:b,s:s,s:s}", "success", 1, "token", text, "token_id", id));
	explicit_bzero(text, sizeof(text));
}

void api_handle_token_remove(struct request *request) {
	const struct token *token = tokens_named(
			&request->gate->web.tokens, schema_text(request->json, "token_id", ""));
	if (!token) {
		api_error(request->connection, 404, "There is no such token.");
		return;
	}
	struct ipc_message message = { .kind = IPC_TOKEN_REMOVE,
		.token_ref.request = connection_request(request->connection) };
	memcpy(message.token_ref.hash, token->hash, sizeof(message.token_ref.hash));
	ask_store(request, &message, NULL);
}

void api_handle_token_row(struct gate *gate, const struct ipc_message *message) {
	struct token token = { .scopes = message->token.scopes,
		.created_s = message->token.created_s };
	memcpy(token.hash, message->token.hash, sizeof(token.hash));
	text_copy(token.name, sizeof(token.name), message->token.name);
	tokens_put(&gate->web.tokens, &token);
}

void api_handle_token_gone(struct gate *gate, const struct ipc_message *message) {
	tokens_remove(&gate->web.tokens, message->token_ref.hash);
}
