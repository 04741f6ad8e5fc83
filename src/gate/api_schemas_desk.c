/* SPDX-License-Identifier: MIT */
#include "gate/api_schemas.h"
#include "gate/schema_tables.h"

/* Desktops: those that a program names (api_desktops.c), and the one whose own socket it
 * asks at (api_desk.c), where nothing names one. */

/* clang-format off */
PART(point, "Point",
	NEED_WHOLE("x", 0, 65535, NULL), NEED_WHOLE("y", 0, 65535, NULL),
	NEED_WHOLE("width", 1, 65535, "Of the picture that x and y are of."),
	NEED_WHOLE("height", 1, 65535, NULL));
#define INPUT_FIELDS \
	OBJECT("pointer", point, "Goes there first."), \
	WHOLES("press", 8, 767, "Then these (evdev, a mouse's buttons among them) go down and stay down."), \
	WHOLE("click", 1, 5, "Then this button down and up: left, right, middle, back, forward."), \
	WHOLE("scroll", INT16_MIN, INT16_MAX, "120 a notch, up is positive."), \
	WHOLES("keys", 8, 767, "Then these keys (evdev) down one after the other, and up again."), \
	TEXT("text", 200, "Then this is typed."), \
	WHOLES("release", 8, 767, "At the end these go up.")
SCHEMA(schema_takes_desktop_input, "DesktopInput",
	ID_IN("desktop_id", NULL), LINE("lobby_id", 0, 39, "Or the desktop of a lobby,"),
	ID_IN("session_id", "or what a session sees."),
	INPUT_FIELDS);
SCHEMA(schema_takes_own_input, "OwnInput", INPUT_FIELDS);

PART(desktop, "Desktop",
	NEED_ID("desktop_id", NULL), NEED_LINE("app_id", 1, 16, NULL),
	NEED_WHOLE("width", 0, 0, NULL), NEED_WHOLE("height", 0, 0, NULL),
	NEED_WHOLE("rate_mhz", 0, 0, NULL), LINE("lobby_id", 0, 39, "Whose it is; none: a session's."));
SCHEMA(schema_takes_shot, "Screenshot",
	ID_IN("desktop_id", NULL), LINE("lobby_id", 0, 39, "Or the desktop of a lobby,"),
	ID_IN("session_id", "or what a session sees."),
	WHOLE("deadline_ms", 1, 20000, "5000 when it is missing."),
	LINE("format", 3, 4, "png or jpeg; png when it is missing."));
SCHEMA(schema_takes_desktop, "WhichDesktop",
	ID_IN("desktop_id", NULL), LINE("lobby_id", 0, 39, "Or the desktop of a lobby,"),
	ID_IN("session_id", "or what a session sees."));
SCHEMA(schema_takes_clip, "Clipboard",
	ID_IN("desktop_id", NULL), LINE("lobby_id", 0, 39, "Or the desktop of a lobby,"),
	ID_IN("session_id", "or what a session sees."),
	NEED_TEXT("text", 48 * 1024, "None at all empties it."));
SCHEMA(schema_takes_own_clip, "OwnClipboard",
	NEED_TEXT("text", 48 * 1024, "None at all empties it."));
SCHEMA(schema_gives_desktops, "DesktopList", SUCCESS, NEED_LIST("desktops", 256, desktop, NULL));
SCHEMA(schema_takes_own_shot, "OwnScreenshot",
	WHOLE("deadline_ms", 1, 20000, "5000 when it is missing."),
	LINE("format", 3, 4, "png or jpeg; png when it is missing."));

PART(own_desktop, "OwnDesktop",
	NEED_TEXT("app", 95, "Its title."), NEED_TEXT("lobby", 95, "Its name; none: a session's."),
	NEED_WHOLE("width", 0, 0, NULL), NEED_WHOLE("height", 0, 0, NULL),
	NEED_WHOLE("rate_mhz", 0, 0, NULL), NEED_WHOLE("channels", 0, 0, "Of sound."),
	NEED_FLAG("ready", NULL));
PART(own_viewer, "OwnViewer",
	NEED_TEXT("name", 63, "As its client is called."), NEED_FLAG("may_input", NULL),
	NEED_WHOLE("width", 0, 0, NULL), NEED_WHOLE("height", 0, 0, NULL),
	NEED_WHOLE("pictures", 0, 0, "That were sent to it."),
	NEED_WHOLE("age_p50_us", 0, 0, "From the commit to the last packet."),
	NEED_WHOLE("age_p99_us", 0, 0, NULL), NEED_WHOLE("hand_p50_us", 0, 0, NULL),
	NEED_WHOLE("hand_p99_us", 0, 0, NULL), NEED_WHOLE("loss_ppm", 0, 0, NULL));
SCHEMA(schema_gives_own_desktop, "OwnDesktopState", SUCCESS,
	NEED_OBJECT("desktop", own_desktop, NULL),
	NEED_LIST("viewers", 256, own_viewer, "Who sees it now."));
/* clang-format on */
