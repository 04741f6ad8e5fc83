/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_TELLING_H
#define RUNNER_TELLING_H

struct output;
struct sd_event_source;
struct worker;

/* What an app without a window says is shown to whoever waits for it: the supervisor is told its
 * last lines while it runs, not each line by itself. Loop thread only. */
struct telling {
	struct worker *worker;         /* borrowed */
	const struct output *output;   /* borrowed */
	unsigned told;                 /* lines that the supervisor knows */
	struct sd_event_source *later; /* owned */
};

/* For a struct of zeros, or one that was finished: an app begins. */
void telling_begin(struct telling *telling, struct worker *worker, const struct output *output);

/* Something was added to the output. */
void telling_note(struct telling *telling);

void telling_finish(struct telling *telling);

#endif
