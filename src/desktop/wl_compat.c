/* SPDX-License-Identifier: MIT */
#include "desktop/wl_compat.h"

#include <string.h>
#include <time.h>

#include <wlr/types/wlr_presentation_time.h>
#if COMPAT_0_18
#include <wlr/types/wlr_cursor_shape_v1.h>
#include <wlr/types/wlr_damage_ring.h>
#include <wlr/types/wlr_fractional_scale_v1.h>
#include <wlr/types/wlr_subcompositor.h>
#else
#include <wlr/types/wlr_output_damage.h>
#endif

#include "base/clock.h"

enum {
	COMPOSITOR_VERSION = 6,
};

/* ---- keyboards ---- */

#if COMPAT_0_18
void compat_keyboard_init(struct compat_keyboard *keyboard, const char *name) {
	static const struct wlr_keyboard_impl impl = { .name = "perigee" };
	memset(keyboard, 0, sizeof(*keyboard));
	wlr_keyboard_init(&keyboard->keyboard, &impl, name);
}

void compat_keyboard_finish(struct compat_keyboard *keyboard) {
	wlr_keyboard_finish(&keyboard->keyboard);
}

typedef struct wlr_keyboard_key_event key_event;

void compat_seat_set_keyboard(struct wlr_seat *seat, struct compat_keyboard *keyboard) {
	wlr_seat_set_keyboard(seat, keyboard ? &keyboard->keyboard : NULL);
}
#else
/* The structs are embedded: wlroots must not free them. */
static void leave_keyboard(struct wlr_keyboard *keyboard) {
	(void)keyboard;
}

static void leave_device(struct wlr_input_device *device) {
	(void)device;
}

static const struct wlr_keyboard_impl keyboard_impl = { .destroy = leave_keyboard };
static const struct wlr_input_device_impl device_impl = { .destroy = leave_device };

void compat_keyboard_init(struct compat_keyboard *keyboard, const char *name) {
	memset(keyboard, 0, sizeof(*keyboard));
	wlr_input_device_init(
			&keyboard->device, WLR_INPUT_DEVICE_KEYBOARD, &device_impl, name, 0, 0);
	wlr_keyboard_init(&keyboard->keyboard, &keyboard_impl);
	keyboard->device.keyboard = &keyboard->keyboard;
}

void compat_keyboard_finish(struct compat_keyboard *keyboard) {
	wlr_input_device_destroy(&keyboard->device);
}

typedef struct wlr_event_keyboard_key key_event;

void compat_seat_set_keyboard(struct wlr_seat *seat, struct compat_keyboard *keyboard) {
	wlr_seat_set_keyboard(seat, keyboard ? &keyboard->device : NULL);
}
#endif

void compat_keyboard_notify(
		struct compat_keyboard *keyboard, uint32_t time_ms, uint32_t code, bool down) {
	key_event event = {
		.time_msec = time_ms,
		.keycode = code,
		.update_state = true,
		.state = down ? WL_KEYBOARD_KEY_STATE_PRESSED : WL_KEYBOARD_KEY_STATE_RELEASED,
	};
	wlr_keyboard_notify_key(&keyboard->keyboard, &event);
}

/* ---- backend and output ---- */

static bool backend_start(struct wlr_backend *backend) {
	(void)backend;
	return true;
}

static void backend_destroy(struct wlr_backend *backend) {
	/* Embedded: its owner does it. */
	(void)backend;
}

static int get_drm_fd(struct wlr_backend *backend) {
	(void)backend;
	return -1;
}

static uint32_t get_buffer_caps(struct wlr_backend *backend) {
	(void)backend;
	return WLR_BUFFER_CAP_DATA_PTR | WLR_BUFFER_CAP_SHM;
}

#if !COMPAT_0_18
static clockid_t get_presentation_clock(struct wlr_backend *backend) {
	(void)backend;
	return CLOCK_MONOTONIC;
}
#endif

void compat_backend_init(struct wlr_backend *backend) {
	static const struct wlr_backend_impl impl = {
		.start = backend_start,
		.destroy = backend_destroy,
#if !COMPAT_0_18
		.get_presentation_clock = get_presentation_clock,
#endif
		.get_drm_fd = get_drm_fd,
		.get_buffer_caps = get_buffer_caps,
	};
	wlr_backend_init(backend, &impl);
}

enum {
	KNOWN_STATE = WLR_OUTPUT_STATE_BUFFER | WLR_OUTPUT_STATE_DAMAGE | WLR_OUTPUT_STATE_ENABLED,
};

