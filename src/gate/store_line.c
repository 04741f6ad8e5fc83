/* SPDX-License-Identifier: MIT */
#include "gate/store_line.h"

#include <string.h>

#include "base/log.h"
#include "ipc/channel.h"

/* Every request to the store begins with its number. */
static uint32_t request_of(const struct ipc_message *message) {
	return message->client_ref.request;
}

_Static_assert(offsetof(struct ipc_message, client.request) ==
						offsetof(struct ipc_message, client_ref.request) &&
				offsetof(struct ipc_message, client_settings.request) ==
						offsetof(struct ipc_message, client_ref.request) &&
				offsetof(struct ipc_message, profile.request) ==
						offsetof(struct ipc_message, client_ref.request) &&
				offsetof(struct ipc_message, profile_ref.request) ==
						offsetof(struct ipc_message, client_ref.request) &&
				offsetof(struct ipc_message, app.request) ==
						offsetof(struct ipc_message, client_ref.request) &&
				offsetof(struct ipc_message, app_ref.request) ==
						offsetof(struct ipc_message, client_ref.request),
		"request_of() reads them all alike");

static void drop(struct store_line *line, unsigned index) {
	line->count--;
	memmove(line->waiting + index, line->waiting + index + 1,
			(line->count - index) * sizeof(line->waiting[0]));
}

bool store_line_add(
		struct store_line *line, const struct ipc_message *message, uint64_t deadline_ms) {
	if (line->count == STORE_LINE_MAX) {
		return false;
	}
	line->waiting[line->count].message = *message;
	line->waiting[line->count].deadline_ms = deadline_ms;
	line->count++;
	return true;
}

void store_line_answered(struct store_line *line, uint32_t request) {
	for (unsigned i = line->count; i-- > 0;) {
		if (request_of(&line->waiting[i].message) == request) {
			drop(line, i);
		}
	}
}

void store_line_repeat(struct store_line *line, struct channel *channel, uint64_t now_ms) {
	for (unsigned i = line->count; i-- > 0;) {
		if (now_ms >= line->waiting[i].deadline_ms) {
			drop(line, i);
		}
	}
	for (unsigned i = 0; i < line->count; i++) {
		log_info("store-asked-again", "message=%s",
				ipc_kind_name(line->waiting[i].message.kind));
		channel_post(channel, &line->waiting[i].message, NULL, 0);
	}
}
