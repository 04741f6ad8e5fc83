/* SPDX-License-Identifier: MIT */
#ifndef TESTS_HOME_WORLD_H
#define TESTS_HOME_WORLD_H

#include "apps/home_model.h"

/* A host with two people, two lobbies and four apps. */
static inline struct home_world home_world_usual(void) {
	return (struct home_world){
		.profiles = { { "ann", "Ann", false }, { "bob", "Bob", true } },
		.profiles_count = 2,
		.lobbies = { { .id = "l1",
					     .name = "Together",
					     .ready = true,
					     .members = 2,
					     .who = "Ann, Bob" },
				{ .id = "l2", .name = "Locked", .ready = true, .has_pin = true } },
		.lobbies_count = 2,
		.apps = { { "1", "Desktop", true, "" }, { "2", "Terminal", true, "" },
				{ "3", "Pattern", true, "" },
				{ "4", "Steam", false, "Steam is not installed." } },
		.apps_count = 4,
	};
}

#endif
