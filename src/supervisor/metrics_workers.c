/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "supervisor/exposition.h"
#include "supervisor/metrics.h"
#include "supervisor/supervisor.h"

/* What workers count on their pulse pages, as families. */

enum {
	ALIVE_ONLY = 1, /* a gauge: what the dead showed last counts no more */
	SECONDS = 2,    /* counted in nanoseconds */
};

struct counter_row {
	const char *name, *help;
	unsigned group, counter, flags;
	const char *label, *value; /* NULL for none */
};

#define PICTURES "encoding", "pictures"
#define SOUND "encoding", "sound"
#define MOONLIGHT "door", "moonlight"
#define WEB "door", "web"

/* Rows of one family stand together. */
/* clang-format off */
static const struct counter_row counter_rows[] = {
	{ "perigee_stream_pictures_total", "Pictures sent.", PEER_STREAM, PULSE_STREAM_PICTURES, 0, NULL, NULL },
	{ "perigee_stream_key_frames_total", "Pictures sent that decode by themselves.", PEER_STREAM, PULSE_STREAM_KEYS, 0, NULL, NULL },
	{ "perigee_stream_recovery_pictures_total", "Pictures sent that answered an invalidation.", PEER_STREAM, PULSE_STREAM_RECOVERIES, 0, NULL, NULL },
	{ "perigee_stream_abandoned_pictures_total", "Pictures given up, in part or whole, because the socket stayed full.", PEER_STREAM, PULSE_STREAM_ABANDONED, 0, NULL, NULL },
	{ "perigee_stream_lapped_total", "Times that a stream fell behind its encoder.", PEER_STREAM, PULSE_STREAM_LAPPED, 0, NULL, NULL },
	{ "perigee_stream_packets_total", "Datagrams of pictures sent, FEC included.", PEER_STREAM, PULSE_STREAM_PACKETS, 0, NULL, NULL },
	{ "perigee_stream_fec_packets_total", "Datagrams of FEC among them.", PEER_STREAM, PULSE_STREAM_PARITY, 0, NULL, NULL },
	{ "perigee_stream_bytes_total", "Bytes of pictures sent, FEC included.", PEER_STREAM, PULSE_STREAM_BYTES, 0, NULL, NULL },
	{ "perigee_stream_sound_packets_total", "Packets of sound sent.", PEER_STREAM, PULSE_STREAM_SOUND, 0, NULL, NULL },
	{ "perigee_stream_send_errors_total", "Datagrams that could not be sent.", PEER_STREAM, PULSE_STREAM_SEND_ERRORS, 0, NULL, NULL },
	{ "perigee_stream_missing_packets_total", "Packets that clients said they missed.", PEER_STREAM, PULSE_STREAM_MISSING, 0, NULL, NULL },
	{ "perigee_stream_loss_reports_total", "Reports of lost pictures by clients.", PEER_STREAM, PULSE_STREAM_LOSS_REPORTS, 0, NULL, NULL },
	{ "perigee_stream_idr_requests_total", "Key frames that clients asked for.", PEER_STREAM, PULSE_STREAM_IDR_REQUESTS, 0, NULL, NULL },
	{ "perigee_stream_key_frame_asks_total", "Key frames that streams asked encoders for.", PEER_STREAM, PULSE_STREAM_KEY_ASKS, 0, NULL, NULL },
	{ "perigee_stream_invalidations_total", "Invalidations that streams asked encoders for.", PEER_STREAM, PULSE_STREAM_INVALIDATIONS, 0, NULL, NULL },
	{ "perigee_stream_inputs_total", "Inputs of viewers passed on.", PEER_STREAM, PULSE_STREAM_INPUTS, 0, NULL, NULL },
	{ "perigee_stream_inputs_skipped_total", "Inputs that were malformed or came to nobody.", PEER_STREAM, PULSE_STREAM_INPUTS_SKIPPED, 0, NULL, NULL },
	{ "perigee_stream_inputs_denied_total", "Inputs of a kind that the client may not send.", PEER_STREAM, PULSE_STREAM_INPUTS_DENIED, 0, NULL, NULL },
	{ "perigee_stream_control_refused_total", "Control messages that did not decrypt, came again, or made no sense.", PEER_STREAM, PULSE_STREAM_REFUSED, 0, NULL, NULL },

	{ "perigee_desktop_pictures_total", "Pictures handed to encoders.", PEER_DESKTOP, PULSE_DESKTOP_PICTURES, 0, NULL, NULL },
	{ "perigee_desktop_replaced_pictures_total", "Pictures dropped for a newer one before they were encoded.", PEER_DESKTOP, PULSE_DESKTOP_REPLACED, 0, NULL, NULL },
	{ "perigee_desktop_skipped_pictures_total", "Pictures dropped before they were rendered: no encoder was free in time.", PEER_DESKTOP, PULSE_DESKTOP_SKIPPED, 0, NULL, NULL },
	{ "perigee_desktop_repeated_pictures_total", "Refinements and repeats of still pictures.", PEER_DESKTOP, PULSE_DESKTOP_AGAIN, 0, NULL, NULL },
	{ "perigee_desktop_inputs_total", "Inputs that reached a desktop.", PEER_DESKTOP, PULSE_DESKTOP_INPUTS, 0, NULL, NULL },
	{ "perigee_desktop_render_seconds_total", "Time spent rendering.", PEER_DESKTOP, PULSE_DESKTOP_RENDER_NS, SECONDS, NULL, NULL },
	{ "perigee_desktop_convert_seconds_total", "Time spent converting pictures.", PEER_DESKTOP, PULSE_DESKTOP_CONVERT_NS, SECONDS, NULL, NULL },

	{ "perigee_encoder_frames_total", "Frames encoded.", PEER_ENCODER, PULSE_ENCODER_PICTURES, 0, PICTURES },
	{ "perigee_encoder_frames_total", "", TOTALS_SOUND_ENCODER, PULSE_ENCODER_PICTURES, 0, SOUND },
	{ "perigee_encoder_bytes_total", "Bytes encoded.", PEER_ENCODER, PULSE_ENCODER_BYTES, 0, PICTURES },
	{ "perigee_encoder_bytes_total", "", TOTALS_SOUND_ENCODER, PULSE_ENCODER_BYTES, 0, SOUND },
	{ "perigee_encoder_seconds_total", "Time spent encoding.", PEER_ENCODER, PULSE_ENCODER_NS, SECONDS, PICTURES },
	{ "perigee_encoder_seconds_total", "", TOTALS_SOUND_ENCODER, PULSE_ENCODER_NS, SECONDS, SOUND },
	{ "perigee_encoder_key_frames_total", "Key frames encoded.", PEER_ENCODER, PULSE_ENCODER_KEYS, 0, NULL, NULL },
	{ "perigee_encoder_invalidated_total", "Pictures encoded without what was lost.", PEER_ENCODER, PULSE_ENCODER_INVALIDATED, 0, NULL, NULL },
	{ "perigee_encoder_asks_total", "Requests of streams that reached encoders.", PEER_ENCODER, PULSE_ENCODER_ASKED, 0, NULL, NULL },
	{ "perigee_encoder_readers", "Streams that read from encoders.", PEER_ENCODER, PULSE_ENCODER_READERS, ALIVE_ONLY, PICTURES },
	{ "perigee_encoder_readers", "", TOTALS_SOUND_ENCODER, PULSE_ENCODER_READERS, ALIVE_ONLY, SOUND },

	{ "perigee_gate_connections_accepted_total", "Connections accepted.", PEER_GATE, PULSE_GATE_ACCEPTED, 0, MOONLIGHT },
	{ "perigee_gate_connections_accepted_total", "", PEER_WEB, PULSE_GATE_ACCEPTED, 0, WEB },
	{ "perigee_gate_connections_refused_total", "Connections refused because a place was missing.", PEER_GATE, PULSE_GATE_REFUSED, 0, MOONLIGHT },
	{ "perigee_gate_connections_refused_total", "", PEER_WEB, PULSE_GATE_REFUSED, 0, WEB },
	{ "perigee_gate_connections_overdue_total", "Connections closed by a deadline.", PEER_GATE, PULSE_GATE_OVERDUE, 0, MOONLIGHT },
	{ "perigee_gate_connections_overdue_total", "", PEER_WEB, PULSE_GATE_OVERDUE, 0, WEB },
	{ "perigee_gate_connections_open", "Connections open now.", PEER_GATE, PULSE_GATE_OPEN, ALIVE_ONLY, MOONLIGHT },
	{ "perigee_gate_connections_open", "", PEER_WEB, PULSE_GATE_OPEN, ALIVE_ONLY, WEB },
	{ "perigee_gate_handshakes_total", "TLS handshakes completed.", PEER_GATE, PULSE_GATE_HANDSHAKES, 0, MOONLIGHT },
	{ "perigee_gate_handshakes_total", "", PEER_WEB, PULSE_GATE_HANDSHAKES, 0, WEB },
	{ "perigee_gate_requests_total", "Requests read.", PEER_GATE, PULSE_GATE_REQUESTS, 0, MOONLIGHT },
	{ "perigee_gate_requests_total", "", PEER_WEB, PULSE_GATE_REQUESTS, 0, WEB },
	{ "perigee_gate_datagrams_total", "First datagrams read.", PEER_GATE, PULSE_GATE_DATAGRAMS, 0, NULL, NULL },
	{ "perigee_gate_datagrams_refused_total", "Datagrams without a secret of a session.", PEER_GATE, PULSE_GATE_DATAGRAMS_REFUSED, 0, NULL, NULL },
};

