/* SPDX-License-Identifier: MIT */
#include "stream/flows.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/secret.h"

void flow_init(struct flow *flow, enum ipc_flow kind, void *user) {
	*flow = (struct flow){ .fd = -1, .kind = kind, .user = user };
}

void flow_finish(struct flow *flow) {
	flow->io = sd_event_source_disable_unref(flow->io);
	fd_release(&flow->fd);
	explicit_bzero(flow->secret, sizeof(flow->secret));
}

bool flow_may_move(const struct flow *flow, const struct ping *ping, uint64_t now_ns) {
	if (ping->kind != PING_WITH_SECRET) {
		return false;
	}
	if (!flow_is_here(flow)) {
		return true;
	}
	bool ours = bytes_equal_secretly(flow->secret, ping->secret, sizeof(flow->secret));
	bool missed = now_ns - flow->heard_ns >= FLOW_MOVE_MS * NS_PER_MS;
	return ours && missed && ping->counter > flow->counter;
}

bool flow_ping(struct flow *flow, const void *datagram, size_t len, uint64_t now_ns) {
	struct ping ping;
	if (ping_decode(datagram, len, &ping) < 0 || ping.kind != PING_WITH_SECRET ||
			!bytes_equal_secretly(flow->secret, ping.secret, sizeof(flow->secret)) ||
			ping.counter <= flow->counter) {
		flow->counters.strange++;
		return false;
	}
	flow->counters.pings++;
	flow->counter = ping.counter;
	flow->heard_ns = now_ns;
	return true;
}

/* Reads what is there, a batch at most. */
static void read_batch(struct flow *flow) {
	uint8_t bytes[FLOW_BATCH][FLOW_DATAGRAM_MAX];
	struct mmsghdr messages[FLOW_BATCH];
	struct iovec iov[FLOW_BATCH];
	memset(messages, 0, sizeof(messages));
	for (size_t i = 0; i < FLOW_BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = sizeof(bytes[i]) };
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	int count = recvmmsg(flow->fd, messages, FLOW_BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && errno == ECONNREFUSED) {
		/* The client is away for a moment; reading it has cleared it. */
		flow->counters.refused++;
	} else if (count < 0 && errno != EAGAIN && errno != EINTR) {
		flow->counters.failed++;
	}
	uint64_t now_ns = clock_now_ns();
	for (int i = 0; i < count && flow_is_here(flow); i++) {
		flow->counters.datagrams++;
		if (flow->datagram) {
			flow->datagram(flow->user, bytes[i], messages[i].msg_len, now_ns);
		} else {
			flow_ping(flow, bytes[i], messages[i].msg_len, now_ns);
		}
	}
	explicit_bzero(bytes, sizeof(bytes[0]) * (size_t)(count > 0 ? count : 0));
}

static int handle_io(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	struct flow *flow = (struct flow *)user;
	if (revents & EPOLLERR) {
		int error = 0;
		socklen_t len = sizeof(error);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error) {
			*(error == ECONNREFUSED ? &flow->counters.refused
						: &flow->counters.failed) += 1;
		}
	}
	if (revents & EPOLLIN) {
		read_batch(flow);
	}
	if (revents & EPOLLOUT) {
		flow_watch(flow, false);
		if (flow->writable) {
			flow->writable(flow->user);
		}
	}
	if (flow->settle) {
		flow->settle(flow->user);
	}
	return 0;
}

/* IP_PMTUDISC_WANT: with DO, one small MTU on the way (or a forged message that
 * claims so) would make every send fail; with DONT, offloaded sends could not be
 * told to go singly. So the kernel sets DF while a datagram fits what it knows of
 * the path, and fragments it when it does not. */
static void set_options(int fd, enum ipc_flow kind, bool qos) {
	static const int dscp[FLOWS] = {
		[FLOW_VIDEO] = FLOW_VIDEO_DSCP,
		[FLOW_AUDIO] = FLOW_AUDIO_DSCP,
	};
	int size = FLOW_SEND_BUFFER;
	int discover = IP_PMTUDISC_WANT, discover6 = IPV6_PMTUDISC_WANT;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover));
	setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discover6, sizeof(discover6));
	if (qos && dscp[kind]) {
		int class = dscp[kind] << 2;
		setsockopt(fd, IPPROTO_IP, IP_TOS, &class, sizeof(class));
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
	}
}

int flow_open(struct flow *flow, struct sd_event *event, int fd, const struct address *peer,
		bool qos) {
	sd_event_source *io = NULL;
	int rc = sd_event_add_io(event, &io, fd, EPOLLIN, handle_io, flow);
	if (rc < 0) {
		return rc;
	}
	set_options(fd, flow->kind, qos);
	if (flow_is_here(flow)) {
		flow->counters.moves++;
	}
	sd_event_source_disable_unref(flow->io);
	fd_close(flow->fd);
	flow->io = io;
	flow->fd = fd;
	flow->singly = false;
	flow->peer = *peer;
	return 0;
}

void flow_watch(struct flow *flow, bool on) {
	if (flow->io) {
		sd_event_source_set_io_events(flow->io, on ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
}

int flow_send(struct flow *flow, const void *datagram, size_t len) {
	ssize_t rc = send(flow->fd, datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (rc < 0 && errno == ECONNREFUSED) {
		/* That was the answer to an earlier datagram. */
		flow->counters.refused++;
		rc = send(flow->fd, datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (rc < 0) {
		flow->counters.failed++;
		return -errno;
	}
	return 0;
}

static bool send_segments(struct flow *flow, const void *datagrams, size_t size, unsigned count) {
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(uint16_t))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)datagrams, .iov_len = size * count };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	uint16_t segment = (uint16_t)size;
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(cmsg), &segment, sizeof(segment));
	if (sendmsg(flow->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		return true;
	}
	/* Errors of earlier datagrams and a full socket say nothing against it. */
	flow->singly = errno != ECONNREFUSED && errno != EAGAIN && errno != ENOBUFS;
	flow->counters.refused += errno == ECONNREFUSED;
	return false;
}

void flow_send_alike(struct flow *flow, const void *datagrams, size_t size, unsigned count) {
	if (count > 1 && !flow->singly && send_segments(flow, datagrams, size, count)) {
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		flow_send(flow, (const uint8_t *)datagrams + i * size, size);
	}
}
