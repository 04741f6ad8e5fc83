/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/bytes.h"
#include "proto/control.h"
#include "proto/control_message.h"
#include "vector.h"

struct pair {
	struct control_sealer sealer;
	struct control_opener opener;
};

static struct pair pair_make(enum control_side sender, uint32_t first) {
	struct secret key = vector_key();
	struct pair pair;
	assert_int_equal(control_sealer_init(&pair.sealer, &key, sender, first), 0);
	assert_int_equal(control_opener_init(&pair.opener, &key, sender), 0);
	return pair;
}

static void pair_finish(struct pair *pair) {
	control_sealer_finish(&pair->sealer);
	control_opener_finish(&pair->opener);
}

static void vector_holds(enum control_side side, uint32_t sequence, const char *message_hex,
		const char *envelope_hex) {
	struct pair pair = pair_make(side, sequence);
	uint8_t message[64], envelope[128], back[CONTROL_MESSAGE_MAX];
	size_t len = vector_bytes(message_hex, message), envelope_len = 0, back_len = 0;
	assert_int_equal(control_seal(&pair.sealer, message, len, envelope, sizeof(envelope),
					 &envelope_len),
			0);
	assert_bytes(envelope, envelope_len, envelope_hex);
	uint32_t got = 0;
	assert_int_equal(control_open(&pair.opener, envelope, envelope_len, back, &back_len, &got),
			0);
	assert_int_equal(got, sequence);
	assert_bytes(back, back_len, message_hex);
	pair_finish(&pair);
}

static void the_vectors_of_both_directions_hold(void **state) {
	(void)state;
	vector_holds(CONTROL_CLIENT, 0x01020304, "020302000000",
			"01001a0004030201"
			"3903623206d786aab0bc51f7f7cff820"
			"12df6a1bb44f");
	vector_holds(CONTROL_HOST, 0, "0901040080030023",
			"01001c0000000000"
			"b835a2b8ace857ddcbad385dce166aa9"
			"f2dd4edacf3be801");
}

static void the_old_scheme_and_clear_messages_are_refused(void **state) {
	(void)state;
	struct pair pair = pair_make(CONTROL_CLIENT, 0);
	uint8_t envelope[128], out[CONTROL_MESSAGE_MAX];
	size_t len = vector_bytes("01001a0004030201"
				  "60b9d8f8b1937ea738aece991d7ce1d3"
				  "7d4ededbad67",
			envelope);
	size_t out_len = 0;
	uint32_t sequence = 0;
	assert_int_equal(control_open(&pair.opener, envelope, len, out, &out_len, &sequence),
			-EBADMSG);
	len = vector_bytes("020302000000", envelope);
	assert_int_equal(control_open(&pair.opener, envelope, len, out, &out_len, &sequence),
			-EBADMSG);
	/* Neither moved the window. */
	assert_true(control_window_accepts(&pair.opener.window, 0));
	pair_finish(&pair);
}

static void a_message_of_the_other_direction_is_refused(void **state) {
	(void)state;
	struct pair host = pair_make(CONTROL_HOST, 0);
	struct pair client = pair_make(CONTROL_CLIENT, 0);
	uint8_t envelope[64], out[CONTROL_MESSAGE_MAX];
	size_t len = 0;
	uint32_t sequence = 0;
	assert_int_equal(
			control_seal(&host.sealer, "\1\2\0\0", 4, envelope, sizeof(envelope), &len),
			0);
	assert_int_equal(control_open(&client.opener, envelope, len, out, &len, &sequence),
			-EBADMSG);
	pair_finish(&host);
	pair_finish(&client);
}

static void every_truncation_and_every_extension_is_refused(void **state) {
	(void)state;
	struct pair pair = pair_make(CONTROL_CLIENT, 7);
	uint8_t envelope[64] = { 0 }, out[CONTROL_MESSAGE_MAX];
	size_t len = 0, out_len = 0;
	uint32_t sequence = 0;
	assert_int_equal(control_seal(&pair.sealer, "\2\3\2\0\0\0", 6, envelope, sizeof(envelope),
					 &len),
			0);
	for (size_t cut = 0; cut <= len + 3; cut++) {
		int rc = control_open(&pair.opener, envelope, cut, out, &out_len, &sequence);
		assert_int_equal(rc, cut == len ? 0 : -EBADMSG);
	}
	pair_finish(&pair);
}

