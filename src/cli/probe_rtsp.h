/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_RTSP_H
#define CLI_PROBE_RTSP_H

#include <stdint.h>

#include "cli/probe.h"
#include "proto/launch.h"
#include "proto/ping.h"

/* What the handshake settled. */
struct probe_terms {
	struct secret key;
	uint32_t key_id;
	bool sealed; /* RTSP was encrypted */
	uint16_t video_port, audio_port, control_port;
	uint8_t video_ping[PING_SECRET_SIZE], audio_ping[PING_SECRET_SIZE];
	uint32_t connect_data;
	uint32_t encryption; /* RTSP_ENCRYPT_* in force */
	bool can_invalidate;
	uint16_t packet_size;
};

/* The first ping of the sound, which clients send as soon as they know where to. */
struct probe_rtsp_events {
	int (*audio_known)(void *user, const struct probe_terms *terms);
	void *user;
};

/* OPTIONS to PLAY, a connection each, as RtspConnection.c does it. terms->key and
 * key_id are set before; the rest is filled in. Failures are noted (probe_fail()). */
int probe_rtsp_run(struct probe *probe, const char *url, const struct probe_rtsp_events *events,
		struct probe_terms *terms) NODISCARD;

#endif
