/* SPDX-License-Identifier: MIT */
#include "runner/container_json.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "ipc/message.h"
#include "ipc/pad.h"

OWN_DEFINE(json_t *, json_decref)

#define LAYER_BYTES_MAX (1LL << 50)

/* A list with a name in an object, made if it is missing or something else. */
static json_t *list_in(json_t *object, const char *name) {
	json_t *list = json_object_get(object, name);
	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(object, name, list);
	}
	return list;
}

static json_t *object_in(json_t *object, const char *name) {
	json_t *inner = json_object_get(object, name);
	if (!json_is_object(inner)) {
		inner = json_object();
		json_object_set_new(object, name, inner);
	}
	return inner;
}

/* HOST[:INSIDE[:PERMISSIONS]] */
static void add_device(json_t *host, const char *text) {
	size_t len = strcspn(text, ":");
	const char *inside = text[len] ? text + len + 1 : text;
	size_t inside_len = text[len] ? strcspn(inside, ":") : len;
	const char *may = inside[inside_len] == ':' && text[len] ? inside + inside_len + 1 : "rwm";
	json_array_append_new(list_in(host, "Devices"),
			json_pack("{s:s#,s:s#,s:s}", "PathOnHost", text, (int)len,
					"PathInContainer", inside, (int)inside_len,
					"CgroupPermissions", may));
}

/* HOST:INSIDE[/tcp|/udp] */
static void add_port(json_t *body, json_t *host, const char *text, bool first) {
	char inside[48];
	size_t len = strcspn(text, ":");
	const char *port = text[len] ? text + len + 1 : text;
	text_format(inside, sizeof(inside), "%s%s", port, strchr(port, '/') ? "" : "/tcp");
	if (first) { /* what is configured replaces what the base says */
		json_object_set_new(body, "ExposedPorts", json_object());
		json_object_set_new(host, "PortBindings", json_object());
	}
	json_object_set_new(object_in(body, "ExposedPorts"), inside, json_object());
	json_array_append_new(list_in(object_in(host, "PortBindings"), inside),
			json_pack("{s:s#}", "HostPort", text, (int)len));
}

/* As the NVIDIA container toolkit wants to be asked. */
static void add_nvidia(json_t *body, json_t *host) {
	json_array_append_new(list_in(host, "DeviceRequests"),
			json_pack("{s:s,s:i,s:[[s]]}", "Driver", "nvidia", "Count", -1,
					"Capabilities", "gpu"));
	json_array_append_new(list_in(body, "Env"), json_string("NVIDIA_VISIBLE_DEVICES=all"));
	json_array_append_new(list_in(body, "Env"), json_string("NVIDIA_DRIVER_CAPABILITIES=all"));
}

/* Whoever may make nodes could make those of every device that a rule opens: engines let
 * containers make any, and Docker gives its own the capability. */
static void drop_mknod(json_t *host) {
	json_t *added = json_object_get(host, "CapAdd");
	for (size_t i = 0; i < json_array_size(added); i++) {
		const char *name = json_string_value(json_array_get(added, i));
		if (name && (strcasecmp(name, "MKNOD") == 0 || strcasecmp(name, "CAP_MKNOD") == 0 ||
					    strcasecmp(name, "ALL") == 0)) {
			return; /* wanted by who wrote it */
		}
	}
	json_array_append_new(list_in(host, "CapDrop"), json_string("MKNOD"));
}

/* The desktop's gamepads: their nodes as they come and go, and udev's records of them.
 * Podman takes the rule from 4.4 on. */
static void add_pads(json_t *host, const char *folder) {
	json_array_append_new(
			list_in(host, "Binds"), json_sprintf("%s/input:/dev/input:rw", folder));
	json_array_append_new(list_in(host, "Binds"),
			json_sprintf("%s/raw:" PAD_RAW_FOLDER ":rw", folder));
	json_array_append_new(list_in(host, "Binds"), json_sprintf("%s/udev:/run/udev:ro", folder));
	json_array_append_new(list_in(host, "DeviceCgroupRules"), json_string("c 13:* rw"));
	drop_mknod(host);
}

static void add_list(json_t *body, json_t *host, const struct ipc_message *plan) {
	const char *at = plan->runner_plan.list, *end = at + plan->runner_plan.list_len;
	bool first = true;
	for (; at < end; at += strlen(at) + 1) {
		if (strncmp(at, "mount=", 6) == 0) {
			json_array_append_new(list_in(host, "Binds"), json_string(at + 6));
		} else if (strncmp(at, "device=", 7) == 0) {
			add_device(host, at + 7);
		} else if (strncmp(at, "port=", 5) == 0) {
			add_port(body, host, at + 5, first);
			first = false;
		} else if (strncmp(at, "pads=", 5) == 0) {
			add_pads(host, at + 5);
		} else if (strncmp(at, "raw=", 4) == 0) {
			json_array_append_new(list_in(host, "DeviceCgroupRules"),
					json_sprintf("c %s:* rw", at + 4));
		} else if (strcmp(at, "gpu=nvidia") == 0) {
			add_nvidia(body, host);
		}
	}
}

