/* SPDX-License-Identifier: MIT */
#include "gate/api_schemas.h"

#include "gate/schema_tables.h"

/* clang-format off */
const struct schema schema_nothing = { .name = "Nothing" };
SCHEMA_OPEN(schema_anything, "Anything");

SCHEMA(schema_success, "Success", SUCCESS);
SCHEMA(schema_error, "Error",
	NEED_FLAG("success", "Always false."),
	NEED_TEXT("error", 1024, "What is wrong, in words for a person."));

/* ---- events ---- */

SCHEMA(schema_takes_events, "EventsQuery",
	LINE("events", 0, 1000, "Only these: names, comma separated."),
	ID_IN("session_id", "Only of this session."),
	LINE("lobby_id", 0, 39, "Only of this lobby."));

/* ---- pairing ---- */

PART(pending, "Pending",
	NEED_WHOLE("pairing", 1, UINT32_MAX, "To name it by."),
	NEED_LINE("pair_secret", 1, 16, "The same as text: Wolf's name for it."),
	NEED_LINE("client_ip", 1, 64, NULL),
	NEED_LINE("address", 1, 64, "The same as client_ip."),
	NEED_LINE("fingerprint", 64, 64, "SHA-256 of the client's certificate."),
	NEED_TEXT("name", 64, "What the client calls itself."),
	NEED_WHOLE("waits_s", 0, 0, "For how long."));
SCHEMA(schema_gives_pending, "PendingList", SUCCESS,
	NEED_LIST("requests", 16, pending, "The clients that wait for their PIN."));
SCHEMA(schema_gives_link, "Link", SUCCESS,
	NEED_LINE("url", 1, 256, "The page for pairing, with its key."));
SCHEMA(schema_takes_pin, "PairClient",
	NEED_PIN("pin", "What the client shows."),
	ID_IN("pairing", "Which client; may be missing while just one waits."),
	LINE("pair_secret", 1, 64, "Wolf's name for the same."),
	LINE("name", 0, 63, "To call the client by."));

/* ---- clients ---- */

PART(settings, "ClientSettings",
	WHOLE("run_uid", 0, INT32_MAX, NULL),
	WHOLE("run_gid", 0, INT32_MAX, NULL),
	LINES("controllers_override", 16, 16, "By number of the pad: AUTO, XBOX, PS, NINTENDO."),
	REAL("mouse_acceleration", NULL),
	REAL("v_scroll_acceleration", NULL),
	REAL("h_scroll_acceleration", NULL),
	LINE("motion_controller_override", 0, 16, NULL));
SCHEMA(schema_takes_settings, "SetClient",
	NEED_LINE("client_id", 1, 64, NULL),
	LINE("name", 1, 63, NULL),
	LINE("app_state_folder", 1, 95, NULL),
	OBJECT("settings", settings, "Only what is to change."),
	LINES("permissions", 16, 16, "What it may: list, launch, keyboard, mouse, touch, gamepad, clipboard, lobby_create, lobby_join."),
	LINES("only_apps", 64, 16, "The apps it may see and launch, by number; none: all."),
	LINES("only_lobbies", 64, 63, "The lobbies it may join, by name; none: all."));

PART(client, "Client",
	NEED_LINE("client_id", 64, 64, "SHA-256 of its certificate."),
	NEED_LINE("fingerprint", 64, 64, "The same."),
	NEED_TEXT("name", 64, NULL),
	NEED_WHOLE("created_s", 0, 0, "When it was paired, Unix time."),
	NEED_WHOLE("app", INT32_MIN, INT32_MAX, "What runs for it, 0 for nothing."),
	LINE("app_state_folder", 0, 255, "Of its apps' homes."),
	OBJECT("settings", settings, NULL),
	LINES("permissions", 16, 16, "What it may."),
	LINES("only_apps", 64, 16, "The apps it may see and launch; none: all."),
	LINES("only_lobbies", 64, 63, "The lobbies it may join; none: all."));
SCHEMA(schema_gives_clients, "ClientList", SUCCESS, NEED_LIST("clients", 1024, client, NULL));
SCHEMA(schema_takes_client, "UnpairClient",
	NEED_LINE("client_id", 1, 64, "As in the list of clients."));

