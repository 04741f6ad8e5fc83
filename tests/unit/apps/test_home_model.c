/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/own.h"
#include "home_world.h"

static struct home_model fresh(void) {
	struct home_model model;
	struct home_world world = home_world_usual();
	home_begin(&model);
	assert_true(home_learn(&model, &world));
	return model;
}

/* As Ann, who has no PIN. */
static struct home_model inside(void) {
	struct home_model model = fresh();
	struct home_request request;
	home_click(&model, 0, &request);
	assert_int_equal(request.want, HOME_NOTHING);
	assert_int_equal(model.screen, HOME_MAIN);
	return model;
}

static struct home_page page_of(const struct home_model *model) {
	struct home_page page;
	home_show(model, &page);
	return page;
}

static struct home_request press(struct home_model *model, enum home_key key) {
	struct home_request request;
	home_press(model, key, &request);
	return request;
}

static struct home_request click(struct home_model *model, unsigned item) {
	struct home_request request;
	home_click(model, item, &request);
	return request;
}

static void before_it_knows_it_says_so_and_asks_nothing(void **state) {
	(void)state;
	struct home_model model;
	home_begin(&model);
	struct home_page page = page_of(&model);
	assert_int_equal(page.count, 0);
	assert_true(page.hint[0]);
	assert_int_equal(press(&model, HOME_ENTER).want, HOME_NOTHING);
	assert_true(home_lose(&model, "The host does not answer."));
	assert_false(home_lose(&model, "The host does not answer."));
	page = page_of(&model);
	assert_true(page.failed);
	assert_string_equal(page.hint, "The host does not answer.");
}

static void without_profiles_nobody_is_asked_who_they_are(void **state) {
	(void)state;
	struct home_model model;
	struct home_world world = home_world_usual();
	world.profiles_count = 0;
	home_begin(&model);
	home_learn(&model, &world);
	assert_int_equal(model.screen, HOME_MAIN);
}

static void a_profile_with_a_pin_asks_the_host(void **state) {
	(void)state;
	struct home_model model = fresh();
	assert_int_equal(model.screen, HOME_WHO);
	assert_int_equal(click(&model, 1).want, HOME_NOTHING);
	assert_int_equal(model.screen, HOME_PIN);
	home_type(&model, 0);
	home_type(&model, 4);
	struct home_request request = press(&model, HOME_ENTER);
	assert_int_equal(request.want, HOME_LOG_IN);
	assert_string_equal(request.id, "bob");
	assert_string_equal(request.pin, "04");
	assert_true(page_of(&model).busy);
	/* Nothing else goes out meanwhile, and the PIN is shown nowhere. */
	assert_int_equal(press(&model, HOME_ENTER).want, HOME_NOTHING);
	home_answer(&model, false, "The PIN is wrong.");
	assert_int_equal(model.screen, HOME_PIN);
	assert_string_equal(page_of(&model).hint, "The PIN is wrong.");
	assert_string_equal(page_of(&model).digits, "");
	home_type(&model, 7);
	assert_string_equal(page_of(&model).digits, "*");
	request = press(&model, HOME_ENTER);
	assert_string_equal(request.pin, "7");
	home_answer(&model, true, "");
	assert_int_equal(model.screen, HOME_MAIN);
	assert_string_equal(page_of(&model).title, "Hello, Bob");
}

static void the_keypad_types_as_well(void **state) {
	(void)state;
	struct home_model model = fresh();
	click(&model, 1);
	click(&model, 0);  /* 1 */
	click(&model, 10); /* 0 */
	click(&model, 8);  /* 9 */
	click(&model, 9);  /* Erase */
	assert_string_equal(model.asking.pin, "10");
	press(&model, HOME_ERASE);
	struct home_request request = click(&model, 11);
	assert_int_equal(request.want, HOME_LOG_IN);
	assert_string_equal(request.pin, "1");
}

