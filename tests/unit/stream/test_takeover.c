/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "client_control.h"
#include "ipc/page.h"
#include "stream/takeover.h"

static struct takeover *made(void) {
	struct takeover *takeover = calloc(1, sizeof(*takeover));
	assert_non_null(takeover);
	takeover->version = TAKEOVER_VERSION;
	takeover->size = offsetof(struct takeover, enet);
	return takeover;
}

/* Every number follows from n, so that a mixture of two states shows. */
static void set(struct takeover *takeover, uint32_t n) {
	takeover->video = (struct video_position){
		.next_iv = 3ull * n, .next_packet = 5 * n, .next_frame = n + 1, .incarnation = 1
	};
	takeover->audio_sequence = (uint16_t)n;
	takeover->audio_timestamp = 5 * n;
	takeover->control_reserved = n / 256 * 256 + 256;
	takeover->inputs = 7ull * n;
	takeover->enet_len = 1 + n % 3000;
	memset(takeover->enet, (int)(n & 0xff), takeover->enet_len);
}

static void assert_is(const struct takeover *takeover, uint32_t n) {
	assert_int_equal(takeover->video.next_frame, n + 1);
	assert_int_equal(takeover->video.next_iv, 3ull * n);
	assert_int_equal(takeover->video.next_packet, 5 * n);
	assert_int_equal(takeover->audio_timestamp, 5 * n);
	assert_int_equal(takeover->inputs, 7ull * n);
	assert_int_equal(takeover->enet_len, 1 + n % 3000);
	for (uint32_t i = 0; i < takeover->enet_len; i++) {
		assert_int_equal(takeover->enet[i], n & 0xff);
	}
}

static void what_was_committed_is_read_again(void **state) {
	(void)state;
	struct takeover *takeover = made();
	struct takeover *again = made();
	struct shm page;
	static uint8_t content[PAGE_CONTENT_MAX];
	assert_int_equal(page_create(&page), 0);
	for (uint32_t n = 0; n < 10; n++) {
		set(takeover, n);
		assert_int_equal(page_commit(&page, takeover, takeover_size(takeover)), 0);
		int size = page_read(&page, content, sizeof(content));
		assert_true(size > 0);
		assert_int_equal(takeover_decode(content, (size_t)size, again), 0);
		assert_is(again, n);
	}
	shm_finish(&page);
	free(takeover);
	free(again);
}

static void what_no_stream_wrote_is_refused(void **state) {
	(void)state;
	struct takeover *takeover = made();
	struct takeover *again = made();
	set(takeover, 77);
	size_t size = takeover_size(takeover);
	assert_int_equal(takeover_decode(takeover, size - 1, again), -EBADMSG);
	assert_int_equal(takeover_decode(takeover, size + 1, again), -EBADMSG);
	assert_int_equal(takeover_decode(takeover, 3, again), -EBADMSG);
	takeover->enet_len = UINT32_MAX;
	assert_int_equal(takeover_decode(takeover, size, again), -EBADMSG);
	takeover->version = TAKEOVER_VERSION + 1;
	assert_int_equal(takeover_decode(takeover, size, again), -ENOTSUP);
	free(takeover);
	free(again);
}

static void a_connection_goes_on_from_what_was_saved(void **state) {
	(void)state;
	const struct secret key = { .bytes = { 9 } };
	struct client_control client;
	client_control_init(&client, &key, 5, 1000);
	uint8_t bytes[ENET_MTU];
	size_t len = enet_peer_transmit(&client.peer, 1000, bytes, sizeof(bytes));
	struct enet_peer *host = malloc(sizeof(*host)), *after = malloc(sizeof(*after));
	assert_int_equal(enet_peer_accept(host, bytes, len, 0x55, 1000), 0);
	struct takeover *takeover = made();
	takeover_put_enet(takeover, host);
	assert_true(takeover->enet_len > 0);
	struct reader r = reader_over(takeover->enet, takeover->enet_len);
	assert_int_equal(enet_peer_load(after, &r), 0);
	assert_true(reader_done(&r));
	len = enet_peer_transmit(after, 1000, bytes, sizeof(bytes));
	assert_true(len > 0);
	client_control_receive(&client, bytes, len, 1000);
	assert_true(client.connected);
	client_control_finish(&client);
	free(host);
	free(after);
	free(takeover);
}

/* Commits as fast as it can until it is killed; says each number on the pipe
 * *after* its commit, as bytes would leave. */
static void commit_until_killed(struct shm *page, int pipe_fd) {
	struct takeover *takeover = made();
	for (uint32_t n = 0;; n++) {
		set(takeover, n);
		if (page_commit(page, takeover, takeover_size(takeover)) < 0 ||
				write(pipe_fd, &n, sizeof(n)) != sizeof(n)) {
			_exit(1);
		}
	}
}

static void a_killed_stream_leaves_a_whole_state_that_covers_what_it_sent(void **state) {
	(void)state;
	static uint8_t content[PAGE_CONTENT_MAX];
	struct takeover *again = made();
	for (uint32_t round = 0; round < 20; round++) {
		struct shm page;
		int ends[2];
		assert_int_equal(page_create(&page), 0);
		assert_int_equal(pipe(ends), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(ends[0]);
			commit_until_killed(&page, ends[1]);
		}
		close(ends[1]);
		uint32_t sent = 0;
		while (sent < 50 + 37 * round) {
			assert_int_equal(read(ends[0], &sent, sizeof(sent)), sizeof(sent));
		}
		kill(pid, SIGKILL);
		while (read(ends[0], &sent, sizeof(sent)) == sizeof(sent)) {
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		int size = page_read(&page, content, sizeof(content));
		assert_true(size > 0);
		assert_int_equal(takeover_decode(content, (size_t)size, again), 0);
		uint32_t n = again->video.next_frame - 1;
		assert_is(again, n);
		assert_true(n == sent || n == sent + 1);
		close(ends[0]);
		shm_finish(&page);
	}
	free(again);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(what_was_committed_is_read_again),
		UNIT(what_no_stream_wrote_is_refused),
		UNIT(a_connection_goes_on_from_what_was_saved),
		UNIT(a_killed_stream_leaves_a_whole_state_that_covers_what_it_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