/* ---- system ---- */

PART_OPEN(status_row, "StatusRow", NEED_LINE("what", 1, 32, "What kind of row this is."));
SCHEMA(schema_takes_filter, "StatusQuery", LINE("filter", 0, 31, "Rows of this kind alone."));
SCHEMA(schema_gives_status, "Status", SUCCESS, NEED_LIST("status", 2048, status_row, NULL));
SCHEMA(schema_takes_restart, "Restart",
	NEED_LINE("kind", 1, 15, "Which process: encoder, stream, desktop, gate and so on."),
	LINE("id", 1, 23, "Its session's or desktop's number, decimal or in 16 hexadecimal digits, or its own."));
SCHEMA(schema_takes_upgrade, "Upgrade",
	FLAG("check", "Only say what would happen."),
	LINE("from", 1, 255, "The folder of the new installation; missing: where the old one is."),
	WHOLE("deadline_s", 1, 600, "For the new version to be ready, else the old one goes on."));
SCHEMA(schema_gives_upgrade, "UpgradeBegun", SUCCESS,
	NEED_LINE("old_version", 1, 31, "Which runs."),
	NEED_LINE("new_version", 1, 31, "Which takes over."),
	NEED_LINE("folders", 1, 1399, "Where its programs are, colon separated."),
	NEED_WHOLE("number", 0, UINT32_MAX, "Of the new version on this host, as the status rows `upgrade` and `version` have it; 0 when it was only checked."),
	NEED_WHOLE("replaced", 0, 64, "Processes that serve all sessions."),
	NEED_WHOLE("sessions", 0, UINT32_MAX, "That go on with their version."));
SCHEMA(schema_gives_reloaded, "Reloaded", SUCCESS,
	NEED_TEXT("applied", 512, "Keys that are in effect now, comma separated."),
	NEED_TEXT("restart", 512, "Keys that wait for the next start."));
SCHEMA_OPEN(schema_gives_document, "OpenAPI");

/* ---- apps and profiles ---- */

PART(runner, "Runner",
	NEED_LINE("type", 1, 16, "process, sandbox or docker."),
	TEXT("run_cmd", 2000, "For a shell; of a container it may be missing: its image has one."),
	LINE("name", 0, 255, NULL),
	LINE("image", 0, 255, "Of a container."),
	LINES("mounts", 64, 512, "host:container:mode"),
	LINES("env", 64, 512, "KEY=value"),
	LINES("devices", 64, 512, NULL),
	LINES("ports", 64, 128, NULL),
	TEXT("base_create_json", 2048, "What else the engine is told."),
	LINE("parent_session_id", 0, 64, NULL));
#define APP_FIELDS \
	NEED_LINE("title", 1, 95, NULL), \
	LINE("id", 0, 47, NULL), \
	FLAG("support_hdr", NULL), \
	LINE("icon_png_path", 0, 255, NULL), \
	FOREIGN("h264_gst_pipeline"), FOREIGN("hevc_gst_pipeline"), FOREIGN("av1_gst_pipeline"), \
	FOREIGN("opus_gst_pipeline"), FOREIGN("render_node"), \
	FOREIGN("video_producer_buffer_caps"), FOREIGN("video_producer_source"), \
	FOREIGN("audio_producer_source"), \
	FLAG("start_virtual_compositor", NULL), \
	FLAG("start_audio_server", NULL)
SCHEMA(schema_takes_app, "NewApp", APP_FIELDS, NEED_OBJECT("runner", runner, NULL),
	LINE("profile_id", 0, 47, "Listed there, not by Moonlight."));
PART(app, "App", APP_FIELDS, OBJECT("runner", runner, NULL),
	ID_IN("app_id", "Its number, by which a lobby is made of it; Wolf has none."),
	FLAG("installed", NULL), TEXT("why_not", 160, "What is missing."));
SCHEMA(schema_gives_apps, "AppList", SUCCESS, NEED_LIST("apps", 512, app, NULL));
SCHEMA(schema_takes_id, "ById", NEED_LINE("id", 1, 47, NULL));
SCHEMA(schema_takes_icon, "IconQuery", ID_IN("app_id", "The app's number."),
	LINE("icon_path", 0, 255, "What an app or a lobby has said of its icon: that app's picture. No file is opened."));
