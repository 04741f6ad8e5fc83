/* SPDX-License-Identifier: MIT */
/* Loads one HTTPS server on loopback, from one process and one loop:
 *
 *   bench_https fresh PORT PATH CONNECTIONS SECONDS
 *       as many connections at a time, each a full TLS 1.3 handshake without
 *       resumption, one GET, and the end; counts the answers
 *   bench_https kept PORT PATH REQUESTS
 *       one connection that is kept, one GET after the other; their times
 *
 * Prints one line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/own.h"
#include "base/text.h"

enum {
	CONNECTIONS_MAX = 256,
	ANSWER_MAX = 65536,
	WAIT_MS = 5000,
};

enum state {
	CONNECTING,
	SHAKING,
	ASKING,
	READING,
};

struct connection {
	int fd;
	SSL *tls;
	enum state state;
	size_t got;
	char answer[ANSWER_MAX];
};

struct load {
	SSL_CTX *context;
	struct sockaddr_in server;
	char request[512];
	size_t request_len;
	int epoll;
	bool keep;
	uint64_t answers, failures, bytes;
	char status[16]; /* of the newest answer */
};

static void watch(struct load *load, struct connection *connection, int how, uint32_t events) {
	struct epoll_event event = { .events = events, .data.ptr = connection };
	epoll_ctl(load->epoll, how, connection->fd, &event);
}

static void begin(struct load *load, struct connection *connection) {
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(connection->fd, (struct sockaddr *)&load->server, sizeof(load->server)) < 0 &&
			errno != EINPROGRESS) {
		perror("connect");
		exit(EXIT_FAILURE);
	}
	connection->tls = SSL_new(load->context);
	SSL_set_fd(connection->tls, connection->fd);
	SSL_set_connect_state(connection->tls);
	connection->state = CONNECTING;
	connection->got = 0;
	watch(load, connection, EPOLL_CTL_ADD, EPOLLOUT);
}

static void end(struct connection *connection) {
	SSL_free(TAKE(connection->tls, NULL));
	fd_release(&connection->fd);
}

/* True once head and body, by Content-Length, are there. */
static bool is_whole(struct load *load, struct connection *connection) {
	connection->answer[connection->got] = '\0';
	const char *head_end = strstr(connection->answer, "\r\n\r\n");
	const char *length = strcasestr(connection->answer, "\r\nContent-Length:");
	if (!head_end || !length || length > head_end) {
		return false;
	}
	size_t body = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	size_t head = (size_t)(head_end - connection->answer) + 4;
	if (connection->got < head + body) {
		return false;
	}
	const char *status = strchr(connection->answer, ' ');
	text_format(load->status, sizeof(load->status), "%.3s", status ? status + 1 : "");
	return true;
}

