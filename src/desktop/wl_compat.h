/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_WL_COMPAT_H
#define DESKTOP_WL_COMPAT_H

/* wlroots promises no API: whatever differs between the releases we know (0.15 of
 * Debian 12, 0.18 of Debian 13) is here, in wl_compat.c and in wl_compat_shell.c,
 * so that a port changes nothing else. */
#include <stdbool.h>
#include <stdint.h>

#include <wayland-server-core.h>

#include <wlr/config.h>
#include <wlr/version.h>

#include <wlr/backend/interface.h>
#include <wlr/interfaces/wlr_keyboard.h>
#include <wlr/interfaces/wlr_output.h>
#include <wlr/render/allocator.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/types/wlr_buffer.h>
#include <wlr/types/wlr_compositor.h>
#include <wlr/types/wlr_cursor.h>
#include <wlr/types/wlr_output_layout.h>
#include <wlr/types/wlr_pointer_constraints_v1.h>
#include <wlr/types/wlr_relative_pointer_v1.h>
#include <wlr/types/wlr_scene.h>
#include <wlr/types/wlr_seat.h>
#include <wlr/types/wlr_text_input_v3.h>
#include <wlr/types/wlr_xcursor_manager.h>
#include <wlr/types/wlr_xdg_decoration_v1.h>
#include <wlr/types/wlr_xdg_shell.h>
#if WLR_HAS_XWAYLAND
#include <wlr/xwayland.h>
#endif

#define COMPAT_0_18 (WLR_VERSION_MINOR >= 18)
#if !COMPAT_0_18
#include <wlr/interfaces/wlr_input_device.h>
#endif

/* 0.18: a wlr_keyboard is a device by itself. */
struct compat_keyboard {
	struct wlr_keyboard keyboard;
#if !COMPAT_0_18
	struct wlr_input_device device;
#endif
};

void compat_keyboard_init(struct compat_keyboard *keyboard, const char *name);
void compat_keyboard_finish(struct compat_keyboard *keyboard);
void compat_keyboard_notify(
		struct compat_keyboard *keyboard, uint32_t time_ms, uint32_t code, bool down);
void compat_seat_set_keyboard(struct wlr_seat *seat, struct compat_keyboard *keyboard);

/* A backend with no device and no clock whose buffers are memory. */
void compat_backend_init(struct wlr_backend *backend);

/* What our output is asked. Nothing but pictures ever reaches it: what else a state
 * may hold is accepted or refused in here. */
struct compat_output_handler {
	bool (*test)(struct wlr_output *output, struct wlr_buffer *buffer);
	/* False refuses the buffer. */
	bool (*commit)(struct wlr_output *output, struct wlr_buffer *buffer);
	void (*gone)(struct wlr_output *output);
};

/* Makes an enabled output of this size; the handler is borrowed. */
void compat_output_init(struct wlr_output *output, struct wlr_backend *backend,
		const struct compat_output_handler *handler, struct wl_display *display,
		uint32_t width, uint32_t height, uint32_t rate_mhz);
void compat_output_create_global(struct wlr_output *output, struct wl_display *display);
void compat_output_set_size(
		struct wlr_output *output, uint32_t width, uint32_t height, uint32_t rate_mhz);
void compat_damage_whole(struct wlr_output *output);

/* A scan-out commit hands over a client's buffer: the one that can be read, or NULL. */
struct wlr_buffer *compat_readable(struct wlr_buffer *buffer);

/* Rows [top, bottom) that changed since the last commit; to be asked inside it.
 * False for none. */
bool compat_changed_rows(
		struct wlr_scene_output *scene_output, uint32_t *out_top, uint32_t *out_bottom);

/* Renders what changed and commits it; clears the "frame pending" that a backend
 * must clear by itself. False when nothing was committed. */
bool compat_render(struct wlr_scene_output *scene_output);

/* Tells presentation-time clients. */
void compat_presented(struct wlr_scene_output *scene_output, uint64_t when_ns, uint64_t period_ns);
/* Sends the frame callbacks. */
void compat_send_callbacks(struct wlr_scene_output *scene_output);
/* Nothing is rendered for the time being: the next damage is told again. */
void compat_forget_damage(struct wlr_scene_output *scene_output);

