/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ipc/board.h"
#include "scribble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A supervisor that died while it wrote, or went mad, leaves the web door a board with anything
 * in it: the input is a list of {be32 place, byte length, bytes} laid over an honest one.
 * Law: what is read is whole and terminated, or refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct board_writer writer;
	struct board_reader reader;
	struct board_state state = { .made_ns = 1, .alive = 1, .words = "well", .text_len = 5 };
	char text[256];
	int rc = board_create(&writer);
	assert(rc == 0);
	rc = board_open(dup(writer.shm.fd), &reader);
	assert(rc == 0);
	memcpy(board_begin(&writer), "a 1\n\n", 5);
	board_publish(&writer, &state);
	scribble(writer.shm.map, writer.shm.size, reader_over(data, size));
	for (size_t room = 0; room <= sizeof(text); room += sizeof(text) / 2) {
		rc = board_read(&reader, &state, room ? text : NULL, room);
		if (rc >= 0) {
			assert(memchr(state.leg, '\0', sizeof(state.leg)));
			assert(memchr(state.words, '\0', sizeof(state.words)));
			assert(state.text_len <= BOARD_TEXT_MAX);
		} else {
			assert(rc == -EAGAIN || rc == -EBADMSG);
		}
	}
	board_reader_finish(&reader);
	board_writer_finish(&writer);
	return 0;
}
