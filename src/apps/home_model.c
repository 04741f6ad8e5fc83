/* SPDX-License-Identifier: MIT */
#include "apps/home_model.h"

#include <string.h>

#include "base/own.h"
#include "base/text.h"

enum {
	KEYPAD_COLUMNS = 3,
	LIST_COLUMNS = 3,
	KEYPAD_ERASE = 9,
	KEYPAD_ZERO = 10,
	KEYPAD_DONE = 11,
	GROUP_LOBBIES = 0,
	GROUP_APPS = 1,
	PIN_MIN = 1,
};

/* ---- finding ---- */

static const struct home_lobby *find_lobby(const struct home_model *model) {
	for (unsigned i = 0; i < model->world.lobbies_count; i++) {
		if (strcmp(model->world.lobbies[i].id, model->chosen) == 0) {
			return &model->world.lobbies[i];
		}
	}
	return NULL;
}

static const struct home_app *find_app(const struct home_model *model) {
	for (unsigned i = 0; i < model->world.apps_count; i++) {
		if (strcmp(model->world.apps[i].id, model->chosen) == 0) {
			return &model->world.apps[i];
		}
	}
	return NULL;
}

/* ---- pages ---- */

static struct home_item *add(struct home_page *page, const char *label, const char *detail) {
	struct home_item *item = &page->items[page->count];
	*item = (struct home_item){ .enabled = true };
	text_copy(item->label, sizeof(item->label), label);
	text_copy(item->detail, sizeof(item->detail), detail);
	page->count += page->count + 1 < HOME_ITEMS_MAX;
	return item;
}

static void show_who(const struct home_model *model, struct home_page *page) {
	text_copy(page->title, sizeof(page->title), "Who is there?");
	page->columns = LIST_COLUMNS;
	for (unsigned i = 0; i < model->world.profiles_count; i++) {
		const struct home_profile *profile = &model->world.profiles[i];
		add(page, profile->name, profile->has_pin ? "with a PIN" : "");
	}
}

static void describe_lobby(const struct home_lobby *lobby, char *out, size_t size) {
	const char *state = lobby->paused    ? "paused"
			    : !lobby->ready  ? "starting"
			    : lobby->members ? lobby->who
					     : "nobody in it";
	text_format(out, size, "%s%s%s", state,
			lobby->is_private      ? lobby->mine ? " · for you" : " · private"
			: lobby->one_at_a_time ? " · for one"
					       : "",
			lobby->has_pin ? " · PIN" : "");
}

static void show_main(const struct home_model *model, struct home_page *page) {
	if (model->profile_name[0]) {
		text_format(page->title, sizeof(page->title), "Hello, %s", model->profile_name);
	} else {
		text_copy(page->title, sizeof(page->title), "Home");
	}
	page->columns = LIST_COLUMNS;
	page->groups[GROUP_LOBBIES] = "Running";
	page->groups[GROUP_APPS] = "Apps";
	for (unsigned i = 0; i < model->world.lobbies_count; i++) {
		const struct home_lobby *lobby = &model->world.lobbies[i];
		char detail[HOME_WORDS_SIZE];
		describe_lobby(lobby, detail, sizeof(detail));
		add(page, lobby->name, detail)->group = GROUP_LOBBIES;
	}
	for (unsigned i = 0; i < model->world.apps_count; i++) {
		const struct home_app *app = &model->world.apps[i];
		struct home_item *item = add(page, app->title, app->installed ? "" : app->why_not);
		item->group = GROUP_APPS;
		item->enabled = app->installed;
	}
	if (page->count == 0) {
		text_copy(page->hint, sizeof(page->hint),
				"There is nothing to start on this host.");
	}
}

static void show_lobby(const struct home_model *model, struct home_page *page) {
	const struct home_lobby *lobby = find_lobby(model);
	bool full = lobby && lobby->one_at_a_time && lobby->members;
	bool closed = lobby && lobby->is_private && !lobby->mine;
	bool stops = lobby && (lobby->mine || (lobby->has_pin && !closed));
	page->columns = 1;
	text_copy(page->title, sizeof(page->title), lobby ? lobby->name : "");
	if (lobby) {
		describe_lobby(lobby, page->hint, sizeof(page->hint));
	}
	static const char makers[] = "only who made it can";
	add(page, "Join",
			closed ? makers
			: full ? "somebody is in it"
			       : "")
			->enabled = lobby && lobby->ready && !full && !closed;
	add(page, "Stop", stops ? "everybody in it goes home" : makers)->enabled = stops;
	add(page, "Back", "");
}