SCHEMA(schema_takes_profile, "NewProfile",
	LINE("id", 0, 47, NULL), NEED_LINE("name", 1, 63, NULL),
	LINE("icon_png_path", 0, 255, NULL), WHOLES("pin", 15, 9, "Digits."),
	LIST("apps", 64, app, NULL));
PART(profile, "Profile",
	NEED_LINE("id", 1, 47, NULL), NEED_LINE("name", 1, 63, NULL),
	LINE("icon_png_path", 0, 255, NULL), NEED_FLAG("pin_required", NULL),
	NEED_LIST("apps", 512, app, NULL));
SCHEMA(schema_gives_profiles, "ProfileList", SUCCESS, NEED_LIST("profiles", 512, profile, NULL));

/* ---- sessions ---- */

PART(session, "StreamSession",
	NEED_ID("session_id", NULL),
	NEED_ID("client_id", "The same: what Wolf calls it here."),
	NEED_LINE("client_ip", 0, 64, NULL),
	NEED_LINE("rtsp_fake_ip", 0, 64, "The same: sessions are told apart by their secrets."),
	NEED_WHOLE("video_width", 0, 0, NULL),
	NEED_WHOLE("video_height", 0, 0, NULL),
	NEED_WHOLE("video_refresh_rate", 0, 0, NULL),
	NEED_WHOLE("audio_channel_count", 0, 0, NULL),
	NEED_LINE("app_id", 1, 16, NULL),
	NEED_TEXT("app_title", 96, NULL),
	NEED_LINE("client_fingerprint", 64, 64, "Which paired client."),
	NEED_TEXT("client_name", 64, NULL),
	NEED_LINE("state", 1, 16, "streaming or paused."),
	NEED_ID("desktop_id", "What it sees now."),
	OBJECT("client_settings", settings, "Of the client, once they are known."),
	NEED_WHOLE("age_s", 0, 0, "Since its launch."));
SCHEMA(schema_gives_sessions, "SessionList", SUCCESS, NEED_LIST("sessions", 256, session, NULL));
SCHEMA(schema_takes_session, "BySession", NEED_ID_IN("session_id", NULL));
SCHEMA(schema_takes_runner_start, "StartRunner",
	FLAG("stop_stream_when_over", "The session ends with it."),
	NEED_OBJECT("runner", runner, "What runs."), NEED_ID_IN("session_id", NULL));
SCHEMA_OPEN(schema_gives_image, "Image");
SCHEMA(schema_takes_image, "ImageQuery", NEED_LINE("image_name", 1, 255, NULL));
SCHEMA(schema_takes_pull, "PullImage", NEED_LINE("image_name", 1, 255, NULL),
	FLAG("wait", "false: answered at once; events tell how it ended."));
SCHEMA(schema_takes_session_add, "NewSession",
	LINE("client_id", 0, 64, "Whose it is; none: nobody's, and its files go with it."),
	ID_IN("app_id", "None: the launcher."),
	LINE("aes_key", 0, 32, "32 hex digits, never used before; none: nobody can watch it yet."),
	LINE("aes_iv", 0, 20, "With it: a number, what a client calls rikeyid."),
	LINE("client_ip", 0, 64, "Who will watch, where RTSP is not encrypted."),
	LINE("rtsp_fake_ip", 0, 64, "As Wolf has it; not looked at."),
	WHOLE("video_width", 64, 3840, "1920 when it is missing."),
	WHOLE("video_height", 64, 2160, "1080 when it is missing."),
	WHOLE("video_refresh_rate", 1, 240, "60 when it is missing."),
	WHOLE("audio_channel_count", 2, 8, "2 when it is missing."),
	OBJECT("client_settings", settings, "As Wolf has it; not looked at: the client's own count."),
	LINE("immediate_lobby_id", 0, 39, "Where it goes with its first picture."),
	WHOLES("pin", 19, 9, "Digits, of that lobby."), LINE("role", 0, 16, "player or viewer."),
	WHOLE("deadline_ms", 0, 25000, "Until it must be there; else nothing of it stays."),
	FLAG("wait", "false: answered at once with its id; events tell the rest."));
