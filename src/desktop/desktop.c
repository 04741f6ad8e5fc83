/* SPDX-License-Identifier: MIT */
#include "desktop/desktop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/input-event-codes.h>

#include <wlr/render/pixman.h>
#include <wlr/types/wlr_idle_inhibit_v1.h>
#include <wlr/types/wlr_server_decoration.h>
#include <wlr/types/wlr_viewporter.h>
#include <wlr/types/wlr_xdg_output_v1.h>

#include "base/clock.h"
#include "desktop/window.h"

enum {
	LISTEN_BACKLOG = 64,
};

uint32_t desktop_now_ms(void) {
	return (uint32_t)clock_now_ms();
}

static bool size_is_valid(uint32_t width, uint32_t height, uint32_t rate_mhz) {
	return width % 2 == 0 && height % 2 == 0 && width >= DESKTOP_SIDE_MIN &&
	       height >= DESKTOP_SIDE_MIN && width <= DESKTOP_WIDTH_MAX &&
	       height <= DESKTOP_HEIGHT_MAX && rate_mhz >= PACE_RATE_MHZ_MIN &&
	       rate_mhz <= PACE_RATE_MHZ_MAX;
}

static int make_scene(struct desktop *desktop) {
	desktop->scene = wlr_scene_create();
	desktop->layout = compat_layout_create(desktop->display);
	if (!desktop->scene || !desktop->layout) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < LAYERS; i++) {
		desktop->layers[i] = compat_layer_create(desktop->scene);
		if (!desktop->layers[i]) {
			return -ENOMEM;
		}
	}
	wlr_output_layout_add(desktop->layout, &desktop->output, 0, 0);
	desktop->scene_output = wlr_scene_output_create(desktop->scene, &desktop->output);
	return desktop->scene_output ? 0 : -ENOMEM;
}

static int make_globals(struct desktop *desktop) {
	struct wl_display *display = desktop->display;
	wlr_viewporter_create(display);
	wlr_xdg_output_manager_v1_create(display, desktop->layout);
	wlr_idle_inhibit_v1_create(display);
	compat_presentation_create(display, &desktop->backend, desktop->scene);
	struct wlr_server_decoration_manager *kde = wlr_server_decoration_manager_create(display);
	if (kde) {
		wlr_server_decoration_manager_set_default_mode(
				kde, WLR_SERVER_DECORATION_MANAGER_MODE_SERVER);
	}
	desktop->seat = wlr_seat_create(display, "seat0");
	if (!desktop->seat) {
		return -ENOMEM;
	}
	wlr_seat_set_capabilities(
			desktop->seat, WL_SEAT_CAPABILITY_KEYBOARD | WL_SEAT_CAPABILITY_POINTER);
	return 0;
}

static int begin(struct desktop *desktop, const struct desktop_settings *settings) {
	desktop->display = wl_display_create();
	if (!desktop->display) {
		return -ENOMEM;
	}
	desktop->loop = wl_display_get_event_loop(desktop->display);
	int r = backend_begin(desktop);
	if (r < 0) {
		return r;
	}
	desktop->compositor = compat_compositor_create(desktop->display, desktop->renderer);
	if (!desktop->compositor) {
		return -ENOMEM;
	}
	r = make_scene(desktop);
	if (r == 0) {
		r = make_globals(desktop);
	}
	if (r == 0) {
		r = render_begin(desktop);
	}
	if (r == 0) {
		r = keyboard_begin(desktop, settings);
	}
	if (r == 0) {
		r = pointer_begin(desktop);
	}
	if (r < 0) {
		return r;
	}
	surfaces_begin(desktop);
	typing_begin(desktop);
	constraint_begin(desktop);
	selection_begin(desktop);
	xdg_begin(desktop);
	if (settings->xwayland) {
		x11_begin(desktop);
	}
	return 0;
}

int desktop_create(const struct desktop_settings *settings, int listen_fd,
		const struct desktop_events *events, void *user, struct desktop **out) {
	OWN(fd_close) int listening = listen_fd;
	if (!size_is_valid(settings->width, settings->height, settings->rate_mhz)) {
		return -EINVAL;
	}
	struct desktop *desktop = calloc(1, sizeof(*desktop));
	if (!desktop) {
		return -ENOMEM;
	}
	desktop->settings = *settings;
	desktop->settings.layout = desktop->settings.variant = NULL;
	desktop->settings.model = desktop->settings.options = NULL;
	desktop->events = events;
	desktop->user = user;
	desktop->timer_fd = -1;
	wl_list_init(&desktop->windows);
	clipboard_begin(desktop);
	int r = begin(desktop, settings);
	if (r == 0 && (listen(listening, LISTEN_BACKLOG) < 0 ||
				      wl_display_add_socket_fd(desktop->display, listening) < 0)) {
		r = -EINVAL;
	}
	if (r < 0) {
		desktop_destroy(desktop);
		return r;
	}
	listening = -1; /* the display's now */
	*out = desktop;
	return 0;
}

void desktop_destroy(struct desktop *desktop) {
	if (!desktop) {
		return;
	}
	clipboard_end(desktop);
	x11_end(desktop);
	if (desktop->display) {
		wl_display_destroy_clients(desktop->display);
	}
	render_end(desktop);
	pointer_end(desktop);
	typing_end(desktop);
	keyboard_end(desktop);
	if (desktop->scene) {
		compat_scene_destroy(desktop->scene);
	}
	backend_end(desktop);
	if (desktop->layout) {
		wlr_output_layout_destroy(desktop->layout);
	}
	if (desktop->display) {
		wl_display_destroy(desktop->display);
	}
	free(desktop);
}

