/* SPDX-License-Identifier: MIT */
#include "runner/output.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

void output_init(struct output *output, uint64_t now_ns,
		void (*log)(void *user, const char *line, unsigned skipped), void *user) {
	*output = (struct output){
		.refilled_ns = now_ns, .tokens = OUTPUT_BURST, .log = log, .user = user
	};
}

static void clean(char *line) {
	bool utf8 = text_is_printable(line, strlen(line));
	for (char *at = line; *at; at++) {
		unsigned char c = (unsigned char)*at;
		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8)) {
			*at = *at == '\t' ? ' ' : '?';
		}
	}
}

/* Leaves out as many old lines as the new one needs. */
static void keep(struct output *output, const char *line) {
	size_t len = strlen(line) + 1; /* the newline */
	size_t kept = strlen(output->last);
	size_t from = 0;
	while (kept - from + len >= sizeof(output->last)) {
		const char *newline = strchr(output->last + from, '\n');
		from = newline ? (size_t)(newline - output->last) + 1 : kept;
	}
	memmove(output->last, output->last + from, kept - from + 1);
	text_format(output->last + kept - from, sizeof(output->last) - (kept - from), "%s\n", line);
}

static void refill(struct output *output, uint64_t now_ns) {
	uint64_t gained = (now_ns - output->refilled_ns) * OUTPUT_PER_S / NS_PER_S;
	if (gained > 0) {
		uint64_t tokens = output->tokens + gained;
		output->tokens = tokens < OUTPUT_BURST ? (unsigned)tokens : OUTPUT_BURST;
		output->refilled_ns += gained * NS_PER_S / OUTPUT_PER_S;
	}
}

static void finish_line(struct output *output, uint64_t now_ns) {
	/* A cut may have gone through a UTF-8 sequence. */
	output->line[output->line_len] = '\0';
	output->line_len = 0;
	char line[OUTPUT_LINE_MAX];
	text_copy(line, sizeof(line), output->line);
	if (!line[0]) {
		return;
	}
	clean(line);
	keep(output, line);
	output->count++;
	refill(output, now_ns);
	if (output->tokens == 0) {
		output->skipped++;
		return;
	}
	output->tokens--;
	output->log(output->user, line, output->skipped);
	output->skipped = 0;
}

void output_add(struct output *output, const void *bytes, size_t len, uint64_t now_ns) {
	const char *at = bytes;
	for (size_t i = 0; i < len; i++) {
		if (at[i] == '\n' || at[i] == '\r') {
			finish_line(output, now_ns);
		} else if (output->line_len < OUTPUT_LINE_MAX) {
			output->line[output->line_len++] = at[i] ? at[i] : '?';
		}
	}
}

void output_end(struct output *output, uint64_t now_ns) {
	finish_line(output, now_ns);
}
