/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/pulse.h"
#include "ipc/reason.h"
#include "supervisor/child.h"
#include "supervisor/evidence.h"
#include "supervisor/helper.h"
#include "supervisor/hold_inside.h"
#include "supervisor/threads.h"

/* Fence, replace, look, for perigeed itself. One that hangs or has crashed is stopped for
 * good, the next one starts at once, and perigee-autopsy reads the corpse meanwhile. How
 * that is called lies here, left by the perigeed that it is about. */

enum {
	ORDER_MAX = 4096, /* bytes of the words that perigeed left */
	WORDS_MAX = 48,
	FD_PULSE = 3, /* as the autopsy gets it */
};

static bool has_stopped(pid_t pid) {
	struct threads threads;
	int rc = threads_look(pid, &threads);
	return rc == -ENOENT || (rc == 0 && threads.stopped == threads.count);
}

/* ---- the corpse ---- */

void hold_end_corpse(struct hold *hold) {
	hold->look_overdue = sd_event_source_disable_unref(hold->look_overdue);
	if (hold->autopsy) {
		kill(hold->autopsy, SIGKILL);
	}
	if (hold->corpse) {
		kill(hold->corpse, SIGKILL);
	}
}

static int handle_look_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct hold *hold = (struct hold *)user;
	log_error("evidence-overdue", "pid=%d", (int)hold->autopsy);
	hold_end_corpse(hold);
	return 0;
}

bool hold_fence_reaped(struct hold *hold, pid_t pid, int status) {
	if (pid == hold->autopsy) {
		hold->autopsy = 0;
		hold_end_corpse(hold);
		if (hold->looked_at == hold->died.pid) {
			bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
			hold->died.evidence = well ? EVIDENCE_WRITTEN : EVIDENCE_FAILED;
			hold->died.told = false;
			hold_give(hold);
		}
	} else if (pid == hold->corpse) {
		hold->corpse = 0;
		log_info("perigeed-corpse-gone", "pid=%d", (int)pid);
	} else {
		return false;
	}
	return true;
}

/* ---- who looks at it ---- */

/* The words lie one behind the other, each with its NUL. Returns how many. */
static size_t read_order(const struct hold *hold, char *room, size_t size, const char **words) {
	int fd = hold_find(hold, "autopsy");
	ssize_t len = fd < 0 ? -1 : pread(fd, room, size, 0);
	size_t count = 0;
	if (len <= 0 || room[len - 1] != '\0') {
		return 0;
	}
	for (const char *at = room; at < room + len && count < WORDS_MAX; at += strlen(at) + 1) {
		words[count++] = at;
	}
	return count;
}

/* Opens nothing: what lies here is passed on. */
static void find_program(const struct hold *hold, char *out, size_t size) {
	char name[48];
	text_format(name, sizeof(name), "v%u.perigee-autopsy", hold->version);
	int fd = hold_find(hold, name);
	if (fd >= 0) {
		text_format(out, size, "/proc/self/fd/%d", fd);
		return;
	}
	const char *slash = strrchr(hold->path, '/');
	text_format(out, size, "%.*sperigee-autopsy", (int)(slash ? slash + 1 - hold->path : 0),
			hold->path);
}

static int spawn(struct hold *hold, const char **words, int pulse) {
	char program[PATH_MAX];
	find_program(hold, program, sizeof(program));
	const struct helper_fd fd = { pulse, FD_PULSE };
	hold->autopsy = 0;
	return helper_spawn(program, words, &fd, 1, &hold->autopsy);
}

static void name_entry(struct hold_died *died) {
	time_t now = time(NULL);
	struct tm local;
	char when[20];
	localtime_r(&now, &local);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &local);
	text_format(died->entry, sizeof(died->entry), "%s-supervisor-%d-%s", when, (int)died->pid,
			reason_row(died->reason)->name);
}

static int look(struct hold *hold) {
	struct hold_died *died = &hold->died;
	char room[ORDER_MAX], pid[12], number[4];
	const char *words[WORDS_MAX + 16];
	size_t count = read_order(hold, room, sizeof(room), words);
	if (count == 0) {
		return -ENOENT;
	}
	text_format(pid, sizeof(pid), "%d", (int)died->pid);
	text_format(number, sizeof(number), "%d", FD_PULSE);
	name_entry(died);
	/* Its page says nothing but how it crashed. */
	const char *const more[] = { "--pid", pid, "--entry", died->entry, "--what",
		died->crashed ? "crashed" : "hung", "--reason", reason_row(died->reason)->name,
		"--detail", died->detail, "--done",
		"stopped for good; the next one was started at once; killed after this",
		died->crashed ? "--pulse-fd" : NULL, number };
	for (size_t i = 0; i < ARRAY_LEN(more) && more[i]; i++) {
		words[count++] = more[i];
	}
	words[count] = NULL;
	int rc = spawn(hold, words, died->crashed ? hold_find(hold, "pulse") : -1);
	if (rc == 0) {
		hold->looked_at = died->pid;
		died->evidence = EVIDENCE_BEING_WRITTEN;
		rc = sd_event_add_time_relative(hold->event, &hold->look_overdue, CLOCK_MONOTONIC,
				EVIDENCE_MS * US_PER_MS, 10 * US_PER_MS, handle_look_overdue, hold);
	}
	return rc < 0 ? rc : 0;
}

