/* SPDX-License-Identifier: MIT */

/* perigee-runner: starts, watches and stops one app. It confines what it starts
 * (user, Landlock, environment, descriptors), is the reaper of whatever the app
 * leaves behind, and lets nothing of it outlive the session. It never listens on
 * a network socket and reads nothing but what the app prints. */

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/worker.h"
#include "runner/adopted.h"
#include "runner/app.h"
#include "runner/command.h"
#include "runner/output.h"
#include "runner/sandbox.h"
#include "runner/telling.h"
#include "runner/tree.h"

enum {
	SPAWN_MS = 2000,
	LINGER_MS = 1000, /* for what the app left behind, before SIGKILL */
	MARGIN_MS = 300,  /* of the grace, kept for SIGKILL and reaping; of a long one a part */
	MARGIN_PART = 4,
	READS_MAX = 16, /* of one wake-up */
	STATUS_MISSING = 127 << 8,
	STATUS_CANNOT = 126 << 8,
};

enum phase {
	PHASE_NONE, /* no app yet, or no more */
	PHASE_RUNS,
	PHASE_TERMS, /* everything was asked to end */
	PHASE_KILLS,
};

struct runner {
	struct worker worker;
	struct command_place place;
	struct ipc_message plan; /* as asked, with what AUTO became */
	char plan_why[160];      /* why AUTO did not become a sandbox */
	struct command command;
	enum phase phase;
	pid_t app; /* the main process; 0 once it was reaped */
	int status;
	int output_fd; /* owned: the pipe's reading end */
	struct output output;
	struct telling telling;
	sd_event_source *io, *timer, *child; /* owned */
	struct adopted adopted;              /* instead of a child */
};

static void log_output(void *user, const char *line, unsigned skipped) {
	(void)user;
	if (skipped > 0) {
		log_info("app-output", "skipped=%u line=%s", skipped, log_quote(line).text);
	} else {
		log_info("app-output", "line=%s", log_quote(line).text);
	}
}

static void read_output(struct runner *runner) {
	for (int i = 0; i < READS_MAX && runner->output_fd >= 0; i++) {
		char bytes[4096];
		ssize_t n = read(runner->output_fd, bytes, sizeof(bytes));
		if (n <= 0) {
			return;
		}
		output_add(&runner->output, bytes, (size_t)n, clock_now_ns());
	}
}

static int handle_output(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	(void)fd;
	(void)revents;
	struct runner *runner = user;
	read_output(runner);
	telling_note(&runner->telling);
	return 0;
}

static void report_exit(struct runner *runner, int status, const char *last_lines) {
	struct ipc_message message = { .kind = IPC_RUNNER_EXITED };
	message.runner_exited.status = status;
	text_copy(message.runner_exited.last_lines, sizeof(message.runner_exited.last_lines),
			last_lines);
	log_info("app-exited", "status=0x%x", (unsigned)status);
	worker_post(&runner->worker, &message, NULL, 0);
}

static void set_timer(struct runner *runner, uint64_t ms) {
	sd_event_source_set_time(runner->timer, clock_now_us() + ms * US_PER_MS);
	sd_event_source_set_enabled(runner->timer, SD_EVENT_ONESHOT);
}

/* Nothing of the app is left. */
static void end_app(struct runner *runner) {
	runner->phase = PHASE_NONE;
	sd_event_source_set_enabled(runner->timer, SD_EVENT_OFF);
	read_output(runner);
	output_end(&runner->output, clock_now_ns());
	runner->io = sd_event_source_disable_unref(runner->io);
	telling_finish(&runner->telling);
	fd_release(&runner->output_fd);
	adopted_finish(&runner->adopted);
	report_exit(runner, runner->status, runner->output.last);
	if (runner->worker.ending) {
		worker_leave(&runner->worker);
	}
}

/* Everything of the app: what descends from us, or carries its label. */
static unsigned signal_all(struct runner *runner, int number) {
	return runner->adopted.event ? adopted_signal(&runner->adopted, number)
				     : tree_signal(getpid(), number);
}

