/* SPDX-License-Identifier: MIT */
#include "apps/window.h"

#include <errno.h>
#include <string.h>

#include <wayland-client.h>

#include "base/shm.h"
#include "xdg-shell-client-protocol.h"

enum {
	BUFFERS = 3,
	SIDE_MAX = 8192,
};

struct buffer {
	struct wl_buffer *proxy; /* owned */
	uint8_t *pixels;         /* borrowed from window::pool */
	bool busy;               /* the compositor may read it */
	bool whole;              /* a whole picture is in it */
};

struct window {
	struct wl_display *display;       /* owned, as all proxies below */
	struct wl_compositor *compositor; /* globals are NULL until announced */
	struct wl_shm *shm;
	struct xdg_wm_base *shell;
	struct wl_seat *seat;
	struct wl_keyboard *keyboard;
	struct wl_pointer *pointer;
	struct wl_surface *surface;
	struct xdg_surface *xdg_surface;
	struct xdg_toplevel *toplevel;
	struct wl_callback *frame; /* NULL: no picture is on its way */

	struct shm pool;
	struct buffer buffers[BUFFERS];
	uint32_t asked_width, asked_height; /* by the compositor, 0: as we like */
	uint32_t width, height;             /* even; 0 before the first configure */

	const struct window_events *events; /* borrowed */
	void *user;                         /* borrowed */
	bool want_draw;                     /* as soon as a buffer is free */
	bool whole;                         /* next commit damages everything */
	bool closed;
};

static void draw(struct window *w);

static void handle_buffer_release(void *data, struct wl_buffer *proxy) {
	struct window *w = data;
	for (size_t i = 0; i < BUFFERS; i++) {
		if (w->buffers[i].proxy == proxy) {
			w->buffers[i].busy = false;
		}
	}
	if (w->want_draw && !w->frame) {
		draw(w);
	}
}

static const struct wl_buffer_listener buffer_listener = { .release = handle_buffer_release };

static void drop_buffers(struct window *w) {
	for (size_t i = 0; i < BUFFERS; i++) {
		if (w->buffers[i].proxy) {
			wl_buffer_destroy(w->buffers[i].proxy);
		}
		w->buffers[i] = (struct buffer){ 0 };
	}
	shm_finish(&w->pool);
	w->pool = SHM_NONE;
}

static int make_buffers(struct window *w) {
	drop_buffers(w);
	size_t stride = (size_t)w->width * 4;
	size_t each = stride * w->height;
	int r = shm_create("window", each * BUFFERS, false, &w->pool);
	if (r < 0) {
		return r;
	}
	struct wl_shm_pool *pool =
			wl_shm_create_pool(w->shm, w->pool.fd, (int32_t)(each * BUFFERS));
	for (size_t i = 0; i < BUFFERS; i++) {
		struct buffer *buffer = &w->buffers[i];
		buffer->proxy = wl_shm_pool_create_buffer(pool, (int32_t)(i * each),
				(int32_t)w->width, (int32_t)w->height, (int32_t)stride,
				WL_SHM_FORMAT_XRGB8888);
		buffer->pixels = w->pool.map + i * each;
		wl_buffer_add_listener(buffer->proxy, &buffer_listener, w);
	}
	wl_shm_pool_destroy(pool);
	w->whole = true;
	return 0;
}

static void handle_frame(void *data, struct wl_callback *callback, uint32_t time) {
	(void)time;
	struct window *w = data;
	wl_callback_destroy(callback);
	w->frame = NULL;
	if (w->events->wanted) {
		w->events->wanted(w->user);
	}
	if (w->want_draw && !w->frame) {
		draw(w);
	}
}

static const struct wl_callback_listener frame_listener = { .done = handle_frame };

static struct buffer *free_buffer(struct window *w) {
	for (size_t i = 0; i < BUFFERS; i++) {
		if (w->buffers[i].proxy && !w->buffers[i].busy) {
			return &w->buffers[i];
		}
	}
	return NULL;
}

static void draw(struct window *w) {
	struct buffer *buffer = free_buffer(w);
	w->want_draw = !buffer;
	if (!buffer) {
		return;
	}
	struct window_picture picture = {
		.pixels = buffer->pixels,
		.stride = (size_t)w->width * 4,
		.width = w->width,
		.height = w->height,
		.whole = !buffer->whole,
	};
	uint32_t rows = w->events->draw(w->user, &picture);
	rows = w->whole ? w->height : rows;
	buffer->whole = true;
	buffer->busy = true;
	w->whole = false;
	wl_surface_attach(w->surface, buffer->proxy, 0, 0);
	wl_surface_damage_buffer(w->surface, 0, 0, (int32_t)w->width, (int32_t)rows);
	w->frame = wl_surface_frame(w->surface);
	wl_callback_add_listener(w->frame, &frame_listener, w);
	wl_surface_commit(w->surface);
}

