/* SPDX-License-Identifier: MIT */
/* The other half of wl_compat.c: windows. */
#include "desktop/wl_compat.h"

enum {
	XDG_SHELL_VERSION = 3, /* the newest whose requests we answer */
};

/* ---- xdg-shell ---- */

#if COMPAT_0_18
void compat_xdg_begin(struct wl_display *display, struct wl_listener *new_toplevel,
		struct wl_listener *new_popup) {
	struct wlr_xdg_shell *shell = wlr_xdg_shell_create(display, XDG_SHELL_VERSION);
	if (shell) {
		wl_signal_add(&shell->events.new_toplevel, new_toplevel);
		wl_signal_add(&shell->events.new_popup, new_popup);
	}
}

struct wlr_xdg_surface *compat_xdg_toplevel(void *data) {
	return ((struct wlr_xdg_toplevel *)data)->base;
}

struct wlr_xdg_surface *compat_xdg_popup(void *data) {
	return ((struct wlr_xdg_popup *)data)->base;
}

struct wlr_xdg_surface *compat_xdg_surface(struct wlr_surface *surface) {
	return surface ? wlr_xdg_surface_try_from_wlr_surface(surface) : NULL;
}

struct wlr_xdg_surface *compat_xdg_parent(struct wlr_xdg_surface *surface) {
	return surface->toplevel->parent ? surface->toplevel->parent->base : NULL;
}

struct wl_signal *compat_xdg_map(struct wlr_xdg_surface *surface) {
	return &surface->surface->events.map;
}

struct wl_signal *compat_xdg_unmap(struct wlr_xdg_surface *surface) {
	return &surface->surface->events.unmap;
}

struct wl_signal *compat_xdg_role_gone(struct wlr_xdg_surface *surface) {
	return surface->role == WLR_XDG_SURFACE_ROLE_POPUP ? &surface->popup->events.destroy
							   : &surface->toplevel->events.destroy;
}

void compat_xdg_reposition(struct wlr_xdg_surface *surface, struct wl_listener *listener) {
	wl_signal_add(&surface->popup->events.reposition, listener);
}

bool compat_xdg_is_initial(const struct wlr_xdg_surface *surface) {
	return surface->initial_commit;
}

bool compat_xdg_may_configure(const struct wlr_xdg_surface *surface) {
	return surface->initialized;
}

void compat_xdg_activate(struct wlr_xdg_surface *surface, bool active) {
	if (surface->initialized) {
		wlr_xdg_toplevel_set_activated(surface->toplevel, active);
	}
}

void compat_xdg_configure(struct wlr_xdg_surface *surface, int width, int height, bool fullscreen) {
	if (surface->initialized) {
		wlr_xdg_toplevel_set_fullscreen(surface->toplevel, fullscreen);
		wlr_xdg_toplevel_set_size(surface->toplevel, width, height);
	}
}

struct wlr_xdg_surface *compat_decorated(struct wlr_xdg_toplevel_decoration_v1 *decoration) {
	return decoration->toplevel->base;
}
#else
/* Both are told of every surface and take their own. */
void compat_xdg_begin(struct wl_display *display, struct wl_listener *new_toplevel,
		struct wl_listener *new_popup) {
	struct wlr_xdg_shell *shell = wlr_xdg_shell_create(display);
	if (shell) {
		wl_signal_add(&shell->events.new_surface, new_toplevel);
		wl_signal_add(&shell->events.new_surface, new_popup);
	}
}

static struct wlr_xdg_surface *with_role(
		struct wlr_xdg_surface *surface, enum wlr_xdg_surface_role role) {
	return surface->role == role ? surface : NULL;
}

struct wlr_xdg_surface *compat_xdg_toplevel(void *data) {
	return with_role(data, WLR_XDG_SURFACE_ROLE_TOPLEVEL);
}

struct wlr_xdg_surface *compat_xdg_popup(void *data) {
	return with_role(data, WLR_XDG_SURFACE_ROLE_POPUP);
}

