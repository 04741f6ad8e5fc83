/* SPDX-License-Identifier: MIT */
#ifndef STREAM_TAKEOVER_H
#define STREAM_TAKEOVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"
#include "ipc/message.h"
#include "proto/audio.h"
#include "proto/control.h"
#include "proto/enet.h"
#include "proto/video.h"

/* What a stream's successor needs to go on where it stopped, in the page that
 * the supervisor holds (ipc/page.h). It is committed before the bytes that
 * depend on it leave, so that what it says is used is at least what was used:
 * a frame index, a packet number or a nonce never goes out twice with different
 * bytes behind it. A frame that is committed may have left in part; the
 * successor goes on with the next index and a key frame, and with sound at
 * audio_position_aligned().
 *
 * Flat: no pointers, every member of a fixed size. Whoever changes it counts
 * TAKEOVER_VERSION up. */
enum {
	TAKEOVER_VERSION = 2,
};

enum {
	TAKEOVER_STARTED = 1,    /* start B was seen */
	TAKEOVER_PROVEN = 2,     /* a control message has decrypted */
	TAKEOVER_FIRST_SENT = 4, /* STREAM_FIRST was told */
};

struct takeover_flow {
	struct address peer; /* port 0: has not come */
	uint32_t counter;    /* of the newest ping */
	uint32_t reserved;
	uint8_t secret[16]; /* that the pings carry */
};

struct takeover {
	uint32_t version;
	uint32_t size;  /* of the members before `enet` */
	uint32_t flags; /* TAKEOVER_ */
	uint32_t incarnation;
	struct video_position video;
	uint32_t video_timestamp; /* of the newest frame, 90 kHz */
	uint32_t audio_timestamp;
	uint16_t audio_sequence;
	uint16_t reserved[3];
	uint64_t control_reserved; /* the successor's first control sequence */
	struct control_window control_seen;
	uint64_t inputs; /* that the desktop got, for the counters */
	uint32_t source; /* that plays */
	uint32_t enet_len;
	struct takeover_flow flows[FLOWS];
	uint8_t enet[ENET_SAVE_MAX]; /* enet_peer_save() */
};

/* Takes the connection's state into the struct; nothing changes on failure,
 * which an enet_peer cannot cause (ENET_SAVE_MAX is enough). */
void takeover_put_enet(struct takeover *takeover, const struct enet_peer *peer);

/* Bytes to commit. */
size_t takeover_size(const struct takeover *takeover);

/* Reads what a page held. -ENOTSUP for another version, -EBADMSG for what no
 * stream wrote. */
int takeover_decode(const void *content, size_t size, struct takeover *out) NODISCARD;

#endif
