/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/own.h"
#include "supervisor/admission.h"

static const struct admission_limits limits = {
	.sessions = 32, .per_client = 4, .processor = true
};
static const struct admission_machine two_cores = {
	.processor_milli = 2000, .memory_total = 8000000000, .memory_free = 6000000000
};
static const struct admission_costs software = {
	.encoders = { { .name = "x264", .ns_per_kpx = 3000, .probed_ns_per_kpx = 3000 } },
	.encoders_count = 1,
	.rest_ns_per_kpx = 1500,
	.sound_milli = 40,
	.memory = 150000000,
};
static const struct admission_costs gpu_and_software = {
	.encoders = { { .name = "nvenc",
				      .ns_per_kpx = 100,
				      .device_ns_per_kpx = 900,
				      .sessions = 3 },
			{ .name = "x264", .ns_per_kpx = 3000 } },
	.encoders_count = 2,
	.rest_ns_per_kpx = 500,
	.memory = 150000000,
};
static const struct admission_form hd = { 1280, 720, 60000 };
static const struct admission_form uhd = { 3840, 2160, 60000 };

/* How many of a form are let in, one after the other; what was short at the end. */
static unsigned fill(const struct admission_limits *with, const struct admission_machine *machine,
		const struct admission_costs *costs, const struct admission_form *form,
		struct admission_answer *answer) {
	struct admission_session running[100];
	struct admission_session wanted = { .form = *form, .app_milli = 50 };
	unsigned count = 0;
	uint32_t first_capacity = 0;
	for (;;) {
		admission_decide(with, machine, costs, running, count, &wanted, answer);
		first_capacity = count ? first_capacity : answer->capacity;
		assert_int_equal(answer->used, count);
		/* What was said at the beginning stays true to the end. */
		assert_int_equal(answer->capacity, first_capacity);
		if (answer->what != ADMISSION_FITS) {
			return count;
		}
		assert_true(count < 100);
		running[count++] = wanted;
	}
}

static void as_many_as_keep_up_in_full_motion(void **state) {
	(void)state;
	struct admission_answer answer;
	unsigned count = fill(&limits, &two_cores, &software, &hd, &answer);
	uint32_t each = admission_processor_milli(&software, &hd, 50);
	assert_int_equal(each, 55296 * 4500ull / 1000000 + 40 + 50);
	assert_int_equal(count, 1700 / each);
	assert_int_equal(answer.what, ADMISSION_PROCESSOR);
	assert_true(count * each <= 1700 && (count + 1) * each > 1700);
	assert_int_equal(answer.processor_needs_milli, each);
}

static void one_is_always_let_in(void **state) {
	(void)state;
	struct admission_answer answer;
	const struct admission_machine slow = { .processor_milli = 100 };
	assert_int_equal(fill(&limits, &slow, &software, &uhd, &answer), 1);
	assert_int_equal(answer.what, ADMISSION_PROCESSOR);
}

static void a_smaller_picture_still_fits(void **state) {
	(void)state;
	struct admission_answer answer;
	struct admission_session running[8];
	for (int i = 0; i < 2; i++) {
		running[i] = (struct admission_session){ .form = { 1920, 1080, 60000 } };
	}
	struct admission_session wanted = { .form = { 1920, 1080, 60000 } };
	admission_decide(&limits, &two_cores, &software, running, 1, &wanted, &answer);
	assert_int_equal(answer.what, ADMISSION_FITS);
	admission_decide(&limits, &two_cores, &software, running, 2, &wanted, &answer);
	assert_int_equal(answer.what, ADMISSION_PROCESSOR);
	wanted.form = (struct admission_form){ 640, 360, 30000 };
	admission_decide(&limits, &two_cores, &software, running, 2, &wanted, &answer);
	assert_int_equal(answer.what, ADMISSION_FITS);
}

static void the_processor_may_be_left_out(void **state) {
	(void)state;
	struct admission_answer answer;
	struct admission_limits unmeasured = limits;
	unmeasured.processor = false;
	unmeasured.sessions = 20;
	assert_int_equal(fill(&unmeasured, &two_cores, &software, &uhd, &answer), 20);
	assert_int_equal(answer.what, ADMISSION_NUMBER);
}

/* One that is lossy gets an encoding of its own: that is encoding, and nothing else. */
static void one_more_encoding_is_no_session(void **state) {
	(void)state;
	struct admission_answer answer;
	struct admission_session running[8] = { { .form = hd }, { .form = hd }, { .form = hd } };
	struct admission_session wanted = { .form = hd, .encoding = true };
	struct admission_limits narrow = limits;
	narrow.sessions = 3;
	for (size_t count = 3; count < 8; count++) {
		admission_decide(&narrow, &two_cores, &software, running, count, &wanted, &answer);
		assert_int_equal(answer.used, 3);
		assert_int_equal(answer.processor_needs_milli, 165);
		bool fits = 3 * 288 + (count - 3 + 1) * 165 <= 1700;
		assert_int_equal(answer.what, fits ? ADMISSION_FITS : ADMISSION_PROCESSOR);
		running[count] = wanted;
	}
	assert_int_equal(answer.what, ADMISSION_FITS);
	/* What it takes counts for the next session. */
	struct admission_session session = { .form = hd };
	admission_decide(&limits, &two_cores, &software, running, 7, &session, &answer);
	assert_int_equal(answer.processor_used_milli, 3 * 288 + 4 * 165);
	assert_int_equal(answer.what, ADMISSION_PROCESSOR);
}

