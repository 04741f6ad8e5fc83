/* SPDX-License-Identifier: MIT */
#include "transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"

#include "base/hex.h"
#include "base/number.h"

enum {
	TEXT_MAX = 1 << 20,
	EVENTS_MAX = 4096,
};

static const char *const flow_names[TRANSCRIPT_FLOWS] = {
	[TRANSCRIPT_HTTP] = "http",
	[TRANSCRIPT_HTTPS] = "https",
	[TRANSCRIPT_RTSP] = "rtsp",
	[TRANSCRIPT_VIDEO] = "video",
	[TRANSCRIPT_AUDIO] = "audio",
	[TRANSCRIPT_CONTROL] = "control",
};

static int64_t to_number(const char *text) {
	int64_t value = 0;
	assert_int_equal(number_parse(text, strlen(text), INT32_MIN, UINT32_MAX, &value), 0);
	return value;
}

/* Cuts the next word off; the rest of the line stays at *at. */
static char *word(char **at) {
	char *first = strsep(at, " ");
	assert_non_null(first);
	return first;
}

static void read_ignored(struct transcript *transcript, char *rest) {
	(void)transcript;
	(void)rest;
}

static void read_version(struct transcript *transcript, char *rest) {
	(void)transcript;
	assert_string_equal(rest, "1");
}

static void read_key(struct transcript *transcript, char *rest) {
	assert_int_equal(strlen(rest), 2 * sizeof(transcript->rikey.bytes));
	assert_int_equal(hex_decode(rest, strlen(rest), transcript->rikey.bytes), 0);
	transcript->has_key = true;
}

static void read_key_id(struct transcript *transcript, char *rest) {
	transcript->rikeyid = (int32_t)to_number(rest);
}

static void read_rtsp(struct transcript *transcript, char *rest) {
	transcript->sealed = strcmp(rest, "sealed") == 0;
	assert_true(transcript->sealed || strcmp(rest, "clear") == 0);
}

static void read_expect(struct transcript *transcript, char *rest) {
	size_t n = transcript->n_expect++;
	assert_true(n < TRANSCRIPT_EXPECT_MAX);
	transcript->expect[n].name = word(&rest);
	transcript->expect[n].value = to_number(rest);
}

static void read_script(struct transcript *transcript, char *rest) {
	size_t n = transcript->n_script++;
	assert_true(n < TRANSCRIPT_SCRIPT_MAX);
	to_number(word(&rest));
	transcript->script[n] = rest;
}

static const struct {
	const char *name;
	void (*read)(struct transcript *transcript, char *rest);
} headers[] = {
	{ "#", read_ignored },
	{ "client", read_ignored },
	{ "title", read_ignored },
	{ "transcript", read_version },
	{ "rikey", read_key },
	{ "rikeyid", read_key_id },
	{ "rtsp", read_rtsp },
	{ "expect", read_expect },
	{ "script", read_script },
};

static void read_event(struct transcript *transcript, const char *ms, char *rest) {
	struct transcript_event event = { .at_ms = (uint64_t)to_number(ms) };
	const char *flow = word(&rest);
	while (event.flow < TRANSCRIPT_FLOWS && strcmp(flow_names[event.flow], flow) != 0) {
		event.flow++;
	}
	assert_true(event.flow < TRANSCRIPT_FLOWS);
	event.from_host = strcmp(word(&rest), "<") == 0;
	event.len = strlen(rest) / 2;
	event.bytes = malloc(event.len);
	assert_non_null(event.bytes);
	assert_int_equal(hex_decode(rest, strlen(rest), event.bytes), 0);
	assert_true(transcript->n_events < EVENTS_MAX);
	transcript->events[transcript->n_events++] = event;
}

static void read_line(struct transcript *transcript, char *line) {
	const char *name = word(&line);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		if (strcmp(headers[i].name, name) == 0) {
			headers[i].read(transcript, line);
			return;
		}
	}
	read_event(transcript, name, line);
}

void transcript_load(const char *path, struct transcript *out) {
	memset(out, 0, sizeof(*out));
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	out->text = calloc(1, TEXT_MAX);
	out->events = calloc(EVENTS_MAX, sizeof(*out->events));
	assert_true(out->text && out->events);
	size_t len = fread(out->text, 1, TEXT_MAX - 1, file);
	assert_true(len > 0 && len < TEXT_MAX - 1);
	fclose(file);
	char *at = out->text;
	for (char *line; (line = strsep(&at, "\n"));) {
		if (*line) {
			read_line(out, line);
		}
	}
	assert_true(out->n_events > 0);
}

void transcript_finish(struct transcript *transcript) {
	for (size_t i = 0; i < transcript->n_events; i++) {
		free(transcript->events[i].bytes);
	}
	free(transcript->events);
	free(transcript->text);
}

int64_t transcript_expect(const struct transcript *transcript, const char *name) {
	for (size_t i = 0; i < transcript->n_expect; i++) {
		if (strcmp(transcript->expect[i].name, name) == 0) {
			return transcript->expect[i].value;
		}
	}
	return -1;
}
