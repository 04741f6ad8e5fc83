/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "proto/gcm.h"
#include "vector.h"

static void the_rtsp_vector_is_sealed_and_opened(void **state) {
	(void)state;
	struct secret key = vector_key();
	OWN(gcm_destroy) struct gcm *seal = NULL;
	OWN(gcm_destroy) struct gcm *open = NULL;
	assert_int_equal(gcm_create(&key, GCM_SEAL, &seal), 0);
	assert_int_equal(gcm_create(&key, GCM_OPEN, &open), 0);

	const char text[] = "PLAY / RTSP/1.0\r\nCSeq: 7\r\n\r\n";
	uint8_t iv[GCM_IV_SIZE], tag[GCM_TAG_SIZE], out[64], back[64];
	vector_bytes("010000000000000000004352", iv);
	size_t len = strlen(text);
	/* Twice: nothing of one packet may stay in the context for the next. */
	for (int i = 0; i < 2; i++) {
		gcm_seal(seal, iv, text, len, out, tag);
		assert_bytes(tag, sizeof(tag), "0d1b8ac1f1ae5cb1305c3f2ea6aaff2b");
		assert_bytes(out, len, "80f84710552361140fce80d2a7a5e95e84c7b8b90ea01866a636b00b");
		assert_int_equal(gcm_open(open, iv, tag, out, len, back), 0);
		assert_memory_equal(back, text, len);
	}
}

static void any_changed_bit_is_refused_and_nothing_is_shown(void **state) {
	(void)state;
	struct secret key = vector_key();
	OWN(gcm_destroy) struct gcm *seal = NULL;
	OWN(gcm_destroy) struct gcm *open = NULL;
	assert_int_equal(gcm_create(&key, GCM_SEAL, &seal), 0);
	assert_int_equal(gcm_create(&key, GCM_OPEN, &open), 0);

	uint8_t iv[GCM_IV_SIZE] = { 9 }, tag[GCM_TAG_SIZE], bytes[7] = "secret", zeros[7] = { 0 };
	gcm_seal(seal, iv, bytes, sizeof(bytes), bytes, tag);
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		uint8_t changed[7], out[7];
		memcpy(changed, bytes, sizeof(changed));
		changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(out, 0xAA, sizeof(out));
		assert_int_equal(gcm_open(open, iv, tag, changed, sizeof(changed), out), -EBADMSG);
		assert_memory_equal(out, zeros, sizeof(out));
	}
	tag[15] ^= 1;
	assert_int_equal(gcm_open(open, iv, tag, bytes, sizeof(bytes), bytes), -EBADMSG);
}

static void sealing_in_place_and_opening_in_place_agree(void **state) {
	(void)state;
	struct secret key = vector_key();
	OWN(gcm_destroy) struct gcm *seal = NULL;
	OWN(gcm_destroy) struct gcm *open = NULL;
	assert_int_equal(gcm_create(&key, GCM_SEAL, &seal), 0);
	assert_int_equal(gcm_create(&key, GCM_OPEN, &open), 0);
	uint8_t iv[GCM_IV_SIZE] = { 1 }, tag[GCM_TAG_SIZE], bytes[1408], copy[1408];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = copy[i] = (uint8_t)(i * 7);
	}
	gcm_seal(seal, iv, bytes, sizeof(bytes), bytes, tag);
	assert_memory_not_equal(bytes, copy, sizeof(bytes));
	assert_int_equal(gcm_open(open, iv, tag, bytes, sizeof(bytes), bytes), 0);
	assert_memory_equal(bytes, copy, sizeof(bytes));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_rtsp_vector_is_sealed_and_opened),
		UNIT(any_changed_bit_is_refused_and_nothing_is_shown),
		UNIT(sealing_in_place_and_opening_in_place_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
