/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "supervisor/desk.h"
#include "supervisor/encoding_inside.h"
#include "supervisor/record.h"
#include "supervisor/supervisor.h"

/* What a supervisor that takes over must know and have of an encoding. */

static void write_one(const struct encoding *encoding) {
	const struct encoding_form *form = &encoding->form;
	struct ipc_message message = {
		.kind = IPC_LEDGER_ENCODING,
		.ledger_encoding = { .encoding = encoding->id,
				.desk = encoding->desk->id,
				.kind = (uint8_t)encoding->kind,
				.opened = encoding->opened,
				.pictures = form->pictures,
				.channels = form->channels,
				.streams = form->streams,
				.coupled = form->coupled,
				.frame_ms = form->frame_ms,
				.bitrate_bps = form->bitrate_bps,
				.encoder = encoding->encoder,
				.invalidation = encoding->invalidation,
				.kinds_failed = encoding->kinds_failed,
				.desktop_gone = encoding->desktop_gone,
				.own = encoding->own },
	};
	text_copy(message.ledger_encoding.name, sizeof(message.ledger_encoding.name),
			encoding->name);
	record_note(encoding->desk->supervisor, encoding->id, &message);
}

void encodings_write(const struct desk *desk) {
	for (const struct encoding *at = desk->encodings; at; at = at->next) {
		write_one(at);
	}
}

void encoding_keep(struct encoding *encoding) {
	struct keep *keep = &encoding->desk->supervisor->keep;
	if (encoding->ring_fd >= 0) {
		keep_put(keep, encoding->ring_fd, "e%u.ring", encoding->id);
	} else if (encoding->kept) {
		keep_drop(keep, "e%u.", encoding->id);
	}
	encoding->kept = encoding->ring_fd >= 0;
	record_touch_desk(encoding->desk);
}

void encoding_forget(struct encoding *encoding) {
	struct supervisor *supervisor = encoding->desk->supervisor;
	record_drop(supervisor, IPC_LEDGER_ENCODING, encoding->id);
	keep_drop(&supervisor->keep, "e%u.", encoding->id);
	record_touch_desk(encoding->desk);
}

void encoding_restore(struct desk *desk, const struct ipc_message *record) {
	const typeof(record->ledger_encoding) *from = &record->ledger_encoding;
	struct encoding *encoding =
			encoding_make(desk, (enum encoding_kind)from->kind, from->encoding);
	if (!encoding) {
		return; /* its process finds nobody, its view is mended */
	}
	encoding->opened = from->opened;
	encoding->form = (struct encoding_form){
		.pictures = from->pictures,
		.channels = from->channels,
		.streams = from->streams,
		.coupled = from->coupled,
		.frame_ms = from->frame_ms,
		.bitrate_bps = from->bitrate_bps,
	};
	encoding->encoder = from->encoder;
	encoding->invalidation = from->invalidation;
	encoding->kinds_failed = from->kinds_failed;
	encoding->desktop_gone = from->desktop_gone;
	encoding->own = from->own;
	text_copy(encoding->name, sizeof(encoding->name), from->name);
	encoding->ring_fd = keep_take(&desk->supervisor->keep, "e%u.ring", encoding->id);
	encoding_keep(encoding);
}