/* 1: the answer is there; 0: wait for *out_events; -1: failed. */
static int step(struct load *load, struct connection *connection, uint32_t *out_events) {
	int rc = 1;
	if (connection->state <= SHAKING) {
		connection->state = SHAKING;
		rc = SSL_do_handshake(connection->tls);
		if (rc == 1) {
			connection->state = ASKING;
		}
	}
	if (connection->state == ASKING) {
		rc = SSL_write(connection->tls, load->request, (int)load->request_len);
		if (rc > 0) {
			connection->state = READING;
		}
	}
	while (connection->state == READING) {
		rc = SSL_read(connection->tls, connection->answer + connection->got,
				(int)(ANSWER_MAX - 1 - connection->got));
		if (rc <= 0) {
			break;
		}
		connection->got += (size_t)rc;
		if (is_whole(load, connection)) {
			return 1;
		}
	}
	int error = SSL_get_error(connection->tls, rc);
	*out_events = error == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN;
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void run_fresh(struct load *load, unsigned count, unsigned seconds) {
	struct connection *connections = calloc(count, sizeof(*connections));
	if (!connections) {
		exit(EXIT_FAILURE);
	}
	uint64_t begun = clock_now_ns(), until = begun + seconds * NS_PER_S;
	for (unsigned i = 0; i < count; i++) {
		begin(load, &connections[i]);
	}
	while (clock_now_ns() < until) {
		struct epoll_event events[CONNECTIONS_MAX];
		int n = epoll_wait(load->epoll, events, CONNECTIONS_MAX, WAIT_MS);
		for (int i = 0; i < n; i++) {
			struct connection *connection = events[i].data.ptr;
			uint32_t wanted;
			int rc = step(load, connection, &wanted);
			if (rc == 0) {
				watch(load, connection, EPOLL_CTL_MOD, wanted);
				continue;
			}
			load->answers += rc > 0;
			load->failures += rc < 0;
			load->bytes += connection->got;
			ERR_clear_error();
			end(connection);
			begin(load, connection);
		}
	}
	double took = (double)(clock_now_ns() - begun) / NS_PER_S;
	printf("{\"answers\":%llu,\"failures\":%llu,\"per_s\":%.1f,\"bytes\":%llu,"
	       "\"status\":\"%s\"}\n",
			(unsigned long long)load->answers, (unsigned long long)load->failures,
			(double)load->answers / took, (unsigned long long)load->bytes,
			load->status);
	for (unsigned i = 0; i < count; i++) {
		end(&connections[i]);
	}
	free(connections);
}

static int compare(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* False when the connection ended. */
static bool ask_once(struct load *load, struct connection *connection) {
	for (;;) {
		struct epoll_event event;
		uint32_t wanted;
		int rc = step(load, connection, &wanted);
		if (rc != 0) {
			return rc > 0;
		}
		watch(load, connection, EPOLL_CTL_MOD, wanted);
		if (epoll_wait(load->epoll, &event, 1, WAIT_MS) <= 0) {
			return false;
		}
	}
}

static void run_kept(struct load *load, unsigned requests) {
	struct connection *connection = calloc(1, sizeof(*connection));
	uint64_t *times = calloc(requests + 1, sizeof(*times));
	if (!connection || !times) {
		exit(EXIT_FAILURE);
	}
	begin(load, connection);
	unsigned done = 0;
	/* The first one pays for the handshake. */
	bool alive = ask_once(load, connection);
	while (alive && done < requests) {
		uint64_t begun = clock_now_ns();
		connection->state = ASKING;
		connection->got = 0;
		alive = ask_once(load, connection);
		times[done] = clock_now_ns() - begun;
		done += alive;
	}
	qsort(times, done, sizeof(*times), compare);
	printf("{\"answers\":%u,\"kept\":%s,\"status\":\"%s\",\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
			done, alive ? "true" : "false", load->status,
			done ? (double)times[(done - 1) / 2] / NS_PER_US : 0,
			done ? (double)times[(done - 1) * 99 / 100] / NS_PER_US : 0);
	end(connection);
	free(connection);
	free(times);
}

static unsigned number(const char *text, unsigned max) {
	char *rest;
	unsigned long value = strtoul(text, &rest, 10);
	if (*rest || value == 0 || value > max) {
		fprintf(stderr, "bench_https: %s is not a number from 1 to %u\n", text, max);
		exit(EXIT_FAILURE);
	}
	return (unsigned)value;
}

int main(int argc, char **argv) {
	bool keep = argc == 5 && strcmp(argv[1], "kept") == 0;
	if (!keep && (argc != 6 || strcmp(argv[1], "fresh") != 0)) {
		fprintf(stderr, "bench_https fresh PORT PATH CONNECTIONS SECONDS\n"
				"bench_https kept PORT PATH REQUESTS\n");
		return EXIT_FAILURE;
	}
	struct load load = {
		.context = SSL_CTX_new(TLS_client_method()),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.server = { .sin_family = AF_INET,
				.sin_port = htons((uint16_t)number(argv[2], UINT16_MAX)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		.keep = keep,
	};
	signal(SIGPIPE, SIG_IGN); /* a server that gave up */
	if (!load.context || load.epoll < 0 ||
			SSL_CTX_set_min_proto_version(load.context, TLS1_3_VERSION) != 1) {
		return EXIT_FAILURE;
	}
	SSL_CTX_set_session_cache_mode(load.context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(load.context, SSL_VERIFY_NONE, NULL);
	text_format(load.request, sizeof(load.request),
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: %s\r\n\r\n", argv[3],
			argv[2], keep ? "keep-alive" : "close");
	load.request_len = strlen(load.request);
	if (keep) {
		run_kept(&load, number(argv[4], 1000000));
	} else {
		run_fresh(&load, number(argv[4], CONNECTIONS_MAX), number(argv[5], 600));
	}
	SSL_CTX_free(load.context);
	fd_release(&load.epoll);
	return EXIT_SUCCESS;
}
