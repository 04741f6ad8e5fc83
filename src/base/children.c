/* SPDX-License-Identifier: MIT */
#include "base/children.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"

enum {
	PATH_SIZE = 96,
};

static void close_folder(DIR *folder) {
	if (folder) {
		closedir(folder);
	}
}

OWN_DEFINE(DIR *, close_folder)

/* The children file of one thread: process ids, each followed by a blank. */
static int each_listed(const char *path, void (*each)(pid_t child, void *user), void *user) {
	OWN(file_close) FILE *file = fopen(path, "re");
	if (!file) {
		return -errno;
	}
	int count = 0;
	long pid = 0;
	for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
		if (c >= '0' && c <= '9') {
			pid = pid * 10 + (c - '0');
			continue;
		}
		if (pid > 1) {
			each((pid_t)pid, user);
			count++;
		}
		pid = 0;
	}
	return count;
}

int children_each(pid_t parent, void (*each)(pid_t child, void *user), void *user) {
	char path[PATH_SIZE];
	text_format(path, sizeof(path), "/proc/%d/task", (int)parent);
	OWN(close_folder) DIR *threads = opendir(path);
	if (!threads) {
		return -errno;
	}
	int count = 0, error = 0;
	for (struct dirent *thread; (thread = readdir(threads));) {
		if (thread->d_name[0] == '.' ||
				!text_format(path, sizeof(path), "/proc/%d/task/%s/children",
						(int)parent, thread->d_name)) {
			continue;
		}
		int rc = each_listed(path, each, user);
		*(rc < 0 ? &error : &count) += rc; /* a thread may have ended since */
	}
	return count == 0 && error < 0 ? -ENOENT : count;
}
