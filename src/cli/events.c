/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/net.h"
#include "cli/show.h"
#include "proto/http.h"

enum {
	BUFFER_SIZE = 256 * 1024,
	SILENCE_MS = 40000, /* a comment comes every 15 s, whatever happens */
};

/* When it came, its name, and what it says, further in. */
static void print_for_people(const char *name, json_t *object) {
	char when[16] = "";
	time_t now = time(NULL);
	struct tm broken;
	if (localtime_r(&now, &broken)) {
		strftime(when, sizeof(when), "%H:%M:%S", &broken);
	}
	const char *colon = strrchr(name, ':');
	printf("%s  ", when);
	show_text(stdout, colon ? colon + 1 : name);
	putchar('\n');
	if (json_object_size(object) > 0) {
		show_json_below(stdout, object);
	}
}

/* One block of lines up to an empty one. */
static void print_event(const struct command *command, char *block) {
	char *name = NULL, *data = NULL, *rest = block;
	for (char *line; (line = strsep(&rest, "\n"));) {
		name = strncmp(line, "event: ", 7) == 0 ? line + 7 : name;
		data = strncmp(line, "data: ", 6) == 0 ? line + 6 : data;
	}
	if (!name || !data) {
		return;
	}
	json_t *object = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
	if (command->json) {
		json_t *row = json_pack("{s:s,s:O?}", "event", name, "data", object);
		command_print(command, row);
		json_decref(row);
	} else {
		print_for_people(name, object);
	}
	json_decref(object);
	fflush(stdout);
}

static int begin(int fd, const char *filter) {
	char request[1200];
	if (!text_format(request, sizeof(request),
			    "GET /api/v1/events%s%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
			    filter ? "?events=" : "", filter ? filter : "")) {
		return -ENOSPC;
	}
	return net_write(fd, request, strlen(request), net_deadline_ns(NET_LIMIT_MS));
}

/* Takes whole blocks off the buffer's front. Returns what is left in it. */
static size_t print_blocks(const struct command *command, char *buf, size_t len) {
	char *end;
	while ((end = (char *)memmem(buf, len, "\n\n", 2))) {
		size_t used = (size_t)(end - buf) + 2;
		*end = '\0';
		print_event(command, buf);
		memmove(buf, buf + used, len - used);
		len -= used;
	}
	return len;
}

static enum exit_status refuse(void) {
	fputs("perigee: there is no event of that name; perigee(1) has them all.\n", stderr);
	return EXIT_USAGE;
}

static enum exit_status read_events(struct command *command, int fd, char *buf) {
	size_t len = 0;
	bool begun = false;
	while (!ferror(stdout)) {
		int got = net_read(fd, buf + len, BUFFER_SIZE - len, net_deadline_ns(SILENCE_MS));
		if (got <= 0) {
			fputs("perigee: the host has ended the stream of events.\n", stderr);
			return EXIT_UNREACHABLE;
		}
		len += (size_t)got;
		struct http_response response;
		int head = begun ? 0 : http_response_parse(buf, len, 0, &response);
		if (!begun && head > 0) {
			if (response.status != 200) {
				return refuse();
			}
			begun = true;
			len -= (size_t)head;
			memmove(buf, buf + head, len);
		}
		len = begun ? print_blocks(command, buf, len) : len;
		if (len == BUFFER_SIZE) {
			return command_unreachable(command, -EBADMSG);
		}
	}
	return EXIT_DONE;
}

enum exit_status run_events(struct command *command) {
	const char *filter = command->argument;
	if (filter && filter[strspn(filter,
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:,_")]) {
		return refuse();
	}
	OWN(fd_close) int fd = -1;
	OWN(free) void *memory = malloc(BUFFER_SIZE);
	int rc = memory ? api_find(command->runtime, &command->api) : -ENOMEM;
	rc = rc < 0 ? rc
		    : net_connect_unix(command->api.socket, net_deadline_ns(NET_LIMIT_MS), &fd);
	rc = rc < 0 ? rc : begin(fd, filter);
	return rc < 0 ? command_unreachable(command, rc) : read_events(command, fd, (char *)memory);
}