/* Strings that lie one after the other, each ended by a NUL. */
static void add_strings(json_t *list, const char *at, size_t len) {
	for (const char *end = at + len; at < end; at += strlen(at) + 1) {
		json_array_append_new(list, json_string(at));
	}
}

static bool ends_well(const char *bytes, size_t len) {
	return len == 0 || bytes[len - 1] == '\0';
}

static json_t *load_base(const struct ipc_message *plan, char *out_error, size_t size) {
	size_t len = plan->runner_plan.json_len;
	json_error_t error;
	if (len == 0) {
		return json_object();
	}
	json_t *base = json_loadb(plan->runner_plan.json, len, JSON_REJECT_DUPLICATES, &error);
	if (base && json_is_object(base)) {
		return base;
	}
	text_format(out_error, size, "base_create_json, line %d: %s", base ? 1 : error.line,
			base ? "an object is expected" : error.text);
	json_decref(base);
	return NULL;
}

static void add_labels(json_t *body, const struct ipc_message *plan) {
	json_t *labels = object_in(body, "Labels");
	json_object_set_new(labels, CONTAINER_LABEL_HOST, json_string(plan->runner_plan.host));
	char session[24];
	text_format(session, sizeof(session), "%016llx",
			(unsigned long long)plan->runner_plan.session);
	json_object_set_new(labels, CONTAINER_LABEL_SESSION, json_string(session));
	if (plan->runner_plan.extra) {
		json_object_set_new(labels, CONTAINER_LABEL_EXTRA,
				json_sprintf("%u", plan->runner_plan.extra));
	}
}

char *container_create_json(const struct ipc_message *plan, const struct ipc_message *start,
		char *out_error, size_t size) {
	const char *argv = start->runner_start.argv, *env = start->runner_start.env;
	size_t argv_len = start->runner_start.argv_len, env_len = start->runner_start.env_len;
	if (!ends_well(argv, argv_len) || !ends_well(env, env_len) ||
			!ends_well(plan->runner_plan.list, plan->runner_plan.list_len)) {
		text_copy(out_error, size, "a text does not end");
		return NULL;
	}
	OWN(json_decref) json_t *body = load_base(plan, out_error, size);
	if (!body) {
		return NULL;
	}
	json_t *host = object_in(body, "HostConfig");
	json_object_set_new(body, "Image", json_string(plan->runner_plan.image));
	add_strings(list_in(body, "Env"), env, env_len);
	if (argv_len > 0) {
		json_object_set_new(body, "Cmd", json_array());
		add_strings(list_in(body, "Cmd"), argv, argv_len);
	}
	if (plan->runner_plan.folder[0]) {
		json_object_set_new(body, "WorkingDir", json_string(plan->runner_plan.folder));
	}
	if (!plan->runner_plan.network) {
		json_object_set_new(host, "NetworkMode", json_string("none"));
	}
	add_labels(body, plan);
	add_list(body, host, plan);
	char *text = json_dumps(body, JSON_COMPACT);
	if (!text) {
		text_copy(out_error, size, "the request cannot be written");
	}
	return text;
}

bool container_encode(const char *text, char *out, size_t size) {
	static const char digits[] = "0123456789ABCDEF";
	size_t len = 0;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
		if (len + (plain ? 1 : 3) >= size) {
			return false;
		}
		if (plain) {
			out[len++] = (char)c;
		} else {
			out[len++] = '%';
			out[len++] = digits[c >> 4];
			out[len++] = digits[c & 15];
		}
	}
	out[len] = '\0';
	return true;
}

void container_list_target(const char *host, uint64_t session, char *out, size_t size) {
	char filter[256], encoded[768], one[64] = "";
	if (session) {
		text_format(one, sizeof(one), ",\"" CONTAINER_LABEL_SESSION "=%016llx\"",
				(unsigned long long)session);
	}
	text_format(filter, sizeof(filter), "{\"label\":[\"" CONTAINER_LABEL_HOST "=%s\"%s]}", host,
			one);
	(void)container_encode(filter, encoded, sizeof(encoded));
	text_format(out, size, "/containers/json?all=1&filters=%s", encoded);
}

void container_remove_target(const char *ref, char *out, size_t size) {
	text_format(out, size, "/containers/%s?force=1&v=1", ref);
}

static json_t *load(const char *text, size_t len) {
	return json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
}

