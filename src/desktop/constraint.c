/* SPDX-License-Identifier: MIT */
/* Pointer constraints: games lock the cursor or keep it inside their window. */
#include <wlr/util/region.h>

#include "desktop/window.h"

static void deactivate(struct desktop *desktop) {
	struct wlr_pointer_constraint_v1 *constraint = desktop->constraint;
	if (!constraint) {
		return;
	}
	desktop->constraint = NULL;
	wl_list_remove(&desktop->constraint_gone.link);
	wl_list_init(&desktop->constraint_gone.link);
	wlr_pointer_constraint_v1_send_deactivated(constraint);
}

/* A game that unlocks says where it drew its own cursor. */
static void warp_to_hint(struct desktop *desktop, struct wlr_pointer_constraint_v1 *constraint) {
	double hint_x, hint_y;
	if (constraint->type != WLR_POINTER_CONSTRAINT_V1_LOCKED ||
			!compat_cursor_hint(constraint, &hint_x, &hint_y)) {
		return;
	}
	struct window *window;
	wl_list_for_each(window, &desktop->windows, link) {
		int x, y;
		if (window->impl->surface(window) == constraint->surface &&
				wlr_scene_node_coords(window->node, &x, &y)) {
			wlr_cursor_warp_closest(desktop->cursor, NULL, x + hint_x, y + hint_y);
		}
	}
}

static void handle_gone(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, constraint_gone);
	desktop->constraint = NULL;
	wl_list_remove(&desktop->constraint_gone.link);
	wl_list_init(&desktop->constraint_gone.link);
	warp_to_hint(desktop, data);
}

void constraint_follow(struct desktop *desktop) {
	if (!desktop->constraints) {
		return;
	}
	struct wlr_surface *surface = desktop->seat->keyboard_state.focused_surface;
	struct wlr_pointer_constraint_v1 *next = NULL;
	if (surface) {
		next = wlr_pointer_constraints_v1_constraint_for_surface(
				desktop->constraints, surface, desktop->seat);
	}
	if (next == desktop->constraint) {
		return;
	}
	deactivate(desktop);
	if (!next) {
		return;
	}
	desktop->constraint = next;
	wl_signal_add(&next->events.destroy, &desktop->constraint_gone);
	wlr_pointer_constraint_v1_send_activated(next);
}

bool constraint_apply(struct desktop *desktop, double *dx, double *dy) {
	struct wlr_pointer_constraint_v1 *constraint = desktop->constraint;
	struct wlr_seat_pointer_state *pointer = &desktop->seat->pointer_state;
	if (!constraint || constraint->surface != pointer->focused_surface) {
		return true;
	}
	if (constraint->type == WLR_POINTER_CONSTRAINT_V1_LOCKED) {
		return false;
	}
	double x, y;
	if (wlr_region_confine(&constraint->region, pointer->sx, pointer->sy, pointer->sx + *dx,
			    pointer->sy + *dy, &x, &y)) {
		*dx = x - pointer->sx;
		*dy = y - pointer->sy;
	}
	return true;
}

static void handle_new(struct wl_listener *listener, void *data) {
	(void)data;
	struct desktop *desktop = wl_container_of(listener, desktop, new_constraint);
	constraint_follow(desktop);
}

void constraint_begin(struct desktop *desktop) {
	desktop->constraint_gone.notify = handle_gone;
	wl_list_init(&desktop->constraint_gone.link);
	desktop->constraints = wlr_pointer_constraints_v1_create(desktop->display);
	if (desktop->constraints) {
		desktop->new_constraint.notify = handle_new;
		wl_signal_add(&desktop->constraints->events.new_constraint,
				&desktop->new_constraint);
	}
}
