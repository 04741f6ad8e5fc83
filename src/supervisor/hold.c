/* SPDX-License-Identifier: MIT */

/* perigee-hold: what is started by a person, a unit or a container. It starts
 * perigeed, and again when perigeed dies; it keeps the descriptors that must
 * outlive perigeed, is the reaper of every orphan, and leaves nobody behind at the
 * end. It parses nothing from outside: its channel leads to its own child. */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/children.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/hold_inside.h"

enum {
	LEAVE_MS = 2000,    /* from the closed channel to the exit */
	STOP_MS = 30000,    /* from SIGTERM to HOLD_QUIT */
	TERM_MS = 1000,     /* for orphans to end by themselves */
	KILL_MS = 5000,     /* for the kernel to end them */
	HEALTHY_MS = 10000, /* a perigeed that served so long was not in a crash loop */
	ASK_MS = 500,       /* between two questions whether perigeed lives */
	ANSWER_MS = 3500,   /* for the answer: with the above, noticed within 5 s */
	EXIT_CRASHES = 1,
	EXIT_MISSING = 127,
};

/* Waits before the next start, after that many deaths in a row. The end of the
 * table is the stated failure. */
static const unsigned backoff_ms[] = { 0, 250, 500, 1000, 2000, 5000, 5000, 10000, 10000 };

static void start_perigeed(struct hold *hold);

static void set_timer(struct hold *hold, unsigned ms) {
	sd_event_source_set_time(hold->timer, clock_now_us() + ms * US_PER_MS);
	sd_event_source_set_enabled(hold->timer, SD_EVENT_ONESHOT);
}

struct signalling {
	int number;
	pid_t spared; /* 0 for nobody */
	unsigned count;
};

static void signal_child(pid_t pid, void *user) {
	struct signalling *signalling = (struct signalling *)user;
	if (pid != signalling->spared) {
		kill(pid, signalling->number);
		signalling->count++;
	}
}

/* Signals our direct children. Whoever is further down becomes one when its
 * parent dies, so nobody's number can have been used again. Returns how many. */
static unsigned signal_children(const struct hold *hold, int number, bool perigeed_too) {
	struct signalling signalling = { .number = number };
	signalling.spared = perigeed_too ? 0 : hold->perigeed;
	int rc = children_each(getpid(), signal_child, &signalling);
	if (rc < 0) {
		log_error("children-unknown", "error=%s", log_quote(strerror(-rc)).text);
	}
	return signalling.count;
}

static void end_if_alone(struct hold *hold) {
	siginfo_t info = { 0 };
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD) {
		sd_event_exit(hold->event, hold->code);
	}
}

static void begin_reaping(struct hold *hold, int code) {
	if (hold->phase >= PHASE_TERMS) {
		return;
	}
	hold->phase = PHASE_TERMS;
	hold->code = code;
	sd_notify(0, "STOPPING=1");
	sd_event_source_set_enabled(hold->ask, SD_EVENT_OFF);
	/* Who has a channel ends in order when it closes, the log at its input's end;
	 * the others by the signal. */
	hold_end_corpse(hold);
	hold_release(hold);
	signal_children(hold, SIGTERM, false);
	set_timer(hold, TERM_MS);
	end_if_alone(hold);
}

static void handle_alive(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	hold->answered = message->hold_ask.number;
	sd_notify(0, "WATCHDOG=1");
}

static void handle_quit(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	log_info("hold-quit", "code=%d", message->hold_quit.code);
	begin_reaping(hold, message->hold_quit.code);
}

static void handle_ready(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	(void)message;
	(void)fds;
	if (hold->back) {
		log_info("upgrade-ready", "version=%u", hold->version);
		hold->back = 0;
		sd_event_source_set_enabled(hold->timer, SD_EVENT_OFF);
	}
	hold->ready = hold->ever_ready = true;
	hold->ready_ns = clock_now_ns();
	sd_notify(0, "READY=1");
}

/* It leaves by itself, at once; the other version's follows. */
static void handle_upgrade(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	if (hold->phase != PHASE_RUNS || hold->next || hold->back) {
		return;
	}
	hold->next = message->hold_upgrade.version;
	hold->limit_ms = message->hold_upgrade.limit_ms;
	hold->failed = 0;
	hold->failure[0] = '\0';
	log_info("upgrade", "from=%u to=%u limit_ms=%u", hold->version, hold->next, hold->limit_ms);
	set_timer(hold, LEAVE_MS);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	static void (*const handlers[IPC_KINDS])(
			struct hold *, struct ipc_message *, struct ipc_fds *) = {
		[IPC_HOLD_PUT] = hold_handle_put,
		[IPC_HOLD_DROP] = hold_handle_drop,
		[IPC_HOLD_UPGRADE] = handle_upgrade,
		[IPC_HOLD_QUIT] = handle_quit,
		[IPC_HOLD_READY] = handle_ready,
		[IPC_HOLD_ALIVE] = handle_alive,
	};
	if (handlers[message->kind]) {
		handlers[message->kind](channel->user, message, fds);
	}
}

