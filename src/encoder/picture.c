/* SPDX-License-Identifier: MIT */
#include "encoder/picture.h"

#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum {
	OPEN_LIMIT_MS = 5000, /* a driver may have to be loaded */
	ENCODE_LIMIT_MS = 1000,
	ASK_AGAIN_MS = 500, /* a desktop that said nothing to PICTURE_ASK */
	DUE_ACCURACY_US = 1000,
	RING_MIN = 4 << 20, /* bytes */
	RING_MAX = 16 << 20,
};

static void give_back(struct picture_work *work, const struct picture_offer *offer) {
#ifdef PERIGEE_OBEY
	if (work->keeps_slots) {
		return;
	}
#endif
	struct ipc_message done = {
		.kind = IPC_PICTURE_DONE,
		.picture_done = {
			.epoch = offer->epoch,
			.slot = offer->slot,
			.number = offer->number,
		},
	};
	channel_post(&work->desktop, &done, NULL, 0);
}

static uint64_t picture_time_ns(const struct picture_work *work) {
	return NS_PER_S * 100 / work->encoding.rate_x100;
}

static void wake_at(struct picture_work *work, uint64_t at_ns) {
	sd_event_source_set_time(work->due, at_ns / NS_PER_US + 1);
	sd_event_source_set_enabled(work->due, SD_EVENT_ONESHOT);
}

/* A request needs a picture. While pictures flow the next one will do; when
 * none has come for a while the desktop is asked for one. */
static void see_to_requests(struct picture_work *work) {
	uint64_t now = clock_now_ns();
	uint64_t due = requests_deadline_ns(&work->requests);
	if (due == REQUESTS_NEVER || work->offered) {
		sd_event_source_set_enabled(work->due, SD_EVENT_OFF);
		return;
	}
	uint64_t flows_until = work->arrived_ns + picture_time_ns(work) * 3 / 2;
	if (due < flows_until) {
		due = flows_until;
	}
	if (work->asked_ns > work->arrived_ns && due < work->asked_ns + ASK_AGAIN_MS * NS_PER_MS) {
		due = work->asked_ns + ASK_AGAIN_MS * NS_PER_MS;
	}
	if (now < due) {
		wake_at(work, due);
		return;
	}
	work->asked_ns = now;
	struct ipc_message ask = { .kind = IPC_PICTURE_ASK };
	channel_post(&work->desktop, &ask, NULL, 0);
	wake_at(work, now + ASK_AGAIN_MS * NS_PER_MS);
}

static int handle_due(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	see_to_requests((struct picture_work *)user);
	return 0;
}

static void publish(struct picture_work *work, const struct picture_offer *offer,
		const struct encoder_packet *made, uint64_t begun_ns) {
	struct ring_packet packet = {
		.flags = made->flags,
		.references = made->references,
		.picture = offer->number,
		.commit_ns = offer->times.commit,
		.rendered_ns = offer->times.rendered,
		.convert_ns = offer->times.convert_begin,
		.handed_ns = offer->times.handed_over,
		.encode_begin_ns = begun_ns,
		.encode_end_ns = clock_now_ns(),
	};
	if (ring_write(work->ring, &packet, made->bytes, made->size) < 0) {
		/* Nobody gets this picture, so nothing may refer to it. */
		work->lost++;
		log_error("packet-too-large", "bytes=%zu", made->size);
		requests_key(&work->requests, packet.encode_end_ns);
		return;
	}
	readers_wake(work->readers);
	requests_encoded(&work->requests, packet.sequence, packet.flags, packet.references,
			packet.encode_end_ns);
	struct pulse *pulse = work->worker->pulse;
	pulse_add(pulse, PULSE_ENCODER_PICTURES, 1);
	pulse_add(pulse, PULSE_ENCODER_KEYS, (packet.flags & RING_KEY) != 0);
	pulse_add(pulse, PULSE_ENCODER_BYTES, made->size);
	pulse_add(pulse, PULSE_ENCODER_NS, packet.encode_end_ns - begun_ns);
	pulse_add(pulse, PULSE_ENCODER_INVALIDATED,
			(packet.flags & (RING_AFTER_INVALIDATION | RING_REFRESH)) != 0);
}

