/* SPDX-License-Identifier: MIT */
#include "hold_puppet.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "ipc/channel.h"

static int connect_control(const char *path) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	text_copy(address.sun_path, sizeof(address.sun_path), path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static void tell(int control, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(int control, const char *format, ...) {
	char text[128];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	send(control, text, strlen(text), MSG_NOSIGNAL);
}

static void puppet_say(int control, const struct ipc_message *message) {
	if (message->kind == IPC_HOLD_FD) {
		tell(control, "fd %s", message->hold.name);
	} else if (message->kind == IPC_HOLD_VERSION &&
			(message->hold_version.version != 1 || message->hold_version.failed)) {
		tell(control, "version %u failed %u: %s", message->hold_version.version,
				message->hold_version.failed, message->hold_version.detail);
	} else if (message->kind == IPC_HOLD_END) {
		tell(control, "end");
	} else if (message->kind == IPC_HOLD_EXITED) {
		tell(control, "exited %u %d", message->hold_exited.pid,
				message->hold_exited.status);
	}
}

/* A child of a child that died, which ignores SIGTERM. */
static void make_orphan(int control) {
	if (fork() == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			signal(SIGTERM, SIG_IGN);
			for (;;) {
				pause();
			}
		}
		tell(control, "orphan %d", (int)pid);
		_exit(0);
	}
	wait(NULL);
}

/* A child that reads, deaf to SIGTERM, until the pipe that the holder keeps ends. */
static void make_reader(int control) {
	int pair[2];
	struct ipc_message message = { .kind = IPC_HOLD_PUT, .hold.name = "pipe" };
	if (pipe2(pair, O_CLOEXEC) < 0) {
		_exit(82);
	}
	signal(SIGTERM, SIG_IGN); /* from its first moment on */
	if (fork() == 0) {
		char byte;
		close(pair[1]);
		while (read(pair[0], &byte, 1) > 0) {
		}
		tell(control, "ended");
		_exit(0);
	}
	signal(SIGTERM, SIG_DFL);
	(void)!channel_send_fd(3, &message, &pair[1], 1);
	close(pair[0]);
	close(pair[1]);
}

static void puppet_put(const char *name) {
	struct ipc_message message = { .kind = IPC_HOLD_PUT };
	text_copy(message.hold.name, sizeof(message.hold.name), name);
	OWN(fd_close) int fd = memfd_create(name, MFD_CLOEXEC);
	while (channel_send_fd(3, &message, &fd, 1) == -EAGAIN) {
		struct pollfd room = { .fd = 3, .events = POLLOUT };
		poll(&room, 1, HOLD_PUPPET_MS);
	}
}

static void puppet_do(int control, const char *command, bool *out_asked) {
	struct ipc_message message = { 0 };
	if (strncmp(command, "put ", 4) == 0) {
		puppet_put(command + 4);
	} else if (strncmp(command, "puts ", 5) == 0) {
		for (int i = 0; i < (int)strtol(command + 5, NULL, 10); i++) {
			char name[16];
			text_format(name, sizeof(name), "n%d", i);
			puppet_put(name);
		}
		tell(control, "done");
	} else if (strncmp(command, "drop ", 5) == 0) {
		message.kind = IPC_HOLD_DROP;
		text_copy(message.hold.name, sizeof(message.hold.name), command + 5);
	} else if (strncmp(command, "quit ", 5) == 0) {
		message.kind = IPC_HOLD_QUIT;
		message.hold_quit.code = (int32_t)strtol(command + 5, NULL, 10);
	} else if (strncmp(command, "upgrade ", 8) == 0) {
		message.kind = IPC_HOLD_UPGRADE;
		message.hold_upgrade.version = (uint32_t)strtoul(command + 8, NULL, 10);
		message.hold_upgrade.limit_ms = 2000;
	} else if (strcmp(command, "ready") == 0) {
		message.kind = IPC_HOLD_READY;
	} else if (strcmp(command, "die") == 0) {
		raise(SIGKILL);
	} else if (strcmp(command, "ask") == 0) {
		*out_asked = true;
	} else if (strcmp(command, "stop") == 0) {
		raise(SIGSTOP);
	} else if (strcmp(command, "exit") == 0) {
		_exit(5);
	} else if (strcmp(command, "pipe") == 0) {
		make_reader(control);
	} else if (strcmp(command, "orphan") == 0) {
		make_orphan(control);
	}
	if (message.kind && channel_send_fd(3, &message, NULL, 0) < 0) {
		_exit(81);
	}
	if (message.kind == IPC_HOLD_QUIT || message.kind == IPC_HOLD_UPGRADE) {
		_exit(0);
	}
}

int hold_puppet(int argc, char **argv) {
	int control = connect_control(argc > 4 ? argv[4] : "");
	if (control < 0) {
		return 77;
	}
	tell(control, "hello %d", (int)getpid());
	bool asked = false; /* the test wants to know of the next answer */
	for (;;) {
		struct pollfd wait[] = { { .fd = 3, .events = POLLIN },
			{ .fd = control, .events = POLLIN } };
		if (poll(wait, 2, HOLD_PUPPET_MS) <= 0) {
			return 78;
		}
		struct ipc_message message;
		struct ipc_fds fds;
		if (wait[0].revents & POLLIN) {
			if (channel_receive_fd(3, PEER_SUPERVISOR, PEER_HOLDER, 0, &message, &fds) <
					0) {
				return 79;
			}
			for (size_t i = 0; i < fds.count; i++) {
				close(fds.fd[i]);
			}
			if (message.kind == IPC_HOLD_ASK) {
				message.kind = IPC_HOLD_ALIVE;
				(void)!channel_send_fd(3, &message, NULL, 0);
				if (asked) {
					tell(control, "asked");
					asked = false;
				}
			}
			puppet_say(control, &message);
		}
		char command[128] = "";
		if (wait[1].revents & POLLIN) {
			ssize_t n = recv(control, command, sizeof(command) - 1, 0);
			if (n <= 0) {
				return 80;
			}
			puppet_do(control, command, &asked);
		}
	}
}