void window_ask(struct window *w) {
	w->want_draw = true;
	if (w->width && !w->frame) {
		draw(w);
		wl_display_flush(w->display); /* nothing may come for a while */
	}
}

static void handle_surface_configure(void *data, struct xdg_surface *surface, uint32_t serial) {
	struct window *w = data;
	xdg_surface_ack_configure(surface, serial);
	uint32_t width = w->asked_width ? w->asked_width & ~1u : WINDOW_DEFAULT_WIDTH;
	uint32_t height = w->asked_height ? w->asked_height & ~1u : WINDOW_DEFAULT_HEIGHT;
	if (width == w->width && height == w->height) {
		wl_surface_commit(w->surface);
		return;
	}
	w->width = width;
	w->height = height;
	if (make_buffers(w) < 0) {
		w->closed = true;
		return;
	}
	if (w->frame) {
		wl_callback_destroy(w->frame);
		w->frame = NULL;
	}
	draw(w);
}

static const struct xdg_surface_listener surface_listener = {
	.configure = handle_surface_configure,
};

static void handle_toplevel_configure(void *data, struct xdg_toplevel *toplevel, int32_t width,
		int32_t height, struct wl_array *states) {
	(void)toplevel, (void)states;
	struct window *w = data;
	if (width >= 0 && width <= SIDE_MAX && height >= 0 && height <= SIDE_MAX) {
		w->asked_width = (uint32_t)width;
		w->asked_height = (uint32_t)height;
	}
}

static void handle_close(void *data, struct xdg_toplevel *toplevel) {
	(void)toplevel;
	((struct window *)data)->closed = true;
}

static const struct xdg_toplevel_listener toplevel_listener = {
	.configure = handle_toplevel_configure,
	.close = handle_close,
};

static void handle_ping(void *data, struct xdg_wm_base *shell, uint32_t serial) {
	(void)data;
	xdg_wm_base_pong(shell, serial);
}

static const struct xdg_wm_base_listener shell_listener = { .ping = handle_ping };

/* clang-format off */
static void handle_keymap(void *data, struct wl_keyboard *k, uint32_t format, int32_t fd,
		uint32_t size) { (void)data, (void)k, (void)format, (void)size; fd_close(fd); }
static void handle_key_enter(void *data, struct wl_keyboard *k, uint32_t serial,
		struct wl_surface *s, struct wl_array *keys) {
	(void)data, (void)k, (void)serial, (void)s, (void)keys; }
static void handle_key_leave(void *data, struct wl_keyboard *k, uint32_t serial,
		struct wl_surface *s) { (void)data, (void)k, (void)serial, (void)s; }
static void handle_modifiers(void *data, struct wl_keyboard *k, uint32_t serial,
		uint32_t depressed, uint32_t latched, uint32_t locked, uint32_t group) {
	(void)data, (void)k, (void)serial, (void)depressed, (void)latched, (void)locked,
	(void)group; }
static void handle_repeat(void *data, struct wl_keyboard *k, int32_t rate, int32_t delay) {
	(void)data, (void)k, (void)rate, (void)delay; }
static void handle_leave(void *data, struct wl_pointer *pointer, uint32_t serial,
		struct wl_surface *s) { (void)data, (void)pointer, (void)serial, (void)s; }
static void handle_axis(void *data, struct wl_pointer *pointer, uint32_t time, uint32_t axis,
		wl_fixed_t value) { (void)data, (void)pointer, (void)time, (void)axis, (void)value; }
/* clang-format on */

static void point(struct window *w, wl_fixed_t x, wl_fixed_t y) {
	if (w->events->pointed) {
		w->events->pointed(w->user, wl_fixed_to_double(x), wl_fixed_to_double(y));
	}
}

static void handle_enter(void *data, struct wl_pointer *pointer, uint32_t serial,
		struct wl_surface *surface, wl_fixed_t x, wl_fixed_t y) {
	(void)pointer, (void)serial, (void)surface;
	point(data, x, y);
}

static void handle_motion(
		void *data, struct wl_pointer *pointer, uint32_t time, wl_fixed_t x, wl_fixed_t y) {
	(void)pointer, (void)time;
	point(data, x, y);
}

static void handle_key(void *data, struct wl_keyboard *keyboard, uint32_t serial, uint32_t time,
		uint32_t key, uint32_t state) {
	(void)keyboard, (void)serial, (void)time;
	struct window *w = data;
	if (state == WL_KEYBOARD_KEY_STATE_PRESSED) {
		w->events->pressed(w->user, key);
	}
}

static const struct wl_keyboard_listener keyboard_listener = {
	.keymap = handle_keymap,
	.enter = handle_key_enter,
	.leave = handle_key_leave,
	.key = handle_key,
	.modifiers = handle_modifiers,
	.repeat_info = handle_repeat,
};

