/* SPDX-License-Identifier: MIT */
#include "gate/tokens.h"

#include <string.h>

#include "base/hex.h"
#include "base/random.h"
#include "base/secret.h"
#include "gate/tls.h"

static struct token *find(struct tokens *tokens, const uint8_t hash[32]) {
	for (size_t i = 0; i < tokens->count; i++) {
		if (memcmp(tokens->list[i].hash, hash, 32) == 0) {
			return &tokens->list[i];
		}
	}
	return NULL;
}

void tokens_put(struct tokens *tokens, const struct token *token) {
	struct token *old = find(tokens, token->hash);
	if (!old && tokens->count < TOKENS_MAX) {
		old = &tokens->list[tokens->count++];
	}
	if (old) {
		*old = *token;
	}
}

void tokens_remove(struct tokens *tokens, const uint8_t hash[32]) {
	struct token *old = find(tokens, hash);
	if (old) {
		*old = tokens->list[--tokens->count];
	}
}

const struct token *tokens_find(const struct tokens *tokens, struct span shown) {
	uint8_t hash[32];
	const struct token *found = NULL;
	tls_sha256(shown.at, shown.len, hash);
	for (size_t i = 0; i < tokens->count; i++) {
		if (bytes_equal_secretly(tokens->list[i].hash, hash, sizeof(hash))) {
			found = &tokens->list[i];
		}
	}
	return found;
}

void token_id(const struct token *token, char out[TOKEN_ID_SIZE]) {
	hex_encode(token->hash, (TOKEN_ID_SIZE - 1) / 2, out);
}

const struct token *tokens_named(const struct tokens *tokens, const char *id) {
	for (size_t i = 0; i < tokens->count; i++) {
		char name[TOKEN_ID_SIZE];
		token_id(&tokens->list[i], name);
		if (strcmp(name, id) == 0) {
			return &tokens->list[i];
		}
	}
	return NULL;
}

void token_draw(char out[TOKEN_TEXT_SIZE], uint8_t out_hash[32]) {
	uint8_t secret[32];
	random_fill(secret, sizeof(secret));
	memcpy(out, "pgt_", 4);
	hex_encode(secret, sizeof(secret), out + 4);
	tls_sha256(out, TOKEN_TEXT_SIZE - 1, out_hash);
	explicit_bzero(secret, sizeof(secret));
}
