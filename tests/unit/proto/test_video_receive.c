/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "proto/control_message.h"
#include "proto/video_receive.h"
#include "vector.h"

enum {
	ROOM = 4 << 20,
};

/* A sender, a receiver and the datagrams between them. */
struct path {
	struct video_sender sender;
	struct video_receiver *receiver;
	struct video_batch batch;
	uint8_t *picture, *datagrams;
	struct video_frame frame;
	struct video_received got;
	uint64_t seed;
};

static struct path path_make(struct video_format format, enum video_codec codec) {
	struct path path = { .seed = 7 };
	struct secret key = vector_key();
	struct video_position position = { 0 };
	struct video_receive_config config = { .key = format.encrypted ? &key : NULL,
		.codec = codec,
		.packet_size = format.packet_size,
		.can_invalidate = true };
	assert_int_equal(video_sender_init(&path.sender, &format, &key, &position), 0);
	assert_int_equal(video_receiver_create(&config, &path.receiver), 0);
	path.picture = malloc(ROOM);
	path.datagrams = malloc(ROOM);
	for (size_t i = 0; i < ROOM; i++) {
		path.picture[i] = (uint8_t)vector_random(&path.seed);
	}
	return path;
}

static void path_finish(struct path *path) {
	video_sender_finish(&path->sender);
	video_receiver_destroy(path->receiver);
	free(path->picture);
	free(path->datagrams);
}

static void path_begin(struct path *path, enum video_frame_type type, size_t size) {
	size_t start = vector_random(&path->seed) % 1000;
	path->frame = (struct video_frame){ .data = path->picture + start,
		.size = size,
		.type = type,
		.timestamp_90k = vector_random(&path->seed),
		.latency_100us = (uint16_t)vector_random(&path->seed),
		.ltr = vector_random(&path->seed) & 1 };
	assert_int_equal(video_begin(&path->sender, &path->frame, &path->batch), 0);
}

/* Writes a block; returns how many datagrams. */
static size_t path_write(struct path *path, unsigned block) {
	assert_true(video_plan_size(&path->batch.plan, block) <= ROOM);
	assert_int_equal(video_write_block(&path->sender, &path->frame, &path->batch, block,
					 path->datagrams),
			0);
	return video_plan_shards(&path->batch.plan, block);
}

static int path_receive(struct path *path, size_t i) {
	size_t size = path->batch.plan.datagram_size;
	return video_receive(path->receiver, path->datagrams + i * size, size, &path->got);
}

static void got_is_the_frame(const struct path *path) {
	assert_int_equal(path->got.size, path->frame.size);
	assert_memory_equal(path->got.data, path->frame.data, path->frame.size);
	assert_int_equal(path->got.frame_index, path->batch.frame_index);
	assert_int_equal(path->got.type, path->frame.type);
	assert_int_equal(path->got.timestamp_90k, path->frame.timestamp_90k);
	assert_int_equal(path->got.latency_100us, path->frame.latency_100us);
	assert_int_equal(path->got.ltr, path->frame.ltr);
}

/* Sends a block shuffled and without `lost` of its datagrams; 1 when the frame came. */
static int path_lossy(struct path *path, unsigned block, size_t lost) {
	size_t count = path_write(path, block), order[1100];
	for (size_t i = 0; i < count; i++) {
		order[i] = i;
	}
	for (size_t i = count; i-- > 1;) {
		size_t other = vector_random(&path->seed) % (i + 1);
		size_t swap = order[i];
		order[i] = order[other];
		order[other] = swap;
	}
	int frames = 0;
	for (size_t i = lost; i < count; i++) {
		int rc = path_receive(path, order[i]);
		assert_true(rc == 0 || rc == 1 ||
				(rc == -EPROTO &&
						i - lost >= count - lost -
										path->batch.plan.blocks[block]
												.parity));
		if (rc == 1) {
			got_is_the_frame(path);
			frames++;
		}
	}
	return frames;
}

