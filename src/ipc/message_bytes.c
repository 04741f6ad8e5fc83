/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/message.h"
#include "ipc/message_inside.h"

/* Messages to bytes and back, by the catalogue of message.c. */

static uint16_t load_u16(const uint8_t *at) {
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static void get_text(struct reader *r, const struct message_field *field, uint8_t *at) {
	uint16_t len = reader_le16(r);
	const uint8_t *text = reader_take(r, len);
	if (!text || len >= field->size || memchr(text, 0, len)) {
		r->failed = true;
		return;
	}
	memcpy(at, text, len);
}

static void get_blob(struct reader *r, const struct message_field *field, uint8_t *base) {
	uint16_t len = reader_le16(r);
	const uint8_t *bytes = reader_take(r, len);
	if (!bytes || len > field->size) {
		r->failed = true;
		return;
	}
	memcpy(base + field->offset, bytes, len);
	memcpy(base + field->limit, &len, sizeof(len));
}

static void get_field(struct reader *r, const struct message_field *field, uint8_t *base) {
	uint8_t *at = base + field->offset;
	switch (field->form) {
	case FORM_RAW:
		reader_copy(r, at, field->size);
		break;
	case FORM_ENUM:
		*at = reader_u8(r);
		r->failed |= *at >= field->limit;
		break;
	case FORM_TEXT:
		get_text(r, field, at);
		break;
	default:
		get_blob(r, field, base);
		break;
	}
}

static int decode(const struct message_row *row, struct reader *r, enum ipc_kind kind,
		struct ipc_message *out) {
	memset(out, 0, sizeof(*out));
	out->kind = kind;
	for (const struct message_field *field = row->fields;
			field->form != FORM_END && r->left > 0; field++) {
		get_field(r, field, (uint8_t *)out);
	}
	return r->failed ? -EBADMSG : 0; /* what follows a newer release has appended */
}

int ipc_decode(enum ipc_peer from, enum ipc_peer to, const void *data, size_t len, size_t n_fds,
		struct ipc_message *out) {
	struct reader r = reader_over(data, len);
	uint16_t kind = reader_le16(&r);
	const struct message_row *row = message_row(kind);
	if (r.failed) {
		return -EBADMSG;
	}
	if (!row) {
		return -ENOTSUP;
	}
	if (!(row->from & 1u << from) || !(row->to & 1u << to) || row->fds != n_fds) {
		return -EPROTO;
	}
	return decode(row, &r, (enum ipc_kind)kind, out);
}

int ipc_decode_own(const void *data, size_t len, struct ipc_message *out) {
	struct reader r = reader_over(data, len);
	uint16_t kind = reader_le16(&r);
	const struct message_row *row = message_row(kind);
	return r.failed || !row ? -EBADMSG : decode(row, &r, (enum ipc_kind)kind, out);
}

static void put_field(struct writer *w, const struct message_field *field, const uint8_t *base) {
	const uint8_t *at = base + field->offset;
	if (field->form == FORM_TEXT) {
		size_t len = strnlen((const char *)at, field->size);
		assert(len < field->size);
		writer_le16(w, (uint16_t)len);
		writer_copy(w, at, len);
	} else if (field->form == FORM_BLOB) {
		uint16_t len = load_u16(base + field->limit);
		assert(len <= field->size);
		writer_le16(w, len);
		writer_copy(w, at, len);
	} else {
		assert(field->form != FORM_ENUM || *at < field->limit);
		writer_copy(w, at, field->size);
	}
}

int ipc_encode(const struct ipc_message *message, void *out, size_t size) {
	const struct message_row *row = message_row(message->kind);
	assert(row);
	struct writer w = writer_over(out, size);
	writer_le16(&w, (uint16_t)message->kind);
	for (const struct message_field *field = row->fields; field->form != FORM_END; field++) {
		put_field(&w, field, (const uint8_t *)message);
	}
	return w.failed ? -ENOSPC : (int)(size - w.left);
}
