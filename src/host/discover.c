/* SPDX-License-Identifier: MIT */

/* perigee-discover: answers mDNS for _nvstream._tcp, so that Moonlight finds this
 * host. It parses datagrams of strangers (in libavahi-core), and therefore knows
 * nothing but a name and a port. Every DISCOVER_START publishes anew, with the
 * addresses of that moment: send it again when the facts change. --interface NAME (repeatable)
 * keeps it to some interfaces. */

#include <string.h>

#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-core/core.h>
#include <avahi-core/log.h>
#include <avahi-core/publish.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "host/avahi_loop.h"
#include "host/interfaces.h"
#include "host/service_name.h"
#include "ipc/worker.h"

#define SERVICE_TYPE "_nvstream._tcp"

enum {
	RETRY_MS = 10000,     /* after the responder could not start or failed */
	ESTABLISH_MS = 30000, /* from the start of probing to the name being ours */
};

struct discover {
	struct worker worker;
	AvahiPoll loop;
	AvahiServer *server;      /* owned */
	AvahiSEntryGroup *group;  /* owned by server */
	AvahiStringList *allowed; /* owned: names of interfaces, NULL for all */
	sd_event_source *retry;   /* owned */
	char name[SERVICE_NAME_MAX];
	uint16_t port;
};

static void log_avahi(AvahiLogLevel level, const char *text) {
	log_line(level <= AVAHI_LOG_WARN ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "avahi", "text=%s",
			log_quote(text).text);
}

/* The timer owns every wait, and its answer is always the same: the responder is
 * opened anew. Entries are never changed in a running one. */
static void reopen_in(struct discover *discover, unsigned ms) {
	sd_event_source_set_time(discover->retry, clock_now_us() + ms * US_PER_MS);
	sd_event_source_set_enabled(discover->retry, SD_EVENT_ONESHOT);
}

static void try_later(struct discover *discover, const char *what, int error) {
	log_warning("discovery-waits", "what=%s error=%s retry_ms=%d", what,
			log_quote(avahi_strerror(error)).text, RETRY_MS);
	reopen_in(discover, RETRY_MS);
}

static void tell(struct discover *discover) {
	struct ipc_message message = { .kind = IPC_DISCOVERED };
	message.discover.port = discover->port;
	text_copy(message.discover.name, sizeof(message.discover.name), discover->name);
	log_info("discovered", "name=%s port=%u", log_quote(discover->name).text, discover->port);
	worker_post(&discover->worker, &message, NULL, 0);
}

static void take_next_name(struct discover *discover) {
	char next[SERVICE_NAME_MAX];
	service_name_next(discover->name, next);
	log_info("name-taken", "name=%s next=%s", log_quote(discover->name).text,
			log_quote(next).text);
	text_copy(discover->name, sizeof(discover->name), next);
}

static void handle_group(AvahiServer *server, AvahiSEntryGroup *group, AvahiEntryGroupState state,
		void *user) {
	(void)group;
	struct discover *discover = user;
	if (state == AVAHI_ENTRY_GROUP_ESTABLISHED) {
		sd_event_source_set_enabled(discover->retry, SD_EVENT_OFF);
		tell(discover);
	} else if (state == AVAHI_ENTRY_GROUP_COLLISION) {
		take_next_name(discover);
		reopen_in(discover, 0);
	} else if (state == AVAHI_ENTRY_GROUP_FAILURE) {
		try_later(discover, "service", avahi_server_errno(server));
	}
}

/* Addresses are ours to publish: Avahi would add the reverse names too, which
 * belong to a system-wide responder if there is one, and probe for ever. Each
 * address is told on its own interface only. */
static int add_addresses(struct discover *discover) {
	struct interfaces interfaces;
	int rc = interfaces_read(&interfaces) < 0 ? AVAHI_ERR_OS : AVAHI_OK;
	for (size_t i = 0; rc == AVAHI_OK && i < interfaces.count; i++) {
		const struct interface_address *at = &interfaces.list[i];
		unsigned index = if_nametoindex(at->name);
		AvahiAddress address = { .proto = AVAHI_PROTO_INET6 };
		if (address_is_v4(&at->address)) {
			address.proto = AVAHI_PROTO_INET;
			memcpy(&address.data.ipv4.address, at->address.ip + 12, 4);
		} else {
			memcpy(address.data.ipv6.address, at->address.ip, 16);
		}
		if (index > 0) {
			rc = avahi_server_add_address(discover->server, discover->group,
					(AvahiIfIndex)index, AVAHI_PROTO_UNSPEC,
					AVAHI_PUBLISH_NO_REVERSE, NULL, &address);
		}
	}
	return rc;
}