static void show_app(const struct home_model *model, struct home_page *page) {
	const struct home_app *app = find_app(model);
	page->columns = 1;
	text_copy(page->title, sizeof(page->title), app ? app->title : "");
	add(page, "For me", "nobody else gets in");
	add(page, "For several", "others can join");
	add(page, "For several, with a PIN", "others must know it");
	add(page, "Back", "");
}

static void show_pin(const struct home_model *model, struct home_page *page) {
	static const char *const labels[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", "Erase",
		"0", "Done" };
	page->columns = KEYPAD_COLUMNS;
	text_format(page->title, sizeof(page->title), "PIN of %s", model->asking.name);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		add(page, labels[i], "")->key = true;
	}
	size_t typed = strlen(model->asking.pin);
	memset(page->digits, '*', typed);
	page->items[KEYPAD_DONE].enabled = typed >= PIN_MIN;
}

static void (*const shows[HOME_SCREENS])(const struct home_model *, struct home_page *) = {
	[HOME_WHO] = show_who,
	[HOME_MAIN] = show_main,
	[HOME_LOBBY] = show_lobby,
	[HOME_APP] = show_app,
	[HOME_PIN] = show_pin,
};

void home_show(const struct home_model *model, struct home_page *page) {
	*page = (struct home_page){ .columns = 1, .busy = model->busy };
	if (model->known) {
		shows[model->screen](model, page);
	} else {
		text_copy(page->title, sizeof(page->title), "Home");
		text_copy(page->hint, sizeof(page->hint), "Asking the host ...");
	}
	if (model->busy) {
		text_copy(page->hint, sizeof(page->hint), "One moment ...");
	} else if (model->trouble[0]) {
		text_copy(page->hint, sizeof(page->hint), model->trouble);
		page->failed = true;
	}
	page->selected = model->selected < page->count ? model->selected : 0;
}

/* ---- what there is ---- */

static void go(struct home_model *model, enum home_screen screen) {
	model->screen = screen;
	model->selected = screen == HOME_PIN ? 4 : 0; /* the 5, in the middle */
	model->trouble[0] = '\0';
}

void home_begin(struct home_model *model) {
	*model = (struct home_model){ .screen = HOME_MAIN };
}

/* The item that was selected on the main page stays so while others come and go. */
static unsigned find_again(const struct home_model *model, const struct home_world *before) {
	const struct home_world *now = &model->world;
	unsigned at = model->selected;
	if (model->screen != HOME_MAIN) {
		return at;
	}
	if (at < before->lobbies_count) {
		for (unsigned i = 0; i < now->lobbies_count; i++) {
			if (strcmp(now->lobbies[i].id, before->lobbies[at].id) == 0) {
				return i;
			}
		}
		return at < now->lobbies_count ? at : 0;
	}
	at -= before->lobbies_count;
	for (unsigned i = 0; at < before->apps_count && i < now->apps_count; i++) {
		if (strcmp(now->apps[i].id, before->apps[at].id) == 0) {
			return now->lobbies_count + i;
		}
	}
	return 0;
}

static bool profile_is_there(const struct home_model *model) {
	for (unsigned i = 0; i < model->world.profiles_count; i++) {
		if (strcmp(model->world.profiles[i].id, model->profile) == 0) {
			return true;
		}
	}
	return false;
}

/* Pages whose lobby, app or person is gone give way. */
static void settle(struct home_model *model) {
	bool someone = model->world.profiles_count > 0;
	if (model->profile[0] && !profile_is_there(model)) {
		model->profile[0] = model->profile_name[0] = '\0';
	}
	enum home_screen screen = model->screen == HOME_PIN ? model->before_pin : model->screen;
	if (someone && !model->profile[0] && screen != HOME_WHO && !model->busy) {
		go(model, HOME_WHO);
	} else if (!someone && screen == HOME_WHO) {
		go(model, HOME_MAIN);
	} else if ((screen == HOME_LOBBY && !find_lobby(model)) ||
			(screen == HOME_APP && !find_app(model))) {
		go(model, HOME_MAIN);
	}
}

