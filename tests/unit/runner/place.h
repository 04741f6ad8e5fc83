/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RUNNER_PLACE_H
#define TESTS_RUNNER_PLACE_H

#include "../unit.h"

#include <stdint.h>
#include <sys/types.h>

#include "../process.h"

/* A real runner and a place for its apps, which are shell scripts. What one wants to tell the
 * test it writes into a FIFO in its home, so that the test waits for words and not for time. */
struct place {
	const char *runner_path;
	char folder[64], home[96], runtime[96], fifo_path[128];
	char label[16]; /* of its apps' session: of nobody else's, whose apps a runner would end too
			 */
	int fifo;
	struct ipc_message detail; /* the newest RUNNER_APP */
};

extern struct place place;

/* Of a group of tests. */
int place_prepare(void **state);
int place_clean(void **state);

/* Home and runtime folder with the two FIFOs. */
void place_make(uid_t uid);

void place_put_word(uint8_t *bytes, uint16_t *len, const char *word);
struct process place_start_runner(void);
void place_send_start(struct process *runner, const char *const *argv, uint32_t uid);

/* The gate that the app waits at; runner_holds and its descriptors are the newest then. */
int place_receive_gate(struct process *runner);

/* Lets it run; its HOLDS and what came with it are the newest afterwards. */
void place_let_begin(struct process *runner);

void place_run_script(struct process *runner, const char *script);

/* The runner dies; another one gets what it had told the supervisor to hold. */
struct process place_replace_runner(struct process *runner);

/* Waits until the app is no more; nobody here is its parent. */
void place_await_end(int pidfd);

/* The next word of the app. */
void place_hear(char *out, size_t size);
int place_hear_pid(void);

/* Waits for RUNNER_EXITED; an end that is slow to be seen has RUNNER_LINES before it. */
void place_receive_end(struct process *runner);

/* What the app printed last, after its end. */
const char *place_last_lines(struct process *runner);

#endif