static bool has_children(void) {
	siginfo_t info = { 0 };
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Repeated whenever somebody ended: who was missed became our child then. */
static void press(struct runner *runner) {
	if (runner->phase == PHASE_TERMS || runner->phase == PHASE_KILLS) {
		signal_all(runner, runner->phase == PHASE_KILLS ? SIGKILL : SIGTERM);
		if (runner->phase == PHASE_TERMS) {
			signal_all(runner, SIGCONT); /* the stopped ones hear it too */
		}
	}
	bool left = runner->adopted.event ? runner->app != 0 || signal_all(runner, 0) > 0
					  : has_children();
	if (runner->phase != PHASE_NONE && !left) {
		end_app(runner);
	}
}

static int handle_child(sd_event_source *source, const struct signalfd_siginfo *info, void *user) {
	(void)source;
	(void)info;
	struct runner *runner = user;
	int status;
	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
			pid = waitpid(-1, &status, WNOHANG)) {
		if (pid != runner->app) {
			continue;
		}
		runner->app = 0;
		runner->status = status;
		if (runner->phase == PHASE_RUNS) {
			runner->phase = PHASE_TERMS;
			set_timer(runner, LINGER_MS);
		}
	}
	press(runner);
	return 0;
}

static int handle_timer(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct runner *runner = user;
	if (runner->phase == PHASE_TERMS) {
		runner->phase = PHASE_KILLS;
		log_warning("app-killed", "processes=%u", signal_all(runner, 0));
		press(runner);
	}
	return 0;
}

