/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "media/probe.h"

static void every_name_gets_an_answer_with_a_reason(void **state) {
	(void)state;
	const char *at = "nvenc, vaapi,qsv,x264,nonesuch";
	const char *name;
	size_t len;
	unsigned count = 0;
	while (encoder_order_next(&at, &name, &len)) {
		struct probe probe;
		probe_encoder(name, len, &probe);
		printf("# %s: mask %x, %u us, %s\n", probe.name, probe.mask, probe.first_us,
				probe.detail.text);
		assert_true(probe.mask != 0 || probe.detail.text[0] != '\0');
		assert_int_equal(strlen(probe.name), len);
		count++;
	}
	assert_int_equal(count, 5);
}

static void software_offers_what_it_encodes(void **state) {
	(void)state;
	struct probe probe;
	if (!encoder_kind("x264", 4)) {
		SKIP("a build with x264");
	}
	probe_encoder("x264", 4, &probe);
	assert_int_equal(probe.mask, CODEC_BIT_H264 | CODEC_BIT_H264_444);
	assert_true(probe.reference_invalidation);
	assert_true(probe.first_us > 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_name_gets_an_answer_with_a_reason),
		UNIT(software_offers_what_it_encodes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
