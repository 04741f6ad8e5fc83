/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DESKTOP_GUEST_H
#define TESTS_DESKTOP_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wayland-client.h>

/* A Wayland client inside the test: one grey window, and a record of what it was
 * sent. It never blocks; the test pumps it between the desktop's turns. */
enum {
	GUEST_TEXT_MAX = 64,
};

enum guest_board { /* where text is offered */
	GUEST_CLIPBOARD,
	GUEST_PRIMARY,
	GUEST_BOARDS,
};

struct guest {
	struct wl_display *display;
	struct wl_compositor *compositor;
	struct wl_shm *shm;
	struct wl_seat *seat;
	struct wl_pointer *pointer;
	struct wl_keyboard *keyboard;
	struct xdg_wm_base *shell;
	struct zwp_relative_pointer_manager_v1 *relatives;
	struct zwp_relative_pointer_v1 *relative;
	struct zwp_pointer_constraints_v1 *constraints;
	struct zwp_locked_pointer_v1 *lock;
	struct zwp_confined_pointer_v1 *confinement;
	struct wl_data_device_manager *boards;
	struct wl_data_device *board;
	struct zwp_primary_selection_device_manager_v1 *primaries;
	struct zwp_primary_selection_device_v1 *primary;

	struct wl_surface *surface;
	struct xdg_surface *xdg_surface;
	struct xdg_toplevel *toplevel;
	struct wl_buffer *buffer;
	int32_t width, height;

	bool entered, constrained; /* the pointer */
	double x, y;
	unsigned motions;
	double relative_x, relative_y; /* sums */
	double axis[2];                /* sums, vertical and horizontal */
	int32_t notches[2];
	bool has_keys;
	unsigned presses;
	uint32_t serial; /* of the newest press */

	const char *text[GUEST_BOARDS]; /* what it offers */
	struct wl_data_offer *offer;    /* what it is offered */
	struct zwp_primary_selection_offer_v1 *primary_offer;
	int pipe; /* being read, or -1 */
	char got[GUEST_TEXT_MAX];
	size_t got_len;
	bool got_all;
	unsigned shapes, scales; /* globals that newer wlroots have */
};

void guest_begin(struct guest *guest);
void guest_end(struct guest *guest);
/* Sends what is to be sent and takes what came. */
void guest_pump(struct guest *guest);

/* Needs the globals, which come after some pumping. */
bool guest_is_ready(const struct guest *guest);
void guest_open(struct guest *guest);

void guest_lock(struct guest *guest);
/* Says where the game drew its cursor, then lets go. */
void guest_unlock_at(struct guest *guest, double x, double y);
void guest_confine(struct guest *guest, int32_t x, int32_t y, int32_t width, int32_t height);

void guest_offer(struct guest *guest, enum guest_board board, const char *text);
bool guest_is_offered(const struct guest *guest, enum guest_board board);
/* Starts to read; got_all says when it is complete. */
void guest_paste(struct guest *guest, enum guest_board board);

#endif
