/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_PATTERN_H
#define CLI_PROBE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/pattern_scene.h"
#include "base/own.h"
#include "cli/probe_picture.h"
#include "cli/samples.h"

/* What can be told of pictures that show Pattern: their numbers, how many presses
 * they have seen, and how close they are to what was drawn. */
enum {
	PATTERN_PSNR_IDENTICAL = 99, /* dB, where the formula has no answer */
};

struct probe_pattern_stats {
	uint64_t pictures;   /* that carried readable codes */
	uint64_t unreadable; /* that did not */
	uint64_t numbers;    /* different ones */
	uint64_t repeated;   /* pictures whose number was the one before */
	uint64_t backwards;  /* pictures whose number was lower than the one before */
	uint32_t first, last;
	struct samples psnr_luma, psnr_chroma; /* dB */
};

struct probe_pattern {
	struct probe_colours colours;
	struct probe_pattern_stats stats;
	struct pattern_texture *texture; /* owned, NULL until needed */
	uint32_t *canvas;                /* owned */
	size_t canvas_size;              /* pixels */
	int32_t (*yuv)[3];               /* owned: canvas in YUV */
};

void probe_pattern_init(struct probe_pattern *pattern, const struct probe_colours *colours);
void probe_pattern_finish(struct probe_pattern *pattern);

/* Reads a picture's codes and counts. -EBADMSG when it shows no Pattern. */
int probe_pattern_look(struct probe_pattern *pattern, const struct probe_picture *picture,
		struct pattern_scene *out) NODISCARD;

/* Draws the scene again and compares; some milliseconds of work. -ENOMEM. */
int probe_pattern_compare(struct probe_pattern *pattern, const struct probe_picture *picture,
		const struct pattern_scene *scene) NODISCARD;

#endif
