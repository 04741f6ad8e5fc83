/* SPDX-License-Identifier: MIT */
#include "supervisor/shot.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/reason.h"
#include "supervisor/desk.h"
#include "supervisor/encoding.h"
#include "supervisor/supervisor.h"

enum {
	GRACE_MS = 300,
};

/* One that is being taken. It is over with its answer; its process may live longer. */
struct shot {
	struct desk *desk; /* borrowed */
	struct shot *next;
	uint32_t request, encoder;
	struct child *child;             /* NULL before it is spawned */
	struct sd_event_source *overdue; /* owned */
	uint64_t begun_ms;
};

static void refuse(struct supervisor *supervisor, uint32_t request, uint32_t reason) {
	struct ipc_message done = { .kind = IPC_API_DONE,
		.api_done = { .request = request, .reason = reason } };
	supervisor_post(supervisor, SERVICE_WEB, &done, NULL, 0);
}

static void handle_left_ended(struct child *child, const struct child_end *end) {
	(void)end;
	desk_child_gone((struct desk *)child->user);
}

static const struct child_owner left_owner = {
	.ended = handle_left_ended,
};

/* Without an answer. Its process is given back to the desk, which waits for its end. */
static void finish(struct shot *shot) {
	struct desk *desk = shot->desk;
	struct shot **at = &desk->shots;
	while (*at != shot) {
		at = &(*at)->next;
	}
	*at = shot->next;
	if (shot->encoder && desk->desktop) {
		struct ipc_message gone = { .kind = IPC_DESKTOP_ENCODER_GONE,
			.desktop_encoder.encoder = shot->encoder };
		child_post(desk->desktop, &gone, NULL, 0);
	}
	if (shot->child) {
		shot->child->owner = &left_owner;
		shot->child->user = desk;
		child_stop(shot->child, REASON_ASKED, GRACE_MS);
	}
	sd_event_source_disable_unref(shot->overdue);
	free(shot);
}

static void fail(struct shot *shot, uint32_t reason) {
	log_warning("shot-failed", "session=%016llx reason=%s", (unsigned long long)shot->desk->id,
			reason_row(reason)->name);
	refuse(shot->desk->supervisor, shot->request, reason);
	finish(shot);
}

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	fail((struct shot *)user, REASON_SHOT_OVERDUE);
	return 0;
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	struct shot *shot = (struct shot *)child->user;
	if (message->kind != IPC_SHOT_TAKEN || message->shot.size > SHOT_SIZE_MAX) {
		return;
	}
	struct desk *desk = shot->desk;
	struct ipc_message answer = { .kind = IPC_SHOT, .shot = message->shot };
	answer.shot.request = shot->request;
	int fd = fds_take(fds, 0);
	supervisor_post(desk->supervisor, SERVICE_WEB, &answer, &fd, 1);
	fd_close(fd);
	log_info("shot-taken", "session=%016llx width=%u height=%u bytes=%u ms=%llu",
			(unsigned long long)desk->id, answer.shot.width, answer.shot.height,
			answer.shot.size, (unsigned long long)(clock_now_ms() - shot->begun_ms));
	finish(shot);
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct shot *shot = (struct shot *)child->user;
	struct desk *desk = shot->desk;
	shot->child = NULL;
	fail(shot, end->reason ? end->reason : REASON_ENCODER_DIED);
	desk_child_gone(desk);
}

static const struct child_owner owner = {
	.message = handle_message,
	.ended = handle_ended,
};

/* As somebody sees it who watches: no further conversion is needed then. */
static void choose_format(const struct desk *desk, struct ipc_picture_format *out) {
	*out = (struct ipc_picture_format){ .width = desk->width,
		.height = desk->height,
		.chroma = CHROMA_444,
		.matrix = MATRIX_BT709,
		.full_range = 1 };
	for (const struct encoding *at = desk->encodings; at; at = at->next) {
		const struct ipc_encoding *form = &at->form.pictures;
		if (at->kind == ENCODING_PICTURES && at->opened && form->width == desk->width &&
				form->height == desk->height) {
			out->chroma = form->chroma;
			out->matrix = form->matrix;
			out->full_range = form->full_range;
		}
	}
}

static int attach(struct shot *shot, bool jpeg) {
	int pair[2];
	int rc = channel_pair(pair);
	if (rc < 0) {
		return rc;
	}
	struct desk *desk = shot->desk;
	shot->encoder = ++desk->supervisor->last_view;
	struct ipc_message attach = { .kind = IPC_DESKTOP_ENCODER,
		.desktop_encoder.encoder = shot->encoder };
	choose_format(desk, &attach.desktop_encoder.format);
	struct ipc_message start = {
		.kind = IPC_SHOT_START,
		.shot_start = { .encoder = shot->encoder, .size_max = SHOT_SIZE_MAX, .jpeg = jpeg }
	};
	child_post(desk->desktop, &attach, &pair[0], 1);
	child_post(shot->child, &start, &pair[1], 1);
	fd_close(pair[0]);
	fd_close(pair[1]);
	return 0;
}

static int begin(struct shot *shot, uint32_t deadline_ms, bool jpeg) {
	struct desk *desk = shot->desk;
	struct child_spec spec = {
		.kind = PEER_ENCODER,
		.program = "perigee-encoder",
		.args = { "screenshot", NULL },
		.session = desk->id,
		.name = "screenshot",
	};
	int rc = child_spawn(&desk->supervisor->nursery, &spec, &owner, shot, &shot->child);
	if (rc < 0) {
		return rc;
	}
	desk->children++;
	rc = sd_event_add_time_relative(desk->supervisor->event, &shot->overdue, CLOCK_MONOTONIC,
			deadline_ms * US_PER_MS, 1000, handle_overdue, shot);
	return rc < 0 ? rc : attach(shot, jpeg);
}

static unsigned count_all(const struct supervisor *supervisor) {
	unsigned count = 0;
	for (const struct desk *desk = supervisor->desks; desk; desk = desk->next) {
		for (const struct shot *at = desk->shots; at; at = at->next) {
			count++;
		}
	}
	return count;
}

void shot_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	uint32_t request = message->shot_ask.request, deadline_ms = message->shot_ask.deadline_ms;
	struct desk *desk = desk_find(supervisor, message->shot_ask.desk);
	if (!desk || desk->internal || desk->ending) {
		refuse(supervisor, request, REASON_DESKTOP_UNKNOWN);
		return;
	}
	if (!desk->desktop || !desk->desktop_ready) {
		refuse(supervisor, request, REASON_NOT_READY);
		return;
	}
	if (count_all(supervisor) >= SHOTS_MAX) {
		refuse(supervisor, request, REASON_SHOTS_MANY);
		return;
	}
	struct shot *shot = calloc(1, sizeof(*shot));
	if (!shot) {
		refuse(supervisor, request, REASON_RESOURCES);
		return;
	}
	*shot = (struct shot){
		.desk = desk, .next = desk->shots, .request = request, .begun_ms = clock_now_ms()
	};
	desk->shots = shot;
	if (begin(shot, deadline_ms ? deadline_ms : SHOT_MS, message->shot_ask.jpeg) < 0) {
		fail(shot, REASON_SPAWN_FAILED);
	}
}

void shots_release(struct desk *desk, uint32_t reason) {
	while (desk->shots) {
		fail(desk->shots, reason);
	}
}