/* Landlock's ABI, see perigee-exec. */
static long landlock_abi(void) {
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

/* What confines the app when it is a process. */
static void say_landlock(const struct runner *runner, char *out, size_t size) {
	bool asked = runner->command.start.runner_start.home[0] ||
		     runner->command.start.runner_start.runtime[0] || runner->place.n_closed;
	long abi = asked ? landlock_abi() : 0;
	if (runner->place.normal) {
		text_copy(out, size, "not confined: privileges are normal");
	} else if (abi > 0) {
		text_format(out, size, "Landlock %ld", abi);
	} else {
		text_copy(out, size,
				asked ? "no Landlock in this kernel"
				      : "no folders to confine it to");
	}
}

static void report_app(struct runner *runner) {
	struct ipc_message message = { .kind = IPC_RUNNER_APP };
	uint32_t uid = runner->command.start.runner_start.uid;
	char user[32] = "", how[64];
	if (uid) {
		text_format(user, sizeof(user), "user %u, ", uid);
	}
	if (runner->plan.runner_plan.type == RUNNER_SANDBOX) {
		text_format(how, sizeof(how), "sandbox, %s network",
				runner->plan.runner_plan.network ? "with" : "no");
	} else {
		say_landlock(runner, how, sizeof(how));
	}
	message.runner_app.pid = (uint32_t)runner->app;
	text_format(message.runner_app.detail, sizeof(message.runner_app.detail), "%s%s%s%s", user,
			how, runner->plan_why[0] ? ", no sandbox: " : "", runner->plan_why);
	log_info("app-started", "pid=%d program=%s confined=%s", (int)runner->app,
			log_quote(runner->command.program).text,
			log_quote(message.runner_app.detail).text);
	worker_post(&runner->worker, &message, NULL, 0);
}

/* Whom nobody could find again, we let begin ourselves. */
static void open_gate(int gate) {
	if (send(gate, "", 1, MSG_NOSIGNAL) < 0) {
		log_warning("gate-shut", "error=%s", log_quote(strerror(errno)).text);
	}
}

/* For the runner after this one. The app waits until the supervisor has heard it: a
 * runner that dies before leaves nothing that runs. */
static void report_holds(struct runner *runner, int gate) {
	struct ipc_message message = { .kind = IPC_RUNNER_HOLDS };
	const struct ipc_message *start = &runner->command.start;
	static const char name[] = "PERIGEE_SESSION=";
	OWN(fd_close) int pidfd = (int)syscall(SYS_pidfd_open, runner->app, 0);
	for (size_t at = 0; at < start->runner_start.env_len;
			at += strlen(start->runner_start.env + at) + 1) {
		if (strncmp(start->runner_start.env + at, name, sizeof(name) - 1) == 0) {
			text_copy(message.runner_holds.label, sizeof(message.runner_holds.label),
					start->runner_start.env + at + sizeof(name) - 1);
		}
	}
	if (pidfd < 0 || !message.runner_holds.label[0]) {
		open_gate(gate);
		return;
	}
	struct ipc_message waits = { .kind = IPC_RUNNER_GATE };
	worker_post(&runner->worker, &waits, &gate, 1);
	message.runner_holds.pid = (uint32_t)runner->app;
	worker_post(&runner->worker, &message, (int[]){ pidfd, runner->output_fd }, 2);
}

static int start_app(struct runner *runner, int gate) {
	int pair[2] = { -1, -1 };
	int rc = app_make_home(&runner->command.start);
	if (rc == 0) {
		rc = app_open_pipe(pair);
	}
	if (rc < 0) {
		return rc;
	}
	OWN(fd_close) int output = pair[1];
	runner->output_fd = pair[0];
	output_init(&runner->output, clock_now_ns(), log_output, runner);
	telling_begin(&runner->telling, &runner->worker, &runner->output);
	rc = sd_event_add_io(runner->worker.event, &runner->io, runner->output_fd, EPOLLIN,
			handle_output, runner);
	if (rc < 0) {
		return rc;
	}
	pulse_begin(runner->worker.pulse, PULSE_SPAWN, SPAWN_MS);
	rc = app_spawn(runner->place.exec, &runner->command, output, gate, &runner->app);
	pulse_end(runner->worker.pulse);
	return rc;
}

/* What AUTO becomes here; false when a sandbox that was asked for cannot be made. */
static bool settle_type(struct runner *runner, char *why, size_t size) {
	uint8_t *type = &runner->plan.runner_plan.type;
	runner->plan_why[0] = '\0';
	if (*type == RUNNER_PROCESS) {
		return true;
	}
	char words[200];
	pulse_begin(runner->worker.pulse, PULSE_SPAWN, SPAWN_MS + SANDBOX_TRY_MS);
	int rc = sandbox_try(words, sizeof(words));
	pulse_end(runner->worker.pulse);
	if (rc == 0) {
		*type = RUNNER_SANDBOX;
		return true;
	}
	if (*type == RUNNER_SANDBOX) {
		text_format(why, size, "no sandbox can be made: %s", words);
		return false;
	}
	*type = RUNNER_PROCESS;
	text_copy(runner->plan_why, sizeof(runner->plan_why), words);
	return true;
}

static void handle_run(struct runner *runner, const struct ipc_message *message) {
	char words[300];
	if (runner->phase != PHASE_NONE || runner->output_fd >= 0) {
		worker_fail(&runner->worker, REASON_WORKER_LIED, "an app runs already");
		return;
	}
	if (!settle_type(runner, words, sizeof(words))) {
		report_exit(runner, STATUS_CANNOT, words);
		return;
	}
	int gate[2] = { -1, -1 };
	int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0 ? -errno : 0;
	OWN(fd_close) int ours = gate[0];
	OWN(fd_close) int theirs = gate[1];
	rc = rc < 0 ? rc : command_build(message, &runner->plan, &runner->place, &runner->command);
	if (rc == -ENOENT) {
		text_format(words, sizeof(words), "not installed: %.200s", runner->command.program);
		report_exit(runner, STATUS_MISSING, words);
		return;
	}
	if (rc == 0) {
		rc = start_app(runner, theirs);
	}
	if (rc < 0) {
		runner->io = sd_event_source_disable_unref(runner->io);
		fd_release(&runner->output_fd);
		text_format(words, sizeof(words), "cannot be started: %s", strerror(-rc));
		report_exit(runner, STATUS_CANNOT, words);
		return;
	}
	runner->phase = PHASE_RUNS;
	report_holds(runner, ours);
	report_app(runner);
}

static void handle_adopted_exit(void *user) {
	struct runner *runner = (struct runner *)user;
	runner->app = 0;
	if (runner->phase == PHASE_RUNS) {
		runner->phase = PHASE_TERMS;
		set_timer(runner, LINGER_MS);
	}
	press(runner);
}

static void handle_adopted_change(void *user) {
	press((struct runner *)user);
}

/* The app of a runner that died: it has not noticed, and goes on printing into the
 * same pipe. */
static void handle_adopt(
		struct runner *runner, const struct ipc_message *message, struct ipc_fds *fds) {
	if (runner->phase != PHASE_NONE || runner->output_fd >= 0) {
		worker_fail(&runner->worker, REASON_WORKER_LIED, "an app runs already");
		return;
	}
	runner->adopted.app_exited = handle_adopted_exit;
	runner->adopted.changed = handle_adopted_change;
	runner->app = (pid_t)message->runner_holds.pid;
	runner->status = RUNNER_STATUS_UNKNOWN;
	runner->output_fd = fds_take(fds, 1);
	output_init(&runner->output, clock_now_ns(), log_output, runner);
	telling_begin(&runner->telling, &runner->worker, &runner->output);
	int rc = adopted_open(&runner->adopted, runner->worker.event, message->runner_holds.label,
			fds_take(fds, 0), runner);
	if (rc == 0) {
		rc = sd_event_add_io(runner->worker.event, &runner->io, runner->output_fd, EPOLLIN,
				handle_output, runner);
	}
	if (rc < 0) {
		worker_end(&runner->worker, REASON_RESOURCES, "the app cannot be watched: %s",
				strerror(-rc));
		return;
	}
	runner->phase = PHASE_RUNS;
	log_info("app-adopted", "pid=%d label=%s", (int)runner->app, runner->adopted.label);
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	if (message->kind == IPC_RUNNER_START) {
		handle_run(worker->user, message);
	} else if (message->kind == IPC_RUNNER_PLAN) {
		((struct runner *)worker->user)->plan = *message;
	} else if (message->kind == IPC_RUNNER_ADOPT) {
		handle_adopt(worker->user, message, fds);
	}
}

/* SIGKILL comes so long before the end of the grace that its effect is seen. */
static void handle_stop(struct worker *worker, uint32_t reason) {
	(void)reason;
	struct runner *runner = worker->user;
	if (runner->phase == PHASE_NONE) {
		worker_leave(worker);
		return;
	}
	uint64_t end_us = 0, now_us = clock_now_us();
	sd_event_source_get_time(worker->grace, &end_us);
	uint64_t grace_ms = end_us > now_us ? (end_us - now_us) / US_PER_MS : 0;
	runner->phase = PHASE_TERMS;
	uint64_t margin_ms =
			grace_ms / MARGIN_PART > MARGIN_MS ? grace_ms / MARGIN_PART : MARGIN_MS;
	set_timer(runner, grace_ms > 2 * margin_ms ? grace_ms - margin_ms : grace_ms / 2);
	press(runner);
}

static const struct worker_class runner_class = {
	.kind = PEER_RUNNER,
	.message = handle_message,
	.stop = handle_stop,
};

static int open_runner(struct runner *runner) {
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	int rc = worker_open(&runner->worker, &runner_class, runner);
	if (rc >= 0) {
		rc = sd_event_add_signal(runner->worker.event, &runner->child, SIGCHLD,
				handle_child, runner);
	}
	if (rc >= 0) {
		rc = sd_event_add_time(runner->worker.event, &runner->timer, CLOCK_MONOTONIC,
				UINT64_MAX, 1000, handle_timer, runner);
	}
	return rc;
}

int main(int argc, char **argv) {
	(void)argc;
	struct runner *runner = calloc(1, sizeof(*runner));
	if (!runner || !command_place_parse(&runner->place, argv)) {
		return 1;
	}
	runner->output_fd = -1;
	runner->plan.runner_plan.type = RUNNER_PROCESS;
	int rc = open_runner(runner);
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	rc = worker_run(&runner->worker);
	/* Also when the supervisor is gone: the app's session ends here. */
	signal_all(runner, SIGKILL);
	_exit(rc);
}
