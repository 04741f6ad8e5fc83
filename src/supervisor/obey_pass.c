/* SPDX-License-Identifier: MIT */
#include "supervisor/obey_pass.h"

#include <errno.h>
#include <stddef.h>

#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/child.h"

static struct child *find(struct nursery *nursery, uint32_t id, enum ipc_peer kind) {
	struct child *at = nursery->first;
	while (at && at->id != id && at->kind != kind) {
		at = at->next;
	}
	return at;
}

static void tell_door(struct nursery *nursery, const struct ipc_message *obeyed) {
	struct child *door = find(nursery, 0, PEER_WEB);
	if (door) {
		child_post(door, obeyed, NULL, 0);
	}
}

bool obey_pass(struct nursery *nursery, const struct ipc_message *message) {
	if (message->kind == IPC_OBEYED) {
		tell_door(nursery, message);
		return true;
	}
	if (message->kind != IPC_OBEY) {
		return false;
	}
	struct child *child = find(nursery, message->obey.worker, PEER_KINDS);
	if (child && channel_is_open(&child->channel)) {
		child_post(child, message, NULL, 0);
		return true;
	}
	struct ipc_message nobody = { .kind = IPC_OBEYED,
		.obeyed = { .request = message->obey.request,
				.worker = message->obey.worker,
				.outcome = ESRCH } };
	text_copy(nobody.obeyed.detail, sizeof(nobody.obeyed.detail),
			"there is no such worker with a channel");
	tell_door(nursery, &nobody);
	return true;
}
