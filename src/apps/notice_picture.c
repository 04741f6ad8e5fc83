/* SPDX-License-Identifier: MIT */
#include "apps/notice_picture.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "apps/lettering.h"

enum {
	LINES_MAX = 8,
};

enum part {
	PART_TITLE,
	PART_WHAT,
	PART_WHY,
	PART_NEXT,
	PARTS,
};

/* Sizes in hundredths of the picture's height (of three quarters of the width where that
 * is less). */
struct part_row {
	const char *face;
	double size, after; /* after: the gap below */
	double grey;
	int lines_max;
};

static const struct part_row rows[PARTS] = {
	[PART_TITLE] = { "Sans", 3.4, 2.5, 0.62, 1 },
	[PART_WHAT] = { "Sans Bold", 7, 4, 1, 3 },
	[PART_WHY] = { "Sans", 4.2, 2.5, 0.88, 4 },
	[PART_NEXT] = { "Sans", 4.2, 4, 0.88, 3 },
};

static const double line_size = 2.7, line_step = 3.9, box_margin = 2.2, code_size = 2.6;

struct page {
	cairo_t *cairo; /* borrowed */
	double width, height;
	double unit; /* one hundredth */
	double left, column;
	PangoLayout *part[PARTS]; /* owned; NULL for an empty one */
	const char *line[LINES_MAX];
	unsigned n_lines;
};

static PangoLayout *make_part(struct page *page, enum part part, const char *text) {
	const struct part_row *row = &rows[part];
	if (!text[0]) {
		return NULL;
	}
	return lettering_paragraph(page->cairo, text, row->face, row->size * page->unit,
			page->column, row->lines_max);
}

static double height_of(PangoLayout *layout) {
	int height = 0;
	if (layout) {
		pango_layout_get_pixel_size(layout, NULL, &height);
	}
	return height;
}

/* The newest lines, oldest first; cuts the text into them. */
static void cut_lines(struct page *page, char *text) {
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		if (!line[0]) {
			continue;
		}
		if (page->n_lines == LINES_MAX) {
			memmove(page->line, page->line + 1,
					sizeof(page->line) - sizeof(page->line[0]));
			page->n_lines--;
		}
		page->line[page->n_lines++] = line;
	}
}

static double box_height(const struct page *page) {
	return page->n_lines ? (page->n_lines * line_step + 2 * box_margin + 3) * page->unit : 0;
}

static double total_height(const struct page *page) {
	double height = box_height(page) + code_size * 1.5 * page->unit;
	for (enum part part = PART_TITLE; part < PARTS; part++) {
		if (page->part[part]) {
			height += height_of(page->part[part]) + rows[part].after * page->unit;
		}
	}
	return height;
}

static void paint_background(const struct page *page) {
	cairo_pattern_t *gradient = cairo_pattern_create_linear(0, 0, 0, page->height);
	cairo_pattern_add_color_stop_rgb(gradient, 0, 0.11, 0.14, 0.20);
	cairo_pattern_add_color_stop_rgb(gradient, 1, 0.05, 0.06, 0.09);
	cairo_set_source(page->cairo, gradient);
	cairo_paint(page->cairo);
	cairo_pattern_destroy(gradient);
	cairo_set_source_rgb(page->cairo, 0.95, 0.66, 0.25);
	cairo_rectangle(page->cairo, 0, 0, page->unit * 1.2, page->height);
	cairo_fill(page->cairo);
}

static void paint_text(
		const struct page *page, double x, double y, double grey, PangoLayout *layout) {
	cairo_set_source_rgb(page->cairo, grey, grey, grey);
	cairo_move_to(page->cairo, x, y);
	pango_cairo_show_layout(page->cairo, layout);
}

static double paint_lines(const struct page *page, double y) {
	if (page->n_lines == 0) {
		return y;
	}
	double margin = box_margin * page->unit;
	double height = page->n_lines * line_step * page->unit + 2 * margin;
	cairo_set_source_rgba(page->cairo, 0, 0, 0, 0.45);
	cairo_rectangle(page->cairo, page->left, y, page->column, height);
	cairo_fill(page->cairo);
	for (unsigned i = 0; i < page->n_lines; i++) {
		PangoLayout *line = lettering_layout(
				page->cairo, page->line[i], "Monospace", line_size * page->unit);
		pango_layout_set_single_paragraph_mode(line, TRUE);
		pango_layout_set_width(line, (int)((page->column - 2 * margin) * PANGO_SCALE));
		pango_layout_set_ellipsize(line, PANGO_ELLIPSIZE_END);
		paint_text(page, page->left + margin, y + margin + i * line_step * page->unit, 0.8,
				line);
		g_object_unref(line);
	}
	return y + height + 3 * page->unit;
}

static void paint(struct page *page, const char *code) {
	double margin = page->unit * 4;
	while (page->n_lines > 0 && total_height(page) > page->height - 2 * margin) {
		page->n_lines--;
		memmove(page->line, page->line + 1, page->n_lines * sizeof(page->line[0]));
	}
	double y = (page->height - total_height(page)) / 2;
	y = y < margin ? margin : y;
	paint_background(page);
	for (enum part part = PART_TITLE; part < PARTS; part++) {
		if (page->part[part]) {
			paint_text(page, page->left, y, rows[part].grey, page->part[part]);
			y += height_of(page->part[part]) + rows[part].after * page->unit;
		}
	}
	y = paint_lines(page, y);
	PangoLayout *last = lettering_layout(page->cairo, code, "Sans", code_size * page->unit);
	paint_text(page, page->left, y, 0.5, last);
	g_object_unref(last);
}

int notice_picture_draw(const struct ipc_notice *words, uint8_t *pixels, size_t stride,
		uint32_t width, uint32_t height) {
	OWN(cairo_surface_destroy)
	cairo_surface_t *surface = cairo_image_surface_create_for_data(
			pixels, CAIRO_FORMAT_RGB24, (int)width, (int)height, (int)stride);
	OWN(cairo_destroy) cairo_t *cairo = cairo_create(surface);
	struct page page = { .cairo = cairo, .width = width, .height = height };
	page.unit = (height < width * 0.75 ? height : width * 0.75) / 100.0;
	page.left = page.unit * 10;
	page.column = width - 2 * page.left;
	if (page.column > page.unit * 150) {
		page.column = page.unit * 150;
		page.left = (width - page.column) / 2;
	}
	/* What apps print is cut by bytes on its way. */
	char *lines = g_utf8_make_valid(words->lines, -1);
	char *code = g_strdup_printf("Perigee \302\267 %s", words->code);
	const char *texts[PARTS] = { words->title, words->what, words->why, words->next };
	for (enum part part = PART_TITLE; part < PARTS; part++) {
		page.part[part] = make_part(&page, part, texts[part]);
	}
	cut_lines(&page, lines);
	paint(&page, code);
	for (enum part part = PART_TITLE; part < PARTS; part++) {
		if (page.part[part]) {
			g_object_unref(page.part[part]);
		}
	}
	g_free(code);
	g_free(lines);
	cairo_surface_flush(surface);
	return cairo_status(cairo) == CAIRO_STATUS_SUCCESS ? 0 : -ENOMEM;
}
