/* SPDX-License-Identifier: MIT */
#ifndef PROTO_CONTROL_MESSAGE_H
#define PROTO_CONTROL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "proto/control.h"

/* What a control envelope holds: LE16 type, LE16 payload length, payload
 * (moonlight-common-c ControlStream.c, packetTypesGen7Enc). Both directions
 * are decoded and encoded; the number 0x5502 means something else in each. */
enum control_kind {
	/* The client says. */
	CONTROL_REQUEST_IDR = 1, /* the first one is also "start A" */
	CONTROL_START_B,
	CONTROL_INVALIDATE, /* frames were lost: refer to none of them again */
	CONTROL_LTR_ACK,
	CONTROL_INPUT,
	CONTROL_PING,
	CONTROL_FEC_STATUS,
	/* The host says. */
	CONTROL_RUMBLE,
	CONTROL_TERMINATION,
	CONTROL_HDR_MODE,
	CONTROL_TRIGGER_RUMBLE,
	CONTROL_MOTION_REPORTS,
	CONTROL_LED,
	CONTROL_ADAPTIVE_TRIGGERS,
};

/* Termination codes (ControlStream.c). Only the first is a quiet end. */
#define CONTROL_END_ORDERLY UINT32_C(0x80030023)
#define CONTROL_END_PROTECTED_CONTENT UINT32_C(0x800e9302)
#define CONTROL_END_CONVERSION_FAILED UINT32_C(0x800e9403)

enum {
	CONTROL_TRIGGER_EFFECT_SIZE = 10,
	CONTROL_TRIGGER_RIGHT = 4, /* of adaptive_triggers.flags: right is valid */
	CONTROL_TRIGGER_LEFT = 8,
	CONTROL_MOTION_ACCELEROMETER = 1,
	CONTROL_MOTION_GYROSCOPE = 2,
};

/* Of one FEC block that was given up or needed recovery. */
struct control_fec_status {
	uint32_t frame;
	uint16_t highest_received; /* RTP sequence */
	uint16_t next_contiguous;  /* RTP sequence */
	uint16_t missing;          /* before the highest received */
	uint16_t total_data, total_parity;
	uint16_t received_data, received_parity;
	uint8_t fec_percent;
	uint8_t block, block_count;
};

/* Chromaticities are in 1/50000. */
struct control_hdr {
	bool enabled;
	uint16_t primaries[3][2]; /* red, green, blue; x, y */
	uint16_t white_point[2];
	uint16_t max_display_luminance; /* nits */
	uint16_t min_display_luminance; /* 1/10000 nit */
	uint16_t max_content_light;     /* nits */
	uint16_t max_frame_average_light;
	uint16_t max_full_frame_luminance;
};

struct control_message {
	enum control_kind kind;
	union {
		struct {
			uint32_t first, last; /* frame indices, first <= last */
		} invalidate;
		uint32_t ltr_frame;
		struct {
			const uint8_t *data; /* borrowed: one event for proto/input.h */
			size_t len;
		} input;
		struct control_fec_status fec_status;
		struct {
			uint16_t controller;
			uint16_t low, high; /* large and small motor */
		} rumble;
		uint32_t termination; /* CONTROL_END_* */
		struct control_hdr hdr;
		struct {
			uint16_t controller;
			uint16_t left, right;
		} trigger_rumble;
		struct {
			uint16_t controller;
			uint16_t rate_hz; /* 0 for off */
			uint8_t type;     /* CONTROL_MOTION_* */
		} motion_reports;
		struct {
			uint16_t controller;
			uint8_t red, green, blue;
		} led;
		struct {
			uint16_t controller;
			uint8_t flags;
			uint8_t type_left, type_right;
			uint8_t left[CONTROL_TRIGGER_EFFECT_SIZE];
			uint8_t right[CONTROL_TRIGGER_EFFECT_SIZE];
		} adaptive_triggers;
	};
};

/* Decodes what `from` says. -EBADMSG for a malformed message, -ENOTSUP for a
 * type that is not known (also the legacy statistics): to be skipped. An
 * INPUT message borrows from data. */
int control_message_decode(enum control_side from, const void *data, size_t len,
		struct control_message *out) NODISCARD;

/* Writes one message of either side. -ENOSPC when out is too small, -EINVAL
 * for a kind that does not exist. */
int control_message_encode(const struct control_message *message, uint8_t *out, size_t out_size,
		size_t *out_len) NODISCARD;

/* "rumble"; NULL for what is no kind. */
const char *control_kind_name(enum control_kind kind);

#endif
