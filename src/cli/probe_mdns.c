/* SPDX-License-Identifier: MIT */
#include "cli/probe_mdns.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
	CLASS_IN = 1,
	UNICAST_WANTED = 0x8000, /* RFC 6762 5.4 */
	FLAG_ANSWER = 0x8000,
	LABEL_MAX = 63,
	LABEL_POINTER = 0xc0,
	POINTERS_MAX = 16, /* followed for one name */
};

int mdns_query_write(const char *name, enum mdns_type type, void *buf, size_t size) {
	struct writer w = writer_over(buf, size);
	static const uint16_t head[] = { 0, 0, 1, 0, 0, 0 }; /* id, flags, counts */
	for (size_t i = 0; i < ARRAY_LEN(head); i++) {
		writer_be16(&w, head[i]);
	}
	for (const char *label = name; *label;) {
		size_t len = strcspn(label, ".");
		if (len == 0 || len > LABEL_MAX) {
			return -EINVAL;
		}
		writer_u8(&w, (uint8_t)len);
		writer_copy(&w, label, len);
		label += len + (label[len] == '.');
	}
	writer_u8(&w, 0);
	writer_be16(&w, (uint16_t)type);
	writer_be16(&w, UNICAST_WANTED | CLASS_IN);
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

static void put_label(struct writer *w, bool first, const uint8_t *label, size_t len) {
	if (!first) {
		text_put(w, ".");
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t c = label[i] < 0x20 || label[i] > 0x7e ? '?' : label[i];
		writer_copy(w, &c, 1);
	}
}

/* Reads a name at r, which may go on elsewhere in the message; r ends after its part
 * of it. Each pointer must lead to a place before the last one. */
static void name_read(struct reader *r, const uint8_t *message, size_t len, char *out) {
	struct writer w = writer_over(out, MDNS_NAME_MAX - 1);
	struct reader other;
	struct reader *at = r;
	bool first = true;
	size_t limit = len;
	for (unsigned pointers = 0; !at->failed && !w.failed;) {
		uint8_t size = reader_u8(at);
		if (size == 0) {
			break;
		}
		if ((size & LABEL_POINTER) == LABEL_POINTER) {
			size_t target = (size_t)(size & ~LABEL_POINTER & 0xff) << 8 | reader_u8(at);
			if (target >= limit || ++pointers > POINTERS_MAX) {
				r->failed = true;
				break;
			}
			limit = target;
			other = reader_over(message + target, len - target);
			at = &other;
			continue;
		}
		const uint8_t *label = size <= LABEL_MAX ? reader_take(at, size) : NULL;
		if (!label) {
			r->failed = true;
			break;
		}
		put_label(&w, first, label, size);
		first = false;
	}
	r->failed = r->failed || at->failed || w.failed;
	out[MDNS_NAME_MAX - 1 - w.left] = '\0';
}

static void address_read(struct reader *data, bool v6, struct address *out) {
	*out = (struct address){ 0 };
	if (v6) {
		reader_copy(data, out->ip, sizeof(out->ip));
		return;
	}
	out->ip[10] = out->ip[11] = 0xff;
	reader_copy(data, out->ip + 12, 4);
}

/* True when it was a record of a kind that we know. */
static bool record_read(
		struct reader *r, const uint8_t *message, size_t len, struct mdns_record *record) {
	*record = (struct mdns_record){ 0 };
	name_read(r, message, len, record->name);
	unsigned type = reader_be16(r);
	reader_take(r, 2 + 4); /* class, time to live */
	size_t size = reader_be16(r);
	const uint8_t *bytes = reader_take(r, size);
	if (!bytes) {
		return false;
	}
	/* A name in the data may point back into the message, so its own reader goes on
	 * no further than the data. */
	struct reader data = reader_over(bytes, size);
	record->type = (enum mdns_type)type;
	switch (record->type) {
	case MDNS_A:
	case MDNS_AAAA:
		address_read(&data, type == MDNS_AAAA, &record->address);
		break;
	case MDNS_SRV:
		reader_take(&data, 4); /* priority, weight */
		record->port = reader_be16(&data);
		name_read(&data, message, len, record->target);
		break;
	case MDNS_PTR:
		name_read(&data, message, len, record->target);
		break;
	default:
		return false;
	}
	r->failed = r->failed || !reader_done(&data);
	return !r->failed;
}

int mdns_answer_parse(const void *data, size_t len, struct mdns_record *records, size_t max) {
	const uint8_t *message = data;
	struct reader r = reader_over(data, len);
	reader_be16(&r);
	unsigned flags = reader_be16(&r);
	size_t questions = reader_be16(&r);
	size_t answers = reader_be16(&r);
	answers += reader_be16(&r);
	answers += reader_be16(&r);
	if (r.failed) {
		return -EBADMSG;
	}
	if (!(flags & FLAG_ANSWER)) {
		return -ENOENT;
	}
	for (size_t i = 0; i < questions && !r.failed; i++) {
		char name[MDNS_NAME_MAX];
		name_read(&r, message, len, name);
		reader_take(&r, 4);
	}
	size_t count = 0;
	for (size_t i = 0; i < answers && !r.failed; i++) {
		struct mdns_record record;
		if (record_read(&r, message, len, &record) && count < max) {
			records[count++] = record;
		}
	}
	return r.failed ? -EBADMSG : (int)count;
}
