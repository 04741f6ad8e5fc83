/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIM_ORACLE_LIBENET_H
#define TESTS_SIM_ORACLE_LIBENET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The distribution's libenet behind a small face. It is opened at run time: its
 * functions have names that ours have too. */

struct oracle; /* one ENetHost with at most one connection */

enum oracle_event_kind {
	ORACLE_NOTHING,
	ORACLE_CONNECTED,
	ORACLE_PACKET,
	ORACLE_DISCONNECTED,
};

struct oracle_event {
	enum oracle_event_kind kind;
	uint32_t data;
	uint8_t channel;
	uint8_t bytes[16384];
	size_t len;
};

enum oracle_delivery {
	ORACLE_RELIABLE,
	ORACLE_UNRELIABLE, /* cut into unreliable fragments when large */
	ORACLE_UNSEQUENCED,
};

/* Bound to a free port of 127.0.0.1, with this MTU. NULL when it cannot. */
struct oracle *oracle_create(unsigned mtu);
void oracle_destroy(struct oracle *oracle);

int oracle_fd(const struct oracle *oracle);
uint16_t oracle_port(const struct oracle *oracle);
unsigned oracle_mtu(const struct oracle *oracle); /* of the connection */
size_t oracle_channels(const struct oracle *oracle);

bool oracle_connect(struct oracle *oracle, uint16_t port, size_t channels, uint32_t data);
/* Never waits. */
void oracle_service(struct oracle *oracle, struct oracle_event *out);
bool oracle_send(struct oracle *oracle, uint8_t channel, enum oracle_delivery delivery,
		const void *bytes, size_t len);
void oracle_disconnect(struct oracle *oracle, uint32_t data);

#endif