bool home_learn(struct home_model *model, const struct home_world *world) {
	if (model->known && memcmp(&model->world, world, sizeof(*world)) == 0) {
		return false;
	}
	struct home_world before = model->world;
	bool first = !model->known;
	model->world = *world;
	model->known = true;
	if (first) {
		model->trouble[0] = '\0';
	}
	model->selected = find_again(model, &before);
	settle(model);
	return true;
}

bool home_lose(struct home_model *model, const char *words) {
	bool same = !model->known && strcmp(model->trouble, words) == 0;
	model->known = model->busy = false;
	text_copy(model->trouble, sizeof(model->trouble), words);
	return !same;
}

/* ---- what is asked ---- */

static void ask(struct home_model *model, struct home_request *request) {
	model->busy = true;
	model->trouble[0] = '\0';
	*request = model->asking;
}

/* Now, or when its PIN was typed. */
static void want(struct home_model *model, bool with_pin, struct home_request *request) {
	text_copy(model->asking.profile, sizeof(model->asking.profile), model->profile);
	if (with_pin) {
		model->before_pin = model->screen;
		go(model, HOME_PIN);
	} else {
		ask(model, request);
	}
}

static void enter_who(struct home_model *model, unsigned at, struct home_request *request) {
	const struct home_profile *profile = &model->world.profiles[at];
	model->asking = (struct home_request){ .want = HOME_LOG_IN };
	text_copy(model->asking.id, sizeof(model->asking.id), profile->id);
	text_copy(model->asking.name, sizeof(model->asking.name), profile->name);
	want(model, profile->has_pin, request);
	if (!profile->has_pin) { /* nothing is to be proven */
		*request = (struct home_request){ .want = HOME_NOTHING };
		home_answer(model, true, "");
	}
}

static void enter_main(struct home_model *model, unsigned at, struct home_request *request) {
	(void)request;
	const struct home_world *world = &model->world;
	bool lobby = at < world->lobbies_count;
	text_copy(model->chosen, sizeof(model->chosen),
			lobby ? world->lobbies[at].id : world->apps[at - world->lobbies_count].id);
	go(model, lobby ? HOME_LOBBY : HOME_APP);
}

static void enter_lobby(struct home_model *model, unsigned at, struct home_request *request) {
	static const enum home_want wants[] = { HOME_JOIN, HOME_STOP };
	const struct home_lobby *lobby = find_lobby(model);
	if (at >= ARRAY_LEN(wants) || !lobby) {
		go(model, HOME_MAIN);
		return;
	}
	model->asking = (struct home_request){ .want = wants[at] };
	text_copy(model->asking.id, sizeof(model->asking.id), lobby->id);
	text_copy(model->asking.name, sizeof(model->asking.name), lobby->name);
	want(model, lobby->has_pin, request);
}

static void enter_app(struct home_model *model, unsigned at, struct home_request *request) {
	const struct home_app *app = find_app(model);
	if (at > 2 || !app) {
		go(model, HOME_MAIN);
		return;
	}
	model->asking = (struct home_request){ .want = HOME_CREATE, .several = at > 0 };
	text_copy(model->asking.id, sizeof(model->asking.id), app->id);
	text_copy(model->asking.name, sizeof(model->asking.name), app->title);
	want(model, at == 2, request);
}

static void erase(struct home_model *model) {
	size_t typed = strlen(model->asking.pin);
	if (typed) {
		model->asking.pin[typed - 1] = '\0';
	}
}

static void put_digit(struct home_model *model, unsigned digit) {
	size_t typed = strlen(model->asking.pin);
	if (typed < HOME_PIN_MAX) {
		model->asking.pin[typed] = (char)('0' + digit);
		model->trouble[0] = '\0';
	}
}

static void enter_pin(struct home_model *model, unsigned at, struct home_request *request) {
	if (at == KEYPAD_ERASE) {
		erase(model);
	} else if (at == KEYPAD_DONE) {
		ask(model, request);
	} else {
		put_digit(model, at == KEYPAD_ZERO ? 0 : at + 1);
	}
}

static void (*const enters[HOME_SCREENS])(struct home_model *, unsigned, struct home_request *) = {
	[HOME_WHO] = enter_who,
	[HOME_MAIN] = enter_main,
	[HOME_LOBBY] = enter_lobby,
	[HOME_APP] = enter_app,
	[HOME_PIN] = enter_pin,
};

