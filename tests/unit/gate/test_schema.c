/* SPDX-License-Identifier: MIT */
/* What the API takes: checked field by field, and refused by name. */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/own.h"
#include "gate/api.h"
#include "gate/schema.h"
#include "gate/schema_tables.h"
#include "gate/web.h"

PART(inner, "Inner", NEED_WHOLE("width", 1, 100, NULL), LINE("node", 0, 8, NULL));
PART(outer, "Outer", NEED_LINE("name", 1, 8, NULL), FLAG("flag", NULL), ID_IN("id", NULL),
		PIN("pin", NULL), OBJECT("inner", inner, NULL), WHOLES("digits", 4, 9, NULL),
		LIST("list", 2, inner, NULL));
PART(question, "Question", LINE("filter", 0, 4, NULL), WHOLE("count", 0, 9, NULL),
		FLAG("all", NULL));

static struct span span_of(const char *text) {
	return (struct span){ text, strlen(text) };
}

static void what_fits_is_taken(void **state) {
	(void)state;
	static const char *const good[] = { "{\"name\":\"a\"}",
		"{\"name\":\"a\",\"flag\":null,\"id\":\"18446744073709551615\"}",
		"{\"name\":\"a\",\"id\":5,\"pin\":\"1234\",\"inner\":{\"width\":1}}",
		"{\"name\":\"a\",\"digits\":[1,2,3,9],\"list\":[{\"width\":100,\"node\":\"\"}]}" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char fault[SCHEMA_FAULT_MAX];
		json_t *object = NULL;
		assert_int_equal(schema_parse(&outer, span_of(good[i]), &object, fault), 0);
		json_decref(object);
	}
}

PART(pipes, "Pipes", FOREIGN("h264_gst_pipeline"), LINE("name", 0, 8, NULL));
PART(piped, "Piped", OBJECT("video", pipes, NULL), FOREIGN("render_node"));

/* What has no effect here is found, for who sends it to be told; said or not. */
static void fields_of_pipelines_are_found(void **state) {
	(void)state;
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "{}", NULL },
		{ "{\"render_node\":\"\"}", NULL },
		{ "{\"render_node\":null,\"video\":{\"name\":\"x\"}}", NULL },
		{ "{\"render_node\":\"/dev/dri/renderD128\"}", "render_node" },
		{ "{\"video\":{\"h264_gst_pipeline\":\"x264enc\"}}", "h264_gst_pipeline" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char fault[SCHEMA_FAULT_MAX];
		json_t *object = NULL;
		assert_int_equal(schema_parse(&piped, span_of(rows[i].text), &object, fault), 0);
		const char *name = schema_foreign(&piped, object);
		assert_true(!name == !rows[i].name);
		if (name) {
			assert_string_equal(name, rows[i].name);
		}
		json_decref(object);
	}
}

