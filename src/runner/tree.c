/* SPDX-License-Identifier: MIT */
#include "runner/tree.h"

#include <signal.h>

#include "base/children.h"

enum {
	DEPTH_MAX = 32,
};

struct walk {
	int number;
	unsigned depth, count;
};

/* Those further down first: once a parent is gone, its children are somebody else's. */
static void signal_one(pid_t pid, void *user) {
	struct walk *walk = (struct walk *)user;
	if (walk->depth < DEPTH_MAX) {
		walk->depth++;
		(void)!children_each(pid, signal_one, walk);
		walk->depth--;
	}
	kill(pid, walk->number);
	walk->count++;
}

unsigned tree_signal(pid_t root, int number) {
	struct walk walk = { .number = number, .depth = 1 };
	(void)!children_each(root, signal_one, &walk);
	return walk.count;
}
