/* SPDX-License-Identifier: MIT */
#ifndef IPC_REASON_H
#define IPC_REASON_H

#include <stdint.h>

/* Why something ended or was refused. Each row of the table in reason.c says
 * what the person sees; numbers are never reused, they are in logs and metrics. */
enum reason {
	REASON_NONE = 0,
	REASON_ASKED = 1,         /* the person or the program asked for it */
	REASON_SHUTDOWN = 2,      /* the host is being stopped */
	REASON_CLIENT_LEFT = 3,   /* ENet disconnect */
	REASON_CLIENT_SILENT = 4, /* no control traffic for 10 s */
	REASON_TAKEN_OVER = 5,    /* the same client resumed elsewhere */
	REASON_APP_EXITED = 6,    /* exit status 0 */
	REASON_APP_FAILED = 7,    /* non-zero status or a signal */
	REASON_APP_MISSING = 8,   /* not installed */
	REASON_DESKTOP_DIED = 9,
	REASON_ENCODER_DIED = 10,
	REASON_STREAM_DIED = 11,
	REASON_RUNNER_DIED = 12,
	REASON_SOUND_DIED = 13,
	REASON_WORKER_HUNG = 14,   /* an operation outlived its deadline */
	REASON_WORKER_LIED = 15,   /* a message that this worker may not send */
	REASON_START_OVERDUE = 16, /* a worker was not ready in time */
	REASON_RTSP_OVERDUE = 17,  /* launched, but no ANNOUNCE came */
	REASON_FLOW_OVERDUE = 18,  /* announced, but no datagram came */
	REASON_HOST_FULL = 19,
	REASON_NO_ENCODER = 20,
	REASON_KEY_REUSED = 21,
	REASON_APP_UNKNOWN = 22,
	REASON_OTHER_APP_RUNS = 23,
	REASON_NOTHING_RUNS = 24,
	REASON_LAUNCH_PENDING = 25, /* plain RTSP: another launch of this address */
	REASON_ENCRYPTION_REQUIRED = 26,
	REASON_UNSUPPORTED = 27, /* codec, size or rate that is not offered */
	REASON_STORE_SILENT = 28,
	REASON_RESOURCES = 29,     /* fds, memory, processes */
	REASON_NOT_READY = 30,     /* the host is still starting */
	REASON_CHANNEL_STUCK = 31, /* a peer did not drain its channel */
	REASON_SLOTS_HELD = 32,    /* an encoder kept a picture slot too long */
	REASON_SPAWN_FAILED = 33,
	REASON_RESTARTED = 34,       /* `perigee restart` */
	REASON_RESTARTS_SPENT = 35,  /* its successors died as well */
	REASON_DESKTOP_AGAIN = 36,   /* the desktop died and is started again */
	REASON_SUPERVISOR_DIED = 41, /* while something was on its way through it */
	REASON_HOST_SICK = 44,       /* no session can start now: a trial failed */
	REASON_NOT_CONFINED = 47,    /* perigee-exec could not do what its table says */
	REASON_SOUND_DEAF = 49,      /* the sound server is there and delivers nothing */
	REASON_UPGRADE_REFUSED = 53, /* nothing was touched */
	REASON_UPGRADE_BACK = 54,    /* the new version was not ready: the old one goes on */
	REASON_APP_NO_WINDOW = 55,   /* the app runs, but shows nothing */
	REASON_LOBBY_UNKNOWN = 60,
	REASON_LOBBY_PIN = 61,     /* wrong or missing */
	REASON_LOBBY_GUESSES = 62, /* too many wrong ones lately */
	REASON_LOBBY_TAKEN = 63,   /* not multi_user, and somebody is in it */
	REASON_LOBBY_ENDS = 64,
	REASON_SESSION_UNKNOWN = 65,
	REASON_NOT_A_MEMBER = 66,
	REASON_SWITCH_OVERDUE = 67, /* the other desktop showed nothing in time */
	REASON_SWITCH_PENDING = 68, /* another of that session is on its way */
	/* 69 was lobbies-missing of a version that had none: the number is not given again */
	REASON_KICKED = 70,
	REASON_LOBBY_LEFT_ALONE = 71, /* nobody was in it for the grace period */
	REASON_LOBBY_OLD = 72,        /* reached its maximum age */
	REASON_NOT_PERMITTED = 90,    /* the client's permissions say no */
	REASON_STATE_REFUSED = 91,    /* what is to be stored makes no sense, or is not there */
	REASON_CONFIG_REFUSED = 92,   /* perigee.yaml has a mistake */
	REASON_PIN_WRONG = 93,
	REASON_PIN_LOCKED = 94,    /* too many wrong ones */
	REASON_COMBO = 100,        /* the viewer pressed what brings it back */
	REASON_PADS_MISSING = 104, /* no device to make gamepads with */
	REASON_DESKTOP_UNKNOWN = 107,
	REASON_SHOT_OVERDUE = 108, /* the desktop drew nothing in time */
	REASON_SHOTS_MANY = 109,   /* as many as may be taken at once are */
	REASON_LINE_LOSSY = 120,   /* one viewer loses so much that others would see it */
	REASON_LINES_LOSSY = 121,  /* several at once: it is not the line of one of them */
	REASON_RUNNER_REFUSED = 122,
	REASON_LOBBY_PRIVATE = 123,
	REASON_LOBBY_NOT_YOURS = 124,
	REASON_LOBBY_PAUSED = 125,
	REASON_LOBBY_BUSY = 126,
	REASON_DESK_BUSY = 127, /* its programs ask more than they may */
	REASON_CLIPBOARD_NONE = 128,
	REASON_CLIPBOARD_LARGE = 129,
	REASON_CLIPBOARD_OVERDUE = 130, /* the app that has it does not give it */
	REASON_PADS_HIDDEN = 131,       /* no device nodes can be made for apps that are confined */
	REASON_PROFILE_LOCKED = 132,    /* the profile's PIN was not given at this launcher */
	REASON_VIEWER_UNEXPECTED = 133, /* the session does not wait for one */
	REASONS,
};

/* What Moonlight is told at the end of a stream (CC ControlStream.c, 0x0109): that it was
 * meant, or a number that it shows beside "connection terminated". The other two codes
 * that it knows make it give advice on HDR and on protected content. The number's last
 * four digits are the reason's, in decimal: 50450009 for 9. */
#define REASON_TERMINATE_ORDERLY 0x80030023u
#define REASON_TERMINATE_BASE 0x50450000u

struct reason_row {
	const char *name;   /* for logs, metrics and the API */
	const char *words;  /* one sentence for the person */
	const char *remedy; /* what to do, "" when nothing */
	int32_t status;     /* Moonlight status_code of a refusal */
};

/* Never NULL: an unknown number yields the row of a bug in Perigee. */
const struct reason_row *reason_row(uint32_t reason);

/* The code of an end for that reason: orderly where nothing went wrong. */
uint32_t reason_termination(uint32_t reason);

#endif
