/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROCESS_H
#define TESTS_PROCESS_H

/* A worker under test, run as the supervisor would: its channel on fd 3, a pulse
 * page, and every wait with a deadline. Include after unit.h. */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/shm.h"
#include "ipc/channel.h"
#include "ipc/pulse.h"
#include "ipc/worker.h"

enum {
	PROCESS_DEADLINE_MS = 20000,
};

struct process {
	pid_t pid;
	int channel; /* owned */
	enum ipc_peer kind;
	struct shm pulse;
	struct ipc_message message; /* the newest one received */
	struct ipc_fds fds;         /* what came with it; closed by the next receive */
};

/* Whatever comes next. */
static inline void process_receive_any(struct process *process) {
	for (size_t i = 0; i < process->fds.count; i++) {
		fd_release(&process->fds.fd[i]);
	}
	assert_int_equal(channel_receive_fd(process->channel, PEER_SUPERVISOR, process->kind,
					 PROCESS_DEADLINE_MS, &process->message, &process->fds),
			0);
}

static inline void process_receive(struct process *process, enum ipc_kind kind) {
	process_receive_any(process);
	assert_string_equal(ipc_kind_name(process->message.kind), ipc_kind_name(kind));
}

static inline void process_send(
		struct process *process, const struct ipc_message *message, int fd) {
	assert_int_equal(channel_send_fd(process->channel, message, &fd, fd >= 0), 0);
}

/* argv: the program's arguments after its name, NULL-terminated, or NULL. */
static inline struct process process_start(
		const char *path, enum ipc_peer kind, const char *const *args) {
	const char *argv[16] = { path };
	for (size_t i = 0; args && args[i]; i++) {
		argv[i + 1] = args[i];
	}
	struct process process = { .kind = kind };
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	process.pid = fork();
	if (process.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pair[1] == 3) {
			fcntl(3, F_SETFD, 0);
		} else {
			dup2(pair[1], 3);
		}
		execv(path, (char **)(uintptr_t)argv);
		_exit(99);
	}
	close(pair[1]);
	process.channel = pair[0];
	process_receive(&process, IPC_HELLO);
	assert_int_equal(process.message.hello.peer, kind);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &process.pulse), 0);
	struct ipc_message start = { .kind = IPC_START,
		.start.worker = 1,
		.start.log_level = (uint8_t)(getenv("PERIGEE_TEST_LOG") ? 3 : 0) };
	process_send(&process, &start, process.pulse.fd);
	return process;
}

static inline int process_wait(struct process *process) {
	int status = -1;
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	for (size_t i = 0; i < process->fds.count; i++) {
		fd_release(&process->fds.fd[i]);
	}
	process->fds.count = 0;
	fd_release(&process->channel);
	shm_finish(&process->pulse);
	return status;
}

static inline void process_ask_stop(struct process *process, uint32_t grace_ms) {
	struct ipc_message stop = { .kind = IPC_STOP,
		.stop = { .reason = REASON_ASKED, .grace_ms = grace_ms } };
	process_send(process, &stop, -1);
}

/* Stops it in order and checks that it left with status 0. */
static inline void process_stop(struct process *process) {
	process_ask_stop(process, 5000);
	process_receive(process, IPC_STOPPED);
	assert_int_equal(process_wait(process), 0);
}

#endif
