/* SPDX-License-Identifier: MIT */
#include "supervisor/desk.h"

#include <stdlib.h>

#include "supervisor/session_parts.h"
#include "supervisor/supervisor.h"

struct desk *desk_make(struct supervisor *supervisor, uint64_t id, const struct app *app,
		const struct desk_owner *owner, void *user) {
	struct desk *desk = calloc(1, sizeof(*desk));
	if (desk) {
		*desk = (struct desk){
			.supervisor = supervisor,
			.owner = owner,
			.user = user,
			.id = id,
			.app = app,
			.internal = app->hidden,
			.channels = 2,
			.sound_listen_fd = -1,
			.app_pidfd = -1,
			.app_gate_fd = -1,
			.app_output_fd = -1,
		};
	}
	return desk;
}

/* They hold nothing that is needed again. */
static void let_go(struct desk *desk) {
	static const struct child_owner nobody = { 0 };
	for (struct child *child = desk->supervisor->nursery.first; child; child = child->next) {
		if (child->user == desk) {
			child->owner = &nobody;
			child->user = NULL;
		}
	}
}

void desk_destroy(struct desk *desk) {
	if (!desk) {
		return;
	}
	let_go(desk);
	session_parts_finish(desk);
	free(desk);
}

void desk_raise(struct desk *desk, enum desk_event event, uint32_t reason, const char *detail) {
	desk->owner->event(desk, event, reason, detail);
}

void desk_child_gone(struct desk *desk) {
	desk->children--;
	if (desk->children == 0 && desk->ending) {
		desk_raise(desk, DESK_EMPTY, REASON_NONE, NULL);
	}
}

void desk_resize(struct desk *desk, uint16_t width, uint16_t height, uint32_t rate_mhz) {
	if (desk->width == width && desk->height == height && desk->rate_mhz == rate_mhz) {
		return;
	}
	desk->width = width;
	desk->height = height;
	desk->rate_mhz = rate_mhz;
	struct ipc_message resize = { .kind = IPC_DESKTOP_RESIZE,
		.desktop_size = { width, height, rate_mhz } };
	child_post(desk->desktop, &resize, NULL, 0);
}
