/* SPDX-License-Identifier: MIT */
#include "gate/api.h"
#include "gate/api_schemas.h"
#include "gate/health.h"
#include "gate/web.h"
#include "gate/web_obey.h"

/* Every address of the web door: requests are routed by this table, and the OpenAPI
 * document and docs/api.md are made from it. */

enum {
	LOUD = false,
	QUIET = true, /* polled */
	BOTH = ON(WEB) | ON(API),
	UNIX = ON(API),
	DESK = ON(DESK) | ON(HOME), /* a desktop's own socket */
	HOME = ON(HOME),            /* not in the document: it is no program's but the launcher's */
};

#define PAGE(path_, handle_) \
	{ \
		.path = path_, .doors = ON(WEB), .method = HTTP_GET, .access = ACCESS_ANY, \
		.quiet = true, .handle = handle_ \
	}
#define CALL(method_, path_, doors_, quiet_, scope_, takes_, gives_, handle_, words_) \
	{ \
		.path = path_, .doors = doors_, .method = HTTP_##method_, .access = ACCESS_KEY, \
		.quiet = quiet_, .handle = handle_, .about = { .scope = SCOPE_##scope_, \
			.takes = takes_, .gives = gives_, .words = words_ } \
	}
#define PLAIN(path_, access_, media_, handle_, words_) \
	{ \
		.path = path_, .doors = BOTH, .method = HTTP_GET, .access = access_, \
		.quiet = true, .handle = handle_, \
		.about = { .takes = &schema_anything, .media = media_, .words = words_ } \
	}

#define STREAM(path_, doors_, scope_, takes_, media_, handle_, words_) \
	{ \
		.path = path_, .doors = doors_, .method = HTTP_GET, .access = ACCESS_KEY, \
		.handle = handle_, .about = { .scope = SCOPE_##scope_, .takes = takes_, \
			.media = media_, .words = words_ } \
	}

/* An object a line; or one answer, where nothing is told meanwhile. */
#define LINES(path_, scope_, takes_, gives_, handle_, words_) \
	{ \
		.path = path_, .doors = BOTH, .method = HTTP_POST, .access = ACCESS_KEY, \
		.handle = handle_, .about = { .scope = SCOPE_##scope_, .takes = takes_, \
			.gives = gives_, .media = "application/x-ndjson", .words = words_ } \
	}

