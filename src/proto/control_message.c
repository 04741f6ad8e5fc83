/* SPDX-License-Identifier: MIT */
#include "proto/control_message.h"

#include <errno.h>

#include "base/bytes.h"

static void get_nothing(struct reader *r, struct control_message *m) {
	(void)m;
	reader_take(r, r->left);
}

static void put_idr(struct writer *w, const struct control_message *m) {
	(void)m;
	writer_le16(w, 0);
}

static void put_start_b(struct writer *w, const struct control_message *m) {
	(void)m;
	writer_u8(w, 0);
}

/* The second and following fields pad to three 64-bit numbers. */
static void get_invalidate(struct reader *r, struct control_message *m) {
	m->invalidate.first = reader_le32(r);
	reader_take(r, 4);
	m->invalidate.last = reader_le32(r);
	reader_take(r, 12);
	r->failed |= m->invalidate.first > m->invalidate.last;
}

static void put_invalidate(struct writer *w, const struct control_message *m) {
	writer_le32(w, m->invalidate.first);
	writer_le32(w, 0);
	writer_le32(w, m->invalidate.last);
	writer_le32(w, 0);
	writer_le64(w, 0);
}

static void get_ltr_ack(struct reader *r, struct control_message *m) {
	m->ltr_frame = reader_le32(r);
	reader_take(r, 4);
}

static void put_ltr_ack(struct writer *w, const struct control_message *m) {
	writer_le32(w, m->ltr_frame);
	writer_le32(w, 0);
}

static void get_input(struct reader *r, struct control_message *m) {
	m->input.len = r->left;
	m->input.data = reader_take(r, r->left);
}

static void put_input(struct writer *w, const struct control_message *m) {
	writer_copy(w, m->input.data, m->input.len);
}

static void put_ping(struct writer *w, const struct control_message *m) {
	(void)m;
	writer_le16(w, 4);
	writer_le32(w, 0);
	writer_le16(w, 0);
}

static void get_fec_status(struct reader *r, struct control_message *m) {
	struct control_fec_status *s = &m->fec_status;
	s->frame = reader_be32(r);
	s->highest_received = reader_be16(r);
	s->next_contiguous = reader_be16(r);
	s->missing = reader_be16(r);
	s->total_data = reader_be16(r);
	s->total_parity = reader_be16(r);
	s->received_data = reader_be16(r);
	s->received_parity = reader_be16(r);
	s->fec_percent = reader_u8(r);
	s->block = reader_u8(r);
	s->block_count = reader_u8(r);
}

static void put_fec_status(struct writer *w, const struct control_message *m) {
	const struct control_fec_status *s = &m->fec_status;
	writer_be32(w, s->frame);
	writer_be16(w, s->highest_received);
	writer_be16(w, s->next_contiguous);
	writer_be16(w, s->missing);
	writer_be16(w, s->total_data);
	writer_be16(w, s->total_parity);
	writer_be16(w, s->received_data);
	writer_be16(w, s->received_parity);
	writer_u8(w, s->fec_percent);
	writer_u8(w, s->block);
	writer_u8(w, s->block_count);
}

static void get_rumble(struct reader *r, struct control_message *m) {
	reader_take(r, 4);
	m->rumble.controller = reader_le16(r);
	m->rumble.low = reader_le16(r);
	m->rumble.high = reader_le16(r);
}

static void put_rumble(struct writer *w, const struct control_message *m) {
	writer_le32(w, 0);
	writer_le16(w, m->rumble.controller);
	writer_le16(w, m->rumble.low);
	writer_le16(w, m->rumble.high);
}

static void get_termination(struct reader *r, struct control_message *m) {
	m->termination = reader_be32(r);
}

static void put_termination(struct writer *w, const struct control_message *m) {
	writer_be32(w, m->termination);
}

