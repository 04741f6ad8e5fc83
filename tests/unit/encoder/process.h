/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ENCODER_PROCESS_H
#define TESTS_ENCODER_PROCESS_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ipc/channel.h"
#include "ipc/pulse.h"
#include "ipc/reason.h"
#include "ipc/ring.h"
#include "ipc/worker.h"

/* The real perigee-encoder, with the test as its supervisor, desktop and
 * streams. Every wait has a deadline and fails the test when it passes. */

enum {
	DEADLINE_MS = 5000,
	QUIET_MS = 300, /* how long nothing may come */
	PACKET_MAX = 1 << 20,
};

struct reader_end {
	int wake, requests;
	struct ring_reader ring;
	struct ring_packet packet; /* the newest that was read */
	uint8_t *bytes;
};

struct process {
	pid_t pid;
	int supervisor; /* our end of its channel */
	int log;        /* its stderr */
	int ring;
	struct shm pulse_shm;
	struct pulse *pulse;
	char line[8192]; /* of the log, as far as it is not looked at */
	size_t line_len;
};

extern char **environ;

static inline void move_fd(posix_spawn_file_actions_t *actions, int from, int to) {
	assert_int_equal(posix_spawn_file_actions_adddup2(actions, from, to), 0);
}

/* Receives until a message of that kind comes. */
static inline struct ipc_message *expect_from(int fd, enum ipc_peer self, enum ipc_peer peer,
		enum ipc_kind kind, struct ipc_fds *fds) {
	static struct ipc_message message;
	for (;;) {
		int rc = channel_receive_fd(fd, self, peer, DEADLINE_MS, &message, fds);
		if (rc < 0) {
			fail_msg("waiting for %s: %s", ipc_kind_name(kind), strerror(-rc));
		}
		if (message.kind == kind) {
			return &message;
		}
		for (size_t i = 0; i < fds->count; i++) {
			close(fds->fd[i]);
		}
	}
}

static inline struct ipc_message *process_expect(struct process *process, enum ipc_kind kind) {
	struct ipc_fds fds;
	struct ipc_message *message =
			expect_from(process->supervisor, PEER_SUPERVISOR, PEER_ENCODER, kind, &fds);
	if (kind == IPC_ENCODER_READY) {
		process->ring = fds.fd[0];
	}
	return message;
}

static inline void process_send(struct process *process, const struct ipc_message *message,
		const int *fds, size_t n_fds) {
	assert_int_equal(channel_send_fd(process->supervisor, message, fds, n_fds), 0);
}

