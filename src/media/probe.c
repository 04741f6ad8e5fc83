/* SPDX-License-Identifier: MIT */
#include "media/probe.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ipc/ring.h"

enum {
	PIXELS = PROBE_WIDTH * PROBE_HEIGHT,
	PICTURES = 2,
};

static const struct {
	uint8_t codec, chroma, depth;
} tries[] = {
	{ CODEC_H264, CHROMA_420, 8 },
	{ CODEC_H264, CHROMA_444, 8 },
	{ CODEC_HEVC, CHROMA_420, 8 },
	{ CODEC_AV1, CHROMA_420, 8 },
};

/* A slope that moves: neither empty nor hard. */
static void draw(uint8_t *planes, unsigned number) {
	for (size_t y = 0; y < PROBE_HEIGHT; y++) {
		for (size_t x = 0; x < PROBE_WIDTH; x++) {
			planes[y * PROBE_WIDTH + x] = (uint8_t)(16 + (x + 2 * y + number) % 220);
		}
	}
	memset(planes + PIXELS, 100 + (int)number, PIXELS);
	memset(planes + 2 * PIXELS, 150, PIXELS);
}

static int encode_some(struct encoder *encoder, uint8_t *planes, uint8_t chroma) {
	size_t chroma_stride = chroma == CHROMA_444 ? PROBE_WIDTH : PROBE_WIDTH / 2;
	struct encoder_picture picture = {
		.plane = { planes, planes + PIXELS, planes + 2 * PIXELS },
		.stride = { PROBE_WIDTH, chroma_stride, chroma_stride },
	};
	for (unsigned i = 0; i < PICTURES; i++) {
		struct encoder_packet packet;
		draw(planes, i);
		picture.id = i + 1;
		int rc = encoder_encode(encoder, &picture, i == 0, &packet);
		if (rc < 0) {
			return rc;
		}
		if (packet.size == 0 || (i == 0) != ((packet.flags & RING_KEY) != 0)) {
			return -EPROTO;
		}
	}
	return 0;
}

static int try_encoding(const struct encoder_kind *kind, const struct ipc_encoding *encoding,
		uint8_t *planes, struct encoder_detail *detail) {
	struct encoder *encoder;
	int rc = kind->open(encoding, detail, &encoder);
	if (rc < 0) {
		return rc;
	}
	rc = encode_some(encoder, planes, encoding->chroma);
	if (rc < 0 && detail->text[0] == '\0') {
		text_format(detail->text, sizeof(detail->text), "%s: opens but does not encode",
				kind->name);
	}
	encoder_close(encoder);
	return rc;
}

void probe_encoder(const char *name, size_t len, struct probe *out) {
	const struct encoder_kind *kind = encoder_kind(name, len);
	struct probe probe = { 0 };
	text_format(probe.name, sizeof(probe.name), "%.*s", (int)len, name);
	OWN(free) void *planes = malloc(3 * (size_t)PIXELS);
	if (!kind || !planes) {
		text_copy(probe.detail.text, sizeof(probe.detail.text), "not in this build");
		*out = probe;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct ipc_encoding encoding = {
			.codec = tries[i].codec,
			.width = PROBE_WIDTH,
			.height = PROBE_HEIGHT,
			.rate_x100 = 6000,
			.bitrate_kbps = 4000,
			.chroma = tries[i].chroma,
			.matrix = MATRIX_BT709,
			.depth = tries[i].depth,
			.slices = 1,
		};
		uint32_t bit = encoder_codec_bit(&encoding);
		struct encoder_detail detail = { 0 };
		uint64_t begun_ns = clock_now_ns();
		if (!(kind->codecs & bit)) {
			continue;
		}
		if (try_encoding(kind, &encoding, planes, &detail) == 0) {
			if (probe.mask == 0) {
				probe.first_us =
						(uint32_t)((clock_now_ns() - begun_ns) / NS_PER_US);
			}
			probe.mask |= bit;
		} else if (probe.detail.text[0] == '\0') {
			probe.detail = detail;
		}
	}
	probe.reference_invalidation = probe.mask != 0 && kind->reference_invalidation;
	*out = probe;
}