static void no_more_digits_than_fit(void **state) {
	(void)state;
	struct home_model model = fresh();
	click(&model, 1);
	for (int i = 0; i < 2 * HOME_PIN_MAX; i++) {
		home_type(&model, 1);
	}
	assert_int_equal(strlen(model.asking.pin), HOME_PIN_MAX);
	press(&model, HOME_BACK);
	assert_string_equal(model.asking.pin, "");
	assert_int_equal(model.screen, HOME_WHO);
}

static void a_lobby_is_joined_and_stopped(void **state) {
	(void)state;
	struct home_model model = inside();
	click(&model, 0);
	assert_int_equal(model.screen, HOME_LOBBY);
	struct home_request request = press(&model, HOME_ENTER);
	assert_int_equal(request.want, HOME_JOIN);
	assert_string_equal(request.id, "l1");
	home_answer(&model, true, "");
	assert_int_equal(model.screen, HOME_MAIN);
	click(&model, 1); /* the one with a PIN */
	click(&model, 1);
	assert_int_equal(model.screen, HOME_PIN);
	home_type(&model, 5);
	request = press(&model, HOME_ENTER);
	assert_int_equal(request.want, HOME_STOP);
	assert_string_equal(request.id, "l2");
	assert_string_equal(request.pin, "5");
}

static void an_app_is_started_for_one_or_for_several(void **state) {
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		struct home_model model = inside();
		click(&model, 2 + 1);
		assert_int_equal(model.screen, HOME_APP);
		struct home_request request = click(&model, way);
		if (way == 2) {
			home_type(&model, 3);
			request = press(&model, HOME_ENTER);
			assert_string_equal(request.pin, "3");
		}
		assert_int_equal(request.want, HOME_CREATE);
		assert_string_equal(request.id, "2");
		assert_string_equal(request.name, "Terminal");
		assert_string_equal(request.profile, "ann");
		assert_int_equal(request.several, way > 0);
	}
}

static void what_cannot_be_is_not_asked_for(void **state) {
	(void)state;
	struct home_model model = inside();
	assert_int_equal(click(&model, 2 + 3).want, HOME_NOTHING); /* not installed */
	assert_int_equal(model.screen, HOME_MAIN);
	assert_string_equal(page_of(&model).items[5].detail, "Steam is not installed.");
	struct home_world world = home_world_usual();
	world.lobbies[0].one_at_a_time = true;
	home_learn(&model, &world);
	click(&model, 0);
	assert_int_equal(click(&model, 0).want, HOME_NOTHING);
	assert_false(page_of(&model).items[0].enabled);
	assert_int_equal(click(&model, 99).want, HOME_NOTHING);
}

/* Who made it may everything; of somebody else's what is private, nothing, and a PIN alone
 * lets others stop what is not. */
static void a_lobby_is_its_makers(void **state) {
	(void)state;
	static const struct {
		bool is_private, mine, pin, joins, stops;
	} rows[] = {
		{ true, true, false, true, true },
		{ true, false, false, false, false },
		{ true, false, true, false, false },
		{ false, true, false, true, true },
		{ false, false, false, true, false },
		{ false, false, true, true, true },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct home_model model = inside();
		struct home_world world = home_world_usual();
		world.lobbies[0].is_private = rows[i].is_private;
		world.lobbies[0].mine = rows[i].mine;
		world.lobbies[0].has_pin = rows[i].pin;
		home_learn(&model, &world);
		click(&model, 0);
		struct home_page page = page_of(&model);
		assert_int_equal(page.items[0].enabled, rows[i].joins);
		assert_int_equal(page.items[1].enabled, rows[i].stops);
		assert_true(page.items[2].enabled); /* Back */
	}
}