#if COMPAT_0_18
/* A mode comes with an empty buffer of wlroots' making: that is no picture. */
static bool test_state(struct wlr_output *output, const struct wlr_output_state *state) {
	const struct compat_output_handler *handler = output->data;
	if ((state->committed & ~(KNOWN_STATE | WLR_OUTPUT_STATE_MODE | WLR_OUTPUT_STATE_LAYERS)) ||
			state->tearing_page_flip) {
		return false;
	}
	return !(state->committed & WLR_OUTPUT_STATE_BUFFER) ||
	       (state->committed & WLR_OUTPUT_STATE_MODE) || handler->test(output, state->buffer);
}

static bool commit_state(struct wlr_output *output, const struct wlr_output_state *state) {
	const struct compat_output_handler *handler = output->data;
	if (!test_state(output, state)) {
		return false;
	}
	return !(state->committed & WLR_OUTPUT_STATE_BUFFER) ||
	       (state->committed & WLR_OUTPUT_STATE_MODE) || handler->commit(output, state->buffer);
}
#else
static bool test_pending(struct wlr_output *output) {
	const struct compat_output_handler *handler = output->data;
	if (output->pending.committed & ~(uint32_t)KNOWN_STATE) {
		return false;
	}
	return !(output->pending.committed & WLR_OUTPUT_STATE_BUFFER) ||
	       handler->test(output, output->pending.buffer);
}

static bool commit_pending(struct wlr_output *output) {
	const struct compat_output_handler *handler = output->data;
	if (output->pending.committed & ~(uint32_t)KNOWN_STATE) {
		return false;
	}
	return !(output->pending.committed & WLR_OUTPUT_STATE_BUFFER) ||
	       handler->commit(output, output->pending.buffer);
}
#endif

static void output_destroy(struct wlr_output *output) {
	const struct compat_output_handler *handler = output->data;
	handler->gone(output);
}

void compat_output_init(struct wlr_output *output, struct wlr_backend *backend,
		const struct compat_output_handler *handler, struct wl_display *display,
		uint32_t width, uint32_t height, uint32_t rate_mhz) {
	static const struct wlr_output_impl impl = {
#if COMPAT_0_18
		.test = test_state,
		.commit = commit_state,
#else
		.test = test_pending,
		.commit = commit_pending,
#endif
		.destroy = output_destroy,
	};
#if COMPAT_0_18
	struct wlr_output_state state;
	wlr_output_state_init(&state);
	wlr_output_state_set_enabled(&state, true);
	wlr_output_state_set_custom_mode(
			&state, (int32_t)width, (int32_t)height, (int32_t)rate_mhz);
	wlr_output_init(output, backend, &impl, wl_display_get_event_loop(display), &state);
	wlr_output_state_finish(&state);
#else
	wlr_output_init(output, backend, &impl, display);
	wlr_output_update_custom_mode(output, (int32_t)width, (int32_t)height, (int32_t)rate_mhz);
	wlr_output_update_enabled(output, true);
#endif
	output->data = (void *)(uintptr_t)handler;
}

void compat_output_create_global(struct wlr_output *output, struct wl_display *display) {
#if COMPAT_0_18
	wlr_output_create_global(output, display);
#else
	(void)display;
	wlr_output_create_global(output);
#endif
}

void compat_output_set_size(
		struct wlr_output *output, uint32_t width, uint32_t height, uint32_t rate_mhz) {
#if COMPAT_0_18
	struct wlr_output_state state;
	wlr_output_state_init(&state);
	wlr_output_state_set_custom_mode(
			&state, (int32_t)width, (int32_t)height, (int32_t)rate_mhz);
	wlr_output_commit_state(output, &state);
	wlr_output_state_finish(&state);
#else
	wlr_output_update_custom_mode(output, (int32_t)width, (int32_t)height, (int32_t)rate_mhz);
#endif
}

void compat_damage_whole(struct wlr_output *output) {
#if COMPAT_0_18
	pixman_region32_t whole;
	pixman_region32_init_rect(&whole, 0, 0, (unsigned)output->width, (unsigned)output->height);
	struct wlr_output_event_damage event = { .output = output, .damage = &whole };
	wl_signal_emit_mutable(&output->events.damage, &event);
	pixman_region32_fini(&whole);
#else
	wlr_output_damage_whole(output);
#endif
}

struct wlr_buffer *compat_readable(struct wlr_buffer *buffer) {
	struct wlr_client_buffer *client = wlr_client_buffer_get(buffer);
	return client ? client->source : buffer;
}

