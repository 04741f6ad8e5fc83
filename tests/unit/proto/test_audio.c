/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "proto/audio.h"
#include "proto/audio_receive.h"
#include "vector.h"

static const struct audio_format clear = { .duration_ms = 5 };
static const struct audio_format encrypted = {
	.duration_ms = 10, .encrypted = true, .key_id = 0x12345678
};

static void packets_and_parity_are_laid_out_as_clients_read_them(void **state) {
	(void)state;
	struct audio_sender sender;
	struct audio_position position = { .next_sequence = 0xfffc, .next_timestamp = 0x01020304 };
	assert_int_equal(audio_sender_init(&sender, &clear, NULL, &position), 0);
	static const char *const expected[] = {
		"8061fffc0102030400000000"
		"01",
		"8061fffd0102030900000000"
		"02",
		"8061fffe0102030e00000000"
		"03",
		"8061ffff0102031300000000"
		"04",
	};
	for (uint8_t i = 0; i < 4; i++) {
		struct audio_batch batch;
		uint8_t opus = (uint8_t)(i + 1);
		assert_int_equal(audio_send(&sender, &opus, 1, &batch), 0);
		assert_bytes(batch.datagrams[0], batch.sizes[0], expected[i]);
		assert_int_equal(batch.count, i < 3 ? 1 : 3);
		if (i == 3) {
			assert_bytes(batch.datagrams[1], batch.sizes[1],
					"807f00000000000000000000"
					"0061fffc0102030400000000"
					"87");
			assert_bytes(batch.datagrams[2], batch.sizes[2],
					"807f00010000000000000000"
					"0161fffc0102030400000000"
					"2e");
		}
	}
	assert_int_equal(sender.position.next_sequence, 0);
	audio_sender_finish(&sender);
}

static void the_encryption_vector_holds(void **state) {
	(void)state;
	struct secret key = vector_key();
	struct audio_sender sender;
	struct audio_position position = { .next_sequence = 4 };
	assert_int_equal(audio_sender_init(&sender, &encrypted, &key, &position), 0);
	struct audio_batch batch;
	assert_int_equal(audio_send(&sender, "\xaa\xbb\xcc", 3, &batch), 0);
	assert_int_equal(audio_send(&sender, "\xaa\xbb\xcc", 3, &batch), 0);
	assert_bytes(batch.datagrams[0], batch.sizes[0],
			"806100050000000a00000000"
			"2da372dfb368759826a678c45eb2ed84");
	audio_sender_finish(&sender);
}

static void a_group_of_uneven_packets_gets_no_parity(void **state) {
	(void)state;
	struct audio_sender sender;
	struct audio_position position = { 0 };
	assert_int_equal(audio_sender_init(&sender, &clear, NULL, &position), 0);
	struct audio_batch batch;
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(audio_send(&sender, "abcd", i == 2 ? 3 : 4, &batch), 0);
		assert_int_equal(batch.count, i == 7 ? 3 : 1);
	}
	assert_true(sender.uneven == 1);
	assert_int_equal(audio_send(&sender, "", 0, &batch), -EINVAL);
	uint8_t large[AUDIO_OPUS_MAX + 1] = { 0 };
	assert_int_equal(audio_send(&sender, large, sizeof(large), &batch), -EINVAL);
	assert_int_equal(audio_send(&sender, large, AUDIO_OPUS_MAX, &batch), 0);
	audio_sender_finish(&sender);
}

static void a_successor_starts_at_a_group(void **state) {
	(void)state;
	struct audio_position at = { 5, 1000 };
	at = audio_position_aligned(at, 5);
	assert_int_equal(at.next_sequence, 8);
	assert_int_equal(at.next_timestamp, 1015);
	at = audio_position_aligned((struct audio_position){ 0xfffe, 0 }, 10);
	assert_int_equal(at.next_sequence, 0);
	assert_int_equal(at.next_timestamp, 20);
	struct audio_sender sender;
	struct audio_position odd = { .next_sequence = 6 };
	assert_int_equal(audio_sender_init(&sender, &clear, NULL, &odd), -EINVAL);
	struct audio_format wrong = { .duration_ms = 20 };
	assert_int_equal(audio_sender_init(&sender, &wrong, NULL, &at), -EINVAL);
}

struct path {
	struct audio_sender sender;
	struct audio_receiver *receiver;
	uint16_t next; /* to be delivered */
	uint64_t delivered, lost;
};

static struct path path_make(const struct audio_format *format, uint16_t first) {
	struct path path = { .next = first };
	struct secret key = vector_key();
	struct audio_position position = { .next_sequence = first };
	assert_int_equal(audio_sender_init(&path.sender, format, &key, &position), 0);
	assert_int_equal(audio_receiver_create(
					 format, format->encrypted ? &key : NULL, &path.receiver),
			0);
	return path;
}

static void path_finish(struct path *path) {
	audio_sender_finish(&path->sender);
	audio_receiver_destroy(path->receiver);
}

static void opus_make(uint16_t sequence, uint8_t opus[120]) {
	for (size_t i = 0; i < 120; i++) {
		opus[i] = (uint8_t)(sequence * 7 + i + sequence / 256);
	}
}

