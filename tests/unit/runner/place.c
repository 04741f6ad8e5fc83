/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../folder.h"
#include "base/text.h"

struct place place = { .fifo = -1 };

void place_put_word(uint8_t *bytes, uint16_t *len, const char *word) {
	memcpy(bytes + *len, word, strlen(word) + 1);
	*len = (uint16_t)(*len + strlen(word) + 1);
}

static void make_owned(const char *path, uid_t uid, bool is_fifo) {
	assert_int_equal(is_fifo ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
	assert_int_equal(uid ? chown(path, uid, uid) : 0, 0);
}

void place_make(uid_t uid) {
	char path[128];
	make_owned(place.home, uid, false);
	make_owned(place.runtime, uid, false);
	text_format(path, sizeof(path), "%s/fifo2", place.home);
	make_owned(path, uid, true);
	text_format(place.fifo_path, sizeof(place.fifo_path), "%s/fifo", place.home);
	make_owned(place.fifo_path, uid, true);
	fd_close(place.fifo);
	place.fifo = open(place.fifo_path, O_RDWR | O_CLOEXEC);
}

struct process place_start_runner(void) {
	return process_start(place.runner_path, PEER_RUNNER, NULL);
}

void place_send_start(struct process *runner, const char *const *argv, uint32_t uid) {
	char session[40];
	text_format(session, sizeof(session), "PERIGEE_SESSION=%s", place.label);
	struct ipc_message message = { .kind = IPC_RUNNER_START };
	message.runner_start.uid = message.runner_start.gid = uid;
	text_copy(message.runner_start.home, sizeof(message.runner_start.home), place.home);
	text_copy(message.runner_start.runtime, sizeof(message.runner_start.runtime),
			place.runtime);
	for (size_t i = 0; argv[i]; i++) {
		place_put_word((uint8_t *)message.runner_start.argv, &message.runner_start.argv_len,
				argv[i]);
	}
	place_put_word((uint8_t *)message.runner_start.env, &message.runner_start.env_len, session);
	process_send(runner, &message, -1);
}

int place_receive_gate(struct process *runner) {
	process_receive(runner, IPC_RUNNER_GATE);
	int gate = TAKE(runner->fds.fd[0], -1);
	process_receive(runner, IPC_RUNNER_HOLDS);
	return gate;
}

void place_let_begin(struct process *runner) {
	int gate = place_receive_gate(runner);
	struct ipc_message holds = runner->message;
	struct ipc_fds held = runner->fds;
	runner->fds.count = 0;
	assert_int_equal(write(gate, "", 1), 1);
	close(gate);
	process_receive(runner, IPC_RUNNER_APP);
	place.detail = runner->message;
	assert_int_equal(holds.runner_holds.pid, place.detail.runner_app.pid);
	assert_string_equal(holds.runner_holds.label, place.label);
	runner->message = holds;
	runner->fds = held;
}

void place_run_script(struct process *runner, const char *script) {
	place_send_start(runner, (const char *const[]){ "sh", "-c", script, NULL }, 0);
	place_let_begin(runner);
}

struct process place_replace_runner(struct process *runner) {
	struct ipc_message adopt = runner->message;
	struct ipc_fds fds = runner->fds;
	runner->fds.count = 0;
	adopt.kind = IPC_RUNNER_ADOPT;
	kill(runner->pid, SIGKILL);
	process_wait(runner);
	struct process next = place_start_runner();
	assert_int_equal(channel_send_fd(next.channel, &adopt, fds.fd, fds.count), 0);
	close(fds.fd[0]);
	close(fds.fd[1]);
	return next;
}

void place_await_end(int pidfd) {
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, PROCESS_DEADLINE_MS), 1);
}

void place_hear(char *out, size_t size) {
	struct pollfd wait = { .fd = place.fifo, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, PROCESS_DEADLINE_MS), 1);
	ssize_t n = read(place.fifo, out, size - 1);
	assert_true(n > 0);
	out[n] = '\0';
}

int place_hear_pid(void) {
	char word[64];
	place_hear(word, sizeof(word));
	return (int)strtol(word, NULL, 10);
}

void place_receive_end(struct process *runner) {
	do {
		process_receive_any(runner);
	} while (runner->message.kind == IPC_RUNNER_LINES);
	assert_string_equal(ipc_kind_name(runner->message.kind), ipc_kind_name(IPC_RUNNER_EXITED));
}

const char *place_last_lines(struct process *runner) {
	place_receive_end(runner);
	return runner->message.runner_exited.last_lines;
}

int place_prepare(void **state) {
	(void)state;
	char path[128];
	text_copy(place.folder, sizeof(place.folder), "/var/tmp/perigee-runner-XXXXXX");
	assert_non_null(mkdtemp(place.folder));
	text_format(place.label, sizeof(place.label), "%d", (int)getpid());
	chmod(place.folder, 0755);
	const char *const names[] = { "homes", "homes/secret", "run", "shared", "shared/f", "pads",
		"pads/input", "pads/input/event1", "pads/raw", "pads/udev" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		text_format(path, sizeof(path), "%s/%s", place.folder, names[i]);
		assert_int_equal(mkdir(path, i == 1 ? 0700 : 0755), 0);
	}
	text_format(place.home, sizeof(place.home), "%s/homes/app", place.folder);
	text_format(place.runtime, sizeof(place.runtime), "%s/run/s", place.folder);
	place_make(0);
	text_format(path, sizeof(path), "%s/homes/secret/f", place.folder);
	OWN(file_close) FILE *file = fopen(path, "w");
	fputs("secret\n", file);
	text_format(path, sizeof(path), "%s/pads/raw/hidraw7", place.folder);
	OWN(file_close) FILE *report = fopen(path, "w");
	fputs("report\n", report);
	return place.fifo < 0;
}

int place_clean(void **state) {
	(void)state;
	close(place.fifo);
	return folder_remove(place.folder);
}
