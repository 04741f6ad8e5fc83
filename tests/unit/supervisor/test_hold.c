/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "ipc/channel.h"

/* The holder starts this very program again as its perigeed: a puppet that does
 * what the test says over a socket, and tells what the holder says. */

enum {
	DEADLINE_MS = 15000,
};

static const char *hold_path;
static char folder[64];

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
		poll(&room, 1, DEADLINE_MS);
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

static int puppet(int argc, char **argv) {
	int control = connect_control(argc > 4 ? argv[4] : "");
	if (control < 0) {
		return 77;
	}
	tell(control, "hello %d", (int)getpid());
	bool asked = false; /* the test wants to know of the next answer */
	for (;;) {
		struct pollfd wait[] = { { .fd = 3, .events = POLLIN },
			{ .fd = control, .events = POLLIN } };
		if (poll(wait, 2, DEADLINE_MS) <= 0) {
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

struct bench {
	int listener, control, notify;
	pid_t hold;
	int puppet_pid;
};

static void receive(int fd, char *out, size_t size) {
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
	ssize_t n = recv(fd, out, size - 1, 0);
	assert_true(n > 0);
	out[n] = '\0';
}

static void expect(struct bench *bench, const char *text) {
	char got[128];
	receive(bench->control, got, sizeof(got));
	assert_string_equal(got, text);
}

static void meet_puppet(struct bench *bench) {
	fd_close(bench->control);
	struct pollfd wait = { .fd = bench->listener, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
	bench->control = accept(bench->listener, NULL, NULL);
	char got[128];
	receive(bench->control, got, sizeof(got));
	assert_memory_equal(got, "hello ", 6);
	bench->puppet_pid = (int)strtol(got + 6, NULL, 10);
}

static int listen_at(const char *path, int type) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	text_copy(address.sun_path, sizeof(address.sun_path), path);
	unlink(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void start_bench(struct bench *bench) {
	char control[96], notify[96];
	text_format(control, sizeof(control), "%s/control", folder);
	text_format(notify, sizeof(notify), "%s/notify", folder);
	*bench = (struct bench){ .control = -1 };
	bench->listener = listen_at(control, SOCK_SEQPACKET);
	assert_int_equal(listen(bench->listener, 4), 0);
	bench->notify = listen_at(notify, SOCK_DGRAM);
	bench->hold = fork();
	if (bench->hold == 0) {
		setenv("NOTIFY_SOCKET", notify, 1);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(hold_path, "perigee-hold", "--libexec", folder, "--control", control, NULL);
		_exit(99);
	}
	meet_puppet(bench);
	expect(bench, "end");
}

static void command(struct bench *bench, const char *text) {
	assert_int_equal(send(bench->control, text, strlen(text), MSG_NOSIGNAL),
			(ssize_t)strlen(text));
}

/* The exit status of the holder. */
static int finish_bench(struct bench *bench) {
	int status;
	assert_int_equal(waitpid(bench->hold, &status, 0), bench->hold);
	close(bench->listener);
	close(bench->control);
	close(bench->notify);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void quitting_ends_with_the_code_asked_for(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "quit 42");
	assert_int_equal(finish_bench(&bench), 42);
}

static void readiness_is_passed_on(void **state) {
	(void)state;
	struct bench bench;
	char text[64];
	start_bench(&bench);
	command(&bench, "ready");
	receive(bench.notify, text, sizeof(text));
	assert_string_equal(text, "READY=1");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void a_new_perigeed_gets_the_descriptors(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put a");
	command(&bench, "put b");
	command(&bench, "put c");
	command(&bench, "put a");
	command(&bench, "drop b");
	command(&bench, "die");
	meet_puppet(&bench);
	expect(&bench, "fd a");
	expect(&bench, "fd c");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void names_are_dropped_by_their_beginning(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put c1.pid");
	command(&bench, "put c1.channel");
	command(&bench, "put c12.pid");
	command(&bench, "put c2.pid");
	command(&bench, "drop c1.");
	command(&bench, "die");
	meet_puppet(&bench);
	expect(&bench, "fd c12.pid");
	expect(&bench, "fd c2.pid");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void another_version_takes_over(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put a");
	command(&bench, "ready");
	command(&bench, "upgrade 2");
	meet_puppet(&bench);
	expect(&bench, "version 2 failed 0: ");
	expect(&bench, "fd a");
	expect(&bench, "end");
	command(&bench, "ready");
	command(&bench, "die"); /* from now on it is what is started again */
	meet_puppet(&bench);
	expect(&bench, "version 2 failed 0: ");
	expect(&bench, "fd a");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void one_that_is_not_ready_in_time_is_taken_back(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "ready");
	command(&bench, "upgrade 2");
	meet_puppet(&bench);
	expect(&bench, "version 2 failed 0: ");
	expect(&bench, "end");
	/* A puppet whose strings are cut ends; this one is to be late. */
	OWN(fd_close) int strings = TAKE(bench.control, -1);
	meet_puppet(&bench);
	expect(&bench, "version 1 failed 2: it was not ready within 2000 ms");
	expect(&bench, "end");
	command(&bench, "upgrade 3");
	meet_puppet(&bench);
	expect(&bench, "version 3 failed 0: ");
	expect(&bench, "end");
	command(&bench, "exit");
	meet_puppet(&bench);
	expect(&bench, "version 1 failed 3: it exited with status 5 before it was ready");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

/* What was put there is a memfd without a program in it. */
static void one_that_cannot_be_executed_is_taken_back(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put v7.perigeed");
	command(&bench, "upgrade 7");
	meet_puppet(&bench);
	expect(&bench, "version 1 failed 7: it could not be executed");
	expect(&bench, "fd v7.perigeed");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

/* Only whoever has answered once is expected to answer again so soon. */
static void a_perigeed_that_hangs_is_replaced(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put a");
	command(&bench, "ask");
	expect(&bench, "asked");
	uint64_t begun_ms = clock_now_ms();
	command(&bench, "stop");
	meet_puppet(&bench);
	assert_true(clock_now_ms() - begun_ms > 2000);
	assert_true(clock_now_ms() - begun_ms < 10000);
	expect(&bench, "fd a");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

/* Whoever waits for the end of what the holder keeps must not wait for ever. */
static void what_is_held_is_let_go_before_the_children_end(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "pipe");
	command(&bench, "quit 0");
	expect(&bench, "ended");
	assert_int_equal(finish_bench(&bench), 0);
}

/* More than a channel's queue and the kernel's buffer take at once. */
static void a_thousand_descriptors_are_kept(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "puts 1000");
	expect(&bench, "done");
	command(&bench, "die");
	meet_puppet(&bench);
	for (int i = 0; i < 1000; i++) {
		char name[32];
		text_format(name, sizeof(name), "fd n%d", i);
		expect(&bench, name);
	}
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static int start_orphan(struct bench *bench) {
	char text[64];
	command(bench, "orphan");
	receive(bench->control, text, sizeof(text));
	assert_memory_equal(text, "orphan ", 7);
	return (int)strtol(text + 7, NULL, 10);
}

static void exits_of_orphans_are_reported(void **state) {
	(void)state;
	struct bench bench;
	char text[64];
	start_bench(&bench);
	int pid = start_orphan(&bench);
	kill(pid, SIGKILL);
	text_format(text, sizeof(text), "exited %d 9", pid);
	expect(&bench, text);
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void nobody_is_left_behind(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	int pid = start_orphan(&bench);
	assert_int_equal(kill(pid, 0), 0);
	command(&bench, "quit 3");
	assert_int_equal(finish_bench(&bench), 3);
	assert_int_equal(kill(pid, 0), -1);
}

static void a_signal_is_passed_on_and_ends_all(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	int pid = start_orphan(&bench);
	kill(bench.hold, SIGINT);
	finish_bench(&bench);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(kill(bench.puppet_pid, 0), -1);
}

static void an_exit_before_readiness_is_final(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "exit");
	assert_int_equal(finish_bench(&bench), 5);
}

static void an_exit_after_readiness_is_repaired(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "ready");
	command(&bench, "exit");
	meet_puppet(&bench);
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void a_missing_perigeed_is_said(void **state) {
	(void)state;
	char command_text[256], link[96];
	text_format(link, sizeof(link), "%s/perigeed", folder);
	unlink(link);
	text_format(command_text, sizeof(command_text), "cp %s %s/alone; %s/alone 2>&1", hold_path,
			folder, folder);
	FILE *file = popen(command_text, "r");
	char line[256] = "";
	assert_non_null(fgets(line, sizeof(line), file));
	assert_int_equal(WEXITSTATUS(pclose(file)), 127);
	assert_non_null(strstr(line, "perigeed-missing"));
}

static int prepare(void **state) {
	(void)state;
	char self[512], link[96];
	text_copy(folder, sizeof(folder), "/tmp/perigee-hold-XXXXXX");
	assert_non_null(mkdtemp(folder));
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(n > 0);
	self[n] = '\0';
	text_format(link, sizeof(link), "%s/perigeed", folder);
	return symlink(self, link);
}

static int clean(void **state) {
	(void)state;
	return folder_remove(folder);
}

int main(int argc, char **argv) {
	if (strcmp(argv[0], "perigeed") == 0) {
		return puppet(argc, argv);
	}
	const struct CMUnitTest tests[] = {
		UNIT(quitting_ends_with_the_code_asked_for),
		UNIT(readiness_is_passed_on),
		UNIT(a_new_perigeed_gets_the_descriptors),
		UNIT(names_are_dropped_by_their_beginning),
		UNIT(another_version_takes_over),
		UNIT(one_that_is_not_ready_in_time_is_taken_back),
		UNIT(one_that_cannot_be_executed_is_taken_back),
		UNIT(a_perigeed_that_hangs_is_replaced),
		UNIT(what_is_held_is_let_go_before_the_children_end),
		UNIT(a_thousand_descriptors_are_kept),
		UNIT(exits_of_orphans_are_reported),
		UNIT(nobody_is_left_behind),
		UNIT(a_signal_is_passed_on_and_ends_all),
		UNIT(an_exit_before_readiness_is_final),
		UNIT(an_exit_after_readiness_is_repaired),
		UNIT(a_missing_perigeed_is_said),
	};
	assert_int_equal(argc, 2);
	hold_path = argv[1];
	return cmocka_run_group_tests(tests, prepare, clean);
}
