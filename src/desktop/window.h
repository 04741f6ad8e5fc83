/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_WINDOW_H
#define DESKTOP_WINDOW_H

#include <stdbool.h>

#include "desktop/state.h"

/* A top-level window, Wayland's or X11's: where it stands and who has the keyboard.
 *
 * In a single-app session windows fill the output and dialogs float, centred on
 * their parent. Else windows float centred unless they ask for more. */
struct window;

struct window_impl {
	struct wlr_surface *(*surface)(struct window *window);
	void (*activate)(struct window *window, bool active);
	/* Asks for this place; width and height are 0 for "as you like". */
	void (*configure)(struct window *window, const struct wlr_box *box, bool fills);
	/* The size it has now. */
	void (*size)(struct window *window, int *width, int *height);
	struct window *(*parent)(struct window *window); /* NULL: not a dialog */
	bool (*wants_fill)(struct window *window);       /* asked to be full screen */
	bool (*wants_focus)(struct window *window);
};

struct window {
	struct desktop *desktop; /* borrowed */
	const struct window_impl *impl;
	struct wl_list link;         /* desktop::windows while mapped */
	struct wlr_scene_node *node; /* NULL when there is nothing to see */
	bool mapped;
	bool fills;
	bool notice; /* of a client of ours that says what happened */
};

void window_init(struct window *window, struct desktop *desktop, const struct window_impl *impl);
void window_finish(struct window *window);

/* Before it is mapped, or when it asks: says how large it should be. */
void window_configure(struct window *window);

/* node is what window_at() should find it by. */
void window_map(struct window *window, struct wlr_scene_node *node);
void window_unmap(struct window *window);

/* Its size changed: a floating one is put right again. */
void window_settle(struct window *window);

/* NULL takes the keyboard from everybody. */
void window_focus(struct desktop *desktop, struct window *window);

/* The window to which a scene node belongs, or NULL. */
struct window *window_at(struct wlr_scene_node *node);

/* The output's size changed. */
void window_arrange_all(struct desktop *desktop);

#endif
