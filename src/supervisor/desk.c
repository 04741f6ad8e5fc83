/* SPDX-License-Identifier: MIT */
#include "supervisor/desk.h"

#include <stdlib.h>

#include "supervisor/encoding.h"
#include "supervisor/extra.h"
#include "supervisor/session.h"
#include "supervisor/session_parts.h"
#include "supervisor/shot.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

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
			.internal = app->origin == APP_TRIAL,
			.channels = 2,
			.sound_listen_fd = -1,
			.door_fd = -1,
			.app_pidfd = -1,
			.app_gate_fd = -1,
			.udev_fd = -1,
			.app_output_fd = -1,
			.next = supervisor->desks,
		};
		supervisor->desks = desk;
	}
	if (desk) {
		apps_use(&supervisor->apps, app);
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

/* Whoever is still there had its chance to go elsewhere. */
static void drop_views(struct desk *desk) {
	for (struct session *at = desk->supervisor->sessions; at; at = at->next) {
		if (at->view && view_is_on(at->view, desk)) {
			session_raise(at, LIFE_VIEWER_LOST, REASON_DESKTOP_DIED, NULL);
		}
	}
}

void desk_destroy(struct desk *desk) {
	if (!desk) {
		return;
	}
	drop_views(desk);
	shots_release(desk, REASON_DESKTOP_UNKNOWN);
	extras_finish(desk);
	encodings_release(desk, REASON_ASKED);
	let_go(desk);
	session_parts_finish(desk);
	struct desk **at = &desk->supervisor->desks;
	while (*at != desk) {
		at = &(*at)->next;
	}
	*at = desk->next;
	apps_leave(&desk->supervisor->apps, desk->app);
	free(desk);
}

struct desk *desk_find(struct supervisor *supervisor, uint64_t id) {
	struct desk *at = supervisor->desks;
	while (at && at->id != id) {
		at = at->next;
	}
	return at;
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

void desk_restart(struct desk *desk) {
	for (struct session *at = desk->supervisor->sessions; at; at = at->next) {
		view_desktop_gone(at->view, desk);
	}
	shots_release(desk, REASON_DESKTOP_AGAIN);
	encodings_desktop_gone(desk);
	session_parts_restart_desktop(desk);
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
