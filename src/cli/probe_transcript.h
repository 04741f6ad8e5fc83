/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_TRANSCRIPT_H
#define CLI_PROBE_TRANSCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/own.h"

/* All that the probe exchanged with a host, keys included, so that a corpus can be made
 * of it and a failure looked at afterwards. The file is the five bytes "PGTR1" and then
 * records, numbers big endian:
 *
 *   u8 kind   'h' HTTP, 's' HTTPS, 'r' RTSP (opened), 'v' video, 'a' audio, 'c' control
 *             (ENet datagrams), 'k' the session key, 'i' its id (be32)
 *   u8 from   'C' client, 'H' host
 *   be32      ms since the probe began
 *   be32      length of what follows
 *
 * Datagrams are recorded as they came, before --drop and its like. */
struct probe_transcript {
	FILE *file; /* owned; NULL: nothing is recorded */
	uint64_t begin_ns;
};

/* path NULL: records nothing. The file is for its owner only. */
int probe_transcript_open(
		struct probe_transcript *transcript, const char *path, uint64_t begin_ns) NODISCARD;

void probe_transcript_add(struct probe_transcript *transcript, char kind, char from,
		const void *data, size_t len);

/* -EIO when something could not be written. */
int probe_transcript_close(struct probe_transcript *transcript) NODISCARD;

#endif
