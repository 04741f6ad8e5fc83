/* SPDX-License-Identifier: MIT */
#ifndef CLI_NET_H
#define CLI_NET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/own.h"

/* Sockets with deadlines (clock_now_ns()), for commands that do one thing after the
 * other. All sockets are CLOEXEC and non-blocking. */
enum {
	NET_LIMIT_MS = 10000, /* of a connect, and of each wait for bytes */
};

uint64_t net_deadline_ns(uint32_t limit_ms);

/* Until one of the poll(2) events. -ETIMEDOUT. */
int net_wait(int fd, short events, uint64_t deadline_ns) NODISCARD;

/* A number, or a name for the resolver, whose own limits hold. -ENOENT. */
int net_resolve(const char *host, uint16_t port, struct address *out) NODISCARD;

/* Where the kernel wants it: an IPv4 address goes to an IPv4 socket, so that a
 * machine without IPv6 will do. Answers the length. */
socklen_t net_sockaddr(const struct address *address, struct sockaddr_storage *out);

int net_connect_tcp(const struct address *address, uint64_t deadline_ns, int *out_fd) NODISCARD;
int net_connect_unix(const char *path, uint64_t deadline_ns, int *out_fd) NODISCARD;

/* A datagram socket connected to address, with room for a burst of video, that says
 * when the kernel received each datagram. */
int net_connect_udp(const struct address *address, int *out_fd) NODISCARD;

/* The same peer from a new port, as a router does that forgot: fd becomes that socket.
 * On loopback also from a new address, 127.0.0.host. */
int net_move_udp(int fd, uint8_t host) NODISCARD;

/* All of data. */
int net_write(int fd, const void *data, size_t len, uint64_t deadline_ns) NODISCARD;

/* What is there, at least a byte; 0 at the end. */
int net_read(int fd, void *buf, size_t size, uint64_t deadline_ns) NODISCARD;

/* One datagram of a socket of net_connect_udp(), and when it came (CLOCK_MONOTONIC).
 * -EAGAIN when there is none. Refusals by the peer's kernel are passed over. */
int net_receive(int fd, void *buf, size_t size, uint64_t *out_arrived_ns) NODISCARD;

#endif
