/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_MDNS_H
#define CLI_PROBE_MDNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"

/* Just enough multicast DNS (RFC 6762, RFC 1035 section 4) to ask who offers a service
 * and to read what is answered. Pure. */
enum {
	MDNS_PORT = 5353,
	MDNS_NAME_MAX = 256,
	MDNS_QUERY_MAX = 512,
	MDNS_RECORDS_MAX = 64,
};

#define MDNS_SERVICE "_nvstream._tcp.local"

enum mdns_type {
	MDNS_A = 1,
	MDNS_PTR = 12,
	MDNS_AAAA = 28,
	MDNS_SRV = 33,
};

/* A question for `name`, with the bit that asks for an answer to us alone. Answers
 * its length; -EINVAL for a name that cannot be, -ENOSPC. */
int mdns_query_write(const char *name, enum mdns_type type, void *buf, size_t size) NODISCARD;

/* One record of an answer. Names have dots between their labels, no dot at the end,
 * and a question mark for what is not printable. */
struct mdns_record {
	enum mdns_type type;
	char name[MDNS_NAME_MAX];
	char target[MDNS_NAME_MAX]; /* of PTR and SRV */
	uint16_t port;              /* of SRV */
	struct address address;     /* of A and AAAA, without port */
};

/* Reads the records of the four types from all sections of an answer; others are
 * skipped. Answers how many, at most `max`; -EBADMSG for anything malformed, -ENOENT
 * for a question. */
int mdns_answer_parse(
		const void *data, size_t len, struct mdns_record *records, size_t max) NODISCARD;

#endif
