/* SPDX-License-Identifier: MIT */
#ifndef STREAM_FRAMES_H
#define STREAM_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/ring.h"
#include "proto/video.h"

/* Which pictures of the ring one viewer gets, and as what. It remembers what was
 * sent as which frame and what each refers to, so that after a loss nothing
 * leaves that the client cannot decode, whatever the encoder answers to other
 * viewers of the same ring. No fd, no clock: `now` is an argument.
 *
 * Law: a packet that is sent is a key, or refers to a packet that was sent
 * before from the same ring, is not known to be lost, and kept the same law.
 * What a packet refers to is taken from ring_packet.references; 0 in a packet
 * that is no key counts as the packet before it. */
enum {
	FRAMES_HISTORY = 256,     /* frames remembered; a loss further back needs a key */
	FRAMES_ANSWER_MS = 500,   /* for an invalidation; then a key is asked for */
	FRAMES_KEY_MS = 1000,     /* for a key; then it is asked for again */
	FRAMES_COALESCE_MS = 100, /* the client's own requests, while one is unanswered */
};

enum frames_state {
	FRAMES_WAIT_KEY,
	FRAMES_FLOW,
	FRAMES_WAIT_ANSWER, /* or a key, whichever comes */
};

/* What the encoder is to be asked. */
struct frames_request {
	enum {
		FRAMES_ASK_NOTHING,
		FRAMES_ASK_KEY,
		FRAMES_ASK_INVALIDATE,
	} kind;
	uint64_t first, last; /* ring sequences, inclusive */
};

struct frames {
	enum frames_state state;
	bool can_invalidate; /* client and encoder both */
	struct frames_request request;
	uint64_t asked_ns;   /* when the newest request went out, 0: answered */
	uint32_t newest;     /* index of the newest frame sent, 0 for none from this ring */
	uint32_t remembered; /* how many before it are in the table, itself included */
	struct frames_sent {
		uint64_t sequence, references;
		bool recovers; /* ends a client's wait: a key or an answer */
		bool good;
	} sent[FRAMES_HISTORY]; /* by index modulo FRAMES_HISTORY */
};

/* A ring begins (at the start, or another source): nothing that was sent before
 * can be referred to. A key is wanted when `ask`; else one is known to wait. */
void frames_begin(struct frames *frames, bool can_invalidate, bool ask);

/* True when the packet is to be sent as out_type, false to pass over it. May
 * find that only a key helps; frames_due() then says so. */
bool frames_judge(struct frames *frames, const struct ring_packet *packet,
		enum video_frame_type *out_type) NODISCARD;

/* The packet went out as frame `index`, of the type that was judged. */
void frames_sent(struct frames *frames, const struct ring_packet *packet, uint32_t index,
		enum video_frame_type type);

/* Something is missing for good: we were lapped, or a frame was given up half
 * way. Only a key helps. */
void frames_break(struct frames *frames);

/* The client lost frames [first, last] (indices). `newest` is the ring's newest
 * sequence: all from the first lost one on is not to be referred to. False when
 * it makes no sense: frames that were never sent. */
bool frames_lost(struct frames *frames, uint32_t first, uint32_t last, uint64_t newest);

/* The client asks for a key frame. */
void frames_want_key(struct frames *frames, uint64_t now_ns);

/* The request that is to go out now, each once; later again if unanswered. */
struct frames_request frames_due(struct frames *frames, uint64_t now_ns);

/* When frames_due() has to be asked again without an event; UINT64_MAX: never. */
uint64_t frames_deadline_ns(const struct frames *frames);

#endif