SCHEMA(schema_takes_session_resume, "ResumeSession",
	NEED_ID_IN("session_id", NULL),
	NEED_LINE("aes_key", 32, 32, "Hex digits, never used before."),
	NEED_LINE("aes_iv", 1, 20, "A number, what a client calls rikeyid."),
	LINE("client_ip", 0, 64, "Who will watch, where RTSP is not encrypted."));
SCHEMA(schema_gives_session, "SessionAdded", SUCCESS,
	NEED_ID("session_id", NULL),
	LINE("rtsp_url", 1, 100, "Where a viewer that has the key begins, as launch says it."));
SCHEMA(schema_takes_session_input, "SessionInput",
	NEED_ID_IN("session_id", NULL),
	NEED_LINE("input_packet_hex", 2, 128, "One packet as a client sends it, in the clear."));
PART(modifiers, "Modifiers", NEED_FLAG("shift", NULL), NEED_FLAG("ctrl", NULL),
	NEED_FLAG("alt", NULL), NEED_FLAG("meta", NULL));
#define LAYER_FIELDS \
	NEED_WHOLES("pressed_keys", 64, INT32_MAX, NULL), \
	NEED_LINES("pressed_key_names", 64, 32, NULL), \
	NEED_OBJECT("modifier_state", modifiers, NULL)
PART(layer, "KeyboardLayer", LAYER_FIELDS);
PART(keyboard, "Keyboard",
	NEED_ID("session_id", "Or the desktop's, of one that no session sees."),
	NEED_ID("desktop_id", NULL), NEED_LINE("lobby_id", 0, 39, "Whose desktop it is; none: a session's."),
	NEED_WHOLE("timestamp_ms", 0, 0, NULL),
	NEED_LINE("device_name", 0, 64, NULL), NEED_LINE("device_node", 0, 64, NULL),
	NEED_OBJECT("wolf_state", layer, NULL), NEED_OBJECT("inputtino_state", layer, NULL),
	NEED_OBJECT("evdev_state", layer, NULL), NEED_FLAG("has_mismatch", NULL),
	NEED_TEXT("mismatch_description", 64, NULL), LAYER_FIELDS);
SCHEMA(schema_gives_keyboard, "KeyboardState", SUCCESS,
	NEED_LIST("sessions", 256, keyboard, "Of the desktops that answered within a second."));
SCHEMA(schema_gives_released, "KeyboardReset", SUCCESS,
	NEED_LINES("released_keys", 64, 32, NULL), NEED_TEXT("message", 200, NULL));

/* ---- lobbies ---- */

PART(video, "LobbyVideo",
	WHOLE("width", 64, 3840, NULL), WHOLE("height", 64, 2160, NULL),
	WHOLE("refresh_rate", 1, 240, NULL),
	FOREIGN("wayland_render_node"), FOREIGN("runner_render_node"),
	FOREIGN("video_producer_buffer_caps"), FOREIGN("video_source_mode"));
PART(audio, "LobbyAudio", WHOLE("channel_count", 2, 8, NULL));
SCHEMA(schema_takes_lobby_create, "NewLobby",
	LINE("profile_id", 0, 47, NULL), NEED_LINE("name", 1, 95, NULL),
	LINE("icon_png_path", 0, 255, NULL), FLAG("multi_user", "More than one may be in it."),
	WHOLES("pin", 19, 9, "Digits."), FLAG("stop_when_everyone_leaves", NULL),
	OBJECT("video_settings", video, NULL), OBJECT("audio_settings", audio, NULL),
	OBJECT("client_settings", settings, NULL), LINE("runner_state_folder", 0, 255, NULL),
	OBJECT("runner", runner, "What runs in it."),
	ID_IN("app_id", "Or an app of the list."),
	FLAG("pin_required", "As Wolf UI sends it, which asks with what answers; not looked at."),
	LINES("connected_sessions", 256, 20, "The same."),
	WHOLE("deadline_ms", 0, 25000, "Until it must be there; else nothing of it stays."),
	FLAG("wait", "false: answered at once with its id; events tell the rest."));
