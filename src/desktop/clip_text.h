/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_CLIP_TEXT_H
#define DESKTOP_CLIP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What of a clipboard is text. Pure. */

/* Which of the forms that an app offers is read: the place of the best in the list, or -1 when
 * none is text. */
int clip_text_choose(const char *const *forms, size_t count);

/* The forms in which text is offered to apps: UTF-8 by all of these names. */
enum {
	CLIP_TEXT_OFFERED = 3,
};

const char *clip_text_form(unsigned index);

/* Whether it is UTF-8 (RFC 3629) without NUL. */
bool clip_text_is_valid(const uint8_t *text, size_t len);

#endif
