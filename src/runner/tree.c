/* SPDX-License-Identifier: MIT */
#include "runner/tree.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/own.h"
#include "base/text.h"

enum {
	DEPTH_MAX = 32,
	PATH_SIZE = 96,
};

static unsigned signal_below(pid_t root, int number, unsigned depth);

/* The children file of one thread: process ids, each followed by a blank. */
static unsigned signal_listed(const char *path, int number, unsigned depth) {
	OWN(file_close) FILE *file = fopen(path, "re");
	if (!file) {
		return 0;
	}
	unsigned count = 0;
	long pid = 0;
	for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
		if (c >= '0' && c <= '9') {
			pid = pid * 10 + (c - '0');
			continue;
		}
		if (pid > 1) {
			count += 1 + signal_below((pid_t)pid, number, depth + 1);
			kill((pid_t)pid, number);
		}
		pid = 0;
	}
	return count;
}

static unsigned signal_below(pid_t root, int number, unsigned depth) {
	char path[PATH_SIZE];
	text_format(path, sizeof(path), "/proc/%d/task", (int)root);
	DIR *threads = depth < DEPTH_MAX ? opendir(path) : NULL;
	if (!threads) {
		return 0;
	}
	unsigned count = 0;
	for (struct dirent *thread = readdir(threads); thread; thread = readdir(threads)) {
		if (thread->d_name[0] != '.' &&
				text_format(path, sizeof(path), "/proc/%d/task/%s/children",
						(int)root, thread->d_name)) {
			count += signal_listed(path, number, depth);
		}
	}
	closedir(threads);
	return count;
}

unsigned tree_signal(pid_t root, int number) {
	return signal_below(root, number, 0);
}
