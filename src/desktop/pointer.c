/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "desktop/window.h"

enum {
	CURSOR_SIZE = 24,
	NOTCH = 120,           /* hi-res units of one wheel notch */
	PIXELS_PER_NOTCH = 15, /* what compositors send for one */
	SCROLL_MAX = 100 * NOTCH,
};

#define CURSOR_ARROW "left_ptr"

/* The pointer's focus follows the cursor; while a button is held it stays where the
 * button went down. */
void pointer_refresh(struct desktop *desktop) {
	struct wlr_seat *seat = desktop->seat;
	if (!desktop->pointer_seen || seat->pointer_state.button_count > 0 || seat->drag) {
		return;
	}
	double sx, sy;
	struct wlr_scene_node *node;
	struct wlr_surface *surface = compat_surface_at(
			desktop->scene, desktop->cursor->x, desktop->cursor->y, &node, &sx, &sy);
	if (!surface) {
		wlr_seat_pointer_notify_clear_focus(seat);
		if (desktop->client_cursor) {
			desktop->client_cursor = false;
			compat_cursor_show(desktop->cursor, desktop->xcursors, CURSOR_ARROW);
		}
		return;
	}
	wlr_seat_pointer_notify_enter(seat, surface, sx, sy);
}

static void appear(struct desktop *desktop) {
	if (!desktop->pointer_seen) {
		desktop->pointer_seen = true;
		compat_cursor_show(desktop->cursor, desktop->xcursors, CURSOR_ARROW);
	}
}

/* After the cursor moved: tells whoever is under it, or holds the button. */
static void tell_motion(struct desktop *desktop) {
	struct wlr_seat *seat = desktop->seat;
	uint32_t now = desktop_now_ms();
	double sx, sy;
	struct wlr_scene_node *node;
	struct wlr_surface *surface = compat_surface_at(
			desktop->scene, desktop->cursor->x, desktop->cursor->y, &node, &sx, &sy);
	struct wlr_surface *focused = seat->pointer_state.focused_surface;
	if (seat->pointer_state.button_count > 0 && focused && surface != focused && !seat->drag) {
		/* The focus stays; its coordinates go on outside of it. */
		sx = seat->pointer_state.sx;
		sy = seat->pointer_state.sy;
		struct window *window;
		wl_list_for_each(window, &desktop->windows, link) {
			int x, y;
			if (window->impl->surface(window) == focused &&
					wlr_scene_node_coords(window->node, &x, &y)) {
				sx = desktop->cursor->x - x;
				sy = desktop->cursor->y - y;
			}
		}
		wlr_seat_pointer_notify_motion(seat, now, sx, sy);
	} else if (surface) {
		wlr_seat_pointer_notify_enter(seat, surface, sx, sy);
		wlr_seat_pointer_notify_motion(seat, now, sx, sy);
	} else {
		pointer_refresh(desktop);
	}
	wlr_seat_pointer_notify_frame(seat);
}

void pointer_motion(struct desktop *desktop, double dx, double dy) {
	appear(desktop);
	if (desktop->relative) {
		wlr_relative_pointer_manager_v1_send_relative_motion(
				desktop->relative, desktop->seat, clock_now_us(), dx, dy, dx, dy);
	}
	if (constraint_apply(desktop, &dx, &dy)) {
		wlr_cursor_move(desktop->cursor, NULL, dx, dy);
		tell_motion(desktop);
	} else {
		wlr_seat_pointer_notify_frame(desktop->seat);
	}
}

void pointer_position(struct desktop *desktop, double x, double y) {
	pointer_motion(desktop, x - desktop->cursor->x, y - desktop->cursor->y);
}

