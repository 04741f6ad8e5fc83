/* SPDX-License-Identifier: MIT */

/* perigee-home: the launcher. A plain Wayland client that shows what runs on the host and what
 * can be started, and asks for it by the socket of its own desktop. Keys, mouse and (as keys)
 * a pad steer it. */

#include <errno.h>
#include <linux/input-event-codes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "apps/home_link.h"
#include "apps/home_model.h"
#include "apps/home_picture.h"
#include "apps/window.h"
#include "base/clock.h"
#include "base/log.h"

enum {
	LOOK_MS = 1000, /* how old what is shown may get */
};

struct home {
	struct home_model model;
	struct home_link link;
	struct window *window;       /* owned */
	uint64_t look_ms;            /* when to look again */
	struct home_request waiting; /* goes out when the link is free */
	enum home_want asked;        /* of which the link's answer is; NOTHING: it looks */
	uint32_t width, height;      /* of the picture that is shown */
	double x, y;                 /* of the pointer */
};

static uint32_t handle_draw(void *user, const struct window_picture *picture) {
	struct home *home = user;
	struct home_page page;
	home_show(&home->model, &page);
	home->width = picture->width;
	home->height = picture->height;
	if (home_picture_draw(&page, picture->pixels, picture->stride, picture->width,
			    picture->height) < 0) {
		log_error("draw-failed", "");
	}
	return picture->height;
}

static const struct {
	uint32_t code;
	enum home_key key;
} keys[] = {
	{ KEY_UP, HOME_UP },
	{ KEY_DOWN, HOME_DOWN },
	{ KEY_LEFT, HOME_LEFT },
	{ KEY_RIGHT, HOME_RIGHT },
	{ KEY_ENTER, HOME_ENTER },
	{ KEY_KPENTER, HOME_ENTER },
	{ KEY_SPACE, HOME_ENTER },
	{ KEY_ESC, HOME_BACK },
	{ KEY_BACKSPACE, HOME_ERASE },
};

/* By where they lie: the same on every layout. -1 for none. */
static int digit_of(uint32_t code) {
	static const uint8_t pad[] = { KEY_KP0, KEY_KP1, KEY_KP2, KEY_KP3, KEY_KP4, KEY_KP5,
		KEY_KP6, KEY_KP7, KEY_KP8, KEY_KP9 };
	for (size_t i = 0; i < ARRAY_LEN(pad); i++) {
		if (pad[i] == code) {
			return (int)i;
		}
	}
	return code >= KEY_1 && code <= KEY_0 ? (int)(code - KEY_1 + 1) % 10 : -1;
}

static unsigned under_pointer(const struct home *home) {
	struct home_page page;
	home_show(&home->model, &page);
	return home_item_under(&page, home->x, home->y, home->width, home->height);
}

static void handle_pressed(void *user, uint32_t code) {
	struct home *home = user;
	struct home_request request = { .want = HOME_NOTHING };
	if (code == BTN_LEFT) {
		home_click(&home->model, under_pointer(home), &request);
	} else if (code == BTN_RIGHT || code == BTN_SIDE) {
		home_press(&home->model, HOME_BACK, &request);
	} else if (digit_of(code) >= 0) {
		home_type(&home->model, (unsigned)digit_of(code));
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i].code == code) {
			home_press(&home->model, keys[i].key, &request);
		}
	}
	if (request.want != HOME_NOTHING) {
		home->waiting = request;
	}
	window_ask(home->window);
}

static void handle_pointed(void *user, double x, double y) {
	struct home *home = user;
	home->x = x;
	home->y = y;
	if (home->width && home_point(&home->model, under_pointer(home))) {
		window_ask(home->window);
	}
}

static const struct window_events window_events = {
	.draw = handle_draw,
	.pressed = handle_pressed,
	.pointed = handle_pointed,
};

/* ---- the host ---- */

