/* SPDX-License-Identifier: MIT */
#include "apps/home_picture.h"

#include <errno.h>

#include <glib.h>

#include "apps/lettering.h"

/* Sizes in hundredths of the picture's height (of three quarters of the width where that is
 * less). */
static const double margin = 6, title_size = 6, hint_size = 3.4, list_top = 25, tile_gap = 2,
		    tile_height = 13, group_height = 6, group_size = 3, label_size = 4,
		    detail_size = 2.6, key_width = 17, corner = 1.2, padding = 2;

struct look {
	double ground, label, detail;
};

static const struct look plain = { 0.16, 0.95, 0.62 }, disabled = { 0.11, 0.5, 0.42 };

struct layout {
	double unit, left, top, tile, row, bottom;
};

static struct layout measure(const struct home_page *page, uint32_t width, uint32_t height) {
	double unit = (height < width * 0.75 ? height : width * 0.75) / 100.0;
	double room = width - 2 * margin * unit, gaps = (page->columns - 1) * tile_gap * unit;
	bool keys = page->count && page->items[0].key;
	struct layout layout = { .unit = unit,
		.left = margin * unit,
		.top = list_top * unit,
		.tile = keys ? key_width * unit : (room - gaps) / page->columns,
		.row = (tile_height + tile_gap) * unit,
		.bottom = height - margin * unit };
	if (page->columns == 1) {
		layout.tile = room < 80 * unit ? room : 80 * unit;
	}
	return layout;
}

/* How far down from the list's top an item begins, headings included. */
static double depth(const struct home_page *page, const struct layout *layout, unsigned item) {
	unsigned row, column;
	double headings = 0;
	home_place(page, item, &row, &column);
	for (unsigned i = 0; i <= item; i++) {
		bool first = i == 0 || page->items[i].group != page->items[i - 1].group;
		headings += first && page->groups[page->items[i].group] ? group_height : 0;
	}
	return row * layout->row + headings * layout->unit;
}

static double scrolled(const struct home_page *page, const struct layout *layout) {
	double low = depth(page, layout, page->selected) + layout->row;
	double room = layout->bottom - layout->top;
	return low > room ? low - room : 0;
}

struct home_rectangle home_item_at(
		const struct home_page *page, unsigned item, uint32_t width, uint32_t height) {
	struct layout layout = measure(page, width, height);
	unsigned row, column;
	home_place(page, item, &row, &column);
	return (struct home_rectangle){
		.x = layout.left + column * (layout.tile + tile_gap * layout.unit),
		.y = layout.top + depth(page, &layout, item) - scrolled(page, &layout),
		.width = layout.tile,
		.height = tile_height * layout.unit,
	};
}

unsigned home_item_under(
		const struct home_page *page, double x, double y, uint32_t width, uint32_t height) {
	struct layout layout = measure(page, width, height);
	for (unsigned i = 0; i < page->count && y >= layout.top; i++) {
		struct home_rectangle r = home_item_at(page, i, width, height);
		if (x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height) {
			return i;
		}
	}
	return page->count;
}

/* ---- painting ---- */

static void paint_text(cairo_t *cairo, const struct home_rectangle *at, const char *text,
		const char *face, double size, int lines) {
	PangoLayout *layout = lettering_paragraph(cairo, text, face, size, at->width, lines);
	cairo_move_to(cairo, at->x, at->y);
	pango_cairo_show_layout(cairo, layout);
	g_object_unref(layout);
}

static void paint_ground(cairo_t *cairo, uint32_t height) {
	cairo_pattern_t *gradient = cairo_pattern_create_linear(0, 0, 0, height);
	cairo_pattern_add_color_stop_rgb(gradient, 0, 0.10, 0.13, 0.19);
	cairo_pattern_add_color_stop_rgb(gradient, 1, 0.05, 0.06, 0.09);
	cairo_set_source(cairo, gradient);
	cairo_paint(cairo);
	cairo_pattern_destroy(gradient);
}

static void round_path(cairo_t *cairo, const struct home_rectangle *r, double radius) {
	cairo_new_sub_path(cairo);
	cairo_arc(cairo, r->x + r->width - radius, r->y + radius, radius, -G_PI / 2, 0);
	cairo_arc(cairo, r->x + r->width - radius, r->y + r->height - radius, radius, 0, G_PI / 2);
	cairo_arc(cairo, r->x + radius, r->y + r->height - radius, radius, G_PI / 2, G_PI);
	cairo_arc(cairo, r->x + radius, r->y + radius, radius, G_PI, 3 * G_PI / 2);
	cairo_close_path(cairo);
}

