/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"
#include "supervisor/apps.h"
#include "supervisor/cgroup.h"
#include "supervisor/child.h"
#include "supervisor/config.h"
#include "supervisor/confine_support.h"
#include "supervisor/deferred.h"
#include "supervisor/evidence.h"
#include "supervisor/health.h"
#include "supervisor/journal.h"
#include "supervisor/keep.h"
#include "supervisor/keys.h"
#include "supervisor/ledger.h"
#include "supervisor/measure.h"
#include "supervisor/metrics.h"
#include "supervisor/paths.h"
#include "supervisor/permits.h"
#include "supervisor/ready.h"
#include "supervisor/sockets.h"
#include "supervisor/status_line.h"
#include "supervisor/succession.h"
#include "supervisor/upgrade.h"
#include "supervisor/versions.h"
#include "supervisor/weigh.h"

struct desk;
struct lobby;
struct session;

/* A machine-wide worker that is started again when it ends, with backoff. */
struct service {
	struct supervisor *supervisor; /* borrowed */
	const struct service_row *row; /* what it is, in services.c */
	struct child *child;           /* NULL while down */
	struct sd_event_source *retry; /* owned */
	uint64_t started_ms;
	uint32_t failures; /* in a row */
	uint64_t restarts; /* ever */
	uint32_t reason;   /* of the newest failure */
	uint64_t next_ms;  /* when it is tried again, 0: it runs or is not to */
	bool ready;
	bool renewing; /* its end is followed by one of our version at once */
};

enum service_name {
	SERVICE_STORE,
	SERVICE_GATE,
	SERVICE_WEB,
	SERVICE_FACTS,
	SERVICE_DISCOVER,
	SERVICE_PROBE,
	SERVICE_ART,
	SERVICES,
};

enum {
	PROBED_MAX = 8,
	ART_MAX = APPS_MAX,
};

/* perigeed: opens the listening sockets, starts and watches everything else,
 * decides admission, runs the sessions. It parses no byte of the network and
 * links neither TLS nor codecs nor a compositor nor a database. One loop. */
struct supervisor {
	struct sd_event *event; /* owned */
	struct config config;
	int argc; /* what we were started with */
	char **argv;
	struct paths paths;
	int state_fd; /* owned until our end: the claim on the state folder */
	struct sockets sockets;
	struct apps apps;
	struct journal journal;
	struct nursery nursery;
	struct evidence evidence;           /* what becomes of those who fail */
	struct cgroups cgroups;             /* one for each session, where they can be made */
	struct confine_support confinement; /* what the kernel has */
	struct keep keep;                   /* what lies with the holder */
	struct ledger ledger;               /* what a supervisor that takes over must know */
	struct keys keys;                   /* used session keys' hashes */
	struct versions versions;           /* of which something runs */
	struct upgrade upgrade;             /* the newest */
	struct service services[SERVICES];
	struct permits permits;   /* what clients may */
	struct session *sessions; /* owned list */
	unsigned sessions_count;
	struct lobby *lobbies;    /* owned list */
	struct image_job *images; /* owned list: what is asked of the container engine */
	struct measure measure;   /* what processes take, when it is asked for */
	struct status_rows status_rows;
	struct desk *desks;       /* list of all, each its owner's */
	struct deferred deferred; /* launches that wait for another */
	struct weigh weigh;       /* what sessions cost here */
	uint32_t last_view;
	struct sd_event_source *strangers; /* owned */
	struct health health;
	struct metrics metrics;
	struct ready ready;
	struct trial trial;

	/* What is known of the machine; the doors get it whenever it changes. */
	struct ipc_message facts; /* kind 0 until known */
	struct ipc_message probed[PROBED_MAX];
	unsigned probed_count;
	bool probe_done;
	uint32_t codecs;
	bool invalidation;
	int art[ART_MAX];         /* owned memfds by place of the app, -1: not drawn yet */
	int32_t art_app[ART_MAX]; /* whose it is */
	bool listing;             /* the store is telling all it has */
	char host_id[40], web_key[36];

	struct sd_event_source *sources[4]; /* owned: signals, banner, end */
	struct journal_reader own_lines;
	int own_lines_fd;                    /* owned: our own stderr comes back here */
	int terminal_fd;                     /* owned: the stderr we were started with */
	struct sd_event_source *record_post; /* owned: writes to the ledger (record.h) */
	bool recording, record_stale, taken; /* taken: from a predecessor */
	uint32_t incidents_told;             /* to the web door */
	bool pads_told[PAD_DEVICES];         /* that the host has none */
	bool pads_hidden_told;               /* that no nodes can be made */
	bool leaving;                        /* for another version */
	uint64_t begun_ms;                   /* of the first of us */
	uint32_t successions;                /* of us since then */
	struct succession succession;        /* from whoever was before us */
	bool banner_shown, banner_overdue, stopping, stop_forced;
	int exit_code;
};

/* Sends to a service if it is up. */
void supervisor_post(struct supervisor *supervisor, enum service_name service,
		const struct ipc_message *message, const int *fds, size_t n_fds);

/* Something that makes going on pointless: said on the terminal, exit code 1. */
void supervisor_fatal(struct supervisor *supervisor, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* Begins the orderly end. */
void supervisor_stop(struct supervisor *supervisor);

/* Called whenever something that the end waits for is gone. */
void supervisor_check_end(struct supervisor *supervisor);

/* Shows address, pairing link, encoders and folders once enough is known. */
void supervisor_check_banner(struct supervisor *supervisor, bool overdue);

#endif
