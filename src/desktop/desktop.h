/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_DESKTOP_H
#define DESKTOP_DESKTOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

/* One desktop: a Wayland compositor with one output that exists only as pictures.
 * It knows neither encoders nor viewers: pictures go out through desktop_events,
 * input comes in through desktop_input(). Everything runs on the thread of its
 * wl_event_loop. */
struct desktop;
struct wl_event_loop;

enum {
	DESKTOP_SIDE_MIN = 16, /* pixels */
	DESKTOP_WIDTH_MAX = 3840,
	DESKTOP_HEIGHT_MAX = 2160,
};

struct desktop_settings {
	uint32_t width, height;                         /* pixels, even */
	uint32_t rate_mhz;                              /* thousandths of a picture per second */
	const char *layout, *variant, *model, *options; /* xkb names; "" or NULL: default */
	bool xwayland;   /* offer X11; Xwayland starts with its first client */
	bool fullscreen; /* a single-app session: windows fill the output */
};

struct desktop_picture {
	const uint8_t *pixels; /* B, G, R, X; borrowed until the handler returns */
	size_t stride;         /* bytes */
	uint32_t width, height;
	uint32_t changed_top, changed_bottom; /* rows [top, bottom), even, since the last one */
	struct ipc_picture_times times;       /* commit, render_begin and rendered are set */
};

struct desktop_events {
	/* A picture that differs from the last. The pixels may be a client's own
	 * memory: they may change while they are read, and what a client takes away
	 * reads as zeros (wlroots 0.15 throws it out for that, 0.18 does not). */
	void (*picture)(void *user, const struct desktop_picture *picture);
	/* The newest picture should be offered again. */
	void (*repeat)(void *user);
	/* How many windows there are now, and whether a notice is over them. */
	void (*windows)(void *user, unsigned count, bool notice);
	/* What desktop_clip_get() asked for; rc: -ENOENT when there is no text, -EFBIG,
	 * -ETIMEDOUT, -EBUSY, -EIO, -ENOMEM. text is borrowed until the handler returns. May be
	 * NULL. */
	void (*clip)(void *user, uint32_t request, int rc, const void *text, size_t len);
};

/* listen_fd is the bound Wayland socket; taken. -EINVAL for a size or rate outside
 * the limits, or keyboard names that make no keymap. */
int desktop_create(const struct desktop_settings *settings, int listen_fd,
		const struct desktop_events *events, void *user, struct desktop **out) NODISCARD;
void desktop_destroy(struct desktop *desktop);

struct wl_event_loop *desktop_loop(struct desktop *desktop);

/* Flushes clients, waits at most timeout_ms (-1: for ever) and handles what came. */
void desktop_dispatch(struct desktop *desktop, int timeout_ms);

/* "" while there is no X11. */
const char *desktop_x_display(const struct desktop *desktop);
const char *desktop_renderer_name(const struct desktop *desktop);

/* -EINVAL outside the limits; then nothing changes. */
int desktop_resize(struct desktop *desktop, uint32_t width, uint32_t height,
		uint32_t rate_mhz) NODISCARD;

/* A client of ours at the other end of fd, which is taken: its windows lie over all others,
 * fill the output, and get no focus. -errno. */
int desktop_notice(struct desktop *desktop, int fd) NODISCARD;

/* Somebody watches; some encoder is free; an encoder wants a picture now, changed
 * or not. See desktop/pace.h. */
void desktop_watch(struct desktop *desktop, bool watched);
void desktop_free(struct desktop *desktop, bool free);
void desktop_ask(struct desktop *desktop);

/* Pictures whose time passed while nobody could take them, since the start. */
uint64_t desktop_skipped(const struct desktop *desktop);

/* The next picture comes with all rows changed, also when nothing moved. */
void desktop_redraw(struct desktop *desktop);

struct desktop_input {
	enum ipc_input_kind kind;
	uint32_t code;
	int32_t x, y, w, h;
	int32_t value;
};

/* Input of one viewer. What makes no sense is ignored. */
void desktop_input(struct desktop *desktop, uint32_t viewer, const struct desktop_input *input);

/* Asks for the text on the clipboard; the event follows once, within some seconds or at
 * once. */
void desktop_clip_get(struct desktop *desktop, uint32_t request);
/* The text is on it from now on, as if an app had copied it; "" empties it. -EBADMSG when it is
 * not UTF-8. */
int desktop_clip_set(struct desktop *desktop, const void *text, size_t len) NODISCARD;

/* The viewer is gone: its keys and buttons go up. */
void desktop_release(struct desktop *desktop, uint32_t viewer);
/* All go up, whoever holds them. */
void desktop_release_all(struct desktop *desktop);
/* The evdev codes of what is down, each once, at most max; returns how many. */
unsigned desktop_held(const struct desktop *desktop, uint32_t *out, unsigned max);

#endif