static int encode_offer(struct picture_work *work, const struct picture_offer *offer) {
	uint64_t now = clock_now_ns();
	enum requests_answer answer = requests_next(&work->requests, now);
	bool key = answer == REQUESTS_KEY;
	if (answer == REQUESTS_INVALIDATE) {
		key = encoder_invalidate(work->encoder, work->requests.first) ==
		      ENCODER_RECOVERS_BY_KEY;
	}
	struct encoder_picture picture = { .id = work->ring->sequence + 1 };
	for (unsigned plane = 0; plane < 3; plane++) {
		picture.plane[plane] = pool_view_plane(&work->pool, offer->slot, plane);
		picture.stride[plane] = work->pool.layout.stride[plane];
	}
	struct encoder_packet made;
	pulse_begin(work->worker->pulse, PULSE_ENCODE, ENCODE_LIMIT_MS);
	int rc = encoder_encode(work->encoder, &picture, key, &made);
	pulse_end(work->worker->pulse);
	if (rc == 0) {
		publish(work, offer, &made, now);
	}
	return rc;
}

static int handle_encode(sd_event_source *source, void *user) {
	(void)source;
	struct picture_work *work = (struct picture_work *)user;
	if (!work->offered) {
		return 0;
	}
	work->offered = false;
	int rc = 0;
	if (work->readers->count > 0 && work->pool_fits) {
		rc = encode_offer(work, &work->offer);
	}
	give_back(work, &work->offer);
	if (rc < 0) {
		worker_end(work->worker, REASON_ENCODER_DIED, "%s does not encode any more",
				work->encoder->kind->name);
		return 0;
	}
	see_to_requests(work);
	return 0;
}

static bool format_fits(
		const struct ipc_picture_format *format, const struct ipc_encoding *encoding) {
	return format->width == encoding->width && format->height == encoding->height &&
	       format->chroma == encoding->chroma && format->matrix == encoding->matrix &&
	       format->full_range == encoding->full_range;
}

static void handle_pool(
		struct picture_work *work, const struct ipc_message *message, struct ipc_fds *fds) {
	struct pool_view pool;
	if (work->pool.count > 0 && message->pool.epoch <= work->pool.epoch) {
		worker_end(work->worker, REASON_WORKER_LIED, "desktop: a pool from the past");
		return;
	}
	int fd = fds_take(fds, 0);
	int rc = pool_view_open(
			fd, &message->pool.format, message->pool.slots, message->pool.epoch, &pool);
	if (rc < 0) {
		fd_close(fd);
		worker_end(work->worker, REASON_WORKER_LIED, "desktop: a pool that is none: %s",
				strerror(-rc));
		return;
	}
	if (work->offered) {
		work->offered = false;
		give_back(work, &work->offer);
	}
	pool_view_finish(&work->pool);
	work->pool = pool;
	work->pool_fits = format_fits(&message->pool.format, &work->encoding);
	log_info("pool", "epoch=%u slots=%u width=%u height=%u", pool.epoch, pool.count,
			message->pool.format.width, message->pool.format.height);
	if (!work->pool_fits) {
		worker_fail(work->worker, REASON_UNSUPPORTED,
				"the desktop's pictures are %ux%u, the encoding is %ux%u or of "
				"other colours",
				message->pool.format.width, message->pool.format.height,
				work->encoding.width, work->encoding.height);
	}
}

static void handle_picture(struct picture_work *work, const struct ipc_message *message) {
	struct picture_offer offer = {
		.epoch = message->picture.epoch,
		.slot = message->picture.slot,
		.number = message->picture.number,
		.times = message->picture.times,
	};
	if (offer.epoch < work->pool.epoch) {
		give_back(work, &offer); /* crossed with the new pool */
		return;
	}
	if (offer.epoch != work->pool.epoch || offer.slot >= work->pool.count) {
		worker_end(work->worker, REASON_WORKER_LIED, "desktop: no such picture slot");
		return;
	}
	work->arrived_ns = clock_now_ns();
	if (work->offered) {
		work->replaced++;
		give_back(work, &work->offer);
	}
	work->offered = true;
	work->offer = offer;
	/* From the loop, so that a newer picture that is already there wins. */
	sd_event_source_set_enabled(work->encode, SD_EVENT_ONESHOT);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	struct picture_work *work = (struct picture_work *)channel->user;
	if (work->worker->ending) {
		return;
	}
	if (message->kind == IPC_POOL) {
		handle_pool(work, message, fds);
	} else if (message->kind == IPC_PICTURE) {
		handle_picture(work, message);
	}
}

