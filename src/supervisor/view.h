/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_VIEW_H
#define SUPERVISOR_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shm.h"
#include "ipc/message.h"
#include "ipc/reason.h"
#include "supervisor/child.h"

struct session;

enum {
	VIEW_STREAM_GRACE_MS = 700, /* the client is told the end in this time */
	VIEW_ENCODER_GRACE_MS = 300,
};

/* What exists only while somebody watches: one stream process, one picture and
 * one sound encoder, and what connects them. The processes are spawned when the
 * client launches and get their orders when it has announced, so that linking
 * and loading are over by then. */
struct view {
	struct session *session; /* borrowed */
	uint32_t id;             /* machine-unique: viewer, reader and encoder id */
	struct child *stream, *pictures, *sound;
	struct ipc_stream_params params;
	struct shm page;              /* the takeover page */
	int picture_ring, sound_ring; /* owned fds, -1 until READY */
	bool invalidation;            /* the picture encoder can */
	char encoder_name[32];        /* of pictures, empty until READY */
	bool opened, started;
	struct ipc_message flow[FLOWS]; /* newest first datagram of each, kind 0: none */
	int flow_fd[FLOWS];             /* owned until the stream has started */
};

/* Spawns the three processes. */
int view_create(struct session *session, struct view **out) NODISCARD;

/* ANNOUNCE came: gives the orders. LIFE_VIEW_READY follows, or LIFE_VIEWER_LOST. */
int view_open(struct view *view, const struct ipc_stream_params *params) NODISCARD;

/* A first datagram's socket; takes fd. */
void view_flow(struct view *view, const struct ipc_message *message, int fd);

/* Ends it: the client gets `code`, the processes stop. The view is freed, its
 * processes go on counting for the session until they are reaped. */
void view_close(struct view *view, uint32_t reason, uint32_t code);

void view_kill(struct view *view);

/* Bits of video per second, in thousands, that leave room for FEC, headers and
 * sound below the client's ceiling. */
uint32_t view_video_kbps(const struct ipc_stream_params *params);

#endif
