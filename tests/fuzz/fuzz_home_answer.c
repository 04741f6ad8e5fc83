/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "apps/home_link.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ended, and well-formed UTF-8 (of nothing else jansson makes a string), also where it was cut. */
static void check_text(const char *text, size_t size) {
	assert(memchr(text, '\0', size));
	json_t *string = json_string(text);
	assert(string);
	json_decref(string);
}

static void check_page(const struct home_page *page) {
	assert(page->count <= HOME_ITEMS_MAX && page->selected <= page->count);
	check_text(page->title, sizeof(page->title));
	check_text(page->hint, sizeof(page->hint));
	for (unsigned i = 0; i < page->count; i++) {
		check_text(page->items[i].label, sizeof(page->items[i].label));
		check_text(page->items[i].detail, sizeof(page->items[i].detail));
	}
}

static void check_world(const struct home_world *world) {
	assert(world->profiles_count <= HOME_PROFILES_MAX);
	assert(world->apps_count <= HOME_APPS_MAX);
	assert(world->lobbies_count <= HOME_LOBBIES_MAX);
	for (size_t i = 0; i < HOME_PROFILES_MAX; i++) {
		check_text(world->profiles[i].id, sizeof(world->profiles[i].id));
		check_text(world->profiles[i].name, sizeof(world->profiles[i].name));
	}
	for (size_t i = 0; i < HOME_APPS_MAX; i++) {
		check_text(world->apps[i].id, sizeof(world->apps[i].id));
		check_text(world->apps[i].title, sizeof(world->apps[i].title));
		check_text(world->apps[i].why_not, sizeof(world->apps[i].why_not));
	}
	for (size_t i = 0; i < HOME_LOBBIES_MAX; i++) {
		check_text(world->lobbies[i].id, sizeof(world->lobbies[i].id));
		check_text(world->lobbies[i].name, sizeof(world->lobbies[i].name));
		check_text(world->lobbies[i].who, sizeof(world->lobbies[i].who));
	}
}

/* A request is whole or there is none: no half of one goes out. */
static void ask(const struct home_request *request) {
	char text[HOME_REQUEST_MAX];
	int len = home_link_write(request, text, sizeof(text));
	assert(len > 0 ? (size_t)len == strlen(text) && strstr(text, "\r\n\r\n") : len == -ENOSPC);
}

/* A person who chooses an item, and on the page that it opens the first that can be. */
static void choose(struct home_model model, unsigned item) {
	for (int depth = 0; depth < 3; depth++) {
		struct home_request request;
		struct home_page page;
		home_click(&model, item, &request);
		if (request.want != HOME_NOTHING) {
			ask(&request);
			return;
		}
		home_show(&model, &page);
		check_page(&page);
		home_type(&model, 7);
		item = page.selected;
	}
}

/* Whatever a host says is refused, or it can be shown and chosen from. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct home_said said, again;
	int rc = home_link_read((const char *)data, size, &said);
	assert(rc == 0 || rc == -EBADMSG);
	check_text(said.words, sizeof(said.words));
	check_text(said.lobby, sizeof(said.lobby));
	check_world(&said.world);
	if (rc < 0) {
		return 0;
	}
	/* The same answer is the same world, byte for byte: nothing is drawn anew. */
	assert(home_link_read((const char *)data, size, &again) == 0);
	assert(memcmp(&said.world, &again.world, sizeof(said.world)) == 0);
	struct home_model model;
	home_begin(&model);
	assert(home_learn(&model, &said.world) && !home_learn(&model, &again.world));
	struct home_page page;
	home_show(&model, &page);
	check_page(&page);
	for (unsigned i = 0; i < page.count; i++) {
		choose(model, i);
	}
	return 0;
}
