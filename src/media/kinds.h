/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_KINDS_H
#define MEDIA_KINDS_H

#include "media/encoder.h"

/* The encoders of this build; encoder.c keeps the list. */

extern const struct encoder_kind x264_kind;  /* x264.c, with PERIGEE_X264 */
extern const struct encoder_kind nvenc_kind; /* libav.c, with PERIGEE_LIBAV: untried */
extern const struct encoder_kind vaapi_kind;
extern const struct encoder_kind qsv_kind;

#endif