struct histogram_row {
	const char *name, *help;
	unsigned group, classes, sum;
	const struct pulse_bounds *bounds;
	const char *label, *value;
};

#define STAGE(which) PULSE_STREAM_STAGES + PULSE_STAGE_##which * PULSE_STAGE_CLASSES

static const struct histogram_row histogram_rows[] = {
	{ "perigee_picture_age_seconds", "From an app's commit to the last packet of its picture.", PEER_STREAM, STAGE(AGE), PULSE_STREAM_AGE_NS, &pulse_stage_bounds, NULL, NULL },
	{ "perigee_picture_stage_seconds", "Where that time goes.", PEER_STREAM, STAGE(RENDER), PULSE_STREAM_RENDER_NS, &pulse_stage_bounds, "stage", "render" },
	{ "perigee_picture_stage_seconds", "", PEER_STREAM, STAGE(CONVERT), PULSE_STREAM_CONVERT_NS, &pulse_stage_bounds, "stage", "convert" },
	{ "perigee_picture_stage_seconds", "", PEER_STREAM, STAGE(ENCODE), PULSE_STREAM_ENCODE_NS, &pulse_stage_bounds, "stage", "encode" },
	{ "perigee_picture_stage_seconds", "", PEER_STREAM, STAGE(PACE), PULSE_STREAM_PACE_NS, &pulse_stage_bounds, "stage", "pace" },
	{ "perigee_picture_hand_seconds", "Hand-overs between our processes, summed per picture.", PEER_STREAM, PULSE_STREAM_HAND_CLASSES, PULSE_STREAM_HAND_NS, &pulse_hand_bounds, NULL, NULL },
	{ "perigee_input_seconds", "From a datagram of input to its Wayland event.", PEER_DESKTOP, PULSE_DESKTOP_INPUT_CLASSES, PULSE_DESKTOP_INPUT_NS, &pulse_input_bounds, NULL, NULL },
};
/* clang-format on */