void pointer_button(struct desktop *desktop, uint32_t code, bool down) {
	appear(desktop);
	pointer_refresh(desktop);
	if (down) {
		double sx, sy;
		struct wlr_scene_node *node;
		struct wlr_surface *surface = compat_surface_at(desktop->scene, desktop->cursor->x,
				desktop->cursor->y, &node, &sx, &sy);
		struct window *window = surface ? window_at(node) : NULL;
		if (window && window->impl->wants_focus(window)) {
			window_focus(desktop, window);
		}
	}
	compat_send_button(desktop->seat, desktop_now_ms(), code, down);
	wlr_seat_pointer_notify_frame(desktop->seat);
	if (!down) {
		pointer_refresh(desktop);
	}
}

/* amount: positive is up or right, as Moonlight counts; Wayland counts down. */
void pointer_scroll(struct desktop *desktop, bool sideways, int32_t amount_120) {
	appear(desktop);
	pointer_refresh(desktop);
	if (amount_120 > SCROLL_MAX || amount_120 < -SCROLL_MAX) {
		return;
	}
	int32_t amount = sideways ? amount_120 : -amount_120;
	int32_t *rest = &desktop->scroll_rest[sideways];
	/* Turning back starts a new notch. */
	if ((amount > 0) != (*rest > 0)) {
		*rest = 0;
	}
	*rest += amount;
	int32_t notches = *rest / NOTCH;
	*rest -= notches * NOTCH;
	compat_send_axis(desktop->seat, desktop_now_ms(), sideways,
			(double)amount * PIXELS_PER_NOTCH / NOTCH, notches, amount);
}

static void handle_request_cursor(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, request_cursor);
	struct wlr_seat_pointer_request_set_cursor_event *event = data;
	if (desktop->seat->pointer_state.focused_client != event->seat_client) {
		return;
	}
	desktop->client_cursor = true;
	wlr_cursor_set_surface(desktop->cursor, event->surface, event->hotspot_x, event->hotspot_y);
}

/* cursor-shape: the client names a shape and we have the theme. */
static void handle_request_shape(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, request_shape);
	const char *shape = compat_cursor_shape(data, desktop->seat->pointer_state.focused_client);
	if (shape) {
		desktop->client_cursor = true;
		compat_cursor_show(desktop->cursor, desktop->xcursors, shape);
	}
}

/* Each client starts with the arrow until it asks for something else. */
static void handle_focus_change(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, pointer_focus);
	struct wlr_seat_pointer_focus_change_event *event = data;
	struct wl_client *before =
			event->old_surface ? wl_resource_get_client(event->old_surface->resource)
					   : NULL;
	struct wl_client *after =
			event->new_surface ? wl_resource_get_client(event->new_surface->resource)
					   : NULL;
	if (after && after != before && desktop->client_cursor) {
		desktop->client_cursor = false;
		compat_cursor_show(desktop->cursor, desktop->xcursors, CURSOR_ARROW);
	}
}

int pointer_begin(struct desktop *desktop) {
	desktop->cursor = wlr_cursor_create();
	desktop->xcursors = wlr_xcursor_manager_create(NULL, CURSOR_SIZE);
	if (!desktop->cursor || !desktop->xcursors) {
		return -ENOMEM;
	}
	wlr_cursor_attach_output_layout(desktop->cursor, desktop->layout);
	wlr_xcursor_manager_load(desktop->xcursors, 1);
	wlr_cursor_warp_closest(desktop->cursor, NULL, desktop->settings.width / 2.0,
			desktop->settings.height / 2.0);
	desktop->relative = wlr_relative_pointer_manager_v1_create(desktop->display);
	desktop->request_cursor.notify = handle_request_cursor;
	wl_signal_add(&desktop->seat->events.request_set_cursor, &desktop->request_cursor);
	desktop->request_shape.notify = handle_request_shape;
	compat_cursor_shapes(desktop->display, &desktop->request_shape);
	desktop->pointer_focus.notify = handle_focus_change;
	wl_signal_add(&desktop->seat->pointer_state.events.focus_change, &desktop->pointer_focus);
	return 0;
}

void pointer_end(struct desktop *desktop) {
	if (desktop->cursor) {
		wlr_cursor_destroy(desktop->cursor);
	}
	if (desktop->xcursors) {
		wlr_xcursor_manager_destroy(desktop->xcursors);
	}
}
