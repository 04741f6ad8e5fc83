/* SPDX-License-Identifier: MIT */
#include "ipc/channel.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"

struct channel_waiting {
	struct channel_waiting *next; /* owned */
	enum ipc_kind kind;
	int fds[IPC_FDS_MAX]; /* owned duplicates */
	size_t n_fds;
	size_t len;
	uint8_t bytes[];
};

static void waiting_destroy(struct channel_waiting *waiting) {
	if (!waiting) {
		return;
	}
	for (size_t i = 0; i < waiting->n_fds; i++) {
		fd_close(waiting->fds[i]);
	}
	explicit_bzero(waiting->bytes, waiting->len); /* may have been a key */
	free(waiting);
}

int channel_pair(int out[2]) {
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		return -errno;
	}
	out[0] = pair[0];
	out[1] = pair[1];
	return 0;
}

static int send_packet(int fd, const void *bytes, size_t len, const int *fds, size_t n_fds) {
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
	} control;
	memset(&control, 0, sizeof(control));
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (n_fds > 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void close_fds(struct ipc_fds *fds) {
	for (size_t i = 0; i < fds->count; i++) {
		fd_release(&fds->fd[i]);
	}
	fds->count = 0;
}

/* Collects every descriptor that arrived, also those of a message that is
 * refused: they must be closed. */
static void collect_fds(struct msghdr *msg, struct ipc_fds *fds) {
	fds->count = 0;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		const int *at = (const int *)(const void *)CMSG_DATA(cmsg);
		for (size_t i = 0; i < n && fds->count < IPC_FDS_MAX; i++) {
			memcpy(&fds->fd[fds->count++], at + i, sizeof(int));
		}
	}
}

/* Returns the packet's length, 0 at the end of life, -EAGAIN, -EBADMSG for a
 * truncated one. */
static ssize_t receive_packet(int fd, void *bytes, size_t size, struct ipc_fds *fds) {
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
	} control;
	struct iovec iov = { .iov_base = bytes, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	fds->count = 0;
	ssize_t len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len < 0) {
		return errno == ECONNRESET ? 0 : -errno;
	}
	collect_fds(&msg, fds);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		close_fds(fds);
		return -EBADMSG;
	}
	return len;
}

void channel_close(struct channel *channel) {
	channel->io = sd_event_source_disable_unref(channel->io);
	channel->drain = sd_event_source_disable_unref(channel->drain);
	while (channel->waiting) {
		struct channel_waiting *first = channel->waiting;
		channel->waiting = first->next;
		waiting_destroy(first);
	}
	channel->waiting_last = NULL;
	channel->waiting_count = 0;
	fd_release(&channel->fd);
}

bool channel_is_open(const struct channel *channel) {
	return channel->fd >= 0;
}

static void end(struct channel *channel, int error) {
	channel_close(channel);
	if (channel->events->closed) {
		channel->events->closed(channel, error);
	}
}

