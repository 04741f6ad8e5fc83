/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "supervisor/desk.h"
#include "supervisor/encoding_inside.h"
#include "supervisor/supervisor.h"

/* What encoders are told to do: all that a client's wishes and the host's encoders
 * come to. */

enum {
	FEC_PERCENT = 20,      /* parity for data, protocol.md 6.2 */
	HEADER_PERMILLE = 970, /* what headers leave of a datagram */
	KBPS_MIN = 300,
	LADDER_FIRST_KBPS = 500,
	LADDER_STEPS = 16, /* of one half more each: up to 218 Mbit/s */
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

uint32_t encoding_video_kbps(const struct ipc_stream_params *params) {
	/* Sound goes out with half as much parity again. */
	uint32_t sound = sound_row(params)->bitrate_bps / 1000 * 3 / 2;
	uint32_t left = params->bitrate_kbps > sound ? params->bitrate_kbps - sound : 0;
	uint64_t video = (uint64_t)left * HEADER_PERMILLE / 1000 * 100 / (100 + FEC_PERCENT);
	return video > KBPS_MIN ? (uint32_t)video : KBPS_MIN;
}

uint32_t encoding_step_kbps(uint32_t kbps) {
	uint32_t step = LADDER_FIRST_KBPS;
	if (kbps < step) {
		return kbps;
	}
	for (int i = 1; i < LADDER_STEPS && step / 2 * 3 <= kbps; i++) {
		step = step / 2 * 3;
	}
	return step;
}

void encoding_form(const struct ipc_stream_params *params, enum encoding_kind kind,
		struct encoding_form *out) {
	*out = (struct encoding_form){ 0 };
	if (kind == ENCODING_SOUND) {
		const struct sound_row *row = sound_row(params);
		out->channels = row->channels;
		out->streams = row->streams;
		out->coupled = row->coupled;
		out->frame_ms = params->sound_ms;
		out->bitrate_bps = row->bitrate_bps;
		return;
	}
	out->pictures = (struct ipc_encoding){
		.codec = params->codec,
		.width = params->width,
		.height = params->height,
		.rate_x100 = params->rate_x100,
		.bitrate_kbps = encoding_video_kbps(params),
		.chroma = params->chroma,
		.matrix = params->matrix,
		.full_range = params->full_range,
		.depth = 8,
		.slices = params->slices,
		.references = params->references,
		.intra_refresh = params->intra_refresh,
	};
}

static bool same_sound(const struct encoding_form *a, const struct encoding_form *b) {
	return a->channels == b->channels && a->streams == b->streams && a->coupled == b->coupled &&
	       a->frame_ms == b->frame_ms && a->bitrate_bps == b->bitrate_bps;
}

static bool same_pictures(const struct ipc_encoding *a, const struct ipc_encoding *b) {
	return a->codec == b->codec && a->width == b->width && a->height == b->height &&
	       a->rate_x100 == b->rate_x100 && a->chroma == b->chroma && a->matrix == b->matrix &&
	       a->full_range == b->full_range && a->depth == b->depth && a->slices == b->slices &&
	       a->references == b->references && a->intra_refresh == b->intra_refresh;
}

bool encoding_serves(enum encoding_kind kind, const struct encoding_form *form,
		const struct encoding_form *wanted) {
	if (kind == ENCODING_SOUND) {
		return same_sound(form, wanted);
	}
	uint64_t is = form->pictures.bitrate_kbps, ceiling = wanted->pictures.bitrate_kbps;
	return same_pictures(&form->pictures, &wanted->pictures) && is <= ceiling &&
	       is * 3 / 2 > encoding_step_kbps((uint32_t)ceiling);
}

static bool is_usable(const struct encoding *encoding, unsigned kind) {
	return encoding->desk->supervisor->probed[kind].encoder_probed.mask &&
	       !(encoding->kinds_failed >> kind & 1);
}

/* What the probe saw working and has not failed here, in the configured order. */
static void list_kinds(const struct encoding *encoding, char *order, size_t size) {
	const struct supervisor *supervisor = encoding->desk->supervisor;
	size_t used = 0;
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		if (is_usable(encoding, i) && used + 34 < size) {
			text_format(order + used, size - used, "%s%s", used ? "," : "",
					supervisor->probed[i].encoder_probed.name);
			used = strlen(order);
		}
	}
}

bool encoding_give_up_kind(struct encoding *encoding) {
	const struct supervisor *supervisor = encoding->desk->supervisor;
	unsigned usable = 0, failed = supervisor->probed_count;
	for (unsigned i = supervisor->probed_count; i-- > 0;) {
		if (!is_usable(encoding, i)) {
			continue;
		}
		usable++;
		/* One that never came to say its name was the first that was tried. */
		bool named = strcmp(supervisor->probed[i].encoder_probed.name, encoding->name) == 0;
		failed = named || !encoding->name[0] ? i : failed;
	}
	if (usable < 2 || failed == supervisor->probed_count) {
		return false;
	}
	encoding->kinds_failed |= 1u << failed;
	return true;
}

static void post_pictures(struct encoding *encoding, int channel) {
	struct ipc_message start = {
		.kind = IPC_PICTURE_ENCODER_START,
		.picture_encoder = { .encoder = encoding->encoder,
				.encoding = encoding->form.pictures },
	};
	list_kinds(encoding, start.picture_encoder.encoding.order,
			sizeof(start.picture_encoder.encoding.order));
	child_post(encoding->place.child, &start, &channel, 1);
}

static void post_sound(struct encoding *encoding) {
	const struct encoding_form *form = &encoding->form;
	struct ipc_message start = {
		.kind = IPC_SOUND_ENCODER_START,
		.sound_encoder = { .encoder = encoding->id,
				.channels = form->channels,
				.streams = form->streams,
				.coupled = form->coupled,
				.frame_ms = form->frame_ms,
				.mapping = { 0, 1, 2, 3, 4, 5, 6, 7 },
				.bitrate_bps = form->bitrate_bps },
	};
	text_copy(start.sound_encoder.server, sizeof(start.sound_encoder.server),
			encoding->desk->sound_server);
	child_post(encoding->place.child, &start, NULL, 0);
}

static int attach_pictures(struct encoding *encoding) {
	int pair[2];
	int rc = channel_pair(pair);
	if (rc < 0) {
		return rc;
	}
	const struct ipc_encoding *form = &encoding->form.pictures;
	encoding->encoder = ++encoding->desk->supervisor->last_view;
	encoding->name[0] = '\0';
	struct ipc_message attach = {
		.kind = IPC_DESKTOP_ENCODER,
		.desktop_encoder = { .encoder = encoding->encoder,
				.format = { .width = form->width,
						.height = form->height,
						.chroma = form->chroma,
						.matrix = form->matrix,
						.full_range = form->full_range } },
	};
	child_post(encoding->desk->desktop, &attach, &pair[0], 1);
	post_pictures(encoding, pair[1]);
	fd_close(pair[0]);
	fd_close(pair[1]);
	return 0;
}

int encoding_order(struct encoding *encoding) {
	if (!encoding->opened) {
		return 0;
	}
	if (encoding->kind == ENCODING_PICTURES) {
		return attach_pictures(encoding);
	}
	post_sound(encoding);
	return 0;
}
