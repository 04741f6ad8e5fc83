/* SPDX-License-Identifier: MIT */
#include "autopsy/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"

enum {
	FILE_MAX = 256 << 10, /* of one file in /proc */
	FDS_MAX = 4096,
};

/* "name: " before every line of it. */
static void copy_file(FILE *file, const char *path, const char *name) {
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	OWN(free) void *block = malloc(FILE_MAX);
	if (fd < 0 || !block) {
		fprintf(file, "%s: %s\n", name, strerror(errno));
		return;
	}
	char *text = (char *)block;
	size_t used = 0;
	ssize_t len;
	while (used < FILE_MAX - 1 && (len = read(fd, text + used, FILE_MAX - 1 - used)) > 0) {
		used += (size_t)len;
	}
	text[used] = '\0';
	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		fprintf(file, "%s: %.*s\n", name, (int)n, line);
		line += n + (line[n] == '\n');
	}
	if (used == 0) {
		fprintf(file, "%s:\n", name);
	}
}

static void copy_of(FILE *file, const char *folder, const char *const *names, size_t count) {
	for (size_t i = 0; i < count; i++) {
		char path[600];
		text_format(path, sizeof(path), "%s/%s", folder, names[i]);
		copy_file(file, path, names[i]);
	}
}

void proc_write_threads(pid_t pid, FILE *file) {
	static const char *const names[] = { "comm", "stat", "syscall", "wchan", "stack",
		"schedstat", "status" };
	char path[40];
	text_format(path, sizeof(path), "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	if (!tasks) {
		fprintf(file, "no threads: %s\n", strerror(errno));
		return;
	}
	for (struct dirent *entry; (entry = readdir(tasks));) {
		char folder[320];
		if (entry->d_name[0] != '.' &&
				text_format(folder, sizeof(folder), "%s/%s", path, entry->d_name)) {
			fprintf(file, "thread %s\n", entry->d_name);
			copy_of(file, folder, names, ARRAY_LEN(names));
			fputc('\n', file);
		}
	}
	closedir(tasks);
}

/* On one line: "pos: 0 flags: 02004002 ..." */
static void copy_fdinfo(FILE *file, pid_t pid, const char *number) {
	char path[300], text[512];
	text_format(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, number);
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0) {
		return;
	}
	text[len] = '\0';
	for (char *at = text; *at; at++) {
		*at = *at == '\n' || *at == '\t' ? ' ' : *at;
	}
	fprintf(file, "  %s", text);
}

void proc_write_fds(pid_t pid, FILE *file) {
	char path[40];
	text_format(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *fds = opendir(path);
	if (!fds) {
		fprintf(file, "no descriptors: %s\n", strerror(errno));
		return;
	}
	int count = 0;
	for (struct dirent *entry; (entry = readdir(fds)) && count < FDS_MAX;) {
		char link[300];
		if (entry->d_name[0] == '.') {
			continue;
		}
		ssize_t len = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		fprintf(file, "%s -> %s", entry->d_name, link);
		copy_fdinfo(file, pid, entry->d_name);
		fputc('\n', file);
		count++;
	}
	fprintf(file, "%d descriptors\n", count);
	closedir(fds);
}

void proc_write_process(pid_t pid, FILE *file) {
	static const char *const names[] = { "cmdline", "status", "limits", "cgroup", "oom_score",
		"smaps_rollup", "io", "maps" };
	char folder[40];
	text_format(folder, sizeof(folder), "/proc/%d", pid);
	copy_of(file, folder, names, ARRAY_LEN(names));
}

/* The one line of vmstat that says whether somebody was killed for memory. */
static void write_oom(FILE *file) {
	OWN(file_close) FILE *vmstat = fopen("/proc/vmstat", "re");
	char line[128];
	while (vmstat && fgets(line, sizeof(line), vmstat)) {
		if (strncmp(line, "oom_kill ", 9) == 0) {
			fprintf(file, "vmstat: %s", line);
		}
	}
}

void proc_write_machine(const char *group, FILE *file) {
	static const char *const names[] = { "loadavg", "meminfo", "pressure/memory",
		"pressure/cpu", "pressure/io", "self/cgroup" };
	write_oom(file);
	copy_of(file, "/proc", names, ARRAY_LEN(names));
	if (group) {
		static const char *const of_group[] = { "memory.events", "memory.oom_control",
			"memory.current", "memory.max", "memory.usage_in_bytes",
			"memory.limit_in_bytes", "pids.current" };
		fprintf(file, "group: %s\n", group);
		copy_of(file, group, of_group, ARRAY_LEN(of_group));
	}
}

/* "oom_kill 3": in memory.events of version 2, in memory.oom_control of version 1. */
unsigned long proc_oom_kills(const char *group) {
	static const char *const names[] = { "memory.events", "memory.oom_control" };
	unsigned long kills = 0;
	for (size_t i = 0; group && i < ARRAY_LEN(names); i++) {
		char path[600], line[128];
		text_format(path, sizeof(path), "%s/%s", group, names[i]);
		OWN(file_close) FILE *file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file)) {
			if (strncmp(line, "oom_kill ", 9) == 0) {
				kills = strtoul(line + 9, NULL, 10);
			}
		}
	}
	return kills;
}
