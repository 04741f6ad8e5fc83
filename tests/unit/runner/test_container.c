/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../process.h"
#include "base/text.h"

/* The runner against an engine that says what a Docker engine said: each connection that it
 * is given is one request, which must be the expected one, and one answer. */

static const char *container_path, *vectors;

struct exchange {
	const char *request; /* its first line up to the version */
	const char *answer;  /* NULL: none for now, the connection stays open */
	const char *holds;   /* must be in the body; NULL: anything */
};

#define JSON_HEAD "Api-Version: 1.41\r\nContent-Type: application/json\r\nServer: Docker/20.10\r\n"
#define CREATED \
	"HTTP/1.1 201 Created\r\n" JSON_HEAD "Content-Length: 27\r\n\r\n" \
	"{\"Id\":\"0abc\",\"Warnings\":[]}"
#define NOTHING "HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n"
#define MISSING \
	"HTTP/1.1 404 Not Found\r\n" JSON_HEAD "Content-Length: 37\r\n\r\n" \
	"{\"message\":\"No such image: game:1  \"}"
#define SEEN(running, code) \
	"HTTP/1.1 200 OK\r\n" JSON_HEAD "Transfer-Encoding: chunked\r\n\r\n" \
	"4c\r\n{\"State\":{\"Running\":" running ",\"Pid\":4711,\"ExitCode\":" code \
	"},\"Config\":{\"Tty\":false}}\r\n" \
	"0\r\n\r\n"
#define LOGS "GET /v1.40/containers/0abc/logs?follow=1&stdout=1&stderr=1&tail=all"
#define INSPECT "GET /v1.40/containers/0abc/json"
#define WAIT "POST /v1.40/containers/0abc/wait"
#define BUSY "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"
#define REMOVE "DELETE /v1.40/containers/0abc?force=1&v=1"
#define CREATE "POST /v1.40/containers/create?name=perigee-0000000000000007"
#define START "POST /v1.40/containers/0abc/start"

static int log_connection; /* where the log is written to */

static void write_log(const char *text, unsigned char stream) {
	uint8_t head[8] = { stream, 0, 0, 0, 0, 0, 0, (uint8_t)strlen(text) };
	char chunk[512];
	int n = snprintf(chunk, sizeof(chunk), "%zx\r\n", sizeof(head) + strlen(text));
	memcpy(chunk + n, head, sizeof(head));
	n += (int)sizeof(head);
	n += snprintf(chunk + n, sizeof(chunk) - (size_t)n, "%s\r\n", text);
	assert_int_equal(write(log_connection, chunk, (size_t)n), n);
}

/* The next message of that kind; what the app printed is told whenever there is time. */
static void receive(struct process *runner, enum ipc_kind kind) {
	do {
		process_receive_any(runner);
	} while (runner->message.kind == IPC_RUNNER_LINES && kind != IPC_RUNNER_LINES);
	assert_string_equal(ipc_kind_name(runner->message.kind), ipc_kind_name(kind));
}

/* Gives the runner a connection and answers what it asks there; answers the open
 * connection. */
