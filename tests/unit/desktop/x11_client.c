/* SPDX-License-Identifier: MIT */
/* The smallest X11 client: a red window of 300x200 that asks to be left alone, green
 * after a key. With --again it first connects and leaves once, as launchers do. */
#include <stdlib.h>
#include <string.h>

#include <xcb/xcb.h>

static void fill(xcb_connection_t *connection, xcb_window_t window, uint32_t colour) {
	xcb_change_window_attributes(connection, window, XCB_CW_BACK_PIXEL, &colour);
	xcb_clear_area(connection, 0, window, 0, 0, 0, 0);
	xcb_flush(connection);
}

int main(int argc, char **argv) {
	if (argc > 1 && strcmp(argv[1], "--again") == 0) {
		xcb_connection_t *first = xcb_connect(NULL, NULL);
		xcb_disconnect(first);
	}
	xcb_connection_t *connection = xcb_connect(NULL, NULL);
	if (xcb_connection_has_error(connection)) {
		return 1;
	}
	xcb_screen_t *screen = xcb_setup_roots_iterator(xcb_get_setup(connection)).data;
	xcb_window_t window = xcb_generate_id(connection);
	uint32_t values[] = { 0xff0000, XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_EXPOSURE };
	xcb_create_window(connection, XCB_COPY_FROM_PARENT, window, screen->root, 0, 0, 300, 200, 0,
			XCB_WINDOW_CLASS_INPUT_OUTPUT, screen->root_visual,
			XCB_CW_BACK_PIXEL | XCB_CW_EVENT_MASK, values);
	xcb_map_window(connection, window);
	xcb_flush(connection);
	for (xcb_generic_event_t *event; (event = xcb_wait_for_event(connection)); free(event)) {
		if ((event->response_type & 0x7f) == XCB_KEY_PRESS) {
			fill(connection, window, 0x00ff00);
		}
	}
	return 0;
}