static uint64_t sum_alive(const struct supervisor *supervisor, unsigned group, unsigned counter) {
	uint64_t sum = 0;
	for (const struct child *at = supervisor->nursery.first; at; at = at->next) {
		if (totals_group(at) == group) {
			sum += child_counter(at, counter);
		}
	}
	return sum;
}

uint64_t metrics_sum(const struct supervisor *supervisor, unsigned group, unsigned counter) {
	return supervisor->metrics.totals.gone[group][counter] +
	       sum_alive(supervisor, group, counter);
}

static void write_counter(struct supervisor *supervisor, struct exposition *out,
		const struct counter_row *row) {
	bool gauge = row->flags & ALIVE_ONLY;
	uint64_t value = gauge ? sum_alive(supervisor, row->group, row->counter)
			       : metrics_sum(supervisor, row->group, row->counter);
	struct exposition_label labels[] = { { row->label, row->value }, { 0 } };
	if (!out->family || strcmp(out->family, row->name) != 0) {
		exposition_family(out, row->name, gauge ? EXPOSITION_GAUGE : EXPOSITION_COUNTER,
				row->help);
	}
	exposition_fraction(out, labels, value, row->flags & SECONDS ? NS_PER_S : 1);
}

static void write_histogram(struct supervisor *supervisor, struct exposition *out,
		const struct histogram_row *row) {
	uint64_t classes[PULSE_HAND_CLASSES];
	for (unsigned i = 0; i <= row->bounds->count; i++) {
		classes[i] = metrics_sum(supervisor, row->group, row->classes + i);
	}
	struct exposition_histogram histogram = {
		.bounds = row->bounds->ns,
		.n_bounds = row->bounds->count,
		.classes = classes,
		.sum = metrics_sum(supervisor, row->group, row->sum),
		.scale = NS_PER_S,
	};
	struct exposition_label labels[] = { { row->label, row->value }, { 0 } };
	if (!out->family || strcmp(out->family, row->name) != 0) {
		exposition_family(out, row->name, EXPOSITION_HISTOGRAM, row->help);
	}
	exposition_histogram(out, labels, &histogram);
}

void metrics_write_workers(struct supervisor *supervisor, struct exposition *out) {
	for (size_t i = 0; i < ARRAY_LEN(counter_rows); i++) {
		write_counter(supervisor, out, &counter_rows[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(histogram_rows); i++) {
		write_histogram(supervisor, out, &histogram_rows[i]);
	}
}
