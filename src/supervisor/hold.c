/* SPDX-License-Identifier: MIT */

/* perigee-hold: what is started by a person, a unit or a container. It starts
 * perigeed, and again when perigeed dies; it keeps the descriptors that must
 * outlive perigeed, is the reaper of every orphan, and leaves nobody behind at the
 * end. It parses nothing from outside: its channel leads to its own child. */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
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
#include "ipc/channel.h"
#include "ipc/worker.h"

enum {
	HELD_MAX = 8192,         /* a session of one viewer takes about 30 */
	EXITS_MAX = 512,         /* reports that wait for a new perigeed */
	GIVE_QUEUE_MAX = 64,     /* messages that may wait while descriptors are given back */
	LEAVE_MS = 2000,         /* from the closed channel to the exit */
	STOP_MS = 30000,         /* from SIGTERM to HOLD_QUIT */
	TERM_MS = 1000,          /* for orphans to end by themselves */
	KILL_MS = 5000,          /* for the kernel to end them */
	HEALTHY_MS = 10000,      /* a perigeed that served so long was not in a crash loop */
	ASK_MS = 500,            /* between two questions whether perigeed lives */
	ANSWER_MS = 3500,        /* for the answer: with the above, noticed within 5 s */
	FIRST_ANSWER_MS = 15000, /* it reads and opens what it needs before it listens */
	EXIT_CRASHES = 1,
	EXIT_MISSING = 127,
};

/* Waits before the next start, after that many deaths in a row. The end of the
 * table is the stated failure. */
static const unsigned backoff_ms[] = { 0, 250, 500, 1000, 2000, 5000, 5000, 10000, 10000 };

enum phase {
	PHASE_RUNS,  /* perigeed lives */
	PHASE_WAITS, /* for the next start */
	PHASE_STOPS, /* perigeed was told to end */
	PHASE_TERMS, /* perigeed is done: its orphans may end */
	PHASE_KILLS, /* they must */
};

struct held {
	char name[48];
	int fd; /* owned */
};

struct exited {
	pid_t pid;
	int status;
};

struct hold {
	sd_event *event; /* owned */
	struct channel channel;
	sd_event_source *timer; /* owned: the deadline of the phase, or of a closed channel */
	sd_event_source *ask;   /* owned: when perigeed is asked next */
	sd_event_source *child, *post, *signals[3]; /* owned */
	char **argv;                                /* borrowed */
	char path[PATH_MAX];
	enum phase phase;
	pid_t perigeed; /* 0 when none runs */
	uint64_t ready_ns;
	bool ever_ready, ready, giving;
	uint32_t asked, answered,
			answered_before;       /* questions, newest answers: now and a look ago */
	uint64_t silent_since_ms, ask_late_ms; /* a look after this one is late */
	unsigned deaths;                       /* in a row */
	int code;
	size_t n_held, given, n_exits;
	struct held held[HELD_MAX];
	struct exited exits[EXITS_MAX];
};

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

static void release_held(struct hold *hold) {
	for (size_t i = 0; i < hold->n_held; i++) {
		fd_close(hold->held[i].fd);
	}
	hold->n_held = hold->given = 0;
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
	release_held(hold);
	signal_children(hold, SIGTERM, false);
	set_timer(hold, TERM_MS);
	end_if_alone(hold);
}

/* Reports wait here until perigeed has its descriptors and takes them. */
static void note_exit(struct hold *hold, pid_t pid, int status) {
	if (hold->n_exits == EXITS_MAX) {
		log_warning("exit-forgotten", "pid=%d", (int)hold->exits[0].pid);
		memmove(hold->exits, hold->exits + 1, sizeof(hold->exits[0]) * --hold->n_exits);
	}
	hold->exits[hold->n_exits++] = (struct exited){ .pid = pid, .status = status };
}

static bool may_give(const struct hold *hold) {
	return channel_is_open(&hold->channel) && hold->channel.waiting_count < GIVE_QUEUE_MAX;
}

/* Gives perigeed what it does not have yet, as fast as it takes it. Called after
 * everything that happens in the loop. */
static int handle_post(sd_event_source *source, void *user) {
	(void)source;
	struct hold *hold = user;
	while (hold->giving && hold->given < hold->n_held && may_give(hold)) {
		const struct held *held = &hold->held[hold->given++];
		struct ipc_message message = { .kind = IPC_HOLD_FD };
		text_copy(message.hold.name, sizeof(message.hold.name), held->name);
		channel_post(&hold->channel, &message, &held->fd, 1);
	}
	if (hold->giving && hold->given == hold->n_held && may_give(hold)) {
		hold->giving = false;
		struct ipc_message message = { .kind = IPC_HOLD_END };
		channel_post(&hold->channel, &message, NULL, 0);
	}
	size_t i = 0;
	for (; !hold->giving && i < hold->n_exits && may_give(hold); i++) {
		struct ipc_message message = {
			.kind = IPC_HOLD_EXITED,
			.hold_exited = { .pid = (uint32_t)hold->exits[i].pid,
					.status = hold->exits[i].status },
		};
		channel_post(&hold->channel, &message, NULL, 0);
	}
	hold->n_exits -= i;
	memmove(hold->exits, hold->exits + i, sizeof(hold->exits[0]) * hold->n_exits);
	return 0;
}

static size_t find_held(const struct hold *hold, const char *name) {
	size_t i = 0;
	while (i < hold->n_held && strcmp(hold->held[i].name, name) != 0) {
		i++;
	}
	return i;
}

