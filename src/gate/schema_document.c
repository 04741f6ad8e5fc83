/* SPDX-License-Identifier: MIT */
#include <jansson.h>

#include "gate/schema.h"

/* The tables as JSON Schema, for the OpenAPI document. */

static const char *const types[] = {
	[SCHEMA_BOOLEAN] = "boolean",
	[SCHEMA_INTEGER] = "integer",
	[SCHEMA_NUMBER] = "number",
	[SCHEMA_LINE] = "string",
	[SCHEMA_TEXT] = "string",
	[SCHEMA_PIN] = "string",
	[SCHEMA_ID] = "string",
	[SCHEMA_LIST] = "array",
};

static const char id_pattern[] = "^[0-9]{1,20}$";

static void put_integer(json_t *into, const char *name, int64_t value) {
	json_object_set_new(into, name, json_integer(value));
}

/* Bytes are counted here, characters in JSON Schema: never more of these. */
static void put_bounds(json_t *into, const struct schema_field *field) {
	switch (field->form) {
	case SCHEMA_INTEGER:
		put_integer(into, "minimum", field->min);
		if (field->max) {
			put_integer(into, "maximum", field->max);
		}
		break;
	case SCHEMA_LINE:
	case SCHEMA_TEXT:
		put_integer(into, "maxLength", field->max);
		break;
	case SCHEMA_PIN:
		json_object_set_new(into, "pattern", json_string("^[0-9]{4}$"));
		break;
	case SCHEMA_ID:
		json_object_set_new(into, "pattern", json_string(id_pattern));
		break;
	case SCHEMA_LIST:
		put_integer(into, "maxItems", field->max);
		break;
	default:
		break;
	}
}

static json_t *reference(const struct schema *schema) {
	return json_pack("{s:s+}", "$ref", "#/components/schemas/", schema->name);
}

static json_t *value_document(const struct schema_field *field) {
	if (field->form == SCHEMA_OBJECT) {
		return reference(field->of);
	}
	if (field->form == SCHEMA_ANY) {
		return json_object();
	}
	if (field->form == SCHEMA_ID_IN) {
		return json_pack("{s:[{s:s,s:s},{s:s,s:i}]}", "oneOf", "type", "string", "pattern",
				id_pattern, "type", "integer", "minimum", 0);
	}
	json_t *out = json_pack("{s:s}", "type", types[field->form]);
	put_bounds(out, field);
	if (field->form == SCHEMA_LIST) {
		const struct schema_field item = {
			.form = field->item, .max = field->item_max, .of = field->of
		};
		json_object_set_new(out, "items", value_document(&item));
	}
	return out;
}

static json_t *field_document(const struct schema_field *field) {
	json_t *out = value_document(field);
	if (!field->needed && field->form != SCHEMA_ANY) {
		out = json_pack("{s:[o,{s:s}]}", "oneOf", out, "type", "null");
	}
	if (field->words) {
		json_object_set_new(out, "description", json_string(field->words));
	}
	return out;
}

json_t *schema_document(const struct schema *schema) {
	json_t *properties = json_object(), *required = json_array();
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_field *field = &schema->fields[i];
		json_object_set_new(properties, field->name, field_document(field));
		if (field->needed) {
			json_array_append_new(required, json_string(field->name));
		}
	}
	json_t *out = json_pack("{s:s,s:o,s:b}", "type", "object", "properties", properties,
			"additionalProperties", schema->open);
	if (json_array_size(required) > 0) {
		json_object_set(out, "required", required);
	}
	json_decref(required);
	return out;
}
