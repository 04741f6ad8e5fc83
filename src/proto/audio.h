/* SPDX-License-Identifier: MIT */
#ifndef PROTO_AUDIO_H
#define PROTO_AUDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "proto/fec.h"

/* Opus packets to datagrams (moonlight-common-c AudioStream.c,
 * RtpAudioQueue.c; docs/protocol/media.md): a 12-byte RTP header with the
 * payload, encrypted or not, and after each four of them two parity datagrams
 * over what was sent. Groups begin where the sequence divides by four. One thread. */
enum {
	AUDIO_RTP_SIZE = 12,
	AUDIO_FEC_HEADER_SIZE = 12,
	AUDIO_OPUS_MAX = 1383, /* so that it is below 1400 also with padding */
	AUDIO_PAYLOAD_MAX = 1400,
	AUDIO_DATAGRAM_MAX = AUDIO_RTP_SIZE + AUDIO_FEC_HEADER_SIZE + AUDIO_PAYLOAD_MAX,
	AUDIO_TYPE_OPUS = 97,
	AUDIO_TYPE_FEC = 127,
};

struct audio_format {
	uint8_t duration_ms; /* of a packet: 5 or 10; also the step of the timestamp */
	bool encrypted;
	uint32_t key_id; /* rikeyid: where the IVs start */
};

/* Where a stream is: all a successor needs. Flat. */
struct audio_position {
	uint16_t next_sequence;
	uint32_t next_timestamp; /* in ms */
};

/* The next place where a group can begin: a successor, which does not have the
 * first packets of a begun group, starts there. */
struct audio_position audio_position_aligned(struct audio_position position, uint8_t duration_ms);

struct cbc;

struct audio_sender {
	struct audio_format format;
	struct audio_position position;
	struct cbc *cbc; /* owned; NULL when not encrypted */
	uint64_t uneven; /* groups without parity, because their payloads differed in size */
	uint32_t group_timestamp;
	size_t group_size;    /* of the payloads of the group */
	unsigned group_count; /* packets of the group so far */
	bool group_even;
	uint8_t group[FEC_AUDIO_DATA][AUDIO_PAYLOAD_MAX];
};

/* Starts at a position that audio_position_aligned() would not change, zero
 * for a new stream; the key is not looked at unless format->encrypted.
 * -EINVAL for a duration other than 5 and 10 or another position, -ENOMEM. */
int audio_sender_init(struct audio_sender *sender, const struct audio_format *format,
		const struct secret *key, const struct audio_position *position) NODISCARD;
void audio_sender_finish(struct audio_sender *sender);

/* The datagrams to send for one packet: itself, and after the fourth the parity. */
struct audio_batch {
	uint8_t count;
	uint16_t sizes[1 + FEC_AUDIO_PARITY];
	uint8_t datagrams[1 + FEC_AUDIO_PARITY][AUDIO_DATAGRAM_MAX];
};

/* Sends one Opus packet. All packets of a stream are to be equally long: a
 * client that sees two sizes in a group does without FEC for good. -EINVAL for
 * an empty or too long packet. */
int audio_send(struct audio_sender *sender, const void *opus, size_t len,
		struct audio_batch *out) NODISCARD;

#endif