static void a_replay_is_refused_and_reordering_is_not(void **state) {
	(void)state;
	struct pair pair = pair_make(CONTROL_CLIENT, 0);
	uint8_t envelopes[200][32], out[CONTROL_MESSAGE_MAX];
	size_t len = 0, out_len = 0;
	uint32_t sequence = 0;
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(control_seal(&pair.sealer, "\0\2\0\0", 4, envelopes[i],
						 sizeof(envelopes[i]), &len),
				0);
	}
	static const struct {
		uint8_t index;
		int rc;
	} steps[] = {
		{ 1, 0 },
		{ 0, 0 },
		{ 0, -EPROTO },
		{ 1, -EPROTO },
		{ 70, 0 },
		{ 7, 0 },
		{ 6, -EPROTO },
		{ 7, -EPROTO },
		{ 69, 0 },
		{ 199, 0 },
		{ 70, -EPROTO },
		{ 198, 0 },
		{ 136, 0 },
		{ 135, -EPROTO },
	};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		assert_int_equal(control_open(&pair.opener, envelopes[steps[i].index], len, out,
						 &out_len, &sequence),
				steps[i].rc);
	}
	pair_finish(&pair);
}

static void sequences_stop_at_the_reserve_and_at_the_end(void **state) {
	(void)state;
	struct pair pair = pair_make(CONTROL_HOST, 256);
	uint8_t out[64];
	size_t len = 0;
	pair.sealer.end = 257;
	assert_int_equal(control_seal(&pair.sealer, "\0\0\0\0", 4, out, 10, &len), -ENOSPC);
	assert_int_equal(control_seal(&pair.sealer, "\0\0\0\0", 4, out, sizeof(out), &len), 0);
	assert_int_equal(
			control_seal(&pair.sealer, "\0\0\0\0", 4, out, sizeof(out), &len), -EAGAIN);
	pair.sealer.end = CONTROL_SEQUENCE_END;
	pair.sealer.next = UINT32_MAX;
	assert_int_equal(control_seal(&pair.sealer, "\0\0\0\0", 4, out, sizeof(out), &len), 0);
	/* A wrap would use an IV again. */
	assert_int_equal(
			control_seal(&pair.sealer, "\0\0\0\0", 4, out, sizeof(out), &len), -EAGAIN);
	pair_finish(&pair);
}

/* Of each kind one message and its bytes. */
static const struct {
	enum control_side from;
	const char *hex;
	struct control_message message;
} samples[] = {
	{ CONTROL_CLIENT, "020302000000", { .kind = CONTROL_REQUEST_IDR } },
	{ CONTROL_CLIENT, "0703010000", { .kind = CONTROL_START_B } },
	{ CONTROL_CLIENT,
			"01031800"
			"0403020100000000"
			"0503020100000000"
			"0000000000000000",
			{ .kind = CONTROL_INVALIDATE, .invalidate = { 0x01020304, 0x01020305 } } },
	{ CONTROL_CLIENT, "500308004433221100000000",
			{ .kind = CONTROL_LTR_ACK, .ltr_frame = 0x11223344 } },
	{ CONTROL_CLIENT, "000208000400000000000000", { .kind = CONTROL_PING } },
	{ CONTROL_CLIENT,
			"02551500"
			"00000102"
			"0304"
			"0506"
			"0008"
			"0009"
			"000a"
			"000b"
			"000c"
			"14"
			"01"
			"03",
			{ .kind = CONTROL_FEC_STATUS,
					.fec_status = { 0x102, 0x304, 0x506, 8, 9, 10, 11, 12, 20,
							1, 3 } } },
	{ CONTROL_HOST,
			"0b010a00"
			"00000000"
			"0300"
			"0180"
			"ffff",
			{ .kind = CONTROL_RUMBLE, .rumble = { 3, 0x8001, 0xffff } } },
	{ CONTROL_HOST, "0901040080030023",
			{ .kind = CONTROL_TERMINATION, .termination = CONTROL_END_ORDERLY } },
	{ CONTROL_HOST,
			"0e011b00"
			"01"
			"0100"
			"0200"
			"0300"
			"0400"
			"0500"
			"0600"
			"0700"
			"0800"
			"e803"
			"3200"
			"0b00"
			"0c00"
			"0d00",
			{ .kind = CONTROL_HDR_MODE,
					.hdr = { true, { { 1, 2 }, { 3, 4 }, { 5, 6 } }, { 7, 8 },
							1000, 50, 11, 12, 13 } } },
	{ CONTROL_HOST,
			"00550600"
			"0100"
			"0200"
			"0300",
			{ .kind = CONTROL_TRIGGER_RUMBLE, .trigger_rumble = { 1, 2, 3 } } },
	{ CONTROL_HOST,
			"01550500"
			"0100"
			"6400"
			"02",
			{ .kind = CONTROL_MOTION_REPORTS,
					.motion_reports = { 1, 100, CONTROL_MOTION_GYROSCOPE } } },
	{ CONTROL_HOST,
			"02550500"
			"0f00"
			"ff8001",
			{ .kind = CONTROL_LED, .led = { 15, 0xff, 0x80, 1 } } },
	{ CONTROL_HOST,
			"03551900"
			"0200"
			"0c"
			"21"
			"26"
			"00010203040506070809"
			"0a0b0c0d0e0f10111213",
			{ .kind = CONTROL_ADAPTIVE_TRIGGERS,
					.adaptive_triggers = { 2,
							CONTROL_TRIGGER_LEFT |
									CONTROL_TRIGGER_RIGHT,
							0x21, 0x26,
							{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 },
							{ 10, 11, 12, 13, 14, 15, 16, 17, 18,
									19 } } } },
};

