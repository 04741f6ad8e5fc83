/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_OPTIONS_H
#define CLI_PROBE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/own.h"

/* What the command line of perigee-probe says. */
enum probe_encryption {
	PROBE_ENCRYPT_ALL,
	PROBE_ENCRYPT_AUDIO,
	PROBE_ENCRYPT_VIDEO,
	PROBE_ENCRYPT_NONE,  /* of video and audio; control and RTSP always are */
	PROBE_ENCRYPT_PLAIN, /* corever 0: plain RTSP as well */
};

struct probe_options {
	const char *mode; /* borrowed from argv, as all texts here */
	const char *host, *keys, *app, *pin, *script, *shot, *transcript, *out, *session_url, *key;
	int64_t port, width, height, fps, kbps, packet_size, audio, audio_ms, slices, references;
	int64_t codec;      /* enum sdp_codec */
	int64_t encryption; /* enum probe_encryption */
	int64_t matrix;     /* enum sdp_colorspace */
	int64_t range;      /* 1 for full */
	double seconds;
	int64_t frames;                  /* 0: no limit */
	int64_t key_id;                  /* of watch */
	double drop, duplicate, reorder; /* percent */
	int64_t delay_ms, seed;
	bool rfi, no_decode, json, quit, launch;
};

/* -EINVAL after having said on stderr what is wrong. */
int probe_options_parse(int argc, char **argv, struct probe_options *out) NODISCARD;

void probe_options_help(FILE *file);

#endif