/* The clock of the drain deadline starts anew whenever the peer took something. */
static void watch_queue(struct channel *channel, bool restart) {
	bool waiting = channel->waiting != NULL;
	sd_event_source_set_io_events(channel->io, waiting ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (waiting && restart) {
		sd_event_source_set_time(
				channel->drain, clock_now_us() + channel->drain_ms * US_PER_MS);
	}
	sd_event_source_set_enabled(channel->drain, waiting ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int flush(struct channel *channel) {
	bool moved = false;
	while (channel->waiting) {
		struct channel_waiting *first = channel->waiting;
		int rc = send_packet(
				channel->fd, first->bytes, first->len, first->fds, first->n_fds);
		if (rc == -EAGAIN) {
			break;
		}
		if (rc < 0) {
			return rc;
		}
		moved = true;
		channel->sent++;
		channel->waiting = first->next;
		if (!channel->waiting) {
			channel->waiting_last = NULL;
		}
		channel->waiting_count--;
		waiting_destroy(first);
	}
	watch_queue(channel, moved);
	return 0;
}

/* The kernel says "writable" only when three quarters of the socket are free again: a peer
 * that takes its messages slowly is told from one that takes none by trying. */
static int handle_drain(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct channel *channel = (struct channel *)user;
	uint64_t sent = channel->sent;
	int rc = channel->lost ? -ETIMEDOUT : flush(channel);
	if (rc < 0) {
		end(channel, rc == -EPIPE || rc == -ECONNRESET ? 0 : rc);
	} else if (channel->sent == sent) {
		if (channel->events->excused && channel->events->excused(channel)) {
			watch_queue(channel, true);
		} else {
			end(channel, -ETIMEDOUT);
		}
	}
	return 0;
}

/* A newer release says more than we know. It is said once, and nothing is done. */
static void note_unknown(struct channel *channel, const uint8_t *bytes, size_t len) {
	unsigned number = len > 1 ? bytes[0] | (unsigned)bytes[1] << 8 : 0;
	if (channel->unknown++ == 0) {
		log_info("message-unknown", "from=%s number=%u", ipc_peer_name(channel->peer),
				number);
	}
}

static bool receive_one(struct channel *channel) {
	uint8_t bytes[IPC_MESSAGE_MAX];
	struct ipc_fds fds;
	ssize_t len = receive_packet(channel->fd, bytes, sizeof(bytes), &fds);
	if (len == -EAGAIN || len == -EINTR) {
		return false;
	}
	if (len <= 0) {
		end(channel, (int)len);
		return false;
	}
	struct ipc_message message;
	int rc = ipc_decode(channel->peer, channel->self, bytes, (size_t)len, fds.count, &message);
	if (rc == -ENOTSUP) {
		close_fds(&fds);
		note_unknown(channel, bytes, (size_t)len);
		explicit_bzero(bytes, (size_t)len);
		return true;
	}
	explicit_bzero(bytes, (size_t)len);
	if (rc < 0) {
		close_fds(&fds);
		end(channel, rc);
		return false;
	}
	channel->received++;
	channel->events->message(channel, &message, &fds);
	close_fds(&fds);
	return channel_is_open(channel);
}

static int handle_io(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	(void)fd;
	struct channel *channel = (struct channel *)user;
	if (revents & EPOLLOUT) {
		int rc = flush(channel);
		if (rc < 0 && !(revents & EPOLLIN)) {
			end(channel, rc == -EPIPE || rc == -ECONNRESET ? 0 : rc);
			return 0;
		}
	}
	if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		for (int i = 0; i < CHANNEL_BATCH; i++) {
			if (!receive_one(channel)) {
				break;
			}
		}
	}
	return 0;
}

int channel_open(struct channel *channel, struct sd_event *event, int fd, enum ipc_peer self,
		enum ipc_peer peer, const struct channel_events *events, void *user) {
	*channel = (struct channel){
		.fd = fd,
		.self = self,
		.peer = peer,
		.events = events,
		.user = user,
		.drain_ms = CHANNEL_DRAIN_MS,
		.queue_max = CHANNEL_QUEUE_MAX,
	};
	int rc = sd_event_add_io(event, &channel->io, fd, EPOLLIN, handle_io, channel);
	if (rc >= 0) {
		rc = sd_event_add_time(event, &channel->drain, CLOCK_MONOTONIC, UINT64_MAX,
				10 * US_PER_MS, handle_drain, channel);
	}
	if (rc < 0) {
		channel_close(channel);
		return rc;
	}
	sd_event_source_set_enabled(channel->drain, SD_EVENT_OFF);
	return 0;
}

static struct channel_waiting *waiting_create(
		enum ipc_kind kind, const void *bytes, size_t len, const int *fds, size_t n_fds) {
	struct channel_waiting *waiting = calloc(1, sizeof(*waiting) + len);
	if (!waiting) {
		return NULL;
	}
	waiting->kind = kind;
	waiting->len = len;
	memcpy(waiting->bytes, bytes, len);
	for (size_t i = 0; i < n_fds; i++) {
		int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (copy < 0) {
			waiting_destroy(waiting);
			return NULL;
		}
		waiting->fds[waiting->n_fds++] = copy;
	}
	return waiting;
}

/* Puts a newer message in the place of a waiting one of its kind. */
static bool coalesce(struct channel *channel, struct channel_waiting *newer) {
	struct channel_waiting *before = NULL;
	for (struct channel_waiting *at = channel->waiting; at; before = at, at = at->next) {
		if (at->kind != newer->kind) {
			continue;
		}
		newer->next = at->next;
		if (before) {
			before->next = newer;
		} else {
			channel->waiting = newer;
		}
		if (channel->waiting_last == at) {
			channel->waiting_last = newer;
		}
		waiting_destroy(at);
		channel->coalesced++;
		return true;
	}
	return false;
}

static int enqueue(struct channel *channel, struct channel_waiting *newer) {
	if (ipc_kind_newest_only(newer->kind) && coalesce(channel, newer)) {
		return 0;
	}
	if (channel->waiting_count >= channel->queue_max) {
		waiting_destroy(newer);
		return -ENOSPC;
	}
	bool first = channel->waiting == NULL;
	if (first) {
		channel->waiting = newer;
	} else {
		channel->waiting_last->next = newer;
	}
	channel->waiting_last = newer;
	channel->waiting_count++;
	watch_queue(channel, first);
	return 0;
}

int channel_send(struct channel *channel, const struct ipc_message *message, const int *fds,
		size_t n_fds) {
	assert(n_fds == ipc_kind_fds(message->kind));
	if (!channel_is_open(channel)) {
		return -ENOTCONN;
	}
	uint8_t bytes[IPC_MESSAGE_MAX];
	int len = ipc_encode(message, bytes, sizeof(bytes));
	assert(len > 0);
	int rc = -EAGAIN;
	if (!channel->waiting) {
		rc = send_packet(channel->fd, bytes, (size_t)len, fds, n_fds);
	}
	if (rc == -EAGAIN) {
		struct channel_waiting *waiting =
				waiting_create(message->kind, bytes, (size_t)len, fds, n_fds);
		rc = waiting ? enqueue(channel, waiting) : -ENOMEM;
	} else if (rc == 0) {
		channel->sent++;
	}
	explicit_bzero(bytes, (size_t)len);
	return rc;
}

void channel_post(struct channel *channel, const struct ipc_message *message, const int *fds,
		size_t n_fds) {
	int rc = channel_send(channel, message, fds, n_fds);
	/* A dead peer shows as EPOLLHUP by itself. */
	if (rc == 0 || rc == -ENOTCONN || rc == -EPIPE || rc == -ECONNRESET) {
		return;
	}
	/* For a full queue the drain
	 * deadline is brought forward, so that `closed` is called from the loop. */
	channel->lost = true;
	sd_event_source_set_time(channel->drain, 0);
	sd_event_source_set_enabled(channel->drain, SD_EVENT_ONESHOT);
}

int channel_send_fd(int fd, const struct ipc_message *message, const int *fds, size_t n_fds) {
	uint8_t bytes[IPC_MESSAGE_MAX];
	int len = ipc_encode(message, bytes, sizeof(bytes));
	return len < 0 ? len : send_packet(fd, bytes, (size_t)len, fds, n_fds);
}

int channel_receive_fd(int fd, enum ipc_peer self, enum ipc_peer peer, int timeout_ms,
		struct ipc_message *out, struct ipc_fds *out_fds) {
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int ready = poll(&wait, 1, timeout_ms);
	if (ready <= 0) {
		return ready == 0 ? -ETIMEDOUT : -errno;
	}
	uint8_t bytes[IPC_MESSAGE_MAX];
	ssize_t len = receive_packet(fd, bytes, sizeof(bytes), out_fds);
	if (len <= 0) {
		return len == 0 ? -ECANCELED : (int)len;
	}
	int rc = ipc_decode(peer, self, bytes, (size_t)len, out_fds->count, out);
	if (rc < 0) {
		close_fds(out_fds);
	}
	return rc;
}
