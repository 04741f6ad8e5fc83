/* SPDX-License-Identifier: MIT */
#include "supervisor/container.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/child.h"
#include "supervisor/desk.h"
#include "supervisor/supervisor.h"

enum {
	SWEEP_GRACE_MS = 1000,
};

const char *container_engine_path(const struct config *config) {
	static const char *const usual[] = { "/run/docker.sock", "/run/podman/podman.sock" };
	if (config->container_engine) {
		return config->container_engine;
	}
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		if (access(usual[i], R_OK | W_OK) == 0) {
			return usual[i];
		}
	}
	return NULL;
}

/* A Unix socket's connect() waits for room in the queue of who listens, unless told not to. */
static int connect_engine(const char *path) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!path) {
		return -ENOENT;
	}
	if (!text_copy(address.sun_path, sizeof(address.sun_path), path)) {
		return -ENAMETOOLONG;
	}
	OWN(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	return TAKE(fd, -1);
}

int container_engine_user(const struct config *config, uint32_t *out_uid) {
	OWN(fd_close) int fd = connect_engine(container_engine_path(config));
	struct ucred peer;
	socklen_t len = sizeof(peer);
	if (fd < 0) {
		return fd;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
		return -errno;
	}
	*out_uid = peer.uid;
	return 0;
}

void container_connect(struct supervisor *supervisor, struct child *child) {
	const char *path = container_engine_path(&supervisor->config);
	OWN(fd_close) int fd = connect_engine(path);
	struct ipc_message message = { .kind = IPC_RUNNER_ENGINE };
	if (fd < 0) {
		message.kind = IPC_RUNNER_ENGINE_NONE;
		message.runner_engine.error = fd;
		log_warning("engine-missing", "path=%s error=%s", log_quote(path ? path : "").text,
				log_quote(strerror(-fd)).text);
	}
	child_post(child, &message, &fd, fd >= 0);
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds);

static void handle_closed(struct child *child, const struct child_end *end) {
	if (!end->expected || end->status != 0) {
		container_sweep((struct supervisor *)child->user);
	}
}

void container_close(struct supervisor *supervisor, struct child *child, uint32_t reason,
		uint32_t grace_ms) {
	static const struct child_owner owner = { .message = handle_message,
		.ended = handle_closed };
	child->owner = &owner;
	child->user = supervisor;
	child_stop(child, reason, grace_ms);
}

/* Those that live when it has seen what there is: who came meanwhile is among them. */
static void tell_live(struct supervisor *supervisor, struct child *child) {
	struct ipc_message message = { .kind = IPC_RUNNER_SWEEP };
	uint16_t *len = &message.runner_sweep.sessions_len;
	for (struct desk *at = supervisor->desks; at; at = at->next) {
		if (*len + sizeof(at->id) > sizeof(message.runner_sweep.sessions)) {
			child_stop(child, REASON_RESOURCES, SWEEP_GRACE_MS);
			return; /* not without knowing all of them */
		}
		memcpy(message.runner_sweep.sessions + *len, &at->id, sizeof(at->id));
		*len = (uint16_t)(*len + sizeof(at->id));
	}
	child_post(child, &message, NULL, 0);
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct supervisor *supervisor = (struct supervisor *)child->user;
	if (message->kind == IPC_RUNNER_ENGINE_ASK) {
		container_connect(supervisor, child);
	} else if (message->kind == IPC_RUNNER_LISTED) {
		tell_live(supervisor, child);
	}
}

static const struct child_owner sweep_owner = { .message = handle_message };

void container_sweep(struct supervisor *supervisor) {
	struct ipc_message message = { .kind = IPC_RUNNER_SWEEP };
	/* A lobby or a program may have had one where no app is listed that has. */
	if (supervisor->stopping || !supervisor->host_id[0] ||
			!container_engine_path(&supervisor->config)) {
		return;
	}
	text_copy(message.runner_sweep.host, sizeof(message.runner_sweep.host),
			supervisor->host_id);
	struct child_spec spec = {
		.kind = PEER_RUNNER,
		.program = "perigee-container",
		.confine = "runner-container",
		.name = "sweep",
		.die_with_us = true,
	};
	struct child *child = NULL;
	int rc = child_spawn(&supervisor->nursery, &spec, &sweep_owner, supervisor, &child);
	if (rc < 0) {
		log_warning("sweep-failed", "error=%s", log_quote(strerror(-rc)).text);
		return;
	}
	child_post(child, &message, NULL, 0);
}
