/* SPDX-License-Identifier: MIT */
#ifndef ENCODER_PICTURE_H
#define ENCODER_PICTURE_H

#include "base/own.h"
#include "encoder/readers.h"
#include "encoder/requests.h"
#include "ipc/pool.h"
#include "ipc/ring.h"
#include "ipc/worker.h"
#include "media/encoder.h"

/* One picture encoding: takes the newest picture of a desktop's pool, encodes
 * it and puts the packet into the ring. The desktop paces: a picture is encoded
 * when it comes, and one that a newer replaces first goes back at once. It lives
 * as long as its process, whose end releases everything. */

/* A picture that waits to be encoded. */
struct picture_offer {
	uint32_t epoch;
	uint8_t slot;
	uint64_t number;
	struct ipc_picture_times times;
};

struct picture_work {
	struct worker *worker;    /* borrowed */
	struct readers *readers;  /* borrowed */
	struct ring_writer *ring; /* borrowed */
	struct channel desktop;
	struct ipc_encoding encoding;
	struct encoder *encoder; /* owned */
	struct pool_view pool;
	bool pool_fits; /* its pictures are of the encoding's format */
	bool offered;
	struct picture_offer offer; /* the mailbox, valid when offered */
	struct requests requests;
	struct sd_event_source *encode, *due; /* owned */
	uint64_t arrived_ns, asked_ns;
	uint64_t replaced, lost;
#ifdef PERIGEE_OBEY
	bool keeps_slots; /* an injected fault: nothing is given back any more */
#endif
};

/* Opens encoder and ring and tells the supervisor; takes fd, the picture
 * channel. On failure the worker ends with a reason. */
void picture_start(struct picture_work *work, struct worker *worker, struct readers *readers,
		struct ring_writer *ring, const struct ipc_message *message, int fd);

void picture_reader_joined(struct picture_work *work);
void picture_reader_left(struct picture_work *work);
void picture_request(struct picture_work *work, const struct ipc_message *message);
/* The supervisor is told what the rate is then. */
void picture_set_rate(struct picture_work *work, uint32_t bitrate_kbps);

#endif
