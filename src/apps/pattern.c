/* SPDX-License-Identifier: MIT */
/* Pattern: a plain Wayland client for tests and for looking at a stream. It draws a
 * scene that says its own number (apps/pattern_scene.h), counts keys and clicks in
 * a code and a patch of colour, and plays a tone. It draws when the compositor asks
 * for a frame and never faster. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sys/mman.h>

#include <wayland-client.h>

#include "apps/pattern_scene.h"
#include "apps/tone.h"
#include "base/own.h"
#include "base/shm.h"
#include "xdg-shell-client-protocol.h"

enum {
	BUFFERS = 3,
	DEFAULT_WIDTH = 1280,
	DEFAULT_HEIGHT = 720,
	SIDE_MAX = 8192,
};

struct buffer {
	struct wl_buffer *proxy; /* owned */
	uint8_t *pixels;         /* borrowed from pattern::pool */
	bool busy;               /* the compositor may read it */
	bool whole;              /* the bars are in it */
};

struct pattern {
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
	struct pattern_scene scene;
	struct pattern_texture texture;

	bool still;     /* draw only when something changes */
	bool want_draw; /* as soon as a buffer is free */
	bool redraw;    /* still: an event came */
	bool whole;     /* next commit damages everything */
	bool closed;
};

static void draw(struct pattern *p);

static void handle_buffer_release(void *data, struct wl_buffer *proxy) {
	struct pattern *p = data;
	for (size_t i = 0; i < BUFFERS; i++) {
		if (p->buffers[i].proxy == proxy) {
			p->buffers[i].busy = false;
		}
	}
	if (p->want_draw) {
		draw(p);
	}
}

static const struct wl_buffer_listener buffer_listener = { .release = handle_buffer_release };

static void drop_buffers(struct pattern *p) {
	for (size_t i = 0; i < BUFFERS; i++) {
		if (p->buffers[i].proxy) {
			wl_buffer_destroy(p->buffers[i].proxy);
		}
		p->buffers[i] = (struct buffer){ 0 };
	}
	shm_finish(&p->pool);
	p->pool = SHM_NONE;
}

static int make_buffers(struct pattern *p) {
	drop_buffers(p);
	size_t stride = (size_t)p->scene.width * 4;
	size_t each = stride * p->scene.height;
	int r = shm_create("pattern", each * BUFFERS, false, &p->pool);
	if (r < 0) {
		return r;
	}
	struct wl_shm_pool *pool =
			wl_shm_create_pool(p->shm, p->pool.fd, (int32_t)(each * BUFFERS));
	for (size_t i = 0; i < BUFFERS; i++) {
		struct buffer *buffer = &p->buffers[i];
		buffer->proxy = wl_shm_pool_create_buffer(pool, (int32_t)(i * each),
				(int32_t)p->scene.width, (int32_t)p->scene.height, (int32_t)stride,
				WL_SHM_FORMAT_XRGB8888);
		buffer->pixels = p->pool.map + i * each;
		wl_buffer_add_listener(buffer->proxy, &buffer_listener, p);
	}
	wl_shm_pool_destroy(pool);
	p->whole = true;
	return 0;
}

static void handle_frame(void *data, struct wl_callback *callback, uint32_t time) {
	(void)time;
	struct pattern *p = data;
	wl_callback_destroy(callback);
	p->frame = NULL;
	if (!p->still || p->redraw) {
		draw(p);
	}
}

static const struct wl_callback_listener frame_listener = { .done = handle_frame };

static struct buffer *free_buffer(struct pattern *p) {
	for (size_t i = 0; i < BUFFERS; i++) {
		if (p->buffers[i].proxy && !p->buffers[i].busy) {
			return &p->buffers[i];
		}
	}
	return NULL;
}

