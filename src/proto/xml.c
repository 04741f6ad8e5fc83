/* SPDX-License-Identifier: MIT */
#include "proto/xml.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"

static const struct {
	char character;
	const char *entity;
} entities[] = {
	{ '&', "&amp;" },
	{ '<', "&lt;" },
	{ '>', "&gt;" },
	{ '"', "&quot;" },
	{ '\'', "&apos;" },
};

static void character_put(struct writer *w, char c, bool printable) {
	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		if (c == entities[i].character) {
			text_put(w, entities[i].entity);
			return;
		}
	}
	bool plain = c >= 0x20 && c < 0x7f;
	writer_u8(w, plain || printable ? (uint8_t)c : '?');
}

static void escaped_put(struct writer *w, const char *text) {
	bool printable = text_is_printable(text, strlen(text));
	for (; *text; text++) {
		character_put(w, *text, printable);
	}
}

static void attribute_put(struct writer *w, const char *name, const char *text) {
	if (text) {
		text_putf(w, " %s=\"", name);
		escaped_put(w, text);
		text_put(w, "\"");
	}
}

void xml_begin(struct xml *xml, char *buf, size_t size, int status, const char *message,
		const char *query) {
	*xml = (struct xml){ .out = writer_over(buf, size), .size = size };
	text_put(&xml->out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
	text_putf(&xml->out, "<root status_code=\"%d\"", status);
	attribute_put(&xml->out, "status_message", message);
	attribute_put(&xml->out, "query", query);
	text_put(&xml->out, ">");
}

void xml_open(struct xml *xml, const char *name) {
	text_putf(&xml->out, "<%s>", name);
}

void xml_close(struct xml *xml, const char *name) {
	text_put(&xml->out, "</");
	text_put(&xml->out, name);
	text_put(&xml->out, ">");
}

void xml_text(struct xml *xml, const char *name, const char *text) {
	xml_open(xml, name);
	escaped_put(&xml->out, text);
	xml_close(xml, name);
}

void xml_number(struct xml *xml, const char *name, int64_t number) {
	text_putf(&xml->out, "<%s>%lld</%s>", name, (long long)number, name);
}

void xml_hex(struct xml *xml, const char *name, const void *data, size_t len) {
	const uint8_t *bytes = (const uint8_t *)data;
	xml_open(xml, name);
	for (size_t i = 0; i < len; i++) {
		char digits[3];
		hex_encode(&bytes[i], 1, digits);
		text_put(&xml->out, digits);
	}
	xml_close(xml, name);
}

int xml_end(struct xml *xml) {
	xml_close(xml, "root");
	return xml->out.failed ? -ENOSPC : (int)(xml->size - xml->out.left);
}

/* Where text next occurs in span, or NULL. */
static const char *locate(struct span span, const char *text) {
	return memmem(span.at, span.len, text, strlen(text));
}

static struct span span_from(struct span span, const char *at) {
	return (struct span){ at, span.len - (size_t)(at - span.at) };
}

/* What lies between `before` and the next `after`. */
static int between(struct span text, const char *before, const char *after, struct span *out) {
	const char *begin = locate(text, before);
	if (!begin) {
		return -ENOENT;
	}
	begin += strlen(before);
	const char *end = locate(span_from(text, begin), after);
	if (!end) {
		return -ENOENT;
	}
	*out = (struct span){ begin, (size_t)(end - begin) };
	return 0;
}

int xml_find(struct span document, const char *name, struct span *out) {
	char before[64], after[64];
	if (!text_format(before, sizeof(before), "<%s>", name) ||
			!text_format(after, sizeof(after), "</%s>", name)) {
		return -ENOENT;
	}
	return between(document, before, after, out);
}

int xml_root_attribute(struct span document, const char *name, struct span *out) {
	char before[64];
	struct span root;
	int rc = between(document, "<root", ">", &root);
	if (rc < 0 || !text_format(before, sizeof(before), " %s=\"", name)) {
		return -ENOENT;
	}
	return between(root, before, "\"", out);
}

static int entity_read(struct span text, char *out) {
	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		size_t len = strlen(entities[i].entity);
		if (text.len >= len && memcmp(text.at, entities[i].entity, len) == 0) {
			*out = entities[i].character;
			return (int)len;
		}
	}
	return -EBADMSG;
}

int xml_unescape(struct span text, char *out, size_t size) {
	size_t len = 0;
	while (text.len > 0) {
		char c = text.at[0];
		int taken = c == '&' ? entity_read(text, &c) : 1;
		if (taken < 0) {
			return taken;
		}
		if (len + 1 >= size) {
			return -ENOSPC;
		}
		out[len++] = c;
		text.at += taken;
		text.len -= (size_t)taken;
	}
	if (size == 0) {
		return -ENOSPC;
	}
	out[len] = '\0';
	return (int)len;
}