static void every_message_is_encoded_and_decoded(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		uint8_t bytes[128], out[128];
		size_t len = vector_bytes(samples[i].hex, bytes), out_len = 0;
		assert_int_equal(control_message_encode(
						 &samples[i].message, out, sizeof(out), &out_len),
				0);
		assert_bytes(out, out_len, samples[i].hex);

		struct control_message got;
		memset(&got, 0, sizeof(got));
		assert_int_equal(control_message_decode(samples[i].from, bytes, len, &got), 0);
		assert_int_equal(got.kind, samples[i].message.kind);
		/* Encoding what was decoded gives the same bytes: every field was read. */
		assert_int_equal(control_message_encode(&got, out, sizeof(out), &out_len), 0);
		assert_bytes(out, out_len, samples[i].hex);
		assert_int_equal(control_message_encode(&got, out, out_len - 1, &out_len), -ENOSPC);
	}
}

static void wrong_lengths_are_refused_where_the_payload_means_something(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		enum control_kind kind = samples[i].message.kind;
		if (kind == CONTROL_REQUEST_IDR || kind == CONTROL_START_B ||
				kind == CONTROL_PING) {
			continue;
		}
		uint8_t bytes[130] = { 0 };
		size_t len = vector_bytes(samples[i].hex, bytes);
		struct control_message got;
		for (int change = -1; change <= 1; change += 2) {
			size_t changed = (size_t)((int)len + change);
			/* Said honestly in the length field, and not. */
			assert_int_equal(control_message_decode(
							 samples[i].from, bytes, changed, &got),
					-EBADMSG);
			struct writer w = writer_over(bytes + 2, 2);
			writer_le16(&w, (uint16_t)(changed - 4));
			assert_int_equal(control_message_decode(
							 samples[i].from, bytes, changed, &got),
					-EBADMSG);
			w = writer_over(bytes + 2, 2);
			writer_le16(&w, (uint16_t)(len - 4));
		}
	}
}

static void input_is_borrowed_and_unknown_types_are_skipped(void **state) {
	(void)state;
	uint8_t bytes[32];
	struct control_message got;
	size_t len = vector_bytes("06020300aabbcc", bytes);
	assert_int_equal(control_message_decode(CONTROL_CLIENT, bytes, len, &got), 0);
	assert_int_equal(got.kind, CONTROL_INPUT);
	assert_ptr_equal(got.input.data, bytes + 4);
	assert_int_equal(got.input.len, 3);
	/* Loss statistics of old clients, and the client's own words from the host. */
	len = vector_bytes("01020000", bytes);
	assert_int_equal(control_message_decode(CONTROL_CLIENT, bytes, len, &got), -ENOTSUP);
	len = vector_bytes("020302000000", bytes);
	assert_int_equal(control_message_decode(CONTROL_HOST, bytes, len, &got), -ENOTSUP);
}

static void an_invalidation_that_runs_backwards_is_refused(void **state) {
	(void)state;
	struct control_message message = { .kind = CONTROL_INVALIDATE, .invalidate = { 5, 4 } };
	uint8_t bytes[64];
	size_t len = 0;
	assert_int_equal(control_message_encode(&message, bytes, sizeof(bytes), &len), 0);
	assert_int_equal(control_message_decode(CONTROL_CLIENT, bytes, len, &message), -EBADMSG);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_vectors_of_both_directions_hold),
		UNIT(the_old_scheme_and_clear_messages_are_refused),
		UNIT(a_message_of_the_other_direction_is_refused),
		UNIT(every_truncation_and_every_extension_is_refused),
		UNIT(a_replay_is_refused_and_reordering_is_not),
		UNIT(sequences_stop_at_the_reserve_and_at_the_end),
		UNIT(every_message_is_encoded_and_decoded),
		UNIT(wrong_lengths_are_refused_where_the_payload_means_something),
		UNIT(input_is_borrowed_and_unknown_types_are_skipped),
		UNIT(an_invalidation_that_runs_backwards_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
