/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_CONTAINER_JSON_H
#define RUNNER_CONTAINER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"

struct ipc_message;

/* What is said to a container engine and what it says, between its JSON and our structs.
 * Pure; an engine is believed nothing but what has the right form. */

enum {
	CONTAINER_ID_MAX = 72,
	CONTAINER_LIST_MAX = 256,
	CONTAINER_LAYERS_MAX = 64,
	CONTAINER_LINE_MAX = 2048,
};

#define CONTAINER_LABEL_HOST "perigee.host"
#define CONTAINER_LABEL_SESSION "perigee.session"
#define CONTAINER_LABEL_EXTRA "perigee.extra"

/* The body of a create request out of a plan and a start: base_create_json, into which the
 * rest is merged as Wolf's documentation says. Owned by the caller; NULL with out_error
 * saying what is wrong. */
char *container_create_json(const struct ipc_message *plan, const struct ipc_message *start,
		char *out_error, size_t size);

/* "/containers/json?..." for every container with these labels; session 0: of any. */
void container_list_target(const char *host, uint64_t session, char *out, size_t size);

/* "/containers/...": for its removal, running or not, with what it kept for itself; by id or
 * name. */
void container_remove_target(const char *ref, char *out, size_t size);

/* Percent-encodes everything but letters, digits, '-', '_' and '.'. False when cut off. */
bool container_encode(const char *text, char *out, size_t size);

struct container_row {
	char id[CONTAINER_ID_MAX];
	uint64_t session; /* of the label; 0: there is none */
	bool extra;       /* it has the label of one beside the app's */
};

/* Answers how many, CONTAINER_LIST_MAX at most; -EBADMSG. */
int container_parse_list(const char *text, size_t len, struct container_row *out) NODISCARD;

/* The "Id" of a create's answer. -EBADMSG. */
int container_parse_id(const char *text, size_t len, char *out, size_t size) NODISCARD;

/* What "inspect" tells. */
struct container_seen {
	bool running, out_of_memory, terminal;
	int exit_code;
	uint32_t pid; /* of its first process; 0: the engine does not say */
	char error[160];
};

int container_parse_seen(const char *text, size_t len, struct container_seen *out) NODISCARD;

/* The engine's own words for a request that failed, on one line; "" for none. */
void container_parse_message(const char *text, size_t len, char *out, size_t size);

/* How far a pull is, of the lines that an engine sends. */
struct container_pull {
	char line[CONTAINER_LINE_MAX];
	size_t line_len;
	struct {
		char id[24];
		uint64_t current, total;
	} layers[CONTAINER_LAYERS_MAX];
	unsigned count, percent;
	char error[160]; /* "" while all goes well */
};

/* True when the percentage has changed. */
bool container_pull_add(struct container_pull *pull, struct span bytes);

#endif
