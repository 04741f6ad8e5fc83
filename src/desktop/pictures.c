/* SPDX-License-Identifier: MIT */
#include "desktop/pictures.h"

#include <errno.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "ipc/reason.h"
#include "media/convert.h"

_Static_assert((int)MATRIX_BT601 == (int)CONVERT_BT601 && (int)MATRIX_BT709 == (int)CONVERT_BT709 &&
				(int)MATRIX_BT2020 == (int)CONVERT_BT2020,
		"one order of matrices");

static unsigned index_of(const struct picture_encoder *encoder) {
	return (unsigned)(encoder - encoder->pictures->encoders);
}

/* Tells the pacing whether anybody watches, and whether anybody takes a picture. */
static void tell_desktop(struct pictures *pictures) {
	bool watched = false, free = false;
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		struct picture_encoder *encoder = &pictures->encoders[i];
		watched = watched || encoder->used;
		free = free || (encoder->used && !encoder->outstanding);
	}
	desktop_watch(pictures->desktop, watched);
	desktop_free(pictures->desktop, free);
}

static struct pool_rows rows_union(struct pool_rows a, struct pool_rows b) {
	if (a.top >= a.bottom) {
		return b;
	}
	if (b.top >= b.bottom) {
		return a;
	}
	return (struct pool_rows){ .top = a.top < b.top ? a.top : b.top,
		.bottom = a.bottom > b.bottom ? a.bottom : b.bottom };
}

static void drop_pool_if_unused(struct pictures *pictures, struct picture_pool *pool) {
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		if (pictures->encoders[i].used && pictures->encoders[i].pool == pool) {
			return;
		}
	}
	pool_finish(&pool->pool);
	scale_finish(&pool->scale);
	pool->scaled = pool->used = false;
}

static void forget(struct picture_encoder *encoder) {
	struct pictures *pictures = encoder->pictures;
	channel_close(&encoder->channel);
	encoder->overdue = sd_event_source_disable_unref(encoder->overdue);
	pool_release_all(&encoder->pool->pool, index_of(encoder));
	encoder->used = false;
	drop_pool_if_unused(pictures, encoder->pool);
	tell_desktop(pictures);
}

/* Told before the channel closes: else the encoder's own end, whose reason would be that its
 * desktop went, might be known first. */
static void fail(struct picture_encoder *encoder, uint32_t reason) {
	struct pictures *pictures = encoder->pictures;
	if (pictures->failed) {
		pictures->failed(pictures->user, encoder->id, reason);
	}
	forget(encoder);
}

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source, (void)usec;
	fail(user, REASON_SLOTS_HELD);
	return 0;
}

static int arm_overdue(struct picture_encoder *encoder) {
	uint64_t limit_ms = encoder->begun ? POOL_HOLD_MS : POOL_FIRST_MS;
	uint64_t when = clock_now_us() + limit_ms * US_PER_MS;
	if (!encoder->overdue) {
		return sd_event_add_time(encoder->pictures->event, &encoder->overdue,
				CLOCK_MONOTONIC, when, 10 * US_PER_MS, handle_overdue, encoder);
	}
	int r = sd_event_source_set_time(encoder->overdue, when);
	return r < 0 ? r : sd_event_source_set_enabled(encoder->overdue, SD_EVENT_ONESHOT);
}

static void send_newest(struct picture_encoder *encoder) {
	struct pictures *pictures = encoder->pictures;
	struct pool *pool = &encoder->pool->pool;
	if (pool->number == 0) {
		return;
	}
	uint64_t now = clock_now_ns();
	bool again = pool->number == encoder->last_number;
	struct ipc_message message = {
		.kind = IPC_PICTURE,
		.picture = { .epoch = encoder->pool->epoch,
				.slot = pool->newest,
				.again = again,
				.number = pool->number,
				.times.handed_over = now },
	};
	if (!again) {
		message.picture.damage_top = encoder->damage.top;
		message.picture.damage_bottom = encoder->damage.bottom;
		message.picture.times = pictures->times;
		message.picture.times.handed_over = now;
	}
	pool_hold(pool, pool->newest, index_of(encoder), now);
	encoder->outstanding = true;
	encoder->outstanding_epoch = encoder->pool->epoch;
	encoder->outstanding_slot = pool->newest;
	encoder->waiting = encoder->asked = false;
	encoder->last_number = pool->number;
	encoder->damage = (struct pool_rows){ 0 };
	pulse_add(pictures->pulse, again ? PULSE_DESKTOP_AGAIN : PULSE_DESKTOP_PICTURES, 1);
	arm_overdue(encoder);
	channel_post(&encoder->channel, &message, NULL, 0);
}

static void offer(struct picture_encoder *encoder) {
	if (!encoder->outstanding) {
		send_newest(encoder);
		return;
	}
	if (encoder->waiting) {
		pulse_add(encoder->pictures->pulse, PULSE_DESKTOP_REPLACED, 1);
	}
	encoder->waiting = true;
}

