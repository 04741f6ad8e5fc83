/* SPDX-License-Identifier: MIT */
/* Pattern: a plain Wayland client for tests and for looking at a stream. It draws a
 * scene that says its own number (apps/pattern_scene.h), counts keys and clicks in
 * a code and a patch of colour, and plays a tone. It draws when the compositor asks
 * for a frame and never faster. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "apps/pattern_scene.h"
#include "apps/tone.h"
#include "apps/window.h"
#include "base/own.h"

struct pattern {
	struct window *window; /* owned */
	struct pattern_scene scene;
	struct pattern_texture texture;
	bool still;  /* draw only when something changes */
	bool redraw; /* still: an event came */
};

static uint32_t handle_draw(void *user, const struct window_picture *picture) {
	struct pattern *p = user;
	p->scene.width = picture->width;
	p->scene.height = picture->height;
	p->scene.number++;
	p->redraw = false;
	pattern_scene_draw(
			&p->scene, &p->texture, picture->whole, picture->pixels, picture->stride);
	return pattern_bars_top(&p->scene);
}

static void handle_wanted(void *user) {
	struct pattern *p = user;
	if (!p->still || p->redraw) {
		window_ask(p->window);
	}
}

/* A moving scene shows it in its next picture. */
static void handle_pressed(void *user, uint32_t code) {
	(void)code;
	struct pattern *p = user;
	p->scene.events++;
	p->redraw = true;
	if (p->still) {
		window_ask(p->window);
	}
}

static const struct window_events window_events = {
	.draw = handle_draw,
	.wanted = handle_wanted,
	.pressed = handle_pressed,
};

static void usage(void) {
	fprintf(stderr, "usage: perigee-pattern [--still] [--no-sound]\n"
			"  --still     draw once and after each key or click; no sound\n"
			"  --no-sound  no tone\n");
}

int main(int argc, char **argv) {
	static const struct option options[] = {
		{ "still", no_argument, NULL, 's' },
		{ "no-sound", no_argument, NULL, 'q' },
		{ 0 },
	};
	bool silent = false;
	struct pattern *p = calloc(1, sizeof(*p));
	if (!p) {
		return EXIT_FAILURE;
	}
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option != 's' && option != 'q') {
			usage();
			return 2;
		}
		p->still |= option == 's';
		silent = true;
	}
	signal(SIGPIPE, SIG_IGN);
	pattern_texture_draw(&p->texture);

	struct tone *tone = NULL;
	if (!silent && tone_create(&tone) < 0) {
		fprintf(stderr, "pattern: no sound\n");
	}
	int r = window_open(-1, "Pattern", "perigee-pattern", &window_events, p, &p->window);
	if (r < 0) {
		fprintf(stderr, "pattern: %s\n",
				r == -ENOENT ? "no Wayland display"
					     : "the compositor lacks something");
	}
	while (r >= 0) {
		r = window_handle(p->window);
	}
	tone_destroy(tone);
	window_close(p->window);
	free(p);
	return r == -ECANCELED ? EXIT_SUCCESS : EXIT_FAILURE;
}
