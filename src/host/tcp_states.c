/* SPDX-License-Identifier: MIT */
#include "host/tcp_states.h"

#include <stdbool.h>
#include <string.h>

enum {
	LINE_MAX_BYTES = 512,
};

/* Hexadecimal digits at *at, up to max of them; moves on. -1 for none. */
static int64_t take_hex(const char **at, unsigned max) {
	int64_t value = 0;
	unsigned digits = 0;
	for (; digits < max; digits++, (*at)++) {
		char c = **at;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0) {
			break;
		}
		value = value * 16 + digit;
	}
	return digits ? value : -1;
}

/* "  0: 0100007F:1F90 00000000:0000 0A ...": local address and port, remote, state. */
static bool read_line(const char *line, uint16_t *out_port, uint32_t *out_state) {
	const char *colon = strchr(line, ':');
	const char *port = colon ? strchr(colon + 1, ':') : NULL;
	const char *remote = port ? strchr(port + 1, ':') : NULL;
	const char *state = remote ? strchr(remote + 1, ' ') : NULL;
	if (!state) {
		return false;
	}
	port++;
	state++;
	int64_t number = take_hex(&port, 4), which = take_hex(&state, 2);
	if (number < 0 || which < 0 || which >= TCP_STATES_MAX) {
		return false;
	}
	*out_port = (uint16_t)number;
	*out_state = (uint32_t)which;
	return true;
}

void tcp_states_count(FILE *file, const uint16_t ports[TCP_STATES_PORTS],
		uint32_t counts[TCP_STATES_MAX]) {
	char line[LINE_MAX_BYTES];
	while (fgets(line, sizeof(line), file)) {
		uint16_t port;
		uint32_t state;
		if (!read_line(line, &port, &state)) {
			continue;
		}
		for (unsigned i = 0; i < TCP_STATES_PORTS; i++) {
			if (ports[i] && ports[i] == port) {
				counts[state]++;
				break;
			}
		}
	}
}