static void handle_done(struct picture_encoder *encoder, const struct ipc_message *message) {
	if (!encoder->outstanding || message->picture_done.epoch != encoder->outstanding_epoch ||
			message->picture_done.slot != encoder->outstanding_slot) {
		fail(encoder, REASON_WORKER_LIED);
		return;
	}
	encoder->begun = true;
	encoder->outstanding = false;
	sd_event_source_set_enabled(encoder->overdue, SD_EVENT_OFF);
	/* A slot of a pool that is gone needs no release. */
	if (encoder->outstanding_epoch == encoder->pool->epoch &&
			pool_release(&encoder->pool->pool, encoder->outstanding_slot,
					index_of(encoder)) < 0) {
		fail(encoder, REASON_WORKER_LIED);
		return;
	}
	if (encoder->waiting) {
		send_newest(encoder);
	}
	tell_desktop(encoder->pictures);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct picture_encoder *encoder = channel->user;
	if (message->kind == IPC_PICTURE_DONE) {
		handle_done(encoder, message);
	} else if (message->kind == IPC_PICTURE_ASK && encoder->outstanding) {
		encoder->waiting = true;
	} else if (message->kind == IPC_PICTURE_ASK) {
		encoder->asked = true;
		desktop_ask(encoder->pictures->desktop);
	}
}

/* A mere end of life is the supervisor's to judge; it watches the process. */
static void handle_closed(struct channel *channel, int error) {
	struct picture_encoder *encoder = channel->user;
	if (error == -ETIMEDOUT) {
		fail(encoder, REASON_CHANNEL_STUCK);
	} else if (error < 0) {
		fail(encoder, REASON_WORKER_LIED);
	} else {
		forget(encoder);
	}
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

void pictures_init(struct pictures *pictures, struct desktop *desktop, struct sd_event *event,
		struct pulse *pulse, uint32_t width, uint32_t height) {
	*pictures = (struct pictures){
		.desktop = desktop,
		.event = event,
		.pulse = pulse,
		.width = width,
		.height = height,
	};
}

void pictures_finish(struct pictures *pictures) {
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		if (pictures->encoders[i].used) {
			forget(&pictures->encoders[i]);
		}
	}
}

static bool same_format(const struct ipc_picture_format *a, const struct ipc_picture_format *b) {
	return a->width == b->width && a->height == b->height && a->chroma == b->chroma &&
	       a->matrix == b->matrix && a->full_range == b->full_range;
}

static int make_scale(const struct pictures *pictures, struct picture_pool *pool) {
	scale_finish(&pool->scale);
	pool->drawn = false;
	pool->scaled = pool->format.width != pictures->width ||
		       pool->format.height != pictures->height;
	return pool->scaled ? scale_init(&pool->scale, pictures->width, pictures->height,
					      pool->format.width, pool->format.height)
			    : 0;
}

/* As many slots as there could be encoders: one that is never used costs no memory. */
static int make_pool(struct pictures *pictures, struct picture_pool *pool) {
	int r = pool_create(&pool->format, PICTURES_ENCODERS_MAX, &pool->pool);
	if (r < 0) {
		return r;
	}
	pool->epoch = ++pictures->epoch;
	return 0;
}

static int find_pool(struct pictures *pictures, const struct ipc_picture_format *format,
		struct picture_pool **out) {
	struct picture_pool *unused = NULL;
	for (size_t i = 0; i < PICTURES_FORMATS_MAX; i++) {
		struct picture_pool *pool = &pictures->pools[i];
		if (pool->used && same_format(&pool->format, format)) {
			*out = pool;
			return 0;
		}
		unused = pool->used ? unused : pool;
	}
	if (!unused) {
		return -ENOSPC;
	}
	unused->format = *format;
	int r = make_scale(pictures, unused);
	if (r < 0) {
		return r;
	}
	r = make_pool(pictures, unused);
	if (r < 0) {
		scale_finish(&unused->scale);
		return r;
	}
	unused->used = true;
	desktop_redraw(pictures->desktop);
	*out = unused;
	return 0;
}

static void send_pool(struct picture_encoder *encoder) {
	struct picture_pool *pool = encoder->pool;
	struct ipc_message message = {
		.kind = IPC_POOL,
		.pool = { .format = pool->format, .slots = pool->pool.count, .epoch = pool->epoch },
	};
	encoder->last_number = 0;
	encoder->damage = (struct pool_rows){ 0, pool->format.height };
	channel_post(&encoder->channel, &message, &pool->pool.shm.fd, 1);
}

int pictures_add(struct pictures *pictures, uint32_t id, const struct ipc_picture_format *format,
		int channel_fd) {
	OWN(fd_close) int fd = channel_fd;
	struct picture_encoder *encoder = NULL;
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX && !encoder; i++) {
		encoder = pictures->encoders[i].used ? NULL : &pictures->encoders[i];
	}
	if (!encoder) {
		return -ENOSPC;
	}
	struct pool_layout layout;
	if (pool_layout(format, &layout) < 0 || format->matrix > MATRIX_BT2020 ||
			format->chroma > CHROMA_444) {
		return -EINVAL;
	}
	struct picture_pool *pool;
	int r = find_pool(pictures, format, &pool);
	if (r < 0) {
		return r;
	}
	*encoder = (struct picture_encoder){ .pictures = pictures, .pool = pool, .id = id };
	r = channel_open(&encoder->channel, pictures->event, TAKE(fd, -1), PEER_DESKTOP,
			PEER_ENCODER, &channel_events, encoder);
	if (r < 0) {
		drop_pool_if_unused(pictures, pool);
		return r;
	}
	encoder->used = true;
	send_pool(encoder);
	encoder->asked = true;
	tell_desktop(pictures);
	desktop_ask(pictures->desktop);
	return 0;
}

