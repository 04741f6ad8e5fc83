/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/bytes.h"
#include "proto/gcm.h"
#include "proto/video.h"
#include "vector.h"

static const struct video_format lan = { .packet_size = 1392, .fec_percent = 20, .min_parity = 2 };

static struct video_plan plan_of(struct video_format format, size_t size) {
	struct video_plan plan;
	assert_int_equal(video_plan_frame(&format, size, &plan), 0);
	return plan;
}

static void one_data_shard_gets_two_parity_shards_at_200_percent(void **state) {
	(void)state;
	struct video_plan plan = plan_of(lan, 100);
	assert_int_equal(plan.block_count, 1);
	assert_int_equal(plan.blocks[0].data, 1);
	assert_int_equal(plan.blocks[0].parity, 2);
	assert_int_equal(plan.blocks[0].fec_percent, 200);
	assert_int_equal(plan.last_payload, 108);
	assert_int_equal(plan.datagram_size, 1408);
	assert_int_equal(video_plan_size(&plan, 0), 3 * 1408);
}

static void the_client_computes_the_same_parity_for_every_shape(void **state) {
	(void)state;
	struct video_format format = { .packet_size = 80 };
	for (unsigned percent = 0; percent <= 255; percent += 5) {
		for (unsigned least = 0; least <= 3; least++) {
			format.fec_percent = (uint8_t)percent;
			format.min_parity = (uint8_t)least;
			for (size_t shards = 1; shards < 900; shards += 7) {
				struct video_plan plan = plan_of(format, shards * 64 - 8);
				size_t sum = 0;
				for (unsigned i = 0; i < plan.block_count; i++) {
					unsigned data = plan.blocks[i].data,
						 parity = plan.blocks[i].parity;
					sum += data;
					assert_int_equal(parity,
							(data * plan.blocks[i].fec_percent + 99) /
									100);
					assert_true(parity == 0 || data + parity <= FEC_SHARDS_MAX);
					assert_true(data > 0 && data <= VIDEO_BLOCK_DATA_MAX);
					assert_true(!plan.blocks[i].fec_percent ||
							parity >= (least < 2 ? least : 2));
				}
				assert_int_equal(sum, shards);
			}
		}
	}
}

static void blocks_grow_to_four_and_then_go_without_parity(void **state) {
	(void)state;
	size_t payload = 1376, most = 212; /* 25500 / 120 */
	static const uint8_t blocks[] = { 1, 2, 3, 4 };
	for (size_t i = 0; i < 4; i++) {
		struct video_plan plan = plan_of(lan, (i + 1) * most * payload - 8);
		assert_int_equal(plan.block_count, blocks[i]);
		assert_int_equal(plan.blocks[i].data, 212);
		assert_int_equal(plan.blocks[i].parity, 43);
		plan = plan_of(lan, (i + 1) * most * payload - 7);
		assert_int_equal(plan.block_count, i < 3 ? blocks[i] + 1 : 1);
		assert_int_equal(plan.blocks[0].fec_percent, i < 3 ? 20 : 0);
		assert_true(i < 3 || plan.blocks[0].parity == 0);
	}
	struct video_plan plan = plan_of(lan, 4 * 1023 * payload - 8);
	assert_int_equal(plan.block_count, 4);
	assert_int_equal(plan.blocks[3].data, 1023);
	assert_int_equal(video_plan_frame(&lan, 4 * 1023 * payload - 7, &plan), -EINVAL);
	assert_int_equal(video_plan_frame(&lan, 0, &plan), -EINVAL);
}

static void the_last_payload_length_is_exact(void **state) {
	(void)state;
	for (size_t size = 1; size < 5000; size++) {
		struct video_plan plan = plan_of(lan, size);
		size_t expected = (size + 8) % 1376 ? (size + 8) % 1376 : 1376;
		assert_int_equal(plan.last_payload, expected);
	}
}

