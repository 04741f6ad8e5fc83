/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/text.h"
#include "gate/gate.h"

/* Images of the container engine: what it says of one, and pulling one, told line by line as it
 * goes. A pull goes on when its reader has gone: events tell how it ended. */

enum {
	ANSWER_MS = 15000,   /* an engine that knows it answers at once */
	BEGIN_MS = 130000,   /* a registry may be slow */
	TEXT_MAX = 1 << 20,  /* of an image's description */
	WAITS_MAX = 1 << 16, /* of lines that a reader has not taken: newer ones are left out */
	HEAD_MAX = 1024,
};

struct image_wait {
	struct image_wait *next;
	struct connection *connection; /* borrowed: it frees this when it goes */
	uint32_t request;
	bool pull, over;
	char *text; /* owned: what was said and not taken yet */
	size_t len;
	char last[400]; /* the last line */
};

static struct image_wait *find(struct gate *gate, uint32_t request) {
	struct image_wait *at = gate->web.images;
	while (at && at->request != request) {
		at = at->next;
	}
	return at;
}

void api_image_gone(struct connection *connection) {
	struct gate *gate = (struct gate *)connection->pool->user;
	struct image_wait *wait = (struct image_wait *)TAKE(connection->wait, NULL);
	for (struct image_wait **at = &gate->web.images; *at; at = &(*at)->next) {
		if (*at == wait) {
			*at = wait->next;
			break;
		}
	}
	if (wait) {
		free(wait->text);
		free(wait);
	}
}

/* ---- asking ---- */

static void post(struct request *request, uint32_t number, bool pull) {
	struct ipc_message message = { .kind = IPC_IMAGE_ASK,
		.image = { .request = number, .what = pull ? IMAGE_PULL : IMAGE_INSPECT } };
	text_copy(message.image.name, sizeof(message.image.name),
			schema_text(request->json, "image_name", ""));
	gate_post(request->gate, &message);
}

static void ask(struct request *request, bool pull) {
	struct connection *connection = request->connection;
	struct image_wait *wait = calloc(1, sizeof(*wait));
	if (!wait) {
		api_error(connection, 503, "The host has no memory left.");
		return;
	}
	wait->connection = connection;
	wait->request = connection_request(connection);
	wait->pull = pull;
	wait->next = request->gate->web.images;
	request->gate->web.images = wait;
	connection->wait = wait;
	connection->awaits = AWAITS_IMAGE;
	connection_extend(connection, pull ? BEGIN_MS : ANSWER_MS);
	post(request, wait->request, pull);
}

void api_handle_image_inspect(struct request *request) {
	ask(request, false);
}

void api_handle_image_pull(struct request *request) {
	if (schema_flag(request->json, "wait", true)) {
		ask(request, true);
		return;
	}
	post(request, 0, true);
	api_success(request->connection);
}

/* ---- what comes ---- */

static bool keep(struct image_wait *wait, const void *bytes, size_t len, size_t most) {
	char *text = wait->len + len <= most ? realloc(wait->text, wait->len + len) : NULL;
	if (!text) {
		return false;
	}
	memcpy(text + wait->len, bytes, len);
	wait->text = text;
	wait->len += len;
	return true;
}

static void begin_stream(struct image_wait *wait) {
	struct connection *connection = wait->connection;
	struct http_answer answer = {
		.status = 200, .content_type = "application/x-ndjson", .endless = true
	};
	char *head = malloc(HEAD_MAX);
	int len = head ? http_answer_write(&answer, head, HEAD_MAX) : -ENOMEM;
	if (len < 0) {
		free(head);
		connection_close(connection);
		return;
	}
	request_log(connection, 200);
	connection_stream_begin(connection, head, (size_t)len);
}

void api_handle_image_piece(struct gate *gate, const struct ipc_message *message) {
	struct image_wait *wait = find(gate, message->image_piece.request);
	if (!wait) {
		return;
	}
	(void)keep(wait, message->image_piece.bytes, message->image_piece.len,
			wait->pull ? WAITS_MAX : TEXT_MAX);
	if (!wait->pull) {
		return;
	}
	if (wait->connection->streaming) {
		connection_stream_wake(wait->connection);
	} else {
		begin_stream(wait);
	}
}

bool api_image_more(struct connection *connection) {
	struct image_wait *wait = (struct image_wait *)connection->wait;
	if (wait->over) {
		(void)keep(wait, wait->last, strlen(wait->last), SIZE_MAX);
	}
	bool over = wait->over;
	char *text = TAKE(wait->text, NULL);
	size_t len = TAKE(wait->len, 0);
	if (over) {
		connection_stream_end(connection); /* and with it what waited */
	}
	if (text) {
		connection_stream_give(connection, text, len);
	}
	return text != NULL;
}

/* The words for a person, and the status. */
static int words_of(const struct ipc_message *message, char *out, size_t size) {
	int status = message->image_done.status;
	const char *detail = message->image_done.detail;
	if (status == -EBUSY) {
		text_copy(out, size, "Four images are asked for already. Try again.");
		return 503;
	}
	if (status == 404) {
		text_format(out, size, "There is no such image%s%s", detail[0] ? ": " : ".",
				detail);
		return 404;
	}
	if (status < 0) {
		text_format(out, size, "The container engine does not answer: %s", detail);
		return 503;
	}
	text_format(out, size, "The container engine: %s", detail);
	return status == 400 ? 400 : 502;
}

static void answer(struct image_wait *wait, const struct ipc_message *message) {
	struct connection *connection = wait->connection;
	bool pull = wait->pull;
	char words[300];
	OWN(free) void *text = TAKE(wait->text, NULL);
	size_t len = wait->len;
	api_image_gone(connection);
	if (message->image_done.status != 200) {
		int status = words_of(message, words, sizeof(words));
		api_error(connection, status, words);
	} else if (pull) {
		api_success(connection);
	} else {
		struct http_answer reply = { .status = 200, .content_type = "application/json" };
		request_answer(connection, &reply, 200, text ? text : "", len);
	}
}

void api_handle_image_done(struct gate *gate, const struct ipc_message *message) {
	struct image_wait *wait = find(gate, message->image_done.request);
	if (!wait || !wait->connection->streaming) {
		if (wait) {
			answer(wait, message);
		}
		return;
	}
	char words[300];
	bool well = message->image_done.status == 200;
	if (!well) {
		(void)words_of(message, words, sizeof(words));
	}
	json_t *last = well ? json_pack("{s:b}", "success", 1)
			    : json_pack("{s:b,s:s}", "success", 0, "error", words);
	char *line = json_dumps(last, JSON_COMPACT);
	text_format(wait->last, sizeof(wait->last), "%s\r\n",
			line ? line : "{\"success\":false,\"error\":\"\"}");
	free(line);
	json_decref(last);
	wait->over = true;
	connection_stream_wake(wait->connection);
}

/* An empty line between two that say something, for whoever sits between. */
void api_image_overdue(struct connection *connection) {
	if (!connection->streaming) {
		api_image_gone(connection);
		api_error(connection, 503, "The container engine did not answer in time.");
		return;
	}
	char *text = connection->phase == PHASE_STREAM ? strdup("\r\n") : NULL;
	if (!text) {
		log_warning("image-reader-dropped", "why=takes-nothing trace=%s",
				connection->trace);
		connection_close(connection);
		return;
	}
	connection_stream_put(connection, text, 2);
}
