/* SPDX-License-Identifier: MIT */
#ifndef PROTO_RTSP_H
#define PROTO_RTSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"
#include "proto/head.h"

/* The RTSP that Moonlight clients speak: seven requests, each on a TCP connection of
 * its own that the host closes after its answer (moonlight-common-c
 * RtspConnection.c:402-518). Both directions; the encrypted envelope is rtsp_seal.h.
 * Spans are borrowed from the bytes given. Any thread. */
enum {
	RTSP_HEAD_MAX = 8 * 1024,
	RTSP_BODY_MAX = 8 * 1024, /* ANNOUNCE's is about 1.6 KB */
	RTSP_REQUEST_MAX = RTSP_HEAD_MAX + RTSP_BODY_MAX,
	RTSP_PING_PAYLOAD_SIZE = 16,
};

enum rtsp_method {
	RTSP_OPTIONS,
	RTSP_DESCRIBE,
	RTSP_SETUP,
	RTSP_ANNOUNCE,
	RTSP_PLAY,
	RTSP_METHODS,
};

enum rtsp_stream {
	RTSP_STREAM_NONE, /* the target names none */
	RTSP_STREAM_AUDIO,
	RTSP_STREAM_VIDEO,
	RTSP_STREAM_CONTROL,
};

struct rtsp_request {
	enum rtsp_method method;
	struct span target;
	enum rtsp_stream stream; /* of a "streamid=" target; never none for SETUP */
	uint32_t cseq;           /* to be echoed */
	struct span session;     /* without parameters, empty when there is none */
	struct span body;
	struct head head;
};

/* How far earlier calls for the same request came; zeroed at first. */
struct rtsp_progress {
	size_t scanned;
	size_t head_len; /* 0 until the head is complete */
};

/* Reads one request from the bytes that have arrived so far, all of them each time.
 *
 * Answers how many bytes it took; -EAGAIN when more must come. Else answer
 * rtsp_status_of(rc) and close: -EBADMSG malformed (CSeq is mandatory), -ENOSPC too
 * long, -ENOTSUP a method, version or stream that is not served. */
int rtsp_request_parse(struct rtsp_progress *progress, const char *data, size_t len,
		struct rtsp_request *out) NODISCARD;

/* 400, 413 or 501 for the above; 500 for anything else. */
int rtsp_status_of(int rc);

struct rtsp_answer {
	int status;
	uint32_t cseq;
	const char *session;      /* NULL for none; the audio SETUP must have one */
	uint16_t server_port;     /* 0: no Transport */
	const char *ping_payload; /* 16 characters, or the client ignores it; NULL for none */
	bool has_connect_data;
	uint32_t connect_data; /* comes back as the data of ENet's CONNECT */
	struct span body;      /* empty for none */
};

/* Writes the answer in the one form clients can read: names case-sensitive, one blank
 * after the colon (RtspParser.c:99-207). Answers its length, -ENOSPC. */
int rtsp_answer_write(const struct rtsp_answer *answer, char *buf, size_t size) NODISCARD;

/* The host's abilities in DESCRIBE (RtspConnection.c:1084-1165). */
enum {
	RTSP_FEATURE_PEN_TOUCH = 1,
	RTSP_FEATURE_CONTROLLER_TOUCH = 2,

	RTSP_ENCRYPT_CONTROL = 1,
	RTSP_ENCRYPT_VIDEO = 2,
	RTSP_ENCRYPT_AUDIO = 4,

	RTSP_CHANNELS_MAX = 8,
	RTSP_DESCRIBE_MAX = 2048,
};

/* An Opus multistream layout as the encoder is told it. */
struct rtsp_surround {
	uint8_t channels; /* 2, 6 or 8 */
	uint8_t streams;
	uint8_t coupled;
	uint8_t mapping[RTSP_CHANNELS_MAX];
	bool high_quality;
};

struct rtsp_describe {
	uint32_t features;
	uint32_t encryption_supported;
	uint32_t encryption_requested;
	bool rfi; /* reference invalidation is answered */
	/* These must say what ServerCodecModeSupport says. */
	bool hevc;
	bool av1;
	/* For each channel count the normal layout first, then the high quality one: that
	 * order is how clients tell them apart. 7.1 must be among them. */
	const struct rtsp_surround *surround; /* borrowed */
	size_t n_surround;
};

/* Stereo, 5.1 and 7.1, identity mapping, normal and high quality. */
const struct rtsp_surround *rtsp_surround_layouts(size_t *out_count);

/* Writes the body of the answer to DESCRIBE. Clients rotate what they read in a normal
 * surround layout (RtspConnection.c:786-799), so it is written rotated back. */
int rtsp_describe_write(const struct rtsp_describe *describe, char *buf, size_t size) NODISCARD;

/* ---- the client's side, for the probe ---- */

struct rtsp_question {
	enum rtsp_method method;
	const char *target;
	uint32_t cseq;
	const char *host;
	const char *session; /* NULL for none */
	struct span body;
};

int rtsp_request_write(const struct rtsp_question *question, char *buf, size_t size) NODISCARD;

struct rtsp_response {
	int status;
	uint32_t cseq;
	struct span session;      /* without parameters, empty for none */
	uint16_t server_port;     /* 0 for none */
	struct span ping_payload; /* 16 characters or empty */
	uint32_t connect_data;    /* 0 for none */
	struct span body;         /* up to the end of what came */
};

/* data is everything that came until the host closed. -EBADMSG. */
int rtsp_response_parse(const char *data, size_t len, struct rtsp_response *out) NODISCARD;

/* What DESCRIBE said, but for the layouts. Missing lines are zeros. -EBADMSG. */
int rtsp_describe_parse(struct span body, struct rtsp_describe *out) NODISCARD;

#endif
