/* SPDX-License-Identifier: MIT */
#include "gate/api_schemas.h"
#include "gate/schema_tables.h"

/* What Wolf's sessions/start takes: all that RTSP would have agreed. */

/* clang-format off */
PART(display_mode, "DisplayMode",
	NEED_WHOLE("width", 64, 3840, NULL), NEED_WHOLE("height", 64, 2160, NULL),
	NEED_WHOLE("refreshRate", 5, 240, NULL));
#define SAME_FIELDS \
	FOREIGN("gst_pipeline"), \
	ID_IN("session_id", "As above; not looked at."), \
	WHOLE("port", 0, UINT16_MAX, "As Wolf has it; not looked at: the answer has this host's."), \
	FLAG("wait_for_ping", "Not false: an address receives once it has shown the secret."), \
	LINE("client_ip", 0, 64, "Where pings come from."), \
	WHOLES("rtp_secret_payload", 16, 255, "The 16 bytes that a ping begins with; a counter follows.")
PART(video_session, "VideoSession", SAME_FIELDS,
	NEED_OBJECT("display_mode", display_mode, NULL), FOREIGN("render_node"),
	WHOLE("timeout_ms", 0, INT32_MAX, "As Wolf has it; not looked at."),
	WHOLE("packet_size", 200, 1456, "1024 when it is missing."),
	WHOLE("frames_with_invalid_ref_threshold", 0, INT32_MAX, "As Wolf has it; not looked at."),
	WHOLE("fec_percentage", 0, 100, "The same: as much as the line needs."),
	WHOLE("min_required_fec_packets", 0, 255, NULL),
	WHOLE("bitrate_kbps", 500, 2000000, "15500 when it is missing."),
	WHOLE("slices_per_frame", 1, 32, NULL),
	LINE("color_range", 0, 8, "JPEG or MPEG."),
	LINE("color_space", 0, 8, "BT601, BT709 or BT2020."),
	LINE("codec", 0, 8, "h264, hevc or av1: what Wolf takes from the pipeline."));
PART(audio_mode, "AudioMode",
	WHOLE("channels", 2, 8, NULL), WHOLE("streams", 0, 8, NULL),
	WHOLE("coupled_streams", 0, 8, NULL), { .name = "speakers", .form = SCHEMA_ANY },
	WHOLE("bitrate", 0, INT32_MAX, NULL), WHOLE("sample_rate", 0, INT32_MAX, NULL));
PART(audio_session, "AudioSession", SAME_FIELDS,
	FLAG("encrypt_audio", "With the session's own key."),
	LINE("aes_key", 0, 64, "As Wolf has it; not looked at."), LINE("aes_iv", 0, 64, "The same."),
	WHOLE("packet_duration", 5, 10, "ms: 5 or 10."),
	OBJECT("audio_mode", audio_mode, NULL));
SCHEMA(schema_takes_session_start, "StartSession",
	NEED_ID_IN("session_id", "It has a key, and waits for its viewer."),
	NEED_OBJECT("video_session", video_session, NULL),
	NEED_OBJECT("audio_session", audio_session, NULL));
SCHEMA(schema_gives_started, "SessionStarted", SUCCESS,
	NEED_WHOLE("video_port", 1, UINT16_MAX, "Where pings for pictures go, which come back from there."),
	NEED_WHOLE("audio_port", 1, UINT16_MAX, "The same for sound."),
	NEED_WHOLE("control_port", 1, UINT16_MAX, NULL));
/* clang-format on */
