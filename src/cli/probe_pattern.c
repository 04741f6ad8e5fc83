/* SPDX-License-Identifier: MIT */
#include "cli/probe_pattern.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

void probe_pattern_init(struct probe_pattern *pattern, const struct probe_colours *colours) {
	*pattern = (struct probe_pattern){ .colours = *colours };
}

void probe_pattern_finish(struct probe_pattern *pattern) {
	samples_finish(&pattern->stats.psnr_luma);
	samples_finish(&pattern->stats.psnr_chroma);
	free(pattern->texture);
	free(pattern->canvas);
	free(pattern->yuv);
	*pattern = (struct probe_pattern){ 0 };
}

int probe_pattern_look(struct probe_pattern *pattern, const struct probe_picture *picture,
		struct pattern_scene *out) {
	struct probe_pattern_stats *stats = &pattern->stats;
	struct pattern_picture luma = { picture->plane[0], 1, picture->stride[0], picture->width,
		picture->height };
	struct pattern_scene scene;
	if (pattern_scene_read(&luma, &scene) < 0) {
		stats->unreadable++;
		return -EBADMSG;
	}
	if (stats->pictures == 0) {
		stats->first = scene.number;
		stats->numbers = 1;
	} else if (scene.number == stats->last) {
		stats->repeated++;
	} else if (scene.number < stats->last) {
		stats->backwards++;
	} else {
		stats->numbers++;
	}
	stats->last = scene.number;
	stats->pictures++;
	*out = scene;
	return 0;
}

static int prepare(struct probe_pattern *pattern, size_t pixels) {
	if (!pattern->texture) {
		pattern->texture = malloc(sizeof(*pattern->texture));
		if (!pattern->texture) {
			return -ENOMEM;
		}
		pattern_texture_draw(pattern->texture);
	}
	if (pattern->canvas_size != pixels) {
		free(pattern->canvas);
		free(pattern->yuv);
		pattern->canvas = malloc(pixels * sizeof(*pattern->canvas));
		pattern->yuv = malloc(pixels * sizeof(*pattern->yuv));
		pattern->canvas_size = pattern->canvas && pattern->yuv ? pixels : 0;
	}
	return pattern->canvas_size ? 0 : -ENOMEM;
}

static double psnr(double squares, double count) {
	return squares <= 0 ? PATTERN_PSNR_IDENTICAL
			    : fmin(PATTERN_PSNR_IDENTICAL,
					      10 * log10(255.0 * 255.0 * count / squares));
}

/* What plane `index` should show at (x, y) of its own grid, in 1/256: the mean of the
 * `side` squared pixels there. */
static double expected(const struct probe_pattern *pattern, const struct pattern_scene *scene,
		int index, uint32_t x, uint32_t y, uint32_t side) {
	int32_t sum = 0;
	for (uint32_t dy = 0; dy < side; dy++) {
		for (uint32_t dx = 0; dx < side; dx++) {
			size_t at = (size_t)(y * side + dy) * scene->width + x * side + dx;
			sum += pattern->yuv[at][index];
		}
	}
	return (double)sum / (side * side);
}

static double plane_squares(const struct probe_pattern *pattern,
		const struct probe_picture *picture, const struct pattern_scene *scene, int index,
		uint32_t side) {
	double squares = 0;
	for (uint32_t y = 0; y < scene->height / side; y++) {
		const uint8_t *row = picture->plane[index] + y * picture->stride[index];
		for (uint32_t x = 0; x < scene->width / side; x++) {
			/* The best eight bits can do is the nearest one. */
			double difference = row[x] - floor(expected(pattern, scene, index, x, y,
									   side) / 256 +
								     0.5);
			squares += difference * difference;
		}
	}
	return squares;
}

int probe_pattern_compare(struct probe_pattern *pattern, const struct probe_picture *picture,
		const struct pattern_scene *scene) {
	size_t pixels = (size_t)scene->width * scene->height;
	int rc = prepare(pattern, pixels);
	if (rc < 0) {
		return rc;
	}
	pattern_scene_draw(scene, pattern->texture, true, (uint8_t *)pattern->canvas,
			(size_t)scene->width * 4);
	/* Neighbours are often alike. */
	for (size_t i = 0; i < pixels; i++) {
		if (i > 0 && pattern->canvas[i] == pattern->canvas[i - 1]) {
			for (int plane = 0; plane < 3; plane++) {
				pattern->yuv[i][plane] = pattern->yuv[i - 1][plane];
			}
		} else {
			probe_yuv_of(&pattern->colours, pattern->canvas[i], pattern->yuv[i]);
		}
	}
	uint32_t side = picture->chroma_halved ? 2 : 1;
	double chroma = plane_squares(pattern, picture, scene, 1, side) +
			plane_squares(pattern, picture, scene, 2, side);
	double luma = plane_squares(pattern, picture, scene, 0, 1);
	samples_add(&pattern->stats.psnr_luma, psnr(luma, (double)pixels));
	samples_add(&pattern->stats.psnr_chroma, psnr(chroma, 2 * (double)pixels / (side * side)));
	return 0;
}
