/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/row.h"
#include "cli/show.h"

enum {
	EVERY_MS = 1000,
};

/* ---- what is shown ---- */

/* Names that people gave, so many columns wide; a letter is a column. */
static void print_name(const char *text, int width) {
	for (; *text && width > 0; text++) {
		unsigned char c = (unsigned char)*text;
		bool begins = (c & 0xc0) != 0x80;
		putchar(c < 0x20 || c == 0x7f ? '?' : c);
		width -= begins;
		for (; ((unsigned char)text[1] & 0xc0) == 0x80; text++) {
			putchar(text[1]);
		}
	}
	printf("%*s ", width, "");
}

static void print_host(const json_t *rows, const json_t *row) {
	(void)rows;
	show_text(stdout, row_text(row, "name"));
	printf("  up %lld s  sessions %lld of %lld  processes %lld  lost %lld  hung %lld\n",
			row_number(row, "uptime_s"), row_number(row, "sessions"),
			row_number(row, "sessions_max"), row_number(row, "processes"),
			row_number(row, "lost"), row_number(row, "hung"));
}

/* What a session sees: the lobby that it is in, else its own app. */
static const char *seen(const json_t *rows, const json_t *session) {
	const char *lobby = row_text(session, "lobby");
	for (size_t i = 0; lobby[0] && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		if (strcmp(row_text(row, "what"), "lobby") == 0 &&
				strcmp(row_text(row, "id"), lobby) == 0) {
			return row_text(row, "name");
		}
	}
	return row_text(session, "app");
}

static void print_session(const json_t *rows, const json_t *row) {
	char size[24];
	text_format(size, sizeof(size), "%lldx%lld", row_number(row, "width"),
			row_number(row, "height"));
	print_name(row_text(row, "id"), 16);
	print_name(row_text(row, "client"), 8);
	print_name(seen(rows, row), 12);
	printf("%-9s %9s %3lld %5.1f %5.1f %4.1f\n", row_text(row, "state"), size,
			row_number(row, "rate_mhz") / 1000,
			(double)row_number(row, "age_p50_us") / 1000,
			(double)row_number(row, "age_p99_us") / 1000,
			(double)row_number(row, "loss_ppm") / 10000);
}

static void print_lobby(const json_t *rows, const json_t *row) {
	char size[24];
	(void)rows;
	text_format(size, sizeof(size), "%lldx%lld", row_number(row, "width"),
			row_number(row, "height"));
	print_name(row_text(row, "name"), 34);
	printf("%-10s %8lld %9s %3lld %-3s %9lld\n", row_text(row, "state"),
			row_number(row, "members"), size, row_number(row, "rate_mhz") / 1000,
			json_is_true(json_object_get(row, "pin")) ? "PIN" : "-",
			row_number(row, "processes"));
}

/* Rows of one kind, with a heading where there are any. Whether there are. */
static bool print_rows(const json_t *rows, const char *what, const char *heading,
		void (*print)(const json_t *rows, const json_t *row)) {
	bool any = false;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		if (strcmp(row_text(row, "what"), what) != 0) {
			continue;
		}
		if (!any) {
			fputs(heading, stdout);
		}
		any = true;
		print(rows, row);
	}
	return any;
}

static void print_top(const json_t *rows) {
	print_rows(rows, "host", "", print_host);
	bool any = print_rows(rows, "session",
			"\nSESSION          CLIENT   SEES         STATE          SIZE  HZ p50ms "
			"p99ms "
			"LOSS\n",
			print_session);
	if (!any) {
		puts("\nNobody has a session.");
	}
	print_rows(rows, "lobby",
			"\nLOBBY                              STATE      SESSIONS      SIZE  HZ "
			"PIN "
			"PROCESSES\n",
			print_lobby);
}

static enum exit_status show_once(struct command *command, bool clear) {
	struct api_answer answer = { 0 };
	enum exit_status status = command_call(command, "/api/v1/status", NULL, &answer);
	if (status != EXIT_DONE) {
		return status;
	}
	json_t *rows = json_object_get(answer.json, "status");
	if (command->json) {
		command_print(command, rows);
	} else {
		fputs(clear ? "\033[H\033[J" : "", stdout);
		print_top(rows);
	}
	fflush(stdout);
	api_answer_finish(&answer);
	return EXIT_DONE;
}

/* ---- a terminal that is looked at ---- */

/* Keys come at once and unseen, and what was on the screen comes back. */
static bool screen_begin(struct termios *out_before) {
	struct termios now;
	if (tcgetattr(STDIN_FILENO, &now) < 0) {
		return false;
	}
	*out_before = now;
	now.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &now) < 0) {
		return false;
	}
	fputs("\033[?1049h\033[?25l", stdout);
	return true;
}

static void screen_end(const struct termios *before) {
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
}

/* Until a key, a signal that ends us, or no host. */
static enum exit_status look(struct command *command) {
	sigset_t ending;
	sigemptyset(&ending);
	for (const int *signal = (const int[]){ SIGINT, SIGTERM, SIGHUP, 0 }; *signal; signal++) {
		sigaddset(&ending, *signal);
	}
	OWN(fd_close) int signals = signalfd(-1, &ending, SFD_CLOEXEC);
	struct termios before;
	if (signals < 0 || sigprocmask(SIG_BLOCK, &ending, NULL) < 0 || !screen_begin(&before)) {
		return show_once(command, false);
	}
	struct pollfd until[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals, .events = POLLIN } };
	enum exit_status status;
	do {
		status = show_once(command, true);
	} while (status == EXIT_DONE && poll(until, ARRAY_LEN(until), EVERY_MS) == 0);
	screen_end(&before);
	/* Where what went wrong can be read. */
	return status == EXIT_DONE ? status : show_once(command, false);
}

enum exit_status run_top(struct command *command) {
	bool live = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && !command->json;
	return live ? look(command) : show_once(command, false);
}