static void draw(struct pattern *p) {
	struct buffer *buffer = free_buffer(p);
	p->want_draw = !buffer;
	if (!buffer) {
		return;
	}
	p->scene.number++;
	p->redraw = false;
	pattern_scene_draw(&p->scene, &p->texture, !buffer->whole, buffer->pixels,
			(size_t)p->scene.width * 4);
	buffer->whole = true;
	buffer->busy = true;

	uint32_t rows = p->whole ? p->scene.height : pattern_bars_top(&p->scene);
	p->whole = false;
	wl_surface_attach(p->surface, buffer->proxy, 0, 0);
	wl_surface_damage_buffer(p->surface, 0, 0, (int32_t)p->scene.width, (int32_t)rows);
	p->frame = wl_surface_frame(p->surface);
	wl_callback_add_listener(p->frame, &frame_listener, p);
	wl_surface_commit(p->surface);
}

/* A key or button went down. A moving scene shows it in its next picture. */
static void count_event(struct pattern *p) {
	p->scene.events++;
	p->redraw = true;
	if (p->still && !p->frame) {
		draw(p);
	}
}

static void handle_surface_configure(void *data, struct xdg_surface *surface, uint32_t serial) {
	struct pattern *p = data;
	xdg_surface_ack_configure(surface, serial);
	uint32_t width = p->asked_width ? p->asked_width & ~1u : DEFAULT_WIDTH;
	uint32_t height = p->asked_height ? p->asked_height & ~1u : DEFAULT_HEIGHT;
	if (width == p->scene.width && height == p->scene.height) {
		wl_surface_commit(p->surface);
		return;
	}
	p->scene.width = width;
	p->scene.height = height;
	if (make_buffers(p) < 0) {
		p->closed = true;
		return;
	}
	if (p->frame) {
		wl_callback_destroy(p->frame);
		p->frame = NULL;
	}
	draw(p);
}

static const struct xdg_surface_listener surface_listener = {
	.configure = handle_surface_configure,
};

static void handle_toplevel_configure(void *data, struct xdg_toplevel *toplevel, int32_t width,
		int32_t height, struct wl_array *states) {
	(void)toplevel, (void)states;
	struct pattern *p = data;
	if (width >= 0 && width <= SIDE_MAX && height >= 0 && height <= SIDE_MAX) {
		p->asked_width = (uint32_t)width;
		p->asked_height = (uint32_t)height;
	}
}