static void paint_item(cairo_t *cairo, const struct home_page *page, unsigned index,
		const struct home_rectangle *at, double unit) {
	const struct home_item *item = &page->items[index];
	const struct look *look = item->enabled && !page->busy ? &plain : &disabled;
	round_path(cairo, at, corner * unit);
	cairo_set_source_rgb(cairo, look->ground, look->ground * 1.15, look->ground * 1.5);
	cairo_fill_preserve(cairo);
	if (index == page->selected) {
		cairo_set_source_rgb(cairo, 0.95, 0.66, 0.25);
		cairo_set_line_width(cairo, unit * 0.7);
		cairo_stroke(cairo);
	}
	cairo_new_path(cairo);
	struct home_rectangle text = { at->x + padding * unit, at->y + padding * unit,
		at->width - 2 * padding * unit, at->height };
	if (!item->detail[0]) {
		text.y = at->y + (at->height - label_size * unit * 1.5) / 2;
	}
	cairo_set_source_rgb(cairo, look->label, look->label, look->label);
	paint_text(cairo, &text, item->label, "Sans Bold", label_size * unit, 1);
	text.y += label_size * unit * 1.45;
	cairo_set_source_rgb(cairo, look->detail, look->detail, look->detail);
	paint_text(cairo, &text, item->detail, "Sans", detail_size * unit, 1);
}

static void paint_heading(cairo_t *cairo, const struct home_page *page, unsigned index,
		const struct home_rectangle *item, const struct layout *layout) {
	unsigned group = page->items[index].group;
	if (!page->groups[group] || (index && page->items[index - 1].group == group)) {
		return;
	}
	struct home_rectangle at = { layout->left, item->y - group_height * layout->unit * 0.8,
		layout->bottom, 0 };
	cairo_set_source_rgb(cairo, 0.62, 0.66, 0.72);
	paint_text(cairo, &at, page->groups[group], "Sans", group_size * layout->unit, 1);
}

static void paint_head(cairo_t *cairo, const struct home_page *page, const struct layout *layout,
		uint32_t width) {
	double unit = layout->unit;
	struct home_rectangle at = { layout->left, margin * unit * 0.7, width - 2 * layout->left,
		0 };
	cairo_set_source_rgb(cairo, 1, 1, 1);
	paint_text(cairo, &at, page->title, "Sans Bold", title_size * unit, 1);
	at.y += title_size * unit * 1.6;
	if (page->failed) {
		cairo_set_source_rgb(cairo, 1, 0.62, 0.45);
	} else {
		cairo_set_source_rgb(cairo, 0.75, 0.78, 0.82);
	}
	paint_text(cairo, &at, page->digits[0] && !page->failed ? page->digits : page->hint, "Sans",
			hint_size * unit, 2);
}

int home_picture_draw(const struct home_page *page, uint8_t *pixels, size_t stride, uint32_t width,
		uint32_t height) {
	OWN(cairo_surface_destroy)
	cairo_surface_t *surface = cairo_image_surface_create_for_data(
			pixels, CAIRO_FORMAT_RGB24, (int)width, (int)height, (int)stride);
	OWN(cairo_destroy) cairo_t *cairo = cairo_create(surface);
	struct layout layout = measure(page, width, height);
	paint_ground(cairo, height);
	cairo_save(cairo);
	cairo_rectangle(cairo, 0, layout.top - layout.unit, width, height);
	cairo_clip(cairo);
	for (unsigned i = 0; i < page->count; i++) {
		struct home_rectangle at = home_item_at(page, i, width, height);
		if (at.y + at.height > 0 && at.y < height) {
			paint_heading(cairo, page, i, &at, &layout);
			paint_item(cairo, page, i, &at, layout.unit);
		}
	}
	cairo_restore(cairo);
	paint_head(cairo, page, &layout, width);
	cairo_surface_flush(surface);
	return cairo_status(cairo) == CAIRO_STATUS_SUCCESS ? 0 : -ENOMEM;
}
