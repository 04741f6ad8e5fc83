/* SPDX-License-Identifier: MIT */
#ifndef GATE_TOKENS_H
#define GATE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Programs' tokens as the store tells of them: their hashes, and what each may. */
enum {
	TOKENS_MAX = 64,
	TOKEN_TEXT_SIZE = 4 + 64 + 1, /* "pgt_" and 64 hexadecimal digits */
	TOKEN_ID_SIZE = 17,           /* the hash's first 8 bytes */
};

struct token {
	uint8_t hash[32];
	char name[64];
	uint32_t scopes; /* bits by enum api_scope */
	uint64_t created_s;
};

struct tokens {
	struct token list[TOKENS_MAX];
	size_t count;
};

/* Replaces the one of the same hash. */
void tokens_put(struct tokens *tokens, const struct token *token);
void tokens_remove(struct tokens *tokens, const uint8_t hash[32]);

/* The one that was shown; NULL when there is none. Takes as long for each. */
const struct token *tokens_find(const struct tokens *tokens, struct span shown);

/* By what lists call it. */
const struct token *tokens_named(const struct tokens *tokens, const char *id);
void token_id(const struct token *token, char out[TOKEN_ID_SIZE]);

/* A new one: its text, and the hash that is kept of it. */
void token_draw(char out[TOKEN_TEXT_SIZE], uint8_t out_hash[32]);

#endif
