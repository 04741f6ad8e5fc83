/* SPDX-License-Identifier: MIT */
#ifndef APPS_HOME_PICTURE_H
#define APPS_HOME_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "apps/home_model.h"
#include "base/own.h"

/* A page of Home as a picture of any size, and where its items lie in it. The same page gives
 * the same picture. */

struct home_rectangle {
	double x, y, width, height;
};

/* Where an item lies, in pixels. When not all rows fit, those around the selected one are
 * inside the picture. */
struct home_rectangle home_item_at(
		const struct home_page *page, unsigned item, uint32_t width, uint32_t height);

/* The item at that place; page->count for none. */
unsigned home_item_under(
		const struct home_page *page, double x, double y, uint32_t width, uint32_t height);

/* Draws all of it: XRGB8888, stride in bytes, a multiple of 4. What does not fit is cut off
 * with dots. */
int home_picture_draw(const struct home_page *page, uint8_t *pixels, size_t stride, uint32_t width,
		uint32_t height) NODISCARD;

#endif
