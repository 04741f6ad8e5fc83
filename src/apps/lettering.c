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
