/* SPDX-License-Identifier: MIT */

/* perigee-facts: tells the supervisor this machine's name, MAC and addresses, at
 * the start and whenever they change. It asks the kernel; it never resolves a
 * name, and it sends nothing over the network. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "host/interfaces.h"
#include "host/tcp_states.h"
#include "ipc/worker.h"

enum {
	READ_MS = 1000,
	TCP_MS = 5000,   /* between two looks at the connections */
	SETTLE_MS = 200, /* changes come in bursts: one report for all of them */
};

struct facts {
	struct worker worker;
	int netlink, name;                                    /* owned */
	sd_event_source *netlink_io, *name_io, *settle, *tcp; /* owned */
	uint16_t ports[TCP_STATES_PORTS];
	struct ipc_message tcp_last;
	struct ipc_message last;
	bool any;
};

/* The first label; a machine without a name of its own gets ours. */
static void read_host_name(char *out, size_t size) {
	char name[256] = "";
	gethostname(name, sizeof(name) - 1);
	name[strcspn(name, ".")] = '\0';
	bool named = name[0] && strcmp(name, "localhost") != 0 && strcmp(name, "(none)") != 0 &&
		     text_is_printable(name, strlen(name));
	text_copy(out, size, named ? name : "Perigee");
}

static void tell(struct facts *facts) {
	struct ipc_message message;
	struct interfaces interfaces;
	memset(&message, 0, sizeof(message));
	message.kind = IPC_FACTS;
	pulse_begin(facts->worker.pulse, PULSE_LOOP, READ_MS);
	int rc = interfaces_read(&interfaces);
	read_host_name(message.facts.host_name, sizeof(message.facts.host_name));
	pulse_end(facts->worker.pulse);
	if (rc < 0) {
		log_warning("interfaces-unreadable", "error=%d", rc);
	} else {
		memcpy(message.facts.mac, interfaces.mac, sizeof(message.facts.mac));
		interfaces_text(&interfaces, message.facts.addresses,
				sizeof(message.facts.addresses));
	}
	if (facts->any && memcmp(&message.facts, &facts->last.facts, sizeof(message.facts)) == 0) {
		return;
	}
	facts->any = true;
	facts->last = message;
	log_info("facts", "host=%s addresses=%s", log_quote(message.facts.host_name).text,
			log_quote(message.facts.addresses).text);
	worker_post(&facts->worker, &message, NULL, 0);
}

static int handle_settled(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	tell(user);
	return 0;
}

/* The first change of a burst starts the clock, so that an endless burst does not
 * put the report off for ever. */
static void begin_settling(struct facts *facts) {
	int enabled = SD_EVENT_OFF;
	sd_event_source_get_enabled(facts->settle, &enabled);
	if (enabled == SD_EVENT_OFF) {
		sd_event_source_set_time(facts->settle, clock_now_us() + SETTLE_MS * US_PER_MS);
		sd_event_source_set_enabled(facts->settle, SD_EVENT_ONESHOT);
	}
}

static int handle_netlink(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	(void)revents;
	/* What changed is read anew afterwards; also what ENOBUFS lost. */
	char bytes[8192];
	for (int i = 0; i < 64 && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0; i++) {
	}
	begin_settling(user);
	return 0;
}

static int handle_name(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	(void)fd;
	(void)revents;
	begin_settling(user);
	return 0;
}

static int open_netlink(struct facts *facts) {
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	facts->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (facts->netlink < 0 ||
			bind(facts->netlink, (struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	return sd_event_add_io(facts->worker.event, &facts->netlink_io, facts->netlink, EPOLLIN,
			handle_netlink, facts);
}

static int handle_start(struct worker *worker) {
	struct facts *facts = worker->user;
	int rc = sd_event_add_time(worker->event, &facts->settle, CLOCK_MONOTONIC, UINT64_MAX, 1000,
			handle_settled, facts);
	if (rc < 0) {
		return rc;
	}
	sd_event_source_set_enabled(facts->settle, SD_EVENT_OFF);
	rc = open_netlink(facts);
	if (rc < 0) {
		log_warning("changes-unseen", "error=%d", rc);
	}
	/* The kernel says when the name changes by POLLPRI, proc_sys_poll(). */
	facts->name = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);
	if (facts->name >= 0 && sd_event_add_io(worker->event, &facts->name_io, facts->name,
						EPOLLPRI, handle_name, facts) < 0) {
		log_warning("name-changes-unseen", "");
	}
	tell(facts);
	return 0;
}

static int handle_tcp(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	struct facts *facts = user;
	struct ipc_message states = { .kind = IPC_TCP_STATES };
	pulse_begin(facts->worker.pulse, PULSE_LOOP, READ_MS);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		OWN(file_close) FILE *file = fopen(tables[i], "re");
		if (file) {
			tcp_states_count(file, facts->ports, states.tcp_states.counts);
		}
	}
	pulse_end(facts->worker.pulse);
	if (memcmp(&states.tcp_states, &facts->tcp_last.tcp_states, sizeof(states.tcp_states)) !=
			0) {
		facts->tcp_last = states;
		worker_post(&facts->worker, &states, NULL, 0);
	}
	sd_event_source_set_time_relative(source, TCP_MS * US_PER_MS);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct facts *facts = worker->user;
	if (message->kind != IPC_TCP_WATCH) {
		return;
	}
	memcpy(facts->ports, message->tcp_watch.ports, sizeof(facts->ports));
	if (!facts->tcp && sd_event_add_time_relative(worker->event, &facts->tcp, CLOCK_MONOTONIC,
					   TCP_MS * US_PER_MS, 100 * US_PER_MS, handle_tcp,
					   facts) < 0) {
		log_warning("connections-unseen", "");
	}
}

static const struct worker_class facts_class = {
	.kind = PEER_FACTS,
	.start = handle_start,
	.message = handle_message,
};

int main(void) {
	struct facts facts = { .netlink = -1, .name = -1 };
	int rc = worker_open(&facts.worker, &facts_class, &facts);
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	_exit(worker_run(&facts.worker));
}
