/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "proto/rtsp_seal.h"

static const struct secret key = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };
static const char play[] = "PLAY / RTSP/1.0\r\nCSeq: 7\r\n\r\n";

/* Made with another program from the client's source: key 00..0f, client, sequence 1. */
static const char vector[] = "8000001C"
			     "00000001"
			     "0D1B8AC1F1AE5CB1305C3F2EA6AAFF2B"
			     "80F84710552361140FCE80D2A7A5E95E84C7B8B90EA01866A636B00B";

enum {
	PLAY_LEN = sizeof(play) - 1,
	SEALED_LEN = RTSP_SEAL_HEADER + PLAY_LEN,
};

struct pair {
	struct rtsp_seal client, host;
};

static struct pair pair_make(void) {
	struct pair pair;
	assert_int_equal(rtsp_seal_init(&pair.client, RTSP_SEAL_CLIENT, &key), 0);
	assert_int_equal(rtsp_seal_init(&pair.host, RTSP_SEAL_HOST, &key), 0);
	return pair;
}

static void pair_finish(struct pair *pair) {
	rtsp_seal_finish(&pair->client);
	rtsp_seal_finish(&pair->host);
}

static void the_vector_is_made_and_opened(void **state) {
	(void)state;
	struct pair pair = pair_make();
	uint8_t sealed[SEALED_LEN], text[RTSP_SEAL_PLAIN_MAX];
	char hex[2 * SEALED_LEN + 1];
	assert_int_equal(rtsp_seal_close(&pair.client, play, PLAY_LEN, sealed), SEALED_LEN);
	hex_encode(sealed, sizeof(sealed), hex);
	assert_string_equal(hex, vector);
	assert_int_equal(rtsp_seal_measure(sealed, sizeof(sealed)), SEALED_LEN);
	assert_int_equal(rtsp_seal_open(&pair.host, sealed, sizeof(sealed), text), PLAY_LEN);
	assert_memory_equal(text, play, PLAY_LEN);
	pair_finish(&pair);
}

static void both_directions_count_for_themselves(void **state) {
	(void)state;
	struct pair pair = pair_make();
	uint8_t sealed[SEALED_LEN], text[RTSP_SEAL_PLAIN_MAX];
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(rtsp_seal_close(&pair.client, play, PLAY_LEN, sealed), SEALED_LEN);
		assert_int_equal(rtsp_seal_open(&pair.host, sealed, SEALED_LEN, text), PLAY_LEN);
		assert_int_equal(rtsp_seal_close(&pair.host, play, PLAY_LEN, sealed), SEALED_LEN);
		assert_int_equal(rtsp_seal_open(&pair.client, sealed, SEALED_LEN, text), PLAY_LEN);
		assert_int_equal(pair.host.received, i);
		assert_int_equal(pair.client.received, i);
	}
	pair_finish(&pair);
}

static void a_replay_is_refused(void **state) {
	(void)state;
	struct pair pair = pair_make();
	uint8_t first[SEALED_LEN], second[SEALED_LEN], text[RTSP_SEAL_PLAIN_MAX];
	assert_int_equal(rtsp_seal_close(&pair.client, play, PLAY_LEN, first), SEALED_LEN);
	assert_int_equal(rtsp_seal_close(&pair.client, play, PLAY_LEN, second), SEALED_LEN);
	assert_int_equal(rtsp_seal_open(&pair.host, second, SEALED_LEN, text), PLAY_LEN);
	assert_int_equal(rtsp_seal_open(&pair.host, second, SEALED_LEN, text), -EPROTO);
	assert_int_equal(rtsp_seal_open(&pair.host, first, SEALED_LEN, text), -EPROTO);
	pair_finish(&pair);
}

static void our_own_words_do_not_open(void **state) {
	(void)state;
	struct pair pair = pair_make();
	uint8_t sealed[SEALED_LEN], text[RTSP_SEAL_PLAIN_MAX];
	assert_int_equal(rtsp_seal_close(&pair.host, play, PLAY_LEN, sealed), SEALED_LEN);
	assert_int_equal(rtsp_seal_open(&pair.host, sealed, SEALED_LEN, text), -EBADMSG);
	pair_finish(&pair);
}

static void any_changed_bit_is_refused_and_changes_nothing(void **state) {
	(void)state;
	struct pair pair = pair_make();
	uint8_t sealed[SEALED_LEN], text[RTSP_SEAL_PLAIN_MAX];
	assert_int_equal(rtsp_seal_close(&pair.client, play, PLAY_LEN, sealed), SEALED_LEN);
	for (size_t bit = 0; bit < 8 * SEALED_LEN; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(rtsp_seal_open(&pair.host, sealed, SEALED_LEN, text), -EBADMSG);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < SEALED_LEN; len++) {
		assert_int_equal(rtsp_seal_open(&pair.host, sealed, len, text), -EBADMSG);
	}
	assert_int_equal(pair.host.received, 0);
	assert_int_equal(rtsp_seal_open(&pair.host, sealed, SEALED_LEN, text), PLAY_LEN);
	pair_finish(&pair);
}

static void a_plain_request_is_no_envelope(void **state) {
	(void)state;
	static const uint8_t empty[] = { 0x80, 0, 0, 0 };
	static const uint8_t most[] = { 0x80, 0, 0x40, 0 };
	static const uint8_t more[] = { 0x80, 0, 0x40, 1 };
	assert_int_equal(rtsp_seal_measure(play, 1), -EBADMSG);
	assert_int_equal(rtsp_seal_measure(play, PLAY_LEN), -EBADMSG);
	assert_int_equal(rtsp_seal_measure(most, 3), -EAGAIN);
	assert_int_equal(rtsp_seal_measure(most, 4), RTSP_SEAL_MAX);
	assert_int_equal(rtsp_seal_measure(more, 4), -ENOSPC);
	assert_int_equal(rtsp_seal_measure(empty, 4), -EBADMSG);
}

static void sequence_numbers_do_not_come_round(void **state) {
	(void)state;
	struct pair pair = pair_make();
	uint8_t sealed[SEALED_LEN];
	pair.client.sent = UINT32_MAX - 1;
	assert_int_equal(rtsp_seal_close(&pair.client, play, PLAY_LEN, sealed), SEALED_LEN);
	assert_int_equal(rtsp_seal_close(&pair.client, play, PLAY_LEN, sealed), -EPROTO);
	assert_int_equal(rtsp_seal_close(&pair.host, play, 0, sealed), -EINVAL);
	pair_finish(&pair);
	rtsp_seal_finish(&pair.client);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_vector_is_made_and_opened),
		UNIT(both_directions_count_for_themselves),
		UNIT(a_replay_is_refused),
		UNIT(our_own_words_do_not_open),
		UNIT(any_changed_bit_is_refused_and_changes_nothing),
		UNIT(a_plain_request_is_no_envelope),
		UNIT(sequence_numbers_do_not_come_round),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
