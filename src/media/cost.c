/* SPDX-License-Identifier: MIT */
#include "media/cost.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/message.h"
#include "media/convert.h"
#include "media/encoder.h"

enum {
	PIXELS = COST_WIDTH * COST_HEIGHT,
	KPX = PIXELS / 1000,
	SESSION_WIDTH = 640,
	SESSION_HEIGHT = 360,
};

/* Everything that a run needs, in one piece. */
struct bench {
	uint8_t bgrx[4 * PIXELS];
	uint8_t planes[3 * PIXELS / 2];
	uint64_t encode_ns[COST_PICTURES], convert_ns[COST_PICTURES], device_ns[COST_PICTURES];
};

static uint64_t processor_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* A scene that scrolls under a lamp that moves, with some grain: every block changes,
 * most can be predicted, none for free. That is what a game's camera does. */
static void draw(uint8_t *bgrx, unsigned number) {
	uint32_t grain = number * 2654435761u + 1;
	for (unsigned y = 0; y < COST_HEIGHT; y++) {
		for (unsigned x = 0; x < COST_WIDTH; x++) {
			unsigned u = x + 3 * number, v = y + number;
			grain = grain * 1664525u + 1013904223u;
			unsigned texture = ((u >> 3) ^ (v >> 3)) & 31;
			unsigned lamp = (x + 2 * y + 5 * number) >> 4 & 63;
			uint8_t *at = bgrx + 4 * ((size_t)y * COST_WIDTH + x);
			at[0] = (uint8_t)(40 + 4 * texture + (grain >> 30));
			at[1] = (uint8_t)(30 + 2 * lamp + texture);
			at[2] = (uint8_t)(60 + 2 * lamp + (grain >> 29 & 3));
			at[3] = 255;
		}
	}
}

static struct ipc_encoding encoding_of(uint16_t width, uint16_t height) {
	return (struct ipc_encoding){
		.codec = CODEC_H264,
		.width = width,
		.height = height,
		.rate_x100 = 6000,
		.bitrate_kbps = 10000,
		.chroma = CHROMA_420,
		.matrix = MATRIX_BT709,
		.depth = 8,
		.slices = 1,
	};
}

static int measure_picture(struct encoder *encoder, struct bench *bench, unsigned number) {
	const struct convert_format format = { .matrix = CONVERT_BT709 };
	const struct convert_planes planes = {
		.plane = { bench->planes, bench->planes + PIXELS, bench->planes + PIXELS * 5 / 4 },
		.stride = { COST_WIDTH, COST_WIDTH / 2, COST_WIDTH / 2 },
	};
	struct encoder_picture picture = { .id = number + 1 };
	for (unsigned i = 0; i < 3; i++) {
		picture.plane[i] = planes.plane[i];
		picture.stride[i] = planes.stride[i];
	}
	draw(bench->bgrx, number);
	uint64_t begun = processor_ns();
	convert_rows(&format, bench->bgrx, (size_t)4 * COST_WIDTH, COST_WIDTH, 0, COST_HEIGHT,
			&planes);
	uint64_t converted = processor_ns(), wall = clock_now_ns();
	struct encoder_packet packet;
	int rc = encoder_encode(encoder, &picture, number == 0, &packet);
	bench->encode_ns[number] = processor_ns() - converted;
	bench->convert_ns[number] = converted - begun;
	bench->device_ns[number] = clock_now_ns() - wall;
	return rc;
}

static int compare(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static uint32_t median_per_kpx(uint64_t *samples, unsigned count) {
	qsort(samples, count, sizeof(*samples), compare);
	return (uint32_t)(samples[count / 2] / KPX);
}

static void run(const struct encoder_kind *kind, struct bench *bench, struct cost *cost) {
	const struct ipc_encoding encoding = encoding_of(COST_WIDTH, COST_HEIGHT);
	struct encoder_detail detail = { 0 };
	struct encoder *encoder;
	if (kind->open(&encoding, &detail, &encoder) < 0) {
		return;
	}
	uint64_t until = clock_now_ns() + COST_LIMIT_MS * NS_PER_MS;
	unsigned count = 0;
	while (count < COST_PICTURES && (count < COST_PICTURES_MIN || clock_now_ns() < until) &&
			measure_picture(encoder, bench, count) == 0) {
		count++;
	}
	encoder_close(encoder);
	if (count < COST_PICTURES_MIN) {
		return;
	}
	cost->pictures = count;
	cost->encode_ns_per_kpx = median_per_kpx(bench->encode_ns, count);
	cost->convert_ns_per_kpx = median_per_kpx(bench->convert_ns, count);
	cost->device_ns_per_kpx = kind->device ? median_per_kpx(bench->device_ns, count) : 0;
}

/* A device's driver tells how many it carries by refusing one more. */
static uint32_t count_sessions(const struct encoder_kind *kind) {
	const struct ipc_encoding encoding = encoding_of(SESSION_WIDTH, SESSION_HEIGHT);
	struct encoder *open[COST_SESSIONS_MAX];
	uint32_t count = 0;
	while (count < COST_SESSIONS_MAX) {
		struct encoder_detail detail = { 0 };
		if (kind->open(&encoding, &detail, &open[count]) < 0) {
			break;
		}
		count++;
	}
	for (uint32_t i = 0; i < count; i++) {
		encoder_close(open[i]);
	}
	return count < COST_SESSIONS_MAX ? count : 0;
}

void cost_measure(const struct encoder_kind *kind, struct cost *out) {
	*out = (struct cost){ 0 };
	OWN(free) void *bench = malloc(sizeof(struct bench));
	if (!bench) {
		return;
	}
	run(kind, (struct bench *)bench, out);
	if (kind->device && out->pictures) {
		out->sessions = count_sessions(kind);
	}
}
