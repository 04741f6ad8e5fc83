/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "runner/output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned lines;
};

/* Whatever an app prints is a short line of well-formed text in the log. */
static void log_one(void *user, const char *line, unsigned skipped) {
	struct seen *seen = (struct seen *)user;
	(void)skipped;
	seen->lines++;
	assert(strlen(line) <= OUTPUT_LINE_MAX);
	assert(text_is_printable(line, strlen(line)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct seen seen = { 0 };
	static struct output output;
	output_init(&output, 0, log_one, &seen);
	size_t piece = size ? data[0] + 1u : 1;
	for (size_t at = 0; at < size; at += piece) {
		output_add(&output, data + at, piece < size - at ? piece : size - at, at * 1000);
	}
	output_end(&output, size * 1000);
	assert(seen.lines <= OUTPUT_BURST + 1);
	assert(memchr(output.last, '\0', sizeof(output.last)));
	assert(text_is_printable(output.last, strcspn(output.last, "\n")));
	return 0;
}
