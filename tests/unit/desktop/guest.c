/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pointer-constraints-unstable-v1-client-protocol.h"
#include "primary-selection-unstable-v1-client-protocol.h"
#include "relative-pointer-unstable-v1-client-protocol.h"
#include "xdg-shell-client-protocol.h"

static const char mime[] = "text/plain;charset=utf-8";

/* ---- pointer ---- */

static void handle_enter(void *data, struct wl_pointer *pointer, uint32_t serial,
		struct wl_surface *surface, wl_fixed_t x, wl_fixed_t y) {
	(void)pointer, (void)serial, (void)surface;
	struct guest *guest = data;
	guest->entered = true;
	guest->x = wl_fixed_to_double(x);
	guest->y = wl_fixed_to_double(y);
}

static void handle_leave(void *data, struct wl_pointer *pointer, uint32_t serial,
		struct wl_surface *surface) {
	(void)pointer, (void)serial, (void)surface;
	((struct guest *)data)->entered = false;
}

static void handle_motion(
		void *data, struct wl_pointer *pointer, uint32_t time, wl_fixed_t x, wl_fixed_t y) {
	(void)pointer, (void)time;
	struct guest *guest = data;
	guest->motions++;
	guest->x = wl_fixed_to_double(x);
	guest->y = wl_fixed_to_double(y);
}

static void handle_button(void *data, struct wl_pointer *pointer, uint32_t serial, uint32_t time,
		uint32_t button, uint32_t state) {
	(void)pointer, (void)time, (void)button;
	struct guest *guest = data;
	if (state == WL_POINTER_BUTTON_STATE_PRESSED) {
		guest->presses++;
		guest->serial = serial;
	}
}

static void handle_axis(void *data, struct wl_pointer *pointer, uint32_t time, uint32_t axis,
		wl_fixed_t value) {
	(void)pointer, (void)time;
	((struct guest *)data)->axis[axis] += wl_fixed_to_double(value);
}

static void handle_frame(void *data, struct wl_pointer *pointer) {
	(void)data, (void)pointer;
}

static void handle_axis_source(void *data, struct wl_pointer *pointer, uint32_t source) {
	(void)data, (void)pointer;
	assert_int_equal(source, WL_POINTER_AXIS_SOURCE_WHEEL);
}

static void handle_axis_stop(void *data, struct wl_pointer *pointer, uint32_t time, uint32_t axis) {
	(void)data, (void)pointer, (void)time, (void)axis;
}

static void handle_axis_discrete(
		void *data, struct wl_pointer *pointer, uint32_t axis, int32_t notches) {
	(void)pointer;
	((struct guest *)data)->notches[axis] += notches;
}

static const struct wl_pointer_listener pointer_listener = {
	.enter = handle_enter,
	.leave = handle_leave,
	.motion = handle_motion,
	.button = handle_button,
	.axis = handle_axis,
	.frame = handle_frame,
	.axis_source = handle_axis_source,
	.axis_stop = handle_axis_stop,
	.axis_discrete = handle_axis_discrete,
};

static void handle_relative(void *data, struct zwp_relative_pointer_v1 *relative, uint32_t hi,
		uint32_t lo, wl_fixed_t dx, wl_fixed_t dy, wl_fixed_t raw_dx, wl_fixed_t raw_dy) {
	(void)relative, (void)hi, (void)lo, (void)raw_dx, (void)raw_dy;
	struct guest *guest = data;
	guest->relative_x += wl_fixed_to_double(dx);
	guest->relative_y += wl_fixed_to_double(dy);
}

static const struct zwp_relative_pointer_v1_listener relative_listener = { handle_relative };

static void handle_locked(void *data, struct zwp_locked_pointer_v1 *lock) {
	(void)lock;
	((struct guest *)data)->constrained = true;
}

static void handle_unlocked(void *data, struct zwp_locked_pointer_v1 *lock) {
	(void)lock;
	((struct guest *)data)->constrained = false;
}

static const struct zwp_locked_pointer_v1_listener lock_listener = { handle_locked,
	handle_unlocked };

static void handle_confined(void *data, struct zwp_confined_pointer_v1 *confinement) {
	(void)confinement;
	((struct guest *)data)->constrained = true;
}

static void handle_unconfined(void *data, struct zwp_confined_pointer_v1 *confinement) {
	(void)confinement;
	((struct guest *)data)->constrained = false;
}

static const struct zwp_confined_pointer_v1_listener confine_listener = { handle_confined,
	handle_unconfined };

