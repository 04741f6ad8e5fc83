/* SPDX-License-Identifier: MIT */
#ifndef STREAM_SWITCHING_H
#define STREAM_SWITCHING_H

#include <stdbool.h>
#include <stdint.h>

/* When a viewer moves from one source to another (docs/architecture.md, 3): it
 * stays with the old one until the new one's ring holds a key frame, moves its
 * pictures and input there between two frames, and its sound at the next group
 * boundary, because the client's sound FEC works on groups of four. After
 * SWITCHING_MS without a key it stays where it was. The first source has no old
 * one to stay with: it is taken at once and waited for without an end.
 *
 * Pure: the answers are what is to be done. */
enum {
	SWITCHING_MS = 3000, /* on a busy machine; meanwhile the viewer sees what it saw */
};

struct switching {
	bool pictures;        /* a new source waits for its key */
	bool sound;           /* pictures have moved, sound has not */
	uint64_t deadline_ns; /* for the key */
};

/* A source came while another plays. */
void switching_begin(struct switching *switching, uint64_t now_ns);

/* Between two frames: true when pictures and input move now. */
bool switching_pictures_move(struct switching *switching, bool new_ring_has_key);

/* True once when the new source is to be given up. */
bool switching_overdue(struct switching *switching, uint64_t now_ns);

/* Before the sound packet with this RTP sequence: true when sound moves now. */
bool switching_sound_moves(struct switching *switching, uint16_t next_sequence);

uint64_t switching_deadline_ns(const struct switching *switching);

#endif
