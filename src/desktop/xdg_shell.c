/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <wlr/types/wlr_xdg_activation_v1.h>

#include "desktop/window.h"

/* What is seen of an xdg_surface. xdg_surface.data is the scene node, so that popups
 * find their parent's; whoever goes first, a role or its parent's node, clears it. */
struct xdg_view {
	struct wlr_xdg_surface *surface; /* borrowed; the end of its role ends us */
	struct wlr_scene_node *node;     /* NULL once it is gone */
	struct wl_listener node_gone;
};

struct xdg_window {
	struct window window;
	struct xdg_view view;
	int width, height;
	struct wl_listener map, unmap, destroy, commit, fullscreen, maximize, set_parent;
};

struct xdg_popup {
	struct desktop *desktop; /* borrowed */
	struct xdg_view view;
	struct wl_listener commit, destroy, reposition;
};

static void attach(
		struct wl_signal *signal, struct wl_listener *listener, wl_notify_func_t notify) {
	listener->notify = notify;
	wl_signal_add(signal, listener);
}

static void handle_node_gone(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_view *view = wl_container_of(listener, view, node_gone);
	wl_list_remove(&view->node_gone.link);
	view->surface->data = NULL;
	view->node = NULL;
}

static bool view_begin(struct xdg_view *view, struct wlr_scene_node *parent,
		struct wlr_xdg_surface *surface) {
	view->surface = surface;
	view->node = compat_scene_xdg_create(parent, surface);
	if (!view->node) {
		wl_resource_post_no_memory(surface->resource);
		return false;
	}
	surface->data = view->node;
	attach(&view->node->events.destroy, &view->node_gone, handle_node_gone);
	return true;
}

static void view_end(struct xdg_view *view) {
	if (view->node) {
		wlr_scene_node_destroy(view->node);
	}
}

static struct xdg_window *of(struct window *window) {
	return wl_container_of(window, (struct xdg_window *)NULL, window);
}

static struct wlr_surface *xdg_surface(struct window *window) {
	return of(window)->view.surface->surface;
}

static void xdg_activate(struct window *window, bool active) {
	compat_xdg_activate(of(window)->view.surface, active);
}

static void xdg_configure(struct window *window, const struct wlr_box *box, bool fills) {
	compat_xdg_configure(of(window)->view.surface, box->width, box->height, fills);
}

static void xdg_size(struct window *window, int *width, int *height) {
	struct wlr_box box;
	wlr_xdg_surface_get_geometry(of(window)->view.surface, &box);
	*width = box.width;
	*height = box.height;
}

static struct window *xdg_parent(struct window *window) {
	struct wlr_xdg_surface *parent = compat_xdg_parent(of(window)->view.surface);
	return parent && parent->data ? window_at(parent->data) : NULL;
}

static bool xdg_wants_fill(struct window *window) {
	const struct wlr_xdg_toplevel_requested *asked =
			&of(window)->view.surface->toplevel->requested;
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
	if (xdg->view.node) {
		window_map(&xdg->window, xdg->view.node);
	}
}

static void handle_unmap(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, unmap);
	window_unmap(&xdg->window);
}

/* Nobody needs a title bar in a stream: we say that we draw it, and do not. */
static void decorate(struct desktop *desktop, struct wlr_xdg_surface *surface) {
	struct wlr_xdg_toplevel_decoration_v1 *decoration;
	if (!desktop->decorations || !compat_xdg_may_configure(surface)) {
		return;
	}
	wl_list_for_each(decoration, &desktop->decorations->decorations, link) {
		if (compat_decorated(decoration) == surface) {
			wlr_xdg_toplevel_decoration_v1_set_mode(decoration,
					WLR_XDG_TOPLEVEL_DECORATION_V1_MODE_SERVER_SIDE);
		}
	}
}

