/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <wlr/types/wlr_xdg_activation_v1.h>
#include <wlr/types/wlr_xdg_decoration_v1.h>

#include "desktop/window.h"

/* xdg_surface.data is the scene node, so that popups find their parent's. */
struct xdg_window {
	struct window window;
	struct wlr_xdg_surface *surface; /* borrowed; its destroy ends us */
	struct wlr_scene_node *node;     /* goes with the surface */
	int width, height;
	struct wl_listener map, unmap, destroy, commit, fullscreen, maximize, set_parent;
};

static struct xdg_window *of(struct window *window) {
	return wl_container_of(window, (struct xdg_window *)NULL, window);
}

static struct wlr_surface *xdg_surface(struct window *window) {
	return of(window)->surface->surface;
}

static void xdg_activate(struct window *window, bool active) {
	wlr_xdg_toplevel_set_activated(of(window)->surface, active);
}

static void xdg_configure(struct window *window, const struct wlr_box *box, bool fills) {
	struct wlr_xdg_surface *surface = of(window)->surface;
	wlr_xdg_toplevel_set_fullscreen(surface, fills);
	wlr_xdg_toplevel_set_size(surface, (uint32_t)box->width, (uint32_t)box->height);
}

static void xdg_size(struct window *window, int *width, int *height) {
	struct wlr_box box;
	wlr_xdg_surface_get_geometry(of(window)->surface, &box);
	*width = box.width;
	*height = box.height;
}

static struct window *xdg_parent(struct window *window) {
	struct wlr_xdg_surface *parent = of(window)->surface->toplevel->parent;
	return parent && parent->data ? window_at(parent->data) : NULL;
}

static bool xdg_wants_fill(struct window *window) {
	const struct wlr_xdg_toplevel_requested *asked = &of(window)->surface->toplevel->requested;
	return asked->fullscreen || asked->maximized;
}

static bool xdg_wants_focus(struct window *window) {
	(void)window;
	return true;
}

static const struct window_impl xdg_impl = {
	.surface = xdg_surface,
	.activate = xdg_activate,
	.configure = xdg_configure,
	.size = xdg_size,
	.parent = xdg_parent,
	.wants_fill = xdg_wants_fill,
	.wants_focus = xdg_wants_focus,
};

static void handle_map(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, map);
	xdg_size(&xdg->window, &xdg->width, &xdg->height);
	window_map(&xdg->window, xdg->node);
}

static void handle_unmap(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, unmap);
	window_unmap(&xdg->window);
}

static void handle_commit(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, commit);
	if (!xdg->window.mapped) {
		return;
	}
	int width, height;
	xdg_size(&xdg->window, &width, &height);
	if (width != xdg->width || height != xdg->height) {
		xdg->width = width;
		xdg->height = height;
		window_settle(&xdg->window);
		pointer_refresh(xdg->window.desktop);
	}
}

/* Every request wants an answer, also when nothing changes. */
static void reconfigure(struct xdg_window *xdg) {
	window_configure(&xdg->window);
	window_settle(&xdg->window);
	wlr_xdg_surface_schedule_configure(xdg->surface);
}

static void handle_fullscreen(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, fullscreen);
	reconfigure(xdg);
}

static void handle_maximize(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, maximize);
	reconfigure(xdg);
}

static void handle_set_parent(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, set_parent);
	reconfigure(xdg);
}

static void handle_destroy(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, destroy);
	window_finish(&xdg->window);
	struct wl_listener *all[] = { &xdg->map, &xdg->unmap, &xdg->destroy, &xdg->commit,
		&xdg->fullscreen, &xdg->maximize, &xdg->set_parent };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		wl_list_remove(&all[i]->link);
	}
	free(xdg);
}

static void attach(
		struct wl_signal *signal, struct wl_listener *listener, wl_notify_func_t notify) {
	listener->notify = notify;
	wl_signal_add(signal, listener);
}