static void path_drain(struct path *path) {
	struct audio_received got;
	int rc;
	while ((rc = audio_receive_next(path->receiver, &got)) == 0) {
		assert_int_equal(got.sequence, path->next++);
		if (!got.data) {
			path->lost++;
			continue;
		}
		uint8_t opus[120];
		opus_make(got.sequence, opus);
		assert_int_equal(got.size, sizeof(opus));
		assert_memory_equal(got.data, opus, sizeof(opus));
		path->delivered++;
	}
	assert_int_equal(rc, -EAGAIN);
}

/* Sends a group without the shards of the mask, in the order given. */
static void path_group(struct path *path, unsigned lost_mask, bool backwards) {
	uint8_t bytes[6][AUDIO_DATAGRAM_MAX];
	uint16_t sizes[6];
	for (size_t i = 0; i < 4; i++) {
		uint8_t opus[120];
		struct audio_batch batch;
		opus_make(path->sender.position.next_sequence, opus);
		assert_int_equal(audio_send(&path->sender, opus, sizeof(opus), &batch), 0);
		for (size_t n = 0; n < batch.count; n++) {
			memcpy(bytes[i + n], batch.datagrams[n], batch.sizes[n]);
			sizes[i + n] = batch.sizes[n];
		}
	}
	for (size_t n = 0; n < 6; n++) {
		size_t i = backwards ? 5 - n : n;
		if (!(lost_mask >> i & 1)) {
			int rc = audio_receive(path->receiver, bytes[i], sizes[i]);
			assert_true(rc == 0 || rc == -EPROTO); /* late for a complete group */
			path_drain(path);
		}
	}
}

static void any_two_lost_of_six_are_rebuilt(void **state) {
	(void)state;
	const struct audio_format *const formats[] = { &clear, &encrypted };
	for (size_t f = 0; f < 2; f++) {
		/* Through the wrap of the sequence. */
		struct path path = path_make(formats[f], 0xff80);
		uint64_t sent = 0;
		for (unsigned mask = 0; mask < 64; mask++) {
			if (__builtin_popcount(mask) <= 2) {
				path_group(&path, mask, false);
				path_group(&path, mask, true);
				sent += 8;
			}
		}
		assert_true(path.delivered == sent && path.lost == 0);
		assert_true(audio_receive_stats(path.receiver)->lost == 0);
		assert_true(audio_receive_stats(path.receiver)->recovered > 0);
		path_finish(&path);
	}
}

static void three_lost_are_concealed_when_the_next_group_comes(void **state) {
	(void)state;
	struct path path = path_make(&encrypted, 0);
	path_group(&path, 0, false);
	path_group(&path, 0x0b, false); /* only the third and the parity came */
	assert_int_equal(path.delivered, 4);
	path_group(&path, 0, false);
	assert_int_equal(path.delivered, 4 + 1 + 4);
	assert_int_equal(path.lost, 3);
	/* A gap longer than what is held. */
	for (int i = 0; i < 10; i++) {
		path_group(&path, 0x3f, false);
	}
	path.next = path.sender.position.next_sequence;
	path_group(&path, 0, false);
	assert_int_equal(path.delivered, 13);
	assert_true(audio_receive_stats(path.receiver)->lost == 43);
	path_finish(&path);
}

static void malformed_and_repeated_datagrams_are_refused(void **state) {
	(void)state;
	struct path path = path_make(&clear, 0);
	uint8_t bytes[64];
	static const char *const bad[] = {
		"", "8061", "806100000000000000000000", /* no payload */
		"9061000000000000000000000a",           /* RTP with an extension */
		"8062000000000000000000000a",           /* payload type */
		"807f00040000000000000000"
		"0261000000000000000000000a", /* third parity shard */
		"807f00040000000000000000"
		"0061000100000000000000000a", /* base not of four */
		"807f00040000000000000000"
		"0060000000000000000000000a", /* parity of what */
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t len = vector_bytes(bad[i], bytes);
		assert_int_equal(audio_receive(path.receiver, bytes, len), -EBADMSG);
	}
	size_t len = vector_bytes("8061000000000000000000000a", bytes);
	assert_int_equal(audio_receive(path.receiver, bytes, len), 0);
	assert_int_equal(audio_receive(path.receiver, bytes, len), -EPROTO);
	assert_true(audio_receive_stats(path.receiver)->contradicting == 0);
	/* Real clients would give up repairing for good, or assert. */
	static const char *const odd[] = {
		"8061000100000005000000000a0b", /* another size than its group's */
		"8061000100000006000000000a",   /* another time */
		"8061000100000005000000010a",   /* another source */
	};
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		len = vector_bytes(odd[i], bytes);
		assert_int_equal(audio_receive(path.receiver, bytes, len), -EPROTO);
		assert_true(audio_receive_stats(path.receiver)->contradicting == i + 1);
	}
	path_finish(&path);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(packets_and_parity_are_laid_out_as_clients_read_them),
		UNIT(the_encryption_vector_holds),
		UNIT(a_group_of_uneven_packets_gets_no_parity),
		UNIT(a_successor_starts_at_a_group),
		UNIT(any_two_lost_of_six_are_rebuilt),
		UNIT(three_lost_are_concealed_when_the_next_group_comes),
		UNIT(malformed_and_repeated_datagrams_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
