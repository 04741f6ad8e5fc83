/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "supervisor/exposition.h"

/* Tests run one after the other. */
static char text[4096];

static void end(struct exposition *out) {
	text[exposition_end(out)] = '\0';
}

static void a_family_has_help_type_and_samples(void **state) {
	(void)state;
	struct exposition out = exposition_over(text, sizeof(text) - 1);
	exposition_family(&out, "perigee_sessions", EXPOSITION_GAUGE, "Sessions by state.");
	exposition_number(&out,
			(struct exposition_label[]){
					{ "state", "paused" }, { "kind", "a" }, { 0 } },
			3);
	exposition_family(&out, "perigee_up_seconds", EXPOSITION_COUNTER, "Time.");
	exposition_fraction(&out, NULL, 1500000000, 1000000000);
	exposition_fraction(&out, NULL, 7, 1000000000);
	end(&out);
	assert_string_equal(text, "# HELP perigee_sessions Sessions by state.\n"
				  "# TYPE perigee_sessions gauge\n"
				  "perigee_sessions{state=\"paused\",kind=\"a\"} 3\n"
				  "# HELP perigee_up_seconds Time.\n"
				  "# TYPE perigee_up_seconds counter\n"
				  "perigee_up_seconds 1.5\n"
				  "perigee_up_seconds 0.000000007\n");
	assert_int_equal(out.samples, 3);
}

static void labels_are_escaped(void **state) {
	(void)state;
	struct exposition out = exposition_over(text, sizeof(text) - 1);
	exposition_family(&out, "m", EXPOSITION_GAUGE, "h");
	exposition_number(&out, (struct exposition_label[]){ { "l", "a\"b\\c\nd" }, { 0 } }, 1);
	end(&out);
	assert_non_null(strstr(text, "m{l=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

static void a_histogram_adds_up(void **state) {
	(void)state;
	static const uint64_t bounds[] = { 500000, 1000000, 133000000 };
	static const uint64_t classes[] = { 1, 2, 0, 4 };
	struct exposition out = exposition_over(text, sizeof(text) - 1);
	exposition_family(&out, "m", EXPOSITION_HISTOGRAM, "h");
	struct exposition_histogram histogram = { bounds, 3, classes, 2500000000, 1000000000 };
	exposition_histogram(&out, (struct exposition_label[]){ { "stage", "encode" }, { 0 } },
			&histogram);
	end(&out);
	assert_string_equal(strchr(strchr(text, '\n') + 1, '\n') + 1,
			"m_bucket{stage=\"encode\",le=\"0.0005\"} 1\n"
			"m_bucket{stage=\"encode\",le=\"0.001\"} 3\n"
			"m_bucket{stage=\"encode\",le=\"0.133\"} 3\n"
			"m_bucket{stage=\"encode\",le=\"+Inf\"} 7\n"
			"m_sum{stage=\"encode\"} 2.5\n"
			"m_count{stage=\"encode\"} 7\n");
}

static void what_does_not_fit_ends_at_a_whole_line(void **state) {
	(void)state;
	for (size_t size = 0; size < 80; size++) {
		struct exposition out = exposition_over(text, size);
		exposition_family(&out, "m", EXPOSITION_GAUGE, "help");
		exposition_number(&out, NULL, 12345);
		exposition_number(&out, NULL, 67890);
		size_t len = exposition_end(&out);
		assert_true(len <= size);
		assert_true(len == 0 || text[len - 1] == '\n');
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_family_has_help_type_and_samples),
		UNIT(labels_are_escaped),
		UNIT(a_histogram_adds_up),
		UNIT(what_does_not_fit_ends_at_a_whole_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
