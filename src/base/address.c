/* SPDX-License-Identifier: MIT */
#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool address_is_v4(const struct address *address) {
	return memcmp(address->ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool address_is_loopback(const struct address *address) {
	if (address_is_v4(address)) {
		return address->ip[12] == 127;
	}
	return memcmp(address->ip, &in6addr_loopback, sizeof(address->ip)) == 0;
}

bool address_same_ip(const struct address *a, const struct address *b) {
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->scope == b->scope;
}

bool address_same(const struct address *a, const struct address *b) {
	return address_same_ip(a, b) && a->port == b->port;
}

static void set_v4(struct address *out, const struct in_addr *v4) {
	memcpy(out->ip, mapped_prefix, sizeof(mapped_prefix));
	memcpy(out->ip + 12, v4, 4);
}

int address_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct address *out) {
	struct address address = { 0 };
	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		set_v4(&address, &in.sin_addr);
		address.port = ntohs(in.sin_port);
	} else if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		memcpy(address.ip, &in6.sin6_addr, sizeof(address.ip));
		address.port = ntohs(in6.sin6_port);
		address.scope = in6.sin6_scope_id;
	} else {
		return -EINVAL;
	}
	*out = address;
	return 0;
}

void address_to_sockaddr(const struct address *address, struct sockaddr_in6 *out) {
	*out = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons(address->port),
		.sin6_scope_id = address->scope,
	};
	memcpy(&out->sin6_addr, address->ip, sizeof(address->ip));
}

void address_ip_text(const struct address *address, char *out) {
	if (address_is_v4(address)) {
		inet_ntop(AF_INET, address->ip + 12, out, ADDRESS_TEXT_MAX);
	} else {
		inet_ntop(AF_INET6, address->ip, out, ADDRESS_TEXT_MAX);
	}
}

int address_parse_ip(const char *text, struct address *out) {
	struct address address = { 0 };
	struct in_addr v4;
	if (inet_pton(AF_INET, text, &v4) == 1) {
		set_v4(&address, &v4);
	} else if (inet_pton(AF_INET6, text, address.ip) != 1) {
		return -EBADMSG;
	}
	*out = address;
	return 0;
}
