/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "gate/gate.h"
#include "gate/tls.h"

/* perigee-gate: the process that the network talks to. It may parse requests and
 * datagrams, authorise them, and post messages; it may not touch media, read or
 * write files once it runs, resolve a name, or wait for anybody. What it is given are
 * listening sockets, a channel to the supervisor (fd 3) and one to the store. */

enum {
	DESCRIPTORS = 2048,
};

static void raise_limit(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int parse_role(int argc, char **argv, enum ipc_peer *out) {
	if (argc != 3 || strcmp(argv[1], "--role") != 0) {
		return -EINVAL;
	}
	if (strcmp(argv[2], "moonlight") == 0) {
		*out = PEER_GATE;
	} else if (strcmp(argv[2], "web") == 0) {
		*out = PEER_WEB;
	} else {
		return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv) {
	enum ipc_peer role;
	if (parse_role(argc, argv, &role) < 0) {
		log_error("usage", "usage=\"perigee-gate --role moonlight|web\"");
		_exit(2);
	}
	raise_limit();
	tls_prepare();
	web_prepare();
	struct gate *gate = calloc(1, sizeof(*gate));
	int rc = gate ? gate_init(gate, role) : -ENOMEM;
	if (rc < 0) {
		log_error("start-failed", "error=%d", rc);
		_exit(1);
	}
	int status = worker_run(&gate->worker);
	gate_finish(gate);
	_exit(status);
}
