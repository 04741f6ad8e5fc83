/* SPDX-License-Identifier: MIT */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

struct sd_event;
struct sd_event_source;

enum {
	CHANNEL_QUEUE_MAX = 128, /* messages that wait for the peer */
	CHANNEL_DRAIN_MS = 1000, /* a peer that takes nothing for so long hangs */
	CHANNEL_BATCH = 32,      /* messages handled per wake-up */
};

struct channel;

/* Descriptors that came with a message. A handler takes one with
 * fds_take(); what it leaves is closed after it returns. */
struct ipc_fds {
	int fd[IPC_FDS_MAX];
	size_t count;
};

static inline int fds_take(struct ipc_fds *fds, size_t index) {
	return TAKE(fds->fd[index], -1);
}

struct channel_events {
	/* One whole, decoded message. The handler may close the channel; it may
	 * not free it (defer that to `closed`). */
	void (*message)(struct channel *channel, struct ipc_message *message, struct ipc_fds *fds);
	/* The peer is gone (error 0), broke the rules (-EPROTO, -EBADMSG) or does
	 * not drain (-ETIMEDOUT). Called once; the channel is closed already. */
	void (*closed)(struct channel *channel, int error);
	/* The peer has taken nothing for CHANNEL_DRAIN_MS. True: it is excused (starved,
	 * say) and has as long again. May be NULL: nobody is excused. */
	bool (*excused)(struct channel *channel);
};

struct channel_waiting;

/* One end of a SOCK_SEQPACKET pair: one packet, one message, its descriptors
 * attached. Sending never blocks: what the kernel does not take is queued, up to
 * CHANNEL_QUEUE_MAX; newest-only kinds replace their queued predecessor.
 * Belongs to one loop and is used on that loop's thread only. */
struct channel {
	int fd; /* owned */
	enum ipc_peer self, peer;
	const struct channel_events *events;
	void *user;                    /* borrowed, for the handlers */
	struct sd_event_source *io;    /* owned */
	struct sd_event_source *drain; /* owned: the deadline of the oldest waiting message */
	uint32_t drain_ms;  /* how long the peer may take nothing; CHANNEL_DRAIN_MS at first */
	uint32_t queue_max; /* messages that may wait; CHANNEL_QUEUE_MAX at first */
	struct channel_waiting *waiting; /* owned list, oldest first */
	struct channel_waiting *waiting_last;
	size_t waiting_count;
	bool lost; /* a message found no room: that nothing excuses */
	uint64_t sent, received, coalesced, unknown;
};

/* Takes fd. On failure fd is closed. */
int channel_open(struct channel *channel, struct sd_event *event, int fd, enum ipc_peer self,
		enum ipc_peer peer, const struct channel_events *events, void *user) NODISCARD;

bool channel_is_open(const struct channel *channel);

/* Borrows fds (duplicates what must wait). -ENOSPC when the queue is full: the
 * peer hangs; -ENOTCONN when closed. Losing a message silently is not an option:
 * a caller that cannot act on the error closes the peer. */
int channel_send(struct channel *channel, const struct ipc_message *message, const int *fds,
		size_t n_fds) NODISCARD;

/* Sends, and on failure closes the channel and reports it through
 * events->closed from the loop: for callers with nothing else to do. */
void channel_post(struct channel *channel, const struct ipc_message *message, const int *fds,
		size_t n_fds);

/* Closes at once; harmless when closed. Does not call events->closed. */
void channel_close(struct channel *channel);

/* A pair of connected sockets, both CLOEXEC and non-blocking. */
int channel_pair(int out[2]) NODISCARD;

/* One blocking exchange each for tests and for tools without a loop; timeout_ms
 * bounds the wait. fds as in the handler: the caller owns them. */
int channel_send_fd(
		int fd, const struct ipc_message *message, const int *fds, size_t n_fds) NODISCARD;
int channel_receive_fd(int fd, enum ipc_peer self, enum ipc_peer peer, int timeout_ms,
		struct ipc_message *out, struct ipc_fds *out_fds) NODISCARD;

#endif