/* Called when the server is running, also from its own callback. */
static void publish(struct discover *discover) {
	AvahiServer *server = discover->server;
	if (!discover->group) {
		discover->group = avahi_s_entry_group_new(server, handle_group, discover);
	} else {
		avahi_s_entry_group_reset(discover->group);
	}
	int rc = discover->group ? avahi_server_add_service(server, discover->group,
						   AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0,
						   discover->name, SERVICE_TYPE, NULL, NULL,
						   discover->port, NULL)
				 : avahi_server_errno(server);
	if (rc == AVAHI_OK) {
		rc = add_addresses(discover);
	}
	if (rc == AVAHI_OK) {
		rc = avahi_s_entry_group_commit(discover->group);
	}
	if (rc != AVAHI_OK) {
		try_later(discover, "service", rc);
	}
}

static void handle_server(AvahiServer *server, AvahiServerState state, void *user) {
	struct discover *discover = user;
	discover->server = server; /* the first call comes from within avahi_server_new() */
	if (state == AVAHI_SERVER_RUNNING) {
		publish(discover);
	} else if (state == AVAHI_SERVER_COLLISION) {
		char *next = avahi_alternative_host_name(avahi_server_get_host_name(server));
		int rc = next ? avahi_server_set_host_name(server, next) : AVAHI_ERR_NO_MEMORY;
		avahi_free(next);
		if (rc < 0) {
			try_later(discover, "host-name", rc);
		}
	} else if (state == AVAHI_SERVER_FAILURE) {
		try_later(discover, "responder", avahi_server_errno(server));
	}
	if (discover->group && state != AVAHI_SERVER_RUNNING) {
		avahi_s_entry_group_reset(discover->group);
	}
}

static void close_server(struct discover *discover) {
	discover->group = NULL;
	if (discover->server) {
		avahi_server_free(TAKE(discover->server, NULL)); /* says goodbye */
	}
}

/* The addresses are published under a host name that nobody else has:
 * <name>.local may belong to a system-wide responder on this very machine. */
static void open_server(struct discover *discover) {
	AvahiServerConfig config;
	reopen_in(discover, ESTABLISH_MS);
	avahi_server_config_init(&config);
	char host[32];
	text_format(host, sizeof(host), "perigee-%08x", random_u32());
	config.host_name = avahi_strdup(host);
	config.allow_interfaces = avahi_string_list_copy(discover->allowed);
	config.publish_addresses = 0;
	config.publish_hinfo = 0;
	config.publish_workstation = 0;
	config.publish_domain = 0;
	config.enable_wide_area = 0;
	int error = 0;
	AvahiServer *server =
			avahi_server_new(&discover->loop, &config, handle_server, discover, &error);
	avahi_server_config_free(&config);
	discover->server = server;
	if (!server) {
		discover->group = NULL;
		try_later(discover, "responder", error);
	}
}

static int handle_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	close_server(user);
	open_server(user);
	return 0;
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct discover *discover = worker->user;
	if (message->kind != IPC_DISCOVER_START) {
		return;
	}
	service_name_make(message->discover.name, discover->name);
	discover->port = message->discover.port;
	reopen_in(discover, 0);
}

static void handle_stop(struct worker *worker, uint32_t reason) {
	(void)reason;
	close_server(worker->user);
	worker_leave(worker);
}

static const struct worker_class discover_class = {
	.kind = PEER_DISCOVER,
	.message = handle_message,
	.stop = handle_stop,
};

int main(int argc, char **argv) {
	struct discover discover = { 0 };
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--interface") == 0) {
			discover.allowed = avahi_string_list_add(discover.allowed, argv[i + 1]);
		}
	}
	avahi_set_log_function(log_avahi);
	int rc = worker_open(&discover.worker, &discover_class, &discover);
	if (rc >= 0) {
		avahi_loop_init(&discover.loop, discover.worker.event);
		rc = sd_event_add_time(discover.worker.event, &discover.retry, CLOCK_MONOTONIC,
				UINT64_MAX, 1000, handle_retry, &discover);
	}
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	_exit(worker_run(&discover.worker));
}
