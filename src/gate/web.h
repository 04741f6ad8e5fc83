/* SPDX-License-Identifier: MIT */
#ifndef GATE_WEB_H
#define GATE_WEB_H

#include <stdint.h>

#include "base/address.h"
#include "gate/connection.h"
#include "gate/keyguard.h"
#include "gate/request.h"
#include "ipc/message.h"

/* The web door: the pages for people and the API for programs, over HTTPS with the web key
 * and over a Unix socket for root and for whom Perigee runs as. */

struct gate;

enum {
	WEB_PENDING_MAX = 16,
	WEB_PAIR_MS = 25000, /* from the PIN to the end of the pairing */
	WEB_STATUS_LINES_MAX = 2048,
};

extern const struct request_site web_site;
extern const struct connection_class web_class;
extern const struct connection_class web_api_class;

struct web_pending {
	uint32_t pairing; /* 0: free */
	struct address address;
	uint8_t client[32];
	char name[64];
	uint64_t since_ms;
	uint32_t request; /* of the connection that gave the PIN, 0 for none */
};

struct web {
	struct web_pending pending[WEB_PENDING_MAX];
	struct keyguard guard;
};

void web_serve(struct request *request, const struct route *route);
void web_not_found(struct request *request, int status);

/* Once, before anything of JSON: the library would read a file for its seed. */
void web_prepare(void);

/* The connection that gave a PIN is gone. */
void api_pair_forget(struct gate *gate, uint32_t request);

#endif
