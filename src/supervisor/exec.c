/* SPDX-License-Identifier: MIT */

/* perigee-exec: puts itself into the state that a worker or an app must start in
 * and becomes that program. It reads nothing but its arguments and, at a gate, one
 * byte. Every failure is one line on stderr and exit status 127 (no such program) or
 * 126; a gate that was shut for good is 125 without a word. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "supervisor/confine_print.h"
#include "supervisor/exec_options.h"

enum {
	GATE_MS = 30000, /* two supervisors in a row may hang before one opens it */
	REALTIME_PRIORITY = 1,
	REALTIME_US = 500000, /* at one go; then SIGXCPU */
	PROMPT_NS = 100000,   /* the shortest slice there is */
	SCHED_RESET_ON_FORK_FLAG = 1,
	DEVICE_GROUPS_MAX = 16,
};

/* Who starts an app may die before anybody else knows of it. So it does not begin until it
 * is known: the other end of FIRST_FD is with whoever would find it again, and is closed
 * when nobody will. */
static void wait_at_gate(void) {
	struct pollfd wait = { .fd = FIRST_FD, .events = POLLIN };
	char byte;
	if (poll(&wait, 1, GATE_MS) != 1 || read(FIRST_FD, &byte, 1) != 1) {
		_exit(EXIT_UNKNOWN);
	}
}