static int serve_bytes(struct process *runner, const struct exchange *exchange, size_t answer_len) {
	int pair[2];
	char bytes[8192];
	size_t len = 0;
	receive(runner, IPC_RUNNER_ENGINE_ASK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	struct ipc_message message = { .kind = IPC_RUNNER_ENGINE };
	process_send(runner, &message, pair[1]);
	close(pair[1]);
	const char *body = NULL;
	size_t body_len = 0;
	while (!body || len < (size_t)(body - bytes) + body_len) {
		struct pollfd wait = { .fd = pair[0], .events = POLLIN };
		assert_int_equal(poll(&wait, 1, PROCESS_DEADLINE_MS), 1);
		ssize_t n = read(pair[0], bytes + len, sizeof(bytes) - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
		bytes[len] = '\0';
		body = strstr(bytes, "\r\n\r\n");
		body = body ? body + 4 : NULL;
		const char *length = strstr(bytes, "Content-Length: ");
		body_len = length ? strtoul(length + 16, NULL, 10) : 0;
	}
	if (strncmp(bytes, exchange->request, strlen(exchange->request)) != 0 ||
			bytes[strlen(exchange->request)] != ' ') {
		fail_msg("%s is expected, not %s", exchange->request, bytes);
	}
	if (exchange->holds && !strstr(body, exchange->holds)) {
		fail_msg("%s is not in %s", exchange->holds, body);
	}
	if (!exchange->answer) {
		return pair[0];
	}
	assert_int_equal(write(pair[0], exchange->answer, answer_len), answer_len);
	close(pair[0]);
	return -1;
}

static int serve(struct process *runner, const struct exchange *exchange) {
	return serve_bytes(runner, exchange, exchange->answer ? strlen(exchange->answer) : 0);
}

static void serve_all(struct process *runner, const struct exchange *exchanges, size_t count) {
	for (size_t i = 0; i < count; i++) {
		serve(runner, &exchanges[i]);
	}
}

static struct process start_app_of(uint64_t session, const char *image, bool goes_on) {
	struct process runner = process_start(container_path, PEER_RUNNER, NULL);
	struct ipc_message plan = { .kind = IPC_RUNNER_PLAN };
	struct ipc_message start = { .kind = IPC_RUNNER_START };
	plan.runner_plan.type = RUNNER_CONTAINER;
	plan.runner_plan.session = session;
	plan.runner_plan.goes_on = goes_on;
	text_copy(plan.runner_plan.host, sizeof(plan.runner_plan.host), "host");
	text_copy(plan.runner_plan.image, sizeof(plan.runner_plan.image), image);
	process_send(&runner, &plan, -1);
	process_send(&runner, &start, -1);
	return runner;
}

static struct process start_app(bool goes_on) {
	return start_app_of(7, "game:1", goes_on);
}

/* Up to where it is watched: the log and the wait are open. */
static int watched(struct process *runner) {
	receive(runner, IPC_RUNNER_APP);
	serve(runner, &(struct exchange){ INSPECT, SEEN("true ", "0  "), NULL });
	receive(runner, IPC_RUNNER_PID);
	assert_int_equal(runner->message.runner_pid.pid, 4711);
	log_connection = serve(runner, &(struct exchange){ LOGS, NULL, NULL });
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	assert_int_equal(write(log_connection, head, sizeof(head) - 1), sizeof(head) - 1);
	return serve(runner, &(struct exchange){ WAIT, NULL, NULL });
}

static int made_and_watched(struct process *runner) {
	static const struct exchange first[] = {
		{ CREATE, CREATED, NULL },
		{ START, NOTHING, NULL },
	};
	serve_all(runner, first, ARRAY_LEN(first));
	return watched(runner);
}

static void finish_wait(int connection) {
	static const char text[] = "HTTP/1.1 200 OK\r\n" JSON_HEAD "Content-Length: 16\r\n\r\n"
				   "{\"StatusCode\":3}";
	assert_int_equal(write(connection, text, sizeof(text) - 1), sizeof(text) - 1);
	close(connection);
}

static void an_app_runs_and_its_end_is_told(void **state) {
	(void)state;
	struct process runner = start_app(false);
	static const struct exchange first[] = {
		{ CREATE, CREATED, "\"perigee.session\":\"0000000000000007\"" },
		{ START, NOTHING, NULL },
	};
	serve_all(&runner, first, ARRAY_LEN(first));
	int wait = watched(&runner);
	write_log("one\n", 1);
	write_log("two\n", 2);
	finish_wait(wait);
	serve(&runner, &(struct exchange){ INSPECT, SEEN("false", "3  "), NULL });
	write_log("last\n", 2);
	assert_int_equal(write(log_connection, "0\r\n\r\n", 5), 5);
	close(log_connection);
	serve(&runner, &(struct exchange){ REMOVE, NOTHING, NULL });
	receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 3);
	assert_string_equal(runner.message.runner_exited.last_lines, "one\ntwo\nlast\n");
	process_stop(&runner);
}

/* For whoever waits for its window. */
static void what_it_prints_is_told_while_it_runs(void **state) {
	(void)state;
	struct process runner = start_app(false);
	int wait = made_and_watched(&runner);
	write_log("asking for a licence\n", 1);
	receive(&runner, IPC_RUNNER_LINES);
	assert_string_equal(runner.message.runner_lines.last_lines, "asking for a licence\n");
	process_ask_stop(&runner, 10000);
	serve(&runner, &(struct exchange){ "POST /v1.40/containers/0abc/stop?t=2", NOTHING, NULL });
	serve(&runner, &(struct exchange){ REMOVE, NOTHING, NULL });
	receive(&runner, IPC_RUNNER_EXITED);
	receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
	close(wait);
	close(log_connection);
}

static void a_missing_image_is_pulled_and_that_is_told(void **state) {
	(void)state;
	struct process runner = start_app(false);
	serve(&runner, &(struct exchange){ CREATE, MISSING, NULL });
	receive(&runner, IPC_RUNNER_PULL);
	static const char pulled[] =
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"54\r\n{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1024,"
			"\"total\":2048},\"id\":\"aa\"} \r\n\r\n0\r\n\r\n";
	serve(&runner, &(struct exchange){ "POST /v1.40/images/create?fromImage=game%3A1", pulled,
				       NULL });
	receive(&runner, IPC_RUNNER_PULL);
	assert_int_equal(runner.message.runner_pull.percent, 50);
	receive(&runner, IPC_RUNNER_PULL);
	serve(&runner, &(struct exchange){ CREATE, MISSING, NULL });
	serve(&runner, &(struct exchange){ "DELETE /v1.40/containers/perigee-0000000000000007"
					   "?force=1&v=1",
				       MISSING, NULL });
	receive(&runner, IPC_RUNNER_EXITED);
	assert_string_equal(runner.message.runner_exited.last_lines,
			"create: the container engine answers 404: No such image: game:1  ");
	process_stop(&runner);
}

static void without_an_engine_the_reason_is_told(void **state) {
	(void)state;
	struct process runner = start_app(false);
	struct ipc_message none = { .kind = IPC_RUNNER_ENGINE_NONE,
		.runner_engine.error = -ECONNREFUSED };
	for (int i = 0; i < 2; i++) { /* create, and remove to be sure */
		receive(&runner, IPC_RUNNER_ENGINE_ASK);
		process_send(&runner, &none, -1);
	}
	receive(&runner, IPC_RUNNER_EXITED);
	assert_string_equal(runner.message.runner_exited.last_lines,
			"create: the container engine: Connection refused");
	process_stop(&runner);
}

/* A connection that closes in the middle of an answer, and one that says nonsense. */
static void an_engine_that_lies_ends_only_the_request(void **state) {
	(void)state;
	static const char *const answers[] = {
		"HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{", "SSH-2.0-OpenSSH\r\n\r\n",
		"", "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
	};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct process runner = start_app(false);
		serve(&runner, &(struct exchange){ CREATE, answers[i], NULL });
		serve(&runner, &(struct exchange){ "DELETE /v1.40/containers/"
						   "perigee-0000000000000007?force=1&v=1",
					       NOTHING, NULL });
		receive(&runner, IPC_RUNNER_EXITED);
		assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 126);
		process_stop(&runner);
	}
}