static void formats_out_of_range_are_refused(void **state) {
	(void)state;
	struct video_sender sender;
	struct video_position position = { 0 };
	struct video_format format = lan;
	format.packet_size = VIDEO_PACKET_SIZE_MIN - 1;
	assert_int_equal(video_sender_init(&sender, &format, NULL, &position), -EINVAL);
	format.packet_size = VIDEO_PACKET_SIZE_MAX + 1;
	assert_int_equal(video_sender_init(&sender, &format, NULL, &position), -EINVAL);
	position.incarnation = VIDEO_INCARNATION_MAX + 1;
	assert_int_equal(video_sender_init(&sender, &lan, NULL, &position), -EINVAL);
}

static uint8_t picture[40000];

static struct video_frame frame_of(size_t size) {
	for (size_t i = 0; i < sizeof(picture); i++) {
		picture[i] = (uint8_t)(i * 31 + i / 256);
	}
	return (struct video_frame){ .data = picture,
		.size = size,
		.type = VIDEO_FRAME_IDR,
		.timestamp_90k = 0x01020304,
		.latency_100us = 0x0506,
		.ltr = true };
}

static void the_headers_are_laid_out_as_clients_read_them(void **state) {
	(void)state;
	struct video_sender sender;
	struct video_position position = { .next_packet = 0x1fffe, .next_frame = 0x11223344 };
	assert_int_equal(video_sender_init(&sender, &lan, NULL, &position), 0);
	/* Ten data shards and two of parity, the first two before the sequence wraps. */
	struct video_frame frame = frame_of(9 * 1376 - 8 + 100);
	struct video_batch batch;
	assert_int_equal(video_begin(&sender, &frame, &batch), 0);
	uint8_t out[12 * 1408];
	assert_int_equal(video_plan_size(&batch.plan, 0), sizeof(out));
	assert_int_equal(video_write_block(&sender, &frame, &batch, 0, out), 0);

	assert_bytes(out, 40,
			"9000"
			"fffe"
			"01020304"
			"00000000"
			"00000000"
			"00feff01"
			"44332211"
			"05"
			"01"
			"10"
			"00"
			"40018002"
			"01"
			"0605"
			"02"
			"6400"
			"0000");
	assert_memory_equal(out + 40, picture, 1376 - 8);
	/* The sixth: the documented value of fecInfo. */
	assert_bytes(out + 5 * 1408, 32,
			"9000"
			"0003"
			"01020304"
			"00000000"
			"00000000"
			"00030002"
			"44332211"
			"01"
			"01"
			"10"
			"00"
			"40518002");
	/* The last data shard is padded. */
	const uint8_t *last = out + 9 * 1408;
	assert_int_equal(last[24], VIDEO_FLAG_PICTURE | VIDEO_FLAG_END);
	assert_memory_equal(last + 32, picture + frame.size - 100, 100);
	for (size_t i = 132; i < 1408; i++) {
		assert_int_equal(last[i], 0);
	}
	/* Parity: its own numbers, but flags and stream packet index of the code. */
	const uint8_t *parity = out + 10 * 1408;
	assert_bytes(parity, 16,
			"9000"
			"0008"
			"01020304"
			"00000000"
			"00000000");
	assert_bytes(parity + 20, 4, "44332211");
	assert_bytes(parity + 26, 6,
			"10"
			"00"
			"40a18002");
	assert_int_equal(sender.position.next_packet, 0x2000a);
	assert_int_equal(sender.position.next_frame, 0x11223345);
	video_sender_finish(&sender);
}

