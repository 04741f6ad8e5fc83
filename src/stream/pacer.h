/* SPDX-License-Identifier: MIT */
#ifndef STREAM_PACER_H
#define STREAM_PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/pace.h"

/* Sends a frame's datagrams, block by block, through a connected UDP socket as
 * fast as the pace allows. Never blocks. Segmentation offload is used until the
 * kernel or the path refuses it (a route with a small MTU does, EINVAL or
 * EMSGSIZE; some drivers EIO); then each datagram goes by itself, and the kernel
 * fragments those that do not fit. */
enum {
	PACER_SEGMENTS = 16, /* of one offloaded send */
};

enum pacer_result {
	PACER_DONE,  /* what was loaded has left */
	PACER_LATER, /* go on at pacer_next_ns() */
	PACER_FULL,  /* go on when the socket is writable */
};

struct pacer_counters {
	uint64_t datagrams, bytes;
	uint64_t calls;   /* of sendmmsg */
	uint64_t refused; /* ECONNREFUSED: nobody listens there at the moment */
	uint64_t failed;  /* other errors; those datagrams count as lost on the way */
	uint64_t full;    /* times the socket was full */
};

struct pacer {
	int fd; /* borrowed; -1 for none */
	bool segments;
	struct pace pace;
	uint32_t sent;        /* of the frame */
	const uint8_t *bytes; /* borrowed: what is left of the block */
	uint32_t left;        /* datagrams at bytes */
	uint16_t datagram_size;
	struct pacer_counters counters;
};

void pacer_init(struct pacer *pacer, uint32_t ceiling_kbps, uint32_t rate_x100);

/* Another socket; segmentation is tried anew. */
void pacer_attach(struct pacer *pacer, int fd);

void pacer_begin(struct pacer *pacer, uint32_t datagrams, uint16_t datagram_size, uint64_t now_ns);

/* The next block, when what was loaded before is done. bytes stay until then. */
void pacer_load(struct pacer *pacer, const uint8_t *bytes, uint32_t datagrams);

enum pacer_result pacer_run(struct pacer *pacer, uint64_t now_ns);
uint64_t pacer_next_ns(const struct pacer *pacer);

#endif
