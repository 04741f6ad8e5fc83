/* SPDX-License-Identifier: MIT */
#include "supervisor/by_hand.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/supervisor.h"

enum {
	DOOR_GRACE_MS = 300, /* the door that asks has the answer to carry */
};

/* What a person calls them; the name tells encoders of pictures and of sound apart. */
static const struct by_hand_row {
	const char *word;
	enum ipc_peer kind;
	const char *name;
} rows[] = {
	{ "encoder", PEER_ENCODER, "pictures" },
	{ "sound-encoder", PEER_ENCODER, "sound" },
	{ "stream", PEER_STREAM, NULL },
	{ "desktop", PEER_DESKTOP, NULL },
	{ "runner", PEER_RUNNER, NULL },
	{ "sound", PEER_SOUND, NULL },
	{ "gate", PEER_GATE, NULL },
	{ "web", PEER_WEB, NULL },
	{ "store", PEER_STORE, NULL },
	{ "facts", PEER_FACTS, NULL },
	{ "discover", PEER_DISCOVER, NULL },
};

/* A session's or a desktop's number as the status prints it, or in decimal, as the API
 * gives it. */
static bool is_session(uint64_t session, const char *id) {
	char hexadecimal[24], decimal[24];
	text_format(hexadecimal, sizeof(hexadecimal), "%016llx", (unsigned long long)session);
	text_format(decimal, sizeof(decimal), "%llu", (unsigned long long)session);
	return session && (strcmp(id, hexadecimal) == 0 || strcmp(id, decimal) == 0);
}

/* id: of the worker, or of its session. Should one number fit two processes, neither is
 * ended: find says so. */
static bool matches(const struct child *child, const struct by_hand_row *row, const char *id) {
	char worker[24];
	text_format(worker, sizeof(worker), "%u", child->id);
	return child->kind == row->kind && (!row->name || strcmp(child->name, row->name) == 0) &&
	       (!id[0] || strcmp(id, worker) == 0 || is_session(child->session, id));
}

static struct child *find(struct supervisor *supervisor, const struct ipc_message *message,
		char *detail, size_t size) {
	const struct by_hand_row *row = NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(message->restart.kind, rows[i].word) == 0) {
			row = &rows[i];
		}
	}
	if (!row) {
		text_copy(detail, size,
				"What can be restarted: encoder, sound-encoder, stream, desktop, "
				"runner, sound, gate, web, store, facts, discover.");
		return NULL;
	}
	struct child *found = NULL;
	for (struct child *at = supervisor->nursery.first; at; at = at->next) {
		if (!matches(at, row, message->restart.id)) {
			continue;
		}
		if (found) {
			text_format(detail, size,
					"There is more than one %s: say which by its session's or "
					"its own number.",
					row->word);
			return NULL;
		}
		found = at;
	}
	if (!found) {
		text_format(detail, size, "No such %s runs.", row->word);
	}
	return found;
}

void by_hand_restart(struct supervisor *supervisor, const struct ipc_message *message) {
	struct ipc_message answer = { .kind = IPC_RESTARTED,
		.restarted.request = message->restart.request };
	struct child *child = find(supervisor, message, answer.restarted.detail,
			sizeof(answer.restarted.detail));
	answer.restarted.reason = child ? REASON_NONE : REASON_NOTHING_RUNS;
	supervisor_post(supervisor, SERVICE_WEB, &answer, NULL, 0);
	if (!child) {
		return;
	}
	log_info("restart-asked", "worker=%u kind=%s session=%016llx", child->id,
			ipc_peer_name(child->kind), (unsigned long long)child->session);
	if (child->kind == PEER_WEB) {
		child_stop(child, REASON_RESTARTED, DOOR_GRACE_MS);
	} else {
		child_kill(child, REASON_RESTARTED, "restarted by hand");
	}
}