/* ---- keyboard ---- */

static void handle_keymap(void *data, struct wl_keyboard *keyboard, uint32_t format, int32_t fd,
		uint32_t size) {
	(void)data, (void)keyboard, (void)format, (void)size;
	close(fd);
}

static void handle_keys_enter(void *data, struct wl_keyboard *keyboard, uint32_t serial,
		struct wl_surface *surface, struct wl_array *keys) {
	(void)keyboard, (void)serial, (void)surface, (void)keys;
	((struct guest *)data)->has_keys = true;
}

static void handle_keys_leave(void *data, struct wl_keyboard *keyboard, uint32_t serial,
		struct wl_surface *surface) {
	(void)keyboard, (void)serial, (void)surface;
	((struct guest *)data)->has_keys = false;
}

static void handle_key(void *data, struct wl_keyboard *keyboard, uint32_t serial, uint32_t time,
		uint32_t key, uint32_t state) {
	(void)keyboard, (void)time, (void)key;
	struct guest *guest = data;
	if (state == WL_KEYBOARD_KEY_STATE_PRESSED) {
		guest->presses++;
		guest->serial = serial;
	}
}

static void handle_modifiers(void *data, struct wl_keyboard *keyboard, uint32_t serial,
		uint32_t depressed, uint32_t latched, uint32_t locked, uint32_t group) {
	(void)data, (void)keyboard, (void)serial, (void)depressed, (void)latched, (void)locked;
	(void)group;
}

static void handle_repeat(void *data, struct wl_keyboard *keyboard, int32_t rate, int32_t delay) {
	(void)data, (void)keyboard, (void)rate, (void)delay;
}

static const struct wl_keyboard_listener keyboard_listener = {
	handle_keymap,
	handle_keys_enter,
	handle_keys_leave,
	handle_key,
	handle_modifiers,
	handle_repeat,
};

/* ---- offers ---- */

