/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "supervisor/ledger.h"

static struct ipc_message session(uint64_t id, const char *detail) {
	struct ipc_message message = { .kind = IPC_LEDGER_SESSION,
		.ledger_session = { .session = id, .app = 7 } };
	text_copy(message.ledger_session.detail, sizeof(message.ledger_session.detail), detail);
	return message;
}

static void put(struct ledger *ledger, uint64_t id, const char *detail) {
	struct ipc_message message = session(id, detail);
	assert_int_equal(ledger_put(ledger, id, &message), 0);
}

/* What a successor would read; "" for no such record. */
static void read_detail(const struct ledger *ledger, uint64_t id, char out[160]) {
	struct ledger next;
	struct ipc_message message;
	int fd = fcntl(ledger->shm.fd, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(ledger_open(fd, &next), 0);
	out[0] = '\0';
	if (ledger_get(&next, IPC_LEDGER_SESSION, id, &message) == 0) {
		text_copy(out, 160, message.ledger_session.detail);
	}
	ledger_finish(&next);
}

static void a_successor_reads_what_was_written_last(void **state) {
	(void)state;
	static struct ledger ledger;
	char detail[160];
	assert_int_equal(ledger_create(&ledger), 0);
	put(&ledger, 1, "one");
	put(&ledger, 2, "two");
	put(&ledger, 1, "again");
	put(&ledger, 1, "and again");
	read_detail(&ledger, 1, detail);
	assert_string_equal(detail, "and again");
	read_detail(&ledger, 2, detail);
	assert_string_equal(detail, "two");
	ledger_drop(&ledger, IPC_LEDGER_SESSION, 1);
	ledger_drop(&ledger, IPC_LEDGER_SESSION, 3);
	read_detail(&ledger, 1, detail);
	assert_string_equal(detail, "");
	ledger_finish(&ledger);
}

static void records_are_gone_through_by_kind(void **state) {
	(void)state;
	static struct ledger ledger;
	struct ipc_message other = { .kind = IPC_LEDGER_WORKER, .ledger_worker.worker = 9 };
	assert_int_equal(ledger_create(&ledger), 0);
	put(&ledger, 1, "one");
	assert_int_equal(ledger_put(&ledger, 9, &other), 0);
	put(&ledger, 2, "two");
	ledger_drop(&ledger, IPC_LEDGER_SESSION, 1);
	put(&ledger, 3, "three");
	uint64_t id, sum = 0;
	unsigned count = 0;
	struct ipc_message message;
	for (size_t at = 0; ledger_next(&ledger, IPC_LEDGER_SESSION, &at, &id, &message) == 0;) {
		sum += id;
		count++;
		assert_int_equal(message.ledger_session.session, id);
	}
	assert_int_equal(count, 2);
	assert_int_equal(sum, 5);
	ledger_finish(&ledger);
}

/* What a successor weighs must not depend on how much the ledger could hold. */
static void who_opens_it_is_given_no_memory_for_what_is_empty(void **state) {
	(void)state;
	static struct ledger ledger;
	struct stat before, after;
	char detail[160];
	assert_int_equal(ledger_create(&ledger), 0);
	put(&ledger, 1, "one");
	put(&ledger, 2, "two");
	assert_int_equal(fstat(ledger.shm.fd, &before), 0);
	read_detail(&ledger, 2, detail);
	assert_string_equal(detail, "two");
	assert_int_equal(fstat(ledger.shm.fd, &after), 0);
	assert_int_equal(before.st_blocks, after.st_blocks);
	ledger_finish(&ledger);
}

/* Every byte of a write in turn not yet arrived, then every prefix of it. */
static void tear(struct ledger *ledger, const uint8_t *before, const char *older,
		const char *newer) {
	uint8_t *map = ledger->shm.map;
	size_t size = ledger->shm.size, found = 0;
	uint8_t *after = malloc(size);
	char detail[160];
	assert_non_null(after);
	memcpy(after, map, size);
	for (size_t i = 0; i < size; i++) {
		if (after[i] == before[i]) {
			continue;
		}
		found++;
		map[i] = before[i];
		read_detail(ledger, 1, detail);
		assert_true(strcmp(detail, older) == 0 || strcmp(detail, newer) == 0);
		map[i] = after[i];
	}
	assert_true(found > strlen(newer));
	memcpy(map, before, size);
	for (size_t i = 0; i < size; i++) {
		if (after[i] != before[i]) {
			map[i] = after[i];
			read_detail(ledger, 1, detail);
			assert_true(strcmp(detail, older) == 0 || strcmp(detail, newer) == 0);
		}
	}
	assert_string_equal(detail, newer);
	free(after);
}

static uint8_t *image(const struct ledger *ledger) {
	uint8_t *copy = malloc(ledger->shm.size);
	assert_non_null(copy);
	memcpy(copy, ledger->shm.map, ledger->shm.size);
	return copy;
}

static void a_torn_write_leaves_the_record_before(void **state) {
	(void)state;
	static struct ledger ledger;
	assert_int_equal(ledger_create(&ledger), 0);
	put(&ledger, 1, "the first");
	uint8_t *before = image(&ledger);
	put(&ledger, 1, "the second");
	tear(&ledger, before, "the first", "the second");
	free(before);
	before = image(&ledger);
	put(&ledger, 1, "the third");
	tear(&ledger, before, "the second", "the third");
	free(before);
	ledger_finish(&ledger);
}

static void a_torn_first_write_is_no_record(void **state) {
	(void)state;
	static struct ledger ledger;
	assert_int_equal(ledger_create(&ledger), 0);
	uint8_t *before = image(&ledger);
	put(&ledger, 1, "the first");
	tear(&ledger, before, "", "the first");
	free(before);
	ledger_finish(&ledger);
}

static void a_place_that_was_used_before_tells_nothing_old(void **state) {
	(void)state;
	static struct ledger ledger;
	char detail[160];
	assert_int_equal(ledger_create(&ledger), 0);
	put(&ledger, 1, "a secret");
	put(&ledger, 1, "another");
	ledger_drop(&ledger, IPC_LEDGER_SESSION, 1);
	assert_null(memmem(ledger.shm.map, ledger.shm.size, "a secret", 8));
	assert_null(memmem(ledger.shm.map, ledger.shm.size, "another", 7));
	put(&ledger, 1, "new");
	read_detail(&ledger, 1, detail);
	assert_string_equal(detail, "new");
	ledger_finish(&ledger);
}

/* A writer that is killed at whatever moment: what is read counts up and has both
 * halves of the same write. */
static void a_killed_writer_leaves_whole_records(void **state) {
	(void)state;
	static struct ledger ledger;
	char detail[160];
	assert_int_equal(ledger_create(&ledger), 0);
	put(&ledger, 1, "0 0");
	long last = 0;
	for (int round = 0; round < 50; round++) {
		int ready[2];
		assert_int_equal(pipe(ready), 0);
		pid_t pid = fork();
		if (pid == 0) {
			for (long i = last + 1;; i++) {
				char text[64];
				text_format(text, sizeof(text), "%ld %ld", i, i);
				struct ipc_message message = session(1, text);
				if (ledger_put(&ledger, 1, &message) < 0 ||
						(i == last + 3 && write(ready[1], "", 1) != 1)) {
					_exit(1);
				}
			}
		}
		char byte;
		assert_int_equal(read(ready[0], &byte, 1), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		close(ready[0]);
		close(ready[1]);
		read_detail(&ledger, 1, detail);
		char *second;
		long first = strtol(detail, &second, 10);
		assert_true(first > last);
		assert_int_equal(strtol(second, NULL, 10), first);
		last = first;
	}
	ledger_finish(&ledger);
}

static void a_full_ledger_says_so(void **state) {
	(void)state;
	static struct ledger ledger;
	struct ipc_message message = { .kind = IPC_LEDGER_WORKER };
	assert_int_equal(ledger_create(&ledger), 0);
	for (unsigned i = 0; i < LEDGER_RECORDS; i++) {
		assert_int_equal(ledger_put(&ledger, i, &message), 0);
	}
	assert_int_equal(ledger_put(&ledger, LEDGER_RECORDS, &message), -ENOSPC);
	assert_int_equal(ledger_put(&ledger, 0, &message), 0);
	ledger_drop(&ledger, IPC_LEDGER_WORKER, 5);
	assert_int_equal(ledger_put(&ledger, LEDGER_RECORDS, &message), 0);
	ledger_finish(&ledger);
}

static void another_layout_is_refused(void **state) {
	(void)state;
	static struct ledger ledger, next;
	assert_int_equal(ledger_create(&ledger), 0);
	ledger.shm.map[0]++;
	assert_int_equal(ledger_open(ledger.shm.fd, &next), -EPROTO);
	ledger_finish(&ledger);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_successor_reads_what_was_written_last),
		UNIT(records_are_gone_through_by_kind),
		UNIT(who_opens_it_is_given_no_memory_for_what_is_empty),
		UNIT(a_torn_write_leaves_the_record_before),
		UNIT(a_torn_first_write_is_no_record),
		UNIT(a_place_that_was_used_before_tells_nothing_old),
		UNIT(a_killed_writer_leaves_whole_records),
		UNIT(a_full_ledger_says_so),
		UNIT(another_layout_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
