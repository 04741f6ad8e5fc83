/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "supervisor/desk.h"
#include "supervisor/encoding_inside.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

/* An encoding on a step of the ladder was lower than its viewer asked for, so that more could
 * share it. When the others have left there is no reason for that any more. Most encoders change
 * their rate from one picture to the next; one that cannot is replaced. */

/* Nobody else reads it or is about to; NULL when there is no such viewer. */
static const struct view *only_viewer(const struct encoding *encoding) {
	const struct view *only = NULL;
	const struct supervisor *supervisor = encoding->desk->supervisor;
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->view && view_uses(at->view, encoding)) {
			if (only) {
				return NULL;
			}
			only = at->view;
		}
	}
	return only;
}

static uint32_t ceiling_kbps(const struct encoding *encoding) {
	const struct view *view = only_viewer(encoding);
	struct encoding_form form;
	if (!view || !view->opened) {
		return 0;
	}
	encoding_form(&view->params, ENCODING_PICTURES, &form);
	return form.pictures.bitrate_kbps;
}

void encoding_raise(struct encoding *encoding) {
	if (encoding->kind != ENCODING_PICTURES || !encoding->opened) {
		return;
	}
	uint32_t kbps = ceiling_kbps(encoding);
	if (kbps <= encoding->form.pictures.bitrate_kbps || kbps == encoding->asked_kbps) {
		return;
	}
	encoding->asked_kbps = kbps; /* also of a successor that is to come */
	if (!encoding->place.child) {
		return;
	}
	struct ipc_message rate = { .kind = IPC_ENCODER_RATE, .encoder_rate.bitrate_kbps = kbps };
	child_post(encoding->place.child, &rate, NULL, 0);
}

void encoding_rated(struct encoding *encoding, uint32_t kbps) {
	uint32_t was = encoding->form.pictures.bitrate_kbps, asked = encoding->asked_kbps;
	bool refused = asked != 0 && kbps != asked;
	log_info("encoding-raised",
			"session=%016llx encoding=%u from_kbps=%u to_kbps=%u at_once=%d",
			(unsigned long long)encoding->desk->id, encoding->id, was,
			refused ? asked : kbps, !refused);
	if (refused) {
		encoding_again(encoding); /* at the rate that was asked for */
		return;
	}
	encoding->asked_kbps = 0;
	encoding->form.pictures.bitrate_kbps = kbps;
	encoding_keep(encoding);
}
