/* SPDX-License-Identifier: MIT */
#include "ipc/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/* All members of a slot but `generation` are written and read as relaxed
 * atomics: they race by design, and the generation decides whether the copy
 * counts. */
struct ring_slot {
	_Atomic uint64_t generation; /* 0 while written, else the packet's sequence */
	_Atomic uint64_t offset;
	uint64_t words[sizeof(struct ring_packet) / sizeof(uint64_t)];
};

_Static_assert(sizeof(struct ring_packet) % sizeof(uint64_t) == 0, "copied as words");

struct ring {
	uint32_t layout, slots;
	uint64_t capacity;
	_Atomic uint64_t newest;
	_Atomic uint64_t oldest;
	struct ring_slot slot[RING_SLOTS];
};

enum {
	PAGE = 4096,
	DATA_AT = (sizeof(struct ring) + PAGE - 1) / PAGE * PAGE,
};

static struct ring *ring_of(const struct shm *shm) {
	return (struct ring *)(void *)shm->map;
}

static struct ring_slot *slot_of(struct ring *ring, uint64_t sequence) {
	return &ring->slot[sequence % RING_SLOTS];
}

/* Packets start on 8 bytes, so that both sides can move whole words. */
static size_t padded(size_t size) {
	return (size + 7) & ~(size_t)7;
}

static void store_words(uint8_t *to, const uint8_t *from, size_t size) {
	uint64_t *out = (uint64_t *)(void *)to;
	for (size_t i = 0; i < size / 8; i++) {
		uint64_t word;
		memcpy(&word, from + 8 * i, 8);
		__atomic_store_n(out + i, word, __ATOMIC_RELAXED);
	}
	if (size % 8) {
		uint64_t word = 0;
		memcpy(&word, from + size / 8 * 8, size % 8);
		__atomic_store_n(out + size / 8, word, __ATOMIC_RELAXED);
	}
}

static void load_words(uint8_t *to, const uint8_t *from, size_t size) {
	const uint64_t *in = (const uint64_t *)(const void *)from;
	for (size_t i = 0; i < size / 8; i++) {
		uint64_t word = __atomic_load_n(in + i, __ATOMIC_RELAXED);
		memcpy(to + 8 * i, &word, 8);
	}
	if (size % 8) {
		uint64_t word = __atomic_load_n(in + size / 8, __ATOMIC_RELAXED);
		memcpy(to + size / 8 * 8, &word, size % 8);
	}
}

int ring_create(size_t capacity, struct ring_writer *out) {
	capacity = (capacity + PAGE - 1) / PAGE * PAGE;
	struct ring_writer writer = { .shm = SHM_NONE, .capacity = capacity, .oldest = 1 };
	int rc = shm_create("packets", DATA_AT + capacity, true, &writer.shm);
	if (rc < 0) {
		return rc;
	}
	struct ring *ring = ring_of(&writer.shm);
	ring->layout = RING_LAYOUT;
	ring->slots = RING_SLOTS;
	ring->capacity = capacity;
	atomic_store(&ring->oldest, 1);
	*out = writer;
	return 0;
}

void ring_writer_finish(struct ring_writer *writer) {
	shm_finish(&writer->shm);
}

/* Takes packets back, oldest first, until [at, at + len) belongs to nobody. */
static void reclaim(struct ring_writer *writer, size_t at, size_t len) {
	struct ring *ring = ring_of(&writer->shm);
	while (writer->oldest <= writer->sequence) {
		struct ring_slot *slot = slot_of(ring, writer->oldest);
		size_t begin = (size_t)atomic_load_explicit(&slot->offset, memory_order_relaxed);
		struct ring_packet packet;
		load_words((uint8_t *)&packet, (const uint8_t *)slot->words, sizeof(packet));
		size_t end = begin + padded(packet.size);
		bool overlaps = begin < at + len && at < end;
		bool no_slot = writer->oldest + RING_SLOTS <= writer->sequence + 1;
		if (!overlaps && !no_slot) {
			break;
		}
		atomic_store_explicit(&slot->generation, 0, memory_order_relaxed);
		writer->oldest++;
	}
	atomic_store_explicit(&ring->oldest, writer->oldest, memory_order_relaxed);
	/* Nobody may see new bytes under an old generation. */
	atomic_thread_fence(memory_order_seq_cst);
}

