/* SPDX-License-Identifier: MIT */
#include "apps/lettering.h"

PangoLayout *lettering_layout(cairo_t *cairo, const char *text, const char *face, double size) {
	PangoLayout *layout = pango_cairo_create_layout(cairo);
	PangoFontDescription *description = pango_font_description_from_string(face);
	pango_font_description_set_absolute_size(description, size * PANGO_SCALE);
	pango_layout_set_font_description(layout, description);
	pango_font_description_free(description);
	pango_layout_set_text(layout, text, -1);
	return layout;
}

PangoLayout *lettering_paragraph(cairo_t *cairo, const char *text, const char *face, double size,
		double width, int lines_max) {
	char *valid = g_strdelimit(g_utf8_make_valid(text, -1), "\n", ' ');
	PangoLayout *layout = lettering_layout(cairo, valid, face, size);
	g_free(valid);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_height(layout, -lines_max);
	pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
	return layout;
}
