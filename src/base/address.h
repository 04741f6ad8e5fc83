/* SPDX-License-Identifier: MIT */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* An IP address and port as IPv6; IPv4 is held as ::ffff:a.b.c.d, so that one
 * comparison serves both. */
struct address {
	uint8_t ip[16];
	uint16_t port;  /* host order, 0 for none */
	uint32_t scope; /* interface index of a link-local address, else 0 */
};

enum {
	ADDRESS_TEXT_MAX = 64,
};

bool address_is_v4(const struct address *address);
bool address_is_loopback(const struct address *address);
bool address_same_ip(const struct address *a, const struct address *b);
bool address_same(const struct address *a, const struct address *b);

/* -EINVAL for a family that is neither IPv4 nor IPv6. */
int address_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct address *out) NODISCARD;

/* For an AF_INET6 socket (dual stack: IPv4 goes out mapped). */
void address_to_sockaddr(const struct address *address, struct sockaddr_in6 *out);

/* "192.0.2.1" or "2001:db8::1", without port; out has ADDRESS_TEXT_MAX bytes. */
void address_ip_text(const struct address *address, char *out);

/* A numeric address without a port. Names are never resolved. */
int address_parse_ip(const char *text, struct address *out) NODISCARD;

#endif