static void the_selection_goes_by_rows_and_groups(void **state) {
	(void)state;
	struct home_model model = inside();
	static const struct {
		enum home_key key;
		unsigned at;
	} steps[] = {
		{ HOME_UP, 0 },
		{ HOME_RIGHT, 1 },
		{ HOME_DOWN, 3 },
		{ HOME_RIGHT, 4 },
		{ HOME_UP, 1 },
		{ HOME_DOWN, 3 },
		{ HOME_DOWN, 5 },
		{ HOME_DOWN, 5 },
		{ HOME_RIGHT, 5 },
		{ HOME_LEFT, 4 },
	};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		press(&model, steps[i].key);
		assert_int_equal(page_of(&model).selected, steps[i].at);
	}
}

static void the_selection_stays_with_what_was_selected(void **state) {
	(void)state;
	struct home_model model = inside();
	home_point(&model, 3); /* Terminal */
	struct home_world world = home_world_usual();
	world.lobbies_count = 0;
	assert_true(home_learn(&model, &world));
	struct home_page page = page_of(&model);
	assert_string_equal(page.items[page.selected].label, "Terminal");
	assert_false(home_learn(&model, &world));
}

static void what_is_gone_takes_its_page_along(void **state) {
	(void)state;
	struct home_model model = inside();
	click(&model, 1);
	click(&model, 0);
	assert_int_equal(model.screen, HOME_PIN);
	struct home_world world = home_world_usual();
	world.lobbies_count = 1;
	home_learn(&model, &world);
	assert_int_equal(model.screen, HOME_MAIN);
	world.profiles[0] = world.profiles[1];
	world.profiles_count = 1;
	home_learn(&model, &world);
	assert_int_equal(model.screen, HOME_WHO);
}

static void who_is_there_may_change(void **state) {
	(void)state;
	struct home_model model = inside();
	/* The host is told, and whoever comes next does not wait for its answer. */
	assert_int_equal(press(&model, HOME_BACK).want, HOME_LOG_OUT);
	assert_int_equal(model.screen, HOME_WHO);
	assert_false(page_of(&model).busy);
	assert_int_equal(press(&model, HOME_BACK).want, HOME_NOTHING);
	assert_int_equal(model.screen, HOME_WHO);
}

/* Whatever is pressed in whatever order, the page has its selection, and nothing is asked
 * for twice. */
static void any_order_of_keys(void **state) {
	(void)state;
	struct home_model model = fresh();
	uint32_t seed = 20261126;
	for (int i = 0; i < 100000; i++) {
		seed = seed * 1664525 + 1013904223;
		unsigned what = seed >> 24, more = seed >> 8 & 0xff;
		bool busy = model.busy;
		struct home_request request = { .want = HOME_NOTHING };
		if (what < 150) {
			request = press(&model, (enum home_key)(what % HOME_KEYS));
		} else if (what < 180) {
			home_type(&model, more % 10);
		} else if (what < 220) {
			request = click(&model, more % 8);
		} else if (what < 230) {
			home_answer(&model, more & 1, "no");
		} else {
			struct home_world world = home_world_usual();
			world.lobbies_count = more % 3;
			world.apps_count = more / 3 % 5;
			world.profiles_count = more / 15 % 3;
			home_learn(&model, &world);
		}
		assert_false(busy && request.want != HOME_NOTHING);
		struct home_page page = page_of(&model);
		assert_true(page.count <= HOME_ITEMS_MAX);
		assert_true(page.count == 0 || page.selected < page.count);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(before_it_knows_it_says_so_and_asks_nothing),
		UNIT(without_profiles_nobody_is_asked_who_they_are),
		UNIT(a_profile_with_a_pin_asks_the_host),
		UNIT(the_keypad_types_as_well),
		UNIT(no_more_digits_than_fit),
		UNIT(a_lobby_is_joined_and_stopped),
		UNIT(an_app_is_started_for_one_or_for_several),
		UNIT(what_cannot_be_is_not_asked_for),
		UNIT(a_lobby_is_its_makers),
		UNIT(the_selection_goes_by_rows_and_groups),
		UNIT(the_selection_stays_with_what_was_selected),
		UNIT(what_is_gone_takes_its_page_along),
		UNIT(who_is_there_may_change),
		UNIT(any_order_of_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
