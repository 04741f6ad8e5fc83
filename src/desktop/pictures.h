/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PICTURES_H
#define DESKTOP_PICTURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "desktop/desktop.h"
#include "ipc/channel.h"
#include "ipc/pool.h"
#include "ipc/pulse.h"
#include "media/scale.h"

/* The desktop's side of the exchange: converts each changed picture once for every
 * format in use, and hands it to the encoders. An encoder has at most one picture
 * in hand; what comes meanwhile is replaced by what is newer. */
enum {
	PICTURES_FORMATS_MAX = 8,
	PICTURES_ENCODERS_MAX = POOL_HOLDERS_MAX,
};

struct pictures;

/* One format's pool. */
struct picture_pool {
	struct ipc_picture_format format;
	struct pool pool;
	uint32_t epoch;
	bool used;
	struct scale scale;       /* for who sees another size than the desktop's */
	bool scaled;              /* there is one */
	bool drawn;               /* it has all of the picture */
	struct pool_rows changed; /* by the newest picture, in the format's rows */
};

struct picture_encoder {
	struct pictures *pictures;
	struct picture_pool *pool;
	struct channel channel;
	struct sd_event_source *overdue; /* owned: runs while a picture is in its hands */
	uint32_t id;
	bool used;
	bool begun;       /* it has given one back */
	bool outstanding; /* a PICTURE without its DONE */
	uint32_t outstanding_epoch;
	uint8_t outstanding_slot;
	bool waiting;            /* the newest picture goes out with the next DONE */
	bool asked;              /* PICTURE_ASK */
	uint64_t last_number;    /* sent, 0 for none */
	struct pool_rows damage; /* since the last one sent */
};

struct pictures {
	struct desktop *desktop; /* borrowed */
	struct sd_event *event;  /* borrowed */
	struct pulse *pulse;     /* borrowed */
	/* An encoder kept a picture too long or broke the rules (reason); it is
	 * forgotten already. */
	void (*failed)(void *user, uint32_t encoder, uint32_t reason);
	void *user;
	uint32_t width, height;
	uint32_t epoch;
	struct ipc_picture_times times; /* of the newest picture */
	struct picture_pool pools[PICTURES_FORMATS_MAX];
	struct picture_encoder encoders[PICTURES_ENCODERS_MAX];
};

void pictures_init(struct pictures *pictures, struct desktop *desktop, struct sd_event *event,
		struct pulse *pulse, uint32_t width, uint32_t height);
void pictures_finish(struct pictures *pictures);

/* Takes channel_fd. A format of another size gets the picture scaled, with borders.
 * -EINVAL for one that cannot be, -ENOSPC for too many encoders or formats. */
int pictures_add(struct pictures *pictures, uint32_t encoder,
		const struct ipc_picture_format *format, int channel_fd) NODISCARD;
void pictures_remove(struct pictures *pictures, uint32_t encoder);

/* The desktop has another size: every encoder gets a new pool. */
int pictures_resize(struct pictures *pictures, uint32_t width, uint32_t height) NODISCARD;

/* From desktop_events. */
void pictures_take(struct pictures *pictures, const struct desktop_picture *picture);
void pictures_repeat(struct pictures *pictures);

#endif
