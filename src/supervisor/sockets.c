/* SPDX-License-Identifier: MIT */
#include "supervisor/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/address.h"
#include "base/text.h"

struct door_row {
	const char *name;
	const char *flag;
	int type; /* 0: not a network socket */
	size_t port;
};

/* clang-format off */
static const struct door_row doors[DOORS] = {
	[DOOR_HTTP]    = { "HTTP",        "http-port",    SOCK_STREAM, offsetof(struct config_ports, http) },
	[DOOR_HTTPS]   = { "HTTPS",       "https-port",   SOCK_STREAM, offsetof(struct config_ports, https) },
	[DOOR_RTSP]    = { "RTSP",        "rtsp-port",    SOCK_STREAM, offsetof(struct config_ports, rtsp) },
	[DOOR_WEB]     = { "web page",    "web-port",     SOCK_STREAM, offsetof(struct config_ports, web) },
	[DOOR_VIDEO]   = { "video",       "video-port",   SOCK_DGRAM,  offsetof(struct config_ports, video) },
	[DOOR_CONTROL] = { "control",     "control-port", SOCK_DGRAM,  offsetof(struct config_ports, control) },
	[DOOR_AUDIO]   = { "sound",       "audio-port",   SOCK_DGRAM,  offsetof(struct config_ports, audio) },
	[DOOR_API]     = { "API",         "runtime",      0,           0 },
};
/* clang-format on */

uint16_t sockets_port(const struct config *config, enum ipc_door door) {
	uint16_t port = 0;
	if (doors[door].type) {
		memcpy(&port, (const uint8_t *)&config->ports + doors[door].port, sizeof(port));
	}
	return port;
}

static void set_options(int fd, int type) {
	int on = 1, off = 0, buffer = 1 << 20;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (type == SOCK_STREAM) {
		/* Only TCP: TIME_WAIT of an earlier run must not keep us from starting.
		 * On UDP it would let any local user bind our port beside us. */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	} else {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
}

static int open_inet(const struct config *config, enum ipc_door door) {
	int type = doors[door].type;
	struct address address = { .port = sockets_port(config, door) };
	struct sockaddr_in6 sa;
	if (config->bind) {
		int rc = address_parse_ip(config->bind, &address);
		if (rc < 0) {
			return rc;
		}
		address.port = sockets_port(config, door);
	}
	address_to_sockaddr(&address, &sa);
	OWN(fd_close) int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	set_options(fd, type);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		return -errno;
	}
	if (type == SOCK_STREAM && listen(fd, 1024) < 0) {
		return -errno;
	}
	return TAKE(fd, -1);
}

int sockets_listen_unix(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	if (!text_copy(sa.sun_path, sizeof(sa.sun_path), path)) {
		return -ENAMETOOLONG;
	}
	OWN(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || chmod(path, mode) < 0) {
		return -errno;
	}
	if (geteuid() == 0 && lchown(path, uid, gid) < 0) {
		return -errno;
	}
	return listen(fd, 128) < 0 ? -errno : TAKE(fd, -1);
}

static bool api_path(const struct paths *paths, char *out, size_t size) {
	return text_format(out, size, "%s/api.sock", paths->runtime);
}

static bool somebody_listens(const char *path) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	text_copy(sa.sun_path, sizeof(sa.sun_path), path);
	OWN(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
}

static int open_api(const struct paths *paths) {
	char path[256];
	if (!api_path(paths, path, sizeof(path))) {
		return -ENAMETOOLONG;
	}
	return sockets_listen_unix(path, paths->uid, paths->gid, 0600);
}

/* Asked first: whoever starts Perigee twice should hear that, not of a port. */
static int refuse_second(const struct paths *paths, struct config_text *error) {
	char path[256];
	if (!api_path(paths, path, sizeof(path)) || !somebody_listens(path)) {
		return 0;
	}
	text_format(error->text, sizeof(error->text),
			"another Perigee runs with the runtime folder %s: stop it, or choose "
			"other folders and ports with --runtime, --state, --data and --port",
			paths->runtime);
	return -EADDRINUSE;
}

static void explain(const struct config *config, enum ipc_door door, int rc,
		struct config_text *error) {
	if (door == DOOR_API) {
		text_format(error->text, sizeof(error->text), "the socket api.sock: %s",
				strerror(-rc));
		return;
	}
	const char *kind = doors[door].type == SOCK_DGRAM ? "UDP" : "TCP";
	if (rc == -EADDRINUSE) {
		text_format(error->text, sizeof(error->text),
				"%s port %u (%s) is in use, perhaps by another Moonlight host: "
				"stop "
				"that program, or choose another port with --port or --%s",
				kind, sockets_port(config, door), doors[door].name,
				doors[door].flag);
	} else if (rc == -EADDRNOTAVAIL) {
		text_format(error->text, sizeof(error->text),
				"bind %s: this machine has no such address", config->bind);
	} else {
		text_format(error->text, sizeof(error->text), "%s port %u (%s): %s", kind,
				sockets_port(config, door), doors[door].name, strerror(-rc));
	}
}

int sockets_open(const struct config *config, const struct paths *paths, struct sockets *out,
		struct config_text *error) {
	struct sockets sockets;
	for (int door = 0; door < DOORS; door++) {
		sockets.fd[door] = -1;
	}
	int rc = refuse_second(paths, error);
	if (rc < 0) {
		return rc;
	}
	for (int door = 0; door < DOORS; door++) {
		int fd = door == DOOR_API ? open_api(paths)
					  : open_inet(config, (enum ipc_door)door);
		if (fd < 0) {
			explain(config, (enum ipc_door)door, fd, error);
			for (int i = 0; i < door; i++) {
				fd_close(sockets.fd[i]);
			}
			return fd;
		}
		sockets.fd[door] = fd;
	}
	*out = sockets;
	return 0;
}

void sockets_close(struct sockets *sockets, const struct paths *paths) {
	char path[256];
	for (int door = 0; door < DOORS; door++) {
		fd_release(&sockets->fd[door]);
	}
	if (api_path(paths, path, sizeof(path))) {
		unlink(path);
	}
}