SCHEMA(schema_takes_configure, "Configure",
	LINE("client_id", 0, 64, NULL),
	LINE("client_unique_id", 0, 64, "Names a client only where there is one."),
	LINE("immediate_lobby_id", 0, 39, "None: its own desktop again."),
	WHOLES("pin", 19, 9, "Digits."), LINE("role", 0, 16, "player or viewer."));
SCHEMA(schema_gives_message, "Message", SUCCESS, NEED_TEXT("message", 200, NULL));
PART(lobby, "Lobby",
	NEED_LINE("id", 1, 39, NULL), NEED_TEXT("name", 95, NULL),
	LINE("icon_png_path", 0, 255, NULL), NEED_FLAG("multi_user", NULL),
	NEED_LINE("started_by_profile_id", 0, 47, NULL), NEED_FLAG("pin_required", NULL),
	NEED_FLAG("stop_when_everyone_leaves", NULL), NEED_OBJECT("runner", runner, NULL),
	NEED_LINES("connected_sessions", 256, 20, NULL),
	NEED_LINE("state", 1, 16, "starting, ready, paused or ending."),
	NEED_WHOLE("app_id", INT32_MIN, INT32_MAX, NULL), NEED_WHOLE("video_width", 0, 0, NULL),
	NEED_WHOLE("video_height", 0, 0, NULL), NEED_WHOLE("video_refresh_rate", 0, 0, NULL),
	NEED_WHOLE("audio_channel_count", 0, 0, NULL),
	NEED_LINE("runner_state_folder", 0, 255, NULL), NEED_ID("desktop_id", NULL),
	NEED_FLAG("private", "Only the client that made it may be in it."),
	NEED_LINE("made_by_client", 0, 64, "The client that made it at Home; none: a program."));
SCHEMA(schema_gives_lobbies, "LobbyList", SUCCESS, NEED_LIST("lobbies", 256, lobby, NULL));
SCHEMA(schema_gives_lobby, "LobbyCreated", SUCCESS, NEED_LINE("lobby_id", 1, 39, NULL));
SCHEMA(schema_takes_lobby_join, "LobbyJoin",
	NEED_LINE("lobby_id", 1, 39, NULL), NEED_ID_IN("moonlight_session_id", NULL),
	WHOLES("pin", 19, 9, "Digits."), LINE("role", 0, 16, "player or viewer."),
	WHOLE("deadline_ms", 0, 25000, NULL),
	FLAG("wait", "false: answered at once; events tell whether it got there."));
SCHEMA(schema_takes_lobby_stop, "LobbyStop",
	NEED_LINE("lobby_id", 1, 39, NULL), WHOLES("pin", 19, 9, "Digits."));
SCHEMA(schema_takes_lobby_kick, "LobbyKick",
	NEED_LINE("lobby_id", 1, 39, NULL), NEED_ID_IN("moonlight_session_id", NULL));
SCHEMA(schema_takes_lobby_role, "LobbyRole",
	NEED_LINE("lobby_id", 1, 39, NULL), NEED_ID_IN("moonlight_session_id", NULL),
	NEED_LINE("role", 1, 16, "player, viewer, or alone: it steers and nobody else any more."));
SCHEMA(schema_takes_launcher, "Launcher",
	LINE("profile_id", 0, 47, NULL), ID_IN("app_id", NULL), LINE("lobby_id", 0, 39, NULL),
	FLAG("several", NULL), WHOLES("pin", 15, 9, "Digits."));
SCHEMA(schema_takes_switch, "Switch",
	NEED_ID_IN("session_id", NULL), LINE("lobby_id", 0, 39, "Where to; none: back to its own."),
	WHOLES("pin", 19, 9, "Digits."), LINE("role", 0, 16, "player or viewer."),
	WHOLE("deadline_ms", 0, 25000, NULL),
	FLAG("wait", "Of a move to a lobby; as in a join."));

/* ---- figures ---- */

PART(thread, "Thread",
	NEED_WHOLE("tid", 0, 0, "The process' number."), NEED_TEXT("name", 32, NULL),
	NEED_TEXT("details", 64, NULL), NEED_WHOLE("seconds_since_heartbeat", 0, 0, NULL),
	NEED_WHOLE("seconds_alive", 0, 0, NULL), NEED_WHOLE("heartbeat_count", 0, 0, NULL),
	NEED_FLAG("is_stuck", NULL), NEED_TEXT("current_request_path", 256, NULL),
	NEED_WHOLE("request_duration_seconds", 0, 0, NULL),
	NEED_FLAG("has_active_request", NULL), NEED_TEXT("stack_trace", 64, "What it does."));
