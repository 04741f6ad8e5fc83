/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "proto/cbc.h"
#include "vector.h"

static void the_audio_vector_is_sealed_and_opened(void **state) {
	(void)state;
	struct secret key = vector_key();
	OWN(cbc_destroy) struct cbc *seal = NULL;
	OWN(cbc_destroy) struct cbc *open = NULL;
	assert_int_equal(cbc_create(&key, CBC_SEAL, &seal), 0);
	assert_int_equal(cbc_create(&key, CBC_OPEN, &open), 0);

	/* rikeyid 0x12345678, sequence 5 */
	uint8_t iv[CBC_IV_SIZE] = { 0x12, 0x34, 0x56, 0x7d };
	uint8_t text[] = { 0xaa, 0xbb, 0xcc }, out[16], back[16];
	for (int i = 0; i < 2; i++) {
		cbc_seal(seal, iv, text, sizeof(text), out);
		assert_bytes(out, sizeof(out), "2da372dfb368759826a678c45eb2ed84");
		size_t len = 0;
		assert_int_equal(cbc_open(open, iv, out, sizeof(out), back, &len), 0);
		assert_int_equal(len, sizeof(text));
		assert_memory_equal(back, text, len);
	}
}

static void every_length_survives_the_round_trip(void **state) {
	(void)state;
	struct secret key = vector_key();
	OWN(cbc_destroy) struct cbc *seal = NULL;
	OWN(cbc_destroy) struct cbc *open = NULL;
	assert_int_equal(cbc_create(&key, CBC_SEAL, &seal), 0);
	assert_int_equal(cbc_create(&key, CBC_OPEN, &open), 0);
	uint8_t iv[CBC_IV_SIZE] = { 0 }, text[100], out[112], back[112];
	memset(text, 0x5a, sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len++) {
		size_t got = 999;
		cbc_seal(seal, iv, text, len, out);
		assert_int_equal(cbc_open(open, iv, out, cbc_sealed_size(len), back, &got), 0);
		assert_int_equal(got, len);
		assert_memory_equal(back, text, len);
	}
}

static void broken_lengths_and_padding_are_refused(void **state) {
	(void)state;
	struct secret key = vector_key();
	OWN(cbc_destroy) struct cbc *open = NULL;
	assert_int_equal(cbc_create(&key, CBC_OPEN, &open), 0);
	uint8_t iv[CBC_IV_SIZE] = { 0 }, junk[32] = { 1 }, out[32];
	size_t len = 0;
	assert_int_equal(cbc_open(open, iv, junk, 0, out, &len), -EBADMSG);
	assert_int_equal(cbc_open(open, iv, junk, 15, out, &len), -EBADMSG);
	assert_int_equal(cbc_open(open, iv, junk, 32, out, &len), -EBADMSG);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_audio_vector_is_sealed_and_opened),
		UNIT(every_length_survives_the_round_trip),
		UNIT(broken_lengths_and_padding_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