static void frames_survive_any_loss_up_to_the_parity(struct video_format format, int rounds) {
	struct path path = path_make(format, VIDEO_AV1);
	uint64_t frames = 0;
	for (int round = 0; round < rounds; round++) {
		size_t limit = round % 8 ? 20000 : 60000;
		path_begin(&path, round ? VIDEO_FRAME_P : VIDEO_FRAME_IDR,
				1 + vector_random(&path.seed) % limit);
		const struct video_plan *plan = &path.batch.plan;
		int came = 0;
		for (unsigned i = 0; i < plan->block_count; i++) {
			size_t parity = plan->blocks[i].parity;
			came += path_lossy(&path, i, vector_random(&path.seed) % (parity + 1));
		}
		assert_int_equal(came, 1);
		frames++;
		assert_true(path.got.decodable);
	}
	const struct video_receive_stats *stats = video_receive_stats(path.receiver);
	assert_true(stats->frames == frames);
	assert_true(stats->frames_lost == 0 && stats->fec_failed == 0 && stats->corrupt == 0 &&
			stats->malformed == 0 && stats->undecodable == 0);
	assert_true(stats->recovered > frames / 2);
	path_finish(&path);
}

static void clear_frames_survive_any_loss_up_to_the_parity(void **state) {
	(void)state;
	frames_survive_any_loss_up_to_the_parity(
			(struct video_format){
					.packet_size = 1392, .fec_percent = 20, .min_parity = 2 },
			300);
	frames_survive_any_loss_up_to_the_parity(
			(struct video_format){
					.packet_size = 100, .fec_percent = 50, .min_parity = 2 },
			60);
}

static void encrypted_frames_survive_any_loss_up_to_the_parity(void **state) {
	(void)state;
	struct video_format format = {
		.packet_size = 1360, .fec_percent = 20, .min_parity = 2, .encrypted = true
	};
	frames_survive_any_loss_up_to_the_parity(format, 200);
	format.packet_size = 101;
	frames_survive_any_loss_up_to_the_parity(format, 60);
}

static void each_single_lost_shard_is_recovered_also_first_and_last(void **state) {
	(void)state;
	struct path path = path_make(
			(struct video_format){
					.packet_size = 128, .fec_percent = 20, .min_parity = 1 },
			VIDEO_AV1);
	/* Sizes around where the last shard is full, and one shard alone. */
	static const size_t sizes[] = { 1, 103, 104, 105, 112 * 4 - 9, 112 * 4 - 8, 112 * 4 - 7 };
	for (size_t n = 0; n < ARRAY_LEN(sizes); n++) {
		for (size_t lost = 0; lost < 5; lost++) {
			path_begin(&path, VIDEO_FRAME_IDR, sizes[n]);
			size_t count = path_write(&path, 0), came = 0;
			for (size_t i = 0; i < count; i++) {
				if (i != lost) {
					came += path_receive(&path, i) == 1;
				}
			}
			assert_int_equal(came, 1);
			got_is_the_frame(&path);
		}
	}
	path_finish(&path);
}

static void a_rebuilt_block_is_reported_once_and_a_whole_one_never(void **state) {
	(void)state;
	struct path path = path_make(
			(struct video_format){ .packet_size = 512, .fec_percent = 20 }, VIDEO_AV1);
	struct control_fec_status status;
	path_begin(&path, VIDEO_FRAME_IDR, 5000);
	size_t count = path_write(&path, 0);
	for (size_t i = 0; i < count; i++) {
		path_receive(&path, i);
	}
	assert_false(video_receive_fec_status(path.receiver, &status));

	path_begin(&path, VIDEO_FRAME_P, 5000);
	count = path_write(&path, 0);
	for (size_t i = 1; i < count; i++) {
		path_receive(&path, i);
	}
	assert_true(video_receive_fec_status(path.receiver, &status));
	assert_int_equal(status.frame, 2);
	assert_int_equal(status.missing, 1);
	assert_int_equal(status.total_data, path.batch.plan.blocks[0].data);
	assert_int_equal(status.total_parity, path.batch.plan.blocks[0].parity);
	assert_int_equal(status.received_data, status.total_data - 1);
	assert_int_equal(status.received_parity, 1);
	assert_int_equal(status.fec_percent, path.batch.plan.blocks[0].fec_percent);
	assert_int_equal(status.block_count, 1);
	assert_false(video_receive_fec_status(path.receiver, &status));
	path_finish(&path);
}

static void a_large_frame_without_parity_arrives_and_does_not_survive_loss(void **state) {
	(void)state;
	struct path path = path_make(
			(struct video_format){
					.packet_size = 64, .fec_percent = 20, .min_parity = 2 },
			VIDEO_AV1);
	/* 48 bytes a shard, four blocks of 212: more than that. */
	size_t size = 48 * 3000;
	path_begin(&path, VIDEO_FRAME_IDR, size);
	assert_int_equal(path.batch.plan.block_count, 3);
	int came = 0;
	for (unsigned i = 0; i < 3; i++) {
		came += path_lossy(&path, i, 0);
	}
	assert_int_equal(came, 1);
	path_begin(&path, VIDEO_FRAME_P, size);
	came = 0;
	for (unsigned i = 0; i < 3; i++) {
		size_t count = path_write(&path, i);
		for (size_t n = i == 1; n < count; n++) {
			came += path_receive(&path, n) == 1;
		}
	}
	assert_int_equal(came, 0);
	assert_true(video_receive_stats(path.receiver)->fec_failed == 1);
	assert_true(video_receive_stats(path.receiver)->frames_lost == 1);
	path_finish(&path);
}

