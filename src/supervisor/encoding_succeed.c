/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/desk.h"
#include "supervisor/encoding_inside.h"
#include "supervisor/supervisor.h"

/* Successors of an encoding's process, once for all its viewers. The one before is gone
 * for good or stands still for good; its ring with its last packets is with the streams,
 * so they go on with those until the next one's is there. */

enum {
	KIND_FAILURES = 3, /* of one encoder kind in a minute: the next one's turn */
};

/* clang-format off */
static const struct restarts_rule rules[ENCODING_KINDS] = {
	[ENCODING_PICTURES] = { .at_once = 4, .most = 9, .first_ms = 100, .wait_max_ms = 2000 },
	[ENCODING_SOUND]    = { .at_once = 4, .most = 9, .first_ms = 200, .wait_max_ms = 5000 },
};
/* clang-format on */

static void failed(struct encoding *encoding, uint32_t reason);

void encoding_start(struct encoding *encoding) {
	struct place *place = &encoding->place;
	restarts_tried(&place->restarts);
	if (encoding->asked_kbps) {
		encoding->form.pictures.bitrate_kbps = TAKE(encoding->asked_kbps, 0);
	}
	int rc = encoding_spawn(encoding);
	if (rc == 0) {
		rc = encoding_order(encoding);
	}
	if (rc < 0 && !place->child) {
		failed(encoding, REASON_SPAWN_FAILED);
	} else if (rc < 0) {
		child_fence(place->child, REASON_RESOURCES, strerror(-rc));
	}
	encoding_keep(encoding);
}

static int handle_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct encoding *encoding = (struct encoding *)user;
	encoding->place.retry = sd_event_source_disable_unref(encoding->place.retry);
	encoding_start(encoding);
	return 0;
}

/* A driver that fails again and again, a GPU that fell off the bus: the next kind
 * of encoder goes on. */
static void judge_kind(struct encoding *encoding, uint32_t reason) {
	static const struct restarts_rule rule = { .at_once = UINT8_MAX, .most = UINT8_MAX };
	uint32_t wait_ms;
	char name[sizeof(encoding->name)];
	memcpy(name, encoding->name, sizeof(name));
	if (restarts_failed(&encoding->kind_restarts, &rule, reason, clock_now_ms(), &wait_ms) &&
			encoding->kind_restarts.recent >= KIND_FAILURES &&
			encoding_give_up_kind(encoding)) {
		encoding->kind_restarts = (struct restarts){ 0 };
		encoding->place.restarts =
				(struct restarts){ .total = encoding->place.restarts.total };
		log_warning("encoder-kind-given-up",
				"session=%016llx kind=%s reason=%s failures=%d",
				(unsigned long long)encoding->desk->id, log_quote(name).text,
				reason_row(reason)->name, KIND_FAILURES);
	}
}

static void failed(struct encoding *encoding, uint32_t reason) {
	struct desk *desk = encoding->desk;
	if (encoding->desktop_gone && !desk->desktop_ready) {
		return; /* it comes with the desktop */
	}
	if (encoding->kind == ENCODING_PICTURES && reason != REASON_RESTARTED) {
		judge_kind(encoding, reason);
	}
	const struct place_name name = { desk->id, encoding_part(encoding->kind) };
	if (!place_failed(&encoding->place, desk->supervisor->event, &rules[encoding->kind], &name,
			    reason, handle_retry, encoding)) {
		encoding_trouble(encoding, REASON_RESTARTS_SPENT, name.part);
	}
}

/* Another one of it would say the same. */
static bool is_final(uint32_t reason) {
	return reason == REASON_NO_ENCODER || reason == REASON_UNSUPPORTED;
}

void encoding_ended(struct encoding *encoding, const struct child_end *end) {
	place_missed(&encoding->place);
	fd_release(&encoding->ring_fd);
	encoding_keep(encoding);
	if (encoding->kind == ENCODING_PICTURES && encoding->opened) {
		struct ipc_message gone = { .kind = IPC_DESKTOP_ENCODER_GONE,
			.desktop_encoder.encoder = encoding->encoder };
		child_post(encoding->desk->desktop, &gone, NULL, 0);
	}
	if (is_final(end->reason)) {
		encoding_trouble(encoding, end->reason, end->detail);
	} else {
		failed(encoding, end->reason);
	}
}

static void mend(struct encoding *encoding) {
	struct place *place = &encoding->place;
	if (!place->child && !place->retry) {
		place_missed(place);
		encoding_start(encoding);
	} else if (place->child && place->child->orders == 0 && encoding_order(encoding) < 0) {
		child_fence(place->child, REASON_RESOURCES, "its orders could not be given");
	}
}

void encodings_mend(struct desk *desk) {
	for (struct encoding *at = desk->encodings, *next; at; at = next) {
		next = at->next;
		if (encoding_members(at) == 0) {
			encoding_leave(at, REASON_ASKED);
		} else if (!at->desktop_gone || desk->desktop_ready) {
			mend(at);
		}
	}
	encodings_raise(desk);
}

void encoding_answered(struct encoding *encoding, struct child *child, bool missed) {
	(void)encoding;
	if (missed) {
		child_fence(child, REASON_SUPERVISOR_DIED, "it was told what nobody remembers");
	}
}
