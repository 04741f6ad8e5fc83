/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_PROBE_H
#define MEDIA_PROBE_H

#include "media/encoder.h"

/* Finds out what an encoder really does by encoding a picture with it: that a
 * library has been built with support says nothing about the machine. */

enum {
	PROBE_WIDTH = 640,
	PROBE_HEIGHT = 360,
};

struct probe {
	char name[32];
	uint32_t mask; /* CODEC_BIT_ of what worked, 0 for nothing */
	bool reference_invalidation;
	uint32_t first_us; /* opening and first picture of the first codec that worked */
	struct encoder_detail detail;
};

/* Tries one encoder with every codec it may offer. A name that this build does
 * not know yields a mask of 0 and says so. May take long, a driver even for
 * ever: announce it in the pulse. */
void probe_encoder(const char *name, size_t len, struct probe *out);

#endif