/* A perigeed without its channel is of no use: it gets a moment to exit. */
static void handle_closed(struct channel *channel, int error) {
	struct hold *hold = channel->user;
	if (!hold->perigeed) {
		return;
	}
	if (error < 0) {
		log_error("perigeed-stuck", "error=%s", log_quote(strerror(-error)).text);
		kill(hold->perigeed, SIGKILL);
	} else if (hold->phase == PHASE_RUNS) {
		set_timer(hold, LEAVE_MS);
	}
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

/* The version from before takes over again, and hears why. */
static void go_back(struct hold *hold, const char *how) {
	hold->failed = hold->version;
	hold->version = TAKE(hold->back, 0);
	text_copy(hold->failure, sizeof(hold->failure), how);
	log_error("upgrade-back", "from=%u to=%u detail=%s", hold->failed, hold->version,
			log_quote(how).text);
	start_perigeed(hold);
}

static void describe(const struct hold *hold, int status, char *out, size_t size) {
	if (hold->overdue) {
		text_format(out, size, "it was not ready within %u ms", hold->limit_ms);
	} else if (WIFEXITED(status)) {
		text_format(out, size, "it exited with status %d before it was ready",
				WEXITSTATUS(status));
	} else {
		text_format(out, size, "it was killed by signal %d before it was ready",
				WTERMSIG(status));
	}
}

/* The end of a perigeed that left for another version, or of one that was to be the other. */
static bool handle_changing(struct hold *hold, int status) {
	if (hold->phase != PHASE_RUNS || (!hold->next && !hold->back)) {
		return false;
	}
	if (hold->next) {
		hold->died.pid = 0; /* it left on purpose */
		hold->back = hold->version;
		hold->version = TAKE(hold->next, 0);
		start_perigeed(hold);
	} else {
		char how[sizeof(hold->failure)];
		describe(hold, status, how, sizeof(how));
		go_back(hold, how);
	}
	return true;
}

static void handle_end(struct hold *hold, int status) {
	hold->perigeed = 0;
	channel_close(&hold->channel);
	sd_event_source_set_enabled(hold->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(hold->ask, SD_EVENT_OFF);
	if (handle_changing(hold, status)) {
		return;
	}
	bool healthy = hold->ready && clock_now_ns() - hold->ready_ns > HEALTHY_MS * NS_PER_MS;
	hold->deaths = healthy ? 1 : hold->deaths + 1;
	if (hold->phase >= PHASE_TERMS) {
		set_timer(hold, hold->phase == PHASE_TERMS ? TERM_MS : KILL_MS);
		return;
	}
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CRASHES;
	if (hold->phase == PHASE_STOPS || (WIFEXITED(status) && !hold->ever_ready)) {
		begin_reaping(hold, code); /* it left on purpose and would do so again */
		return;
	}
	log_error("perigeed-died", "status=0x%x deaths=%u", (unsigned)status, hold->deaths);
	if (hold->deaths > ARRAY_LEN(backoff_ms)) {
		log_error("perigeed-crash-loop",
				"detail=\"it died %u times in a row; "
				"the lines above say why\"",
				hold->deaths);
		begin_reaping(hold, EXIT_CRASHES);
		return;
	}
	hold->phase = PHASE_WAITS;
	set_timer(hold, backoff_ms[hold->deaths - 1]);
}

static void handle_death(struct hold *hold, int status) {
	hold_note_death(hold, status);
	handle_end(hold, status);
}

static bool was_stopped(pid_t pid) {
	siginfo_t info = { 0 };
	return pid && waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG) == 0 &&
	       info.si_pid == pid;
}

static int handle_child(sd_event_source *source, const struct signalfd_siginfo *info, void *user) {
	(void)source;
	(void)info;
	struct hold *hold = user;
	int status;
	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
			pid = waitpid(-1, &status, WNOHANG)) {
		if (pid == hold->perigeed) {
			handle_death(hold, status);
		} else if (!hold_fence_reaped(hold, pid, status)) {
			hold_note_exit(hold, pid, status);
		}
	}
	if (was_stopped(hold->perigeed)) {
		hold_note_stopped(hold);
	}
	if (hold->phase >= PHASE_TERMS) {
		signal_children(hold, hold->phase == PHASE_TERMS ? SIGTERM : SIGKILL,
				hold->phase == PHASE_KILLS);
		end_if_alone(hold);
	}
	return 0;
}

static int handle_timer(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct hold *hold = user;
	if (hold->phase == PHASE_WAITS) {
		start_perigeed(hold);
	} else if (hold->phase == PHASE_TERMS) {
		hold->phase = PHASE_KILLS;
		signal_children(hold, SIGKILL, true);
		set_timer(hold, KILL_MS);
	} else if (hold->phase == PHASE_KILLS) {
		log_error("children-left", "count=%u", signal_children(hold, SIGKILL, true));
		sd_event_exit(hold->event, hold->code);
	} else if (hold->perigeed) {
		hold->overdue = hold->back != 0;
		log_error("perigeed-overdue", "pid=%d upgrade=%d", (int)hold->perigeed,
				hold->overdue);
		kill(hold->perigeed, SIGKILL);
	}
	return 0;
}

