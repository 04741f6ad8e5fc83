/* SPDX-License-Identifier: MIT */
#include "desktop/window.h"

void window_init(struct window *window, struct desktop *desktop, const struct window_impl *impl) {
	*window = (struct window){ .desktop = desktop, .impl = impl };
	wl_list_init(&window->link);
}

void window_finish(struct window *window) {
	window_unmap(window);
}

static bool should_fill(struct window *window) {
	if (window->impl->parent(window)) {
		return false;
	}
	return window->desktop->settings.fullscreen || window->notice ||
	       window->impl->wants_fill(window);
}

void window_configure(struct window *window) {
	struct wlr_box box = { 0 };
	window->fills = should_fill(window);
	if (window->fills) {
		box.width = window->desktop->output.width;
		box.height = window->desktop->output.height;
	}
	window->impl->configure(window, &box, window->fills);
}

/* Where a floating window belongs: the middle of its parent or of the output, but
 * with its top left corner to be seen. */
void window_settle(struct window *window) {
	if (!window->node) {
		return;
	}
	struct wlr_output *output = &window->desktop->output;
	struct wlr_box over = { .width = output->width, .height = output->height };
	struct window *parent = window->impl->parent(window);
	if (parent && parent->mapped && parent->node) {
		wlr_scene_node_coords(parent->node, &over.x, &over.y);
		parent->impl->size(parent, &over.width, &over.height);
	}
	struct wlr_box box = { 0 };
	window->impl->size(window, &box.width, &box.height);
	if (!window->fills) {
		box.x = over.x + (over.width - box.width) / 2;
		box.y = over.y + (over.height - box.height) / 2;
		box.x = box.x < 0 ? 0 : box.x;
		box.y = box.y < 0 ? 0 : box.y;
	}
	wlr_scene_node_set_position(window->node, box.x, box.y);
}

static void tell_count(struct desktop *desktop) {
	if (desktop->events->windows) {
		desktop->events->windows(desktop->user, desktop->mapped, desktop->notices > 0);
	}
}

static bool wants_focus(struct window *window) {
	return !window->notice && window->impl->wants_focus(window);
}

static unsigned *counter_of(struct window *window) {
	return window->notice ? &window->desktop->notices : &window->desktop->mapped;
}

void window_map(struct window *window, struct wlr_scene_node *node) {
	if (window->mapped) {
		return;
	}
	struct desktop *desktop = window->desktop;
	window->mapped = true;
	window->node = node;
	node->data = window;
	wl_list_insert(&desktop->windows, &window->link);
	++*counter_of(window);
	window_settle(window);
	if (wants_focus(window)) {
		window_focus(desktop, window);
	}
	pointer_refresh(desktop);
	tell_count(desktop);
}

void window_unmap(struct window *window) {
	if (!window->mapped) {
		return;
	}
	struct desktop *desktop = window->desktop;
	window->mapped = false;
	window->node = NULL;
	wl_list_remove(&window->link);
	wl_list_init(&window->link);
	--*counter_of(window);
	if (desktop->focused == window) {
		desktop->focused = NULL;
		struct window *next, *best = NULL;
		wl_list_for_each(next, &desktop->windows, link) {
			if (wants_focus(next)) {
				best = next;
				break;
			}
		}
		window_focus(desktop, best);
	}
	pointer_refresh(desktop);
	tell_count(desktop);
}

static void raise_with_dialogs(struct window *window, unsigned depth) {
	wlr_scene_node_raise_to_top(window->node);
	struct window *other;
	wl_list_for_each(other, &window->desktop->windows, link) {
		/* Clients choose their parents: a circle must not catch us. */
		if (depth < 8 && other != window && other->impl->parent(other) == window) {
			raise_with_dialogs(other, depth + 1);
		}
	}
}

void window_focus(struct desktop *desktop, struct window *window) {
	if (window && window == desktop->focused) {
		return;
	}
	if (desktop->focused) {
		desktop->focused->impl->activate(desktop->focused, false);
	}
	desktop->focused = window;
	if (!window) {
		keyboard_enter(desktop, NULL);
		return;
	}
	raise_with_dialogs(window, 0);
	wl_list_remove(&window->link);
	wl_list_insert(&desktop->windows, &window->link);
	window->impl->activate(window, true);
	keyboard_enter(desktop, window->impl->surface(window));
}

struct window *window_at(struct wlr_scene_node *node) {
	while (node && !node->data) {
		node = compat_node_parent(node);
	}
	return node ? node->data : NULL;
}

void window_arrange_all(struct desktop *desktop) {
	struct window *window;
	wl_list_for_each(window, &desktop->windows, link) {
		if (window->fills) {
			window_configure(window);
		}
		window_settle(window);
	}
}
