/* SPDX-License-Identifier: MIT */
#ifndef IPC_RING_H
#define IPC_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/shm.h"

/* The packet ring: one encoder writes encoded pictures or sound packets, any
 * number of streams read them, each at its own place, from a read-only mapping.
 * Nobody waits for anybody: a reader that was lapped is told so and asks for a
 * key frame. Every slot carries a generation that is odd-free: 0 while it is
 * written, else the packet's sequence; a reader copies first and looks at the
 * generation again before it believes the copy. */

enum {
	RING_LAYOUT = 1,
	RING_SLOTS = 256, /* packets at most; the bytes run out first */
	RING_PACKET_MAX = 4 << 20,
};

enum {
	RING_KEY = 1,     /* decodes by itself and carries its parameter sets */
	RING_SILENCE = 2, /* one silent sound packet; the stream repeats it on its own clock */
	RING_REFRESH = 4, /* begins an intra-refresh wave */
	RING_AFTER_INVALIDATION = 8, /* answers an invalidation: no lost picture is referenced */
};

/* What a packet is. Times are CLOCK_MONOTONIC ns, 0 for not known. */
struct ring_packet {
	uint64_t sequence;   /* rises by one, from 1 */
	uint32_t flags;      /* RING_ */
	uint32_t size;       /* bytes */
	uint64_t references; /* the newest earlier packet it refers to, 0 for none */
	uint64_t picture;    /* the desktop's picture number; sound: samples so far */
	uint64_t commit_ns, rendered_ns, convert_ns, handed_ns; /* pictures */
	uint64_t encode_begin_ns, encode_end_ns;
};

struct ring; /* the shared block; in ring.c */

struct ring_writer {
	struct shm shm;
	uint64_t sequence; /* of the newest packet */
	uint64_t oldest;   /* sequence of the oldest packet whose bytes are whole */
	size_t head;       /* where the next bytes go */
	size_t capacity;
};

/* capacity: bytes for packets, rounded up to pages. Readers map shm.fd. */
int ring_create(size_t capacity, struct ring_writer *out) NODISCARD;
void ring_writer_finish(struct ring_writer *writer);

/* Publishes bytes under packet->flags, references, picture and times; sequence
 * and size are filled in. -ENOSPC for a packet over half the capacity. Wake the
 * readers' eventfds afterwards. */
int ring_write(struct ring_writer *writer, struct ring_packet *packet, const void *bytes,
		size_t size) NODISCARD;

struct ring_reader {
	struct shm shm;
	uint64_t next; /* sequence to read next */
	uint64_t lapped;
};

/* Maps a writer's block; takes fd on success. Reading starts after the newest
 * packet. -EPROTO for a block of another layout. */
int ring_open(int fd, struct ring_reader *out) NODISCARD;
void ring_reader_finish(struct ring_reader *reader);

/* The sequence of the newest packet, 0 for none. */
uint64_t ring_newest(const struct ring_reader *reader);

/* Reads what packet `sequence` is without moving. -EAGAIN when it is not there
 * (yet, or any more). */
int ring_peek(const struct ring_reader *reader, uint64_t sequence,
		struct ring_packet *out) NODISCARD;

/* Copies the next packet's bytes into buf of size bytes and moves on.
 * -EAGAIN: nothing new. -EOVERFLOW: lapped; the reader now stands at the oldest
 * packet that is whole, and must ask for a key frame. -EMSGSIZE: buf is too
 * small (out->size says how much). -EBADMSG: the writer wrote nonsense. */
int ring_read(struct ring_reader *reader, struct ring_packet *out, void *buf,
		size_t size) NODISCARD;

#endif
