/* SPDX-License-Identifier: MIT */
#include "desktop/wl_compat.h"

#include <string.h>

#include "base/clock.h"

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

void compat_keyboard_notify(
		struct compat_keyboard *keyboard, uint32_t time_ms, uint32_t code, bool down) {
	struct wlr_event_keyboard_key event = {
		.time_msec = time_ms,
		.keycode = code,
		.update_state = true,
		.state = down ? WL_KEYBOARD_KEY_STATE_PRESSED : WL_KEYBOARD_KEY_STATE_RELEASED,
	};
	wlr_keyboard_notify_key(&keyboard->keyboard, &event);
}

void compat_seat_set_keyboard(struct wlr_seat *seat, struct compat_keyboard *keyboard) {
	wlr_seat_set_keyboard(seat, keyboard ? &keyboard->device : NULL);
}

void compat_output_init(struct wlr_output *output, struct wlr_backend *backend,
		const struct wlr_output_impl *impl, struct wl_display *display) {
	wlr_output_init(output, backend, impl, display);
}

void compat_output_set_size(
		struct wlr_output *output, uint32_t width, uint32_t height, uint32_t rate_mhz) {
	wlr_output_update_custom_mode(output, (int32_t)width, (int32_t)height, (int32_t)rate_mhz);
}

struct wlr_buffer *compat_pending_buffer(const struct wlr_output *output) {
	return output->pending.committed & WLR_OUTPUT_STATE_BUFFER ? output->pending.buffer : NULL;
}

bool compat_pending_supported(const struct wlr_output *output) {
	uint32_t known = WLR_OUTPUT_STATE_BACKEND_OPTIONAL | WLR_OUTPUT_STATE_BUFFER |
			 WLR_OUTPUT_STATE_ENABLED;
	return (output->pending.committed & ~known) == 0;
}

struct wlr_buffer *compat_readable(struct wlr_buffer *buffer) {
	struct wlr_client_buffer *client = wlr_client_buffer_get(buffer);
	return client ? client->source : buffer;
}

bool compat_changed_rows(
		struct wlr_scene_output *scene_output, uint32_t *out_top, uint32_t *out_bottom) {
	pixman_region32_t *damage = &scene_output->damage->current;
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
	wlr_scene_output_commit(scene_output);
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
	wlr_scene_output_send_frame_done(scene_output, &when);
}

struct wlr_surface *compat_surface_at(struct wlr_scene *scene, double x, double y,
		struct wlr_scene_node **out_node, double *out_sx, double *out_sy) {
	struct wlr_scene_node *node = wlr_scene_node_at(&scene->node, x, y, out_sx, out_sy);
	if (!node || node->type != WLR_SCENE_NODE_SURFACE) {
		return NULL;
	}
	*out_node = node;
	return wlr_scene_surface_from_node(node)->surface;
}

struct wlr_scene_node *compat_layer_create(struct wlr_scene *scene) {
	struct wlr_scene_tree *tree = wlr_scene_tree_create(&scene->node);
	return tree ? &tree->node : NULL;
}

void compat_cursor_show(struct wlr_cursor *cursor, struct wlr_xcursor_manager *xcursors) {
	wlr_xcursor_manager_set_cursor_image(xcursors, "left_ptr", cursor);
}

void compat_cursor_hide(struct wlr_cursor *cursor) {
	wlr_cursor_set_image(cursor, NULL, 0, 0, 0, 0, 0, 0);
}

/* 0.15 knows whole notches and a smooth value; 0.18 takes 120ths. */
void compat_send_axis(struct wlr_seat *seat, uint32_t time_ms, bool sideways, double value,
		int32_t notches, int32_t amount_120) {
	(void)amount_120;
	wlr_seat_pointer_notify_axis(seat, time_ms,
			sideways ? WLR_AXIS_ORIENTATION_HORIZONTAL : WLR_AXIS_ORIENTATION_VERTICAL,
			value, notches, WLR_AXIS_SOURCE_WHEEL);
	wlr_seat_pointer_notify_frame(seat);
}
