/* SPDX-License-Identifier: MIT */
#ifndef IPC_BOARD_H
#define IPC_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/shm.h"

/* The board: what the supervisor last knew about the host's health, in a page that
 * the web door maps read-only. So a question about it is answered from memory, also
 * while the supervisor stands still: then the board's age says so. Two places,
 * written in turns, each guarded by a sequence that is odd while it is written. */

enum {
	BOARD_LAYOUT = 1,
	BOARD_LEG_SIZE = 16,
	BOARD_WORDS_SIZE = 208,
	BOARD_TEXT_MAX = 128 * 1024, /* bytes of metrics */
};

/* What both sides copy whole; a board of another release has another layout. */
struct board_state {
	uint64_t made_ns;             /* CLOCK_MONOTONIC */
	uint8_t alive;                /* everything machine-wide that must run does */
	uint8_t ready;                /* a new session can start */
	char leg[BOARD_LEG_SIZE];     /* what stalls when it cannot, "" when ready */
	char words[BOARD_WORDS_SIZE]; /* one sentence for a person */
	uint32_t text_len;            /* of the metrics */
};

struct board_writer {
	struct shm shm; /* owned; the door gets a duplicate of its fd */
	unsigned place; /* the newest */
};

/* -ENOMEM and the like of shm_create(). */
int board_create(struct board_writer *out) NODISCARD;
void board_writer_finish(struct board_writer *writer);

/* Room for BOARD_TEXT_MAX bytes of metrics in the place that is written next. Readers
 * look at the other until board_publish(). */
char *board_begin(struct board_writer *writer);
/* state->text_len bytes of that room, with the rest of state, are the newest. */
void board_publish(struct board_writer *writer, const struct board_state *state);

struct board_reader {
	struct shm shm; /* owned, mapped read-only */
};

/* Takes fd on success. -EPROTO for a block that is no board of this layout. */
int board_open(int fd, struct board_reader *out) NODISCARD;
void board_reader_finish(struct board_reader *reader);

/* Copies the newest state, and its metrics into text (size bytes, NULL for none),
 * cut off where text ends. -EAGAIN: nothing was published yet, or the writer went over
 * it while we read. -EBADMSG: the writer wrote nonsense. Never waits. */
int board_read(const struct board_reader *reader, struct board_state *out, char *text,
		size_t size) NODISCARD;

#endif
