/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <jansson.h>

#include "gate/api.h"
#include "gate/api_schemas.h"
#include "gate/web.h"

/* The OpenAPI 3.1 document, from the table of routes and the schemas it names. */

static const char api_version[] = "1.0";

/* A schema and, before it, all it refers to, each once. */
static void add_schema(json_t *schemas, const struct schema *schema) {
	if (!schema || json_object_get(schemas, schema->name)) {
		return;
	}
	json_object_set_new(schemas, schema->name, schema_document(schema));
	for (size_t i = 0; i < schema->count; i++) {
		add_schema(schemas, schema->fields[i].of);
	}
}

static json_t *reference(const struct schema *schema) {
	return json_pack("{s:s+}", "$ref", "#/components/schemas/", schema->name);
}

static json_t *json_content(const struct schema *schema) {
	return json_pack("{s:{s:o}}", "application/json", "schema", reference(schema));
}

static json_t *answers(const struct route *route) {
	const struct route_words *about = &route->about;
	const struct schema *gives = about->gives ? about->gives : &schema_success;
	json_t *content = about->media ? json_pack("{s:{s:{s:s}}}", about->media, "schema", "type",
							 "string")
				       : json_content(gives);
	if (about->media && about->gives) {
		json_object_set_new(content, "application/json",
				json_pack("{s:o}", "schema", reference(gives)));
	}
	return json_pack("{s:{s:s,s:o},s:{s:s,s:o}}", "200", "description", "It was done.",
			"content", content, "default", "description", "It was not; error says why.",
			"content", json_content(&schema_error));
}

static json_t *parameters(const struct schema *takes) {
	json_t *list = json_array(), *document = schema_document(takes);
	json_t *properties = json_object_get(document, "properties");
	for (size_t i = 0; i < takes->count; i++) {
		const struct schema_field *field = &takes->fields[i];
		json_array_append_new(
				list, json_pack("{s:s,s:s,s:b,s:O}", "name", field->name, "in",
						      "query", "required", field->needed, "schema",
						      json_object_get(properties, field->name)));
	}
	json_decref(document);
	return list;
}

static json_t *doors_of(const struct route *route) {
	json_t *list = json_array();
	if (route->doors & ON(WEB)) {
		json_array_append_new(list, json_string("https"));
	}
	if (route->doors & ON(API)) {
		json_array_append_new(list, json_string("unix"));
	}
	if (route->doors & ON(DESK)) {
		json_array_append_new(list, json_string("desktop"));
	}
	return list;
}

static json_t *operation(const struct route *route) {
	const struct route_words *about = &route->about;
	json_t *out = json_pack("{s:s,s:o,s:o}", "summary", about->words, "responses",
			answers(route), "x-perigee-doors", doors_of(route));
	if (route->access == ACCESS_KEY && !(route->doors & ON(DESK))) {
		const char *scope = api_scope_name(about->scope);
		json_object_set_new(out, "security", json_pack("[{s:[s]}]", "token", scope));
		json_object_set_new(out, "x-perigee-scope", json_string(scope));
	} else {
		json_object_set_new(out, "security", json_array());
	}
	if (about->takes && about->takes->count && route->method == HTTP_GET) {
		json_object_set_new(out, "parameters", parameters(about->takes));
	} else if (about->takes && route->method == HTTP_POST) {
		json_object_set_new(out, "requestBody",
				json_pack("{s:b,s:o}", "required", 1, "content",
						json_content(about->takes)));
	}
	return out;
}

static void add_route(json_t *paths, json_t *schemas, const struct route *route) {
	json_t *path = json_object_get(paths, route->path);
	if (!path) {
		path = json_object();
		json_object_set_new(paths, route->path, path);
	}
	json_object_set_new(path, route->method == HTTP_GET ? "get" : "post", operation(route));
	add_schema(schemas, route->about.gives);
	if (route->method == HTTP_POST) {
		add_schema(schemas, route->about.takes);
	}
}

json_t *openapi_document(void) {
	json_t *paths = json_object(), *schemas = json_object();
	add_schema(schemas, &schema_success);
	add_schema(schemas, &schema_error);
	for (size_t i = 0; i < web_site.n_routes; i++) {
		if (web_site.routes[i].about.words &&
				web_site.routes[i].doors & (ON(WEB) | ON(API) | ON(DESK))) {
			add_route(paths, schemas, &web_site.routes[i]);
		}
	}
	return json_pack("{s:s,s:{s:s,s:s,s:s},s:o,s:{s:o,s:{s:{s:s,s:s,s:s}}}}", "openapi",
			"3.1.0", "info", "title", "Perigee API", "version", api_version,
			"description",
			"On the Unix socket nothing else is needed; on the web port a token. Each "
			"desktop has a socket of its own (PERIGEE_SOCKET) with the calls that say "
			"\"desktop\" in x-perigee-doors, which are about that desktop.",
			"paths", paths, "components", "schemas", schemas, "securitySchemes",
			"token", "type", "http", "scheme", "bearer", "description",
			"Also as X-Perigee-Key. Scopes say what a token may do.");
}
