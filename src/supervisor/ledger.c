/* SPDX-License-Identifier: MIT */
#include "supervisor/ledger.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

/* Two places take turns: the older one is overwritten, then declared the newest. */
struct place {
	_Atomic uint64_t generation; /* 0: never written, or being written */
	uint64_t checksum;
	uint32_t size;
	uint8_t content[LEDGER_CONTENT_MAX];
};

struct slot {
	_Atomic uint32_t kind; /* 0: free, whatever the places hold */
	uint32_t reserved;
	uint64_t id;
	struct place place[2];
};

struct book {
	uint32_t layout, records, slot_size;
	_Atomic uint32_t used; /* slots below this were ever in use: nobody has touched others */
	struct slot slot[LEDGER_RECORDS];
};

static struct book *book_of(const struct ledger *ledger) {
	return (struct book *)(void *)ledger->shm.map;
}

/* FNV-1a: it only has to notice a torn write, not an enemy. The name is part of it. */
static uint64_t checksum(const struct slot *slot, uint32_t kind, const uint8_t *content,
		size_t size, uint64_t generation) {
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	const uint64_t head[] = { generation, slot->id, kind, size };
	const uint8_t *bytes = (const uint8_t *)head;
	for (size_t i = 0; i < sizeof(head); i++) {
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	}
	for (size_t i = 0; i < size; i++) {
		sum = (sum ^ content[i]) * UINT64_C(0x100000001b3);
	}
	return sum;
}

static void leave_out_of_dumps(struct ledger *ledger) {
	madvise(ledger->shm.map, ledger->shm.size, MADV_DONTDUMP);
}

int ledger_create(struct ledger *out) {
	memset(out, 0, sizeof(*out));
	int rc = shm_create("ledger", sizeof(struct book), false, &out->shm);
	if (rc == 0) {
		leave_out_of_dumps(out);
		struct book *book = book_of(out);
		book->layout = LEDGER_LAYOUT;
		book->records = LEDGER_RECORDS;
		book->slot_size = sizeof(struct slot);
	}
	return rc;
}

int ledger_open(int fd, struct ledger *out) {
	memset(out, 0, sizeof(*out));
	struct shm shm;
	int rc = shm_adopt(fd, sizeof(struct book), true, &shm);
	if (rc < 0) {
		out->shm = SHM_NONE;
		return rc;
	}
	out->shm = shm;
	const struct book *book = book_of(out);
	if (book->layout != LEDGER_LAYOUT || book->records != LEDGER_RECORDS ||
			book->slot_size != sizeof(struct slot)) {
		out->shm.fd = -1; /* the caller's still */
		shm_finish(&out->shm);
		return -EPROTO;
	}
	leave_out_of_dumps(out);
	/* Reading what was never written would be given memory: 8 MB of it. */
	uint32_t used = atomic_load_explicit(&book->used, memory_order_acquire);
	for (size_t i = 0; i < used && i < LEDGER_RECORDS; i++) {
		uint32_t kind = atomic_load_explicit(&book->slot[i].kind, memory_order_acquire);
		if (kind) {
			out->keys[i] = (struct ledger_key){ kind, book->slot[i].id };
			out->used = i + 1;
		}
	}
	return 0;
}

void ledger_finish(struct ledger *ledger) {
	shm_finish(&ledger->shm);
	ledger->used = 0;
}

/* The newer of the two that are whole; NULL for none. */
static const struct place *newest(const struct slot *slot, uint32_t kind) {
	const struct place *best = NULL;
	uint64_t best_generation = 0;
	for (int i = 0; i < 2; i++) {
		const struct place *place = &slot->place[i];
		uint64_t generation =
				atomic_load_explicit(&place->generation, memory_order_acquire);
		if (generation > best_generation && place->size <= LEDGER_CONTENT_MAX &&
				checksum(slot, kind, place->content, place->size, generation) ==
						place->checksum) {
			best = place;
			best_generation = generation;
		}
	}
	return best;
}

static struct slot *find(const struct ledger *ledger, uint32_t kind, uint64_t id) {
	for (size_t i = 0; i < ledger->used; i++) {
		if (ledger->keys[i].kind == kind && ledger->keys[i].id == id) {
			return &book_of(ledger)->slot[i];
		}
	}
	return NULL;
}

