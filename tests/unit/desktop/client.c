/* SPDX-License-Identifier: MIT */
/* A client for tests.
 *   shrink  shows a window, then takes the memory behind its buffer away and goes on
 *           committing; exits when the compositor throws it out (wlroots 0.15) or
 *           after a while (0.18 reads zeros and says nothing)
 *   window  a grey window
 *   dialog  a grey window and a white dialog of 300x200 that belongs to it
 *   ticks   draws once, then only asks for frame callbacks; leaves after ten */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wayland-client.h>

#include "xdg-shell-client-protocol.h"

struct client;

struct toplevel {
	struct client *client;
	struct wl_surface *surface;
	struct xdg_surface *xdg_surface;
	struct xdg_toplevel *toplevel;
	struct wl_buffer *buffer;
	int32_t width, height;
	uint8_t grey;
	int fd;
	bool shrinks, ticks;
	int drawn;
};

struct client {
	struct wl_compositor *compositor;
	struct wl_shm *shm;
	struct xdg_wm_base *shell;
};

static void draw(struct toplevel *t);

static void handle_frame(void *data, struct wl_callback *callback, uint32_t time) {
	(void)time;
	wl_callback_destroy(callback);
	draw(data);
}

static const struct wl_callback_listener frame_listener = { handle_frame };

static void draw(struct toplevel *t) {
	if (t->ticks && t->drawn++ > 0) {
		if (t->drawn > 10) {
			exit(0);
		}
		wl_callback_add_listener(wl_surface_frame(t->surface), &frame_listener, t);
		wl_surface_commit(t->surface);
		return;
	}
	if (t->shrinks && t->drawn++ == 5 && ftruncate(t->fd, 4096) < 0) {
		exit(1);
	}
	if (t->drawn == 15) {
		exit(0);
	}
	wl_surface_attach(t->surface, t->buffer, 0, 0);
	wl_surface_damage_buffer(t->surface, 0, 0, t->width, t->height);
	if (t->shrinks || t->ticks) {
		wl_callback_add_listener(wl_surface_frame(t->surface), &frame_listener, t);
	}
	wl_surface_commit(t->surface);
}

static void handle_surface_configure(void *data, struct xdg_surface *surface, uint32_t serial) {
	struct toplevel *t = data;
	xdg_surface_ack_configure(surface, serial);
	if (t->buffer) {
		return;
	}
	int32_t size = t->width * t->height * 4;
	t->fd = memfd_create("client", MFD_CLOEXEC);
	if (t->fd < 0 || ftruncate(t->fd, size) < 0) {
		exit(1);
	}
	void *map = mmap(NULL, (size_t)size, PROT_WRITE, MAP_SHARED, t->fd, 0);
	if (map == MAP_FAILED) {
		exit(1);
	}
	memset(map, t->grey, (size_t)size);
	munmap(map, (size_t)size);
	struct wl_shm_pool *pool = wl_shm_create_pool(t->client->shm, t->fd, size);
	t->buffer = wl_shm_pool_create_buffer(
			pool, 0, t->width, t->height, t->width * 4, WL_SHM_FORMAT_XRGB8888);
	draw(t);
}

static const struct xdg_surface_listener surface_listener = { handle_surface_configure };

static void handle_configure(void *data, struct xdg_toplevel *toplevel, int32_t width,
		int32_t height, struct wl_array *states) {
	(void)toplevel, (void)states;
	struct toplevel *t = data;
	if (width > 0 && height > 0) {
		t->width = width;
		t->height = height;
	}
}

static void handle_close(void *data, struct xdg_toplevel *toplevel) {
	(void)data, (void)toplevel;
}

static const struct xdg_toplevel_listener toplevel_listener = { handle_configure, handle_close,
	NULL, NULL };

static struct toplevel *open_toplevel(struct client *client, struct toplevel *parent) {
	struct toplevel *t = calloc(1, sizeof(*t));
	if (!t) {
		exit(1);
	}
	t->client = client;
	t->width = 300;
	t->height = 200;
	t->grey = parent ? 0xff : 0x80;
	t->surface = wl_compositor_create_surface(client->compositor);
	t->xdg_surface = xdg_wm_base_get_xdg_surface(client->shell, t->surface);
	xdg_surface_add_listener(t->xdg_surface, &surface_listener, t);
	t->toplevel = xdg_surface_get_toplevel(t->xdg_surface);
	xdg_toplevel_add_listener(t->toplevel, &toplevel_listener, t);
	if (parent) {
		xdg_toplevel_set_parent(t->toplevel, parent->toplevel);
	}
	wl_surface_commit(t->surface);
	return t;
}

static void handle_global(void *data, struct wl_registry *registry, uint32_t name,
		const char *interface, uint32_t version) {
	(void)version;
	struct client *c = data;
	if (strcmp(interface, wl_compositor_interface.name) == 0) {
		c->compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 4);
	} else if (strcmp(interface, wl_shm_interface.name) == 0) {
		c->shm = wl_registry_bind(registry, name, &wl_shm_interface, 1);
	} else if (strcmp(interface, xdg_wm_base_interface.name) == 0) {
		c->shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
	}
}

static void handle_gone(void *data, struct wl_registry *registry, uint32_t name) {
	(void)data, (void)registry, (void)name;
}

static const struct wl_registry_listener registry_listener = { handle_global, handle_gone };

int main(int argc, char **argv) {
	struct client client = { 0 };
	struct wl_display *display = wl_display_connect(NULL);
	if (!display || argc != 2) {
		return 1;
	}
	wl_registry_add_listener(wl_display_get_registry(display), &registry_listener, &client);
	wl_display_roundtrip(display);
	struct toplevel *first = open_toplevel(&client, NULL);
	first->shrinks = strcmp(argv[1], "shrink") == 0;
	first->ticks = strcmp(argv[1], "ticks") == 0;
	if (strcmp(argv[1], "dialog") == 0) {
		wl_display_roundtrip(display);
		wl_display_roundtrip(display);
		open_toplevel(&client, first);
	}
	while (wl_display_dispatch(display) >= 0) {
	}
	_exit(0); /* thrown out, with everything still open: no leak to report */
}
