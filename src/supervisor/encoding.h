/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_ENCODING_H
#define SUPERVISOR_ENCODING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"
#include "supervisor/place.h"

struct child_left;
struct desk;
struct supervisor;

enum encoding_kind {
	ENCODING_PICTURES,
	ENCODING_SOUND,
	ENCODING_KINDS,
};

enum {
	ENCODING_GRACE_MS = 300,
};

/* What an encoding is told apart by: who wants the same shares it. */
struct encoding_form {
	struct ipc_encoding pictures; /* with the bitrate, without the order of encoders */
	uint8_t channels, streams, coupled, frame_ms;
	uint32_t bitrate_bps; /* of sound */
};

/* One encoding of a desk, of its pictures or of its sound, with the process that makes
 * it. Views share it (view.h); the last one to leave ends it. Its process is spawned
 * before it is known what it will encode, so that linking and loading are over by then.
 * One that dies gets a successor for all its viewers, who do not notice but a gap. */
struct encoding {
	struct desk *desk; /* borrowed */
	struct encoding *next;
	uint32_t id; /* machine-unique */
	enum encoding_kind kind;
	struct place place;
	bool opened; /* form is what it encodes; else it waits to be told */
	bool own;    /* of a viewer on a bad line: nobody else joins it */
	struct encoding_form form;
	uint32_t encoder;              /* towards the desktop */
	int ring_fd;                   /* owned, -1 until READY */
	bool invalidation;             /* it can */
	char name[32];                 /* of the kind of encoder, "" until READY */
	uint32_t kinds_failed;         /* bits by supervisor->probed: given up here */
	struct restarts kind_restarts; /* of the kind that encodes now */
	bool desktop_gone;             /* it waits for another desktop */
	bool kept;                     /* its ring lies with the holder */
	uint32_t asked_kbps;           /* of the encoder, that has not answered; 0: nothing */
};

const char *encoding_part(enum encoding_kind kind);

/* What a viewer's wishes come to. */
void encoding_form(const struct ipc_stream_params *params, enum encoding_kind kind,
		struct encoding_form *out);

/* Bits of video per second, in thousands, that leave room for FEC, headers and
 * sound below the client's ceiling. */
uint32_t encoding_video_kbps(const struct ipc_stream_params *params);

/* Whether who wants `wanted` is served by `form`: all the same, and with pictures of at
 * most its bitrate and at most one step of the ladder below it. */
bool encoding_serves(enum encoding_kind kind, const struct encoding_form *form,
		const struct encoding_form *wanted);

/* The highest step of the ladder that is not above. */
uint32_t encoding_step_kbps(uint32_t kbps);

/* One whose process waits to be told what to encode. */
int encoding_create(struct desk *desk, enum encoding_kind kind, struct encoding **out) NODISCARD;

/* One that encodes `wanted`: one that is there, else *spare (which is taken, may be
 * NULL), else a new one. `own`: not one that is there, and for nobody else. -errno, and the
 * spare is over. */
int encoding_join(struct desk *desk, enum encoding_kind kind, const struct encoding_form *wanted,
		struct encoding **spare, bool own, struct encoding **out) NODISCARD;

/* The one that is there and would be joined; NULL for none. */
struct encoding *encoding_shared(const struct desk *desk, enum encoding_kind kind,
		const struct encoding_form *wanted);

/* It is nobody's own any more. */
void encoding_open_to_all(struct encoding *encoding);

/* A view does not use it any more (its reference is gone already): ends it after the
 * last one. Accepts NULL. */
void encoding_leave(struct encoding *encoding, uint32_t reason);

/* Who is left alone on its pictures gets all that it asked for. */
void encoding_raise(struct encoding *encoding);

/* Its viewers are told that something will be felt, or is over for them. */
void encoding_trouble(struct encoding *encoding, uint32_t reason, const char *detail);

/* How many views use it. */
unsigned encoding_members(const struct encoding *encoding);

/* Of a desk; NULL when there is none of that number. */
struct encoding *encoding_find(const struct desk *desk, uint32_t id);

/* The desktop has taken back the picture slots of `encoder`. */
void encoding_lost(struct desk *desk, uint32_t encoder, uint32_t reason);

/* The desktop died and is started again; it is there again. */
void encodings_desktop_gone(struct desk *desk);
void encodings_desktop_back(struct desk *desk);

/* All of them, at the desk's end. */
void encodings_release(struct desk *desk, uint32_t reason);
void encodings_kill(struct desk *desk, uint32_t reason);

/* A supervisor that takes over: from its record (LEDGER_ENCODING); then its process;
 * then that has said who it is; then what is missing is started. */
void encoding_restore(struct desk *desk, const struct ipc_message *record);
int encoding_adopt(struct desk *desk, struct child_left *left) NODISCARD;
void encoding_answered(struct encoding *encoding, struct child *child, bool missed);
void encodings_mend(struct desk *desk);

/* Writes the records of a desk's encodings. */
void encodings_write(const struct desk *desk);

#endif
