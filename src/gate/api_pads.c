/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "gate/api.h"
#include "gate/events.h"
#include "gate/gate.h"

/* Gamepads that came to a desktop's app or went, told as Wolf tells of them: what udev says
 * of the device, as an object, and its record, as a name with lines. */

/* NAME=VALUE, each ended by a NUL. */
static json_t *words_json(const char *at, size_t len) {
	json_t *object = json_object();
	for (const char *end = at + len; at < end;) {
		size_t word = strnlen(at, (size_t)(end - at));
		size_t name = strcspn(at, "=");
		if (at + word == end || name >= word) {
			break; /* it does not end, or is none */
		}
		char key[64];
		text_format(key, sizeof(key), "%.*s", (int)name, at);
		json_object_set_new(object, key, json_string(at + name + 1));
		at += word + 1;
	}
	return object;
}

static json_t *lines_json(const char *text) {
	json_t *lines = json_array();
	while (*text) {
		size_t len = strcspn(text, "\n");
		json_array_append_new(lines, json_stringn(text, len));
		text += len + (text[len] == '\n');
	}
	return lines;
}

void api_handle_told_pad(struct gate *gate, const struct ipc_message *message) {
	const __typeof__(message->told_pad) *pad = &message->told_pad;
	char id[API_ID_SIZE];
	api_id_text(pad->session, id);
	events_tell(gate, pad->gone ? EVENT_PAD_UNPLUGGED : EVENT_PAD_PLUGGED, pad->session, NULL,
			json_pack("{s:s,s:[o],s:[[s,o]]}", "session_id", id, "udev_events",
					words_json(pad->words, pad->words_len),
					"udev_hw_db_entries", pad->name, lines_json(pad->record)));
}