static void what_does_not_fit_is_named(void **state) {
	(void)state;
	static const struct {
		const char *text, *fault;
	} bad[] = {
		{ "", "JSON object" },
		{ "[]", "JSON object" },
		{ "{\"name\":\"a\"} x", "JSON object" },
		{ "{\"name\":\"a\",\"name\":\"b\"}", "JSON object" },
		{ "{}", "\"name\" is missing" },
		{ "{\"name\":null}", "\"name\" is missing" },
		{ "{\"name\":\"\"}", "\"name\" must be a text of 1 to 8 bytes" },
		{ "{\"name\":\"123456789\"}", "\"name\" must be a text" },
		{ "{\"name\":\"a\\nb\"}", "\"name\" must not have control characters" },
		{ "{\"name\":\"a\",\"more\":1}", "\"more\" is not a field" },
		{ "{\"name\":\"a\",\"flag\":1}", "\"flag\" must be true or false" },
		{ "{\"name\":\"a\",\"id\":-1}", "\"id\" must be a number" },
		{ "{\"name\":\"a\",\"id\":\"18446744073709551616\"}", "\"id\" must be a number" },
		{ "{\"name\":\"a\",\"id\":\"\"}", "\"id\" must be a number" },
		{ "{\"name\":\"a\",\"pin\":1234}", "\"pin\" must be a PIN" },
		{ "{\"name\":\"a\",\"pin\":\"12345\"}", "\"pin\" must be a PIN" },
		{ "{\"name\":\"a\",\"inner\":[]}", "\"inner\" must be an object" },
		{ "{\"name\":\"a\",\"inner\":{}}", "\"inner.width\" is missing" },
		{ "{\"name\":\"a\",\"inner\":{\"width\":101}}",
				"\"inner.width\" must be a whole number from 1 to 100" },
		{ "{\"name\":\"a\",\"inner\":{\"width\":1,\"x\":0}}",
				"\"inner.x\" is not a field that is known here; these are: "
				"width, node." },
		{ "{\"name\":\"a\",\"digits\":[10]}", "\"digits\" must be a whole number" },
		{ "{\"name\":\"a\",\"digits\":[1,2,3,4,5]}", "\"digits\" must be a list" },
		{ "{\"name\":\"a\",\"list\":[{\"width\":0}]}", "\"list.width\" must be" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char fault[SCHEMA_FAULT_MAX] = "";
		json_t *object = NULL;
		assert_int_equal(schema_parse(&outer, span_of(bad[i].text), &object, fault),
				-EBADMSG);
		assert_null(object);
		if (!strstr(fault, bad[i].fault)) {
			fail_msg("%s: %s, not %s", bad[i].text, fault, bad[i].fault);
		}
	}
}

static void a_query_is_read_as_its_fields_want_it(void **state) {
	(void)state;
	char fault[SCHEMA_FAULT_MAX] = "";
	json_t *object = NULL;
	assert_int_equal(schema_parse_query(&question, span_of("filter=a%2B&count=7&all=true"),
					 &object, fault),
			0);
	assert_string_equal(schema_text(object, "filter", ""), "a+");
	assert_int_equal(schema_integer(object, "count", 0), 7);
	assert_true(schema_flag(object, "all", false));
	json_decref(object);
	assert_int_equal(schema_parse_query(&question, span_of(""), &object, fault), 0);
	json_decref(object);
	static const char *const bad[] = { "filter=toolong", "x=1", "count=x", "count=10", "all=1",
		"filter=a&filter=b", "filter=%zz" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		fault[0] = '\0';
		assert_int_equal(schema_parse_query(&question, span_of(bad[i]), &object, fault),
				-EBADMSG);
		assert_true(fault[0]);
	}
}

static void an_id_is_read_in_either_form(void **state) {
	(void)state;
	json_t *object = json_pack("{s:s,s:i}", "a", "18446744073709551615", "b", 12);
	assert_true(schema_id(object, "a") == UINT64_MAX);
	assert_true(schema_id(object, "b") == 12);
	assert_true(schema_id(object, "c") == 0);
	json_decref(object);
}

/* Who adds a call says all of it. */
static void every_route_of_the_api_is_told_of(void **state) {
	(void)state;
	for (size_t i = 0; i < web_site.n_routes; i++) {
		const struct route *route = &web_site.routes[i];
		assert_non_null(route->handle);
		bool api = strncmp(route->path, "/api/", 5) == 0 && !strstr(route->path, "/debug/");
		assert_true(!api || route->about.words);
		assert_true(!api || route->access == ACCESS_KEY);
	}
	json_t *document = openapi_document();
	assert_non_null(document);
	assert_string_equal(json_string_value(json_object_get(document, "openapi")), "3.1.0");
	json_decref(document);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(what_fits_is_taken),
		UNIT(fields_of_pipelines_are_found),
		UNIT(what_does_not_fit_is_named),
		UNIT(a_query_is_read_as_its_fields_want_it),
		UNIT(an_id_is_read_in_either_form),
		UNIT(every_route_of_the_api_is_told_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
