/* SPDX-License-Identifier: MIT */
#include "gate/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "proto/http.h"

OWN_DEFINE(json_t *, json_decref)

enum {
	ID_DIGITS_MAX = 20,
	PIN_DIGITS = 4,
	NAME_MAX_ = 64,
	VALUE_MAX = 1024,
	NAMES_MAX = 240,
};

struct place {
	char path[80]; /* of the field that is looked at */
	char *fault;
	int depth;
};

static bool wrong(struct place *place, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

static bool wrong(struct place *place, const char *format, ...) {
	char words[SCHEMA_FAULT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	text_format(place->fault, SCHEMA_FAULT_MAX, "\"%s\" %s", place->path, words);
	return false;
}

/* ---- single values ---- */

static bool parse_id(const char *text, size_t len, uint64_t *out) {
	uint64_t value = 0;
	if (len == 0 || len > ID_DIGITS_MAX) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(text[i] - '0');
		if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
			return false;
		}
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

static bool read_id(const json_t *value, uint64_t *out) {
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*out = (uint64_t)json_integer_value(value);
		return true;
	}
	return json_is_string(value) &&
	       parse_id(json_string_value(value), json_string_length(value), out);
}

static bool check_integer(struct place *place, const json_t *value, int64_t min, int64_t max) {
	int64_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < min || (max && number > max)) {
		return max ? wrong(place, "must be a whole number from %" PRId64 " to %" PRId64 ".",
					     min, max)
			   : wrong(place, "must be a whole number of at least %" PRId64 ".", min);
	}
	return true;
}

static bool check_text(
		struct place *place, const json_t *value, bool line, int64_t min, int64_t max) {
	size_t len = json_string_length(value);
	if (!json_is_string(value) || (int64_t)len < min || (int64_t)len > max) {
		return wrong(place, "must be a text of %" PRId64 " to %" PRId64 " bytes.", min,
				max);
	}
	if (line && !text_is_printable(json_string_value(value), len)) {
		return wrong(place, "must not have control characters.");
	}
	return true;
}

static bool check_pin(struct place *place, const json_t *value) {
	const char *pin = json_string_value(value);
	if (!pin || json_string_length(value) != PIN_DIGITS ||
			strspn(pin, "0123456789") != PIN_DIGITS) {
		return wrong(place, "must be a PIN of four digits, as text, like \"1234\".");
	}
	return true;
}

static bool check_object(struct place *place, const struct schema *schema, const json_t *object);

static bool check_list(struct place *place, const struct schema_field *field, const json_t *value);

static bool check_id(struct place *place, const json_t *value) {
	uint64_t id;
	return read_id(value, &id) || wrong(place, "must be a number, as text or as it is.");
}

static bool check_value(
		struct place *place, const struct schema_field *field, const json_t *value) {
	switch (field->form) {
	case SCHEMA_BOOLEAN:
		return json_is_boolean(value) || wrong(place, "must be true or false.");
	case SCHEMA_INTEGER:
		return check_integer(place, value, field->min, field->max);
	case SCHEMA_NUMBER:
		return json_is_number(value) || wrong(place, "must be a number.");
	case SCHEMA_LINE:
	case SCHEMA_TEXT:
		return check_text(place, value, field->form == SCHEMA_LINE, field->min, field->max);
	case SCHEMA_PIN:
		return check_pin(place, value);
	case SCHEMA_ID:
	case SCHEMA_ID_IN:
		return check_id(place, value);
	case SCHEMA_OBJECT:
		return check_object(place, field->of, value);
	case SCHEMA_LIST:
		return check_list(place, field, value);
	case SCHEMA_ANY:
		break;
	}
	return true;
}

static bool check_list(struct place *place, const struct schema_field *field, const json_t *value) {
	size_t count = json_array_size(value);
	if (!json_is_array(value) || (int64_t)count < field->min || (int64_t)count > field->max) {
		return wrong(place, "must be a list of %" PRId64 " to %" PRId64 " items.",
				field->min, field->max);
	}
	const struct schema_field item = {
		.name = field->name, .form = field->item, .max = field->item_max, .of = field->of
	};
	for (size_t i = 0; i < count; i++) {
		if (!check_value(place, &item, json_array_get(value, i))) {
			return false;
		}
	}
	return true;
}

/* ---- objects ---- */

static const struct schema_field *find_field(const struct schema *schema, const char *name) {
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->fields[i].name, name) == 0) {
			return &schema->fields[i];
		}
	}
	return NULL;
}

/* Goes down to a field; returns how long the path was. */
static size_t enter(struct place *place, const char *name) {
	size_t len = strlen(place->path);
	text_format(place->path + len, sizeof(place->path) - len, "%s%s", len ? "." : "", name);
	return len;
}

/* As many as fit. */
static void name_fields(const struct schema *schema, char *out, size_t size) {
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < schema->count; i++) {
		const char *name = schema->fields[i].name;
		if (used + strlen(name) + sizeof(", ...") > size) {
			text_copy(out + used, size - used, ", ...");
			return;
		}
		text_format(out + used, size - used, "%s%s", i ? ", " : "", name);
		used = strlen(out);
	}
}

