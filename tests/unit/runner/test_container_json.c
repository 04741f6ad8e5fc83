/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "ipc/message.h"
#include "runner/container_json.h"

static struct ipc_message plan, start;

static void put(char *to, uint16_t *len, const char *word) {
	memcpy(to + *len, word, strlen(word) + 1);
	*len = (uint16_t)(*len + strlen(word) + 1);
}

static void begin(const char *base) {
	plan = (struct ipc_message){ .kind = IPC_RUNNER_PLAN };
	start = (struct ipc_message){ .kind = IPC_RUNNER_START };
	plan.runner_plan.network = 1;
	plan.runner_plan.session = 0xab;
	text_copy(plan.runner_plan.host, sizeof(plan.runner_plan.host), "host-1");
	text_copy(plan.runner_plan.image, sizeof(plan.runner_plan.image), "game:1");
	plan.runner_plan.json_len = (uint16_t)strlen(base);
	memcpy(plan.runner_plan.json, base, strlen(base));
	put(start.runner_start.env, &start.runner_start.env_len, "PUID=1000");
}

static json_t *made(void) {
	char error[200] = "";
	char *text = container_create_json(&plan, &start, error, sizeof(error));
	if (!text) {
		fail_msg("%s", error);
	}
	json_t *body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	assert_non_null(body);
	return body;
}

static void expect_json(json_t *value, const char *wanted) {
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

/* Env, Binds and Devices are added to, ports are replaced, the rest stays. */
static void the_base_is_merged_as_wolf_does(void **state) {
	(void)state;
	begin("{\"Image\":\"other\",\"Env\":[\"A=1\"],\"Labels\":{\"mine\":\"x\"},"
	      "\"HostConfig\":{\"IpcMode\":\"host\",\"CapAdd\":[\"NET_RAW\"],"
	      "\"Binds\":[\"/a:/a\"],\"Devices\":[{\"PathOnHost\":\"/dev/b\"}],"
	      "\"PortBindings\":{\"1/tcp\":[]}},\"ExposedPorts\":{\"1/tcp\":{}}}");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "mount=/homes/a:/home/retro:rw");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "device=/dev/c:/dev/d:rw");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "device=/dev/e");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "port=8080:80");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "port=5353:53/udp");
	json_t *body = made(), *host = json_object_get(body, "HostConfig");
	expect_json(json_object_get(body, "Image"), "\"game:1\"");
	expect_json(json_object_get(body, "Env"), "[\"A=1\",\"PUID=1000\"]");
	expect_json(json_object_get(body, "Labels"), "{\"mine\":\"x\",\"perigee.host\":\"host-1\","
						     "\"perigee.session\":\"00000000000000ab\"}");
	expect_json(json_object_get(host, "IpcMode"), "\"host\"");
	expect_json(json_object_get(host, "CapAdd"), "[\"NET_RAW\"]");
	expect_json(json_object_get(host, "Binds"), "[\"/a:/a\",\"/homes/a:/home/retro:rw\"]");
	expect_json(json_object_get(host, "Devices"),
			"[{\"PathOnHost\":\"/dev/b\"},"
			"{\"CgroupPermissions\":\"rw\",\"PathInContainer\":\"/dev/d\","
			"\"PathOnHost\":\"/dev/c\"},"
			"{\"CgroupPermissions\":\"rwm\",\"PathInContainer\":\"/dev/e\","
			"\"PathOnHost\":\"/dev/e\"}]");
	expect_json(json_object_get(host, "PortBindings"),
			"{\"53/udp\":[{\"HostPort\":\"5353\"}],\"80/"
			"tcp\":[{\"HostPort\":\"8080\"}]}");
	expect_json(json_object_get(body, "ExposedPorts"), "{\"53/udp\":{},\"80/tcp\":{}}");
	assert_null(json_object_get(body, "Cmd"));
	assert_null(json_object_get(host, "NetworkMode"));
	json_decref(body);
}

