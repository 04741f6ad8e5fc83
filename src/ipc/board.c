/* SPDX-License-Identifier: MIT */
#include "ipc/board.h"

#include <stdatomic.h>
#include <string.h>

enum {
	PLACES = 2,
};

struct board_place {
	_Atomic uint64_t sequence; /* odd while it is written, 0: never was */
	struct board_state state;
	char text[BOARD_TEXT_MAX];
};

struct board {
	uint32_t layout, size; /* size of this struct */
	_Atomic uint32_t newest;
	struct board_place places[PLACES];
};

_Static_assert(sizeof(struct board_state) == 240, "the board's layout has this number");
_Static_assert(offsetof(struct board_place, text) == 248, "the text follows the state");
_Static_assert(offsetof(struct board, places) == 16, "and the places the header");

static struct board *board_of(const struct shm *shm) {
	return (struct board *)(void *)shm->map;
}

int board_create(struct board_writer *out) {
	struct board_writer writer = { .shm = SHM_NONE };
	int rc = shm_create("board", sizeof(struct board), true, &writer.shm);
	if (rc < 0) {
		return rc;
	}
	struct board *board = board_of(&writer.shm);
	board->layout = BOARD_LAYOUT;
	board->size = sizeof(struct board);
	*out = writer;
	return 0;
}

void board_writer_finish(struct board_writer *writer) {
	shm_finish(&writer->shm);
}

char *board_begin(struct board_writer *writer) {
	unsigned next = (writer->place + 1) % PLACES;
	struct board_place *place = &board_of(&writer->shm)->places[next];
	uint64_t sequence = atomic_load_explicit(&place->sequence, memory_order_relaxed);
	atomic_store_explicit(&place->sequence, sequence | 1, memory_order_relaxed);
	/* Nobody may see new bytes under an old sequence. */
	atomic_thread_fence(memory_order_seq_cst);
	return place->text;
}

void board_publish(struct board_writer *writer, const struct board_state *state) {
	struct board *board = board_of(&writer->shm);
	writer->place = (writer->place + 1) % PLACES;
	struct board_place *place = &board->places[writer->place];
	place->state = *state;
	uint64_t sequence = atomic_load_explicit(&place->sequence, memory_order_relaxed);
	atomic_store_explicit(&place->sequence, (sequence | 1) + 1, memory_order_release);
	atomic_store_explicit(&board->newest, writer->place, memory_order_release);
}

int board_open(int fd, struct board_reader *out) {
	struct board_reader reader = { .shm = SHM_NONE };
	int rc = shm_adopt(fd, sizeof(struct board), false, &reader.shm);
	if (rc < 0) {
		return rc;
	}
	const struct board *board = board_of(&reader.shm);
	if (board->layout != BOARD_LAYOUT || board->size != sizeof(struct board)) {
		reader.shm.fd = -1; /* stays the caller's */
		shm_finish(&reader.shm);
		return -EPROTO;
	}
	*out = reader;
	return 0;
}

void board_reader_finish(struct board_reader *reader) {
	shm_finish(&reader->shm);
}

static bool is_terminated(const char *text, size_t size) {
	return memchr(text, 0, size) != NULL;
}

int board_read(const struct board_reader *reader, struct board_state *out, char *text,
		size_t size) {
	if (!reader->shm.map) {
		return -EAGAIN;
	}
	struct board *board = board_of(&reader->shm);
	uint32_t newest = atomic_load_explicit(&board->newest, memory_order_acquire);
	struct board_place *place = &board->places[newest % PLACES];
	uint64_t sequence = atomic_load_explicit(&place->sequence, memory_order_acquire);
	if (sequence == 0 || sequence & 1) {
		return -EAGAIN;
	}
	struct board_state state = place->state;
	size_t len = state.text_len < BOARD_TEXT_MAX ? state.text_len : BOARD_TEXT_MAX;
	len = len < size ? len : size;
	if (text && len) {
		memcpy(text, place->text, len);
	}
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&place->sequence, memory_order_relaxed) != sequence) {
		return -EAGAIN;
	}
	if (state.text_len > BOARD_TEXT_MAX || !is_terminated(state.leg, sizeof(state.leg)) ||
			!is_terminated(state.words, sizeof(state.words))) {
		return -EBADMSG;
	}
	state.text_len = (uint32_t)(text ? len : 0);
	*out = state;
	return 0;
}
