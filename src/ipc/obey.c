/* SPDX-License-Identifier: MIT */
#include "ipc/obey.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"
#include "base/own.h"
#include "base/text.h"
#include "ipc/message.h"
#include "ipc/obey_faults.h"
#include "ipc/worker.h"

/* ---- files ---- */

static int try_open(const char *path, int flags, char *detail, size_t size) {
	OWN(fd_close) int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0) {
		return -errno;
	}
	char bytes[33] = "";
	ssize_t len = (flags & O_ACCMODE) == O_RDONLY ? read(fd, bytes, sizeof(bytes) - 1) : 0;
	text_format(detail, size, "opened, %zd bytes read", len);
	return 0;
}

static int order_read(struct worker *worker, const char *path, char *detail, size_t size) {
	(void)worker;
	return try_open(path, O_RDONLY, detail, size);
}

static int order_write(struct worker *worker, const char *path, char *detail, size_t size) {
	(void)worker;
	return try_open(path, O_WRONLY, detail, size);
}

static int order_create(struct worker *worker, const char *path, char *detail, size_t size) {
	(void)worker;
	return try_open(path, O_WRONLY | O_CREAT, detail, size);
}

static int order_list(struct worker *worker, const char *path, char *detail, size_t size) {
	(void)worker;
	DIR *folder = opendir(path);
	if (!folder) {
		return -errno;
	}
	size_t used = 0;
	for (struct dirent *entry; (entry = readdir(folder)) && used + 1 < size;) {
		text_format(detail + used, size - used, "%s ", entry->d_name);
		used = strlen(detail);
	}
	closedir(folder);
	return 0;
}

/* ---- sockets ---- */

static int port_of(const char *argument, struct sockaddr_in *out) {
	int64_t port;
	int rc = number_parse(argument, strlen(argument), 1, 65535, &port);
	*out = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return rc;
}

static int reach(int type, const char *argument) {
	struct sockaddr_in to;
	int rc = port_of(argument, &to);
	if (rc < 0) {
		return rc;
	}
	OWN(fd_close) int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		return -errno;
	}
	return send(fd, "x", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int order_tcp(struct worker *worker, const char *port, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	return reach(SOCK_STREAM, port);
}

static int order_udp(struct worker *worker, const char *port, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	return reach(SOCK_DGRAM, port);
}

static int order_listen(struct worker *worker, const char *port, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	struct sockaddr_in at;
	int rc = port_of(port, &at);
	if (rc < 0) {
		return rc;
	}
	OWN(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0) {
		return -errno;
	}
	return 0;
}

static int order_unix(struct worker *worker, const char *path, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	if (!text_copy(to.sun_path, sizeof(to.sun_path), path)) {
		return -ENAMETOOLONG;
	}
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@') {
		to.sun_path[0] = '\0'; /* abstract */
	}
	OWN(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, len) < 0) {
		return -errno;
	}
	return 0;
}

static int order_socket(struct worker *worker, const char *family, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	int64_t number;
	int rc = number_parse(family, strlen(family), 1, 64, &number);
	if (rc < 0) {
		return rc;
	}
	OWN(fd_close) int fd = socket((int)number, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		fd = socket((int)number, SOCK_RAW | SOCK_CLOEXEC, 0);
	}
	return fd < 0 ? -errno : 0;
}

/* ---- processes ---- */

static int order_exec(struct worker *worker, const char *path, char *detail, size_t size) {
	(void)worker;
	int said[2];
	if (pipe2(said, O_CLOEXEC) < 0) {
		return -errno;
	}
	OWN(fd_close) int from = said[0];
	pid_t pid = fork();
	if (pid < 0) {
		fd_close(said[1]);
		return -errno;
	}
	if (pid == 0) {
		char *argv[] = { (char *)(uintptr_t)path, NULL };
		execv(path, argv);
		int error = errno;
		_exit(write(said[1], &error, sizeof(error)) < 0);
	}
	fd_close(said[1]);
	int error = 0;
	ssize_t len = read(from, &error, sizeof(error));
	waitpid(pid, NULL, 0);
	text_format(detail, size, "process %d", (int)pid);
	return len == sizeof(error) ? -error : 0;
}

