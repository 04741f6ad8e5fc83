/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_ENCODER_H
#define MEDIA_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

/* Picture encoders behind one interface. One picture in, one packet out, at
 * once: no B-pictures, no look-ahead, an endless group of pictures, key frames
 * only when asked for. Annex B, parameter sets in front of every key frame and
 * nothing else before it: a Moonlight client wants them and the beginning of
 * the IDR slice in its first packet (CC VideoDepacketizer.c:654-713). An encoder
 * belongs to one thread and may take long: announce it in the pulse. */

enum {
	ENCODER_DETAIL_MAX = 160,
	ENCODER_SLICES_MAX = 32,
	ENCODER_RATE_X100_MAX = 50000,
};

/* Why something failed, for a person; "" for nothing to say. */
struct encoder_detail {
	char text[ENCODER_DETAIL_MAX];
};

/* One picture of the encoding's size: Y, U, V, 8 bit. Borrowed during the call
 * only, and another process may change it meanwhile. */
struct encoder_picture {
	const uint8_t *plane[3];
	size_t stride[3]; /* bytes */
	uint64_t id;      /* not 0; rises from picture to picture */
};

struct encoder_packet {
	const uint8_t *bytes; /* borrowed from the encoder until its next call */
	size_t size;
	uint32_t flags;      /* RING_KEY, RING_REFRESH, RING_AFTER_INVALIDATION */
	uint64_t references; /* id of the newest earlier picture it refers to, 0 for none */
};

/* How an encoder answers the loss of pictures. */
enum encoder_recovery {
	ENCODER_RECOVERS_BY_P,   /* the next picture refers to older ones, or begins a wave */
	ENCODER_RECOVERS_BY_KEY, /* only a key frame helps: ask for it in encode() */
};

struct encoder;

struct encoder_kind {
	const char *name;
	uint32_t codecs; /* CODEC_BIT_ that it may offer; what works is known by trying */
	bool reference_invalidation;
	bool device; /* works on a device, which may carry only so many at once */
	/* -ENOTSUP for an encoding that it does not do, -ENOENT when its device
	 * or library is missing; detail says why. */
	int (*open)(const struct ipc_encoding *encoding, struct encoder_detail *detail,
			struct encoder **out);
	int (*encode)(struct encoder *encoder, const struct encoder_picture *picture, bool key,
			struct encoder_packet *out);
	enum encoder_recovery (*invalidate)(struct encoder *encoder, uint64_t first);
	int (*set_rate)(struct encoder *encoder, uint32_t bitrate_kbps);
	void (*close)(struct encoder *encoder);
};

/* What every encoder begins with. */
struct encoder {
	const struct encoder_kind *kind;
};

/* NULL when this build has no encoder of that name. */
const struct encoder_kind *encoder_kind(const char *name, size_t len);

/* Splits a list as in ipc_encoding.order: the next name at *at, which moves on.
 * False at the end. */
bool encoder_order_next(const char **at, const char **out_name, size_t *out_len);

/* The CODEC_BIT_ of an encoding, 0 for one that has none. */
uint32_t encoder_codec_bit(const struct ipc_encoding *encoding);

/* Opens the first encoder of encoding->order that opens. -EINVAL for an
 * encoding that makes no sense, -ENOENT when none opens; detail says what the
 * last one said. */
int encoder_open(const struct ipc_encoding *encoding, struct encoder_detail *detail,
		struct encoder **out) NODISCARD;

/* key: the packet must be a key frame. An error leaves the encoder unusable. */
int encoder_encode(struct encoder *encoder, const struct encoder_picture *picture, bool key,
		struct encoder_packet *out) NODISCARD;

/* Pictures from `first` on, and all that depends on them, are lost to somebody:
 * no later picture may refer to them. */
enum encoder_recovery encoder_invalidate(struct encoder *encoder, uint64_t first);

/* A new ceiling of the bit stream, from the next picture on. It never goes
 * beyond what the level in the parameter sets allows: what is more is -ENOTSUP. */
int encoder_set_rate(struct encoder *encoder, uint32_t bitrate_kbps) NODISCARD;

/* Accepts NULL. */
void encoder_close(struct encoder *encoder);

#endif
