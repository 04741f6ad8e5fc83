/* SPDX-License-Identifier: MIT */
#include "gate/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/gate.h"

enum {
	OWN_TEXT_MAX = 1024, /* what the door adds to the metrics */
	READ_TRIES = 3,      /* a writer goes over one place a second: two are luck enough */
};

static const char text_type[] = "text/plain; charset=utf-8";
static const char metrics_type[] = "text/plain; version=0.0.4; charset=utf-8";

static struct health_verdict say(int status, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

static struct health_verdict say(int status, const char *format, ...) {
	struct health_verdict verdict = { .status = status };
	va_list args;
	va_start(args, format);
	vsnprintf(verdict.text, sizeof(verdict.text), format, args);
	va_end(args);
	return verdict;
}

struct health_verdict health_alive(const struct board_state *state, uint64_t age_ms) {
	if (!state) {
		return say(503, "dead: supervisor: It has said nothing yet.\n");
	}
	if (age_ms > HEALTH_DEAD_MS) {
		return say(503, "dead: supervisor: It has been silent for %llu s.\n",
				(unsigned long long)(age_ms / 1000));
	}
	if (!state->alive) {
		return say(503, "dead: %s: %s\n", state->leg, state->words);
	}
	return say(200, "alive\n");
}

struct health_verdict health_ready(const struct board_state *state, uint64_t age_ms) {
	if (!state) {
		return say(503, "not ready: supervisor: It has said nothing yet.\n");
	}
	if (age_ms > HEALTH_SILENT_MS) {
		return say(503, "not ready: supervisor: It has been silent for %llu s.\n",
				(unsigned long long)(age_ms / 1000));
	}
	if (!state->ready) {
		return say(503, "not ready: %s: %s\n", state->leg, state->words);
	}
	return say(200, "ready\n");
}

/* The board and its age; false when there is none to be read. */
static bool look(const struct gate *gate, struct board_state *out, char *text, size_t size,
		uint64_t *out_age_ns) {
	int rc = -EAGAIN;
	for (int i = 0; i < READ_TRIES && rc == -EAGAIN; i++) {
		rc = board_read(&gate->board, out, text, size);
	}
	if (rc < 0) {
		return false;
	}
	uint64_t now_ns = clock_now_ns();
	*out_age_ns = now_ns > out->made_ns ? now_ns - out->made_ns : 0;
	return true;
}

static void answer(struct request *request,
		struct health_verdict (*judge)(const struct board_state *state, uint64_t age_ms)) {
	struct board_state state;
	uint64_t age_ns = 0;
	bool known = look(request->gate, &state, NULL, 0, &age_ns);
	struct health_verdict verdict = judge(known ? &state : NULL, age_ns / NS_PER_MS);
	struct http_answer reply = { .status = verdict.status, .content_type = text_type };
	request_answer(request->connection, &reply, verdict.status, verdict.text,
			strlen(verdict.text));
}

void health_handle_alive(struct request *request) {
	answer(request, health_alive);
}

void health_handle_ready(struct request *request) {
	answer(request, health_ready);
}

/* The supervisor's figures are as old as its board; that is what the door adds. */
void health_handle_metrics(struct request *request) {
	struct connection *connection = request->connection;
	struct board_state state;
	uint64_t age_ns = 0;
	OWN(free) void *memory = malloc(BOARD_TEXT_MAX + OWN_TEXT_MAX);
	char *text = (char *)memory;
	if (!text || !look(request->gate, &state, text, BOARD_TEXT_MAX, &age_ns)) {
		static const char words[] = "There are no figures yet.\n";
		struct http_answer reply = { .status = 503, .content_type = text_type };
		request_answer(connection, &reply, 503, words, sizeof(words) - 1);
		return;
	}
	bool silent = age_ns / NS_PER_MS > HEALTH_SILENT_MS;
	text_format(text + state.text_len, OWN_TEXT_MAX,
			"# HELP perigee_board_age_seconds How old these figures are.\n"
			"# TYPE perigee_board_age_seconds gauge\n"
			"perigee_board_age_seconds %llu.%06llu\n"
			"# HELP perigee_supervisor_silent Whether they are too old.\n"
			"# TYPE perigee_supervisor_silent gauge\n"
			"perigee_supervisor_silent %d\n",
			(unsigned long long)(age_ns / NS_PER_S),
			(unsigned long long)(age_ns % NS_PER_S / NS_PER_US), silent);
	struct http_answer reply = { .status = 200, .content_type = metrics_type };
	request_answer(connection, &reply, 200, text, strlen(text));
}

bool health_is_ready(const struct gate *gate) {
	struct board_state state;
	uint64_t age_ns = 0;
	bool known = look(gate, &state, NULL, 0, &age_ns);
	return health_ready(known ? &state : NULL, age_ns / NS_PER_MS).status == 200;
}

char *health_figures(const struct gate *gate) {
	struct board_state state;
	uint64_t age_ns = 0;
	char *text = malloc(BOARD_TEXT_MAX + 1);
	if (!text || !look(gate, &state, text, BOARD_TEXT_MAX, &age_ns)) {
		free(text);
		return NULL;
	}
	text[state.text_len] = '\0';
	return text;
}

void health_handle_board(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)message;
	int fd = fds_take(fds, 0);
	struct board_reader board;
	int rc = board_open(fd, &board);
	if (rc < 0) {
		fd_close(fd);
		log_error("board-refused", "error=%d", rc);
		return;
	}
	board_reader_finish(&gate->board);
	gate->board = board;
}
