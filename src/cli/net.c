/* SPDX-License-Identifier: MIT */
#include "cli/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	RECEIVE_BUFFER = 4 << 20, /* bytes; the kernel may grant less */
};

uint64_t net_deadline_ns(uint32_t limit_ms) {
	return clock_now_ns() + limit_ms * NS_PER_MS;
}

int net_wait(int fd, short events, uint64_t deadline_ns) {
	for (;;) {
		uint64_t now_ns = clock_now_ns();
		uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
		struct timespec left = { (time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S) };
		struct pollfd poll = { .fd = fd, .events = events };
		int rc = ppoll(&poll, 1, &left, NULL);
		if (rc > 0) {
			return 0;
		}
		if (rc == 0) {
			return -ETIMEDOUT;
		}
		if (errno != EINTR) {
			return -errno;
		}
	}
}

int net_resolve(const char *host, uint16_t port, struct address *out) {
	struct address address;
	if (address_parse_ip(host, &address) < 0) {
		struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
		struct addrinfo *found = NULL;
		if (getaddrinfo(host, NULL, &hints, &found) != 0) {
			return -ENOENT;
		}
		int rc = address_from_sockaddr(found->ai_addr, found->ai_addrlen, &address);
		freeaddrinfo(found);
		if (rc < 0) {
			return -ENOENT;
		}
	}
	address.port = port;
	*out = address;
	return 0;
}

socklen_t net_sockaddr(const struct address *address, struct sockaddr_storage *out) {
	*out = (struct sockaddr_storage){ 0 };
	if (!address_is_v4(address)) {
		address_to_sockaddr(address, (struct sockaddr_in6 *)out);
		return sizeof(struct sockaddr_in6);
	}
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(address->port);
	memcpy(&v4->sin_addr, address->ip + 12, sizeof(v4->sin_addr));
	return sizeof(*v4);
}

static int connect_socket(
		const struct sockaddr *sa, socklen_t len, uint64_t deadline_ns, int *out_fd) {
	OWN(fd_close)
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, sa, len) < 0) {
		if (errno != EINPROGRESS) {
			return -errno;
		}
		int rc = net_wait(fd, POLLOUT, deadline_ns);
		if (rc < 0) {
			return rc;
		}
		int error = 0;
		socklen_t size = sizeof(error);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
			return -errno;
		}
		if (error) {
			return -error;
		}
	}
	*out_fd = TAKE(fd, -1);
	return 0;
}

int net_connect_tcp(const struct address *address, uint64_t deadline_ns, int *out_fd) {
	struct sockaddr_storage sa;
	socklen_t len = net_sockaddr(address, &sa);
	return connect_socket((const struct sockaddr *)&sa, len, deadline_ns, out_fd);
}

int net_connect_unix(const char *path, uint64_t deadline_ns, int *out_fd) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	if (!text_copy(sa.sun_path, sizeof(sa.sun_path), path)) {
		return -ENAMETOOLONG;
	}
	return connect_socket((const struct sockaddr *)&sa, sizeof(sa), deadline_ns, out_fd);
}

static int connect_udp(const struct sockaddr_storage *sa, socklen_t len,
		const struct sockaddr_in *from, int *out_fd) {
	OWN(fd_close)
	int fd = socket(sa->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	/* The first needs a privilege, the second is cut at the machine's limit. */
	int room = RECEIVE_BUFFER;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	}
	int yes = 1;
	if (from && bind(fd, (const struct sockaddr *)from, sizeof(*from)) < 0) {
		return -errno;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)) < 0 ||
			connect(fd, (const struct sockaddr *)sa, len) < 0) {
		return -errno;
	}
	*out_fd = TAKE(fd, -1);
	return 0;
}

int net_connect_udp(const struct address *address, int *out_fd) {
	struct sockaddr_storage sa;
	socklen_t len = net_sockaddr(address, &sa);
	return connect_udp(&sa, len, NULL, out_fd);
}

int net_move_udp(int fd, uint8_t host) {
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host) };
	if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0) {
		return -errno;
	}
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&sa;
	bool loopback = sa.ss_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	OWN(fd_close) int moved = -1;
	int rc = connect_udp(&sa, len, loopback ? &from : NULL, &moved);
	if (rc == 0 && dup3(moved, fd, O_CLOEXEC) < 0) {
		rc = -errno;
	}
	return rc;
}

int net_write(int fd, const void *data, size_t len, uint64_t deadline_ns) {
	const char *at = data;
	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
		if (sent >= 0) {
			at += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR) {
			return -errno;
		}
		int rc = net_wait(fd, POLLOUT, deadline_ns);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

int net_read(int fd, void *buf, size_t size, uint64_t deadline_ns) {
	for (;;) {
		ssize_t got = recv(fd, buf, size, 0);
		if (got >= 0) {
			return (int)got;
		}
		if (errno != EAGAIN && errno != EINTR) {
			return -errno;
		}
		int rc = net_wait(fd, POLLIN, deadline_ns);
		if (rc < 0) {
			return rc;
		}
	}
}

/* The kernel stamps with CLOCK_REALTIME. */
static uint64_t to_monotonic(const struct timespec *stamp) {
	struct timespec real;
	clock_gettime(CLOCK_REALTIME, &real);
	uint64_t now_ns = clock_now_ns();
	int64_t age_ns = (real.tv_sec - stamp->tv_sec) * (int64_t)NS_PER_S + real.tv_nsec -
			 stamp->tv_nsec;
	/* Older than that is a clock that was set. */
	return age_ns < 0 || age_ns > (int64_t)NS_PER_S * 10 ? now_ns : now_ns - (uint64_t)age_ns;
}

int net_receive(int fd, void *buf, size_t size, uint64_t *out_arrived_ns) {
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} ancillary;
	struct iovec part = { .iov_base = buf, .iov_len = size };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &ancillary,
		.msg_controllen = sizeof(ancillary) };
	ssize_t got;
	do {
		got = recvmsg(fd, &message, 0);
	} while (got < 0 && (errno == EINTR || errno == ECONNREFUSED));
	if (got < 0) {
		return -errno;
	}
	uint64_t arrived_ns = clock_now_ns();
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec stamp;
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			arrived_ns = to_monotonic(&stamp);
		}
	}
	*out_arrived_ns = arrived_ns;
	return (int)got;
}