/* Globals. */
struct wlr_compositor *compat_compositor_create(
		struct wl_display *display, struct wlr_renderer *renderer);
struct wlr_output_layout *compat_layout_create(struct wl_display *display);
void compat_presentation_create(
		struct wl_display *display, struct wlr_backend *backend, struct wlr_scene *scene);

/* The scene. */
void compat_scene_destroy(struct wlr_scene *scene);
struct wlr_scene_node *compat_layer_create(struct wlr_scene *scene);
struct wlr_scene_node *compat_node_parent(struct wlr_scene_node *node);
struct wlr_scene_node *compat_scene_surface_create(
		struct wlr_scene_node *parent, struct wlr_surface *surface);
struct wlr_scene_node *compat_scene_xdg_create(
		struct wlr_scene_node *parent, struct wlr_xdg_surface *surface);
/* The surface at a place of the layout and where in it, or NULL. out_node is the
 * node found. */
struct wlr_surface *compat_surface_at(struct wlr_scene *scene, double x, double y,
		struct wlr_scene_node **out_node, double *out_sx, double *out_sy);

/* The pointer. */
void compat_cursor_show(
		struct wlr_cursor *cursor, struct wlr_xcursor_manager *xcursors, const char *name);
/* Offers cursor-shape where wlroots has it; requests go to the listener. */
void compat_cursor_shapes(struct wl_display *display, struct wl_listener *request);
/* The shape that a request asks for; NULL when it is not this client's to ask. */
const char *compat_cursor_shape(void *request, struct wlr_seat_client *focused);
bool compat_cursor_hint(
		const struct wlr_pointer_constraint_v1 *constraint, double *out_x, double *out_y);
void compat_send_button(struct wlr_seat *seat, uint32_t time_ms, uint32_t code, bool down);
/* notches are whole ones since the last call, amount_120 is this call's share. */
void compat_send_axis(struct wlr_seat *seat, uint32_t time_ms, bool sideways, double value,
		int32_t notches, int32_t amount_120);

/* xdg-shell. new_toplevel and new_popup are told of each; compat_xdg_toplevel() and
 * compat_xdg_popup() make an xdg surface of what they get, or NULL. */
void compat_xdg_begin(struct wl_display *display, struct wl_listener *new_toplevel,
		struct wl_listener *new_popup);
struct wlr_xdg_surface *compat_xdg_toplevel(void *data);
struct wlr_xdg_surface *compat_xdg_popup(void *data);
struct wlr_xdg_surface *compat_xdg_surface(struct wlr_surface *surface);
struct wlr_xdg_surface *compat_xdg_parent(struct wlr_xdg_surface *surface);
struct wl_signal *compat_xdg_map(struct wlr_xdg_surface *surface);
struct wl_signal *compat_xdg_unmap(struct wlr_xdg_surface *surface);
struct wl_signal *compat_xdg_role_gone(struct wlr_xdg_surface *surface);
/* Popups of 0.18 may be moved; the listener can always be removed. */
void compat_xdg_reposition(struct wlr_xdg_surface *surface, struct wl_listener *listener);
/* 0.18 wants its first configure in the first commit and none before; 0.15 tells of
 * a surface only after that. */
bool compat_xdg_is_initial(const struct wlr_xdg_surface *surface);
bool compat_xdg_may_configure(const struct wlr_xdg_surface *surface);
void compat_xdg_activate(struct wlr_xdg_surface *surface, bool active);
void compat_xdg_configure(struct wlr_xdg_surface *surface, int width, int height, bool fullscreen);
struct wlr_xdg_surface *compat_decorated(struct wlr_xdg_toplevel_decoration_v1 *decoration);

#if WLR_HAS_XWAYLAND
/* When an X11 window is to be seen. 0.18 gives it its surface late. */
struct compat_x11_mapping {
	struct wlr_xwayland_surface *surface;
	struct wl_listener map, unmap, associate, dissociate;
};

void compat_x11_mapping_begin(struct compat_x11_mapping *mapping,
		struct wlr_xwayland_surface *surface, wl_notify_func_t map, wl_notify_func_t unmap);
void compat_x11_mapping_end(struct compat_x11_mapping *mapping);
#endif

#endif
