/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "media/cost.h"
#include "media/encoder.h"

enum {
	PLACES = 5,
	WORK_US = 2000,
};

/* What the kinds below share; a kind's functions have no other way to it. */
struct device {
	unsigned used, opened, pictures;
	bool broken;
};

static struct device *device(void) {
	static struct device *the;
	if (!the) {
		the = calloc(1, sizeof(*the));
	}
	return the;
}

static int fake_encode(struct encoder *encoder, const struct encoder_picture *picture, bool key,
		struct encoder_packet *out) {
	(void)encoder;
	(void)picture;
	(void)key;
	uint64_t until = clock_now_ns() + WORK_US * NS_PER_US;
	while (clock_now_ns() < until) {
	}
	*out = (struct encoder_packet){ .bytes = (const uint8_t *)"x", .size = 1 };
	device()->pictures++;
	return device()->broken && device()->pictures > 2 ? -EPROTO : 0;
}

static void fake_close(struct encoder *encoder) {
	device()->used--;
	free(encoder);
}

static int fake_open(const struct ipc_encoding *encoding, struct encoder_detail *detail,
		struct encoder **out) {
	(void)encoding;
	(void)detail;
	if (device()->used == PLACES) {
		return -EBUSY;
	}
	*out = calloc(1, sizeof(**out));
	static const struct encoder_kind kind = { .encode = fake_encode, .close = fake_close };
	(*out)->kind = &kind;
	device()->used++;
	device()->opened++;
	return 0;
}

static const struct encoder_kind on_device = { .name = "fake", .device = true, .open = fake_open };
static const struct encoder_kind in_software = { .name = "fake", .open = fake_open };

static int begin(void **state) {
	(void)state;
	*device() = (struct device){ 0 };
	return 0;
}

static void a_device_is_asked_until_it_refuses(void **state) {
	(void)state;
	struct cost cost;
	cost_measure(&on_device, &cost);
	assert_int_equal(cost.sessions, PLACES);
	assert_int_equal(device()->used, 0);
	assert_in_range(cost.pictures, COST_PICTURES_MIN, COST_PICTURES);
	/* 2 ms for 921600 pixels, or more on a busy machine. */
	assert_true(cost.device_ns_per_kpx >= WORK_US * 1000 / 922);
	assert_true(cost.convert_ns_per_kpx > 0);
}

static void software_has_no_places(void **state) {
	(void)state;
	struct cost cost;
	cost_measure(&in_software, &cost);
	assert_int_equal(cost.sessions, 0);
	assert_int_equal(cost.device_ns_per_kpx, 0);
	assert_true(cost.encode_ns_per_kpx > 0);
	assert_int_equal(device()->opened, 1);
}

static void what_breaks_off_is_not_measured(void **state) {
	(void)state;
	struct cost cost;
	device()->broken = true;
	cost_measure(&on_device, &cost);
	assert_int_equal(cost.pictures, 0);
	assert_int_equal(cost.sessions, 0);
	assert_int_equal(device()->used, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_device_is_asked_until_it_refuses, begin),
		cmocka_unit_test_setup(software_has_no_places, begin),
		cmocka_unit_test_setup(what_breaks_off_is_not_measured, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
