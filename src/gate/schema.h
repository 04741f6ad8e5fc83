/* SPDX-License-Identifier: MIT */
#ifndef GATE_SCHEMA_H
#define GATE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"

/* What the API takes and gives, as tables: requests are checked against them, and the
 * OpenAPI document is made from them. Pure; any thread. */

struct json_t;

enum schema_form {
	SCHEMA_BOOLEAN,
	SCHEMA_INTEGER, /* min to max */
	SCHEMA_NUMBER,
	SCHEMA_LINE,  /* one line of printable text, min to max bytes */
	SCHEMA_TEXT,  /* any text, min to max bytes */
	SCHEMA_PIN,   /* four digits, as text */
	SCHEMA_ID,    /* a 64-bit number as decimal text: what answers carry */
	SCHEMA_ID_IN, /* the same, or a number: what requests may carry */
	SCHEMA_OBJECT,
	SCHEMA_LIST, /* of min to max items */
	SCHEMA_ANY,
};

struct schema;

struct schema_field {
	const char *name;
	enum schema_form form;
	enum schema_form item; /* of a list */
	bool needed;           /* the others may be missing, or null */
	bool foreign;          /* of Wolf's pipelines: taken, kept, without effect here */
	int64_t min, max;
	int64_t item_max;        /* of a list's numbers (from 0) or texts */
	const struct schema *of; /* of an object, or of a list's objects */
	const char *words;
};

struct schema {
	const char *name; /* in the document */
	const struct schema_field *fields;
	size_t count;
	bool open; /* may have other fields as well */
};

enum {
	SCHEMA_FAULT_MAX = 400,
	SCHEMA_DEPTH_MAX = 8,
};

/* True when the object is as the schema says. Else fault says in words for a person what is
 * wrong, and with which field. */
bool schema_check(const struct schema *schema, const struct json_t *object,
		char fault[SCHEMA_FAULT_MAX]);

/* The first field in it, also of objects in it, that is of Wolf's pipelines and says something.
 * NULL: there is none. */
const char *schema_foreign(const struct schema *schema, const struct json_t *object);

/* The body as an object that fits the schema, to be freed with json_decref(). No key may
 * stand twice, nothing behind the object. -EBADMSG with a fault, -ENOMEM. */
int schema_parse(const struct schema *schema, struct span text, struct json_t **out,
		char fault[SCHEMA_FAULT_MAX]) NODISCARD;

/* The same for the query of an address: each parameter is a field. An empty query is an
 * object without fields. */
int schema_parse_query(const struct schema *schema, struct span query, struct json_t **out,
		char fault[SCHEMA_FAULT_MAX]) NODISCARD;

/* An id in either form; 0 when there is none. */
uint64_t schema_id(const struct json_t *object, const char *name);

/* The text of a field, or otherwise (which may be NULL). Borrowed from the object. */
const char *schema_text(const struct json_t *object, const char *name, const char *otherwise);
int64_t schema_integer(const struct json_t *object, const char *name, int64_t otherwise);
bool schema_flag(const struct json_t *object, const char *name, bool otherwise);

/* The schema as JSON Schema 2020-12; objects below it are references into
 * #/components/schemas. NULL: no memory. */
struct json_t *schema_document(const struct schema *schema);

#endif
