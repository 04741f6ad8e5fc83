/* SPDX-License-Identifier: MIT */
#include "ipc/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"

static size_t align_up(size_t value) {
	return (value + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
}

int pool_layout(const struct ipc_picture_format *format, struct pool_layout *out) {
	if (format->width == 0 || format->height == 0 || format->width % 2 || format->height % 2 ||
			format->width > POOL_WIDTH_MAX || format->height > POOL_HEIGHT_MAX ||
			format->chroma > CHROMA_444) {
		return -EINVAL;
	}
	struct pool_layout layout = { .format = *format };
	unsigned divide = format->chroma == CHROMA_444 ? 1 : 2;
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned by = plane == 0 ? 1 : divide;
		layout.stride[plane] = align_up(format->width / by);
		layout.rows[plane] = (uint16_t)(format->height / by);
		layout.offset[plane] = layout.slot_size;
		layout.slot_size += layout.stride[plane] * layout.rows[plane];
	}
	/* Slots start on pages, so that an unused one costs no memory. */
	layout.slot_size = (layout.slot_size + 4095) / 4096 * 4096;
	*out = layout;
	return 0;
}

int pool_create(const struct ipc_picture_format *format, unsigned encoders, struct pool *out) {
	struct pool pool = { .shm = SHM_NONE };
	int rc = pool_layout(format, &pool.layout);
	if (rc < 0) {
		return rc;
	}
	if (encoders > POOL_HOLDERS_MAX) {
		return -EINVAL;
	}
	pool.count = (uint8_t)(encoders + POOL_SPARE);
	for (unsigned i = 0; i < pool.count; i++) {
		pool.slots[i].stale = (struct pool_rows){ 0, format->height };
	}
	rc = shm_create("pictures", pool.layout.slot_size * pool.count, true, &pool.shm);
	if (rc < 0) {
		return rc;
	}
	*out = pool;
	return 0;
}

void pool_finish(struct pool *pool) {
	shm_finish(&pool->shm);
	pool->count = 0;
	pool->number = 0;
}

static struct pool_rows rows_union(struct pool_rows a, struct pool_rows b) {
	if (a.top >= a.bottom) {
		return b;
	}
	if (b.top >= b.bottom) {
		return a;
	}
	return (struct pool_rows){
		.top = a.top < b.top ? a.top : b.top,
		.bottom = a.bottom > b.bottom ? a.bottom : b.bottom,
	};
}

void pool_damage(struct pool *pool, struct pool_rows rows) {
	uint16_t height = pool->layout.format.height;
	if (rows.bottom > height) {
		rows.bottom = height;
	}
	for (unsigned i = 0; i < pool->count; i++) {
		pool->slots[i].stale = rows_union(pool->slots[i].stale, rows);
	}
}

int pool_begin(struct pool *pool, struct pool_rows *out_stale) {
	int best = -1;
	for (int i = 0; i < pool->count; i++) {
		bool newest = pool->number > 0 && i == pool->newest;
		if (pool->slots[i].holders || newest) {
			continue;
		}
		/* The most recently written free slot has the least to convert. */
		if (best < 0 || pool->slots[i].number > pool->slots[best].number) {
			best = i;
		}
	}
	if (best < 0) {
		return -EAGAIN;
	}
	*out_stale = pool->slots[best].stale;
	return best;
}

uint8_t *pool_plane(const struct pool *pool, int slot, unsigned plane) {
	assert(slot >= 0 && slot < pool->count && plane < 3);
	return pool->shm.map + (size_t)slot * pool->layout.slot_size + pool->layout.offset[plane];
}

uint64_t pool_commit(struct pool *pool, int slot) {
	assert(slot >= 0 && slot < pool->count && pool->slots[slot].holders == 0);
	pool->slots[slot].stale = (struct pool_rows){ 0, 0 };
	pool->slots[slot].number = ++pool->number;
	pool->newest = (uint8_t)slot;
	return pool->number;
}

void pool_hold(struct pool *pool, int slot, unsigned encoder, uint64_t now_ns) {
	assert(slot >= 0 && slot < pool->count && encoder < POOL_HOLDERS_MAX);
	pool->slots[slot].holders |= 1u << encoder;
	pool->slots[slot].held_since_ns[encoder] = now_ns;
}

int pool_release(struct pool *pool, unsigned slot, unsigned encoder) {
	if (slot >= pool->count || encoder >= POOL_HOLDERS_MAX ||
			!(pool->slots[slot].holders & 1u << encoder)) {
		return -EPROTO;
	}
	pool->slots[slot].holders &= ~(1u << encoder);
	return 0;
}

void pool_release_all(struct pool *pool, unsigned encoder) {
	for (unsigned i = 0; i < pool->count; i++) {
		pool->slots[i].holders &= ~(1u << encoder);
	}
}

uint64_t pool_held_since(const struct pool *pool, unsigned encoder) {
	uint64_t oldest = 0;
	for (unsigned i = 0; i < pool->count; i++) {
		const struct pool_slot *slot = &pool->slots[i];
		if (!(slot->holders & 1u << encoder)) {
			continue;
		}
		if (oldest == 0 || slot->held_since_ns[encoder] < oldest) {
			oldest = slot->held_since_ns[encoder];
		}
	}
	return oldest;
}

int pool_view_open(int fd, const struct ipc_picture_format *format, uint8_t count, uint32_t epoch,
		struct pool_view *out) {
	struct pool_view view = { .shm = SHM_NONE, .count = count, .epoch = epoch };
	if (count == 0 || count > POOL_SLOTS_MAX || pool_layout(format, &view.layout) < 0) {
		return -EPROTO;
	}
	int rc = shm_adopt(fd, view.layout.slot_size * count, false, &view.shm);
	if (rc < 0) {
		return rc;
	}
	*out = view;
	return 0;
}

void pool_view_finish(struct pool_view *view) {
	shm_finish(&view->shm);
	view->count = 0;
}

const uint8_t *pool_view_plane(const struct pool_view *view, unsigned slot, unsigned plane) {
	if (slot >= view->count || plane >= 3) {
		return NULL;
	}
	return view->shm.map + slot * view->layout.slot_size + view->layout.offset[plane];
}