static void write_place(struct slot *slot, uint32_t kind, struct place *place, uint64_t generation,
		const uint8_t *content, size_t size) {
	atomic_store_explicit(&place->generation, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(place->content, content, size);
	place->size = (uint32_t)size;
	place->checksum = checksum(slot, kind, content, size, generation);
	atomic_store_explicit(&place->generation, generation, memory_order_release);
}

static void update(struct slot *slot, uint32_t kind, const uint8_t *content, size_t size) {
	const struct place *now = newest(slot, kind);
	if (now && now->size == size && memcmp(now->content, content, size) == 0) {
		return;
	}
	struct place *other = now == &slot->place[0] ? &slot->place[1] : &slot->place[0];
	uint64_t generation = now ? atomic_load(&now->generation) + 1 : 1;
	write_place(slot, kind, other, generation, content, size);
}

static void wipe(struct slot *slot) {
	for (int i = 0; i < 2; i++) {
		atomic_store_explicit(&slot->place[i].generation, 0, memory_order_relaxed);
		explicit_bzero(slot->place[i].content, sizeof(slot->place[i].content));
	}
}

/* The name comes last: a record that is not whole is not there at all. */
static int add(struct ledger *ledger, uint32_t kind, uint64_t id, const uint8_t *content,
		size_t size) {
	size_t i = 0;
	while (i < LEDGER_RECORDS && ledger->keys[i].kind) {
		i++;
	}
	if (i == LEDGER_RECORDS) {
		return -ENOSPC;
	}
	struct book *book = book_of(ledger);
	if (i >= atomic_load_explicit(&book->used, memory_order_relaxed)) {
		atomic_store_explicit(&book->used, (uint32_t)i + 1, memory_order_release);
	}
	struct slot *slot = &book->slot[i];
	wipe(slot); /* of one that was killed while it wiped */
	slot->id = id;
	write_place(slot, kind, &slot->place[0], 1, content, size);
	atomic_store_explicit(&slot->kind, kind, memory_order_release);
	ledger->keys[i] = (struct ledger_key){ kind, id };
	ledger->used = i >= ledger->used ? i + 1 : ledger->used;
	return 0;
}

int ledger_put(struct ledger *ledger, uint64_t id, const struct ipc_message *message) {
	uint8_t content[LEDGER_CONTENT_MAX];
	int size = ipc_encode(message, content, sizeof(content));
	if (size < 0) {
		return size;
	}
	int rc = 0;
	struct slot *slot = find(ledger, message->kind, id);
	if (slot) {
		update(slot, message->kind, content, (size_t)size);
	} else {
		rc = add(ledger, message->kind, id, content, (size_t)size);
	}
	explicit_bzero(content, (size_t)size);
	return rc;
}

void ledger_drop(struct ledger *ledger, enum ipc_kind kind, uint64_t id) {
	struct slot *slot = find(ledger, kind, id);
	if (!slot) {
		return;
	}
	ledger->keys[slot - book_of(ledger)->slot] = (struct ledger_key){ 0 };
	atomic_store_explicit(&slot->kind, 0, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	wipe(slot);
}

static int read_slot(const struct slot *slot, uint32_t kind, struct ipc_message *out) {
	const struct place *place = newest(slot, kind);
	int rc = place ? ipc_decode_own(place->content, place->size, out) : -ENOENT;
	return rc == 0 && out->kind != kind ? -ENOENT : rc;
}

int ledger_get(const struct ledger *ledger, enum ipc_kind kind, uint64_t id,
		struct ipc_message *out) {
	const struct slot *slot = find(ledger, kind, id);
	return slot ? read_slot(slot, kind, out) : -ENOENT;
}

int ledger_next(const struct ledger *ledger, enum ipc_kind kind, size_t *cursor, uint64_t *out_id,
		struct ipc_message *out) {
	while (*cursor < ledger->used) {
		size_t i = (*cursor)++;
		if (ledger->keys[i].kind == kind &&
				read_slot(&book_of(ledger)->slot[i], kind, out) == 0) {
			*out_id = ledger->keys[i].id;
			return 0;
		}
	}
	return -ENOENT;
}