static void handle_commit(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_window *xdg = wl_container_of(listener, xdg, commit);
	if (compat_xdg_is_initial(xdg->view.surface)) {
		window_configure(&xdg->window);
		decorate(xdg->window.desktop, xdg->view.surface);
	}
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

/* Every request wants an answer, also when nothing changes; what is asked before the
 * first commit is answered with that. */
static void reconfigure(struct xdg_window *xdg) {
	if (!compat_xdg_may_configure(xdg->view.surface)) {
		return;
	}
	window_configure(&xdg->window);
	window_settle(&xdg->window);
	wlr_xdg_surface_schedule_configure(xdg->view.surface);
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
	view_end(&xdg->view);
	free(xdg);
}

static void handle_new_toplevel(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, new_toplevel);
	struct wlr_xdg_surface *surface = compat_xdg_toplevel(data);
	if (!surface) {
		return;
	}
	struct xdg_window *xdg = calloc(1, sizeof(*xdg));
	if (!xdg) {
		wl_resource_post_no_memory(surface->resource);
		return;
	}
	window_init(&xdg->window, desktop, &xdg_impl);
	xdg->window.notice = desktop->notice &&
			     wl_resource_get_client(surface->resource) == desktop->notice;
	enum desktop_layer layer = xdg->window.notice ? LAYER_NOTICE : LAYER_WINDOWS;
	if (!view_begin(&xdg->view, desktop->layers[layer], surface)) {
		free(xdg);
		return;
	}
	xdg->view.node->data = &xdg->window;
	attach(compat_xdg_map(surface), &xdg->map, handle_map);
	attach(compat_xdg_unmap(surface), &xdg->unmap, handle_unmap);
	attach(compat_xdg_role_gone(surface), &xdg->destroy, handle_destroy);
	attach(&surface->surface->events.commit, &xdg->commit, handle_commit);
	struct wlr_xdg_toplevel *toplevel = surface->toplevel;
	attach(&toplevel->events.request_fullscreen, &xdg->fullscreen, handle_fullscreen);
	attach(&toplevel->events.request_maximize, &xdg->maximize, handle_maximize);
	attach(&toplevel->events.set_parent, &xdg->set_parent, handle_set_parent);
	if (compat_xdg_may_configure(surface)) {
		window_configure(&xdg->window);
	}
}

/* Keeps it on the output. */
static void place_popup(struct xdg_popup *popup) {
	struct wlr_xdg_surface *top = popup->view.surface;
	while (top && top->role == WLR_XDG_SURFACE_ROLE_POPUP && top->popup) {
		top = compat_xdg_surface(top->popup->parent);
	}
	int x, y;
	if (!top || !top->data) {
		return;
	}
	wlr_scene_node_coords(top->data, &x, &y);
	struct wlr_box box = {
		.x = -x,
		.y = -y,
		.width = popup->desktop->output.width,
		.height = popup->desktop->output.height,
	};
	wlr_xdg_popup_unconstrain_from_box(popup->view.surface->popup, &box);
}

static void handle_popup_commit(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_popup *popup = wl_container_of(listener, popup, commit);
	if (compat_xdg_is_initial(popup->view.surface)) {
		place_popup(popup);
	}
}

static void handle_popup_reposition(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_popup *popup = wl_container_of(listener, popup, reposition);
	place_popup(popup);
}

static void handle_popup_destroy(struct wl_listener *listener, void *data) {
	(void)data;
	struct xdg_popup *popup = wl_container_of(listener, popup, destroy);
	wl_list_remove(&popup->commit.link);
	wl_list_remove(&popup->destroy.link);
	wl_list_remove(&popup->reposition.link);
	view_end(&popup->view);
	free(popup);
}

static void handle_new_popup(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, new_popup);
	struct wlr_xdg_surface *surface = compat_xdg_popup(data);
	/* Without an xdg parent it is a panel's popup: its shell places it. */
	struct wlr_xdg_surface *parent =
			surface ? compat_xdg_surface(surface->popup->parent) : NULL;
	if (!parent || !parent->data) {
		return;
	}
	struct xdg_popup *popup = calloc(1, sizeof(*popup));
	if (!popup) {
		wl_resource_post_no_memory(surface->resource);
		return;
	}
	popup->desktop = desktop;
	if (!view_begin(&popup->view, parent->data, surface)) {
		free(popup);
		return;
	}
	attach(&surface->surface->events.commit, &popup->commit, handle_popup_commit);
	attach(compat_xdg_role_gone(surface), &popup->destroy, handle_popup_destroy);
	popup->reposition.notify = handle_popup_reposition;
	compat_xdg_reposition(surface, &popup->reposition);
	if (compat_xdg_may_configure(surface)) {
		place_popup(popup);
	}
}

static void handle_new_decoration(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, new_decoration);
	decorate(desktop, compat_decorated(data));
}

static void handle_activate(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, activate);
	struct wlr_xdg_activation_v1_request_activate_event *event = data;
	struct window *window;
	wl_list_for_each(window, &desktop->windows, link) {
		if (window->impl->surface(window) == event->surface) {
			window_focus(desktop, window->notice ? desktop->focused : window);
			return;
		}
	}
}

void xdg_begin(struct desktop *desktop) {
	desktop->new_toplevel.notify = handle_new_toplevel;
	desktop->new_popup.notify = handle_new_popup;
	compat_xdg_begin(desktop->display, &desktop->new_toplevel, &desktop->new_popup);
	desktop->decorations = wlr_xdg_decoration_manager_v1_create(desktop->display);
	if (desktop->decorations) {
		attach(&desktop->decorations->events.new_toplevel_decoration,
				&desktop->new_decoration, handle_new_decoration);
	}
	struct wlr_xdg_activation_v1 *activation = wlr_xdg_activation_v1_create(desktop->display);
	if (activation) {
		attach(&activation->events.request_activate, &desktop->activate, handle_activate);
	}
}
