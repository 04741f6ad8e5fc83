/* SPDX-License-Identifier: MIT */
/* Follows every surface, whatever its role: when clients commit a frame is what the
 * asking for frames learns from (desktop/latch.h). */
#include <stdlib.h>

#include "desktop/state.h"

struct surface {
	struct desktop *desktop;     /* borrowed */
	struct wlr_surface *surface; /* borrowed; its destroy ends us */
	struct wl_listener commit, destroy;
};

static void handle_commit(struct wl_listener *listener, void *data) {
	(void)data;
	struct surface *surface = wl_container_of(listener, surface, commit);
	if (surface->surface->current.committed & WLR_SURFACE_STATE_BUFFER) {
		render_committed(surface->desktop);
	}
}

static void handle_destroy(struct wl_listener *listener, void *data) {
	(void)data;
	struct surface *surface = wl_container_of(listener, surface, destroy);
	wl_list_remove(&surface->commit.link);
	wl_list_remove(&surface->destroy.link);
	free(surface);
}

static void handle_new(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, new_surface);
	struct surface *surface = calloc(1, sizeof(*surface));
	if (!surface) {
		return; /* nothing is learnt from it */
	}
	surface->desktop = desktop;
	surface->surface = data;
	surface->commit.notify = handle_commit;
	wl_signal_add(&surface->surface->events.commit, &surface->commit);
	surface->destroy.notify = handle_destroy;
	wl_signal_add(&surface->surface->events.destroy, &surface->destroy);
}

void surfaces_begin(struct desktop *desktop) {
	desktop->new_surface.notify = handle_new;
	wl_signal_add(&desktop->compositor->events.new_surface, &desktop->new_surface);
}
