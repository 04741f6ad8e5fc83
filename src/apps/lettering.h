/* SPDX-License-Identifier: MIT */
#ifndef APPS_LETTERING_H
#define APPS_LETTERING_H

#include <cairo.h>
#include <pango/pangocairo.h>

#include "base/own.h"

/* Text in pictures of ours. */

OWN_DEFINE(cairo_surface_t *, cairo_surface_destroy)
OWN_DEFINE(cairo_t *, cairo_destroy)

/* A layout of that text, UTF-8; face as Pango names it ("Sans Bold"), size in pixels. The
 * caller's, for g_object_unref(). */
PangoLayout *lettering_layout(cairo_t *cairo, const char *text, const char *face, double size);

/* The same for words of others: what is no UTF-8 and line ends are replaced; they are wrapped at
 * width pixels, and of more than so many lines the end is left out. */
PangoLayout *lettering_paragraph(cairo_t *cairo, const char *text, const char *face, double size,
		double width, int lines_max);

#endif
