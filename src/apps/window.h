/* SPDX-License-Identifier: MIT */
#ifndef APPS_WINDOW_H
#define APPS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* The one window of an app of ours, full screen, of whatever size the compositor wants:
 * a plain Wayland client with shared-memory buffers, drawn when it is asked to and never
 * faster than the compositor wants pictures. */
struct window;

enum {
	WINDOW_DEFAULT_WIDTH = 1280, /* where the compositor has no wish */
	WINDOW_DEFAULT_HEIGHT = 720,
};

/* XRGB8888. */
struct window_picture {
	uint8_t *pixels; /* borrowed until draw() returns */
	size_t stride;   /* bytes */
	uint32_t width, height;
	bool whole; /* all of it must be drawn: nothing, or another size, is in it */
};

struct window_events {
	/* Draws; returns how many rows from the top are new. */
	uint32_t (*draw)(void *user, const struct window_picture *picture);
	/* The compositor wants another picture. May be NULL. */
	void (*wanted)(void *user);
	/* A key or button went down: its evdev code. NULL: no input is listened to, and what the
	 * pointer does goes to whatever lies below. */
	void (*pressed)(void *user, uint32_t code);
	/* The pointer is there now, in pixels. May be NULL. */
	void (*pointed)(void *user, double x, double y);
};

/* fd: a connection to the compositor, taken also on failure; -1: the one that the
 * environment names. -ENOENT without a compositor, -ENOTSUP if it lacks something. */
int window_open(int fd, const char *title, const char *app_id, const struct window_events *events,
		void *user, struct window **out) NODISCARD;

/* Accepts NULL. */
void window_close(struct window *window);

/* draw() follows: at once, or when the last picture was taken and a buffer is free. */
void window_ask(struct window *window);

/* For a loop of the caller's: readable when window_handle() has something to do. */
int window_fd(const struct window *window);

/* Waits for something to come and handles it. -ECANCELED when the window was closed, -EPIPE
 * when the compositor is gone. */
int window_handle(struct window *window) NODISCARD;

#endif
