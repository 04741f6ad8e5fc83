/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "supervisor/hold_inside.h"

/* What lies with the holder: descriptors by their names, and reports of exits that nobody
 * has taken yet. */

enum {
	GIVE_QUEUE_MAX = 64, /* messages that may wait while descriptors are given back */
};

void hold_release(struct hold *hold) {
	for (size_t i = 0; i < hold->n_held; i++) {
		fd_close(hold->held[i].fd);
	}
	hold->n_held = hold->given = 0;
}

void hold_note_exit(struct hold *hold, pid_t pid, int status) {
	if (hold->n_exits == EXITS_MAX) {
		log_warning("exit-forgotten", "pid=%d", (int)hold->exits[0].pid);
		memmove(hold->exits, hold->exits + 1, sizeof(hold->exits[0]) * --hold->n_exits);
	}
	hold->exits[hold->n_exits++] = (struct exited){ .pid = pid, .status = status };
}

static bool may_give(const struct hold *hold) {
	return channel_is_open(&hold->channel) && hold->channel.waiting_count < GIVE_QUEUE_MAX;
}

void hold_begin_giving(struct hold *hold) {
	struct ipc_message message = { .kind = IPC_HOLD_VERSION,
		.hold_version = { .version = hold->version,
				.failed = hold->failed,
				.hold_pid = (uint32_t)getpid() } };
	text_copy(message.hold_version.detail, sizeof(message.hold_version.detail), hold->failure);
	text_copy(message.hold_version.build, sizeof(message.hold_version.build),
			perigee_version());
	channel_post(&hold->channel, &message, NULL, 0);
	hold->giving = true;
	hold->given = 0;
	hold_give(hold);
}

static void tell_death(struct hold *hold) {
	const struct hold_died *died = &hold->died;
	struct ipc_message message = { .kind = IPC_HOLD_DIED,
		.hold_died = { .pid = (uint32_t)died->pid,
				.status = died->status,
				.fenced = died->fenced,
				.crashed = died->crashed,
				.evidence = died->evidence,
				.reason = died->reason } };
	text_copy(message.hold_died.detail, sizeof(message.hold_died.detail), died->detail);
	text_copy(message.hold_died.entry, sizeof(message.hold_died.entry), died->entry);
	channel_post(&hold->channel, &message, NULL, 0);
}

void hold_give(struct hold *hold) {
	while (hold->giving && hold->given < hold->n_held && may_give(hold)) {
		const struct held *held = &hold->held[hold->given++];
		struct ipc_message message = { .kind = IPC_HOLD_FD };
		text_copy(message.hold.name, sizeof(message.hold.name), held->name);
		channel_post(&hold->channel, &message, &held->fd, 1);
	}
	if (hold->giving && hold->given == hold->n_held && may_give(hold)) {
		hold->giving = false;
		struct ipc_message message = { .kind = IPC_HOLD_END };
		channel_post(&hold->channel, &message, NULL, 0);
	}
	size_t i = 0;
	for (; !hold->giving && i < hold->n_exits && may_give(hold); i++) {
		struct ipc_message message = {
			.kind = IPC_HOLD_EXITED,
			.hold_exited = { .pid = (uint32_t)hold->exits[i].pid,
					.status = hold->exits[i].status },
		};
		channel_post(&hold->channel, &message, NULL, 0);
	}
	if (!hold->giving && hold->died.pid && !hold->died.told && may_give(hold)) {
		hold->died.told = true;
		tell_death(hold);
	}
	hold->n_exits -= i;
	memmove(hold->exits, hold->exits + i, sizeof(hold->exits[0]) * hold->n_exits);
}

static size_t find_held(const struct hold *hold, const char *name) {
	size_t i = 0;
	while (i < hold->n_held && strcmp(hold->held[i].name, name) != 0) {
		i++;
	}
	return i;
}

int hold_find(const struct hold *hold, const char *name) {
	size_t i = find_held(hold, name);
	return i < hold->n_held ? hold->held[i].fd : -1;
}

void hold_handle_put(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	size_t i = find_held(hold, message->hold.name);
	if (i == HELD_MAX) {
		log_error("hold-full", "name=%s", log_quote(message->hold.name).text);
		return;
	}
	if (i == hold->n_held) {
		hold->n_held++;
		text_copy(hold->held[i].name, sizeof(hold->held[i].name), message->hold.name);
	} else {
		fd_close(hold->held[i].fd);
	}
	hold->held[i].fd = fds_take(fds, 0);
}

/* A name that ends in '.' stands for all that begin with it. */
static bool is_meant(const struct held *held, const char *name) {
	size_t len = strlen(name);
	return len > 0 && name[len - 1] == '.' ? strncmp(held->name, name, len) == 0
					       : strcmp(held->name, name) == 0;
}

void hold_handle_drop(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	size_t kept = 0, given = hold->given;
	for (size_t i = 0; i < hold->n_held; i++) {
		if (is_meant(&hold->held[i], message->hold.name)) {
			fd_close(hold->held[i].fd);
			hold->given -= i < given;
		} else {
			hold->held[kept++] = hold->held[i];
		}
	}
	hold->n_held = kept;
}