/* 0.15 gives scan-out commits no damage: its ring knows. */
bool compat_changed_rows(
		struct wlr_scene_output *scene_output, uint32_t *out_top, uint32_t *out_bottom) {
#if COMPAT_0_18
	pixman_region32_t *damage = &scene_output->pending_commit_damage;
#else
	pixman_region32_t *damage = &scene_output->damage->current;
#endif
	if (!pixman_region32_not_empty(damage)) {
		return false;
	}
	const pixman_box32_t *box = pixman_region32_extents(damage);
	*out_top = box->y1 < 0 ? 0 : (uint32_t)box->y1;
	*out_bottom = (uint32_t)box->y2;
	return true;
}

bool compat_render(struct wlr_scene_output *scene_output) {
	struct wlr_output *output = scene_output->output;
	uint32_t before = output->commit_seq;
	output->frame_pending = false;
#if COMPAT_0_18
	wlr_scene_output_commit(scene_output, NULL);
#else
	wlr_scene_output_commit(scene_output);
#endif
	/* Kept pending, wlroots never schedules a frame by itself. */
	output->frame_pending = true;
	return output->commit_seq != before;
}

static struct timespec to_timespec(uint64_t ns) {
	return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S) };
}

void compat_send_callbacks(struct wlr_scene_output *scene_output) {
	struct timespec now = to_timespec(clock_now_ns());
	wlr_scene_output_send_frame_done(scene_output, &now);
}

void compat_forget_damage(struct wlr_scene_output *scene_output) {
	/* What comes from now on is new: wlroots tells only of the first. */
	scene_output->output->needs_frame = false;
	scene_output->output->frame_pending = true;
}

void compat_presented(struct wlr_scene_output *scene_output, uint64_t when_ns, uint64_t period_ns) {
	struct timespec when = to_timespec(when_ns);
	struct wlr_output_event_present event = {
		.commit_seq = scene_output->output->commit_seq,
		.presented = true,
		.when = &when,
		.refresh = (int)period_ns,
	};
	wlr_output_send_present(scene_output->output, &event);
}

/* ---- globals ---- */

struct wlr_compositor *compat_compositor_create(
		struct wl_display *display, struct wlr_renderer *renderer) {
#if COMPAT_0_18
	wlr_subcompositor_create(display);
	wlr_fractional_scale_manager_v1_create(display, 1);
	return wlr_compositor_create(display, COMPOSITOR_VERSION, renderer);
#else
	return wlr_compositor_create(display, renderer);
#endif
}

struct wlr_output_layout *compat_layout_create(struct wl_display *display) {
#if COMPAT_0_18
	return wlr_output_layout_create(display);
#else
	(void)display;
	return wlr_output_layout_create();
#endif
}

void compat_presentation_create(
		struct wl_display *display, struct wlr_backend *backend, struct wlr_scene *scene) {
	struct wlr_presentation *presentation = wlr_presentation_create(display, backend);
#if COMPAT_0_18
	(void)presentation, (void)scene;
#else
	if (presentation) {
		wlr_scene_set_presentation(scene, presentation);
	}
#endif
}

/* ---- scene ---- */

#if COMPAT_0_18
/* Whatever we use as a parent is a tree. */
static struct wlr_scene_tree *as_tree(struct wlr_scene_node *node) {
	return wlr_scene_tree_from_node(node);
}

static struct wlr_scene_node *as_node(struct wlr_scene_tree *tree) {
	return tree ? &tree->node : NULL;
}

static struct wlr_scene_tree *root_of(struct wlr_scene *scene) {
	return &scene->tree;
}

struct wlr_scene_node *compat_node_parent(struct wlr_scene_node *node) {
	return as_node(node->parent);
}

static struct wlr_surface *surface_of(struct wlr_scene_node *node) {
	if (node->type != WLR_SCENE_NODE_BUFFER) {
		return NULL;
	}
	struct wlr_scene_surface *surface =
			wlr_scene_surface_try_from_buffer(wlr_scene_buffer_from_node(node));
	return surface ? surface->surface : NULL;
}
#else
static struct wlr_scene_node *as_tree(struct wlr_scene_node *node) {
	return node;
}

static struct wlr_scene_node *as_node(struct wlr_scene_node *node) {
	return node;
}

static struct wlr_scene *root_of(struct wlr_scene *scene) {
	return scene;
}

struct wlr_scene_node *compat_node_parent(struct wlr_scene_node *node) {
	return node->parent;
}

static struct wlr_surface *surface_of(struct wlr_scene_node *node) {
	return node->type == WLR_SCENE_NODE_SURFACE ? wlr_scene_surface_from_node(node)->surface
						    : NULL;
}
#endif

void compat_scene_destroy(struct wlr_scene *scene) {
	wlr_scene_node_destroy(&root_of(scene)->node);
}

