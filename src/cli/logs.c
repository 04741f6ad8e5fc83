/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/log_line.h"
#include "cli/show.h"

enum {
	TAIL = 8192, /* bytes shown of what was there before */
};

static enum exit_status find_log(struct command *command, char *out, size_t size) {
	struct api_answer answer = { 0 };
	enum exit_status status =
			command_call(command, "/api/v1/status?filter=host", NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	const json_t *row = json_array_get(json_object_get(answer.json, "status"), 0);
	const char *path = json_string_value(json_object_get(row, "log"));
	if (!path || !path[0] || !text_copy(out, size, path)) {
		fputs("perigee: the host does not say where its log is.\n", stderr);
		status = EXIT_REFUSED;
	}
	api_answer_finish(&answer);
	return status;
}

/* Whole lines; one that is being written waits for its end. */
static void print_lines(const struct command *command, FILE *file) {
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&line, &size, file)) > 0) {
		if (line[len - 1] != '\n') {
			(void)!fseek(file, -len, SEEK_CUR);
			break;
		}
		line[len - 1] = '\0';
		if (command->json) {
			json_t *row = log_line_parse(line);
			command_print(command, row);
			json_decref(row);
		} else {
			show_text(stdout, line);
			putchar('\n');
		}
	}
	clearerr(file);
	fflush(stdout);
	free(line);
}

/* The last part of it, from the beginning of a line on. */
static void go_to_tail(FILE *file) {
	if (fseek(file, -TAIL, SEEK_END) < 0) {
		rewind(file);
		return;
	}
	for (int c; (c = getc(file)) != EOF && c != '\n';) {
	}
}

/* The file, and its folder: when the log is rotated, the next one is made there. */
static int watch_begin(const char *path) {
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	text_format(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
			slash ? path : ".");
	OWN(fd_close) int watch = inotify_init1(IN_CLOEXEC);
	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0 ||
			inotify_add_watch(watch, folder, IN_CREATE | IN_MOVED_TO) < 0) {
		return -errno;
	}
	return TAKE(watch, -1);
}

/* Whether another file has taken its place, which *file is then. */
static bool is_rotated(const char *path, int watch, FILE **file) {
	struct stat now, ours;
	if (stat(path, &now) < 0 || fstat(fileno(*file), &ours) < 0 || now.st_ino == ours.st_ino) {
		return false;
	}
	FILE *next = fopen(path, "re");
	if (!next || inotify_add_watch(watch, path, IN_MODIFY) < 0) {
		file_close(next);
		return false;
	}
	fclose(*file);
	*file = next;
	return true;
}

static void follow(const struct command *command, const char *path, int watch, FILE **file) {
	while (!ferror(stdout)) {
		char events[4096];
		ssize_t got = read(watch, events, sizeof(events));
		if (got <= 0 && errno != EINTR) {
			return;
		}
		print_lines(command, *file);
		if (is_rotated(path, watch, file)) {
			print_lines(command, *file);
		}
	}
}

enum exit_status run_logs(struct command *command) {
	char path[PATH_MAX];
	enum exit_status status = find_log(command, path, sizeof(path));
	if (status != EXIT_DONE) {
		return status;
	}
	OWN(file_close) FILE *file = fopen(path, "re");
	OWN(fd_close) int watch = file && command->follow ? watch_begin(path) : -1;
	if (!file || (command->follow && watch < 0)) {
		fprintf(stderr, "perigee: %s: %s\n", path, strerror(file ? -watch : errno));
		return EXIT_REFUSED;
	}
	go_to_tail(file);
	print_lines(command, file);
	if (command->follow) {
		follow(command, path, watch, &file);
	}
	return EXIT_DONE;
}
