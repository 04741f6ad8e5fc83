/* SPDX-License-Identifier: MIT */
#ifndef IPC_WEIGHT_H
#define IPC_WEIGHT_H

#include <assert.h>
#include <stdint.h>

/* A block of memory in which the supervisor names processes, and perigee-autopsy writes what
 * they take: rows one after the other. */

struct weight {
	int32_t pid;
	uint32_t known;     /* 1: pss was read */
	uint64_t pss_bytes; /* what is a process' own, and its share of what it shares */
};

enum {
	WEIGHTS_MAX = 4096,
	WEIGHT_FD = 3, /* of the autopsy that is to fill it in */
};

static_assert(sizeof(struct weight) == 16, "both sides read the same");

#endif