static bool check_known(struct place *place, const struct schema *schema, const json_t *object) {
	const char *name;
	json_t *value;
	/* The library's iteration wants a pointer to something that may change. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		if (schema->open || find_field(schema, name)) {
			continue;
		}
		bool shows = text_is_printable(name, strlen(name));
		enter(place, shows ? name : "?");
		char names[NAMES_MAX];
		name_fields(schema, names, sizeof(names));
		return wrong(place, "is not a field that is known here%s%s.",
				names[0] ? "; these are: " : "", names);
	}
	return true;
}

static bool check_fields(struct place *place, const struct schema *schema, const json_t *object) {
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_field *field = &schema->fields[i];
		const json_t *value = json_object_get(object, field->name);
		size_t back = enter(place, field->name);
		bool missing = !value || json_is_null(value);
		if (missing && field->needed) {
			return wrong(place, "is missing.");
		}
		if (!missing && !check_value(place, field, value)) {
			return false;
		}
		place->path[back] = '\0';
	}
	return true;
}

static bool check_object(struct place *place, const struct schema *schema, const json_t *object) {
	if (!json_is_object(object)) {
		return wrong(place, "must be an object.");
	}
	if (++place->depth > SCHEMA_DEPTH_MAX) {
		return wrong(place, "is too deep.");
	}
	bool good = check_known(place, schema, object) && check_fields(place, schema, object);
	place->depth--;
	return good;
}

bool schema_check(const struct schema *schema, const json_t *object, char fault[SCHEMA_FAULT_MAX]) {
	struct place place = { .fault = fault };
	return check_object(&place, schema, object);
}

const char *schema_foreign(const struct schema *schema, const json_t *object) {
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_field *field = &schema->fields[i];
		const json_t *value = json_object_get(object, field->name);
		const char *text = json_string_value(value);
		if (field->foreign && text && text[0]) {
			return field->name;
		}
		/* No schema is in itself: requests are of two levels. */
		const char *inner = field->form == SCHEMA_OBJECT && json_is_object(value)
						    ? schema_foreign(field->of, value)
						    : NULL;
		if (inner) {
			return inner;
		}
	}
	return NULL;
}

int schema_parse(const struct schema *schema, struct span text, json_t **out,
		char fault[SCHEMA_FAULT_MAX]) {
	OWN(json_decref) json_t *body = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(body)) {
		text_copy(fault, SCHEMA_FAULT_MAX, "The request is not a JSON object.");
		return -EBADMSG;
	}
	if (!schema_check(schema, body, fault)) {
		return -EBADMSG;
	}
	*out = TAKE(body, NULL);
	return 0;
}

/* ---- queries ---- */

/* A parameter has no type of its own: it is read as what its field wants. */
static json_t *query_value(const struct schema_field *field, const char *text) {
	bool digits = text[0] && strlen(text) < ID_DIGITS_MAX - 1 &&
		      strspn(text, "0123456789") == strlen(text);
	if (field && field->form == SCHEMA_INTEGER && digits) {
		return json_integer(strtoll(text, NULL, 10));
	}
	if (field && field->form == SCHEMA_BOOLEAN &&
			(strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
		return json_boolean(text[0] == 't');
	}
	return json_string(text);
}

static int add_parameter(const struct schema *schema, struct span part, json_t *into) {
	char name[NAME_MAX_], value[VALUE_MAX];
	const char *equals = (const char *)memchr(part.at, '=', part.len);
	size_t name_len = equals ? (size_t)(equals - part.at) : part.len;
	size_t skip = name_len + (equals != NULL);
	if (http_query_decode((struct span){ part.at, name_len }, name, sizeof(name)) < 0 ||
			http_query_decode((struct span){ part.at + skip, part.len - skip }, value,
					sizeof(value)) < 0 ||
			json_object_get(into, name)) {
		return -EBADMSG;
	}
	json_t *found = query_value(find_field(schema, name), value);
	return json_object_set_new(into, name, found) < 0 ? -EBADMSG : 0;
}

int schema_parse_query(const struct schema *schema, struct span query, json_t **out,
		char fault[SCHEMA_FAULT_MAX]) {
	OWN(json_decref) json_t *object = json_object();
	while (query.len > 0) {
		const char *end = (const char *)memchr(query.at, '&', query.len);
		size_t len = end ? (size_t)(end - query.at) : query.len;
		if (len > 0 && add_parameter(schema, (struct span){ query.at, len }, object) < 0) {
			text_copy(fault, SCHEMA_FAULT_MAX, "The parameters cannot be read.");
			return -EBADMSG;
		}
		size_t skip = len + (end != NULL);
		query = (struct span){ query.at + skip, query.len - skip };
	}
	if (!object) {
		return -ENOMEM;
	}
	if (!schema_check(schema, object, fault)) {
		return -EBADMSG;
	}
	*out = TAKE(object, NULL);
	return 0;
}

/* ---- reading ---- */

uint64_t schema_id(const json_t *object, const char *name) {
	uint64_t id = 0;
	return read_id(json_object_get(object, name), &id) ? id : 0;
}

const char *schema_text(const json_t *object, const char *name, const char *otherwise) {
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : otherwise;
}

int64_t schema_integer(const json_t *object, const char *name, int64_t otherwise) {
	const json_t *value = json_object_get(object, name);
	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool schema_flag(const json_t *object, const char *name, bool otherwise) {
	const json_t *value = json_object_get(object, name);
	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}
