/* SPDX-License-Identifier: MIT */
#include "supervisor/threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"
#include "base/text.h"

/* Reads a small file of /proc into text. False when the thread is gone. */
static bool read_small(int folder, const char *thread, const char *name, char *text, size_t size) {
	char path[280];
	text_format(path, sizeof(path), "%s/%s", thread, name);
	OWN(fd_close) int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);
	text[len > 0 ? len : 0] = '\0';
	return len > 0;
}

/* The letter after the name, which may hold anything. */
static char state_of(int folder, const char *thread) {
	char text[512];
	if (!read_small(folder, thread, "stat", text, sizeof(text))) {
		return 'X';
	}
	const char *end = strrchr(text, ')');
	return end && end[1] ? end[2] : '?';
}

/* "run wait slices", in ns. */
static bool add_times(int folder, const char *thread, struct threads *out) {
	char text[96];
	if (!read_small(folder, thread, "schedstat", text, sizeof(text))) {
		return false;
	}
	size_t first = strcspn(text, " ");
	size_t second = text[first] ? strcspn(text + first + 1, " \n") : 0;
	int64_t run, wait;
	if (second == 0 || number_parse(text, first, 0, INT64_MAX, &run) < 0 ||
			number_parse(text + first + 1, second, 0, INT64_MAX, &wait) < 0) {
		return false;
	}
	out->run_ns += (uint64_t)run;
	out->wait_ns += (uint64_t)wait;
	return true;
}

int threads_look(pid_t pid, struct threads *out) {
	char path[32];
	text_format(path, sizeof(path), "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	if (!tasks) {
		return -errno;
	}
	*out = (struct threads){ .timed = true };
	for (struct dirent *entry; (entry = readdir(tasks));) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		char state = state_of(dirfd(tasks), entry->d_name);
		out->count++;
		out->stopped += strchr("TtZX", state) != NULL;
		out->runnable |= state == 'R';
		out->timed &= add_times(dirfd(tasks), entry->d_name, out) || state == 'X';
	}
	closedir(tasks);
	return 0;
}