static void back(struct home_model *model, struct home_request *request) {
	memset(model->asking.pin, 0, sizeof(model->asking.pin));
	if (model->screen == HOME_PIN) {
		go(model, model->before_pin);
	} else if (model->screen == HOME_MAIN && model->world.profiles_count) {
		request->want = model->profile[0] ? HOME_LOG_OUT : HOME_NOTHING;
		model->profile[0] = model->profile_name[0] = '\0';
		go(model, HOME_WHO);
	} else if (model->screen != HOME_WHO) {
		go(model, HOME_MAIN);
	}
}

/* ---- moving about ---- */

void home_place(const struct home_page *page, unsigned item, unsigned *row, unsigned *column) {
	*row = *column = 0;
	for (unsigned i = 1; i <= item; i++) {
		bool breaks = *column + 1 == page->columns ||
			      page->items[i].group != page->items[i - 1].group;
		*row += breaks;
		*column = breaks ? 0 : *column + 1;
	}
}

/* The item of that row that is nearest to the column; count when there is no such row. */
static unsigned item_at(const struct home_page *page, unsigned wanted_row, unsigned wanted_column) {
	unsigned best = page->count;
	for (unsigned i = 0; i < page->count; i++) {
		unsigned row, column;
		home_place(page, i, &row, &column);
		if (row == wanted_row && column <= wanted_column) {
			best = i;
		}
	}
	return best;
}

static unsigned neighbour(const struct home_page *page, enum home_key key) {
	unsigned at = page->selected, row, column, to = at;
	home_place(page, at, &row, &column);
	if (key == HOME_UP && row > 0) {
		to = item_at(page, row - 1, column);
	} else if (key == HOME_DOWN) {
		to = item_at(page, row + 1, column);
	} else if (key == HOME_LEFT && at > 0) {
		to = at - 1;
	} else if (key == HOME_RIGHT) {
		to = at + 1;
	}
	return to < page->count ? to : at;
}

void home_press(struct home_model *model, enum home_key key, struct home_request *request) {
	*request = (struct home_request){ .want = HOME_NOTHING };
	struct home_page page;
	home_show(model, &page);
	if (model->busy || !model->known) {
		return;
	}
	if (key == HOME_ERASE && model->screen == HOME_PIN && model->asking.pin[0]) {
		erase(model);
	} else if (key == HOME_BACK || key == HOME_ERASE) {
		back(model, request);
	} else if (key == HOME_ENTER && page.count) {
		home_click(model, page.selected, request);
	} else if (key < HOME_ENTER) {
		model->selected = neighbour(&page, key);
	}
}

void home_type(struct home_model *model, unsigned digit) {
	if (!model->busy && model->known && model->screen == HOME_PIN) {
		put_digit(model, digit);
		model->selected = KEYPAD_DONE; /* who types means that by Enter */
	}
}

void home_click(struct home_model *model, unsigned item, struct home_request *request) {
	*request = (struct home_request){ .want = HOME_NOTHING };
	struct home_page page;
	home_show(model, &page);
	if (model->busy || !model->known || item >= page.count || !page.items[item].enabled) {
		return;
	}
	model->selected = item;
	enters[model->screen](model, item, request);
}

bool home_point(struct home_model *model, unsigned item) {
	struct home_page page;
	home_show(model, &page);
	if (model->busy || item >= page.count || item == page.selected) {
		return false;
	}
	model->selected = item;
	return true;
}

/* ---- answers ---- */

void home_answer(struct home_model *model, bool done, const char *words) {
	if (!model->busy) {
		return;
	}
	model->busy = false;
	bool typed = model->screen == HOME_PIN;
	memset(model->asking.pin, 0, sizeof(model->asking.pin));
	if (!done) {
		text_copy(model->trouble, sizeof(model->trouble),
				words[0] ? words : "The host said no, and not why.");
		return;
	}
	if (model->asking.want == HOME_LOG_IN) {
		text_copy(model->profile, sizeof(model->profile), model->asking.id);
		text_copy(model->profile_name, sizeof(model->profile_name), model->asking.name);
	}
	if (typed || model->screen != HOME_MAIN) {
		go(model, HOME_MAIN);
	}
}