struct wlr_xdg_surface *compat_xdg_surface(struct wlr_surface *surface) {
	return surface && wlr_surface_is_xdg_surface(surface)
			       ? wlr_xdg_surface_from_wlr_surface(surface)
			       : NULL;
}

struct wlr_xdg_surface *compat_xdg_parent(struct wlr_xdg_surface *surface) {
	return surface->toplevel->parent;
}

struct wl_signal *compat_xdg_map(struct wlr_xdg_surface *surface) {
	return &surface->events.map;
}

struct wl_signal *compat_xdg_unmap(struct wlr_xdg_surface *surface) {
	return &surface->events.unmap;
}

/* Emitted also when only the role goes. */
struct wl_signal *compat_xdg_role_gone(struct wlr_xdg_surface *surface) {
	return &surface->events.destroy;
}

void compat_xdg_reposition(struct wlr_xdg_surface *surface, struct wl_listener *listener) {
	(void)surface;
	wl_list_init(&listener->link);
}

bool compat_xdg_is_initial(const struct wlr_xdg_surface *surface) {
	(void)surface;
	return false;
}

bool compat_xdg_may_configure(const struct wlr_xdg_surface *surface) {
	(void)surface;
	return true;
}

void compat_xdg_activate(struct wlr_xdg_surface *surface, bool active) {
	wlr_xdg_toplevel_set_activated(surface, active);
}

void compat_xdg_configure(struct wlr_xdg_surface *surface, int width, int height, bool fullscreen) {
	wlr_xdg_toplevel_set_fullscreen(surface, fullscreen);
	wlr_xdg_toplevel_set_size(surface, (uint32_t)width, (uint32_t)height);
}

struct wlr_xdg_surface *compat_decorated(struct wlr_xdg_toplevel_decoration_v1 *decoration) {
	return decoration->surface;
}
#endif

/* ---- X11 ---- */

#if WLR_HAS_XWAYLAND
static void attach(
		struct wl_signal *signal, struct wl_listener *listener, wl_notify_func_t notify) {
	listener->notify = notify;
	wl_signal_add(signal, listener);
}

static void detach(struct wl_listener *listener) {
	wl_list_remove(&listener->link);
	wl_list_init(&listener->link);
}

#if COMPAT_0_18
static void handle_associate(struct wl_listener *listener, void *data) {
	(void)data;
	struct compat_x11_mapping *mapping = wl_container_of(listener, mapping, associate);
	detach(&mapping->map);
	detach(&mapping->unmap);
	wl_signal_add(&mapping->surface->surface->events.map, &mapping->map);
	wl_signal_add(&mapping->surface->surface->events.unmap, &mapping->unmap);
}

static void handle_dissociate(struct wl_listener *listener, void *data) {
	(void)data;
	struct compat_x11_mapping *mapping = wl_container_of(listener, mapping, dissociate);
	detach(&mapping->map);
	detach(&mapping->unmap);
}
#endif

void compat_x11_mapping_begin(struct compat_x11_mapping *mapping,
		struct wlr_xwayland_surface *surface, wl_notify_func_t map,
		wl_notify_func_t unmap) {
	*mapping = (struct compat_x11_mapping){ .surface = surface };
#if COMPAT_0_18
	mapping->map.notify = map;
	mapping->unmap.notify = unmap;
	wl_list_init(&mapping->map.link);
	wl_list_init(&mapping->unmap.link);
	attach(&surface->events.associate, &mapping->associate, handle_associate);
	attach(&surface->events.dissociate, &mapping->dissociate, handle_dissociate);
#else
	attach(&surface->events.map, &mapping->map, map);
	attach(&surface->events.unmap, &mapping->unmap, unmap);
	wl_list_init(&mapping->associate.link);
	wl_list_init(&mapping->dissociate.link);
#endif
}

void compat_x11_mapping_end(struct compat_x11_mapping *mapping) {
	detach(&mapping->map);
	detach(&mapping->unmap);
	detach(&mapping->associate);
	detach(&mapping->dissociate);
}
#endif
