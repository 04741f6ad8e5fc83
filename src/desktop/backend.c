/* SPDX-License-Identifier: MIT */
/* A wlr_backend with one wlr_output that goes nowhere but into our pictures. It has
 * no clock of its own: wlroots' headless one ticks in whole milliseconds (62.5 Hz
 * for 60) and never sleeps. */
#include <errno.h>

#include <drm_fourcc.h>

#include "desktop/state.h"

/* A buffer of the output's size whose pixels we can read and convert. */
static bool is_readable(const struct wlr_output *output, struct wlr_buffer *buffer) {
	struct wlr_buffer *readable = compat_readable(buffer);
	void *data;
	uint32_t format;
	size_t stride;
	if (!readable || readable->width != output->width || readable->height != output->height ||
			!wlr_buffer_begin_data_ptr_access(readable, WLR_BUFFER_DATA_PTR_ACCESS_READ,
					&data, &format, &stride)) {
		return false;
	}
	wlr_buffer_end_data_ptr_access(readable);
	return format == DRM_FORMAT_XRGB8888 || format == DRM_FORMAT_ARGB8888;
}

static bool output_test(struct wlr_output *output, struct wlr_buffer *buffer) {
	return is_readable(output, buffer);
}

static bool output_commit(struct wlr_output *output, struct wlr_buffer *buffer) {
	struct desktop *desktop = wl_container_of(output, desktop, output);
	return render_deliver(desktop, buffer);
}

static void output_gone(struct wlr_output *output) {
	struct desktop *desktop = wl_container_of(output, desktop, output);
	desktop->output_ready = false;
}

static const struct compat_output_handler output_handler = {
	.test = output_test,
	.commit = output_commit,
	.gone = output_gone,
};

int backend_begin(struct desktop *desktop) {
	compat_backend_init(&desktop->backend);
	desktop->backend_ready = true;
	desktop->renderer = wlr_renderer_autocreate(&desktop->backend);
	if (!desktop->renderer ||
			!wlr_renderer_init_wl_display(desktop->renderer, desktop->display)) {
		return -ENOTSUP;
	}
	desktop->allocator = wlr_allocator_autocreate(&desktop->backend, desktop->renderer);
	if (!desktop->allocator) {
		return -ENOTSUP;
	}
	struct wlr_output *output = &desktop->output;
	compat_output_init(output, &desktop->backend, &output_handler, desktop->display,
			desktop->settings.width, desktop->settings.height,
			desktop->settings.rate_mhz);
	desktop->output_ready = true;
	wlr_output_set_name(output, "PERIGEE-1");
	wlr_output_set_description(output, "Perigee");
	if (!wlr_output_init_render(output, desktop->allocator, desktop->renderer)) {
		return -ENOTSUP;
	}
	compat_output_create_global(output, desktop->display);
	return 0;
}

void backend_end(struct desktop *desktop) {
	if (desktop->output_ready) {
		wlr_output_destroy(&desktop->output);
	}
	if (desktop->allocator) {
		wlr_allocator_destroy(desktop->allocator);
	}
	if (desktop->renderer) {
		wlr_renderer_destroy(desktop->renderer);
	}
	if (desktop->backend_ready) {
		wlr_backend_finish(&desktop->backend);
	}
}