static void reset_signals(void) {
	for (int number = 1; number < NSIG; number++) {
		signal(number, SIG_DFL); /* refused for a few, rightly */
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The hard limit may only be lowered by whoever is not root. */
static void limit(int resource, rlim_t wanted, const char *name) {
	struct rlimit now;
	if (getrlimit(resource, &now) < 0) {
		exec_fail(EXIT_CANNOT, name, "getrlimit", errno);
	}
	struct rlimit next = { .rlim_cur = wanted, .rlim_max = wanted };
	if (wanted > now.rlim_max && geteuid() != 0) {
		next.rlim_cur = next.rlim_max = now.rlim_max;
	}
	if (setrlimit(resource, &next) < 0) {
		exec_fail(EXIT_CANNOT, name, "setrlimit", errno);
	}
}

static void close_range_or_fail(unsigned first, unsigned last) {
	if (first <= last && syscall(SYS_close_range, first, last, 0) < 0) {
		exec_fail(EXIT_CANNOT, "descriptors", "close_range", errno);
	}
}

static void keep_fds(const struct options *options) {
	unsigned keep = options->listen_fds == UNSET ? 1 : (unsigned)options->listen_fds;
	if (options->program_fd != UNSET) {
		int program = (int)options->program_fd;
		close_range_or_fail(FIRST_FD + keep, (unsigned)program - 1);
		close_range_or_fail((unsigned)program + 1, UINT_MAX);
		fcntl(program, F_SETFD, FD_CLOEXEC);
	} else {
		close_range_or_fail(FIRST_FD + keep, UINT_MAX);
	}
	for (unsigned i = 0; i < keep; i++) {
		int fd = (int)(FIRST_FD + i);
		int flags = fcntl(fd, F_GETFD);
		if (flags < 0 && options->listen_fds != UNSET) {
			exec_fail(EXIT_CANNOT, "descriptors", "a listening socket is missing",
					errno);
		}
		if (flags >= 0) {
			fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
		}
	}
}

static void drop_ids(const struct options *options, const struct confine_row *row) {
	if (options->uid == UNSET) {
		return;
	}
	gid_t gid = (gid_t)options->gid;
	gid_t groups[DEVICE_GROUPS_MAX];
	size_t count = row && row->devices ? confine_device_groups(groups, ARRAY_LEN(groups)) : 0;
	if (setgroups(count, groups) < 0 || setresgid(gid, gid, gid) < 0) {
		exec_fail(EXIT_CANNOT, "gid", "setresgid", errno);
	}
	uid_t uid = (uid_t)options->uid;
	if (setresuid(uid, uid, uid) < 0) {
		exec_fail(EXIT_CANNOT, "uid", "setresuid", errno);
	}
	if (uid != 0 && setuid(0) == 0) {
		exec_fail(EXIT_CANNOT, "uid", "root could be regained", EPERM);
	}
}

static bool wants_landlock(const struct landlock_plan *plan) {
	return plan->n_write + plan->n_read + plan->n_closed > 0;
}

/* The rules are made while everything may still be opened, and hold from after
 * the drop of privileges on. */
static int prepare_landlock(struct options *options) {
	int ruleset = -1;
	if (!wants_landlock(&options->landlock)) {
		return -1;
	}
	options->landlock.program = options->file;
	int rc = landlock_prepare(&options->landlock, &ruleset);
	if (rc == -ENOTSUP) {
		log_warning("landlock-missing", "program=%s", log_quote(options->program[0]).text);
		return -1;
	}
	if (rc == -ENOENT && access(options->file, F_OK) < 0) {
		exec_fail(EXIT_MISSING, "program", options->program[0], ENOENT);
	}
	if (rc < 0) {
		exec_fail(EXIT_CANNOT, "landlock", "a folder cannot be opened", -rc);
	}
	return ruleset;
}

/* Before everybody who is not: what carries a picture from one process to the next
 * runs for fractions of a millisecond, and an app that takes all processors would
 * make it wait for several. Nothing it starts inherits that, nor do its threads
 * that compute. Who may not have it does without. */
static void become_realtime(void) {
	struct sched_param param = { .sched_priority = REALTIME_PRIORITY };
	struct rlimit limit;
	if (getrlimit(RLIMIT_RTTIME, &limit) == 0) {
		limit.rlim_cur = REALTIME_US < limit.rlim_max ? REALTIME_US : limit.rlim_max;
		if (setrlimit(RLIMIT_RTTIME, &limit) == 0) {
			(void)sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param);
		}
	}
}

/* sched_setattr(2); no header of libc's has it. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/* The same share as everybody, in smaller pieces: since Linux 6.12 whoever asks for
 * little at a time is served sooner after waking. Needs no privilege; older kernels
 * do not mind. */
static void become_prompt(void) {
	struct scheduling scheduling = {
		.size = sizeof(scheduling),
		.policy = SCHED_OTHER,
		.flags = SCHED_RESET_ON_FORK_FLAG,
		.nice = getpriority(PRIO_PROCESS, 0),
		.runtime_ns = PROMPT_NS,
	};
	(void)syscall(SYS_sched_setattr, 0, &scheduling, 0);
}

static const struct confine_row *find_kind(const struct options *options) {
	const struct confine_row *row = options->kind ? confine_find(options->kind) : NULL;
	if (options->kind && !row) {
		exec_fail(EXIT_CANNOT, "confine", options->kind, ENOENT);
	}
	return row;
}

static void check(int rc, const struct confine_fault *fault) {
	if (rc < 0) {
		exec_fail(EXIT_CANNOT, fault->step, "cannot be confined", -rc);
	}
}

static void schedule(const struct options *options) {
	errno = 0;
	if (options->nice != UNSET && nice((int)options->nice) == -1 && errno != 0) {
		exec_fail(EXIT_CANNOT, "nice", "", errno);
	}
	if (options->realtime) {
		become_realtime();
	}
	if (options->prompt) {
		become_prompt();
	}
}

static bool may_gain(const struct options *options, const struct confine_row *row) {
	return options->may_gain || (row && row->may_gain);
}

static bool names_place(const struct confine_row *row, const char *place) {
	for (size_t i = 0; i < CONFINE_RULES_MAX && row->rules[i].path; i++) {
		if (strcmp(row->rules[i].path, place) == 0) {
			return true;
		}
	}
	return false;
}

static void draw_veil(const struct options *options, const struct confine_row *row) {
	struct veil veil = {
		.sockets = { "/run/docker.sock", "/run/podman/podman.sock",
				"/run/containerd/containerd.sock", "/run/crio/crio.sock" },
	};
	const char *const places[] = { "@state", options->places.state, "@runtime",
		options->places.runtime, "@home", options->places.home, "@display",
		options->places.display };
	size_t kept = 0;
	for (size_t i = 0; i < ARRAY_LEN(places); i += 2) {
		if (places[i + 1] && names_place(row, places[i])) {
			veil.keep[kept++] = places[i + 1];
		}
	}
	static const char displays[] = "/tmp/.X11-unix";
	veil.fresh = names_place(row, displays) ? NULL : displays;
	veil.no_network = row->no_network;
	size_t hidden = 0;
	if (row->veil == VEIL_RUN) {
		veil.hide[hidden++] = "/run";
	}
	for (size_t i = 0; i < options->n_hide; i++) {
		veil.hide[hidden++] = options->hide[i];
	}
	int rc = veil_enter(&veil);
	if (rc < 0) {
		exec_fail(EXIT_CANNOT, "veil", "mount namespace", -rc);
	}
}

/* A session without its group is better than none; it is said. */
static void enter_cgroups(const struct options *options) {
	for (size_t i = 0; i < options->n_cgroups; i++) {
		int rc = cgroup_enter(options->cgroups[i]);
		if (rc < 0) {
			log_warning("cgroup-missing", "folder=%s error=%s",
					log_quote(options->cgroups[i]).text,
					log_quote(strerror(-rc)).text);
		}
	}
}

/* The row of the table, from the limits to the last step; the order matters. */
static void confine(struct options *options) {
	const struct confine_row *row = find_kind(options);
	struct confine state = { row, -1, -1, -1, -1 };
	struct confine_fault fault = { "confine" };
	if (options->setsid && setsid() < 0) {
		exec_fail(EXIT_CANNOT, "setsid", "", errno);
	}
	enter_cgroups(options);
	schedule(options);
	limit(RLIMIT_CORE, 0, "core");
	if (options->nofile != UNSET) {
		limit(RLIMIT_NOFILE, (rlim_t)options->nofile, "nofile");
	}
	check(row ? confine_limit(row, &fault) : 0, &fault);
	if (!may_gain(options, row) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		exec_fail(EXIT_CANNOT, "no-new-privs", "", errno);
	}
	keep_fds(options);
	bool may_veil = row && row->veil != VEIL_NONE && (geteuid() == 0 || !row->veil_by_root);
	if (may_veil && options->n_hide) {
		draw_veil(options, row);
	}
	options->places.program = options->file;
	OWN(fd_close) int ruleset = row ? -1 : prepare_landlock(options);
	check(row ? confine_prepare(&state, &options->places, &options->landlock, &fault) : 0,
			&fault);
	if (!may_gain(options, row)) {
		confine_drop_bounding();
	}
	drop_ids(options, row);
	check(row ? confine_drop(row, &fault) : 0, &fault);
	/* After the change of ids, which clears it. */
	if (options->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0) {
		exec_fail(EXIT_CANNOT, "die-with-parent", "", errno);
	}
	if (options->cwd && chdir(options->cwd) < 0) {
		exec_fail(EXIT_CANNOT, "cwd", options->cwd, errno);
	}
	int rc = ruleset >= 0 ? landlock_enter(ruleset) : 0;
	if (rc < 0) {
		exec_fail(EXIT_CANNOT, "landlock", "restrict", -rc);
	}
	check(row ? confine_enter(&state, &options->settles, &fault) : 0, &fault);
}

int main(int argc, char **argv) {
	(void)argc;
	struct options options = {
		.uid = UNSET,
		.gid = UNSET,
		.nofile = UNSET,
		.listen_fds = UNSET,
		.nice = UNSET,
		.program_fd = UNSET,
	};
	exec_parse(argv, &options);
	if (options.print_table) {
		confine_print();
		return 0;
	}
	reset_signals();
	if (options.gate) {
		wait_at_gate();
	}
	confine(&options);
	if (options.settles) {
		if (options.env_clear) {
			options.env[options.n_env++] = options.settles;
		} else {
			putenv((char *)(uintptr_t)options.settles);
		}
	}
	char listen_pid[32], listen_fds[32];
	if (options.listen_fds > 0) {
		/* sd_listen_fds(3) */
		text_format(listen_pid, sizeof(listen_pid), "LISTEN_PID=%d", (int)getpid());
		text_format(listen_fds, sizeof(listen_fds), "LISTEN_FDS=%d",
				(int)options.listen_fds);
		if (options.env_clear) {
			options.env[options.n_env++] = listen_pid;
			options.env[options.n_env++] = listen_fds;
		} else {
			putenv(listen_pid);
			putenv(listen_fds);
		}
	}
	if (options.env_clear) {
		environ = (char **)(uintptr_t)options.env;
	}
	execv(options.file, options.program);
	exec_fail(errno == ENOENT ? EXIT_MISSING : EXIT_CANNOT, "program", options.program[0],
			errno);
}
