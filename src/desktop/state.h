/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_STATE_H
#define DESKTOP_STATE_H

/* What the files of this room share: the parts of one desktop. Nothing outside the
 * room includes it. */
#include <stdbool.h>
#include <stdint.h>

#include "desktop/desktop.h"
#include "desktop/held.h"
#include "desktop/latch.h"
#include "desktop/pace.h"
#include "desktop/wl_compat.h"

enum {
	TYPIST_KEYS = 64, /* code points that the typing keymap knows at once */
};

/* Bottom to top. */
enum desktop_layer {
	LAYER_WINDOWS,
	LAYER_UNMANAGED, /* X11 menus and tooltips */
	LAYER_NOTICE,    /* what we have to say */
	LAYERS,
};

/* A second keyboard whose keymap is made of the characters that were typed. */
struct typist {
	struct compat_keyboard keyboard;
	uint32_t points[TYPIST_KEYS];
	unsigned count, oldest;
	bool ready;
};

struct desktop {
	struct desktop_settings settings; /* without the texts */
	const struct desktop_events *events;
	void *user; /* borrowed */

	struct wl_display *display; /* owned; so is what hangs on it */
	struct wl_event_loop *loop;
	struct wlr_backend backend;
	bool backend_ready;
	struct wlr_output output;
	bool output_ready;
	struct wlr_renderer *renderer;   /* owned */
	struct wlr_allocator *allocator; /* owned */
	struct wlr_compositor *compositor;
	struct wlr_scene *scene; /* owned */
	struct wlr_scene_node *layers[LAYERS];
	struct wlr_scene_output *scene_output;
	struct wlr_output_layout *layout; /* owned */

	struct pace pace;
	struct latch latch;
	int timer_fd; /* owned; armed at pace_deadline() */
	struct wl_event_source *timer;
	uint64_t armed_ns;
	uint64_t damaged_ns; /* first damage since the last picture, 0 for none */
	uint64_t render_begin_ns;
	bool changed; /* by the rendering in hand */
	uint64_t failures;

	struct wl_list windows;   /* window::link, front first */
	struct window *focused;   /* NULL for none */
	unsigned mapped;          /* without those of notices */
	unsigned notices;         /* mapped */
	struct wl_client *notice; /* borrowed; NULL for none */
	struct wl_listener notice_gone;

	struct wlr_seat *seat;
	struct compat_keyboard keyboard;
	bool keyboard_ready;
	struct typist typist;
	struct held held;
	struct wlr_cursor *cursor;            /* owned */
	struct wlr_xcursor_manager *xcursors; /* owned */
	bool pointer_seen;                    /* no cursor before the first motion */
	bool client_cursor;                   /* a client has set the image or hidden it */
	int32_t scroll_rest[2];               /* 120ths, vertical and horizontal */
	struct wlr_relative_pointer_manager_v1 *relative;
	struct wlr_pointer_constraints_v1 *constraints;
	struct wlr_pointer_constraint_v1 *constraint; /* active, or NULL */
	struct wlr_text_input_manager_v3 *text_inputs;
	struct wlr_xwayland *xwayland; /* owned */

	struct wlr_xdg_decoration_manager_v1 *decorations;

	struct wl_list clip_transfers; /* clip_transfer::link: pipes of the clipboard */
	unsigned clip_transfers_count;

	struct wl_listener needs_frame, new_surface, new_toplevel, new_popup, new_decoration,
			activate;
	struct wl_listener request_shape, request_cursor, request_selection, request_primary,
			request_drag;
	struct wl_listener new_constraint, constraint_gone, keyboard_modifiers;
	struct wl_listener typist_modifiers, pointer_focus, keyboard_focus, new_text_input;
	struct wl_listener new_x11_surface, x11_ready;
};

/* backend.c */
int backend_begin(struct desktop *desktop);
void backend_end(struct desktop *desktop);

/* render.c: pacing, rendering, handing over */
int render_begin(struct desktop *desktop);
void render_end(struct desktop *desktop);
void render_arm(struct desktop *desktop);
void render_damage(struct desktop *desktop);
/* A client has a new frame. */
void render_committed(struct desktop *desktop);
/* The output's commit; false refuses the buffer. */
bool render_deliver(struct desktop *desktop, struct wlr_buffer *buffer);

/* surfaces.c: who commits */
void surfaces_begin(struct desktop *desktop);

/* keyboard.c */
int keyboard_begin(struct desktop *desktop, const struct desktop_settings *settings);
void keyboard_end(struct desktop *desktop);
void keyboard_key(struct desktop *desktop, uint32_t code, bool down);
/* A press with modifier bits that the client did not press as keys. */
void keyboard_key_with(struct desktop *desktop, uint32_t code, uint32_t modifiers);
void keyboard_enter(struct desktop *desktop, struct wlr_surface *surface);

/* typing.c */
void typing_begin(struct desktop *desktop);
void typing_end(struct desktop *desktop);
void typing_point(struct desktop *desktop, uint32_t point);

/* pointer.c */
int pointer_begin(struct desktop *desktop);
void pointer_end(struct desktop *desktop);
void pointer_motion(struct desktop *desktop, double dx, double dy);
void pointer_position(struct desktop *desktop, double x, double y);
void pointer_button(struct desktop *desktop, uint32_t code, bool down);
void pointer_scroll(struct desktop *desktop, bool sideways, int32_t amount_120);
/* What is under the cursor may have changed. */
void pointer_refresh(struct desktop *desktop);

/* constraint.c */
void constraint_begin(struct desktop *desktop);
/* The constraint of the surface that has the keyboard becomes the active one. */
void constraint_follow(struct desktop *desktop);
/* Bends a motion of the cursor; false when it must not move at all. */
bool constraint_apply(struct desktop *desktop, double *dx, double *dy);

/* selection.c */
void selection_begin(struct desktop *desktop);

/* clipboard.c */
void clipboard_begin(struct desktop *desktop);
void clipboard_end(struct desktop *desktop);

/* xdg_shell.c, x11.c */
void xdg_begin(struct desktop *desktop);
void x11_begin(struct desktop *desktop);
void x11_end(struct desktop *desktop);

uint32_t desktop_now_ms(void);

#endif