static void memory_counts_what_the_others_may_still_take(void **state) {
	(void)state;
	struct admission_answer answer;
	struct admission_machine small = {
		.processor_milli = 64000, .memory_total = 1000000000, .memory_free = 500000000
	};
	/* 50 MB are kept; each of those let in has taken nothing yet. */
	assert_int_equal(fill(&limits, &small, &software, &hd, &answer), 3);
	assert_int_equal(answer.what, ADMISSION_MEMORY);
	assert_int_equal(answer.memory_free, 0);
	struct admission_session grown = { .form = hd, .memory = 900000000 };
	struct admission_session wanted = { .form = hd };
	admission_decide(&limits, &small, &software, &grown, 1, &wanted, &answer);
	assert_int_equal(answer.what, ADMISSION_FITS);
	assert_int_equal(answer.memory_free, 450000000);
}

static void a_device_carries_so_many_and_the_processor_the_others(void **state) {
	(void)state;
	struct admission_answer answer;
	unsigned both = fill(&limits, &two_cores, &gpu_and_software, &hd, &answer);
	assert_int_equal(answer.what, ADMISSION_PROCESSOR);
	assert_true(both > 3);
	struct admission_costs gpu = gpu_and_software;
	gpu.encoders_count = 1;
	assert_int_equal(fill(&limits, &two_cores, &gpu, &hd, &answer), 3);
	assert_int_equal(answer.what, ADMISSION_DEVICE);
	/* Without a bound of sessions its time is one: 498 of 900 permille each at 4K. */
	gpu.encoders[0].sessions = 0;
	assert_int_equal(fill(&limits, &two_cores, &gpu, &uhd, &answer), 2);
	assert_int_equal(answer.what, ADMISSION_DEVICE);
}

static void a_client_has_its_own_limit(void **state) {
	(void)state;
	struct admission_answer answer;
	struct admission_limits two = limits;
	two.per_client = 2;
	two.processor = false;
	struct admission_session running[3] = { { .form = hd, .same_client = true }, { .form = hd },
		{ .form = hd, .same_client = true } };
	struct admission_session wanted = { .form = hd, .same_client = true };
	admission_decide(&two, &two_cores, &software, running, 2, &wanted, &answer);
	assert_int_equal(answer.what, ADMISSION_FITS);
	admission_decide(&two, &two_cores, &software, running, 3, &wanted, &answer);
	assert_int_equal(answer.what, ADMISSION_CLIENT);
}

static void a_greedy_app_counts_for_so_much_only(void **state) {
	(void)state;
	uint32_t greedy = admission_processor_milli(&software, &hd, 100000);
	uint32_t none = admission_processor_milli(&software, &hd, 0);
	assert_int_equal(greedy - none, ADMISSION_APP_MILLI_MAX);
}

static void dearer_is_learned_at_once_and_cheaper_slowly(void **state) {
	(void)state;
	uint32_t known = 1000;
	for (int i = 0; i < 20; i++) {
		known = admission_learn(known, 1000, 3000);
	}
	assert_true(known > 2900 && known <= 3000);
	known = admission_learn(known, 1000, 0);
	assert_true(known > 2700);
	for (int i = 0; i < 1000; i++) {
		known = admission_learn(known, 1000, 0);
	}
	assert_int_equal(known, 500); /* never below half of the probe's */
	assert_int_equal(admission_learn(0, 0, UINT64_MAX / 8), UINT32_MAX);
}

static void every_refusal_has_words_that_fit_a_dialog(void **state) {
	(void)state;
	for (int what = ADMISSION_FITS; what < ADMISSION_SHORTS; what++) {
		char words[160];
		struct admission_answer answer = { .what = (enum admission_short)what, .used = 6 };
		answer.memory_needs = 150000000;
		admission_words(&answer, &uhd, words, sizeof(words));
		assert_int_equal(what == ADMISSION_FITS, words[0] == '\0');
		assert_true(strlen(words) < sizeof(words) - 1);
		assert_true(what == ADMISSION_FITS || words[strlen(words) - 1] == '.');
		assert_non_null(admission_short_name((enum admission_short)what));
	}
	char words[160];
	struct admission_answer answer = { .what = ADMISSION_PROCESSOR, .used = 6 };
	admission_words(&answer, &hd, words, sizeof(words));
	assert_string_equal(words,
			"This host is full: 6 of 6. Its processor would not keep up with "
			"one more of 1280x720 at 60 Hz.");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(as_many_as_keep_up_in_full_motion),
		UNIT(one_is_always_let_in),
		UNIT(a_smaller_picture_still_fits),
		UNIT(the_processor_may_be_left_out),
		UNIT(one_more_encoding_is_no_session),
		UNIT(memory_counts_what_the_others_may_still_take),
		UNIT(a_device_carries_so_many_and_the_processor_the_others),
		UNIT(a_client_has_its_own_limit),
		UNIT(a_greedy_app_counts_for_so_much_only),
		UNIT(dearer_is_learned_at_once_and_cheaper_slowly),
		UNIT(every_refusal_has_words_that_fit_a_dialog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