/* ---- fencing ---- */

static void become_corpse(struct hold *hold, bool stopped) {
	struct hold_died *died = &hold->died;
	hold->corpse = hold->perigeed;
	log_warning(stopped ? "perigeed-fenced" : "perigeed-written-off",
			"pid=%d reason=%s detail=%s took_us=%llu", (int)died->pid,
			reason_row(died->reason)->name, log_quote(died->detail).text,
			(unsigned long long)((clock_now_ns() - hold->fenced_ns) / NS_PER_US));
	/* One that sits in the kernel runs no code of its own any more once this is sent. */
	int rc = stopped ? look(hold) : -ETIMEDOUT;
	if (rc < 0) {
		died->evidence = EVIDENCE_FAILED;
		log_error("evidence-failed", "pid=%d error=%s", (int)died->pid,
				log_quote(strerror(-rc)).text);
		hold_end_corpse(hold);
	}
	died->told = false;
	hold->ended(hold, died->status);
}

static int handle_check(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct hold *hold = (struct hold *)user;
	if (!hold->perigeed || hold->perigeed != hold->died.pid) {
		return 0; /* it was gone by itself */
	}
	bool stopped = has_stopped(hold->perigeed);
	if (!stopped && clock_now_ns() - hold->fenced_ns < FENCE_STOP_MS * NS_PER_MS) {
		sd_event_source_set_time_relative(source, FENCE_CHECK_MS * US_PER_MS);
		return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	become_corpse(hold, stopped);
	return 0;
}

static void fence(struct hold *hold, bool crashed, int status, const char *detail) {
	hold_end_corpse(hold); /* of the one before: its time is up */
	hold->died = (struct hold_died){ .pid = hold->perigeed,
		.status = status,
		.crashed = crashed,
		.fenced = true,
		.told = true,
		.reason = crashed ? REASON_SUPERVISOR_DIED : REASON_WORKER_HUNG };
	text_copy(hold->died.detail, sizeof(hold->died.detail), detail);
	hold->fenced_ns = clock_now_ns();
	kill(hold->perigeed, SIGSTOP);
	hold->check = sd_event_source_disable_unref(hold->check);
	if (sd_event_add_time_relative(hold->event, &hold->check, CLOCK_MONOTONIC, 0, 500,
			    handle_check, hold) < 0) {
		kill(hold->perigeed, SIGKILL);
	}
}

bool hold_is_fencing(const struct hold *hold) {
	return hold->perigeed && hold->died.fenced && hold->died.pid == hold->perigeed;
}

void hold_fence_hung(struct hold *hold, uint64_t silent_ms) {
	char detail[sizeof(hold->died.detail)];
	text_format(detail, sizeof(detail), "it answered nothing for %llu ms",
			(unsigned long long)silent_ms);
	fence(hold, false, SIGKILL, detail);
}

/* It stopped itself, having marked its page, or somebody stopped it. */
void hold_note_stopped(struct hold *hold) {
	struct pulse pulse;
	int fd = hold_find(hold, "pulse");
	if (hold_is_fencing(hold) || fd < 0 ||
			pread(fd, &pulse, sizeof(pulse), 0) != sizeof(pulse) ||
			pulse.pid != (uint32_t)hold->perigeed || pulse.crash_signal == 0) {
		return;
	}
	char detail[sizeof(hold->died.detail)];
	text_format(detail, sizeof(detail), "signal %u (%s)", pulse.crash_signal,
			strsignal((int)pulse.crash_signal));
	log_error("perigeed-crashed", "pid=%d signal=%u", (int)hold->perigeed, pulse.crash_signal);
	fence(hold, true, (int)pulse.crash_signal, detail);
}

void hold_note_death(struct hold *hold, int status) {
	hold->died = (struct hold_died){
		.pid = hold->perigeed, .status = status, .reason = REASON_SUPERVISOR_DIED
	};
	if (WIFSIGNALED(status)) {
		text_format(hold->died.detail, sizeof(hold->died.detail), "signal %d (%s)",
				WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else {
		text_format(hold->died.detail, sizeof(hold->died.detail),
				"it exited with status %d", WEXITSTATUS(status));
	}
}