/* A boolean and the thirteen numbers in the order of struct control_hdr. */
static void get_hdr(struct reader *r, struct control_message *m) {
	struct control_hdr *hdr = &m->hdr;
	hdr->enabled = reader_u8(r) != 0;
	for (size_t i = 0; i < 3; i++) {
		hdr->primaries[i][0] = reader_le16(r);
		hdr->primaries[i][1] = reader_le16(r);
	}
	hdr->white_point[0] = reader_le16(r);
	hdr->white_point[1] = reader_le16(r);
	hdr->max_display_luminance = reader_le16(r);
	hdr->min_display_luminance = reader_le16(r);
	hdr->max_content_light = reader_le16(r);
	hdr->max_frame_average_light = reader_le16(r);
	hdr->max_full_frame_luminance = reader_le16(r);
}

static void put_hdr(struct writer *w, const struct control_message *m) {
	const struct control_hdr *hdr = &m->hdr;
	writer_u8(w, hdr->enabled);
	for (size_t i = 0; i < 3; i++) {
		writer_le16(w, hdr->primaries[i][0]);
		writer_le16(w, hdr->primaries[i][1]);
	}
	writer_le16(w, hdr->white_point[0]);
	writer_le16(w, hdr->white_point[1]);
	writer_le16(w, hdr->max_display_luminance);
	writer_le16(w, hdr->min_display_luminance);
	writer_le16(w, hdr->max_content_light);
	writer_le16(w, hdr->max_frame_average_light);
	writer_le16(w, hdr->max_full_frame_luminance);
}

static void get_trigger_rumble(struct reader *r, struct control_message *m) {
	m->trigger_rumble.controller = reader_le16(r);
	m->trigger_rumble.left = reader_le16(r);
	m->trigger_rumble.right = reader_le16(r);
}

static void put_trigger_rumble(struct writer *w, const struct control_message *m) {
	writer_le16(w, m->trigger_rumble.controller);
	writer_le16(w, m->trigger_rumble.left);
	writer_le16(w, m->trigger_rumble.right);
}

static void get_motion_reports(struct reader *r, struct control_message *m) {
	m->motion_reports.controller = reader_le16(r);
	m->motion_reports.rate_hz = reader_le16(r);
	m->motion_reports.type = reader_u8(r);
}

static void put_motion_reports(struct writer *w, const struct control_message *m) {
	writer_le16(w, m->motion_reports.controller);
	writer_le16(w, m->motion_reports.rate_hz);
	writer_u8(w, m->motion_reports.type);
}

static void get_led(struct reader *r, struct control_message *m) {
	m->led.controller = reader_le16(r);
	m->led.red = reader_u8(r);
	m->led.green = reader_u8(r);
	m->led.blue = reader_u8(r);
}

static void put_led(struct writer *w, const struct control_message *m) {
	writer_le16(w, m->led.controller);
	writer_u8(w, m->led.red);
	writer_u8(w, m->led.green);
	writer_u8(w, m->led.blue);
}

static void get_adaptive_triggers(struct reader *r, struct control_message *m) {
	m->adaptive_triggers.controller = reader_le16(r);
	m->adaptive_triggers.flags = reader_u8(r);
	m->adaptive_triggers.type_left = reader_u8(r);
	m->adaptive_triggers.type_right = reader_u8(r);
	reader_copy(r, m->adaptive_triggers.left, CONTROL_TRIGGER_EFFECT_SIZE);
	reader_copy(r, m->adaptive_triggers.right, CONTROL_TRIGGER_EFFECT_SIZE);
}

static void put_adaptive_triggers(struct writer *w, const struct control_message *m) {
	writer_le16(w, m->adaptive_triggers.controller);
	writer_u8(w, m->adaptive_triggers.flags);
	writer_u8(w, m->adaptive_triggers.type_left);
	writer_u8(w, m->adaptive_triggers.type_right);
	writer_copy(w, m->adaptive_triggers.left, CONTROL_TRIGGER_EFFECT_SIZE);
	writer_copy(w, m->adaptive_triggers.right, CONTROL_TRIGGER_EFFECT_SIZE);
}

