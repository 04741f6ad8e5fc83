/* SPDX-License-Identifier: MIT */
#ifndef IPC_POOL_H
#define IPC_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/shm.h"
#include "ipc/message.h"

/* The picture pool: slots of planar YUV in one sealed memfd that the desktop
 * writes and encoders map read-only. Who holds which slot is known only to the
 * desktop; encoders name slots in messages and are never believed beyond that. */

enum {
	POOL_LAYOUT = 1,
	POOL_SLOTS_MAX = 16,
	POOL_HOLDERS_MAX = POOL_SLOTS_MAX - 2,
	POOL_SPARE = 2,       /* slots that no encoder may hold at once */
	POOL_HOLD_MS = 2000,  /* a slot held longer means that its encoder hangs */
	POOL_FIRST_MS = 7000, /* its first one: it may be starting still, on a busy machine */
	POOL_WIDTH_MAX = 3840,
	POOL_HEIGHT_MAX = 2160,
	POOL_ALIGN = 64, /* bytes; of every plane's start and stride */
};

/* Where the planes of one slot lie. Y, U, V; U and V are halved in both
 * directions for CHROMA_420. */
struct pool_layout {
	struct ipc_picture_format format;
	size_t stride[3]; /* bytes */
	size_t offset[3]; /* from the slot's start */
	uint16_t rows[3];
	size_t slot_size;
};

/* -EINVAL for an odd, empty or too large format. */
int pool_layout(const struct ipc_picture_format *format, struct pool_layout *out) NODISCARD;

/* Rows [top, bottom) of the picture; empty when top >= bottom. */
struct pool_rows {
	uint16_t top, bottom;
};

struct pool_slot {
	uint64_t number;        /* picture in it, 0 for none */
	uint32_t holders;       /* bit h: encoder h holds it */
	struct pool_rows stale; /* what changed since this slot was last written */
	uint64_t held_since_ns[POOL_HOLDERS_MAX];
};

/* The writer's side. */
struct pool {
	struct shm shm;
	struct pool_layout layout;
	struct pool_slot slots[POOL_SLOTS_MAX];
	uint8_t count;
	uint8_t newest; /* slot of the newest picture, valid when number > 0 */
	uint64_t number;
};

/* encoders + POOL_SPARE slots. */
int pool_create(const struct ipc_picture_format *format, unsigned encoders,
		struct pool *out) NODISCARD;
void pool_finish(struct pool *pool);

/* Notes that rows of the desktop changed: every slot becomes stale there. */
void pool_damage(struct pool *pool, struct pool_rows rows);

/* Picks the slot to write next: free, and not the newest. Returns its index and
 * the rows that must be converted; -EAGAIN when encoders hold all of them. */
int pool_begin(struct pool *pool, struct pool_rows *out_stale) NODISCARD;

/* Writable planes of a slot that pool_begin() returned. */
uint8_t *pool_plane(const struct pool *pool, int slot, unsigned plane);

/* The slot now holds a new picture, whose number is returned; its rows are fresh. */
uint64_t pool_commit(struct pool *pool, int slot);

/* encoder (0 to POOL_HOLDERS_MAX - 1) gets the slot. */
void pool_hold(struct pool *pool, int slot, unsigned encoder, uint64_t now_ns);

/* -EPROTO when that encoder does not hold that slot. */
int pool_release(struct pool *pool, unsigned slot, unsigned encoder) NODISCARD;

/* Takes everything back from an encoder that died or hangs. */
void pool_release_all(struct pool *pool, unsigned encoder);

/* When the slot held longest by this encoder was given to it; 0 for none. */
uint64_t pool_held_since(const struct pool *pool, unsigned encoder);

/* The reader's side: an encoder's view of a desktop's pool. */
struct pool_view {
	struct shm shm;
	struct pool_layout layout;
	uint8_t count;
	uint32_t epoch;
};

/* Takes fd on success. -EPROTO when the memfd does not hold count slots of the
 * format or can still shrink. */
int pool_view_open(int fd, const struct ipc_picture_format *format, uint8_t count, uint32_t epoch,
		struct pool_view *out) NODISCARD;
void pool_view_finish(struct pool_view *view);

/* Readable planes; the desktop may write nonsense there at any moment, never
 * outside. NULL when there is no such slot. */
const uint8_t *pool_view_plane(const struct pool_view *view, unsigned slot, unsigned plane);

#endif
