/* SPDX-License-Identifier: MIT */
#ifndef PROTO_XML_H
#define PROTO_XML_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"

/* The little XML that Moonlight's HTTP answers are made of: a <root> with a status,
 * elements, nothing else. Written into the caller's buffer; what does not fit is
 * noticed once, by xml_end(). */
struct xml {
	struct writer out;
	size_t size;
};

/* Opens the document and <root>. Errors travel as HTTP 200 with the status in here,
 * because clients hide the text of an HTTP error (moonlight-qt nvhttp.cpp:153-164,
 * moonlight-embedded http.c:67). message and query may be NULL. */
void xml_begin(struct xml *xml, char *buf, size_t size, int status, const char *message,
		const char *query);

void xml_open(struct xml *xml, const char *name);
void xml_close(struct xml *xml, const char *name);

/* One element with text in it, escaped; what is not well-formed printable UTF-8 comes
 * out as question marks. */
void xml_text(struct xml *xml, const char *name, const char *text);
void xml_number(struct xml *xml, const char *name, int64_t number);
void xml_hex(struct xml *xml, const char *name, const void *data, size_t len);

/* Closes <root> and answers the document's length, -ENOSPC when it did not fit. */
int xml_end(struct xml *xml) NODISCARD;

/* For the probe: what such an answer says. Not an XML parser: it knows no comments,
 * no CDATA and no attributes but those of <root>. */

/* The text between <name> and the next </name>, as written. -ENOENT. */
int xml_find(struct span document, const char *name, struct span *out) NODISCARD;

/* An attribute of <root>, as written. -ENOENT. */
int xml_root_attribute(struct span document, const char *name, struct span *out) NODISCARD;

/* Undoes escaping into out, which is terminated; answers the length. -EBADMSG for an
 * entity that is not one of XML's five, -ENOSPC. */
int xml_unescape(struct span text, char *out, size_t size) NODISCARD;

#endif