int ring_write(struct ring_writer *writer, struct ring_packet *packet, const void *bytes,
		size_t size) {
	if (size == 0 || size > writer->capacity / 2 || size > RING_PACKET_MAX) {
		return -ENOSPC;
	}
	size_t at = writer->head;
	if (at + padded(size) > writer->capacity) {
		/* What lies between head and the end is older than what lies at 0. */
		reclaim(writer, at, writer->capacity - at);
		at = 0;
	}
	reclaim(writer, at, padded(size));
	struct ring *ring = ring_of(&writer->shm);
	packet->sequence = ++writer->sequence;
	packet->size = (uint32_t)size;
	struct ring_slot *slot = slot_of(ring, packet->sequence);
	store_words(writer->shm.map + DATA_AT + at, (const uint8_t *)bytes, size);
	atomic_store_explicit(&slot->offset, at, memory_order_relaxed);
	store_words((uint8_t *)slot->words, (const uint8_t *)packet, sizeof(*packet));
	atomic_store_explicit(&slot->generation, packet->sequence, memory_order_release);
	atomic_store_explicit(&ring->newest, packet->sequence, memory_order_release);
	writer->head = at + padded(size);
	return 0;
}

int ring_open(int fd, struct ring_reader *out) {
	struct ring_reader reader = { .shm = SHM_NONE };
	int rc = shm_adopt(fd, DATA_AT + PAGE, false, &reader.shm);
	if (rc < 0) {
		return rc;
	}
	const struct ring *ring = ring_of(&reader.shm);
	if (ring->layout != RING_LAYOUT || ring->slots != RING_SLOTS ||
			ring->capacity > reader.shm.size - DATA_AT) {
		reader.shm.fd = -1; /* stays the caller's */
		shm_finish(&reader.shm);
		return -EPROTO;
	}
	reader.next = ring_newest(&reader) + 1;
	*out = reader;
	return 0;
}

void ring_reader_finish(struct ring_reader *reader) {
	shm_finish(&reader->shm);
}

uint64_t ring_newest(const struct ring_reader *reader) {
	return atomic_load_explicit(&ring_of(&reader->shm)->newest, memory_order_acquire);
}

static bool still(const struct ring_slot *slot, uint64_t sequence) {
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&slot->generation, memory_order_relaxed) == sequence;
}

/* Copies the description under the generation's guard. */
static int peek(const struct ring_reader *reader, uint64_t sequence, struct ring_packet *packet,
		size_t *offset) {
	struct ring_slot *slot = slot_of(ring_of(&reader->shm), sequence);
	if (atomic_load_explicit(&slot->generation, memory_order_acquire) != sequence) {
		return -EAGAIN;
	}
	*offset = (size_t)atomic_load_explicit(&slot->offset, memory_order_relaxed);
	load_words((uint8_t *)packet, (const uint8_t *)slot->words, sizeof(*packet));
	if (!still(slot, sequence)) {
		return -EAGAIN;
	}
	size_t room = reader->shm.size - DATA_AT;
	if (packet->sequence != sequence || packet->size > RING_PACKET_MAX || *offset % 8 ||
			*offset > room || packet->size > room - *offset) {
		return -EBADMSG;
	}
	return 0;
}

int ring_peek(const struct ring_reader *reader, uint64_t sequence, struct ring_packet *out) {
	struct ring_packet packet;
	size_t offset;
	int rc = peek(reader, sequence, &packet, &offset);
	if (rc == 0) {
		*out = packet;
	}
	return rc;
}

/* The writer went over what we were to read: stand at the oldest whole packet. */
static int lapped(struct ring_reader *reader) {
	const struct ring *ring = ring_of(&reader->shm);
	uint64_t oldest = atomic_load_explicit(&ring->oldest, memory_order_acquire);
	reader->next = oldest > reader->next ? oldest : reader->next + 1;
	reader->lapped++;
	return -EOVERFLOW;
}

int ring_read(struct ring_reader *reader, struct ring_packet *out, void *buf, size_t size) {
	if (reader->next > ring_newest(reader)) {
		return -EAGAIN;
	}
	struct ring_packet packet;
	size_t offset;
	int rc = peek(reader, reader->next, &packet, &offset);
	if (rc == -EAGAIN) {
		return lapped(reader);
	}
	if (rc < 0) {
		return rc;
	}
	*out = packet;
	if (packet.size > size) {
		return -EMSGSIZE;
	}
	load_words((uint8_t *)buf, reader->shm.map + DATA_AT + offset, packet.size);
	if (!still(slot_of(ring_of(&reader->shm), reader->next), packet.sequence)) {
		return lapped(reader);
	}
	reader->next++;
	return 0;
}
