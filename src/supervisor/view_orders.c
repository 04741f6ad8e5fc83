/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"
#include "supervisor/view_inside.h"

/* What a view's encoders are told to do: all that a client's wishes and the host's
 * encoders come to. */

enum {
	FEC_PERCENT = 20,      /* parity for data, protocol.md 6.2 */
	HEADER_PERMILLE = 970, /* what headers leave of a datagram */
	KBPS_MIN = 300,
};

/* Rates of protocol.md section 7. */
struct sound_row {
	uint8_t channels, high;
	uint8_t streams, coupled;
	uint32_t bitrate_bps;
};

static const struct sound_row sound_rows[] = {
	{ 2, 0, 1, 1, 96000 },
	{ 2, 1, 1, 1, 512000 },
	{ 6, 0, 4, 2, 256000 },
	{ 6, 1, 6, 0, 1536000 },
	{ 8, 0, 5, 3, 450000 },
	{ 8, 1, 8, 0, 2048000 },
};

static const struct sound_row *sound_row(const struct ipc_stream_params *params) {
	for (size_t i = 0; i < ARRAY_LEN(sound_rows); i++) {
		if (sound_rows[i].channels == params->channels &&
				sound_rows[i].high == params->sound_high) {
			return &sound_rows[i];
		}
	}
	return &sound_rows[0];
}

uint32_t view_video_kbps(const struct ipc_stream_params *params) {
	/* Sound goes out with half as much parity again. */
	uint32_t sound = sound_row(params)->bitrate_bps / 1000 * 3 / 2;
	uint32_t left = params->bitrate_kbps > sound ? params->bitrate_kbps - sound : 0;
	uint64_t video = (uint64_t)left * HEADER_PERMILLE / 1000 * 100 / (100 + FEC_PERCENT);
	return video > KBPS_MIN ? (uint32_t)video : KBPS_MIN;
}

static bool is_usable(const struct view *view, unsigned kind) {
	return view->session->supervisor->probed[kind].encoder_probed.mask &&
	       !(view->kinds_failed >> kind & 1);
}

/* What the probe saw working and has not failed here, in the configured order. */
static void list_kinds(const struct view *view, char *order, size_t size) {
	const struct supervisor *supervisor = view->session->supervisor;
	size_t used = 0;
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		if (is_usable(view, i) && used + 34 < size) {
			text_format(order + used, size - used, "%s%s", used ? "," : "",
					supervisor->probed[i].encoder_probed.name);
			used = strlen(order);
		}
	}
}

bool view_give_up_kind(struct view *view) {
	const struct supervisor *supervisor = view->session->supervisor;
	unsigned usable = 0, failed = supervisor->probed_count;
	for (unsigned i = supervisor->probed_count; i-- > 0;) {
		if (!is_usable(view, i)) {
			continue;
		}
		usable++;
		/* One that never came to say its name was the first that was tried. */
		bool named = strcmp(supervisor->probed[i].encoder_probed.name, view->kind) == 0;
		failed = named || !view->kind[0] ? i : failed;
	}
	if (usable < 2 || failed == supervisor->probed_count) {
		return false;
	}
	view->kinds_failed |= 1u << failed;
	return true;
}

void view_order_pictures(struct view *view, int channel) {
	const struct ipc_stream_params *params = &view->params;
	struct ipc_message start = {
		.kind = IPC_PICTURE_ENCODER_START,
		.picture_encoder = {
			.encoder = view->encoder,
			.encoding = {
				.codec = params->codec,
				.width = params->width,
				.height = params->height,
				.rate_x100 = params->rate_x100,
				.bitrate_kbps = view_video_kbps(params),
				.chroma = params->chroma,
				.matrix = params->matrix,
				.full_range = params->full_range,
				.depth = 8,
				.slices = params->slices,
				.references = params->references,
				.intra_refresh = params->intra_refresh,
			},
		},
	};
	list_kinds(view, start.picture_encoder.encoding.order,
			sizeof(start.picture_encoder.encoding.order));
	child_post(view->worker[VIEW_PICTURES].child, &start, &channel, 1);
}

void view_order_sound(struct view *view) {
	const struct sound_row *row = sound_row(&view->params);
	struct ipc_message start = {
		.kind = IPC_SOUND_ENCODER_START,
		.sound_encoder = { .encoder = view->id,
				.channels = row->channels,
				.streams = row->streams,
				.coupled = row->coupled,
				.frame_ms = view->params.sound_ms,
				.mapping = { 0, 1, 2, 3, 4, 5, 6, 7 },
				.bitrate_bps = row->bitrate_bps },
	};
	text_copy(start.sound_encoder.server, sizeof(start.sound_encoder.server),
			view->session->desk->sound_server);
	child_post(view->worker[VIEW_SOUND].child, &start, NULL, 0);
}