static void without_a_base_there_is_what_is_needed(void **state) {
	(void)state;
	begin("");
	plan.runner_plan.network = 0;
	text_copy(plan.runner_plan.folder, sizeof(plan.runner_plan.folder), "/srv");
	put(start.runner_start.argv, &start.runner_start.argv_len, "sh");
	put(start.runner_start.argv, &start.runner_start.argv_len, "");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "gpu=nvidia");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "pads=/dev/perigee-run/s-ab");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "raw=245");
	json_t *body = made(), *host = json_object_get(body, "HostConfig");
	expect_json(json_object_get(body, "Cmd"), "[\"sh\",\"\"]");
	expect_json(json_object_get(body, "WorkingDir"), "\"/srv\"");
	expect_json(json_object_get(host, "NetworkMode"), "\"none\"");
	expect_json(json_object_get(host, "Binds"),
			"[\"/dev/perigee-run/s-ab/input:/dev/input:rw\","
			"\"/dev/perigee-run/s-ab/raw:/dev/hid:rw\","
			"\"/dev/perigee-run/s-ab/udev:/run/udev:ro\"]");
	expect_json(json_object_get(host, "DeviceCgroupRules"), "[\"c 13:* rw\",\"c 245:* rw\"]");
	expect_json(json_object_get(host, "CapDrop"), "[\"MKNOD\"]");
	expect_json(json_object_get(host, "DeviceRequests"),
			"[{\"Capabilities\":[[\"gpu\"]],\"Count\":-1,\"Driver\":\"nvidia\"}]");
	expect_json(json_object_get(body, "Env"), "[\"PUID=1000\",\"NVIDIA_VISIBLE_DEVICES=all\","
						  "\"NVIDIA_DRIVER_CAPABILITIES=all\"]");
	json_decref(body);
}

/* With a rule that opens every input device, who makes nodes may read the host's keyboard. */
static void nodes_are_made_inside_only_by_whom_the_base_lets(void **state) {
	(void)state;
	static const char *const lets[] = { "MKNOD", "cap_mknod", "ALL" };
	for (size_t i = 0; i < ARRAY_LEN(lets); i++) {
		char base[128];
		text_format(base, sizeof(base), "{\"HostConfig\":{\"CapAdd\":[\"CHOWN\",\"%s\"]}}",
				lets[i]);
		begin(base);
		put(plan.runner_plan.list, &plan.runner_plan.list_len, "pads=/dev/perigee/s");
		json_t *body = made();
		assert_null(json_object_get(json_object_get(body, "HostConfig"), "CapDrop"));
		json_decref(body);
	}
	begin("{\"HostConfig\":{\"CapDrop\":[\"NET_RAW\"],\"CapAdd\":[\"NET_ADMIN\"]}}");
	put(plan.runner_plan.list, &plan.runner_plan.list_len, "pads=/dev/perigee/s");
	json_t *body = made();
	expect_json(json_object_get(json_object_get(body, "HostConfig"), "CapDrop"),
			"[\"NET_RAW\",\"MKNOD\"]");
	json_decref(body);
}

static void a_base_that_is_none_is_told(void **state) {
	(void)state;
	static const char *const bases[] = { "{", "[]", "{\"a\":1,\"a\":2}", "{} x", "3" };
	for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
		char error[200] = "";
		begin(bases[i]);
		assert_null(container_create_json(&plan, &start, error, sizeof(error)));
		assert_memory_equal(error, "base_create_json, line", 22);
	}
}

static void one_beside_the_app_is_labelled_as_that(void **state) {
	(void)state;
	begin("");
	json_t *body = made();
	assert_null(json_object_get(json_object_get(body, "Labels"), CONTAINER_LABEL_EXTRA));
	json_decref(body);
	plan.runner_plan.extra = 4000000001u;
	body = made();
	expect_json(json_object_get(json_object_get(body, "Labels"), CONTAINER_LABEL_EXTRA),
			"\"4000000001\"");
	json_decref(body);
}

