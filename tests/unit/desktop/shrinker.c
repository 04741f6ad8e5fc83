/* SPDX-License-Identifier: MIT */
/* A hostile client: shows a full-screen window, then takes the memory behind its
 * buffer away and commits again. Exits when the compositor throws it out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wayland-client.h>

#include "xdg-shell-client-protocol.h"

struct shrinker {
	struct wl_compositor *compositor;
	struct wl_shm *shm;
	struct xdg_wm_base *shell;
	struct wl_surface *surface;
	struct wl_buffer *buffer;
	int32_t width, height;
	int fd;
	int drawn;
};

static void draw(struct shrinker *s);

static void handle_frame(void *data, struct wl_callback *callback, uint32_t time) {
	(void)time;
	wl_callback_destroy(callback);
	draw(data);
}

static const struct wl_callback_listener frame_listener = { handle_frame };

static void draw(struct shrinker *s) {
	if (s->drawn++ == 5 && ftruncate(s->fd, 4096) < 0) {
		exit(1);
	}
	wl_surface_attach(s->surface, s->buffer, 0, 0);
	wl_surface_damage_buffer(s->surface, 0, 0, s->width, s->height);
	wl_callback_add_listener(wl_surface_frame(s->surface), &frame_listener, s);
	wl_surface_commit(s->surface);
}

static void handle_surface_configure(void *data, struct xdg_surface *surface, uint32_t serial) {
	struct shrinker *s = data;
	xdg_surface_ack_configure(surface, serial);
	if (s->buffer || s->width <= 0) {
		return;
	}
	int32_t size = s->width * s->height * 4;
	s->fd = memfd_create("shrinker", MFD_CLOEXEC);
	if (s->fd < 0 || ftruncate(s->fd, size) < 0) {
		exit(1);
	}
	struct wl_shm_pool *pool = wl_shm_create_pool(s->shm, s->fd, size);
	s->buffer = wl_shm_pool_create_buffer(
			pool, 0, s->width, s->height, s->width * 4, WL_SHM_FORMAT_XRGB8888);
	draw(s);
}

static const struct xdg_surface_listener surface_listener = { handle_surface_configure };

static void handle_configure(void *data, struct xdg_toplevel *toplevel, int32_t width,
		int32_t height, struct wl_array *states) {
	(void)toplevel, (void)states;
	struct shrinker *s = data;
	s->width = width;
	s->height = height;
}

static void handle_close(void *data, struct xdg_toplevel *toplevel) {
	(void)data, (void)toplevel;
}

static const struct xdg_toplevel_listener toplevel_listener = { handle_configure, handle_close,
	NULL, NULL };

static void handle_global(void *data, struct wl_registry *registry, uint32_t name,
		const char *interface, uint32_t version) {
	(void)version;
	struct shrinker *s = data;
	if (strcmp(interface, wl_compositor_interface.name) == 0) {
		s->compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 4);
	} else if (strcmp(interface, wl_shm_interface.name) == 0) {
		s->shm = wl_registry_bind(registry, name, &wl_shm_interface, 1);
	} else if (strcmp(interface, xdg_wm_base_interface.name) == 0) {
		s->shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
	}
}

static void handle_gone(void *data, struct wl_registry *registry, uint32_t name) {
	(void)data, (void)registry, (void)name;
}

static const struct wl_registry_listener registry_listener = { handle_global, handle_gone };

int main(void) {
	struct shrinker s = { .fd = -1 };
	struct wl_display *display = wl_display_connect(NULL);
	if (!display) {
		return 1;
	}
	wl_registry_add_listener(wl_display_get_registry(display), &registry_listener, &s);
	wl_display_roundtrip(display);
	s.surface = wl_compositor_create_surface(s.compositor);
	struct xdg_surface *surface = xdg_wm_base_get_xdg_surface(s.shell, s.surface);
	xdg_surface_add_listener(surface, &surface_listener, &s);
	xdg_toplevel_add_listener(xdg_surface_get_toplevel(surface), &toplevel_listener, &s);
	wl_surface_commit(s.surface);
	while (wl_display_dispatch(display) >= 0) {
	}
	return 0;
}
