/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ipc/ring.h"
#include "scribble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	CAPACITY = 64 * 1024,
};

/* An encoder that was taken over writes what it likes into the ring that a stream reads: the
 * input is a list of {be32 place, byte length, bytes} laid over an honest ring. Law: the
 * stream reads inside the block, gets no more than it has room for, and moves on or says
 * why not; it never stays in a loop. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct ring_writer writer = { .shm = SHM_NONE };
	struct ring_reader reader;
	uint8_t buf[4096];
	int rc = ring_create(CAPACITY, &writer);
	assert(rc == 0);
	rc = ring_open(dup(writer.shm.fd), &reader);
	assert(rc == 0);
	for (unsigned i = 0; i < 4; i++) {
		struct ring_packet packet = { .flags = RING_KEY };
		rc = ring_write(&writer, &packet, "0123456789abcdef", 16);
		assert(rc == 0);
	}
	scribble(writer.shm.map, writer.shm.size, reader_over(data, size));
	for (unsigned i = 0; i < 2 * RING_SLOTS; i++) {
		struct ring_packet packet = { .size = 0 };
		(void)!ring_peek(&reader, reader.next, &packet);
		rc = ring_read(&reader, &packet, buf, sizeof(buf));
		assert(rc >= 0 ? packet.size <= sizeof(buf)
			       : rc == -EAGAIN || rc == -EOVERFLOW || rc == -EMSGSIZE ||
								rc == -EBADMSG);
	}
	ring_reader_finish(&reader);
	ring_writer_finish(&writer);
	return 0;
}
