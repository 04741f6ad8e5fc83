/* SPDX-License-Identifier: MIT */
#ifndef PROTO_LAUNCH_H
#define PROTO_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"

/* What Moonlight clients ask in query strings: /launch, /resume, /appasset and /pair
 * (moonlight-qt nvhttp.cpp:215-238 and nvpairingmanager.cpp:207-372,
 * moonlight-embedded client.c:426-744). Unknown parameters are ignored, missing ones
 * have defaults unless said otherwise; a value that is there but wrong is refused.
 *
 * On failure -EBADMSG, and *out_culprit is the name of the parameter at fault (a
 * literal); on success it is left alone. Any thread. */
enum {
	LAUNCH_SIDE_MAX = 16384, /* pixels */
	LAUNCH_FPS_MAX = 1000,
	LAUNCH_UNIQUEID_MAX = 64,
	LAUNCH_SURROUND_MAX = 16,
};

struct launch_query {
	char uniqueid[LAUNCH_UNIQUEID_MAX]; /* no identity: most clients send the same */
	int32_t app_id;                     /* positive; 0 only for a resume without one */
	uint16_t width, height;             /* pixels, 0 when mode is missing; ANNOUNCE decides */
	uint16_t fps;                       /* 0 when unknown */
	bool hdr;
	bool local_audio; /* also on the host's speakers */
	bool optimise;    /* "sops": the host may change settings of the game */
	uint8_t channels; /* 2, 6 or 8 */
	uint16_t channel_mask;
	uint32_t gamepads; /* bit mask of those attached at the start */
	bool gamepads_persist;
	bool continuous_audio;
	unsigned corever;                          /* 1 and up: can do encrypted RTSP */
	char surround_params[LAUNCH_SURROUND_MAX]; /* digits, "" for none */
	struct secret rikey;
	int32_t rikeyid; /* first four bytes of the audio IV, big endian */
};

/* /launch wants appid, rikey and rikeyid. */
int launch_query_parse(
		struct span query, struct launch_query *out, const char **out_culprit) NODISCARD;

/* /resume wants rikey and rikeyid. */
int launch_resume_parse(
		struct span query, struct launch_query *out, const char **out_culprit) NODISCARD;

/* The query string of both, for the probe. Answers its length, -ENOSPC. */
int launch_query_write(const struct launch_query *query, char *buf, size_t size) NODISCARD;

/* The appid of /appasset: positive. */
int launch_appid_parse(struct span query, int32_t *out, const char **out_culprit) NODISCARD;

enum pair_step {
	PAIR_GET_SERVER_CERT,
	PAIR_CLIENT_CHALLENGE,
	PAIR_SERVER_CHALLENGE_RESP,
	PAIR_CLIENT_SECRET,
	PAIR_CHALLENGE, /* phase 5, over HTTPS */
	PAIR_STEPS,
};

enum {
	PAIR_SALT_SIZE = 16,
	PAIR_BLOB_MAX = 8192,
};

struct pair_query {
	char uniqueid[LAUNCH_UNIQUEID_MAX];
	char device_name[64]; /* shown to whoever types the PIN; "roth" from most */
	enum pair_step step;
	uint8_t salt[PAIR_SALT_SIZE]; /* PAIR_GET_SERVER_CERT only */
	uint8_t blob[PAIR_BLOB_MAX];  /* the certificate's PEM, or the phase's ciphertext */
	size_t blob_len;
};

/* A query that names two phases is refused, as is a blob of a size that its phase
 * cannot have. out is large, so it is filled in place and left half filled on failure. */
int pair_query_parse(struct span query, struct pair_query *out, const char **out_culprit) NODISCARD;

#endif
