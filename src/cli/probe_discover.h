/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_DISCOVER_H
#define CLI_PROBE_DISCOVER_H

#include "cli/probe.h"

/* Asks all networks, and this machine, by mDNS who offers a host, listens for --seconds
 * (2 at most), and puts what was answered into the report. */
int probe_discover(struct probe *probe) NODISCARD;

#endif