static void stopping_asks_the_engine_and_removes(void **state) {
	(void)state;
	struct process runner = start_app(false);
	int wait = made_and_watched(&runner);
	process_ask_stop(&runner, 10000);
	serve(&runner, &(struct exchange){ "POST /v1.40/containers/0abc/stop?t=2", NOTHING, NULL });
	/* An engine that is about to clean up behind it may say so, and leave it all the same. */
	serve(&runner, &(struct exchange){ REMOVE, BUSY, NULL });
	serve(&runner, &(struct exchange){ REMOVE, NOTHING, NULL });
	receive(&runner, IPC_RUNNER_EXITED);
	receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
	close(wait);
	close(log_connection);
}

/* The supervisor sweeps what such a runner could not remove: it says so by its status. */
static void an_engine_that_hangs_holds_nobody_up(void **state) {
	(void)state;
	struct process runner = start_app(false);
	int connection = serve(&runner, &(struct exchange){ CREATE, NULL, NULL });
	process_ask_stop(&runner, 500);
	receive(&runner, IPC_STOPPED);
	assert_int_equal(WEXITSTATUS(process_wait(&runner)), 1);
	close(connection);
}

static void the_next_runner_finds_it_by_its_label(void **state) {
	(void)state;
	struct process runner = start_app(true);
	static const char list[] = "HTTP/1.1 200 OK\r\n" JSON_HEAD "Content-Length: 16\r\n\r\n"
				   "[{\"Id\":\"0abc\"}] ";
	serve(&runner, &(struct exchange){ "GET /v1.40/containers/json?all=1&filters=%7B%22label%22"
					   "%3A%5B%22perigee.host%3Dhost%22%2C%22perigee.session"
					   "%3D0000000000000007%22%5D%7D",
				       list, NULL });
	receive(&runner, IPC_RUNNER_APP);
	serve(&runner, &(struct exchange){ INSPECT, SEEN("false", "5  "), NULL });
	receive(&runner, IPC_RUNNER_PID);
	static const char logs[] = "GET /v1.40/containers/0abc/logs?follow=1&stdout=1&stderr=1&"
				   "tail=0";
	serve(&runner, &(struct exchange){ logs, NOTHING, NULL });
	serve(&runner, &(struct exchange){ REMOVE, NOTHING, NULL });
	receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 5);
	process_stop(&runner);
}