struct row {
	enum control_side from;
	uint16_t type;
	void (*get)(struct reader *r, struct control_message *m);
	void (*put)(struct writer *w, const struct control_message *m);
	const char *name;
};

/* clang-format off */
/* The payloads of the three that only say "now" mean nothing, so any will do. */
static const struct row rows[] = {
	[CONTROL_REQUEST_IDR]       = { CONTROL_CLIENT, 0x0302, get_nothing,           put_idr,               "request-idr" },
	[CONTROL_START_B]           = { CONTROL_CLIENT, 0x0307, get_nothing,           put_start_b,           "start-b" },
	[CONTROL_INVALIDATE]        = { CONTROL_CLIENT, 0x0301, get_invalidate,        put_invalidate,        "invalidate" },
	[CONTROL_LTR_ACK]           = { CONTROL_CLIENT, 0x0350, get_ltr_ack,           put_ltr_ack,           "ltr-ack" },
	[CONTROL_INPUT]             = { CONTROL_CLIENT, 0x0206, get_input,             put_input,             "input" },
	[CONTROL_PING]              = { CONTROL_CLIENT, 0x0200, get_nothing,           put_ping,              "ping" },
	[CONTROL_FEC_STATUS]        = { CONTROL_CLIENT, 0x5502, get_fec_status,        put_fec_status,        "fec-status" },
	[CONTROL_RUMBLE]            = { CONTROL_HOST,   0x010b, get_rumble,            put_rumble,            "rumble" },
	[CONTROL_TERMINATION]       = { CONTROL_HOST,   0x0109, get_termination,       put_termination,       "termination" },
	[CONTROL_HDR_MODE]          = { CONTROL_HOST,   0x010e, get_hdr,               put_hdr,               "hdr-mode" },
	[CONTROL_TRIGGER_RUMBLE]    = { CONTROL_HOST,   0x5500, get_trigger_rumble,    put_trigger_rumble,    "trigger-rumble" },
	[CONTROL_MOTION_REPORTS]    = { CONTROL_HOST,   0x5501, get_motion_reports,    put_motion_reports,    "motion-reports" },
	[CONTROL_LED]               = { CONTROL_HOST,   0x5502, get_led,               put_led,               "led" },
	[CONTROL_ADAPTIVE_TRIGGERS] = { CONTROL_HOST,   0x5503, get_adaptive_triggers, put_adaptive_triggers, "adaptive-triggers" },
};
/* clang-format on */

int control_message_decode(
		enum control_side from, const void *data, size_t len, struct control_message *out) {
	struct reader r = reader_over(data, len);
	uint16_t type = reader_le16(&r);
	uint16_t length = reader_le16(&r);
	if (r.failed || length != r.left) {
		return -EBADMSG;
	}
	for (size_t kind = 1; kind < ARRAY_LEN(rows); kind++) {
		if (rows[kind].from == from && rows[kind].type == type) {
			struct control_message message = { .kind = (enum control_kind)kind };
			rows[kind].get(&r, &message);
			if (!reader_done(&r)) {
				return -EBADMSG;
			}
			*out = message;
			return 0;
		}
	}
	return -ENOTSUP;
}

int control_message_encode(const struct control_message *message, uint8_t *out, size_t out_size,
		size_t *out_len) {
	size_t kind = (size_t)message->kind;
	if (kind == 0 || kind >= ARRAY_LEN(rows)) {
		return -EINVAL;
	}
	struct writer w = writer_over(out, out_size);
	writer_le16(&w, rows[kind].type);
	uint8_t *length = writer_take(&w, 2);
	size_t before = w.left;
	rows[kind].put(&w, message);
	size_t payload = before - w.left;
	if (w.failed || payload > UINT16_MAX) {
		return -ENOSPC;
	}
	struct writer patch = writer_over(length, 2);
	writer_le16(&patch, (uint16_t)payload);
	*out_len = 4 + payload;
	return 0;
}

const char *control_kind_name(enum control_kind kind) {
	size_t index = (size_t)kind;
	return index && index < ARRAY_LEN(rows) ? rows[index].name : NULL;
}