static void sequence_and_stream_packet_index_wrap(void **state) {
	(void)state;
	struct path path = path_make(
			(struct video_format){
					.packet_size = 64, .fec_percent = 20, .min_parity = 2 },
			VIDEO_AV1);
	/* In jumps that the client takes for loss, to just before 2^24 packets. */
	static const uint32_t starts[] = { 0x7000, 0x7fe000, 0xff5000, 0xffc000, 0xfffe00 };
	uint64_t sent = 0;
	for (size_t n = 0; n < ARRAY_LEN(starts); n++) {
		path.sender.position.next_packet = starts[n];
		for (int i = 0; i < 5; i++) {
			path_begin(&path, VIDEO_FRAME_IDR, 9000);
			int came = 0;
			for (unsigned block = 0; block < path.batch.plan.block_count; block++) {
				came += path_lossy(&path, block, 3);
			}
			assert_int_equal(came, 1);
			sent++;
		}
	}
	assert_true(path.sender.position.next_packet > 0x1000000);
	assert_true(video_receive_stats(path.receiver)->frames == sent);
	path_finish(&path);
}

static const struct video_format small = { .packet_size = 128, .fec_percent = 20, .min_parity = 2 };

/* Sends a whole frame except the first `lost` datagrams of its only block. */
static int path_frame(struct path *path, enum video_frame_type type, size_t size, size_t lost) {
	path_begin(path, type, size);
	size_t count = path_write(path, 0);
	int came = 0;
	for (size_t i = lost; i < count; i++) {
		came += path_receive(path, i) == 1;
	}
	return came;
}

static void one_loss_too_many_loses_the_frame_and_asks_for_an_invalidation(void **state) {
	(void)state;
	struct path path = path_make(small, VIDEO_AV1);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 500, 0), 1);
	assert_true(path.got.key && path.got.decodable);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_P, 500, 3), 0);
	assert_int_equal(video_receive_request(path.receiver).kind, VIDEO_ASK_NOTHING);

	/* The next frame shows the loss, and is of no use itself. */
	assert_int_equal(path_frame(&path, VIDEO_FRAME_P, 500, 0), 1);
	assert_false(path.got.decodable);
	struct video_request request = video_receive_request(path.receiver);
	assert_int_equal(request.kind, VIDEO_ASK_INVALIDATE);
	assert_int_equal(request.first, 2);
	assert_int_equal(request.last, 3);
	assert_int_equal(video_receive_request(path.receiver).kind, VIDEO_ASK_NOTHING);

	assert_int_equal(path_frame(&path, VIDEO_FRAME_AFTER_INVALIDATION, 500, 0), 1);
	assert_true(path.got.decodable && !path.got.key);
	const struct video_receive_stats *stats = video_receive_stats(path.receiver);
	assert_true(stats->frames == 3 && stats->frames_lost == 1 && stats->undecodable == 1);
	assert_true(stats->fec_failed == 1);
	path_finish(&path);
}

static void a_skipped_index_is_a_gap_and_an_old_frame_is_ignored(void **state) {
	(void)state;
	struct path path = path_make(small, VIDEO_AV1);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 100, 0), 1);
	path_begin(&path, VIDEO_FRAME_P, 100);
	size_t size = path.batch.plan.datagram_size;
	uint8_t old[1500];
	path_write(&path, 0);
	memcpy(old, path.datagrams, size);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 100, 0), 1);
	assert_true(video_receive_stats(path.receiver)->frames_lost == 1);
	assert_int_equal(video_receive(path.receiver, old, size, &path.got), -EPROTO);
	path_finish(&path);
}

static void the_same_datagram_counts_once(void **state) {
	(void)state;
	struct path path = path_make(small, VIDEO_AV1);
	path_begin(&path, VIDEO_FRAME_IDR, 500);
	path_write(&path, 0);
	assert_int_equal(path_receive(&path, 2), 0);
	assert_int_equal(path_receive(&path, 2), -EPROTO);
	assert_int_equal(path_receive(&path, 0), 0);
	assert_int_equal(path_receive(&path, 0), -EPROTO);
	assert_true(video_receive_stats(path.receiver)->packets == 2);
	path_finish(&path);
}

