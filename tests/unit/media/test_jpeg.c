/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "media/jpeg.h"

enum {
	WIDTH = 64,
	HEIGHT = 48,
};

/* Left red, right blue, and a white line on top. */
static uint8_t *picture(void) {
	uint8_t *rgb = calloc(WIDTH * HEIGHT, 3);
	assert_non_null(rgb);
	for (size_t y = 0; y < HEIGHT; y++) {
		for (size_t x = 0; x < WIDTH; x++) {
			uint8_t *at = rgb + 3 * (y * WIDTH + x);
			at[x < WIDTH / 2 ? 0 : 2] = 200;
			if (y < 16) {
				memset(at, 255, 3);
			}
		}
	}
	return rgb;
}

static AVFrame *decode(const uint8_t *data, size_t size) {
	AVCodecContext *context = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MJPEG));
	AVPacket *packet = av_packet_alloc();
	AVFrame *frame = av_frame_alloc();
	assert_int_equal(avcodec_open2(context, NULL, NULL), 0);
	assert_int_equal(av_new_packet(packet, (int)size), 0);
	memcpy(packet->data, data, size);
	assert_int_equal(avcodec_send_packet(context, packet), 0);
	assert_int_equal(avcodec_receive_frame(context, frame), 0);
	av_packet_free(&packet);
	avcodec_free_context(&context);
	return frame;
}

static void check(const AVFrame *frame, int x, int y, int luma, int blue, int red) {
	static const int reach = 4;
	const int wanted[] = { luma, blue, red };
	for (int p = 0; p < 3; p++) {
		int seen = frame->data[p][y * frame->linesize[p] + x];
		assert_in_range(seen, wanted[p] - reach, wanted[p] + reach);
	}
}

static void a_picture_comes_back_in_its_colours(void **state) {
	(void)state;
	uint8_t *rgb = picture(), *file = NULL;
	size_t size = 0;
	assert_int_equal(jpeg_encode(rgb, WIDTH, HEIGHT, &file, &size), 0);
	assert_true(size > 100 && size < WIDTH * HEIGHT * 3);
	assert_memory_equal(file, "\xff\xd8\xff", 3);
	assert_memory_equal(file + size - 2, "\xff\xd9", 2);
	AVFrame *frame = decode(file, size);
	assert_int_equal(frame->width, WIDTH);
	assert_int_equal(frame->height, HEIGHT);
	check(frame, 16, 32, 60, 94, 228);  /* red: BT.601, full range */
	check(frame, 48, 32, 23, 228, 112); /* blue */
	check(frame, 16, 4, 255, 128, 128); /* white */
	av_frame_free(&frame);
	free(file);
	free(rgb);
}

static void what_is_no_picture_is_refused(void **state) {
	(void)state;
	uint8_t rgb[12] = { 0 }, *file = NULL;
	size_t size = 0;
	assert_int_equal(jpeg_encode(rgb, 0, 2, &file, &size), -EINVAL);
	assert_int_equal(jpeg_encode(rgb, 3, 2, &file, &size), -EINVAL);
	assert_int_equal(jpeg_encode(rgb, 2, JPEG_SIDE_MAX + 2, &file, &size), -EINVAL);
	assert_null(file);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_picture_comes_back_in_its_colours),
		UNIT(what_is_no_picture_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