static void blocks_are_numbered_and_continue_each_other(void **state) {
	(void)state;
	struct video_sender sender;
	struct video_format format = { .packet_size = 80, .fec_percent = 20, .min_parity = 2 };
	struct video_position position = { 0 };
	assert_int_equal(video_sender_init(&sender, &format, NULL, &position), 0);
	struct video_frame frame = frame_of(500 * 64);
	struct video_batch batch;
	assert_int_equal(video_begin(&sender, &frame, &batch), 0);
	assert_int_equal(batch.plan.block_count, 3);
	assert_int_equal(batch.frame_index, 1);
	unsigned sequence = 0;
	for (unsigned i = 0; i < 3; i++) {
		OWN(free) void *memory = malloc(video_plan_size(&batch.plan, i));
		const uint8_t *out = memory;
		assert_int_equal(video_write_block(&sender, &frame, &batch, i, memory), 0);
		for (size_t n = 0; n < video_plan_shards(&batch.plan, i); n++) {
			assert_int_equal(out[n * 96 + 2] << 8 | out[n * 96 + 3], sequence++);
			assert_int_equal(out[n * 96 + 27], i << 4 | 2 << 6);
		}
		assert_int_equal(out[24] & VIDEO_FLAG_START, VIDEO_FLAG_START);
		size_t last = (batch.plan.blocks[i].data - 1U) * 96U;
		assert_int_equal(out[last + 24] & VIDEO_FLAG_END, VIDEO_FLAG_END);
	}
	assert_int_equal(sender.position.next_packet, sequence);
	video_sender_finish(&sender);
}

static void encryption_uses_every_iv_once(void **state) {
	(void)state;
	struct secret key = vector_key();
	struct video_sender sender;
	struct video_format format = lan;
	format.encrypted = true;
	struct video_position position = { .next_iv = 0xfffffffe, .incarnation = 0x030201 };
	assert_int_equal(video_sender_init(&sender, &format, &key, &position), 0);
	OWN(gcm_destroy) struct gcm *open = NULL;
	assert_int_equal(gcm_create(&key, GCM_OPEN, &open), 0);
	struct video_frame frame = frame_of(3000);
	uint64_t expected = 0xfffffffe;
	for (uint32_t n = 1; n <= 3; n++) {
		struct video_batch batch;
		uint8_t out[5 * 1440];
		assert_int_equal(video_begin(&sender, &frame, &batch), 0);
		assert_int_equal(video_plan_size(&batch.plan, 0), sizeof(out));
		assert_int_equal(video_write_block(&sender, &frame, &batch, 0, out), 0);
		for (size_t i = 0; i < 5; i++) {
			struct reader r = reader_over(out + i * 1440, 1440);
			const uint8_t *iv = r.at;
			assert_true(reader_le64(&r) == expected++);
			assert_bytes(reader_take(&r, 4), 4, "01020356");
			assert_int_equal(reader_le32(&r), n);
			const uint8_t *tag = reader_take(&r, 16);
			uint8_t shard[1408];
			assert_int_equal(gcm_open(open, iv, tag, r.at, r.left, shard), 0);
			assert_int_equal(shard[0], 0x90);
		}
	}
	video_sender_finish(&sender);
}

static void an_abandoned_frame_leaves_no_gap_and_no_iv_for_another(void **state) {
	(void)state;
	struct secret key = vector_key();
	struct video_sender sender;
	struct video_format format = lan;
	format.encrypted = true;
	struct video_position position = { 0 };
	assert_int_equal(video_sender_init(&sender, &format, &key, &position), 0);
	struct video_frame frame = frame_of(3000);
	struct video_batch first, second;
	assert_int_equal(video_begin(&sender, &frame, &first), 0);
	video_abandon(&sender, &first);
	assert_int_equal(video_begin(&sender, &frame, &second), 0);
	assert_int_equal(second.frame_index, 1);
	assert_int_equal(second.first_packet, 0);
	assert_true(second.first_iv == 5);
	video_sender_finish(&sender);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(one_data_shard_gets_two_parity_shards_at_200_percent),
		UNIT(the_client_computes_the_same_parity_for_every_shape),
		UNIT(blocks_grow_to_four_and_then_go_without_parity),
		UNIT(the_last_payload_length_is_exact),
		UNIT(formats_out_of_range_are_refused),
		UNIT(the_headers_are_laid_out_as_clients_read_them),
		UNIT(blocks_are_numbered_and_continue_each_other),
		UNIT(encryption_uses_every_iv_once),
		UNIT(an_abandoned_frame_leaves_no_gap_and_no_iv_for_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
