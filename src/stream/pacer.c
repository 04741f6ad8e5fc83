/* SPDX-License-Identifier: MIT */
#include "stream/pacer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"

enum {
	MESSAGES_MAX = 64, /* of one call */
	RETRIES = 4,       /* after errors that belong to earlier datagrams */
};

union segment_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(uint16_t))];
};

void pacer_init(struct pacer *pacer, uint32_t ceiling_kbps, uint32_t rate_x100) {
	*pacer = (struct pacer){ .fd = -1, .segments = true };
	pace_init(&pacer->pace, ceiling_kbps, rate_x100);
}

void pacer_attach(struct pacer *pacer, int fd) {
	int size;
	socklen_t len = sizeof(size);
	pacer->fd = fd;
	/* A socket that does not know the option would ignore it with each send. */
	pacer->segments = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, &len) == 0;
}

void pacer_begin(struct pacer *pacer, uint32_t datagrams, uint16_t datagram_size, uint64_t now_ns) {
	pace_begin(&pacer->pace, datagrams, datagram_size, now_ns);
	pacer->sent = 0;
	pacer->left = 0;
	pacer->datagram_size = datagram_size;
}

void pacer_load(struct pacer *pacer, const uint8_t *bytes, uint32_t datagrams) {
	pacer->bytes = bytes;
	pacer->left = datagrams;
}

uint64_t pacer_next_ns(const struct pacer *pacer) {
	return pace_next_ns(&pacer->pace, pacer->sent);
}

static void set_segments(struct msghdr *msg, union segment_control *control, uint16_t size) {
	memset(control, 0, sizeof(*control));
	msg->msg_control = control->space;
	msg->msg_controllen = sizeof(control->space);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
}

static void took(struct pacer *pacer, uint32_t datagrams) {
	pacer->bytes += (size_t)datagrams * pacer->datagram_size;
	pacer->left -= datagrams;
	pacer->sent += datagrams;
}

/* One call; returns how many datagrams it took or -errno. */
static int send_some(struct pacer *pacer, uint32_t count) {
	struct mmsghdr messages[MESSAGES_MAX];
	struct iovec iov[MESSAGES_MAX];
	union segment_control control[MESSAGES_MAX / PACER_SEGMENTS];
	uint32_t each = pacer->segments ? PACER_SEGMENTS : 1;
	uint32_t most = pacer->segments ? (uint32_t)ARRAY_LEN(control) : MESSAGES_MAX;
	size_t size = pacer->datagram_size;
	unsigned n = 0;
	for (uint32_t at = 0; at < count && n < most; at += each, n++) {
		uint32_t here = count - at < each ? count - at : each;
		iov[n] = (struct iovec){
			.iov_base = (void *)(uintptr_t)(pacer->bytes + at * size),
			.iov_len = here * size,
		};
		messages[n].msg_hdr = (struct msghdr){ .msg_iov = &iov[n], .msg_iovlen = 1 };
		if (here > 1) {
			set_segments(&messages[n].msg_hdr, &control[n], pacer->datagram_size);
		}
	}
	int rc = sendmmsg(pacer->fd, messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	pacer->counters.calls++;
	if (rc < 0) {
		return -errno;
	}
	size_t bytes = 0;
	for (int i = 0; i < rc; i++) {
		bytes += iov[i].iov_len;
	}
	pacer->counters.bytes += bytes;
	pacer->counters.datagrams += bytes / size;
	took(pacer, (uint32_t)(bytes / size));
	return rc;
}

static bool refuses_segments(int error) {
	return error == -EIO || error == -EINVAL || error == -EMSGSIZE || error == -ENOPROTOOPT ||
	       error == -EOPNOTSUPP;
}

enum pacer_result pacer_run(struct pacer *pacer, uint64_t now_ns) {
	unsigned retries = 0;
	while (pacer->left > 0) {
		uint32_t allowed = pace_allowed(&pacer->pace, now_ns);
		uint32_t count = allowed > pacer->sent ? allowed - pacer->sent : 0;
		if (count == 0 || (count < PACE_STEP && count < pacer->left)) {
			return PACER_LATER;
		}
		count = count < pacer->left ? count : pacer->left;
		int rc = send_some(pacer, count);
		if (rc >= 0) {
			continue;
		}
		if (rc == -EAGAIN || rc == -ENOBUFS) {
			pacer->counters.full++;
			return PACER_FULL;
		}
		if (pacer->segments && refuses_segments(rc)) {
			pacer->segments = false;
		} else if ((rc == -ECONNREFUSED || rc == -EINTR) && retries++ < RETRIES) {
			pacer->counters.refused += rc == -ECONNREFUSED;
		} else {
			/* No route, a firewall: for the client they are lost. */
			pacer->counters.failed += count;
			took(pacer, count);
		}
	}
	return PACER_DONE;
}