/* What was made is joined at once, with the PIN that it got. */
static void join_made(struct home *home, const char *lobby) {
	home->waiting.want = HOME_JOIN;
	memcpy(home->waiting.id, lobby, sizeof(home->waiting.id));
}

static void failed(struct home *home, int error) {
	log_warning("host-unreachable", "error=%d", -error);
	if (home_lose(&home->model, "The host cannot be reached. It is asked again ...")) {
		window_ask(home->window);
	}
	home->look_ms = clock_now_ms() + LOOK_MS;
}

static void answered(struct home *home) {
	struct home_said said;
	enum home_want asked = TAKE(home->asked, HOME_NOTHING);
	int rc = home_link_read(home->link.answer, home->link.len, &said);
	home->look_ms = clock_now_ms() + LOOK_MS;
	if (rc < 0 || (asked == HOME_NOTHING && !said.has_world)) {
		failed(home, rc < 0 ? rc : -EBADMSG);
		return;
	}
	if (asked == HOME_NOTHING) {
		if (home_learn(&home->model, &said.world)) {
			log_info("launcher-shows", "lobbies=%u apps=%u profiles=%u",
					said.world.lobbies_count, said.world.apps_count,
					said.world.profiles_count);
			window_ask(home->window);
		}
		return;
	}
	log_info("answered", "want=%d done=%d words=%s", asked, said.done,
			log_quote(said.words).text);
	if (asked == HOME_CREATE && said.done) {
		join_made(home, said.lobby);
		return;
	}
	if (asked == HOME_LOG_OUT) {
		return; /* whoever comes next may be asking already */
	}
	explicit_bzero(home->waiting.pin, sizeof(home->waiting.pin));
	home_answer(&home->model, said.done, said.words);
	home->look_ms = clock_now_ms(); /* it is not as it was */
	window_ask(home->window);
}

/* Asks what is to be asked, if nothing is. */
static void ask(struct home *home) {
	uint64_t now_ms = clock_now_ms();
	int rc = 0;
	if (home->link.fd >= 0) {
		return;
	}
	if (home->waiting.want != HOME_NOTHING) {
		home->asked = home->waiting.want;
		rc = home_link_ask(&home->link, &home->waiting);
		home->waiting.want = HOME_NOTHING;
	} else if (now_ms >= home->look_ms) {
		rc = home_link_look(&home->link);
	}
	if (rc < 0) {
		home->asked = HOME_NOTHING;
		failed(home, rc);
	}
}

static int turn(struct home *home) {
	ask(home);
	uint64_t now_ms = clock_now_ms();
	uint64_t due_ms = home->link.fd >= 0 ? home->link.deadline_ms : home->look_ms;
	struct pollfd fds[] = {
		{ .fd = window_fd(home->window), .events = POLLIN },
		{ .fd = home->link.fd, .events = POLLIN },
	};
	if (poll(fds, ARRAY_LEN(fds), due_ms > now_ms ? (int)(due_ms - now_ms) : 0) < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	if (home->link.fd >= 0) {
		int rc = home_link_take(&home->link, clock_now_ms());
		if (rc == 0) {
			answered(home);
		} else if (rc != -EAGAIN) {
			home->asked = HOME_NOTHING;
			failed(home, rc);
		}
	}
	return fds[0].revents ? window_handle(home->window) : 0;
}

int main(void) {
	const char *path = getenv("PERIGEE_SOCKET");
	struct home *home = calloc(1, sizeof(*home));
	if (!home || !path) {
		log_error("home", "why=%s", path ? "no-memory" : "no-PERIGEE_SOCKET");
		return 1;
	}
	home_begin(&home->model);
	home_link_init(&home->link, path);
	int rc = window_open(-1, "Home", "perigee-home", &window_events, home, &home->window);
	while (rc == 0) {
		rc = turn(home);
	}
	log_info("home-ends", "error=%d", -rc);
	home_link_finish(&home->link);
	window_close(home->window);
	free(home);
	return rc == -ECANCELED || rc == -EPIPE ? 0 : 1;
}
