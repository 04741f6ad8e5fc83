/* SPDX-License-Identifier: MIT */
#include "ipc/reason.h"

#include "base/own.h"

/* clang-format off */
static const struct reason_row rows[REASONS] = {
	[REASON_NONE]               = { "none", "Nothing went wrong.", "", 200 },
	[REASON_ASKED]              = { "asked", "The session was ended on request.", "", 200 },
	[REASON_SHUTDOWN]           = { "shutdown", "The host is being stopped.", "Start Perigee again.", 503 },
	[REASON_CLIENT_LEFT]        = { "client-left", "The client disconnected.", "", 200 },
	[REASON_CLIENT_SILENT]      = { "client-silent", "The client sent nothing for 10 seconds.", "Check the client's network.", 200 },
	[REASON_TAKEN_OVER]         = { "taken-over", "The session was resumed on another connection.", "", 200 },
	[REASON_APP_EXITED]         = { "app-exited", "The app was closed.", "", 200 },
	[REASON_APP_FAILED]         = { "app-failed", "The app ended with an error.", "Look at the app's last lines in the log.", 500 },
	[REASON_APP_MISSING]        = { "app-missing", "The app is not installed on the host.", "Install the package that the list names.", 404 },
	[REASON_DESKTOP_DIED]       = { "desktop-died", "The desktop's process ended unexpectedly.", "Launch again; the log has the reason.", 500 },
	[REASON_ENCODER_DIED]       = { "encoder-died", "The encoder's process ended unexpectedly.", "Resume; the log has the reason.", 500 },
	[REASON_STREAM_DIED]        = { "stream-died", "The stream's process ended unexpectedly.", "Resume; the log has the reason.", 500 },
	[REASON_RUNNER_DIED]        = { "runner-died", "The process that watches the app ended unexpectedly.", "Launch again.", 500 },
	[REASON_SOUND_DIED]         = { "sound-died", "The sound server ended unexpectedly.", "", 500 },
	[REASON_WORKER_HUNG]        = { "worker-hung", "A process of this session did not finish an operation in time.", "Launch again; the log names the operation.", 500 },
	[REASON_WORKER_LIED]        = { "worker-lied", "A process of this session broke the rules and was stopped.", "Please report this with the log.", 500 },
	[REASON_START_OVERDUE]      = { "start-overdue", "The desktop was not ready in time.", "Try again; `perigee status` shows what is slow.", 503 },
	[REASON_RTSP_OVERDUE]       = { "rtsp-overdue", "The client launched but never set up its stream.", "Check that TCP port 48010 is reachable.", 503 },
	[REASON_FLOW_OVERDUE]       = { "flow-overdue", "No datagram of the client arrived.", "Check that UDP ports 47998 to 48000 are reachable.", 503 },
	[REASON_HOST_FULL]          = { "host-full", "This host is full.", "Wait for somebody to leave.", 503 },
	[REASON_NO_ENCODER]         = { "no-encoder", "No video encoder works on this host.", "`perigee status` shows what was tried.", 503 },
	[REASON_KEY_REUSED]         = { "key-reused", "The client repeated a session key, which would break its encryption.", "Start the stream again.", 400 },
	[REASON_APP_UNKNOWN]        = { "app-unknown", "There is no such app on this host.", "Refresh the app list.", 404 },
	[REASON_OTHER_APP_RUNS]     = { "other-app-runs", "Another app of yours is running.", "Resume or quit it first.", 400 },
	[REASON_NOTHING_RUNS]       = { "nothing-runs", "No app of yours is running.", "Launch one.", 503 },
	[REASON_LAUNCH_PENDING]     = { "launch-pending", "Another client at your address is just connecting without encryption.", "Try again in a few seconds.", 503 },
	[REASON_ENCRYPTION_REQUIRED] = { "encryption-required", "This host requires encryption, which the client does not offer.", "Update the client, or set `encryption: off` on the host.", 403 },
	[REASON_UNSUPPORTED]        = { "unsupported", "The host cannot stream in the form that the client asked for.", "Choose H.264 and an even size up to 3840x2160.", 400 },
	[REASON_STORE_SILENT]       = { "store-silent", "The host's database did not answer in time.", "Try again; look at the disk.", 503 },
	[REASON_RESOURCES]          = { "resources", "The host ran out of a resource.", "The log names it.", 503 },
	[REASON_NOT_READY]          = { "not-ready", "The host is still starting.", "Try again in a few seconds.", 503 },
	[REASON_CHANNEL_STUCK]      = { "channel-stuck", "A process did not take its messages in time.", "Launch again.", 500 },
	[REASON_SLOTS_HELD]         = { "slots-held", "The encoder kept a picture for too long.", "Resume.", 500 },
	[REASON_SPAWN_FAILED]       = { "spawn-failed", "The host could not start a process.", "The log names the reason.", 503 },
	[REASON_RESTARTED]          = { "restarted", "A process of this session was restarted on request.", "", 500 },
	[REASON_RESTARTS_SPENT]     = { "restarts-spent", "A process of this session ended again and again.", "`perigee status` and the log say which and why.", 500 },
	[REASON_DESKTOP_AGAIN]      = { "desktop-again", "The desktop's process ended unexpectedly and is being started again.", "", 500 },
	[REASON_SUPERVISOR_DIED]    = { "supervisor-died", "The host's supervisor was replaced at that very moment.", "Try again.", 503 },
	[REASON_NOT_CONFINED]       = { "not-confined", "The host could not confine a process, and so did not start it.", "The log names the step (event=exec-failed); `perigee doctor` says what is missing.", 503 },
	[REASON_SOUND_DEAF]         = { "sound-deaf", "The sound server did not answer any more.", "", 500 },
	[REASON_APP_NO_WINDOW]      = { "app-no-window", "The app did not show a window in time.", "Look at its last lines in the log; `window_deadline` gives it more time.", 500 },
	[REASON_HOST_SICK]          = { "host-sick", "This host cannot start a session now.", "It tries by itself whether it can again; `perigee doctor` says what is wrong.", 503 },
	[REASON_UPGRADE_REFUSED]    = { "upgrade-refused", "The host was not upgraded.", "The answer says why; nothing was changed.", 409 },
	[REASON_UPGRADE_BACK]       = { "upgrade-back", "The new version did not start: the old one goes on.", "The log says what it died of; mend the installation and try again.", 500 },
	[REASON_LOBBY_UNKNOWN]      = { "lobby-unknown", "There is no such lobby on this host.", "List the lobbies again.", 404 },
	[REASON_LOBBY_PIN]          = { "lobby-pin", "The lobby's PIN is another one.", "Ask whoever made the lobby.", 403 },
	[REASON_LOBBY_GUESSES]      = { "lobby-guesses", "Too many wrong PINs were tried.", "Wait a minute, then try again.", 429 },
	[REASON_LOBBY_TAKEN]        = { "lobby-taken", "The lobby is for one at a time and somebody is in it.", "Wait until it is left.", 409 },
	[REASON_LOBBY_ENDS]         = { "lobby-ends", "The lobby is being stopped.", "", 409 },
	[REASON_SESSION_UNKNOWN]    = { "session-unknown", "There is no such session, or nobody watches it.", "List the sessions again.", 404 },
	[REASON_NOT_A_MEMBER]       = { "not-a-member", "The session is not in that lobby.", "", 409 },
	[REASON_SWITCH_OVERDUE]     = { "switch-overdue", "The other desktop showed no picture in time, so the viewer stayed where it was.", "Try again; `perigee status` shows what is slow.", 503 },
	[REASON_SWITCH_PENDING]     = { "switch-pending", "The session is just moving to another desktop.", "Try again when that is done.", 409 },
	[REASON_KICKED]             = { "kicked", "The lobby's owner put the session out.", "", 200 },
	[REASON_LOBBY_LEFT_ALONE]   = { "lobby-left-alone", "Everybody had left the lobby.", "", 200 },
	[REASON_LOBBY_OLD]          = { "lobby-old", "The lobby reached its maximum age.", "", 200 },
	[REASON_NOT_PERMITTED]      = { "not-permitted", "This client may not do that on this host.", "Ask who runs the host: `perigee clients` shows what it may.", 403 },
	[REASON_STATE_REFUSED]      = { "state-refused", "That cannot be kept.", "", 400 },
	[REASON_CONFIG_REFUSED]     = { "config-refused", "The configuration has a mistake; nothing was changed.", "`perigee config check` says where.", 400 },
	[REASON_PIN_WRONG]          = { "pin-wrong", "The PIN is wrong.", "", 403 },
	[REASON_COMBO]              = { "combo", "The viewer went back to its own desktop.", "", 200 },
	[REASON_DESKTOP_UNKNOWN]    = { "desktop-unknown", "There is no such desktop on this host.", "List the desktops again.", 404 },
	[REASON_SHOT_OVERDUE]       = { "shot-overdue", "The desktop gave no picture in time.", "Try again; `perigee status` shows what is slow.", 503 },
	[REASON_SHOTS_MANY]         = { "shots-many", "Too many screenshots are being taken at once.", "Try again in a moment.", 503 },
	[REASON_LINE_LOSSY]         = { "line-lossy", "The viewer's line loses so much that it has an encoding of its own.", "Choose a lower bitrate, or look at the viewer's network.", 200 },
	[REASON_LINES_LOSSY]        = { "lines-lossy", "Several viewers lose much at once, so none of them gets an encoding of its own.", "Look at the host's own network.", 200 },
	[REASON_CLIPBOARD_NONE]     = { "clipboard-none", "There is no text on that clipboard.", "", 404 },
	[REASON_CLIPBOARD_LARGE]    = { "clipboard-large", "The text on that clipboard is longer than 1 MiB.", "Copy less of it.", 413 },
	[REASON_CLIPBOARD_OVERDUE]  = { "clipboard-overdue", "The app that has the clipboard did not give it in time.", "Try again; the app may be busy.", 503 },
	[REASON_DESK_BUSY]          = { "desk-busy", "The programs on this desktop ask too much at once.", "Ask less often.", 429 },
	[REASON_PADS_MISSING]       = { "pads-missing", "Gamepads do nothing here: the host cannot make virtual ones. Everything else works.", "modprobe uinput, and let Perigee's user write /dev/uinput.", 200 },
	[REASON_PADS_HIDDEN]        = { "pads-hidden", "Apps in a sandbox or container see no gamepads: no device nodes can be made for them.", "Start Perigee as root, with CAP_MKNOD and a /dev that it may write.", 200 },
	[REASON_RUNNER_REFUSED]     = { "runner-refused", "What is to run makes no sense.", "The answer says what is wrong with its runner.", 400 },
	[REASON_LOBBY_PRIVATE]      = { "lobby-private", "The lobby is for the client alone that made it.", "Make one for several.", 403 },
	[REASON_LOBBY_NOT_YOURS]    = { "lobby-not-yours", "Only the client that made the lobby may stop it here.", "Whoever runs the host can: `perigee lobby stop`.", 403 },
	[REASON_LOBBY_PAUSED]       = { "lobby-paused", "The lobby is paused.", "Wait until it is resumed.", 409 },
	[REASON_LOBBY_BUSY]         = { "lobby-busy", "The lobby is just starting, or being paused.", "Try again when that is done.", 409 },
	[REASON_PROFILE_LOCKED]     = { "profile-locked", "The profile's PIN was not given here.", "Go back to the profiles with Escape, and choose it again.", 403 },
	[REASON_VIEWER_UNEXPECTED]  = { "viewer-unexpected", "The session does not wait for a viewer.", "Give it a key first: /api/v1/sessions/add or /api/v1/sessions/resume.", 409 },
	[REASON_PIN_LOCKED]         = { "pin-locked", "Too many wrong PINs.", "Wait half a minute, then try again.", 429 },
};
/* clang-format on */

static const struct reason_row unknown = {
	"unknown",
	"Something went wrong that has no name yet.",
	"Please report this with the log.",
	500,
};

const struct reason_row *reason_row(uint32_t reason) {
	return reason < ARRAY_LEN(rows) && rows[reason].name ? &rows[reason] : &unknown;
}

uint32_t reason_termination(uint32_t reason) {
	if (reason_row(reason)->status == 200 || reason == REASON_SHUTDOWN) {
		return REASON_TERMINATE_ORDERLY;
	}
	uint32_t digits = 0;
	for (unsigned place = 0; place < 16; place += 4, reason /= 10) {
		digits |= reason % 10 << place;
	}
	return REASON_TERMINATE_BASE | digits;
}