static inline struct process process_spawn(const char *path) {
	struct process process = { .ring = -1 };
	int channel[2], log[2];
	assert_int_equal(channel_pair(channel), 0);
	assert_int_equal(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	int theirs = fcntl(channel[1], F_DUPFD_CLOEXEC, 10);
	move_fd(&actions, log[1], 2);
	move_fd(&actions, theirs, WORKER_CHANNEL_FD);
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	assert_int_equal(posix_spawn(&process.pid, path, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(theirs);
	close(channel[1]);
	close(log[1]);
	process.supervisor = channel[0];
	process.log = log[0];
	process_expect(&process, IPC_HELLO);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &process.pulse_shm), 0);
	process.pulse = (struct pulse *)(void *)process.pulse_shm.map;
	struct ipc_message start = { .kind = IPC_START,
		.start = { .worker = 7, .log_level = 2, .name = "test" } };
	process_send(&process, &start, &process.pulse_shm.fd, 1);
	return process;
}

/* Waits for the end and returns the exit status, -1 for a signal. */
static inline int process_wait(struct process *process) {
	int status;
	struct pollfd ends = { .fd = pidfd_open(process->pid, 0), .events = POLLIN };
	if (poll(&ends, 1, DEADLINE_MS) != 1) {
		kill(process->pid, SIGKILL);
		fail_msg("the encoder does not end");
	}
	close(ends.fd);
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	close(process->supervisor);
	close(process->log);
	if (process->ring >= 0) {
		close(process->ring);
	}
	shm_finish(&process->pulse_shm);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int process_stop(struct process *process) {
	struct ipc_message stop = { .kind = IPC_STOP,
		.stop = { .reason = REASON_ASKED, .grace_ms = 500 } };
	process_send(process, &stop, NULL, 0);
	assert_int_equal(process_expect(process, IPC_STOPPED)->stopped.reason, REASON_ASKED);
	return process_wait(process);
}

/* Waits until its log says so. */
static inline void process_logs(struct process *process, const char *what) {
	uint64_t until = clock_now_ms() + DEADLINE_MS;
	for (;;) {
		process->line[process->line_len] = '\0';
		char *found = strstr(process->line, what);
		if (found) {
			process->line_len = strlen(found + 1);
			memmove(process->line, found + 1, process->line_len);
			return;
		}
		struct pollfd more = { .fd = process->log, .events = POLLIN };
		uint64_t now = clock_now_ms();
		if (now >= until || poll(&more, 1, (int)(until - now)) != 1) {
			fail_msg("it does not say \"%s\" but: %s", what, process->line);
		}
		if (process->line_len > sizeof(process->line) / 2) {
			process->line_len = 0;
		}
		ssize_t n = read(process->log, process->line + process->line_len,
				sizeof(process->line) - 1 - process->line_len);
		if (n <= 0) {
			fail_msg("it ended before it said \"%s\"", what);
		}
		process->line_len += (size_t)n;
	}
}

/* CPU time in us and wake-ups that a stretch of quiet costs. */
static inline void process_rests(
		struct process *process, unsigned ms, uint64_t *out_cpu_us, uint64_t *out_beats) {
	clockid_t clock;
	struct timespec before, after;
	struct ipc_message message;
	struct ipc_fds fds;
	assert_int_equal(clock_getcpuclockid(process->pid, &clock), 0);
	uint64_t beats = process->pulse->beats;
	clock_gettime(clock, &before);
	assert_int_equal(channel_receive_fd(process->supervisor, PEER_SUPERVISOR, PEER_ENCODER,
					 (int)ms, &message, &fds),
			-ETIMEDOUT);
	clock_gettime(clock, &after);
	*out_beats = process->pulse->beats - beats;
	*out_cpu_us = (uint64_t)((after.tv_sec - before.tv_sec) * 1000000 +
				 (after.tv_nsec - before.tv_nsec) / 1000);
}

static inline struct reader_end reader_join(struct process *process, uint32_t id) {
	struct reader_end reader = { .bytes = malloc(PACKET_MAX) };
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	reader.requests = pair[0];
	reader.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(ring_open(dup(process->ring), &reader.ring), 0);
	struct ipc_message message = { .kind = IPC_ENCODER_READER, .encoder_reader.reader = id };
	process_send(process, &message, (int[]){ reader.wake, pair[1] }, 2);
	close(pair[1]);
	return reader;
}

static inline void reader_close(struct reader_end *reader) {
	if (reader->requests >= 0) {
		close(reader->requests);
	}
	close(reader->wake);
	ring_reader_finish(&reader->ring);
	free(reader->bytes);
}

/* Reads the next packet, waiting up to timeout_ms for it; false when none comes. */
static inline bool reader_next(struct reader_end *reader, unsigned timeout_ms) {
	uint64_t until = clock_now_ms() + timeout_ms;
	for (;;) {
		int rc = ring_read(&reader->ring, &reader->packet, reader->bytes, PACKET_MAX);
		if (rc == 0) {
			return true;
		}
		assert_int_equal(rc, -EAGAIN);
		struct pollfd wake = { .fd = reader->wake, .events = POLLIN };
		uint64_t now = clock_now_ms();
		if (now >= until || poll(&wake, 1, (int)(until - now)) != 1) {
			return false;
		}
		uint64_t count;
		assert_int_equal(read(reader->wake, &count, sizeof(count)), sizeof(count));
	}
}

#endif