void pictures_remove(struct pictures *pictures, uint32_t id) {
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		if (pictures->encoders[i].used && pictures->encoders[i].id == id) {
			forget(&pictures->encoders[i]);
		}
	}
}

/* Who sees the desktop's size goes on doing so. */
static int resize_pool(struct pictures *pictures, struct picture_pool *pool) {
	if (pool->scaled) {
		return make_scale(pictures, pool);
	}
	pool_finish(&pool->pool);
	pool->format.width = (uint16_t)pictures->width;
	pool->format.height = (uint16_t)pictures->height;
	return make_pool(pictures, pool);
}

int pictures_resize(struct pictures *pictures, uint32_t width, uint32_t height) {
	pictures->width = width;
	pictures->height = height;
	for (size_t i = 0; i < PICTURES_FORMATS_MAX; i++) {
		struct picture_pool *pool = &pictures->pools[i];
		if (!pool->used) {
			continue;
		}
		int r = resize_pool(pictures, pool);
		if (r < 0) {
			return r;
		}
	}
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		if (pictures->encoders[i].used && !pictures->encoders[i].pool->scaled) {
			send_pool(&pictures->encoders[i]);
		}
	}
	return 0;
}

static void fill(struct picture_pool *pool, const struct desktop_picture *picture, int slot,
		struct pool_rows stale) {
	struct convert_format format = {
		.matrix = (enum convert_matrix)pool->format.matrix,
		.full_range = pool->format.full_range,
		.chroma_444 = pool->format.chroma == CHROMA_444,
	};
	struct convert_planes planes;
	for (unsigned plane = 0; plane < 3; plane++) {
		planes.plane[plane] = pool_plane(&pool->pool, slot, plane);
		planes.stride[plane] = pool->pool.layout.stride[plane];
	}
	const uint8_t *pixels = pool->scaled ? pool->scale.pixels : picture->pixels;
	size_t stride = pool->scaled ? (size_t)pool->format.width * 4 : picture->stride;
	convert_rows(&format, pixels, stride, pool->format.width, stale.top & ~1u,
			(stale.bottom + 1u) & ~1u, &planes);
}

static struct pool_rows draw(struct picture_pool *pool, const struct desktop_picture *picture) {
	uint32_t top = picture->changed_top, bottom = picture->changed_bottom;
	if (pool->scaled) {
		top = pool->drawn ? top : 0;
		bottom = pool->drawn ? bottom : picture->height;
		pool->drawn = true;
		scale_rows(&pool->scale, picture->pixels, picture->stride, &top, &bottom);
	}
	return (struct pool_rows){ (uint16_t)top, (uint16_t)bottom };
}

void pictures_take(struct pictures *pictures, const struct desktop_picture *picture) {
	if (picture->width != pictures->width || picture->height != pictures->height) {
		return; /* between two sizes */
	}
	pictures->times = picture->times;
	pictures->times.convert_begin = clock_now_ns();
	for (size_t i = 0; i < PICTURES_FORMATS_MAX; i++) {
		struct picture_pool *pool = &pictures->pools[i];
		if (!pool->used) {
			continue;
		}
		pool->changed = draw(pool, picture);
		pool_damage(&pool->pool, pool->changed);
		struct pool_rows stale;
		int slot = pool_begin(&pool->pool, &stale);
		if (slot >= 0) {
			fill(pool, picture, slot, stale);
			pool_commit(&pool->pool, slot);
		}
	}
	pulse_add(pictures->pulse, PULSE_DESKTOP_CONVERT_NS,
			clock_now_ns() - pictures->times.convert_begin);
	pulse_add(pictures->pulse, PULSE_DESKTOP_RENDER_NS,
			picture->times.rendered - picture->times.render_begin);
	pulse_set(pictures->pulse, PULSE_DESKTOP_SKIPPED, desktop_skipped(pictures->desktop));
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		struct picture_encoder *encoder = &pictures->encoders[i];
		if (encoder->used) {
			encoder->damage = rows_union(encoder->damage, encoder->pool->changed);
			offer(encoder);
		}
	}
	tell_desktop(pictures);
}

void pictures_repeat(struct pictures *pictures) {
	bool asked = false;
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		asked = asked || (pictures->encoders[i].used && pictures->encoders[i].asked);
	}
	for (size_t i = 0; i < PICTURES_ENCODERS_MAX; i++) {
		struct picture_encoder *encoder = &pictures->encoders[i];
		/* A request concerns who asked; a refinement is for everybody. */
		if (encoder->used && !encoder->outstanding && (encoder->asked || !asked)) {
			send_newest(encoder);
		}
	}
	tell_desktop(pictures);
}
