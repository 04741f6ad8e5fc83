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

#endif
