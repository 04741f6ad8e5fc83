/* SPDX-License-Identifier: MIT */
#ifndef ENCODER_CAPTURE_H
#define ENCODER_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

struct sd_event;

/* What the desktop's sound server plays, as samples: records the monitor of its
 * sink. Connects by itself, for ever, and notices a server that is gone, hangs
 * or stops delivering. It records only while somebody listens and there is
 * something to hear, or was a moment ago; otherwise the stream is corked and
 * only the coming of a player wakes us. The server's null sink wants norewinds=1:
 * otherwise it sleeps for 2 s at a time and a player's first sound waits for it.
 * With sound_loop.c the only file that knows PulseAudio. */

#define CAPTURE_DEVICE "out.monitor"

enum {
	CAPTURE_CONNECT_MS = 2000, /* until a server must have answered */
	CAPTURE_STALL_MS = 300,    /* a recording server delivers more often; it is asked then */
	CAPTURE_ANSWER_MS = 1000,  /* a server that only rests answers sooner */
	CAPTURE_HANG_MS = 2500,    /* a null sink may sleep for 2 s before its first block */
	CAPTURE_RETRY_MIN_MS = 100,
	CAPTURE_RETRY_MAX_MS = 1000,
	CAPTURE_BUFFER_MS = 200, /* what the server keeps for us at the most */
};

struct capture_events {
	/* Interleaved samples, count of each channel; NULL for a hole. May call
	 * capture_listen(). */
	void (*samples)(void *user, const int16_t *samples, size_t count);
	/* The server is gone or silent in a way that sound is not; something may
	 * come again at any time. */
	void (*lost)(void *user);
	/* The server is there and does not answer or deliver: whoever owns it should
	 * replace it. May come again. */
	void (*deaf)(void *user);
};

struct capture;

/* server: as libpulse takes it, "unix:/path". channels: 1, 2, 6 or 8. */
int capture_create(struct sd_event *event, const char *server, unsigned channels, unsigned frame_ms,
		const struct capture_events *events, void *user, struct capture **out) NODISCARD;

/* listening: somebody wants the sound. audible: what came last was no silence,
 * so go on even when no player is there any more. */
void capture_listen(struct capture *capture, bool listening, bool audible);

#endif
