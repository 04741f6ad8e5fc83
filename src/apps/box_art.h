/* SPDX-License-Identifier: MIT */
#ifndef APPS_BOX_ART_H
#define APPS_BOX_ART_H

#include "base/own.h"

/* The picture of an app that has none: a gradient whose colours come from the
 * title, its initial, and the title itself. */

enum {
	BOX_ART_WIDTH = 600, /* what clients ask for */
	BOX_ART_HEIGHT = 800,
};

/* Draws into a memfd that holds a whole PNG and is sealed against any change;
 * *out is the caller's. Titles that are not UTF-8 are drawn as far as they are. */
int box_art_draw(const char *title, int *out) NODISCARD;

#endif
