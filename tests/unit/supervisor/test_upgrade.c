/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/text.h"
#include "supervisor/compat.h"
#include "supervisor/upgrade_life.h"

static void a_version_goes_on_with_its_own(void **state) {
	(void)state;
	char facts[COMPAT_FACTS_MAX], words[200] = "";
	compat_facts(facts, sizeof(facts));
	assert_int_equal(compat_judge(facts, words, sizeof(words)), 0);
	assert_string_equal(words, "");
}

static void expect_words(const char *facts, const char *words) {
	char said[200] = "";
	assert_int_equal(compat_judge(facts, said, sizeof(said)), -EPROTO);
	assert_non_null(strstr(said, words));
}

static void another_layout_is_refused_with_words(void **state) {
	(void)state;
	char facts[COMPAT_FACTS_MAX];
	compat_facts(facts, sizeof(facts));
	char *ring = strstr(facts, "ring=");
	assert_non_null(ring);
	ring[5] = '9';
	expect_words(facts, "its encoders' packets");
	ring[5] = '0';
	expect_words(facts, "of layout 0");
	ring[5] = 'x';
	expect_words(facts, "ring=x");
}

static void what_it_does_not_know_is_refused(void **state) {
	(void)state;
	char facts[COMPAT_FACTS_MAX];
	compat_facts(facts, sizeof(facts));
	text_format(facts + strlen(facts), sizeof(facts) - strlen(facts), " lake=3");
	expect_words(facts, "lake=3");
	expect_words("", "does not say");
	expect_words("messages=1", "does not say");
	expect_words("ledger", "ledger");
}

/* Every cell, as somebody thought of it. */
static void every_phase_meets_every_event(void **state) {
	(void)state;
	/* clang-format off */
	static const enum upgrade_action actions[UPGRADE_PHASES][UPGRADE_EVENTS] = {
		/*                    ASKED           FITS               UNFIT           ARRIVED            STAYED           READY */
		[UPGRADE_NONE]     = { UPGRADE_CHECK,  UPGRADE_REFUSE,    UPGRADE_REFUSE, UPGRADE_IGNORE,    UPGRADE_IGNORE,  UPGRADE_REFUSE },
		[UPGRADE_CHECKING] = { UPGRADE_REFUSE, UPGRADE_HAND_OVER, UPGRADE_ANSWER, UPGRADE_REFUSE,    UPGRADE_REFUSE,  UPGRADE_REFUSE },
		[UPGRADE_HANDING]  = { UPGRADE_REFUSE, UPGRADE_REFUSE,    UPGRADE_REFUSE, UPGRADE_TAKE_OVER, UPGRADE_GO_BACK, UPGRADE_REFUSE },
		[UPGRADE_TAKING]   = { UPGRADE_REFUSE, UPGRADE_REFUSE,    UPGRADE_REFUSE, UPGRADE_TAKE_OVER, UPGRADE_GO_BACK, UPGRADE_FINISH },
		[UPGRADE_DONE]     = { UPGRADE_CHECK,  UPGRADE_REFUSE,    UPGRADE_REFUSE, UPGRADE_IGNORE,    UPGRADE_GO_BACK, UPGRADE_REFUSE },
		[UPGRADE_BACK]     = { UPGRADE_CHECK,  UPGRADE_REFUSE,    UPGRADE_REFUSE, UPGRADE_IGNORE,    UPGRADE_IGNORE,  UPGRADE_REFUSE },
	};
	static const enum upgrade_phase next[] = {
		[UPGRADE_CHECK] = UPGRADE_CHECKING, [UPGRADE_HAND_OVER] = UPGRADE_HANDING,
		[UPGRADE_ANSWER] = UPGRADE_NONE, [UPGRADE_TAKE_OVER] = UPGRADE_TAKING,
		[UPGRADE_GO_BACK] = UPGRADE_BACK, [UPGRADE_FINISH] = UPGRADE_DONE,
	};
	/* clang-format on */
	for (int phase = 0; phase < UPGRADE_PHASES; phase++) {
		for (int event = 0; event < UPGRADE_EVENTS; event++) {
			enum upgrade_phase at = (enum upgrade_phase)phase;
			enum upgrade_action action = upgrade_step(&at, (enum upgrade_event)event);
			assert_int_equal(action, actions[phase][event]);
			assert_int_equal(at, action > UPGRADE_IGNORE ? (int)next[action] : phase);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_version_goes_on_with_its_own),
		UNIT(another_layout_is_refused_with_words),
		UNIT(what_it_does_not_know_is_refused),
		UNIT(every_phase_meets_every_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
