/* SPDX-License-Identifier: MIT */
#include "cli/probe_discover.h"

#include <errno.h>
#include <ifaddrs.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "cli/net.h"
#include "cli/probe_mdns.h"

enum {
	LISTEN_MAX_S = 2,
	ANSWER_MAX = 9000, /* RFC 6762 17 */
	FOUND_MAX = 256,
};

/* The records of all answers. */
struct found {
	struct mdns_record record[FOUND_MAX];
	size_t count;
};

/* From a port of our own, so that responders answer us alone (RFC 6762 6.7), and none of
 * them is disturbed on this machine. */
static void ask(int fd, const void *query, size_t len) {
	struct ifaddrs *interfaces = NULL;
	if (getifaddrs(&interfaces) < 0) {
		return;
	}
	struct sockaddr_in group = { .sin_family = AF_INET, .sin_port = htons(MDNS_PORT) };
	group.sin_addr.s_addr = htonl(0xe00000fb); /* 224.0.0.251 */
	for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP)) {
			continue;
		}
		struct ip_mreqn by = { .imr_ifindex = (int)if_nametoindex(i->ifa_name) };
		if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof(by)) == 0) {
			(void)!sendto(fd, query, len, MSG_NOSIGNAL, (const struct sockaddr *)&group,
					sizeof(group));
		}
	}
	freeifaddrs(interfaces);
}

static void listen_for(int fd, uint64_t deadline_ns, struct found *found) {
	uint8_t answer[ANSWER_MAX];
	while (net_wait(fd, POLLIN, deadline_ns) == 0) {
		ssize_t len = recv(fd, answer, sizeof(answer), 0);
		if (len < 0) {
			continue;
		}
		int count = mdns_answer_parse(answer, (size_t)len, found->record + found->count,
				FOUND_MAX - found->count);
		found->count += count > 0 ? (size_t)count : 0;
	}
}

static json_t *addresses_of(const struct found *found, const char *name) {
	json_t *list = json_array();
	for (size_t i = 0; i < found->count; i++) {
		const struct mdns_record *record = &found->record[i];
		if ((record->type != MDNS_A && record->type != MDNS_AAAA) ||
				strcasecmp(record->name, name) != 0) {
			continue;
		}
		char text[ADDRESS_TEXT_MAX];
		address_ip_text(&record->address, text);
		bool known = false;
		for (size_t n = 0; n < json_array_size(list); n++) {
			known = known ||
				strcmp(json_string_value(json_array_get(list, n)), text) == 0;
		}
		if (!known) {
			json_array_append_new(list, json_string(text));
		}
	}
	return list;
}

static void report(const struct found *found, json_t *hosts) {
	for (size_t i = 0; i < found->count; i++) {
		const struct mdns_record *record = &found->record[i];
		if (record->type != MDNS_SRV || json_object_get(hosts, record->name)) {
			continue;
		}
		json_object_set_new(hosts, record->name,
				json_pack("{s:s,s:i,s:o}", "target", record->target, "port",
						record->port, "addresses",
						addresses_of(found, record->target)));
	}
}

int probe_discover(struct probe *probe) {
	uint8_t query[MDNS_QUERY_MAX];
	int len = mdns_query_write(MDNS_SERVICE, MDNS_PTR, query, sizeof(query));
	OWN(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	OWN(free) void *memory = calloc(1, sizeof(struct found));
	if (len < 0 || fd < 0 || !memory) {
		return probe_fail_transport(probe, "discover", "socket", -errno);
	}
	struct found *found = memory;
	double seconds = fmin(probe->options.seconds, LISTEN_MAX_S);
	ask(fd, query, (size_t)len);
	listen_for(fd, clock_now_ns() + (uint64_t)(seconds * 1e9), found);
	json_t *hosts = json_object();
	report(found, hosts);
	json_object_set_new(probe->report, "hosts", hosts);
	return json_object_size(hosts) ? 0
				       : probe_fail(probe, PROBE_UNREACHABLE, "discover",
							 "nobody answered");
}
