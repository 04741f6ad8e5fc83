/* SPDX-License-Identifier: MIT */
#ifndef ENCODER_REQUESTS_H
#define ENCODER_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

/* Decides when which request of the readers is answered. Pure: no clock, no
 * encoder. Alone on an encoding a reader is answered with the next picture;
 * where several share it, answers are REQUESTS_SPACING_MS apart at least, so
 * that one bad line does not turn everybody's pictures into key frames. */

enum {
	REQUESTS_SPACING_MS = 250,
	REQUESTS_FRESH_MS = 100, /* a newcomer starts at a key frame this young */
};

#define REQUESTS_NEVER UINT64_MAX

struct requests {
	unsigned readers;
	bool key;             /* a key frame is wanted */
	uint64_t first;       /* lost from here on, 0 for nothing lost */
	uint64_t since_ns;    /* of the oldest request that is not answered */
	uint64_t answered_ns; /* the newest answer; 0 for none */
	uint64_t newest;      /* sequence of the newest packet */
	/* The newest answer: all from answer_first to before `answer` may be lost
	 * without harm to what follows it. */
	uint64_t answer, answer_first;
	uint64_t key_ns; /* when the newest key frame was made; 0 for none */
};

enum requests_answer {
	REQUESTS_NOTHING,
	REQUESTS_KEY,
	REQUESTS_INVALIDATE, /* of all from requests->first on */
};

void requests_joined(struct requests *requests, uint64_t now_ns);
void requests_left(struct requests *requests);

/* A reader wants a key frame. */
void requests_key(struct requests *requests, uint64_t now_ns);

/* A reader lost packets first to last. What the newest answer has already
 * mended is no request; a range that cannot be is one for a key frame. */
void requests_invalidate(struct requests *requests, uint64_t first, uint64_t last, uint64_t now_ns);

/* What the picture that is encoded now has to be. */
enum requests_answer requests_next(const struct requests *requests, uint64_t now_ns);

/* When requests_next() will have something to say; REQUESTS_NEVER when there
 * is no request. */
uint64_t requests_deadline_ns(const struct requests *requests);

/* A packet was made, with RING_ flags. */
void requests_encoded(struct requests *requests, uint64_t sequence, uint32_t flags,
		uint64_t references, uint64_t now_ns);

#endif
