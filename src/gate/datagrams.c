/* SPDX-License-Identifier: MIT */
#include "gate/datagrams.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/gate.h"

enum {
	DATAGRAM_MAX = 1500,
	BATCH = 32,
	DRAIN_MAX = 64,
	LOG_GAP_MS = 5000,
};

struct arrival {
	struct address from, local;
	size_t len;
	uint8_t *bytes; /* borrowed */
};

union control_space {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void handle_arrival(struct datagram_door *door, const struct arrival *arrival, bool again);

static void note_refusal(struct gate *gate, enum flow_refusal refusal) {
	struct datagrams *datagrams = &gate->datagrams;
	pulse_add(gate->worker.pulse, PULSE_GATE_DATAGRAMS_REFUSED, 1);
	datagrams->refused[refusal]++;
	uint64_t now = clock_now_ms();
	if (datagrams->logged_ms && now - datagrams->logged_ms < LOG_GAP_MS) {
		return;
	}
	datagrams->logged_ms = now;
	for (unsigned i = 0; i < FLOW_REFUSALS; i++) {
		if (datagrams->refused[i]) {
			log_info("datagrams-refused", "why=%s count=%llu", flow_refusal_name(i),
					(unsigned long long)datagrams->refused[i]);
			datagrams->refused[i] = 0;
		}
	}
}

static int set_reuse(int fd, int on) {
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* SO_REUSEADDR is on at the wildcard socket only around this bind. While it is off there, no
 * other process can bind this port at any address, since that would conflict with the wildcard
 * socket. It stays on at the flows' sockets, for with it off the next viewer's bind
 * to the same address would conflict with them. */
static int bind_beside(const struct datagram_door *door, int fd, const struct address *local) {
	struct sockaddr_in6 sa;
	address_to_sockaddr(local, &sa);
	int rc = set_reuse(fd, 1);
	if (rc == 0) {
		rc = set_reuse(door->fd, 1);
	}
	if (rc == 0 && bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		rc = -errno;
	}
	int off = set_reuse(door->fd, 0);
	return rc < 0 ? rc : off;
}

static int open_flow(const struct datagram_door *door, const struct arrival *arrival) {
	OWN(fd_close)
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	int off = 0;
	struct address local = arrival->local;
	local.port = door->port;
	struct sockaddr_in6 peer;
	address_to_sockaddr(&arrival->from, &peer);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	int rc = bind_beside(door, fd, &local);
	if (rc < 0) {
		return rc;
	}
	if (connect(fd, (const struct sockaddr *)&peer, sizeof(peer)) < 0) {
		return -errno;
	}
	return TAKE(fd, -1);
}

/* Between bind and connect anybody's datagram may have landed in the new socket: those
 * are given back to the door. The peer's own that are here already are repeats of the one
 * that made the flow. Only while the socket is ours alone: once the stream has it, what
 * comes in is the peer's answer to the stream. */
static void give_back(struct datagram_door *door, int fd, const struct arrival *arrival) {
	for (unsigned i = 0; i < DRAIN_MAX; i++) {
		uint8_t bytes[DATAGRAM_MAX];
		struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT,
				(struct sockaddr *)&from, &from_len);
		if (n < 0) {
			break;
		}
		struct arrival other = {
			.local = arrival->local, .len = (size_t)n, .bytes = bytes
		};
		if (address_from_sockaddr((struct sockaddr *)&from, from_len, &other.from) == 0 &&
				!address_same(&other.from, &arrival->from)) {
			handle_arrival(door, &other, false);
		}
	}
}

static void hand_over(struct datagram_door *door, const struct arrival *arrival,
		const struct flow_choice *choice, int fd) {
	struct ipc_message message = { .kind = IPC_FLOW };
	message.flow.session = choice->session->id;
	message.flow.flow = (uint8_t)door->flow;
	message.flow.peer = arrival->from;
	message.flow.counter = choice->counter;
	message.flow.datagram_len = (uint16_t)arrival->len;
	memcpy(message.flow.datagram, arrival->bytes, arrival->len);
	worker_post(&door->gate->worker, &message, &fd, 1);
}

static void handle_arrival(struct datagram_door *door, const struct arrival *arrival, bool again) {
	static const char *const names[FLOWS] = {
		[FLOW_VIDEO] = "video", [FLOW_AUDIO] = "audio", [FLOW_CONTROL] = "control"
	};
	struct gate *gate = door->gate;
	struct flow_choice choice;
	enum flow_refusal refusal;
	pulse_add(gate->worker.pulse, PULSE_GATE_DATAGRAMS, 1);
	if (flows_judge(&gate->sessions, door->flow, &arrival->from, arrival->bytes, arrival->len,
			    clock_now_ms(), &choice, &refusal) < 0) {
		note_refusal(gate, refusal);
		return;
	}
	OWN(fd_close) int fd = open_flow(door, arrival);
	if (fd < 0) {
		log_error("flow-failed", "flow=%s error=%d trace=%s", names[door->flow], fd,
				choice.session->trace);
		return;
	}
	char address[ADDRESS_TEXT_MAX];
	address_ip_text(&arrival->from, address);
	log_info("flow", "flow=%s from=%s port=%u counter=%u trace=%s", names[door->flow], address,
			arrival->from.port, choice.counter, choice.session->trace);
	if (again) {
		give_back(door, fd, arrival);
	}
	hand_over(door, arrival, &choice, fd);
}

/* The address a datagram was sent to; IPv4 comes mapped. */
static bool find_local(struct msghdr *msg, struct arrival *out) {
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != IPPROTO_IPV6 || cmsg->cmsg_type != IPV6_PKTINFO ||
				cmsg->cmsg_len < CMSG_LEN(sizeof(struct in6_pktinfo))) {
			continue;
		}
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		memcpy(out->local.ip, &info.ipi6_addr, sizeof(out->local.ip));
		bool link_local = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr);
		out->local.scope = link_local ? (uint32_t)info.ipi6_ifindex : 0;
		return true;
	}
	return false;
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *user) {
	(void)source;
	(void)events;
	struct datagram_door *door = (struct datagram_door *)user;
	uint8_t bytes[BATCH][DATAGRAM_MAX];
	struct sockaddr_storage from[BATCH];
	union control_space control[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = DATAGRAM_MAX };
		messages[i] = (struct mmsghdr){
			.msg_hdr = { .msg_name = &from[i],
					.msg_namelen = sizeof(from[i]),
					.msg_iov = &iov[i],
					.msg_iovlen = 1,
					.msg_control = &control[i],
					.msg_controllen = sizeof(control[i]) },
		};
	}
	int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct msghdr *msg = &messages[i].msg_hdr;
		struct arrival arrival = { .len = messages[i].msg_len, .bytes = bytes[i] };
		if (msg->msg_flags & MSG_TRUNC || !find_local(msg, &arrival) ||
				address_from_sockaddr((struct sockaddr *)&from[i], msg->msg_namelen,
						&arrival.from) < 0) {
			note_refusal(door->gate, FLOW_REFUSED_NONSENSE);
			continue;
		}
		handle_arrival(door, &arrival, true);
	}
	return 0;
}

