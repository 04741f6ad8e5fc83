/* SPDX-License-Identifier: MIT */
#include "apps/box_art.h"

#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <sys/mman.h>

#include <glib.h>

#include "apps/lettering.h"

enum {
	MARGIN = 48,
	TITLE_TOP = 560,
	TITLE_LINES = 3,
};

struct colour {
	double r, g, b;
};

/* FNV-1a: the same title has the same colours on every host. */
static uint32_t hash(const char *text) {
	uint32_t value = 2166136261u;
	for (; *text; text++) {
		value = (value ^ (uint8_t)*text) * 16777619u;
	}
	return value ^ value >> 15;
}

static double channel(double hue, double saturation, double lightness, double shift) {
	double k = fmod(shift + hue * 12, 12);
	double a = saturation * fmin(lightness, 1 - lightness);
	return lightness - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1));
}

static struct colour from_hsl(double hue, double saturation, double lightness) {
	return (struct colour){
		.r = channel(hue, saturation, lightness, 0),
		.g = channel(hue, saturation, lightness, 8),
		.b = channel(hue, saturation, lightness, 4),
	};
}

static void paint_background(cairo_t *cairo, uint32_t seed) {
	double hue = (seed & 0xffff) / 65536.0;
	double other = fmod(hue + 0.08 + (seed >> 16 & 0xff) / 255.0 * 0.14, 1);
	struct colour top = from_hsl(hue, 0.62, 0.46), bottom = from_hsl(other, 0.70, 0.20);
	cairo_pattern_t *gradient =
			cairo_pattern_create_linear(0, 0, BOX_ART_WIDTH * 0.4, BOX_ART_HEIGHT);
	cairo_pattern_add_color_stop_rgb(gradient, 0, top.r, top.g, top.b);
	cairo_pattern_add_color_stop_rgb(gradient, 1, bottom.r, bottom.g, bottom.b);
	cairo_set_source(cairo, gradient);
	cairo_paint(cairo);
	cairo_pattern_destroy(gradient);
	/* Two large soft discs, so that titles with a similar hue still differ. */
	for (unsigned i = 0; i < 2; i++) {
		double x = (seed >> (4 * i) & 0xff) / 255.0 * BOX_ART_WIDTH;
		double y = (seed >> (4 * i + 9) & 0xff) / 255.0 * BOX_ART_HEIGHT * 0.7;
		cairo_set_source_rgba(cairo, 1, 1, 1, 0.07);
		cairo_arc(cairo, x, y, 190 + 90 * i, 0, 2 * G_PI);
		cairo_fill(cairo);
	}
}

static void paint_initial(cairo_t *cairo, const char *title) {
	char initial[8] = "";
	while (*title && !g_unichar_isalnum(g_utf8_get_char(title))) {
		title = g_utf8_find_next_char(title, NULL);
	}
	if (!*title) {
		return;
	}
	initial[g_unichar_to_utf8(g_unichar_toupper(g_utf8_get_char(title)), initial)] = '\0';
	PangoLayout *layout = lettering_layout(cairo, initial, "Sans Bold", 250);
	pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
	PangoRectangle ink;
	pango_layout_get_pixel_extents(layout, &ink, NULL);
	/* By its ink: the middle of the letter, not of its line. */
	cairo_move_to(cairo, (BOX_ART_WIDTH - ink.width) / 2.0 - ink.x,
			(TITLE_TOP - ink.height) / 2.0 - ink.y + 20);
	cairo_set_source_rgba(cairo, 1, 1, 1, 0.92);
	pango_cairo_show_layout(cairo, layout);
	g_object_unref(layout);
}

static void paint_title(cairo_t *cairo, const char *title) {
	PangoLayout *layout = lettering_layout(cairo, title, "Sans Bold", 52);
	pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
	pango_layout_set_width(layout, (BOX_ART_WIDTH - 2 * MARGIN) * PANGO_SCALE);
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_height(layout, -TITLE_LINES);
	pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
	cairo_move_to(cairo, MARGIN, TITLE_TOP);
	cairo_set_source_rgb(cairo, 1, 1, 1);
	pango_cairo_show_layout(cairo, layout);
	g_object_unref(layout);
}

static cairo_status_t write_png(void *user, const unsigned char *bytes, unsigned len) {
	int fd = *(const int *)user;
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);
		if (n <= 0) {
			return CAIRO_STATUS_WRITE_ERROR;
		}
		bytes += n;
		len -= (unsigned)n;
	}
	return CAIRO_STATUS_SUCCESS;
}

int box_art_draw(const char *title, int *out) {
	OWN(cairo_surface_destroy)
	cairo_surface_t *surface = cairo_image_surface_create(
			CAIRO_FORMAT_RGB24, BOX_ART_WIDTH, BOX_ART_HEIGHT);
	OWN(cairo_destroy) cairo_t *cairo = cairo_create(surface);
	OWN(fd_close) int fd = memfd_create("art", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (cairo_status(cairo) != CAIRO_STATUS_SUCCESS || fd < 0) {
		return -ENOMEM;
	}
	char *valid = g_utf8_make_valid(title, -1);
	paint_background(cairo, hash(valid));
	paint_initial(cairo, valid);
	paint_title(cairo, valid);
	g_free(valid);
	if (cairo_surface_write_to_png_stream(surface, write_png, &fd) != CAIRO_STATUS_SUCCESS ||
			lseek(fd, 0, SEEK_SET) < 0 ||
			fcntl(fd, F_ADD_SEALS,
					F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
					0) {
		return -ENOMEM;
	}
	*out = TAKE(fd, -1);
	return 0;
}