/* Whose body may be long. */
#define LARGE(path_, doors_, scope_, takes_, handle_, words_) \
	{ \
		.path = path_, .doors = doors_, .method = HTTP_POST, .access = ACCESS_KEY, \
		.quiet = true, .handle = handle_, .body_max = REQUEST_BODY_LARGE, \
		.about = { .scope = SCOPE_##scope_, .takes = takes_, .words = words_ } \
	}

/* What Wolf has and this host has not: answered with 501 and the reason. */
#define LACK(path_, scope_) \
	CALL(POST, path_, BOTH, LOUD, scope_, &schema_anything, NO, api_handle_not_built, \
			"Not done by this host: 501, and why.")
#define PNG(path_, takes_, handle_, words_) \
	STREAM(path_, BOTH, READ, takes_, "image/png", handle_, words_)

#define NO NULL

/* clang-format off */
static const struct route routes[] = {
	PAGE("/", web_handle_page),
	PAGE("/pin", web_handle_page),
	PAGE("/pair.js", web_handle_asset),
	PAGE("/pair.css", web_handle_asset),
	PAGE("/icon.svg", web_handle_asset),

	STREAM("/api/v1/events", BOTH, READ, &schema_takes_events, "text/event-stream", events_handle,
		"What happens, as server-sent events; Last-Event-ID goes on where it broke off."),

	CALL(GET, "/api/v1/pair/pending", BOTH, QUIET, PAIR, NO, &schema_gives_pending,
		api_handle_pending, "The clients that wait for their PIN."),
	CALL(GET, "/api/v1/pair/link", UNIX, QUIET, PAIR, NO, &schema_gives_link,
		api_handle_link, "The page for pairing with its key; on the Unix socket alone."),
	CALL(POST, "/api/v1/pair/client", BOTH, LOUD, PAIR, &schema_takes_pin, NO,
		api_handle_pair, "Types a client's PIN; answered when its pairing has ended."),

	CALL(GET, "/api/v1/clients", BOTH, QUIET, READ, NO, &schema_gives_clients,
		api_handle_clients, "The paired clients."),
	CALL(POST, "/api/v1/unpair/client", BOTH, LOUD, CLIENTS, &schema_takes_client, NO,
		api_handle_unpair, "Forgets a client and ends what it has open."),

	CALL(POST, "/api/v1/clients/settings", BOTH, LOUD, CLIENTS, &schema_takes_settings, NO,
		api_handle_client_settings, "Changes how a client likes it: what is given."),

	CALL(GET, "/api/v1/apps", BOTH, QUIET, READ, NO, &schema_gives_apps,
		api_handle_apps, "What clients see and can launch."),
	CALL(POST, "/api/v1/apps/add", BOTH, LOUD, APPS, &schema_takes_app, NO,
		api_handle_app_add, "Keeps one more app."),
	CALL(POST, "/api/v1/apps/delete", BOTH, LOUD, APPS, &schema_takes_id, NO,
		api_handle_app_delete, "Forgets an app that was added."),
	CALL(GET, "/api/v1/profiles", BOTH, QUIET, READ, NO, &schema_gives_profiles,
		api_handle_profiles, "People at a launcher, and their apps."),
	CALL(POST, "/api/v1/profiles/add", BOTH, LOUD, APPS, &schema_takes_profile, NO,
		api_handle_profile_add, "Keeps one more profile."),
	CALL(POST, "/api/v1/profiles/remove", BOTH, LOUD, APPS, &schema_takes_id, NO,
		api_handle_profile_remove, "Forgets a profile."),
	PNG("/api/v1/utils/get-icon", &schema_takes_icon, api_handle_icon,
		"An app's picture."),

	CALL(GET, "/api/v1/sessions", BOTH, QUIET, READ, NO, &schema_gives_sessions,
		api_handle_sessions, "The clients' sessions."),
	CALL(POST, "/api/v1/sessions/pause", BOTH, LOUD, SESSIONS, &schema_takes_session, NO,
		api_handle_session_pause, "Sends the viewer away; its desktop stays."),
	CALL(POST, "/api/v1/sessions/stop", BOTH, LOUD, SESSIONS, &schema_takes_session, NO,
		api_handle_session_stop, "Ends a session with its desktop."),
	CALL(POST, "/api/v1/session/stop", BOTH, LOUD, SESSIONS, &schema_takes_session, NO,
		api_handle_session_stop, "The same, as Wolf UI spells it."),
	CALL(POST, "/api/v1/sessions/input", BOTH, QUIET, INPUT, &schema_takes_session_input, NO,
		api_handle_session_input, "One input packet, as if the client had sent it."),
	CALL(POST, "/api/v1/sessions/add", BOTH, LOUD, SESSIONS, &schema_takes_session_add,
		&schema_gives_session, api_handle_session_add,
		"Makes a session that no client launched; answered when it can be watched."),
	CALL(POST, "/api/v1/sessions/resume", BOTH, LOUD, SESSIONS, &schema_takes_session_resume,
		&schema_gives_session, api_handle_session_resume,
		"Lets a session be watched with a new key."),
	CALL(POST, "/api/v1/sessions/start", BOTH, LOUD, SESSIONS, &schema_takes_session_start,
		&schema_gives_started, api_handle_session_start,
		"Streams to who has no RTSP: to where pings with its secrets come from."),
	CALL(POST, "/api/v1/sessions/configure", BOTH, LOUD, SESSIONS, &schema_takes_configure,
		&schema_gives_message, api_handle_configure,
		"Sends a client's next session to a lobby."),
	CALL(POST, "/api/v1/runners/start", BOTH, LOUD, SESSIONS, &schema_takes_runner_start, NO,
		api_handle_runner_start,
		"Starts one more program on a session's own desktop; answered when it runs."),
	LINES("/api/v1/docker/images/pull", APPS, &schema_takes_pull, &schema_success,
		api_handle_image_pull,
		"Has the container engine fetch an image: its words line by line, then success."),
	CALL(GET, "/api/v1/docker/images/inspect", BOTH, LOUD, READ, &schema_takes_image,
		&schema_gives_image, api_handle_image_inspect,
		"What the container engine says of an image."),
	CALL(GET, "/api/v1/keyboard/state", BOTH, QUIET, INPUT, NO, &schema_gives_keyboard,
		api_handle_keyboard_state, "What is held down on each desktop."),
	CALL(POST, "/api/v1/keyboard/reset", BOTH, LOUD, INPUT, &schema_takes_desktop,
		&schema_gives_released, api_handle_keyboard_reset,
		"What is held down goes up, whoever holds it."),

	CALL(GET, "/api/v1/lobbies", BOTH, QUIET, READ, NO, &schema_gives_lobbies,
		api_handle_lobbies, "Desktops with a life of their own."),
	CALL(POST, "/api/v1/lobbies/create", BOTH, LOUD, LOBBIES, &schema_takes_lobby_create,
		&schema_gives_lobby, api_handle_lobby_create,
		"Makes a lobby; answered when its desktop is there."),
	CALL(POST, "/api/v1/lobbies/join", BOTH, LOUD, LOBBIES, &schema_takes_lobby_join, NO,
		api_handle_lobby_join, "Moves a session there; answered with its first picture."),
	CALL(POST, "/api/v1/lobbies/leave", BOTH, LOUD, LOBBIES, &schema_takes_lobby_kick, NO,
		api_handle_lobby_leave, "Moves a session back to its own desktop."),
	CALL(POST, "/api/v1/lobbies/stop", BOTH, LOUD, LOBBIES, &schema_takes_lobby_stop, NO,
		api_handle_lobby_stop, "Ends a lobby; who is in it goes back."),
	CALL(POST, "/api/v1/lobbies/pause", BOTH, LOUD, LOBBIES, &schema_takes_lobby_stop, NO,
		api_handle_lobby_pause,
		"Everybody goes home, nobody gets in any more; the app goes on."),
	CALL(POST, "/api/v1/lobbies/resume", BOTH, LOUD, LOBBIES, &schema_takes_lobby_stop, NO,
		api_handle_lobby_resume, "It can be joined again."),
	LACK("/api/v1/lobbies/set-pipewire-node-id", LOBBIES),

	CALL(GET, "/api/v1/system/health", BOTH, QUIET, READ, NO, &schema_gives_health,
		api_handle_view, "Whether a session can start, and our processes."),
	CALL(GET, "/api/v1/wolf/health", BOTH, QUIET, READ, NO, &schema_gives_health,
		api_handle_view, "The same."),
	CALL(GET, "/api/v1/system/memory", BOTH, QUIET, READ, NO, &schema_gives_memory,
		api_handle_memory, "Memory, as measured."),

	CALL(GET, "/api/v2/desktops", BOTH, QUIET, READ, NO, &schema_gives_desktops,
		api_handle_desktops, "What can be seen and steered."),
	STREAM("/api/v2/desktops/screenshot", BOTH, SCREEN, &schema_takes_shot, "image/*",
		api_handle_shot_ask, "What a desktop shows, while it is streamed or not."),
	CALL(POST, "/api/v2/desktops/input", BOTH, QUIET, INPUT, &schema_takes_desktop_input, NO,
		api_handle_desktop_input, "Points, clicks, presses keys and types."),
	STREAM("/api/v2/desktops/clipboard", BOTH, SCREEN, &schema_takes_desktop, "text/plain",
		api_handle_clip_get, "The text on a desktop's clipboard."),
	LARGE("/api/v2/desktops/clipboard", BOTH, INPUT, &schema_takes_clip,
		api_handle_clip_set, "Puts text on it, as if an app had copied it."),
	CALL(GET, "/api/v2/viewers", BOTH, QUIET, READ, NO, &schema_gives_viewers,
		api_handle_view, "Sessions with the ages of their pictures and other figures."),
	CALL(POST, "/api/v2/viewers/switch", BOTH, LOUD, LOBBIES, &schema_takes_switch, NO,
		api_handle_switch, "Moves a session to a lobby or back."),
	CALL(POST, "/api/v2/lobbies/kick", BOTH, LOUD, LOBBIES, &schema_takes_lobby_kick, NO,
		api_handle_lobby_kick, "Puts a session out of a lobby."),
	CALL(POST, "/api/v2/lobbies/role", BOTH, LOUD, LOBBIES, &schema_takes_lobby_role, NO,
		api_handle_lobby_role, "Says whether a session in a lobby may steer."),
	CALL(GET, "/api/v2/counters", BOTH, QUIET, READ, NO, &schema_gives_counters,
		api_handle_view, "Our processes and their counters."),
	CALL(GET, "/api/v2/evidence", BOTH, QUIET, READ, NO, &schema_gives_evidence,
		api_handle_view, "What failed, and where what it left lies."),
	CALL(GET, "/api/v2/admission", BOTH, QUIET, READ, NO, &schema_gives_admission,
		api_handle_view, "What would still fit, and what a session costs here."),

	CALL(GET, "/api/v2/desktop", DESK, QUIET, READ, NO, &schema_gives_own_desktop,
		api_handle_view, "What this desktop is, and who sees it, with their pictures' ages."),
	STREAM("/api/v2/desktop/screenshot", DESK, SCREEN, &schema_takes_own_shot, "image/*",
		api_handle_shot_ask, "What this desktop shows."),
	CALL(POST, "/api/v2/desktop/input", DESK, QUIET, INPUT, &schema_takes_own_input, NO,
		api_handle_desktop_input, "Points, clicks, presses keys and types on it."),

	STREAM("/api/v2/desktop/clipboard", DESK, SCREEN, NO, "text/plain",
		api_handle_clip_get, "The text on this desktop's clipboard."),
	LARGE("/api/v2/desktop/clipboard", DESK, INPUT, &schema_takes_own_clip,
		api_handle_clip_set, "Puts text on it, as if an app had copied it."),

	CALL(GET, "/api/v2/launcher", HOME, QUIET, READ, NO, NO,
		api_handle_launcher, "What a launcher shows."),
	CALL(POST, "/api/v2/launcher/profile", HOME, LOUD, LOBBIES, &schema_takes_launcher, NO,
		api_handle_launcher_profile, "Whether a profile's PIN is that."),
	CALL(POST, "/api/v2/launcher/create", HOME, LOUD, LOBBIES, &schema_takes_launcher, NO,
		api_handle_launcher_create, "Makes a lobby with an app, of the viewer's size."),
	CALL(POST, "/api/v2/launcher/join", HOME, LOUD, LOBBIES, &schema_takes_launcher, NO,
		api_handle_launcher_join, "Moves this desktop's viewer to a lobby."),
	CALL(POST, "/api/v2/launcher/leave", HOME, LOUD, LOBBIES, &schema_takes_launcher, NO,
		api_handle_launcher_leave, "Moves this desktop's viewer back to it."),
	CALL(POST, "/api/v2/launcher/stop", HOME, LOUD, LOBBIES, &schema_takes_launcher, NO,
		api_handle_launcher_stop, "Ends a lobby."),

	CALL(GET, "/api/v2/tokens", UNIX, QUIET, ADMIN, NO, &schema_gives_tokens,
		api_handle_tokens, "Programs' tokens, without what they show."),
	CALL(POST, "/api/v2/tokens/create", UNIX, LOUD, ADMIN, &schema_takes_token,
		&schema_gives_token, api_handle_token_create, "Makes a token for the web port."),
	CALL(POST, "/api/v2/tokens/remove", UNIX, LOUD, ADMIN, &schema_takes_token_id, NO,
		api_handle_token_remove, "Forgets a token: it lets nobody in any more."),

	CALL(GET, "/api/v1/status", BOTH, QUIET, READ, &schema_takes_filter, &schema_gives_status,
		api_handle_status, "Everything there is, row by row."),
	CALL(POST, "/api/v1/system/restart", UNIX, LOUD, ADMIN, &schema_takes_restart, NO,
		api_handle_restart, "Ends a process, so that its successor goes on."),
	CALL(POST, "/api/v1/system/upgrade", UNIX, LOUD, ADMIN, &schema_takes_upgrade,
		&schema_gives_upgrade, api_handle_upgrade,
		"Lets another version take over, or says whether it could; no session ends."),
	CALL(POST, "/api/v1/system/reload", UNIX, LOUD, ADMIN, NO, &schema_gives_reloaded,
		api_handle_reload, "Reads the configuration again; what is wrong changes nothing."),
	CALL(GET, "/api/v1/openapi-schema", BOTH, QUIET, READ, NO, &schema_gives_document,
		api_handle_openapi, "This document."),
#ifdef PERIGEE_OBEY
	{ .path = "/api/v1/debug/obey", .doors = UNIX, .method = HTTP_POST, .access = ACCESS_KEY,
		.handle = web_handle_obey },
#endif
	PLAIN("/healthz", ACCESS_ANY, "text/plain", health_handle_alive,
		"Whether the host lives: 200 or 503 with the reason."),
	PLAIN("/readyz", ACCESS_ANY, "text/plain", health_handle_ready,
		"Whether a session can start: 200 or 503 with what stalls."),
	PLAIN("/metrics", ACCESS_KEY, "text/plain", health_handle_metrics,
		"Figures in Prometheus' text form."),
};
/* clang-format on */

const struct request_site web_site = {
	.routes = routes,
	.n_routes = ARRAY_LEN(routes),
	.serve = web_serve,
	.not_found = web_not_found,
};
