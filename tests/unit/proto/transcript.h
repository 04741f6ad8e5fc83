/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_PROTO_TRANSCRIPT_H
#define TESTS_UNIT_PROTO_TRANSCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"

/* What a real client and Perigee said to each other, recorded on loopback with the
 * keys that were in force: the files of tests/corpus/transcripts. Text, a line each:
 *
 *	transcript 1              the format
 *	client WORDS, title WORDS for people
 *	rikey HEX, rikeyid N      of the launch, if there was one
 *	rtsp sealed|clear
 *	expect NAME NUMBER        what the client was told to ask for
 *	script MS WORDS           what it was told to do: key, down, up, text, rel, abs, click,
 *	                          scroll, pad, arrive, idr (the time is since it connected)
 *	MS FLOW > HEX             bytes: one request, one datagram; < is from the host
 *
 * FLOW is http, https (without its TLS), rtsp, video, audio or control. Picture and
 * sound packets are left out. */
enum transcript_flow {
	TRANSCRIPT_HTTP,
	TRANSCRIPT_HTTPS,
	TRANSCRIPT_RTSP,
	TRANSCRIPT_VIDEO,
	TRANSCRIPT_AUDIO,
	TRANSCRIPT_CONTROL,
	TRANSCRIPT_FLOWS,
};

enum {
	TRANSCRIPT_SCRIPT_MAX = 64,
	TRANSCRIPT_EXPECT_MAX = 16,
};

struct transcript_event {
	uint64_t at_ms;
	enum transcript_flow flow;
	bool from_host;
	size_t len;
	uint8_t *bytes; /* owned */
};

struct transcript {
	char *text; /* owned; what the names below point into */
	bool has_key;
	bool sealed; /* RTSP */
	struct secret rikey;
	int32_t rikeyid;
	struct {
		const char *name;
		int64_t value;
	} expect[TRANSCRIPT_EXPECT_MAX];
	size_t n_expect;
	const char *script[TRANSCRIPT_SCRIPT_MAX]; /* without its time */
	size_t n_script;
	struct transcript_event *events; /* owned */
	size_t n_events;
};

/* Fails the test on anything that is not as above. */
void transcript_load(const char *path, struct transcript *out);
void transcript_finish(struct transcript *transcript);

/* What the client was told, -1 when the transcript does not say. */
int64_t transcript_expect(const struct transcript *transcript, const char *name);

#endif
