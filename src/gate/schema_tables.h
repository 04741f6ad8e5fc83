/* SPDX-License-Identifier: MIT */
#ifndef GATE_SCHEMA_TABLES_H
#define GATE_SCHEMA_TABLES_H

#include "gate/schema.h"

/* How the tables of api_schemas*.c are written: one line a field. FLAG, WHOLE, ... may be
 * missing; NEED() makes it needed. */

#define FLAG(name_, words_) \
	{ .name = name_, .form = SCHEMA_BOOLEAN, .words = words_ }
#define WHOLE(name_, min_, max_, words_) \
	{ .name = name_, .form = SCHEMA_INTEGER, .min = min_, .max = max_, .words = words_ }
#define REAL(name_, words_) \
	{ .name = name_, .form = SCHEMA_NUMBER, .words = words_ }
#define LINE(name_, min_, max_, words_) \
	{ .name = name_, .form = SCHEMA_LINE, .min = min_, .max = max_, .words = words_ }
#define TEXT(name_, max_, words_) \
	{ .name = name_, .form = SCHEMA_TEXT, .max = max_, .words = words_ }
#define PIN(name_, words_) \
	{ .name = name_, .form = SCHEMA_PIN, .words = words_ }
#define ID(name_, words_) \
	{ .name = name_, .form = SCHEMA_ID, .words = words_ }
#define ID_IN(name_, words_) \
	{ .name = name_, .form = SCHEMA_ID_IN, .words = words_ }
#define OBJECT(name_, of_, words_) \
	{ .name = name_, .form = SCHEMA_OBJECT, .of = &(of_), .words = words_ }
#define LIST(name_, max_, of_, words_) \
	{ \
		.name = name_, .form = SCHEMA_LIST, .item = SCHEMA_OBJECT, .max = max_, \
		.of = &(of_), .words = words_ \
	}
#define LINES(name_, max_, bytes_, words_) \
	{ \
		.name = name_, .form = SCHEMA_LIST, .item = SCHEMA_LINE, .max = max_, \
		.item_max = bytes_, .words = words_ \
	}
#define WHOLES(name_, max_, item_max_, words_) \
	{ \
		.name = name_, .form = SCHEMA_LIST, .item = SCHEMA_INTEGER, .max = max_, \
		.item_max = item_max_, .words = words_ \
	}
/* A field of Wolf's pipelines. */
#define FOREIGN(name_) \
	{ \
		.name = name_, .form = SCHEMA_TEXT, .max = 4096, .foreign = true, \
		.words = "Wolf's; taken and kept, without effect here." \
	}

#define NEED_FLAG(name_, words_) \
	{ .name = name_, .form = SCHEMA_BOOLEAN, .needed = true, .words = words_ }
#define NEED_WHOLE(name_, min_, max_, words_) \
	{ \
		.name = name_, .form = SCHEMA_INTEGER, .needed = true, .min = min_, .max = max_, \
		.words = words_ \
	}
#define NEED_LINE(name_, min_, max_, words_) \
	{ \
		.name = name_, .form = SCHEMA_LINE, .needed = true, .min = min_, .max = max_, \
		.words = words_ \
	}
#define NEED_TEXT(name_, max_, words_) \
	{ .name = name_, .form = SCHEMA_TEXT, .needed = true, .max = max_, .words = words_ }
#define NEED_PIN(name_, words_) \
	{ .name = name_, .form = SCHEMA_PIN, .needed = true, .words = words_ }
#define NEED_ID(name_, words_) \
	{ .name = name_, .form = SCHEMA_ID, .needed = true, .words = words_ }
#define NEED_ID_IN(name_, words_) \
	{ .name = name_, .form = SCHEMA_ID_IN, .needed = true, .words = words_ }
#define NEED_OBJECT(name_, of_, words_) \
	{ .name = name_, .form = SCHEMA_OBJECT, .needed = true, .of = &(of_), .words = words_ }
#define NEED_LIST(name_, max_, of_, words_) \
	{ \
		.name = name_, .form = SCHEMA_LIST, .needed = true, .item = SCHEMA_OBJECT, \
		.max = max_, .of = &(of_), .words = words_ \
	}
#define NEED_LINES(name_, max_, bytes_, words_) \
	{ \
		.name = name_, .form = SCHEMA_LIST, .needed = true, .item = SCHEMA_LINE, \
		.max = max_, .item_max = bytes_, .words = words_ \
	}
#define NEED_WHOLES(name_, max_, item_max_, words_) \
	{ \
		.name = name_, .form = SCHEMA_LIST, .needed = true, .item = SCHEMA_INTEGER, \
		.max = max_, .item_max = item_max_, .words = words_ \
	}

#define SUCCESS NEED_FLAG("success", NULL)

/* A schema of its own, and one that other files name. */
#define PART(symbol, name_, ...) \
	static const struct schema_field symbol##_fields[] = { __VA_ARGS__ }; \
	static const struct schema symbol = { .name = name_, \
		.fields = symbol##_fields, \
		.count = sizeof(symbol##_fields) / sizeof(symbol##_fields[0]) }
#define SCHEMA(symbol, name_, ...) \
	static const struct schema_field symbol##_fields[] = { __VA_ARGS__ }; \
	const struct schema symbol = { .name = name_, \
		.fields = symbol##_fields, \
		.count = sizeof(symbol##_fields) / sizeof(symbol##_fields[0]) }
#define SCHEMA_OPEN(symbol, name_) const struct schema symbol = { .name = name_, .open = true }
#define PART_OPEN(symbol, name_, ...) \
	static const struct schema_field symbol##_fields[] = { __VA_ARGS__ }; \
	static const struct schema symbol = { .name = name_, \
		.fields = symbol##_fields, \
		.count = sizeof(symbol##_fields) / sizeof(symbol##_fields[0]), \
		.open = true }

#endif
