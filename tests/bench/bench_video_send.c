/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proto/video.h"

enum {
	ROOM = 2 << 20,
	SECONDS_PER_ROW = 1,
};

static int run(const struct video_format *format, size_t size, uint8_t *picture, uint8_t *out) {
	struct secret key = { { 1 } };
	struct video_position position = { 0 };
	struct video_sender sender;
	if (video_sender_init(&sender, format, &key, &position) < 0) {
		return -1;
	}
	uint64_t start = clock_now_ns(), now = start, frames = 0;
	while (now - start < SECONDS_PER_ROW * NS_PER_S) {
		struct video_frame frame = { .data = picture, .size = size, .type = VIDEO_FRAME_P };
		struct video_batch batch;
		if (video_begin(&sender, &frame, &batch) < 0) {
			return -1;
		}
		for (unsigned i = 0; i < batch.plan.block_count; i++) {
			if (video_write_block(&sender, &frame, &batch, i, out) < 0) {
				return -1;
			}
		}
		frames++;
		now = clock_now_ns();
	}
	double ns = (double)(now - start);
	double packets = (double)sender.position.next_packet;
	double share = ns / (double)frames / ((double)size * 8 / 100e6 * 1e9) * 100;
	printf("%7zu bytes, %2u %% parity, %-9s %8.0f ns/packet %8.1f us/frame %6.2f %% of a core "
	       "at "
	       "100 Mbit/s\n",
			size, format->fec_percent, format->encrypted ? "encrypted" : "clear",
			ns / packets, ns / 1000 / (double)frames, share);
	video_sender_finish(&sender);
	return 0;
}

/* What cutting, protecting and encrypting a frame costs, without sending it. */
int main(void) {
	static const size_t sizes[] = { 1000, 20000, 208000, 700000 };
	uint8_t *picture = calloc(1, ROOM);
	uint8_t *out = calloc(1, ROOM);
	if (!picture || !out) {
		return EXIT_FAILURE;
	}
	int rc = 0;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (unsigned encrypted = 0; encrypted < 2; encrypted++) {
			struct video_format format = { .packet_size = encrypted ? 1360 : 1392,
				.fec_percent = 20,
				.min_parity = 2,
				.encrypted = encrypted };
			rc |= run(&format, sizes[i], picture, out);
		}
	}
	free(picture);
	free(out);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
