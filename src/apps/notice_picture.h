/* SPDX-License-Identifier: MIT */
#ifndef APPS_NOTICE_PICTURE_H
#define APPS_NOTICE_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

/* What Notice shows: what happened, why, what comes next, and the app's last lines; in
 * letters that are read from a sofa, at any size. The same words give the same picture. */

/* Draws all of it: XRGB8888, stride in bytes, a multiple of 4. What does not fit is cut off
 * with dots, the oldest of the last lines first. */
int notice_picture_draw(const struct ipc_notice *words, uint8_t *pixels, size_t stride,
		uint32_t width, uint32_t height) NODISCARD;

#endif