static void new_toplevel(struct desktop *desktop, struct wlr_xdg_surface *surface) {
	struct xdg_window *xdg = calloc(1, sizeof(*xdg));
	if (!xdg) {
		wl_resource_post_no_memory(surface->resource);
		return;
	}
	window_init(&xdg->window, desktop, &xdg_impl);
	xdg->surface = surface;
	xdg->node = wlr_scene_xdg_surface_create(desktop->layers[LAYER_WINDOWS], surface);
	if (!xdg->node) {
		wl_resource_post_no_memory(surface->resource);
		free(xdg);
		return;
	}
	xdg->node->data = &xdg->window;
	surface->data = xdg->node;
	attach(&surface->events.map, &xdg->map, handle_map);
	attach(&surface->events.unmap, &xdg->unmap, handle_unmap);
	attach(&surface->events.destroy, &xdg->destroy, handle_destroy);
	attach(&surface->surface->events.commit, &xdg->commit, handle_commit);
	struct wlr_xdg_toplevel *toplevel = surface->toplevel;
	attach(&toplevel->events.request_fullscreen, &xdg->fullscreen, handle_fullscreen);
	attach(&toplevel->events.request_maximize, &xdg->maximize, handle_maximize);
	attach(&toplevel->events.set_parent, &xdg->set_parent, handle_set_parent);
	window_configure(&xdg->window);
}

static void new_popup(struct desktop *desktop, struct wlr_xdg_surface *surface) {
	struct wlr_xdg_popup *popup = surface->popup;
	if (!popup->parent || !wlr_surface_is_xdg_surface(popup->parent)) {
		return; /* a panel's popup: its shell places it */
	}
	struct wlr_xdg_surface *parent = wlr_xdg_surface_from_wlr_surface(popup->parent);
	if (!parent || !parent->data) {
		return;
	}
	struct wlr_scene_node *node = wlr_scene_xdg_surface_create(parent->data, surface);
	surface->data = node;
	if (!node) {
		return;
	}
	int x, y;
	wlr_scene_node_coords(parent->data, &x, &y);
	struct wlr_box box = {
		.x = -x, .y = -y, .width = desktop->output.width, .height = desktop->output.height
	};
	wlr_xdg_popup_unconstrain_from_box(popup, &box);
}

static void handle_new_surface(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, new_xdg_surface);
	struct wlr_xdg_surface *surface = data;
	if (surface->role == WLR_XDG_SURFACE_ROLE_TOPLEVEL) {
		new_toplevel(desktop, surface);
	} else if (surface->role == WLR_XDG_SURFACE_ROLE_POPUP) {
		new_popup(desktop, surface);
	}
}

/* Nobody needs a title bar in a stream: we say that we draw it, and do not. */
static void handle_new_decoration(struct wl_listener *listener, void *data) {
	(void)listener;
	wlr_xdg_toplevel_decoration_v1_set_mode(
			data, WLR_XDG_TOPLEVEL_DECORATION_V1_MODE_SERVER_SIDE);
}

static void handle_activate(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, activate);
	struct wlr_xdg_activation_v1_request_activate_event *event = data;
	struct window *window;
	wl_list_for_each(window, &desktop->windows, link) {
		if (window->impl->surface(window) == event->surface) {
			window_focus(desktop, window);
			return;
		}
	}
}

void xdg_begin(struct desktop *desktop) {
	struct wlr_xdg_shell *shell = wlr_xdg_shell_create(desktop->display);
	struct wlr_xdg_decoration_manager_v1 *decorations =
			wlr_xdg_decoration_manager_v1_create(desktop->display);
	struct wlr_xdg_activation_v1 *activation = wlr_xdg_activation_v1_create(desktop->display);
	if (shell) {
		attach(&shell->events.new_surface, &desktop->new_xdg_surface, handle_new_surface);
	}
	if (decorations) {
		attach(&decorations->events.new_toplevel_decoration, &desktop->new_decoration,
				handle_new_decoration);
	}
	if (activation) {
		attach(&activation->events.request_activate, &desktop->activate, handle_activate);
	}
}