static void a_sweep_removes_whose_session_is_gone_by_then(void **state) {
	(void)state;
	struct process runner = process_start(container_path, PEER_RUNNER, NULL);
	struct ipc_message message = { .kind = IPC_RUNNER_SWEEP };
	text_copy(message.runner_sweep.host, sizeof(message.runner_sweep.host), "host");
	process_send(&runner, &message, -1);
	static const char list[] =
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
			"[{\"Id\":\"0a\",\"Labels\":{\"perigee.session\":\"0000000000000001\"}},"
			"{\"Id\":\"0b\",\"Labels\":{\"perigee.session\":\"0000000000000002\"}}]";
	serve(&runner, &(struct exchange){ "GET /v1.40/containers/json?all=1&filters=%7B%22label%22"
					   "%3A%5B%22perigee.host%3Dhost%22%5D%7D",
				       list, NULL });
	receive(&runner, IPC_RUNNER_LISTED);
	uint64_t live = 2;
	memcpy(message.runner_sweep.sessions, &live, sizeof(live));
	message.runner_sweep.sessions_len = sizeof(live);
	process_send(&runner, &message, -1);
	serve(&runner, &(struct exchange){
				       "DELETE /v1.40/containers/0a?force=1&v=1", NOTHING, NULL });
	receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

/* ---- what a Docker engine said, byte by byte (tests/vectors/docker) ---- */

struct recorded {
	char bytes[16384];
	size_t len;
};

static struct recorded load(const char *scenario, int number) {
	struct recorded out = { 0 };
	char path[512];
	text_format(path, sizeof(path), "%s/%s.%d", vectors, scenario, number);
	OWN(file_close) FILE *file = fopen(path, "re");
	assert_non_null(file);
	out.len = fread(out.bytes, 1, sizeof(out.bytes) - 1, file);
	return out;
}

/* Answers the next request as it was answered then; false: leaves it open. */
static int replay(struct process *runner, const char *scenario, int number, bool answered) {
	struct recorded recorded = load(scenario, number);
	size_t line = strcspn(recorded.bytes, "\n");
	assert_true(line < recorded.len);
	recorded.bytes[line] = '\0';
	const struct exchange exchange = { recorded.bytes,
		answered ? recorded.bytes + line + 1 : NULL, NULL };
	return serve_bytes(runner, &exchange, recorded.len - line - 1);
}

/* The session is in the name that the first request gives. */
static struct process start_recorded(const char *scenario, const char *image) {
	struct recorded first = load(scenario, 0);
	const char *name = strstr(first.bytes, "perigee-");
	assert_non_null(name);
	return start_app_of(strtoull(name + 8, NULL, 16), image, false);
}

static void docker_runs_an_app_to_its_end(void **state) {
	(void)state;
	struct process runner = start_recorded("exits", "perigee-test");
	replay(&runner, "exits", 0, true);
	replay(&runner, "exits", 1, true);
	receive(&runner, IPC_RUNNER_APP);
	replay(&runner, "exits", 2, true);
	receive(&runner, IPC_RUNNER_PID);
	replay(&runner, "exits", 3, true);
	replay(&runner, "exits", 4, true);
	receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 3);
	assert_string_equal(runner.message.runner_exited.last_lines,
			"has-sockets\nhello at /tmp of 999 in /home/retro with 1\nruns=1\n"
			"read-only\nno-engine\n");
	process_stop(&runner);
}