static void a_missed_block_loses_its_frame_only(void **state) {
	(void)state;
	struct path path = path_make(
			(struct video_format){
					.packet_size = 64, .fec_percent = 20, .min_parity = 2 },
			VIDEO_AV1);
	path_begin(&path, VIDEO_FRAME_IDR, 48 * 500);
	assert_int_equal(path.batch.plan.block_count, 3);
	path_lossy(&path, 0, 0);
	size_t count = path_write(&path, 2);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(path_receive(&path, i), -EPROTO);
	}
	path_begin(&path, VIDEO_FRAME_IDR, 48 * 500);
	int came = 0;
	for (unsigned i = 0; i < 3; i++) {
		came += path_lossy(&path, i, 0);
	}
	assert_int_equal(came, 1);
	assert_true(path.got.decodable);
	path_finish(&path);
}

static void changed_and_foreign_datagrams_are_refused_when_encrypted(void **state) {
	(void)state;
	struct video_format format = small;
	format.encrypted = true;
	struct path path = path_make(format, VIDEO_AV1);
	path_begin(&path, VIDEO_FRAME_IDR, 50);
	path_write(&path, 0);
	size_t size = path.batch.plan.datagram_size;
	for (size_t byte = 0; byte < size; byte++) {
		if (byte >= 12 && byte < 16) {
			continue; /* the frame index in the clear only spares work */
		}
		path.datagrams[byte] ^= 1;
		assert_int_equal(path_receive(&path, 0), -EBADMSG);
		path.datagrams[byte] ^= 1;
	}
	for (size_t len = 0; len < 64; len++) {
		assert_int_equal(video_receive(path.receiver, path.datagrams, len, &path.got),
				-EBADMSG);
	}
	assert_int_equal(path_receive(&path, 0), 1);
	path_finish(&path);
}

/* Annex B in the place of the random picture. */
static bool key_of(struct path *path, const char *hex, size_t gap, const char *more) {
	uint8_t bytes[2048] = { 0 };
	size_t len = vector_bytes(hex, bytes) + gap;
	memset(bytes + len - gap, 0x77, gap);
	len += vector_bytes(more, bytes + len);
	path->frame = (struct video_frame){ .data = bytes, .size = len, .type = VIDEO_FRAME_IDR };
	assert_int_equal(video_begin(&path->sender, &path->frame, &path->batch), 0);
	size_t count = path_write(path, 0);
	int came = 0;
	for (size_t i = 0; i < count; i++) {
		came += path_receive(path, i) == 1;
	}
	assert_int_equal(came, 1);
	return path->got.key;
}

static void a_key_frame_has_its_sets_and_slice_in_the_first_shard(void **state) {
	(void)state;
	struct path path = path_make(small, VIDEO_H264);
	assert_true(key_of(&path, "0000000167aabb0000000168cc00000165", 40, ""));
	assert_true(key_of(&path, "0000000109f00000010600000167aabb0000000168cc00000165", 5, ""));
	assert_false(key_of(&path, "00000165", 40, ""));
	assert_true(path.got.decodable); /* an earlier one was */
	assert_false(key_of(&path, "00000141", 40, ""));
	/* 104 bytes of frame fit the first shard. */
	assert_true(key_of(&path, "00000167", 96, "00000165aa"));
	assert_false(key_of(&path, "00000167", 97, "00000165aa"));
	path_finish(&path);
	path = path_make(small, VIDEO_HEVC);
	assert_false(key_of(&path, "0000000142010000012601", 40, ""));
	assert_false(path.got.decodable);
	assert_true(key_of(&path, "00000001460100000140010000014201000001440100000126", 40, ""));
	assert_true(path.got.decodable);
	path_finish(&path);
}