static void an_engine_is_believed_only_what_has_the_form(void **state) {
	(void)state;
	static const char good[] = "[{\"Id\":\"0a\",\"Labels\":{\"perigee.session\":"
				   "\"00000000000000ff\"}},{\"Id\":\"0b\",\"Labels\":null}]";
	static const char *const bad[] = { "{}", "[{}]", "[{\"Id\":\"../x\"}]", "[{\"Id\":\"\"}]",
		"[" };
	struct container_row rows[CONTAINER_LIST_MAX];
	assert_int_equal(container_parse_list(good, sizeof(good) - 1, rows), 2);
	assert_string_equal(rows[0].id, "0a");
	assert_int_equal(rows[0].session, 0xff);
	assert_int_equal(rows[1].session, 0);
	assert_false(rows[0].extra);
	static const char beside[] = "[{\"Id\":\"0c\",\"Labels\":{\"perigee.session\":"
				     "\"00000000000000ff\",\"perigee.extra\":\"9\"}}]";
	assert_int_equal(container_parse_list(beside, sizeof(beside) - 1, rows), 1);
	assert_true(rows[0].extra && rows[0].session == 0xff);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(container_parse_list(bad[i], strlen(bad[i]), rows), -EBADMSG);
	}
	struct container_seen seen;
	static const char state_text[] = "{\"State\":{\"Running\":false,\"ExitCode\":137,"
					 "\"OOMKilled\":true,\"Error\":\"a\\nb\"},"
					 "\"Config\":{\"Tty\":true}}";
	assert_int_equal(container_parse_seen(state_text, sizeof(state_text) - 1, &seen), 0);
	assert_true(!seen.running && seen.out_of_memory && seen.terminal);
	assert_int_equal(seen.exit_code, 137);
	assert_string_equal(seen.error, "a b");
	static const char runs[] = "{\"State\":{\"Running\":true,\"Pid\":4711}}";
	assert_int_equal(seen.pid, 0);
	assert_int_equal(container_parse_seen(runs, sizeof(runs) - 1, &seen), 0);
	assert_int_equal(seen.pid, 4711);
	assert_int_equal(container_parse_seen("{}", 2, &seen), -EBADMSG);
}

/* Recorded of Docker, shortened. */
static void a_pull_tells_how_far_it_is(void **state) {
	(void)state;
	static const char lines[] =
			"{\"status\":\"Pulling from library/x\",\"id\":\"latest\"}\r\n"
			"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1048576,"
			"\"total\":4194304},\"id\":\"aa\"}\r\n"
			"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":4194304,"
			"\"total\":4194304},\"id\":\"bb\"}\r\n"
			"{\"status\":\"Odd\",\"progressDetail\":{\"current\":-5,"
			"\"total\":9223372036854775807},\"id\":\"cc\"}\r\n";
	struct container_pull pull = { 0 };
	for (size_t i = 0; i < sizeof(lines) - 1; i++) {
		container_pull_add(&pull, (struct span){ lines + i, 1 });
	}
	assert_int_equal(pull.percent, 62);
	assert_string_equal(pull.error, "");
	static const char error[] = "{\"errorDetail\":{\"message\":\"no such\"},"
				    "\"error\":\"no such\"}\n";
	container_pull_add(&pull, (struct span){ error, sizeof(error) - 1 });
	assert_string_equal(pull.error, "no such");
}

static void names_are_encoded_for_a_target(void **state) {
	(void)state;
	char out[64], target[600];
	assert_true(container_encode("ghcr.io/a/b:c&d", out, sizeof(out)));
	assert_string_equal(out, "ghcr.io%2Fa%2Fb%3Ac%26d");
	assert_false(container_encode("////////////////////////", out, sizeof(out)));
	container_list_target("h", 7, target, sizeof(target));
	assert_string_equal(target,
			"/containers/json?all=1&filters=%7B%22label%22%3A%5B%22perigee.host%3Dh%22"
			"%2C%22perigee.session%3D0000000000000007%22%5D%7D");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_base_is_merged_as_wolf_does),
		UNIT(without_a_base_there_is_what_is_needed),
		UNIT(nodes_are_made_inside_only_by_whom_the_base_lets),
		UNIT(a_base_that_is_none_is_told),
		UNIT(one_beside_the_app_is_labelled_as_that),
		UNIT(an_engine_is_believed_only_what_has_the_form),
		UNIT(a_pull_tells_how_far_it_is),
		UNIT(names_are_encoded_for_a_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
