/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_JUDGE_H
#define SUPERVISOR_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a worker hangs, decided from what it shows and from what the kernel says of
 * it, without asking either: no clock, no descriptor, nothing but arguments. One step a
 * round. Between two rounds passes at most JUDGE_ROUND_MAX_MS for a worker, whatever the
 * clock says: a supervisor that was late and a clock that jumped accuse nobody. And only
 * time in which the worker could run counts: one that is runnable and not scheduled is
 * starved. Blocked and stopped ones could, for nobody keeps the processor from them. */

enum {
	JUDGE_ROUND_MAX_MS = 150,
	JUDGE_STILL_MS = 300,        /* beats that stand still for so long get a poke */
	JUDGE_POKE_EVERY_MS = 1000,  /* also while they rise: rising is not yet progress */
	JUDGE_DEAF_QUICK_MS = 350,   /* an unanswered poke of gate, web, store and stream */
	JUDGE_DEAF_DESKTOP_MS = 600, /* of a desktop: its viewers are told within 2 s, by another */
	JUDGE_DEAF_MS = 1300,        /* of everybody else */
	JUDGE_LONG_MS = 500,         /* an operation announced as longer delays its poke */
};

/* What is seen of a worker at one moment. */
struct judge_view {
	uint64_t now_ns; /* monotonic */
	uint64_t beats, poked;
	uint64_t begin_ns, deadline_ns; /* of the operation in hand; deadline 0: none */
	bool crashed;                   /* it says so itself */
	/* What the kernel says of all its threads together, where judge_wants_sample(). */
	bool sampled;
	bool runnable;            /* one of them wants a processor, or has one */
	uint64_t run_ns, wait_ns; /* on a processor; runnable without one */
};

/* What is remembered of it between two rounds; zeroed at first. */
struct judge {
	uint64_t now_ns; /* of the last round, 0 before the first */
	uint64_t beats, begin_ns;
	uint64_t still_ns;     /* counted time that beats stood still */
	uint64_t operation_ns; /* counted time of the operation in hand */
	uint64_t quiet_ns;     /* since the last poke was answered */
	uint64_t poke;         /* number of the newest poke */
	uint64_t poke_ns;      /* counted time that it is unanswered */
	uint64_t run_ns, wait_ns;
	uint64_t starved_ns; /* of the operation or poke in hand: not counted */
	bool poke_out, sampled;
};

enum judge_verdict {
	JUDGE_WELL,
	JUDGE_POKE,    /* send it poke number judge->poke */
	JUDGE_OVERDUE, /* the operation in hand outlived its own deadline */
	JUDGE_DEAF,    /* the poke was not answered in time */
	JUDGE_CRASHED,
};

/* True when the next step can use what the kernel says: reading it costs something. */
bool judge_wants_sample(const struct judge *judge, const struct judge_view *view);

/* What the kernel says of a process at one moment. */
struct judge_mark {
	uint64_t now_ns; /* monotonic; 0: no mark */
	uint64_t run_ns, wait_ns;
	bool sampled, runnable;
};

/* How much of at_most_ns, which passed between the two, it was not kept from a processor. */
uint64_t judge_could_run_ns(
		const struct judge_mark *then, const struct judge_mark *now, uint64_t at_most_ns);

/* deaf_ms: how long a poke may stay unanswered. */
enum judge_verdict judge_step(struct judge *judge, const struct judge_view *view, uint32_t deaf_ms);

#endif