struct wlr_scene_node *compat_layer_create(struct wlr_scene *scene) {
	struct wlr_scene_tree *tree = wlr_scene_tree_create(as_tree(&root_of(scene)->node));
	return tree ? &tree->node : NULL;
}

struct wlr_scene_node *compat_scene_surface_create(
		struct wlr_scene_node *parent, struct wlr_surface *surface) {
	return as_node(wlr_scene_subsurface_tree_create(as_tree(parent), surface));
}

struct wlr_scene_node *compat_scene_xdg_create(
		struct wlr_scene_node *parent, struct wlr_xdg_surface *surface) {
	return as_node(wlr_scene_xdg_surface_create(as_tree(parent), surface));
}

struct wlr_surface *compat_surface_at(struct wlr_scene *scene, double x, double y,
		struct wlr_scene_node **out_node, double *out_sx, double *out_sy) {
	struct wlr_scene_node *node =
			wlr_scene_node_at(&root_of(scene)->node, x, y, out_sx, out_sy);
	struct wlr_surface *surface = node ? surface_of(node) : NULL;
	if (surface) {
		*out_node = node;
	}
	return surface;
}

/* ---- pointer ---- */

void compat_cursor_show(
		struct wlr_cursor *cursor, struct wlr_xcursor_manager *xcursors, const char *name) {
#if COMPAT_0_18
	wlr_cursor_set_xcursor(cursor, xcursors, name);
#else
	wlr_xcursor_manager_set_cursor_image(xcursors, name, cursor);
#endif
}

#if COMPAT_0_18
void compat_cursor_shapes(struct wl_display *display, struct wl_listener *request) {
	struct wlr_cursor_shape_manager_v1 *shapes = wlr_cursor_shape_manager_v1_create(display, 1);
	if (shapes) {
		wl_signal_add(&shapes->events.request_set_shape, request);
	}
}

const char *compat_cursor_shape(void *request, struct wlr_seat_client *focused) {
	struct wlr_cursor_shape_manager_v1_request_set_shape_event *event = request;
	bool ours = event->device_type == WLR_CURSOR_SHAPE_MANAGER_V1_DEVICE_TYPE_POINTER &&
		    event->seat_client == focused;
	return ours ? wlr_cursor_shape_v1_name(event->shape) : NULL;
}
#else
void compat_cursor_shapes(struct wl_display *display, struct wl_listener *request) {
	(void)display, (void)request;
}

const char *compat_cursor_shape(void *request, struct wlr_seat_client *focused) {
	(void)request, (void)focused;
	return NULL;
}
#endif

bool compat_cursor_hint(
		const struct wlr_pointer_constraint_v1 *constraint, double *out_x, double *out_y) {
#if COMPAT_0_18
	if (!constraint->current.cursor_hint.enabled) {
		return false;
	}
#else
	if (!(constraint->current.committed & WLR_POINTER_CONSTRAINT_V1_STATE_CURSOR_HINT)) {
		return false;
	}
#endif
	*out_x = constraint->current.cursor_hint.x;
	*out_y = constraint->current.cursor_hint.y;
	return true;
}

void compat_send_button(struct wlr_seat *seat, uint32_t time_ms, uint32_t code, bool down) {
#if COMPAT_0_18
	enum wl_pointer_button_state state =
			down ? WL_POINTER_BUTTON_STATE_PRESSED : WL_POINTER_BUTTON_STATE_RELEASED;
#else
	enum wlr_button_state state = down ? WLR_BUTTON_PRESSED : WLR_BUTTON_RELEASED;
#endif
	wlr_seat_pointer_notify_button(seat, time_ms, code, state);
}

/* 0.15 takes whole notches and a smooth value; 0.18 takes 120ths and makes notches
 * for the clients that know no others. */
void compat_send_axis(struct wlr_seat *seat, uint32_t time_ms, bool sideways, double value,
		int32_t notches, int32_t amount_120) {
#if COMPAT_0_18
	(void)notches;
	wlr_seat_pointer_notify_axis(seat, time_ms,
			sideways ? WL_POINTER_AXIS_HORIZONTAL_SCROLL
				 : WL_POINTER_AXIS_VERTICAL_SCROLL,
			value, amount_120, WL_POINTER_AXIS_SOURCE_WHEEL,
			WL_POINTER_AXIS_RELATIVE_DIRECTION_IDENTICAL);
#else
	(void)amount_120;
	wlr_seat_pointer_notify_axis(seat, time_ms,
			sideways ? WLR_AXIS_ORIENTATION_HORIZONTAL : WLR_AXIS_ORIENTATION_VERTICAL,
			value, notches, WLR_AXIS_SOURCE_WHEEL);
#endif
	wlr_seat_pointer_notify_frame(seat);
}
