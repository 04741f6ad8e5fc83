/* SPDX-License-Identifier: MIT */
#ifndef HOST_INTERFACES_H
#define HOST_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* What other machines may reach this one by. */

enum {
	INTERFACES_MAX = 64, /* addresses */
};

struct interface_address {
	char name[IF_NAMESIZE];
	struct address address;
	bool is_virtual; /* of containers and machines on this host */
	uint32_t metric; /* of the interface's default route, UINT32_MAX without one */
	uint8_t mac[6];  /* zeros when it has none */
};

struct interfaces {
	struct interface_address list[INTERFACES_MAX]; /* best first */
	size_t count;
	uint8_t mac[6]; /* of the best interface that has one */
};

/* The lowest metric of a default route through the interface in the text of
 * /proc/net/route (proc(5)); UINT32_MAX when there is none. */
uint32_t interfaces_route_metric(const char *routes, const char *name);

/* Puts the best first: on a default route, real, IPv4 (some clients know no
 * other), lowest metric; and picks the MAC. */
void interfaces_rank(struct interfaces *interfaces);

/* Reads the addresses of all interfaces that are up, without loopback and
 * link-local ones, and ranks them. Asks the kernel only, never a name service. */
int interfaces_read(struct interfaces *out) NODISCARD;

/* "192.0.2.1 2001:db8::1 ...", cut at a whole address. */
void interfaces_text(const struct interfaces *interfaces, char *out, size_t size);

#endif
