/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_DESK_H
#define SUPERVISOR_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"
#include "supervisor/child.h"
#include "supervisor/notice.h"
#include "supervisor/restarts.h"

struct app;
struct desk;
struct encoding;
struct extra;
struct shot;
struct supervisor;

/* What its owner hears of a desk. */
enum desk_event {
	DESK_READY,    /* the desktop shows an empty screen, the app is being started */
	DESK_SHOWN,    /* there is something to see: a window, or it was waited for in vain */
	DESK_AGAIN,    /* the desktop died, and is to be started again with its app */
	DESK_BROKEN,   /* something died without which nothing goes */
	DESK_APP_OVER, /* the app has ended */
	DESK_TROUBLE,  /* something will be felt by who watches; it goes on */
	DESK_EMPTY,    /* its last process is reaped */
	DESK_APP_BEGAN,
	DESK_EVENTS,
};

struct desk_owner {
	void (*event)(struct desk *desk, enum desk_event event, uint32_t reason,
			const char *detail);
};

/* A place to work at: a desktop with its sound server and its app, whether or not
 * anybody watches. Its owner decides when it ends; what it watches and hears is said
 * to the owner in desk_events. Its number is also that of its cgroup, its runtime
 * folder, and of the children that belong to it. */
struct desk {
	struct desk *next;              /* of all of the supervisor's */
	struct supervisor *supervisor;  /* borrowed */
	const struct desk_owner *owner; /* borrowed */
	void *user;                     /* borrowed, the owner's */
	uint64_t id;                    /* random; a session's own desk has the session's */
	const struct app *app;          /* borrowed */
	uint8_t client[32];             /* whose home the app has */
	bool internal;                  /* of the readiness trial */
	bool guest;                     /* no client's: its app's home goes with it */
	bool shared;                    /* a lobby's: its app's home may be no client's */
	bool of_client;                 /* a lobby's: it is, the one's that made it at Home */
	char profile[48];               /* a lobby's: whose home it is instead, "" for nobody's */
	uint32_t run_uid, run_gid;      /* a lobby's: PUID and PGID, 0 as the client's settings */
	char state_folder[256];         /* of that home, "": it goes with the desk */
	uint8_t channels;               /* of sound */

	struct child *desktop, *sound, *runner;
	struct encoding *encodings; /* owned list */
	struct extra *extras;       /* owned list: programs beside its app */
	struct shot *shots;         /* owned list: screenshots that are being taken */
	unsigned children;          /* processes of it that are not reaped */
	uint32_t app_pid;
	int app_pidfd, app_output_fd; /* owned: for the next runner, -1 before the app runs */
	int app_gate_fd;              /* owned: what the app waits at, -1 when it begins */
	int udev_fd;                  /* owned: where its container hears of devices, or -1 */
	struct restarts runner_restarts;
	bool app_reaped; /* by the holder, with app_status */
	bool app_status_known;
	bool app_ending; /* of a desktop before this one: the next app waits for its end */
	int app_status;
	struct sd_event_source *app_blame; /* owned: its failure is about to be judged */
	char app_doing[160];               /* before it runs: what is waited for; "" */
	bool left_over;                    /* its container may be there without a runner */
	char app_words[160];               /* what is said then */
	int sound_listen_fd;               /* owned: outlives the sound server */
	int door_fd;                       /* owned: desk_door.h, -1 for none */
	struct restarts sound_restarts;
	struct sd_event_source *sound_retry; /* owned */
	char runtime[128], sound_server[160], x_display[16];
	uint16_t width, height; /* of the desktop now */
	uint32_t rate_mhz;
	bool desktop_ready;
	bool ending;   /* all of it was asked to stop */
	bool recorded; /* its encodings' and Notice's records are as they are (record.h) */
	struct restarts desktop_restarts;
	struct restarts desktop_refusals;      /* of viewers and encoders, for want of something */
	uint32_t desktop_wait_ms;              /* until the next one */
	struct sd_event_source *desktop_retry; /* owned: another one, then its first window */
	struct notice notice;
};

/* One without processes, for an owner. NULL without memory. */
struct desk *desk_make(struct supervisor *supervisor, uint64_t id, const struct app *app,
		const struct desk_owner *owner, void *user);

/* Removes what lies on disk and closes what is held. Processes that are not reaped by
 * now are left to their own reaping. Accepts NULL. */
void desk_destroy(struct desk *desk);

/* The desk of that number; NULL when there is none. */
struct desk *desk_find(struct supervisor *supervisor, uint64_t id);

/* For the parts: tells the owner. */
void desk_raise(struct desk *desk, enum desk_event event, uint32_t reason, const char *detail);

/* For the parts: a process of it is reaped. */
void desk_child_gone(struct desk *desk);

/* The desktop is gone: another one, with the app; who watches it keeps what there was. */
void desk_restart(struct desk *desk);

/* The desktop takes another size. */
void desk_resize(struct desk *desk, uint16_t width, uint16_t height, uint32_t rate_mhz);

#endif