struct wl_event_loop *desktop_loop(struct desktop *desktop) {
	return desktop->loop;
}

void desktop_dispatch(struct desktop *desktop, int timeout_ms) {
	wl_display_flush_clients(desktop->display);
	wl_event_loop_dispatch(desktop->loop, timeout_ms);
	wl_display_flush_clients(desktop->display);
}

const char *desktop_renderer_name(const struct desktop *desktop) {
	return wlr_renderer_is_pixman(desktop->renderer) ? "pixman" : "gpu";
}

int desktop_resize(struct desktop *desktop, uint32_t width, uint32_t height, uint32_t rate_mhz) {
	if (!size_is_valid(width, height, rate_mhz)) {
		return -EINVAL;
	}
	desktop->settings.width = width;
	desktop->settings.height = height;
	desktop->settings.rate_mhz = rate_mhz;
	pace_restart(&desktop->pace, rate_mhz, clock_now_ns());
	compat_output_set_size(&desktop->output, width, height, rate_mhz);
	window_arrange_all(desktop);
	/* The cursor must not stay outside. */
	wlr_cursor_warp_closest(desktop->cursor, NULL, desktop->cursor->x, desktop->cursor->y);
	pointer_refresh(desktop);
	desktop_redraw(desktop);
	return 0;
}

static void handle_notice_gone(struct wl_listener *listener, void *data) {
	(void)data;
	struct desktop *desktop = wl_container_of(listener, desktop, notice_gone);
	desktop->notice = NULL;
}

int desktop_notice(struct desktop *desktop, int fd) {
	if (desktop->notice) {
		wl_client_destroy(desktop->notice); /* one that was before this one */
	}
	desktop->notice = wl_client_create(desktop->display, fd);
	if (!desktop->notice) {
		fd_close(fd);
		return -ENOMEM;
	}
	desktop->notice_gone.notify = handle_notice_gone;
	wl_client_add_destroy_listener(desktop->notice, &desktop->notice_gone);
	return 0;
}

void desktop_watch(struct desktop *desktop, bool watched) {
	pace_watch(&desktop->pace, watched);
	render_arm(desktop);
}

void desktop_free(struct desktop *desktop, bool free) {
	pace_free(&desktop->pace, free);
	render_arm(desktop);
}

uint64_t desktop_skipped(const struct desktop *desktop) {
	return desktop->pace.skipped;
}

void desktop_ask(struct desktop *desktop) {
	pace_ask(&desktop->pace);
	render_arm(desktop);
}

void desktop_redraw(struct desktop *desktop) {
	compat_damage_whole(&desktop->output);
	render_damage(desktop);
}

static void press(struct desktop *desktop, const struct held_press *press, bool down) {
	if (press->kind == HELD_BUTTON) {
		pointer_button(desktop, press->code, down);
	} else {
		keyboard_key(desktop, press->code, down);
	}
}

static void input_press(
		struct desktop *desktop, uint32_t viewer, const struct desktop_input *input) {
	bool down = input->kind == INPUT_KEY_DOWN || input->kind == INPUT_BUTTON_DOWN;
	bool key = input->kind == INPUT_KEY_DOWN || input->kind == INPUT_KEY_UP;
	struct held_press what = {
		.viewer = viewer, .code = input->code, .kind = key ? HELD_KEY : HELD_BUTTON
	};
	bool known = key ? input->code > 0 && input->code < BTN_MISC
			 : input->code >= BTN_MOUSE && input->code < BTN_JOYSTICK;
	if (!known || !(down ? held_press(&desktop->held, what)
			     : held_release(&desktop->held, what))) {
		return;
	}
	if (input->kind == INPUT_KEY_DOWN && input->value) {
		keyboard_key_with(desktop, input->code, (uint32_t)input->value);
	} else {
		press(desktop, &what, down);
	}
}

void desktop_input(struct desktop *desktop, uint32_t viewer, const struct desktop_input *input) {
	switch (input->kind) {
	case INPUT_KEY_DOWN:
	case INPUT_KEY_UP:
	case INPUT_BUTTON_DOWN:
	case INPUT_BUTTON_UP:
		input_press(desktop, viewer, input);
		break;
	case INPUT_MOTION:
		pointer_motion(desktop, input->x, input->y);
		break;
	case INPUT_POSITION:
		if (input->w > 0 && input->h > 0) {
			pointer_position(desktop,
					(double)input->x * desktop->output.width / input->w,
					(double)input->y * desktop->output.height / input->h);
		}
		break;
	case INPUT_SCROLL:
	case INPUT_SCROLL_SIDE:
		pointer_scroll(desktop, input->kind == INPUT_SCROLL_SIDE, input->value);
		break;
	case INPUT_TEXT:
		typing_point(desktop, input->code);
		break;
	case INPUT_KINDS:
		break;
	}
}

void desktop_release(struct desktop *desktop, uint32_t viewer) {
	struct held_press what;
	while (held_next(&desktop->held, viewer, &what)) {
		press(desktop, &what, false);
	}
}

void desktop_release_all(struct desktop *desktop) {
	while (desktop->held.count > 0) {
		desktop_release(desktop, desktop->held.presses[0].viewer);
	}
}

unsigned desktop_held(const struct desktop *desktop, uint32_t *out, unsigned max) {
	unsigned count = 0;
	for (unsigned i = 0; i < desktop->held.count; i++) {
		uint32_t code = desktop->held.presses[i].code;
		bool known = false;
		for (unsigned j = 0; j < count; j++) {
			known |= out[j] == code;
		}
		if (!known && count < max) {
			out[count++] = code;
		}
	}
	return count;
}
