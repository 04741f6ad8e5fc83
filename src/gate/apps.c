/* SPDX-License-Identifier: MIT */
#include "gate/apps.h"

static void art_destroy(struct connection_keep *keep) {
	struct art *art = container_of(keep, struct art, keep);
	shm_finish(&art->shm);
	free(art);
}

int apps_add(struct apps *apps, const struct app *app) {
	if (apps->next_count == APPS_MAX) {
		return -ENOSPC;
	}
	if (!apps->next) {
		apps->next = calloc(APPS_MAX, sizeof(*apps->next));
		if (!apps->next) {
			return -ENOMEM;
		}
	}
	apps->next[apps->next_count++] = *app;
	return 0;
}

static void drop_art(struct apps *apps, size_t place) {
	connection_keep_drop(&apps->art[place]->keep);
	apps->art[place] = apps->art[--apps->n_art];
}

void apps_end(struct apps *apps, bool (*known)(void *user, int32_t app), void *user) {
	free(apps->list);
	apps->list = TAKE(apps->next, NULL);
	apps->count = TAKE(apps->next_count, 0);
	for (size_t i = 0; i < apps->n_art;) {
		int32_t app = apps->art[i]->app;
		if (apps_find(apps, app) || (known && known(user, app))) {
			i++;
		} else {
			drop_art(apps, i);
		}
	}
}

int apps_put_art(struct apps *apps, int32_t app, int fd) {
	struct shm shm;
	int rc = shm_adopt(fd, 1, false, &shm);
	if (rc < 0) {
		return rc;
	}
	struct art *art = calloc(1, sizeof(*art));
	if (!art || shm.size > APPS_ART_MAX) {
		rc = art ? -ENOSPC : -ENOMEM;
		shm.fd = -1; /* stays the caller's */
		shm_finish(&shm);
		free(art);
		return rc;
	}
	*art = (struct art){
		.keep = { .count = 1, .destroy = art_destroy }, .app = app, .shm = shm
	};
	for (size_t i = 0; i < apps->n_art; i++) {
		if (apps->art[i]->app == app) {
			connection_keep_drop(&apps->art[i]->keep);
			apps->art[i] = art;
			return 0;
		}
	}
	if (apps->n_art == APPS_MAX) {
		art->shm.fd = -1;
		connection_keep_drop(&art->keep);
		return -ENOSPC;
	}
	apps->art[apps->n_art++] = art;
	return 0;
}

const struct app *apps_find(const struct apps *apps, int32_t app) {
	for (size_t i = 0; i < apps->count; i++) {
		if (apps->list[i].id == app) {
			return &apps->list[i];
		}
	}
	return NULL;
}

struct art *apps_art(const struct apps *apps, int32_t app) {
	for (size_t i = 0; i < apps->n_art; i++) {
		if (apps->art[i]->app == app) {
			return apps->art[i];
		}
	}
	return NULL;
}

void apps_finish(struct apps *apps) {
	for (size_t i = 0; i < apps->n_art; i++) {
		connection_keep_drop(&apps->art[i]->keep);
	}
	free(apps->list);
	free(apps->next);
	*apps = (struct apps){ .list = NULL };
}
