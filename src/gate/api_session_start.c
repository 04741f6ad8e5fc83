/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/text.h"
#include "gate/gate.h"
#include "gate/negotiate.h"
#include "ipc/reason.h"

/* What a client agrees by RTSP, said by a program for a viewer of its own. As with any client,
 * an address receives once it has shown the session's secret. */

enum {
	ANSWER_MS = 20000,
	PACKET_SIZE = 1024, /* as Wolf has it where nothing is said */
	BITRATE_KBPS = 15500,
	AUDIO_MS = 5,
};

/* Of a name in a list, or otherwise; -1: it is not in it. */
static int named(const json_t *object, const char *name, const char *const *list, int count,
		int otherwise) {
	const char *text = schema_text(object, name, "");
	for (int i = 0; text[0] && i < count; i++) {
		if (list[i] && strcasecmp(list[i], text) == 0) {
			return i;
		}
	}
	return text[0] ? -1 : otherwise;
}

static const char *read_secret(const json_t *object, struct secret *out) {
	const json_t *bytes = json_object_get(object, "rtp_secret_payload");
	if (json_array_size(bytes) != sizeof(out->bytes)) {
		return "\"rtp_secret_payload\" has 16 bytes, for pictures and for sound.";
	}
	for (size_t i = 0; i < sizeof(out->bytes); i++) {
		out->bytes[i] = (uint8_t)json_integer_value(json_array_get(bytes, i));
	}
	return schema_flag(object, "wait_for_ping", true)
			       ? NULL
			       : "An address receives only once it has shown the session's secret: "
				 "\"wait_for_ping\" must not be false.";
}

static const char *read_address(const json_t *video, const json_t *audio, struct address *out) {
	const char *ip = schema_text(video, "client_ip", ""),
		   *other = schema_text(audio, "client_ip", ip);
	if (address_parse_ip(ip, out) < 0) {
		return "\"client_ip\" says where pings will come from.";
	}
	return strcmp(ip, other) == 0 ? NULL
				      : "Pictures and sound go to one address: \"client_ip\".";
}

static const char *read_colours(const json_t *video, struct sdp_announce *out) {
	static const char *const spaces[] = {
		[SDP_BT601] = "BT601", [SDP_BT709] = "BT709", [SDP_BT2020] = "BT2020"
	};
	static const char *const ranges[] = { "MPEG", "JPEG" };
	static const char *const codecs[] = {
		[SDP_H264] = "h264", [SDP_HEVC] = "hevc", [SDP_AV1] = "av1"
	};
	int space = named(video, "color_space", spaces, ARRAY_LEN(spaces), SDP_BT709);
	int range = named(video, "color_range", ranges, ARRAY_LEN(ranges), 0);
	int codec = named(video, "codec", codecs, ARRAY_LEN(codecs), SDP_H264);
	if (space < 0 || range < 0 || codec < 0) {
		return "\"color_space\" is BT601, BT709 or BT2020, \"color_range\" JPEG or MPEG, "
		       "\"codec\" h264, hevc or av1.";
	}
	out->colorspace = (enum sdp_colorspace)space;
	out->full_range = range;
	out->codec = (enum sdp_codec)codec;
	return NULL;
}

static void read_form(const json_t *video, const json_t *audio, struct sdp_announce *out) {
	const json_t *mode = json_object_get(video, "display_mode");
	out->width = (uint16_t)schema_integer(mode, "width", 0);
	out->height = (uint16_t)schema_integer(mode, "height", 0);
	out->fps_x100 = (uint32_t)schema_integer(mode, "refreshRate", 0) * 100;
	out->bitrate_kbps = (uint32_t)schema_integer(video, "bitrate_kbps", BITRATE_KBPS);
	out->packet_size = (uint16_t)schema_integer(video, "packet_size", PACKET_SIZE);
	out->slices = (uint8_t)schema_integer(video, "slices_per_frame", 1);
	out->fec = true;
	out->min_fec_packets = (uint8_t)schema_integer(video, "min_required_fec_packets", 0);
	const json_t *sound = json_object_get(audio, "audio_mode");
	out->channels = (uint8_t)schema_integer(sound, "channels", 2);
	out->audio_ms = (uint8_t)schema_integer(audio, "packet_duration", AUDIO_MS);
	out->encryption = RTSP_ENCRYPT_CONTROL;
	out->control_encrypted = true;
	out->audio_encrypted = schema_flag(audio, "encrypt_audio", false);
}

/* The status to refuse with and the words, or 0. */
static int read_start(const struct gate *gate, const json_t *body, struct ipc_message *out,
		char words[160]) {
	const json_t *video = json_object_get(body, "video_session"),
		     *audio = json_object_get(body, "audio_session");
	const struct negotiate_offer offer = { .codecs = gate->codecs.mask,
		.reference_invalidation = gate->codecs.reference_invalidation,
		.encryption = gate->options.encryption };
	struct sdp_announce announce = { .slices = 1 };
	__typeof__(out->session_start) *start = &out->session_start;
	const char *fault = read_secret(video, &start->video_ping), *culprit = "";
	fault = fault ? fault : read_secret(audio, &start->audio_ping);
	fault = fault ? fault : read_address(video, audio, &start->address);
	fault = fault ? fault : read_colours(video, &announce);
	if (fault) {
		text_copy(words, 160, fault);
		return 400;
	}
	read_form(video, audio, &announce);
	int status = negotiate_announce(&offer, &announce, &start->params, &culprit);
	text_format(words, 160, "This host does not offer that: %s.", culprit);
	return status;
}

void api_handle_session_start(struct request *request) {
	struct connection *connection = request->connection;
	const struct gate *gate = request->gate;
	struct ipc_message message = { .kind = IPC_SESSION_START };
	const struct web_session *row = api_wanted_session(request, "session_id");
	char words[160];
	if (!row) {
		return;
	}
	int status = read_start(gate, request->json, &message, words);
	if (status) {
		api_error(connection, status, words);
		return;
	}
	message.session_start.request = connection_request(connection);
	message.session_start.session = row->session;
	connection->wait = json_pack("{s:b,s:i,s:i,s:i}", "success", 1, "video_port",
			gate->options.video_port, "audio_port", gate->options.audio_port,
			"control_port", gate->options.control_port);
	connection->awaits = AWAITS_DONE;
	connection_extend(connection, ANSWER_MS);
	gate_post(request->gate, &message);
	explicit_bzero(&message, sizeof(message));
}