/* Only the loop of perigeed answers. When it was we who came late, the machine was
 * busy or asleep, and perigeed gets its time anew. */
static int handle_ask(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct hold *hold = user;
	uint64_t now_ms = clock_now_ms();
	if (hold->answered == hold->asked || hold->answered != hold->answered_before ||
			now_ms > hold->ask_late_ms) {
		hold->silent_since_ms = now_ms;
	}
	hold->answered_before = hold->answered;
	uint64_t silent_ms = now_ms - hold->silent_since_ms;
	bool listens = hold->answered || hold->ready;
	if (silent_ms > (listens ? ANSWER_MS : FIRST_ANSWER_MS)) {
		log_error("perigeed-hung", "pid=%d silent_ms=%llu", (int)hold->perigeed,
				(unsigned long long)silent_ms);
		if (hold->phase == PHASE_RUNS) {
			hold_fence_hung(hold, silent_ms);
		} else {
			kill(hold->perigeed, SIGKILL);
		}
		return 0;
	}
	struct ipc_message message = { .kind = IPC_HOLD_ASK, .hold_ask.number = ++hold->asked };
	channel_post(&hold->channel, &message, NULL, 0);
	hold->ask_late_ms = now_ms + 3 * ASK_MS;
	sd_event_source_set_time_relative(source, ASK_MS * US_PER_MS);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void begin_asking(struct hold *hold) {
	hold->asked = hold->answered = hold->answered_before = 0;
	hold->ask_late_ms = UINT64_MAX;
	sd_event_source_set_time_relative(hold->ask, ASK_MS * US_PER_MS);
	sd_event_source_set_enabled(hold->ask, SD_EVENT_ONESHOT);
}

static int handle_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *user) {
	(void)source;
	struct hold *hold = user;
	log_info("hold-signal", "signal=%u", info->ssi_signo);
	if (hold->perigeed) {
		kill(hold->perigeed, SIGTERM);
	}
	if (hold->phase == PHASE_RUNS) {
		hold->phase = PHASE_STOPS;
		sd_notify(0, "STOPPING=1");
		set_timer(hold, STOP_MS);
	} else if (hold->phase == PHASE_WAITS) {
		begin_reaping(hold, 0);
	}
	return 0;
}

static void start_perigeed(struct hold *hold) {
	hold->overdue = false;
	int rc = hold_start(hold, &channel_events);
	if (rc < 0 && hold->back) {
		go_back(hold, "it could not be executed");
		return;
	}
	if (rc < 0) {
		begin_reaping(hold, EXIT_MISSING);
		return;
	}
	hold->phase = PHASE_RUNS;
	hold->ready = false;
	if (hold->back) {
		set_timer(hold, hold->limit_ms);
	}
	begin_asking(hold);
	hold_begin_giving(hold);
}

/* Called after everything that happens in the loop. */
static int handle_post(sd_event_source *source, void *user) {
	(void)source;
	hold_give((struct hold *)user);
	return 0;
}

static int open_loop(struct hold *hold) {
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		sigaddset(&mask, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	int rc = sd_event_new(&hold->event);
	if (rc >= 0) {
		rc = sd_event_add_time(hold->event, &hold->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000,
				handle_timer, hold);
	}
	if (rc >= 0) {
		rc = sd_event_add_time(hold->event, &hold->ask, CLOCK_MONOTONIC, UINT64_MAX, 1000,
				handle_ask, hold);
	}
	if (rc >= 0) {
		rc = sd_event_add_post(hold->event, &hold->post, handle_post, hold);
	}
	if (rc >= 0) {
		rc = sd_event_add_signal(hold->event, &hold->child, SIGCHLD, handle_child, hold);
	}
	if (rc >= 0) {
		/* The last words of a perigeed that died come first. */
		rc = sd_event_source_set_priority(hold->child, SD_EVENT_PRIORITY_NORMAL + 1);
	}
	for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(numbers); i++) {
		rc = sd_event_add_signal(
				hold->event, &hold->signals[i], numbers[i], handle_stop, hold);
	}
	return rc;
}

static void raise_fd_limit(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv) {
	(void)argc;
	struct hold *hold = calloc(1, sizeof(*hold));
	if (!hold) {
		return EXIT_CRASHES;
	}
	hold->channel.fd = -1;
	hold->ended = handle_end;
	hold->argv = argv;
	hold->version = 1;
	raise_fd_limit();
	if (isatty(STDERR_FILENO)) {
		log_set_level(LOG_LEVEL_WARNING); /* a person reads: only what is wrong */
	}
	int rc = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : open_loop(hold);
	if (rc < 0) {
		log_error("hold-failed", "error=%s", log_quote(strerror(-rc)).text);
		return EXIT_CRASHES;
	}
	hold_find_perigeed(hold);
	char name[] = "perigeed";
	argv[0] = name;
	start_perigeed(hold);
	rc = sd_event_loop(hold->event);
	_exit(rc < 0 ? EXIT_CRASHES : rc);
}