/* An id goes into a request's target: nothing but what belongs there. */
static bool take_id(const json_t *value, char *out, size_t size) {
	const char *id = json_string_value(value);
	return id && id[0] && strlen(id) < size && id[strspn(id, "0123456789abcdef")] == '\0' &&
	       text_copy(out, size, id);
}

static uint64_t session_of(const json_t *labels) {
	const char *text = json_string_value(json_object_get(labels, CONTAINER_LABEL_SESSION));
	uint64_t session = 0;
	if (!text || strlen(text) != 16 || text[strspn(text, "0123456789abcdef")]) {
		return 0;
	}
	for (; *text; text++) {
		session = session << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	}
	return session;
}

int container_parse_list(const char *text, size_t len, struct container_row *out) {
	OWN(json_decref) json_t *list = load(text, len);
	int count = 0;
	if (!json_is_array(list)) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < json_array_size(list) && count < CONTAINER_LIST_MAX; i++) {
		json_t *row = json_array_get(list, i);
		if (!take_id(json_object_get(row, "Id"), out[count].id, CONTAINER_ID_MAX)) {
			return -EBADMSG;
		}
		const json_t *labels = json_object_get(row, "Labels");
		out[count].extra = json_object_get(labels, CONTAINER_LABEL_EXTRA) != NULL;
		out[count++].session = session_of(labels);
	}
	return count;
}

int container_parse_id(const char *text, size_t len, char *out, size_t size) {
	OWN(json_decref) json_t *object = load(text, len);
	return take_id(json_object_get(object, "Id"), out, size) ? 0 : -EBADMSG;
}

static void copy_line(char *out, size_t size, const char *text) {
	text_copy(out, size, text ? text : "");
	for (char *at = out; *at; at++) {
		*at = (unsigned char)*at < 0x20 || *at == 0x7f ? ' ' : *at;
	}
}

int container_parse_seen(const char *text, size_t len, struct container_seen *out) {
	OWN(json_decref) json_t *object = load(text, len);
	json_t *state = json_object_get(object, "State");
	json_t *running = json_object_get(state, "Running");
	if (!json_is_boolean(running)) {
		return -EBADMSG;
	}
	*out = (struct container_seen){ .running = json_is_true(running),
		.out_of_memory = json_is_true(json_object_get(state, "OOMKilled")),
		.terminal = json_is_true(json_object_get(json_object_get(object, "Config"), "Tty")),
		.exit_code = (int)json_integer_value(json_object_get(state, "ExitCode")) & 0xff };
	json_int_t pid = json_integer_value(json_object_get(state, "Pid"));
	out->pid = out->running && pid > 0 && pid <= INT32_MAX ? (uint32_t)pid : 0;
	copy_line(out->error, sizeof(out->error),
			json_string_value(json_object_get(state, "Error")));
	return 0;
}

void container_parse_message(const char *text, size_t len, char *out, size_t size) {
	OWN(json_decref) json_t *object = load(text, len);
	copy_line(out, size, json_string_value(json_object_get(object, "message")));
}

static void note_layer(struct container_pull *pull, const char *id, json_t *progress) {
	json_int_t current = json_integer_value(json_object_get(progress, "current"));
	json_int_t total = json_integer_value(json_object_get(progress, "total"));
	unsigned i = 0;
	if (total <= 0 || total > LAYER_BYTES_MAX || current < 0) {
		return;
	}
	while (i < pull->count && strcmp(pull->layers[i].id, id) != 0) {
		i++;
	}
	if (i == CONTAINER_LAYERS_MAX) {
		return;
	}
	text_copy(pull->layers[i].id, sizeof(pull->layers[i].id), id);
	pull->count += i == pull->count;
	pull->layers[i].total = (uint64_t)total;
	pull->layers[i].current = (uint64_t)(current < total ? current : total);
}

static void take_line(struct container_pull *pull) {
	OWN(json_decref) json_t *object = load(pull->line, pull->line_len);
	const char *id = json_string_value(json_object_get(object, "id"));
	const char *error = json_string_value(json_object_get(object, "error"));
	uint64_t current = 0, total = 0;
	if (error) {
		copy_line(pull->error, sizeof(pull->error), error);
	}
	if (id && strlen(id) < sizeof(pull->layers[0].id)) {
		note_layer(pull, id, json_object_get(object, "progressDetail"));
	}
	for (unsigned i = 0; i < pull->count; i++) {
		current += pull->layers[i].current / 1024;
		total += pull->layers[i].total / 1024;
	}
	pull->percent = total ? (unsigned)(current * 100 / total) : pull->percent;
}

bool container_pull_add(struct container_pull *pull, struct span bytes) {
	unsigned before = pull->percent;
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.at[i] == '\n') {
			take_line(pull);
			pull->line_len = 0;
		} else if (pull->line_len < sizeof(pull->line)) {
			pull->line[pull->line_len++] = bytes.at[i];
		}
	}
	return pull->percent != before;
}
