/* SPDX-License-Identifier: MIT */
#ifndef GATE_APPS_H
#define GATE_APPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/shm.h"
#include "gate/connection.h"

/* What can be launched, and its pictures, as the supervisor tells them. */
enum {
	APPS_MAX = 256,
	APPS_ART_MAX = 8 << 20, /* bytes of one picture */
};

struct app {
	int32_t id;
	uint8_t flags; /* APP_ */
	char title[96];
	char why_not[160];
};

/* A PNG in memory that the supervisor shared; answers borrow it. */
struct art {
	struct connection_keep keep;
	int32_t app;
	struct shm shm; /* owned */
};

struct apps {
	struct app *list, *next; /* owned: in force, and the one that is arriving */
	size_t count, next_count;
	struct art *art[APPS_MAX]; /* counted */
	size_t n_art;
};

/* One more of a new list; it takes effect with apps_end(). -ENOSPC, -ENOMEM. */
int apps_add(struct apps *apps, const struct app *app) NODISCARD;
/* Pictures of apps that are not in the new list go, unless they are known otherwise (NULL: none
 * are). */
void apps_end(struct apps *apps, bool (*known)(void *user, int32_t app), void *user);

/* Takes fd on success. -EPROTO when it is not a sealed block, -ENOSPC. */
int apps_put_art(struct apps *apps, int32_t app, int fd) NODISCARD;

const struct app *apps_find(const struct apps *apps, int32_t app);
struct art *apps_art(const struct apps *apps, int32_t app);

void apps_finish(struct apps *apps);

#endif