void datagrams_init(struct datagrams *datagrams, struct gate *gate) {
	for (unsigned i = 0; i < FLOWS; i++) {
		datagrams->doors[i] = (struct datagram_door){ .gate = gate, .flow = i, .fd = -1 };
	}
}

int datagrams_add(struct datagrams *datagrams, enum ipc_flow flow, int fd, uint16_t port) {
	OWN(fd_close) int owned = fd;
	struct datagram_door *door = &datagrams->doors[flow];
	int on = 1;
	int flags = fcntl(owned, F_GETFL);
	if (flags < 0 || fcntl(owned, F_SETFL, flags | O_NONBLOCK) < 0 ||
			setsockopt(owned, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0) {
		return -errno;
	}
	int rc = set_reuse(owned, 0);
	if (rc < 0) {
		return rc;
	}
	door->io = sd_event_source_disable_unref(door->io);
	fd_release(&door->fd);
	rc = sd_event_add_io(door->gate->worker.event, &door->io, owned, EPOLLIN, handle_io, door);
	if (rc < 0) {
		return rc;
	}
	door->fd = TAKE(owned, -1);
	door->port = port;
	return 0;
}

void datagrams_finish(struct datagrams *datagrams) {
	for (unsigned i = 0; i < FLOWS; i++) {
		datagrams->doors[i].io = sd_event_source_disable_unref(datagrams->doors[i].io);
		fd_release(&datagrams->doors[i].fd);
	}
}
