/* SPDX-License-Identifier: MIT */
/* Clipboard, primary selection, drag and drop between the apps of one desktop. */
#include <wlr/types/wlr_data_control_v1.h>
#include <wlr/types/wlr_data_device.h>
#include <wlr/types/wlr_primary_selection.h>
#include <wlr/types/wlr_primary_selection_v1.h>

#include "desktop/state.h"

static void handle_selection(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, request_selection);
	struct wlr_seat_request_set_selection_event *event = data;
	wlr_seat_set_selection(desktop->seat, event->source, event->serial);
}

static void handle_primary(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, request_primary);
	struct wlr_seat_request_set_primary_selection_event *event = data;
	wlr_seat_set_primary_selection(desktop->seat, event->source, event->serial);
}

static void handle_request_drag(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, request_drag);
	struct wlr_seat_request_start_drag_event *event = data;
	if (wlr_seat_validate_pointer_grab_serial(desktop->seat, event->origin, event->serial)) {
		wlr_seat_start_pointer_drag(desktop->seat, event->drag, event->serial);
	} else {
		wlr_data_source_destroy(event->drag->source);
	}
}

void selection_begin(struct desktop *desktop) {
	wlr_data_device_manager_create(desktop->display);
	wlr_primary_selection_v1_device_manager_create(desktop->display);
	wlr_data_control_manager_v1_create(desktop->display);
	desktop->request_selection.notify = handle_selection;
	wl_signal_add(&desktop->seat->events.request_set_selection, &desktop->request_selection);
	desktop->request_primary.notify = handle_primary;
	wl_signal_add(&desktop->seat->events.request_set_primary_selection,
			&desktop->request_primary);
	desktop->request_drag.notify = handle_request_drag;
	wl_signal_add(&desktop->seat->events.request_start_drag, &desktop->request_drag);
}
