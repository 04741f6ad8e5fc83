/* SPDX-License-Identifier: MIT */
#ifndef TESTS_GATE_RIG_H
#define TESTS_GATE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/shm.h"
#include "ipc/channel.h"
#include "ipc/message.h"
#include "proto/pairing_identity.h"

/* A real perigee-gate on loopback ports, with the test as its supervisor and its store. */

struct ssl_st;
struct ssl_ctx_st;

enum {
	RIG_WAIT_MS = 8000,
	RIG_FDS_WAIT_MS = 20000,
};

struct rig_identity {
	char certificate[PAIRING_PEM_MAX], key[PAIRING_PEM_MAX];
	struct pairing_identity identity;
	uint8_t fingerprint[32];
};

struct rig {
	enum ipc_peer role;
	pid_t pid;
	int supervisor, store; /* our ends */
	struct shm pulse;
	uint64_t pokes;
	uint16_t ports[DOORS];
	int sockets[DOORS]; /* our duplicates of what the gate listens on */
	char api_path[108];
	int log; /* its stderr; RIG_LOG=1 in the environment lets it through instead */
};

/* Keys take a while to make: once a program. */
void rig_make_identity(enum pairing_flavour flavour, struct rig_identity *out);

/* encryption as in GATE_OPTIONS. client (may be NULL) is paired from the start. */
void rig_start(struct rig *rig, const char *program, enum ipc_peer role, uint8_t encryption,
		const struct rig_identity *host, const struct rig_identity *client);
/* Ends it by STOP, and asserts that it leaves with status 0. */
void rig_stop(struct rig *rig);

/* Returns when the gate has handled it: a request that is made afterwards comes by another way
 * and might overtake it. */
void rig_send(struct rig *rig, const struct ipc_message *message);
void rig_send_fd(struct rig *rig, const struct ipc_message *message, int fd);
/* Waits until all that was sent before has been handled. */
void rig_settle(struct rig *rig);
/* GATE_OPTIONS again. preset_pin: "" for none. */
void rig_send_options(struct rig *rig, uint8_t encryption, const char *preset_pin);
/* The store dies, and there is another one. */
void rig_replace_store(struct rig *rig);
void rig_send_store(struct rig *rig, const struct ipc_message *message);
/* Waits for that kind and fails the test on any other. */
void rig_expect(struct rig *rig, enum ipc_kind kind, struct ipc_message *out);
void rig_expect_fd(struct rig *rig, enum ipc_kind kind, struct ipc_message *out, int *out_fd);
void rig_expect_store(struct rig *rig, enum ipc_kind kind, struct ipc_message *out);
/* True when nothing came for that long. */
bool rig_is_quiet(struct rig *rig, int ms);

void rig_send_client(struct rig *rig, const struct rig_identity *client, const char *name);
void rig_send_art(struct rig *rig, int32_t app, const void *png, size_t len);

size_t rig_count_fds(const struct rig *rig);
/* Connections of the gate's process in CLOSE_WAIT on this port. */
unsigned rig_count_close_wait(const struct rig *rig, uint16_t port);
/* Waits until the gate has only so many descriptors. */
void rig_await_fds(const struct rig *rig, size_t count);

/* ---- clients ---- */

int rig_connect(uint16_t port); /* 127.0.0.1, blocking with time limits */
/* From this address; ::1 connects to ::1. */
int rig_connect_from(uint16_t port, const char *source);

struct tls_client {
	struct ssl_ctx_st *context;
	struct ssl_st *ssl;
	int fd;
};

/* A client's certificate and key, for its TLS. */
void rig_use_identity(struct ssl_ctx_st *context, const struct rig_identity *identity);

/* identity may be NULL: no certificate. */
void tls_client_open(struct tls_client *client, uint16_t port, const struct rig_identity *identity);
void tls_client_open_from(struct tls_client *client, uint16_t port,
		const struct rig_identity *identity, const char *source);
void tls_client_close(struct tls_client *client);

void rig_write(int fd, struct ssl_st *ssl, const char *text);
/* All that comes until the end of the answer (or of the connection), terminated. */
size_t rig_read_answer(int fd, struct ssl_st *ssl, char *out, size_t size);

/* ---- what the tests share ---- */

struct world {
	struct rig_identity host, client, stranger; /* client is paired from the start */
	struct rig rig;
	char text[64 * 1024]; /* the last answer */
};

/* For cmocka_run_group_tests(). The program is named by PERIGEE_GATE. */
int world_setup(void **state);
int world_teardown(void **state);

struct world *world_begin(void **state, enum ipc_peer role, uint8_t encryption);
void world_end(struct world *world);

/* One GET each, on a connection of its own; the answer is in world->text. */
void world_get(struct world *world, const char *target);
void world_get_tls(struct world *world, const struct rig_identity *who, const char *target);

/* Shows the text when the part is not in it. */
#define assert_has(text, part) rig_check_has(text, part, __FILE__, __LINE__)
void rig_check_has(const char *text, const char *part, const char *file, int line);

#endif
