/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_WL_COMPAT_H
#define DESKTOP_WL_COMPAT_H

/* wlroots promises no API: whatever differs between the releases we know (0.15 of
 * Debian 12, 0.18 of Debian 13) is here and in wl_compat.c, so that a port changes
 * these two files. Built and tested against 0.15; the comments name what 0.18 does. */
#include <stdbool.h>
#include <stdint.h>

#include <wayland-server-core.h>

#include <wlr/backend/interface.h>
#include <wlr/interfaces/wlr_input_device.h>
#include <wlr/interfaces/wlr_keyboard.h>
#include <wlr/interfaces/wlr_output.h>
#include <wlr/render/allocator.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/types/wlr_buffer.h>
#include <wlr/types/wlr_compositor.h>
#include <wlr/types/wlr_cursor.h>
#include <wlr/types/wlr_output_damage.h>
#include <wlr/types/wlr_output_layout.h>
#include <wlr/types/wlr_pointer_constraints_v1.h>
#include <wlr/types/wlr_relative_pointer_v1.h>
#include <wlr/types/wlr_scene.h>
#include <wlr/types/wlr_seat.h>
#include <wlr/types/wlr_surface.h>
#include <wlr/types/wlr_text_input_v3.h>
#include <wlr/types/wlr_xcursor_manager.h>
#include <wlr/types/wlr_xdg_shell.h>

/* 0.18: a wlr_keyboard is a device by itself. */
struct compat_keyboard {
	struct wlr_keyboard keyboard;
	struct wlr_input_device device;
};

void compat_keyboard_init(struct compat_keyboard *keyboard, const char *name);
void compat_keyboard_finish(struct compat_keyboard *keyboard);
void compat_keyboard_notify(
		struct compat_keyboard *keyboard, uint32_t time_ms, uint32_t code, bool down);
void compat_seat_set_keyboard(struct wlr_seat *seat, struct compat_keyboard *keyboard);

/* Makes an output of this size; 0.18 wants an event loop and a state. */
void compat_output_init(struct wlr_output *output, struct wlr_backend *backend,
		const struct wlr_output_impl *impl, struct wl_display *display);
/* Sets the size without asking anybody: the backend is us. */
void compat_output_set_size(
		struct wlr_output *output, uint32_t width, uint32_t height, uint32_t rate_mhz);

/* What a test or commit is about. */
struct wlr_buffer *compat_pending_buffer(const struct wlr_output *output);
bool compat_pending_supported(const struct wlr_output *output);

/* A scan-out commit hands over a client's buffer: the one that can be read, or NULL. */
struct wlr_buffer *compat_readable(struct wlr_buffer *buffer);

/* Rows [top, bottom) that changed since the last commit; to be asked inside it.
 * False for none. 0.15 gives scan-out commits no damage: the ring knows. */
bool compat_changed_rows(
		struct wlr_scene_output *scene_output, uint32_t *out_top, uint32_t *out_bottom);

/* Renders what changed and commits it; clears the "frame pending" that a backend
 * must clear by itself. False when nothing was committed. */
bool compat_render(struct wlr_scene_output *scene_output);

/* Tells presentation-time clients and sends the frame callbacks. */
void compat_presented(struct wlr_scene_output *scene_output, uint64_t when_ns, uint64_t period_ns);
void compat_send_callbacks(struct wlr_scene_output *scene_output);

/* The surface at a place of the layout and where in it, or NULL. out_node is the
 * node found. */
struct wlr_surface *compat_surface_at(struct wlr_scene *scene, double x, double y,
		struct wlr_scene_node **out_node, double *out_sx, double *out_sy);
struct wlr_scene_node *compat_layer_create(struct wlr_scene *scene);

void compat_cursor_show(struct wlr_cursor *cursor, struct wlr_xcursor_manager *xcursors);
void compat_cursor_hide(struct wlr_cursor *cursor);

void compat_send_axis(struct wlr_seat *seat, uint32_t time_ms, bool sideways, double value,
		int32_t notches, int32_t amount_120);

#endif