static void handle_close(void *data, struct xdg_toplevel *toplevel) {
	(void)toplevel;
	((struct pattern *)data)->closed = true;
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
static void handle_enter(void *data, struct wl_pointer *pointer, uint32_t serial,
		struct wl_surface *s, wl_fixed_t x, wl_fixed_t y) {
	(void)data, (void)pointer, (void)serial, (void)s, (void)x, (void)y; }
static void handle_leave(void *data, struct wl_pointer *pointer, uint32_t serial,
		struct wl_surface *s) { (void)data, (void)pointer, (void)serial, (void)s; }
static void handle_motion(void *data, struct wl_pointer *pointer, uint32_t time, wl_fixed_t x,
		wl_fixed_t y) { (void)data, (void)pointer, (void)time, (void)x, (void)y; }
static void handle_axis(void *data, struct wl_pointer *pointer, uint32_t time, uint32_t axis,
		wl_fixed_t value) { (void)data, (void)pointer, (void)time, (void)axis, (void)value; }
/* clang-format on */

static void handle_key(void *data, struct wl_keyboard *keyboard, uint32_t serial, uint32_t time,
		uint32_t key, uint32_t state) {
	(void)keyboard, (void)serial, (void)time, (void)key;
	if (state == WL_KEYBOARD_KEY_STATE_PRESSED) {
		count_event(data);
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
	(void)pointer, (void)serial, (void)time, (void)button;
	if (state == WL_POINTER_BUTTON_STATE_PRESSED) {
		count_event(data);
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
	struct pattern *p = data;
	if (capabilities & WL_SEAT_CAPABILITY_KEYBOARD && !p->keyboard) {
		p->keyboard = wl_seat_get_keyboard(seat);
		wl_keyboard_add_listener(p->keyboard, &keyboard_listener, p);
	}
	if (capabilities & WL_SEAT_CAPABILITY_POINTER && !p->pointer) {
		p->pointer = wl_seat_get_pointer(seat);
		wl_pointer_add_listener(p->pointer, &pointer_listener, p);
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
	struct pattern *p = data;
	if (strcmp(interface, wl_compositor_interface.name) == 0 && version >= 4) {
		p->compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 4);
	} else if (strcmp(interface, wl_shm_interface.name) == 0) {
		p->shm = wl_registry_bind(registry, name, &wl_shm_interface, 1);
	} else if (strcmp(interface, xdg_wm_base_interface.name) == 0) {
		p->shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
		xdg_wm_base_add_listener(p->shell, &shell_listener, p);
	} else if (strcmp(interface, wl_seat_interface.name) == 0 && !p->seat) {
		p->seat = wl_registry_bind(registry, name, &wl_seat_interface, version < 4 ? 1 : 4);
		wl_seat_add_listener(p->seat, &seat_listener, p);
	}
}

static void handle_global_remove(void *data, struct wl_registry *registry, uint32_t name) {
	(void)data, (void)registry, (void)name;
}

static const struct wl_registry_listener registry_listener = {
	.global = handle_global,
	.global_remove = handle_global_remove,
};

static int open_window(struct pattern *p) {
	p->display = wl_display_connect(NULL);
	if (!p->display) {
		fprintf(stderr, "pattern: no Wayland display\n");
		return -ENOENT;
	}
	struct wl_registry *registry = wl_display_get_registry(p->display);
	wl_registry_add_listener(registry, &registry_listener, p);
	if (wl_display_roundtrip(p->display) < 0 || !p->compositor || !p->shm || !p->shell) {
		fprintf(stderr, "pattern: the compositor lacks something\n");
		return -ENOTSUP;
	}
	p->surface = wl_compositor_create_surface(p->compositor);
	p->xdg_surface = xdg_wm_base_get_xdg_surface(p->shell, p->surface);
	xdg_surface_add_listener(p->xdg_surface, &surface_listener, p);
	p->toplevel = xdg_surface_get_toplevel(p->xdg_surface);
	xdg_toplevel_add_listener(p->toplevel, &toplevel_listener, p);
	xdg_toplevel_set_title(p->toplevel, "Pattern");
	xdg_toplevel_set_app_id(p->toplevel, "perigee-pattern");
	xdg_toplevel_set_fullscreen(p->toplevel, NULL);
	wl_surface_commit(p->surface);
	return 0;
}

static void usage(void) {
	fprintf(stderr, "usage: perigee-pattern [--still] [--no-sound]\n"
			"  --still     draw once and after each key or click; no sound\n"
			"  --no-sound  no tone\n");
}

int main(int argc, char **argv) {
	static const struct option options[] = {
		{ "still", no_argument, NULL, 's' },
		{ "no-sound", no_argument, NULL, 'q' },
		{ 0 },
	};
	bool silent = false;
	struct pattern *p = calloc(1, sizeof(*p));
	if (!p) {
		return EXIT_FAILURE;
	}
	p->pool = SHM_NONE;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option != 's' && option != 'q') {
			usage();
			return 2;
		}
		p->still |= option == 's';
		silent = true;
	}
	signal(SIGPIPE, SIG_IGN);
	pattern_texture_draw(&p->texture);

	struct tone *tone = NULL;
	if (!silent && tone_create(&tone) < 0) {
		fprintf(stderr, "pattern: no sound\n");
	}
	int r = open_window(p);
	while (r >= 0 && !p->closed) {
		r = wl_display_dispatch(p->display);
	}
	tone_destroy(tone);
	drop_buffers(p);
	if (p->display) {
		wl_display_disconnect(p->display);
	}
	free(p);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
