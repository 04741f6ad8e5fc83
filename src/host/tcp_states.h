/* SPDX-License-Identifier: MIT */
#ifndef HOST_TCP_STATES_H
#define HOST_TCP_STATES_H

#include <stdint.h>
#include <stdio.h>

/* The kernel's table of TCP connections, counted by state. Reading it takes a while
 * where there are many, so that is done by a helper that nobody waits for. */

enum {
	TCP_STATES_MAX = 12, /* by the kernel's numbers (net/tcp_states.h); 0 is none */
	TCP_STATES_PORTS = 4,
};

/* Adds the connections of file (/proc/net/tcp or tcp6) whose local port is one of ports,
 * 0 for none, to counts. Lines that are not understood are passed over. */
void tcp_states_count(FILE *file, const uint16_t ports[TCP_STATES_PORTS],
		uint32_t counts[TCP_STATES_MAX]);

#endif