static void docker_stops_an_app(void **state) {
	(void)state;
	struct process runner = start_recorded("stops", "perigee-test");
	replay(&runner, "stops", 0, true);
	replay(&runner, "stops", 1, true);
	receive(&runner, IPC_RUNNER_APP);
	replay(&runner, "stops", 2, true);
	receive(&runner, IPC_RUNNER_PID);
	assert_true(runner.message.runner_pid.pid > 0);
	OWN(fd_close) int logs = replay(&runner, "stops", 3, false);
	OWN(fd_close) int wait = replay(&runner, "stops", 4, false);
	process_ask_stop(&runner, 10000);
	replay(&runner, "stops", 5, true);
	replay(&runner, "stops", 6, true);
	receive(&runner, IPC_RUNNER_EXITED);
	receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void docker_says_why_it_runs_nothing(void **state) {
	(void)state;
	struct process runner = start_recorded("missing", "localhost:1/no/such:tag");
	replay(&runner, "missing", 0, true);
	receive(&runner, IPC_RUNNER_PULL);
	replay(&runner, "missing", 1, true);
	receive(&runner, IPC_RUNNER_PULL);
	receive(&runner, IPC_RUNNER_EXITED);
	assert_string_equal(runner.message.runner_exited.last_lines,
			"pull: the container engine answers 500: Get \"http://localhost:1/v2/\": "
			"dial tcp 127.0.0.1:1: connect: connection refused");
	process_stop(&runner);
	runner = start_recorded("broken", "perigee-test");
	for (int i = 0; i < 3; i++) {
		replay(&runner, "broken", i, true);
	}
	receive(&runner, IPC_RUNNER_EXITED);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 126);
	assert_non_null(strstr(runner.message.runner_exited.last_lines,
			"start: the container engine answers 400: failed to create shim task"));
	process_stop(&runner);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(an_app_runs_and_its_end_is_told),
		UNIT(what_it_prints_is_told_while_it_runs),
		UNIT(a_missing_image_is_pulled_and_that_is_told),
		UNIT(without_an_engine_the_reason_is_told),
		UNIT(an_engine_that_lies_ends_only_the_request),
		UNIT(stopping_asks_the_engine_and_removes),
		UNIT(an_engine_that_hangs_holds_nobody_up),
		UNIT(the_next_runner_finds_it_by_its_label),
		UNIT(a_sweep_removes_whose_session_is_gone_by_then),
		UNIT(docker_runs_an_app_to_its_end),
		UNIT(docker_stops_an_app),
		UNIT(docker_says_why_it_runs_nothing),
	};
	assert_int_equal(argc, 3);
	container_path = argv[1];
	vectors = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
