/* SPDX-License-Identifier: MIT */
#ifndef IPC_MESSAGE_INSIDE_H
#define IPC_MESSAGE_INSIDE_H

#include <stdint.h>

/* Between message.c, which is the catalogue, and message_bytes.c, which encodes and decodes
 * by it. Nobody else includes this. */

enum field_form {
	FORM_END,
	FORM_RAW,  /* size bytes as they are: a number or an array of bytes */
	FORM_ENUM, /* one byte, below `limit` */
	FORM_TEXT, /* u16 length, bytes without NUL; the member is char[size] */
	FORM_BLOB, /* u16 length, bytes; the member is uint8_t[size], its length at `limit` */
};

struct message_field {
	uint16_t form, offset, size, limit;
};

struct message_row {
	const char *name;  /* NULL marks a number nobody uses */
	uint16_t from, to; /* masks of peers */
	uint8_t fds;
	uint8_t mark; /* MARK_ bits */
	const struct message_field *fields;
};

enum {
	MARK_NEWEST = 1,
	MARK_LASTS = 2,
};

/* NULL when there is no such kind. */
const struct message_row *message_row(uint32_t kind);

#endif