/* Without a child, so that it says what execve itself is allowed. */
static int order_become(struct worker *worker, const char *path, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	execv(path, argv);
	return -errno;
}

static int order_fork(struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)argument;
	(void)detail;
	(void)size;
	pid_t pid = fork();
	if (pid == 0) {
		_exit(0);
	}
	return pid < 0 ? -errno : waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

static int pid_of(const char *argument, pid_t *out) {
	int64_t pid = 0;
	int rc = number_parse(argument, strlen(argument), 1, INT32_MAX, &pid);
	*out = (pid_t)pid;
	return rc;
}

static int order_trace(struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	pid_t pid;
	int rc = pid_of(argument, &pid);
	if (rc == 0 && ptrace(PTRACE_SEIZE, pid, 0, 0) < 0) {
		rc = -errno;
	}
	return rc;
}

/* "PID ADDRESS": bytes of another process's memory, the address as decimal. */
static int order_peek(struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	const char *space = strchr(argument, ' ');
	int64_t pid, address;
	if (!space || number_parse(argument, (size_t)(space - argument), 1, INT32_MAX, &pid) < 0 ||
			number_parse(space + 1, strlen(space + 1), 0, INT64_MAX, &address) < 0) {
		return -EINVAL;
	}
	char bytes[16];
	struct iovec here = { bytes, sizeof(bytes) };
	struct iovec there = { (void *)(uintptr_t)address, sizeof(bytes) };
	ssize_t len = process_vm_readv((pid_t)pid, &here, 1, &there, 1, 0);
	text_format(detail, size, "%zd bytes", len);
	return len < 0 ? -errno : 0;
}

static int order_signal(struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	pid_t pid;
	int rc = pid_of(argument, &pid);
	return rc == 0 && kill(pid, SIGWINCH) < 0 ? -errno : rc;
}

/* ---- privileges ---- */

static int order_root(struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)argument;
	(void)detail;
	(void)size;
	return setresuid(0, 0, 0) < 0 ? -errno : 0;
}

static int order_call(struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)detail;
	(void)size;
	int64_t number;
	int rc = number_parse(argument, strlen(argument), 0, 1000, &number);
	return rc == 0 && syscall((long)number, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? -errno : rc;
}

/* Extensible: a fault to be injected is one more row. */
static const struct obey_order orders[] = {
	{ "read", order_read },
	{ "write", order_write },
	{ "create", order_create },
	{ "list", order_list },
	{ "connect-tcp", order_tcp },
	{ "connect-udp", order_udp },
	{ "listen-tcp", order_listen },
	{ "connect-unix", order_unix },
	{ "socket", order_socket },
	{ "exec", order_exec },
	{ "become", order_become },
	{ "fork", order_fork },
	{ "trace", order_trace },
	{ "peek", order_peek },
	{ "signal", order_signal },
	{ "root", order_root },
	{ "call", order_call },
};

static const struct obey_order *find(const struct worker *worker, const char *name) {
	for (const struct obey_order *own = worker->class->orders; own && own->name; own++) {
		if (strcmp(own->name, name) == 0) {
			return own;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		if (strcmp(orders[i].name, name) == 0) {
			return &orders[i];
		}
	}
	return obey_fault(name);
}

bool obey_handle(struct worker *worker, const struct ipc_message *message) {
	if (message->kind != IPC_OBEY) {
		return false;
	}
	struct ipc_message answer = { .kind = IPC_OBEYED,
		.obeyed = { .request = message->obey.request, .worker = worker->id } };
	const struct obey_order *order = find(worker, message->obey.order);
	log_warning("obey", "order=%s argument=%s", log_quote(message->obey.order).text,
			log_quote(message->obey.argument).text);
	int rc = -ENOSYS;
	if (order) {
		rc = order->run(worker, message->obey.argument, answer.obeyed.detail,
				sizeof(answer.obeyed.detail));
	}
	answer.obeyed.outcome = rc < 0 ? (uint32_t)-rc : 0;
	worker_post(worker, &answer, NULL, 0);
	return true;
}