static void handle_closed(struct channel *channel, int error) {
	struct picture_work *work = (struct picture_work *)channel->user;
	if (error == -EPROTO || error == -EBADMSG) {
		worker_end(work->worker, REASON_WORKER_LIED, "desktop: %s", strerror(-error));
	} else {
		worker_end(work->worker, REASON_DESKTOP_DIED, "the picture channel closed");
	}
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

static int open_loop(struct picture_work *work, int fd) {
	struct sd_event *event = work->worker->event;
	int rc = sd_event_add_defer(event, &work->encode, handle_encode, work);
	if (rc >= 0) {
		rc = sd_event_source_set_enabled(work->encode, SD_EVENT_OFF);
	}
	if (rc >= 0) {
		rc = sd_event_add_time(event, &work->due, CLOCK_MONOTONIC, UINT64_MAX,
				DUE_ACCURACY_US, handle_due, work);
	}
	if (rc >= 0) {
		rc = sd_event_source_set_enabled(work->due, SD_EVENT_OFF);
	}
	if (rc < 0) {
		fd_close(fd);
		return rc;
	}
	return channel_open(&work->desktop, event, fd, PEER_ENCODER, PEER_DESKTOP, &channel_events,
			work);
}

/* Bytes for about a second, so that a reader that was not scheduled finds its place. */
static size_t ring_capacity(const struct ipc_encoding *encoding) {
	size_t second = (size_t)encoding->bitrate_kbps * 1000 / 8;
	return second < RING_MIN ? RING_MIN : second > RING_MAX ? RING_MAX : second;
}

static void tell_ready(struct picture_work *work, uint32_t encoder) {
	struct ipc_message ready = {
		.kind = IPC_ENCODER_READY,
		.encoder_ready = {
			.encoder = encoder,
			.reference_invalidation = work->encoder->kind->reference_invalidation &&
					work->encoding.references != 1,
			.codec_mask = encoder_codec_bit(&work->encoding),
		},
	};
	text_copy(ready.encoder_ready.name, sizeof(ready.encoder_ready.name),
			work->encoder->kind->name);
	worker_post(work->worker, &ready, &work->ring->shm.fd, 1);
}

void picture_start(struct picture_work *work, struct worker *worker, struct readers *readers,
		struct ring_writer *ring, const struct ipc_message *message, int fd) {
	*work = (struct picture_work){
		.worker = worker,
		.readers = readers,
		.ring = ring,
		.encoding = message->picture_encoder.encoding,
		.pool.shm = SHM_NONE,
		.desktop.fd = -1,
	};
	struct encoder_detail detail;
	pulse_begin(worker->pulse, PULSE_OPEN_ENCODER, OPEN_LIMIT_MS);
	int rc = encoder_open(&work->encoding, &detail, &work->encoder);
	pulse_end(worker->pulse);
	if (rc < 0) {
		fd_close(fd);
		worker_end(worker, REASON_NO_ENCODER, "%s", detail.text);
		return;
	}
	rc = open_loop(work, fd);
	if (rc >= 0) {
		rc = ring_create(ring_capacity(&work->encoding), ring);
	}
	if (rc < 0) {
		worker_end(worker, REASON_RESOURCES, "picture encoder: %s", strerror(-rc));
		return;
	}
	log_info("encoder-open", "encoder=%s width=%u height=%u rate_x100=%u kbps=%u",
			work->encoder->kind->name, work->encoding.width, work->encoding.height,
			work->encoding.rate_x100, work->encoding.bitrate_kbps);
	tell_ready(work, message->picture_encoder.encoder);
}

void picture_reader_joined(struct picture_work *work) {
	requests_joined(&work->requests, clock_now_ns());
	see_to_requests(work);
}

void picture_reader_left(struct picture_work *work) {
	requests_left(&work->requests);
	see_to_requests(work);
}

void picture_request(struct picture_work *work, const struct ipc_message *message) {
	uint64_t now = clock_now_ns();
	pulse_add(work->worker->pulse, PULSE_ENCODER_ASKED, 1);
	if (message->kind == IPC_INVALIDATE) {
		requests_invalidate(&work->requests, message->invalidate.first,
				message->invalidate.last, now);
	} else {
		requests_key(&work->requests, now);
	}
	see_to_requests(work);
}

void picture_set_rate(struct picture_work *work, uint32_t bitrate_kbps) {
	int rc = encoder_set_rate(work->encoder, bitrate_kbps);
	if (rc < 0) {
		log_info("rate-refused", "kbps=%u error=%d", bitrate_kbps, rc);
	} else {
		work->encoding.bitrate_kbps = bitrate_kbps;
	}
	struct ipc_message rated = { .kind = IPC_ENCODER_RATED,
		.encoder_rate.bitrate_kbps = work->encoding.bitrate_kbps };
	worker_post(work->worker, &rated, NULL, 0);
}