static void handle_put(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	size_t i = find_held(hold, message->hold.name);
	if (i == HELD_MAX) {
		log_error("hold-full", "name=%s", log_quote(message->hold.name).text);
		return;
	}
	if (i == hold->n_held) {
		hold->n_held++;
		text_copy(hold->held[i].name, sizeof(hold->held[i].name), message->hold.name);
	} else {
		fd_close(hold->held[i].fd);
	}
	hold->held[i].fd = fds_take(fds, 0);
}

/* A name that ends in '.' stands for all that begin with it. */
static bool is_meant(const struct held *held, const char *name) {
	size_t len = strlen(name);
	return len > 0 && name[len - 1] == '.' ? strncmp(held->name, name, len) == 0
					       : strcmp(held->name, name) == 0;
}

static void handle_drop(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	size_t kept = 0, given = hold->given;
	for (size_t i = 0; i < hold->n_held; i++) {
		if (is_meant(&hold->held[i], message->hold.name)) {
			fd_close(hold->held[i].fd);
			hold->given -= i < given;
		} else {
			hold->held[kept++] = hold->held[i];
		}
	}
	hold->n_held = kept;
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
	hold->ready = hold->ever_ready = true;
	hold->ready_ns = clock_now_ns();
	sd_notify(0, "READY=1");
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	static void (*const handlers[IPC_KINDS])(
			struct hold *, struct ipc_message *, struct ipc_fds *) = {
		[IPC_HOLD_PUT] = handle_put,
		[IPC_HOLD_DROP] = handle_drop,
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

static void handle_death(struct hold *hold, int status) {
	hold->perigeed = 0;
	channel_close(&hold->channel);
	sd_event_source_set_enabled(hold->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(hold->ask, SD_EVENT_OFF);
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

static int handle_child(sd_event_source *source, const struct signalfd_siginfo *info, void *user) {
	(void)source;
	(void)info;
	struct hold *hold = user;
	int status;
	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
			pid = waitpid(-1, &status, WNOHANG)) {
		if (pid == hold->perigeed) {
			handle_death(hold, status);
		} else {
			note_exit(hold, pid, status);
		}
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
		log_error("perigeed-overdue", "pid=%d", (int)hold->perigeed);
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
		kill(hold->perigeed, SIGKILL);
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

/* perigeed is started with our own arguments, the channel as fd 3, in a process
 * group of its own: Ctrl-C reaches us, and we pass it on in order. */
static int spawn(struct hold *hold, int channel) {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, channel, WORKER_CHANNEL_FD);
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr,
			POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	int rc = posix_spawn(&hold->perigeed, hold->path, &actions, &attr, hold->argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (rc != 0) {
		hold->perigeed = 0;
	}
	return -rc;
}

static void start_perigeed(struct hold *hold) {
	int pair[2] = { -1, -1 };
	int rc = channel_pair(pair);
	OWN(fd_close) int theirs = pair[1];
	if (rc == 0) {
		rc = channel_open(&hold->channel, hold->event, pair[0], PEER_HOLDER,
				PEER_SUPERVISOR, &channel_events, hold);
	}
	/* Whether it hangs is seen by its answers. */
	hold->channel.drain_ms = FIRST_ANSWER_MS;
	if (rc == 0) {
		rc = spawn(hold, theirs);
	}
	if (rc < 0) {
		log_error("perigeed-missing", "path=%s error=%s", log_quote(hold->path).text,
				log_quote(strerror(-rc)).text);
		channel_close(&hold->channel);
		begin_reaping(hold, EXIT_MISSING);
		return;
	}
	hold->phase = PHASE_RUNS;
	hold->ready = false;
	hold->giving = true;
	hold->given = 0;
	begin_asking(hold);
	handle_post(NULL, hold);
}

/* Looks in the folders of --libexec (separated by colons), then beside us. */
static void find_perigeed(struct hold *hold) {
	const char *folders = "";
	for (char **at = hold->argv + 1; *at; at++) {
		if (strcmp(*at, "--libexec") == 0 && at[1]) {
			folders = at[1];
		} else if (strncmp(*at, "--libexec=", 10) == 0) {
			folders = *at + 10;
		}
	}
	while (*folders) {
		size_t len = strcspn(folders, ":");
		text_format(hold->path, sizeof(hold->path), "%.*s/perigeed", (int)len, folders);
		if (access(hold->path, X_OK) == 0) {
			return;
		}
		folders += len + (folders[len] == ':');
	}
	char self[PATH_MAX] = "";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = len > 0 ? strrchr(self, '/') : NULL;
	if (slash) {
		*slash = '\0';
	}
	text_format(hold->path, sizeof(hold->path), "%s/perigeed", self);
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
	hold->argv = argv;
	raise_fd_limit();
	if (isatty(STDERR_FILENO)) {
		log_set_level(LOG_LEVEL_WARNING); /* a person reads: only what is wrong */
	}
	int rc = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : open_loop(hold);
	if (rc < 0) {
		log_error("hold-failed", "error=%s", log_quote(strerror(-rc)).text);
		return EXIT_CRASHES;
	}
	find_perigeed(hold);
	char name[] = "perigeed";
	argv[0] = name;
	start_perigeed(hold);
	rc = sd_event_loop(hold->event);
	_exit(rc < 0 ? EXIT_CRASHES : rc);
}