SCHEMA(schema_gives_health, "Health", SUCCESS,
	NEED_WHOLE("process_uptime_seconds", 0, 0, NULL),
	NEED_LIST("threads", 2048, thread, "Our processes."),
	NEED_WHOLE("stuck_thread_count", 0, 0, "Stopped for good, not gone yet."),
	NEED_WHOLE("total_thread_count", 0, 0, NULL),
	NEED_FLAG("can_create_new_pipelines", "A session can start."),
	NEED_LINE("overall_status", 1, 16, "healthy, degraded or critical."));
PART(memory_client, "MemoryClient",
	NEED_ID("session_id", NULL), NEED_LINE("client_ip", 0, 64, NULL),
	NEED_LINE("resolution", 0, 40, NULL), NEED_LINE("app_id", 1, 16, NULL),
	LINE("lobby_id", 1, 39, "Where it is; none: at its own desktop."),
	NEED_WHOLE("memory_bytes", 0, 0, "Of its stream."));
PART(memory_app, "MemoryApp",
	NEED_LINE("app_id", 1, 16, NULL), NEED_TEXT("app_name", 95, NULL),
	NEED_LINE("resolution", 0, 40, NULL), NEED_WHOLE("client_count", 0, 0, NULL),
	NEED_WHOLE("memory_bytes", 0, 0, "Of its session's desktop and of its first process."));
PART(memory_lobby, "MemoryLobby",
	NEED_LINE("lobby_id", 1, 39, NULL), NEED_TEXT("lobby_name", 95, NULL),
	NEED_LINE("resolution", 0, 60, NULL), NEED_WHOLE("client_count", 0, 0, NULL),
	NEED_WHOLE("memory_bytes", 0, 0, "Of its desktop and of its app's first process."));
SCHEMA(schema_gives_memory, "Memory", SUCCESS,
	NEED_WHOLE("process_rss_bytes", 0, 0, "Measured: the PSS of our processes."),
	NEED_WHOLE("gstreamer_buffer_bytes", 0, 0, "There are none."),
	NEED_WHOLE("total_memory_bytes", 0, 0, "The same, with the apps'."),
	NEED_LIST("apps", 256, memory_app, NULL), NEED_LIST("lobbies", 256, memory_lobby, NULL),
	NEED_LIST("clients", 256, memory_client, NULL));
SCHEMA(schema_gives_viewers, "ViewerList", SUCCESS, NEED_LIST("viewers", 2048, status_row, NULL));
SCHEMA(schema_gives_counters, "CounterList", SUCCESS,
	NEED_LIST("processes", 2048, status_row, NULL));
SCHEMA(schema_gives_evidence, "EvidenceList", SUCCESS,
	NEED_LIST("evidence", 2048, status_row, NULL));
SCHEMA(schema_gives_admission, "Admission", SUCCESS,
	NEED_LIST("admission", 2048, status_row, NULL));

/* ---- tokens ---- */

SCHEMA(schema_takes_token, "NewToken",
	LINE("name", 0, 63, "Whose it is."),
	NEED_LINES("scopes", 16, 16, "What it may."));
SCHEMA(schema_takes_token_id, "TokenById", NEED_LINE("token_id", 1, 16, NULL));
SCHEMA(schema_gives_token, "TokenCreated", SUCCESS,
	NEED_LINE("token", 1, 80, "Shown this once: only its hash is kept."),
	NEED_LINE("token_id", 16, 16, NULL));
PART(token, "Token", NEED_LINE("token_id", 16, 16, NULL), NEED_LINE("name", 0, 63, NULL),
	NEED_LINES("scopes", 16, 16, NULL), NEED_WHOLE("created_s", 0, 0, "Unix time."));
SCHEMA(schema_gives_tokens, "TokenList", SUCCESS, NEED_LIST("tokens", 64, token, NULL));
/* clang-format on */