static void handle_button(void *data, struct wl_pointer *pointer, uint32_t serial, uint32_t time,
		uint32_t button, uint32_t state) {
	(void)pointer, (void)serial, (void)time;
	struct window *w = data;
	if (state == WL_POINTER_BUTTON_STATE_PRESSED) {
		w->events->pressed(w->user, button);
	}
}

static const struct wl_pointer_listener pointer_listener = {
	.enter = handle_enter,
	.leave = handle_leave,
	.motion = handle_motion,
	.button = handle_button,
	.axis = handle_axis,
};

static void handle_capabilities(void *data, struct wl_seat *seat, uint32_t capabilities) {
	struct window *w = data;
	if (capabilities & WL_SEAT_CAPABILITY_KEYBOARD && !w->keyboard) {
		w->keyboard = wl_seat_get_keyboard(seat);
		wl_keyboard_add_listener(w->keyboard, &keyboard_listener, w);
	}
	if (capabilities & WL_SEAT_CAPABILITY_POINTER && !w->pointer) {
		w->pointer = wl_seat_get_pointer(seat);
		wl_pointer_add_listener(w->pointer, &pointer_listener, w);
	}
}

static void handle_seat_name(void *data, struct wl_seat *seat, const char *name) {
	(void)data, (void)seat, (void)name;
}

static const struct wl_seat_listener seat_listener = {
	.capabilities = handle_capabilities,
	.name = handle_seat_name,
};

static void handle_global(void *data, struct wl_registry *registry, uint32_t name,
		const char *interface, uint32_t version) {
	struct window *w = data;
	if (strcmp(interface, wl_compositor_interface.name) == 0 && version >= 4) {
		w->compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 4);
	} else if (strcmp(interface, wl_shm_interface.name) == 0) {
		w->shm = wl_registry_bind(registry, name, &wl_shm_interface, 1);
	} else if (strcmp(interface, xdg_wm_base_interface.name) == 0) {
		w->shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
		xdg_wm_base_add_listener(w->shell, &shell_listener, w);
	} else if (strcmp(interface, wl_seat_interface.name) == 0 && !w->seat &&
			w->events->pressed) {
		w->seat = wl_registry_bind(registry, name, &wl_seat_interface, version < 4 ? 1 : 4);
		wl_seat_add_listener(w->seat, &seat_listener, w);
	}
}

static void handle_global_remove(void *data, struct wl_registry *registry, uint32_t name) {
	(void)data, (void)registry, (void)name;
}

static const struct wl_registry_listener registry_listener = {
	.global = handle_global,
	.global_remove = handle_global_remove,
};

static void make_surface(struct window *w, const char *title, const char *app_id) {
	w->surface = wl_compositor_create_surface(w->compositor);
	if (!w->events->pressed) {
		struct wl_region *nothing = wl_compositor_create_region(w->compositor);
		wl_surface_set_input_region(w->surface, nothing);
		wl_region_destroy(nothing);
	}
	w->xdg_surface = xdg_wm_base_get_xdg_surface(w->shell, w->surface);
	xdg_surface_add_listener(w->xdg_surface, &surface_listener, w);
	w->toplevel = xdg_surface_get_toplevel(w->xdg_surface);
	xdg_toplevel_add_listener(w->toplevel, &toplevel_listener, w);
	xdg_toplevel_set_title(w->toplevel, title);
	xdg_toplevel_set_app_id(w->toplevel, app_id);
	xdg_toplevel_set_fullscreen(w->toplevel, NULL);
	wl_surface_commit(w->surface);
	wl_display_flush(w->display);
}

int window_open(int fd, const char *title, const char *app_id, const struct window_events *events,
		void *user, struct window **out) {
	struct window *w = calloc(1, sizeof(*w));
	if (!w) {
		fd_close(fd);
		return -ENOMEM;
	}
	*w = (struct window){ .pool = SHM_NONE, .events = events, .user = user };
	w->display = fd < 0 ? wl_display_connect(NULL) : wl_display_connect_to_fd(fd);
	if (!w->display) {
		window_close(w);
		return -ENOENT;
	}
	struct wl_registry *registry = wl_display_get_registry(w->display);
	wl_registry_add_listener(registry, &registry_listener, w);
	if (wl_display_roundtrip(w->display) < 0 || !w->compositor || !w->shm || !w->shell) {
		window_close(w);
		return -ENOTSUP;
	}
	make_surface(w, title, app_id);
	*out = w;
	return 0;
}

void window_close(struct window *w) {
	if (!w) {
		return;
	}
	drop_buffers(w);
	if (w->display) {
		wl_display_disconnect(w->display);
	}
	free(w);
}

int window_fd(const struct window *w) {
	return wl_display_get_fd(w->display);
}

int window_handle(struct window *w) {
	if (!w->closed && wl_display_dispatch(w->display) < 0) {
		return -EPIPE;
	}
	wl_display_flush(w->display);
	return w->closed ? -ECANCELED : 0;
}
