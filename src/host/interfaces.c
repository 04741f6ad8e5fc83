/* SPDX-License-Identifier: MIT */
#include "host/interfaces.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

enum {
	ROUTES_TEXT_MAX = 32768,
	ROUTE_COLUMNS = 8,
	COLUMN_DESTINATION = 1,
	COLUMN_METRIC = 6,
	COLUMN_MASK = 7,
};

static size_t split_columns(const char *line, size_t len, struct span *out) {
	size_t count = 0, at = 0;
	while (count < ROUTE_COLUMNS) {
		while (at < len && (line[at] == '\t' || line[at] == ' ')) {
			at++;
		}
		size_t from = at;
		while (at < len && line[at] != '\t' && line[at] != ' ') {
			at++;
		}
		if (at == from) {
			break;
		}
		out[count++] = (struct span){ .at = line + from, .len = at - from };
	}
	return count;
}

uint32_t interfaces_route_metric(const char *routes, const char *name) {
	uint32_t best = UINT32_MAX;
	while (*routes) {
		size_t len = strcspn(routes, "\n");
		struct span columns[ROUTE_COLUMNS];
		int64_t metric;
		if (split_columns(routes, len, columns) == ROUTE_COLUMNS &&
				span_is(columns[0], name) &&
				span_is(columns[COLUMN_DESTINATION], "00000000") &&
				span_is(columns[COLUMN_MASK], "00000000") &&
				number_parse(columns[COLUMN_METRIC].at, columns[COLUMN_METRIC].len,
						0, UINT32_MAX - 1, &metric) == 0 &&
				(uint32_t)metric < best) {
			best = (uint32_t)metric;
		}
		routes += len + (routes[len] == '\n');
	}
	return best;
}

static bool has_mac(const struct interface_address *address) {
	static const uint8_t none[6];
	return memcmp(address->mac, none, sizeof(none)) != 0;
}

static int compare(const void *left, const void *right) {
	const struct interface_address *a = left, *b = right;
	bool a_default = a->metric != UINT32_MAX, b_default = b->metric != UINT32_MAX;
	const int keys[][2] = {
		{ !a_default, !b_default },
		{ a->is_virtual, b->is_virtual },
		{ !address_is_v4(&a->address), !address_is_v4(&b->address) },
		{ a->metric > b->metric, b->metric > a->metric },
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i][0] != keys[i][1]) {
			return keys[i][0] - keys[i][1];
		}
	}
	int names = strcmp(a->name, b->name);
	return names ? names : memcmp(a->address.ip, b->address.ip, sizeof(a->address.ip));
}

void interfaces_rank(struct interfaces *interfaces) {
	qsort(interfaces->list, interfaces->count, sizeof(interfaces->list[0]), compare);
	memset(interfaces->mac, 0, sizeof(interfaces->mac));
	for (size_t i = 0; i < interfaces->count; i++) {
		if (has_mac(&interfaces->list[i])) {
			memcpy(interfaces->mac, interfaces->list[i].mac, sizeof(interfaces->mac));
			return;
		}
	}
}

static void read_routes(char *out, size_t size) {
	OWN(fd_close) int fd = open("/proc/net/route", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	for (ssize_t n = 1; fd >= 0 && n > 0 && len + 1 < size; len += n > 0 ? (size_t)n : 0) {
		n = read(fd, out + len, size - 1 - len);
	}
	out[len] = '\0';
}

static bool is_virtual_name(const char *name) {
	static const char *const starts[] = { "docker", "br-", "veth", "virbr", "vnet", "cni",
		"podman", "lxc", "lxd", "flannel", "cali" };
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		if (strncmp(name, starts[i], strlen(starts[i])) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_link_local(const struct address *address) {
	if (address_is_v4(address)) {
		return address->ip[12] == 169 && address->ip[13] == 254;
	}
	return address->ip[0] == 0xfe && (address->ip[1] & 0xc0) == 0x80;
}

static void find_mac(const struct ifaddrs *all, const char *name, uint8_t *out) {
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		if (at->ifa_addr && at->ifa_addr->sa_family == AF_PACKET &&
				strcmp(at->ifa_name, name) == 0) {
			const struct sockaddr_ll *link = (const void *)at->ifa_addr;
			if (link->sll_halen == 6) {
				memcpy(out, link->sll_addr, 6);
			}
			return;
		}
	}
}

static socklen_t sockaddr_len(const struct sockaddr *sa) {
	return sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static void add(struct interfaces *out, const struct ifaddrs *all, const struct ifaddrs *at,
		const char *routes) {
	struct interface_address made = { .is_virtual = is_virtual_name(at->ifa_name) };
	if (out->count == INTERFACES_MAX || !at->ifa_addr || !(at->ifa_flags & IFF_UP) ||
			(at->ifa_flags & IFF_LOOPBACK) ||
			address_from_sockaddr(at->ifa_addr, sockaddr_len(at->ifa_addr),
					&made.address) < 0 ||
			is_link_local(&made.address)) {
		return;
	}
	text_copy(made.name, sizeof(made.name), at->ifa_name);
	made.metric = interfaces_route_metric(routes, at->ifa_name);
	find_mac(all, at->ifa_name, made.mac);
	out->list[out->count++] = made;
}

int interfaces_read(struct interfaces *out) {
	struct ifaddrs *all = NULL;
	char *routes = malloc(ROUTES_TEXT_MAX);
	if (!routes) {
		return -ENOMEM;
	}
	read_routes(routes, ROUTES_TEXT_MAX);
	if (getifaddrs(&all) < 0) {
		int rc = -errno;
		free(routes);
		return rc;
	}
	out->count = 0;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		add(out, all, at, routes);
	}
	freeifaddrs(all);
	free(routes);
	interfaces_rank(out);
	return 0;
}

void interfaces_text(const struct interfaces *interfaces, char *out, size_t size) {
	out[0] = '\0';
	size_t len = 0;
	for (size_t i = 0; i < interfaces->count; i++) {
		char ip[ADDRESS_TEXT_MAX];
		address_ip_text(&interfaces->list[i].address, ip);
		size_t more = strlen(ip) + (len > 0);
		if (len + more >= size) {
			return;
		}
		text_format(out + len, size - len, "%s%s", len > 0 ? " " : "", ip);
		len += more;
	}
}
