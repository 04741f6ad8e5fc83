/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_IDENTITY_H
#define CLI_PROBE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "proto/pairing_identity.h"

/* One client's folder: client.pem and key.pem, made at the first use, and host.der, the
 * certificate of the host that it is paired with. One folder, one client, one host. */
enum {
	PROBE_PATH_MAX = 4096,
};

struct probe_identity {
	char folder[PROBE_PATH_MAX];
	struct pairing_identity own;
	uint8_t host[PAIRING_DER_MAX]; /* pinned */
	size_t host_len;               /* 0 for none yet */
};

/* folder NULL: $XDG_STATE_HOME/perigee/probe, or the same below ~/.local/state. Makes
 * what is missing; that takes a good part of a second. -EBADMSG for files that are not
 * a client's, or why they could not be read or written. Filled in place. */
int probe_identity_load(const char *folder, struct probe_identity *out) NODISCARD;
void probe_identity_finish(struct probe_identity *identity);

/* Remembers the host, for good. */
int probe_identity_pin(struct probe_identity *identity, const void *der, size_t len) NODISCARD;

#endif