/* What a client's debug build asserts, ours counts (RtpVideoQueue.c, LC_ASSERT_VT). */
static void shards_at_odds_with_their_block_are_malformed(void **state) {
	(void)state;
	static const struct {
		size_t at; /* byte of the shard */
		uint8_t bits;
		int rc;
	} odd[] = {
		{ 3, 4, -EBADMSG },     /* RTP sequence: block would begin elsewhere */
		{ 27, 0x40, -EBADMSG }, /* number of the last block */
		{ 28, 0x10, -EBADMSG }, /* percentage of parity */
		{ 29, 0x10, -EBADMSG }, /* index */
		{ 31, 0x01, -EBADMSG }, /* count of data shards */
		{ 40, 0xff, 0 },        /* a picture's byte is its own affair */
	};
	struct path path = path_make(small, VIDEO_AV1);
	path_begin(&path, VIDEO_FRAME_IDR, 700);
	path_write(&path, 0);
	size_t size = path.batch.plan.datagram_size;
	assert_int_equal(path_receive(&path, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		uint8_t *shard = path.datagrams + size;
		shard[odd[i].at] ^= odd[i].bits;
		assert_int_equal(path_receive(&path, 1), odd[i].rc);
		shard[odd[i].at] ^= odd[i].bits;
	}
	/* Only the block's last may be shorter. */
	assert_int_equal(video_receive(path.receiver, path.datagrams + 2 * size, size - 1,
					 &path.got),
			-EBADMSG);
	assert_true(video_receive_stats(path.receiver)->malformed == 6);
	path_finish(&path);
}

static void a_leap_of_half_the_numbers_goes_back(void **state) {
	(void)state;
	struct path path = path_make(small, VIDEO_AV1);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 100, 0), 1);
	path.sender.position.next_frame = 2 + 0x8000;
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 100, 0), 0);
	path.sender.position.next_frame = 2 + 0x7fff;
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 100, 0), 1);
	path_finish(&path);
}

static void a_nonce_that_is_not_newer_is_counted(void **state) {
	(void)state;
	struct video_format format = small;
	format.encrypted = true;
	struct path path = path_make(format, VIDEO_AV1);
	const struct video_receive_stats *stats = video_receive_stats(path.receiver);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 500, 0), 1);
	struct video_position position = path.sender.position;
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 500, 0), 1);
	assert_true(stats->stale_ivs == 0);
	/* A successor that forgot how far the counter had come. */
	uint64_t iv = position.next_iv;
	position = path.sender.position;
	position.next_iv = iv;
	struct secret key = vector_key();
	video_sender_finish(&path.sender);
	assert_int_equal(video_sender_init(&path.sender, &format, &key, &position), 0);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 500, 0), 1);
	assert_true(stats->stale_ivs > 0);
	/* One that did as it should: of another incarnation. */
	uint64_t before = stats->stale_ivs;
	position = path.sender.position;
	position.next_iv = 0;
	position.incarnation++;
	video_sender_finish(&path.sender);
	assert_int_equal(video_sender_init(&path.sender, &format, &key, &position), 0);
	assert_int_equal(path_frame(&path, VIDEO_FRAME_IDR, 500, 0), 1);
	assert_true(stats->stale_ivs == before);
	path_finish(&path);
}

static void a_frame_without_a_start_code_is_corrupt(void **state) {
	(void)state;
	struct path path = path_make(small, VIDEO_H264);
	memcpy(path.picture, "\0\0\1\x65", 4);
	path_begin(&path, VIDEO_FRAME_IDR, 40);
	path.frame.data = path.picture;
	path_write(&path, 0);
	assert_int_equal(path_receive(&path, 0), 1);
	path_begin(&path, VIDEO_FRAME_P, 40);
	path.frame.data = path.picture + 1;
	path_write(&path, 0);
	assert_int_equal(path_receive(&path, 0), -EBADMSG);
	assert_true(video_receive_stats(path.receiver)->corrupt == 1);
	path_finish(&path);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(clear_frames_survive_any_loss_up_to_the_parity),
		UNIT(encrypted_frames_survive_any_loss_up_to_the_parity),
		UNIT(each_single_lost_shard_is_recovered_also_first_and_last),
		UNIT(a_rebuilt_block_is_reported_once_and_a_whole_one_never),
		UNIT(a_large_frame_without_parity_arrives_and_does_not_survive_loss),
		UNIT(sequence_and_stream_packet_index_wrap),
		UNIT(one_loss_too_many_loses_the_frame_and_asks_for_an_invalidation),
		UNIT(a_skipped_index_is_a_gap_and_an_old_frame_is_ignored),
		UNIT(the_same_datagram_counts_once),
		UNIT(a_missed_block_loses_its_frame_only),
		UNIT(changed_and_foreign_datagrams_are_refused_when_encrypted),
		UNIT(a_key_frame_has_its_sets_and_slice_in_the_first_shard),
		UNIT(shards_at_odds_with_their_block_are_malformed),
		UNIT(a_leap_of_half_the_numbers_goes_back),
		UNIT(a_nonce_that_is_not_newer_is_counted),
		UNIT(a_frame_without_a_start_code_is_corrupt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
