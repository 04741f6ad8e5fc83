/* SPDX-License-Identifier: MIT */
#ifndef APPS_HOME_MODEL_H
#define APPS_HOME_MODEL_H

#include <stdbool.h>
#include <stddef.h>

/* Home without its window and its socket: what the host has, which page is shown of it, and
 * what a key or a click asks the host for. Pure: the same events give the same pages. */

enum {
	HOME_PROFILES_MAX = 16,
	HOME_APPS_MAX = 64,
	HOME_LOBBIES_MAX = 32,
	HOME_ID_SIZE = 48, /* of the longest, a profile's */
	HOME_TEXT_SIZE = 96,
	HOME_WORDS_SIZE = 200,
	HOME_PIN_MAX = 12, /* digits that can be typed */
	HOME_ITEMS_MAX = HOME_APPS_MAX + HOME_LOBBIES_MAX + 2,
	HOME_GROUPS = 2,
};

struct home_profile {
	char id[HOME_ID_SIZE], name[HOME_TEXT_SIZE];
	bool has_pin;
};

struct home_app {
	char id[HOME_ID_SIZE], title[HOME_TEXT_SIZE];
	bool installed;
	char why_not[HOME_WORDS_SIZE];
};

struct home_lobby {
	char id[HOME_ID_SIZE], name[HOME_TEXT_SIZE];
	bool has_pin;
	bool ready;         /* it can be joined */
	bool paused;        /* until somebody resumes it */
	bool one_at_a_time; /* not for several */
	bool is_private;    /* only who made it gets in */
	bool mine;          /* whoever is here made it, with this client */
	unsigned members;
	char who[HOME_WORDS_SIZE]; /* their names; "" for nobody */
};

/* What the host told last. */
struct home_world {
	struct home_profile profiles[HOME_PROFILES_MAX];
	struct home_app apps[HOME_APPS_MAX];
	struct home_lobby lobbies[HOME_LOBBIES_MAX];
	unsigned profiles_count, apps_count, lobbies_count;
};

enum home_screen {
	HOME_WHO,   /* which profile */
	HOME_MAIN,  /* lobbies, then apps */
	HOME_LOBBY, /* what to do with one */
	HOME_APP,   /* how to start one */
	HOME_PIN,   /* digits for what was chosen before */
	HOME_SCREENS,
};

enum home_key {
	HOME_UP,
	HOME_DOWN,
	HOME_LEFT,
	HOME_RIGHT,
	HOME_ENTER,
	HOME_BACK,
	HOME_ERASE, /* of a PIN: its last digit; elsewhere as BACK */
	HOME_KEYS,
};

enum home_want {
	HOME_NOTHING,
	HOME_LOG_IN,  /* profile, pin */
	HOME_CREATE,  /* app, profile; several, pin; to be joined at once */
	HOME_JOIN,    /* lobby, pin */
	HOME_STOP,    /* lobby, pin */
	HOME_LOG_OUT, /* nobody is there; its answer changes nothing */
	HOME_WANTS,
};

/* What the host is asked for. */
struct home_request {
	enum home_want want;
	char id[HOME_ID_SIZE]; /* of the profile, app or lobby */
	char name[HOME_TEXT_SIZE];
	char profile[HOME_ID_SIZE]; /* CREATE: "" for none */
	char pin[HOME_PIN_MAX + 1];
	bool several;
};

struct home_item {
	char label[HOME_TEXT_SIZE], detail[HOME_WORDS_SIZE];
	bool enabled;
	bool key;       /* of a keypad: small, in three columns */
	unsigned group; /* items of one group stand together */
};

struct home_page {
	char title[HOME_TEXT_SIZE], hint[HOME_WORDS_SIZE];
	struct home_item items[HOME_ITEMS_MAX];
	unsigned count, columns;
	const char *groups[HOME_GROUPS]; /* headings, NULL for none */
	unsigned selected;
	char digits[HOME_PIN_MAX + 1]; /* dots, for what was typed */
	bool busy;                     /* an answer is awaited */
	bool failed;                   /* the hint says what went wrong */
};

/* Where an item stands in its page: rows of so many columns, each group begins one. */
void home_place(const struct home_page *page, unsigned item, unsigned *row, unsigned *column);

struct home_model {
	struct home_world world;
	bool known; /* world was told */
	enum home_screen screen, before_pin;
	unsigned selected;
	char profile[HOME_ID_SIZE]; /* who is here, "" for nobody yet */
	char profile_name[HOME_TEXT_SIZE];
	char chosen[HOME_ID_SIZE];  /* the lobby or app of the page */
	struct home_request asking; /* for which a PIN is typed, or an answer is awaited */
	bool busy;
	char trouble[HOME_WORDS_SIZE];
};

/* Shows that nothing is known yet. */
void home_begin(struct home_model *model);

/* What there is now. True when the page is another than before. */
bool home_learn(struct home_model *model, const struct home_world *world);

/* The host cannot be asked. True when the page is another than before. */
bool home_lose(struct home_model *model, const char *words);

/* A key, a digit (0 to 9), a click on an item, the pointer over one. Each may ask for
 * something: request->want is HOME_NOTHING otherwise. While an answer is awaited nothing is. */
void home_press(struct home_model *model, enum home_key key, struct home_request *request);
void home_type(struct home_model *model, unsigned digit);
void home_click(struct home_model *model, unsigned item, struct home_request *request);
bool home_point(struct home_model *model, unsigned item);

/* The host's answer to the last request; words say why not. */
void home_answer(struct home_model *model, bool done, const char *words);

/* What is to be shown. */
void home_show(const struct home_model *model, struct home_page *page);

#endif
