/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "scribble.h"
#include "supervisor/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SCRIBBLED = 32 * 1024, /* bytes at the beginning, where the records are */
};

static void fill(struct ledger *ledger) {
	for (unsigned i = 1; i <= 4; i++) {
		struct ipc_message message = { .kind = IPC_STATUS_ASK,
			.status_ask = { .request = i, .filter = "a filter" } };
		int rc = ledger_put(ledger, i, &message);
		assert(rc == 0);
	}
}

static void read_all(const struct ledger *ledger) {
	static const enum ipc_kind kinds[] = { IPC_STATUS_ASK, IPC_LAUNCH, IPC_START };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct ipc_message message;
		size_t cursor = 0, count = 0;
		uint64_t id;
		while (ledger_next(ledger, kinds[i], &cursor, &id, &message) == 0) {
			assert(message.kind == kinds[i] && ++count <= LEDGER_RECORDS);
		}
		for (id = 0; id < 6; id++) {
			int rc = ledger_get(ledger, kinds[i], id, &message);
			assert(rc == -ENOENT || (rc == 0 && message.kind == kinds[i]));
		}
	}
}

/* Made once, it has megabytes; its beginning is as new each time. */
static struct ledger *honest(void) {
	static struct ledger ledger;
	static uint8_t beginning[SCRIBBLED];
	if (!ledger.shm.map) {
		int rc = ledger_create(&ledger);
		assert(rc == 0);
		fill(&ledger);
		memcpy(beginning, ledger.shm.map, SCRIBBLED);
	}
	memcpy(ledger.shm.map, beginning, SCRIBBLED);
	return &ledger;
}

/* A supervisor that was killed while it wrote, or went mad, leaves its successor a ledger with
 * anything in it: the input is a list of {be32 place, byte length, bytes} laid over an
 * honest one. Law: each record that is read is a whole message of the kind that was asked
 * for, and reading comes to an end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct ledger next;
	struct ledger *first = honest();
	scribble(first->shm.map, SCRIBBLED, reader_over(data, size));
	int fd = dup(first->shm.fd);
	if (ledger_open(fd, &next) < 0) {
		close(fd);
		return 0;
	}
	read_all(&next);
	fill(&next);
	ledger_drop(&next, IPC_STATUS_ASK, 2);
	read_all(&next);
	ledger_finish(&next);
	return 0;
}
