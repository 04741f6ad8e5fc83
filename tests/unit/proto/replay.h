/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_PROTO_REPLAY_H
#define TESTS_UNIT_PROTO_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/control_message.h"
#include "proto/input.h"
#include "proto/launch.h"
#include "proto/rtsp.h"
#include "proto/sdp.h"
#include "transcript.h"

/* A transcript put through our engines, as the host that was spoken to. Running it
 * asserts nothing, since the transcript may be a damaged one: it writes down what came
 * out, and counts what was refused. */
enum {
	REPLAY_MESSAGES_MAX = 512,
	REPLAY_INPUT_MAX = 256,
	REPLAY_RTSP_MAX = 16,
	REPLAY_KINDS = CONTROL_ADAPTIVE_TRIGGERS + 1,
	REPLAY_ENET_ID = 0x5a5,
};

struct replay_message {
	uint32_t sequence;
	enum control_kind kind; /* 0 when its type is not known */
	size_t len;
	uint8_t bytes[CONTROL_MESSAGE_MAX];
};

struct replay {
	unsigned requests, launches, resumes, cancels, pairings, refused_requests;
	struct launch_query launch; /* the last launch or resume */

	enum rtsp_method methods[REPLAY_RTSP_MAX];
	uint32_t cseq[REPLAY_RTSP_MAX];
	enum rtsp_stream streams[REPLAY_RTSP_MAX];
	size_t n_methods;
	unsigned refused_rtsp;
	unsigned announced;
	struct sdp_announce announce;
	size_t n_answers; /* of the host, status 200 */
	struct rtsp_describe describe;
	char secret[2][RTSP_PING_PAYLOAD_SIZE]; /* of video and audio, from the SETUP answers */
	uint32_t connect_data;

	unsigned pings[2], refused_pings;
	uint32_t counter[2]; /* of the last ping */
	bool counts;         /* each was the one before and one */

	bool connected, disconnected;
	uint32_t said_connect_data;
	unsigned refused_datagrams, refused_messages, unknown_messages;
	struct replay_message messages[REPLAY_MESSAGES_MAX];
	size_t n_messages;
	unsigned kinds[REPLAY_KINDS];
	struct input_event input[REPLAY_INPUT_MAX];
	size_t n_input;
	unsigned refused_input;

	bool host_connected; /* what the host said was understood, too */
	unsigned host_refused, host_kinds[REPLAY_KINDS];
};

/* out is large. */
void replay_run(const struct transcript *transcript, struct replay *out);

#endif