static void write_text(const char *text, int fd) {
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void handle_target(void *data, struct wl_data_source *source, const char *type) {
	(void)data, (void)source, (void)type;
}

static void handle_send(void *data, struct wl_data_source *source, const char *type, int32_t fd) {
	(void)source;
	assert_string_equal(type, mime);
	write_text(((struct guest *)data)->text[GUEST_CLIPBOARD], fd);
}

static void handle_cancelled(void *data, struct wl_data_source *source) {
	(void)data;
	wl_data_source_destroy(source);
}

static const struct wl_data_source_listener source_listener = {
	.target = handle_target,
	.send = handle_send,
	.cancelled = handle_cancelled,
};

static void handle_primary_send(void *data, struct zwp_primary_selection_source_v1 *source,
		const char *type, int32_t fd) {
	(void)source;
	assert_string_equal(type, mime);
	write_text(((struct guest *)data)->text[GUEST_PRIMARY], fd);
}

static void handle_primary_cancelled(void *data, struct zwp_primary_selection_source_v1 *source) {
	(void)data;
	zwp_primary_selection_source_v1_destroy(source);
}

static const struct zwp_primary_selection_source_v1_listener primary_source_listener = {
	handle_primary_send, handle_primary_cancelled
};

static void handle_data_offer(
		void *data, struct wl_data_device *device, struct wl_data_offer *offer) {
	(void)data, (void)device, (void)offer;
}

static void handle_selection(
		void *data, struct wl_data_device *device, struct wl_data_offer *offer) {
	(void)device;
	((struct guest *)data)->offer = offer;
}

static const struct wl_data_device_listener device_listener = {
	.data_offer = handle_data_offer,
	.selection = handle_selection,
};

static void handle_primary_offer(void *data, struct zwp_primary_selection_device_v1 *device,
		struct zwp_primary_selection_offer_v1 *offer) {
	(void)data, (void)device, (void)offer;
}

static void handle_primary_selection(void *data, struct zwp_primary_selection_device_v1 *device,
		struct zwp_primary_selection_offer_v1 *offer) {
	(void)device;
	((struct guest *)data)->primary_offer = offer;
}

static const struct zwp_primary_selection_device_v1_listener primary_listener = {
	handle_primary_offer, handle_primary_selection
};

void guest_offer(struct guest *guest, enum guest_board board, const char *text) {
	guest->text[board] = text;
	if (board == GUEST_CLIPBOARD) {
		struct wl_data_source *source =
				wl_data_device_manager_create_data_source(guest->boards);
		wl_data_source_add_listener(source, &source_listener, guest);
		wl_data_source_offer(source, mime);
		wl_data_device_set_selection(guest->board, source, guest->serial);
		return;
	}
	struct zwp_primary_selection_source_v1 *source =
			zwp_primary_selection_device_manager_v1_create_source(guest->primaries);
	zwp_primary_selection_source_v1_add_listener(source, &primary_source_listener, guest);
	zwp_primary_selection_source_v1_offer(source, mime);
	zwp_primary_selection_device_v1_set_selection(guest->primary, source, guest->serial);
}

bool guest_is_offered(const struct guest *guest, enum guest_board board) {
	return board == GUEST_CLIPBOARD ? guest->offer != NULL : guest->primary_offer != NULL;
}

void guest_paste(struct guest *guest, enum guest_board board) {
	int pair[2];
	assert_int_equal(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
	if (board == GUEST_CLIPBOARD) {
		wl_data_offer_receive(guest->offer, mime, pair[1]);
	} else {
		zwp_primary_selection_offer_v1_receive(guest->primary_offer, mime, pair[1]);
	}
	wl_display_flush(guest->display);
	close(pair[1]);
	guest->pipe = pair[0];
	guest->got_len = 0;
	guest->got_all = false;
}

static void read_pipe(struct guest *guest) {
	ssize_t n = read(guest->pipe, guest->got + guest->got_len,
			sizeof(guest->got) - 1 - guest->got_len);
	if (n > 0) {
		guest->got_len += (size_t)n;
	} else if (n == 0) {
		guest->got[guest->got_len] = '\0';
		guest->got_all = true;
		close(guest->pipe);
		guest->pipe = -1;
	}
}

/* ---- the window ---- */

static void handle_configure(void *data, struct xdg_toplevel *toplevel, int32_t width,
		int32_t height, struct wl_array *states) {
	(void)toplevel, (void)states;
	struct guest *guest = data;
	guest->width = width ? width : 300;
	guest->height = height ? height : 200;
}

static void handle_close(void *data, struct xdg_toplevel *toplevel) {
	(void)data, (void)toplevel;
}

static const struct xdg_toplevel_listener toplevel_listener = { .configure = handle_configure,
	.close = handle_close };

static void handle_surface_configure(void *data, struct xdg_surface *surface, uint32_t serial) {
	struct guest *guest = data;
	xdg_surface_ack_configure(surface, serial);
	if (guest->buffer) {
		return;
	}
	int32_t size = guest->width * guest->height * 4;
	int fd = memfd_create("guest", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, size), 0);
	struct wl_shm_pool *pool = wl_shm_create_pool(guest->shm, fd, size);
	guest->buffer = wl_shm_pool_create_buffer(pool, 0, guest->width, guest->height,
			guest->width * 4, WL_SHM_FORMAT_XRGB8888);
	wl_shm_pool_destroy(pool);
	close(fd);
	wl_surface_attach(guest->surface, guest->buffer, 0, 0);
	wl_surface_damage_buffer(guest->surface, 0, 0, guest->width, guest->height);
	wl_surface_commit(guest->surface);
}

static const struct xdg_surface_listener surface_listener = { handle_surface_configure };

void guest_open(struct guest *guest) {
	guest->pointer = wl_seat_get_pointer(guest->seat);
	wl_pointer_add_listener(guest->pointer, &pointer_listener, guest);
	guest->keyboard = wl_seat_get_keyboard(guest->seat);
	wl_keyboard_add_listener(guest->keyboard, &keyboard_listener, guest);
	guest->relative = zwp_relative_pointer_manager_v1_get_relative_pointer(
			guest->relatives, guest->pointer);
	zwp_relative_pointer_v1_add_listener(guest->relative, &relative_listener, guest);
	guest->board = wl_data_device_manager_get_data_device(guest->boards, guest->seat);
	wl_data_device_add_listener(guest->board, &device_listener, guest);
	guest->primary = zwp_primary_selection_device_manager_v1_get_device(
			guest->primaries, guest->seat);
	zwp_primary_selection_device_v1_add_listener(guest->primary, &primary_listener, guest);
	guest->surface = wl_compositor_create_surface(guest->compositor);
	guest->xdg_surface = xdg_wm_base_get_xdg_surface(guest->shell, guest->surface);
	xdg_surface_add_listener(guest->xdg_surface, &surface_listener, guest);
	guest->toplevel = xdg_surface_get_toplevel(guest->xdg_surface);
	xdg_toplevel_add_listener(guest->toplevel, &toplevel_listener, guest);
	wl_surface_commit(guest->surface);
}

void guest_lock(struct guest *guest) {
	guest->lock = zwp_pointer_constraints_v1_lock_pointer(guest->constraints, guest->surface,
			guest->pointer, NULL, ZWP_POINTER_CONSTRAINTS_V1_LIFETIME_PERSISTENT);
	zwp_locked_pointer_v1_add_listener(guest->lock, &lock_listener, guest);
}

void guest_unlock_at(struct guest *guest, double x, double y) {
	zwp_locked_pointer_v1_set_cursor_position_hint(
			guest->lock, wl_fixed_from_double(x), wl_fixed_from_double(y));
	wl_surface_commit(guest->surface);
	zwp_locked_pointer_v1_destroy(guest->lock);
	guest->lock = NULL;
	guest->constrained = false;
}

void guest_confine(struct guest *guest, int32_t x, int32_t y, int32_t width, int32_t height) {
	struct wl_region *region = wl_compositor_create_region(guest->compositor);
	wl_region_add(region, x, y, width, height);
	guest->confinement = zwp_pointer_constraints_v1_confine_pointer(guest->constraints,
			guest->surface, guest->pointer, region,
			ZWP_POINTER_CONSTRAINTS_V1_LIFETIME_PERSISTENT);
	zwp_confined_pointer_v1_add_listener(guest->confinement, &confine_listener, guest);
	wl_region_destroy(region);
	wl_surface_commit(guest->surface); /* wlroots 0.18 takes the region with it */
}

/* ---- the connection ---- */

static void handle_global(void *data, struct wl_registry *registry, uint32_t name,
		const char *interface, uint32_t version) {
	(void)version;
	struct guest *guest = data;
	const struct {
		const struct wl_interface *interface;
		uint32_t version;
		void **out;
	} wanted[] = {
		{ &wl_compositor_interface, 4, (void **)&guest->compositor },
		{ &wl_shm_interface, 1, (void **)&guest->shm },
		{ &wl_seat_interface, 7, (void **)&guest->seat },
		{ &xdg_wm_base_interface, 1, (void **)&guest->shell },
		{ &zwp_relative_pointer_manager_v1_interface, 1, (void **)&guest->relatives },
		{ &zwp_pointer_constraints_v1_interface, 1, (void **)&guest->constraints },
		{ &wl_data_device_manager_interface, 3, (void **)&guest->boards },
		{ &zwp_primary_selection_device_manager_v1_interface, 1,
				(void **)&guest->primaries },
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (strcmp(interface, wanted[i].interface->name) == 0) {
			*wanted[i].out = wl_registry_bind(
					registry, name, wanted[i].interface, wanted[i].version);
		}
	}
	guest->shapes += strcmp(interface, "wp_cursor_shape_manager_v1") == 0;
	guest->scales += strcmp(interface, "wp_fractional_scale_manager_v1") == 0;
}

static void handle_gone(void *data, struct wl_registry *registry, uint32_t name) {
	(void)data, (void)registry, (void)name;
}

static const struct wl_registry_listener registry_listener = { handle_global, handle_gone };

void guest_begin(struct guest *guest) {
	*guest = (struct guest){ .pipe = -1 };
	guest->display = wl_display_connect(NULL);
	assert_non_null(guest->display);
	wl_registry_add_listener(
			wl_display_get_registry(guest->display), &registry_listener, guest);
}

void guest_end(struct guest *guest) {
	if (guest->pipe >= 0) {
		close(guest->pipe);
	}
	wl_display_disconnect(guest->display);
}

bool guest_is_ready(const struct guest *guest) {
	return guest->compositor && guest->shm && guest->seat && guest->shell && guest->relatives &&
	       guest->constraints && guest->boards && guest->primaries;
}

void guest_pump(struct guest *guest) {
	while (wl_display_prepare_read(guest->display) < 0) {
		wl_display_dispatch_pending(guest->display);
	}
	wl_display_flush(guest->display);
	struct pollfd wait = { .fd = wl_display_get_fd(guest->display), .events = POLLIN };
	if (poll(&wait, 1, 0) > 0) {
		wl_display_read_events(guest->display);
	} else {
		wl_display_cancel_read(guest->display);
	}
	assert_true(wl_display_dispatch_pending(guest->display) >= 0);
	wl_display_flush(guest->display);
	if (guest->pipe >= 0) {
		read_pipe(guest);
	}
}
