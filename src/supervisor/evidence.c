/* SPDX-License-Identifier: MIT */
#include "supervisor/evidence.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/child_inside.h"
#include "supervisor/helper.h"
#include "supervisor/process.h"
#include "supervisor/versions.h"

enum {
	FD_PULSE = 3, /* as the autopsy gets them */
	FD_LINES = 4,
	FD_SECRETS = 5,
	FD_FREE = 10, /* ours are kept out of their way */
};

/* One perigee-autopsy that runs. */
struct autopsy {
	struct evidence *evidence; /* borrowed */
	struct autopsy *next;
	struct child *corpse; /* borrowed, NULL when it is gone */
	uint32_t incident;    /* 0: a snapshot */
	pid_t pid;
	struct sd_event_source *exit, *overdue; /* owned */
};

static void autopsy_free(struct autopsy *autopsy) {
	struct autopsy **at = &autopsy->evidence->first;
	while (*at && *at != autopsy) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = autopsy->next;
		autopsy->evidence->running--;
	}
	sd_event_source_disable_unref(autopsy->exit);
	sd_event_source_disable_unref(autopsy->overdue);
	free(autopsy);
}

static void let_corpse_go(struct autopsy *autopsy) {
	struct child *corpse = TAKE(autopsy->corpse, NULL);
	if (corpse) {
		fence_release(corpse);
	}
}

static void continue_snapshots(struct evidence *evidence);

static int handle_exit(sd_event_source *source, const siginfo_t *info, void *user) {
	(void)source;
	struct autopsy *autopsy = (struct autopsy *)user;
	struct evidence *evidence = autopsy->evidence;
	bool well = info->si_code == CLD_EXITED && info->si_status == 0;
	struct incident *incident = incidents_find(&evidence->incidents, autopsy->incident);
	if (incident) {
		incident->evidence = well ? EVIDENCE_WRITTEN : EVIDENCE_FAILED;
	}
	evidence->written += well;
	evidence->failed += !well;
	if (!well) {
		log_error("evidence-failed", "incident=%u code=%d status=%d", autopsy->incident,
				info->si_code, info->si_status);
	}
	bool snapshot = autopsy->incident == 0;
	let_corpse_go(autopsy);
	autopsy_free(autopsy);
	if (snapshot) {
		continue_snapshots(evidence);
	}
	return 0;
}

/* A disk that hangs must not keep a corpse. */
static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct autopsy *autopsy = (struct autopsy *)user;
	log_error("evidence-overdue", "incident=%u pid=%d", autopsy->incident, autopsy->pid);
	kill(autopsy->pid, SIGKILL);
	let_corpse_go(autopsy);
	return 0;
}

/* Whose heap never holds a key of the host or of a session. */
static bool is_keyless(enum ipc_peer kind) {
	return kind != PEER_SUPERVISOR && kind != PEER_GATE && kind != PEER_WEB &&
	       kind != PEER_STORE && kind != PEER_STREAM;
}

struct order {
	const char *argv[48];
	size_t count;
	struct spawn_way program;
	char pid[12], worker[12], session[20], incident[12], keep[12], megabytes[12], core[12],
			pulse[4], lines[4], secrets[4], group[512];
};

static void add(struct order *order, const char *word) {
	order->argv[order->count++] = word;
}

static void add_pair(struct order *order, const char *name, const char *value) {
	add(order, name);
	add(order, value);
}

static void add_number(
		struct order *order, const char *name, char *room, size_t size, long long value) {
	text_format(room, size, "%lld", value);
	add_pair(order, name, room);
}

static void describe(const struct evidence *evidence, const struct child *child, bool there,
		uint32_t keep, struct order *order) {
	add(order, order->program.name);
	add_pair(order, "--folder", evidence->folder);
	add_pair(order, "--kind", ipc_peer_name(child->kind));
	add_pair(order, "--name", child->name);
	add_number(order, "--worker", order->worker, sizeof(order->worker), child->id);
	if (child->session) {
		text_format(order->session, sizeof(order->session), "%016llx",
				(unsigned long long)child->session);
		add_pair(order, "--session", order->session);
		if (evidence->group && evidence->group(evidence->user, child->session, order->group,
						       sizeof(order->group))) {
			add_pair(order, "--group", order->group);
		}
	}
	add_number(order, there ? "--pid" : "--was", order->pid, sizeof(order->pid), child->pid);
	if (child->pulse.fd >= 0) {
		add_number(order, "--pulse-fd", order->pulse, sizeof(order->pulse), FD_PULSE);
	}
	if (child->kind == PEER_SUPERVISOR && evidence->log) {
		add_pair(order, "--log", evidence->log); /* nobody kept its last lines */
	} else {
		add_number(order, "--lines-fd", order->lines, sizeof(order->lines), FD_LINES);
	}
	add_number(order, "--secrets-fd", order->secrets, sizeof(order->secrets), FD_SECRETS);
	add_number(order, "--keep", order->keep, sizeof(order->keep), keep);
	add_number(order, "--megabytes", order->megabytes, sizeof(order->megabytes),
			evidence->megabytes);
	add_number(order, "--core-megabytes", order->core, sizeof(order->core),
			evidence->core_megabytes);
	if (is_keyless(child->kind)) {
		add(order, "--keyless");
	}
}

static int save_secrets(const struct evidence *evidence) {
	uint8_t bytes[EVIDENCE_SECRETS_MAX];
	size_t size = evidence->secrets ? evidence->secrets(evidence->user, bytes, sizeof(bytes))
					: 0;
	OWN(fd_close) int fd = memfd_create("secrets", MFD_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, bytes, size);
	explicit_bzero(bytes, sizeof(bytes));
	return written == (ssize_t)size ? TAKE(fd, -1) : -EIO;
}

/* A duplicate that no number of the autopsy's collides with. */
static int off_its_numbers(int fd) {
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_FREE);
}

static int watch_over(struct evidence *evidence, struct autopsy *autopsy) {
	sd_event *event = evidence->nursery->event;
	int rc = sd_event_add_child(
			event, &autopsy->exit, autopsy->pid, WEXITED, handle_exit, autopsy);
	if (rc >= 0) {
		rc = sd_event_add_time_relative(event, &autopsy->overdue, CLOCK_MONOTONIC,
				EVIDENCE_MS * US_PER_MS, 10 * US_PER_MS, handle_overdue, autopsy);
	}
	if (rc < 0) {
		kill(autopsy->pid, SIGKILL);
		waitpid(autopsy->pid, NULL, 0);
	}
	return rc;
}

static int start(struct evidence *evidence, const struct child *child, struct order *order,
		struct autopsy **out) {
	OWN(fd_close) int lines_fd = journal_tail_save(&child->reader.tail);
	OWN(fd_close) int secrets_fd = save_secrets(evidence);
	OWN(fd_close) int pulse = off_its_numbers(child->pulse.fd);
	OWN(fd_close) int lines = off_its_numbers(lines_fd);
	OWN(fd_close) int secrets = off_its_numbers(secrets_fd);
	if (lines < 0 || secrets < 0) {
		return -EMFILE; /* without the secrets none could be blotted out */
	}
	struct autopsy *autopsy = calloc(1, sizeof(*autopsy));
	if (!autopsy) {
		return -ENOMEM;
	}
	autopsy->evidence = evidence;
	const struct helper_fd fds[] = { { pulse, FD_PULSE }, { lines, FD_LINES },
		{ secrets, FD_SECRETS } };
	int rc = helper_spawn(order->program.file, order->argv, fds, ARRAY_LEN(fds), &autopsy->pid);
	rc = rc < 0 ? rc : watch_over(evidence, autopsy);
	if (rc < 0) {
		autopsy_free(autopsy);
		return rc;
	}
	autopsy->next = evidence->first;
	evidence->first = autopsy;
	evidence->running++;
	*out = autopsy;
	return 0;
}

static void name_entry(struct incident *incident) {
	time_t now = (time_t)incident->time_s;
	struct tm local;
	char when[20];
	localtime_r(&now, &local);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &local);
	text_format(incident->entry, sizeof(incident->entry), "%s-%s-%d-%s", when,
			ipc_peer_name(incident->kind), incident->pid,
			reason_row(incident->reason)->name);
}

static struct incident *note(struct evidence *evidence, const struct child *child) {
	const struct child_end *end = &child->end;
	bool crashed = child->crashed;
	struct incident incident = {
		.kind = child->kind,
		.what = incident_judge(
				end->fenced, end->written_off, crashed, end->reason, end->status),
		.reason = end->reason,
		.worker = child->id,
		.pid = child->pid,
		.session = child->session,
		.time_s = (int64_t)time(NULL),
	};
	text_copy(incident.detail, sizeof(incident.detail), end->detail);
	name_entry(&incident);
	struct incident *noted = incidents_add(&evidence->incidents, &incident);
	log_warning("incident",
			"number=%u kind=%s what=%s reason=%s pid=%d session=%016llx entry=%s",
			noted->number, ipc_peer_name(noted->kind), incident_what_name(noted->what),
			reason_row(noted->reason)->name, noted->pid,
			(unsigned long long)noted->session, noted->entry);
	return noted;
}

static int find_autopsy(const struct evidence *evidence, struct order *order) {
	const struct nursery *nursery = evidence->nursery;
	return spawn_resolve(nursery, versions_for(nursery, 0), "perigee-autopsy", &order->program);
}

static const char *what_was_done(const struct evidence *evidence, const struct child_end *end) {
	if (end->written_off) {
		return "could not be stopped: written off; whoever owned it goes on without it";
	}
	if (!end->fenced) {
		return "it was gone; whoever owned it was told at once";
	}
	return evidence->keep_hung ? "stopped for good and left for a debugger (on_hang: keep); "
				     "whoever owned it was told at once"
				   : "stopped for good; whoever owned it was told at once; killed "
				     "after this";
}

bool evidence_incident(struct evidence *evidence, struct child *child) {
	struct incident *incident = note(evidence, child);
	bool there = child->end.fenced;
	struct order order = { .count = 0 };
	if (evidence->nursery->burying || evidence->running >= EVIDENCE_AT_ONCE) {
		log_warning("evidence-skipped", "incident=%u running=%u", incident->number,
				evidence->running);
		return false;
	}
	int rc = find_autopsy(evidence, &order);
	struct autopsy *autopsy = NULL;
	if (rc == 0) {
		describe(evidence, child, there, evidence->keep, &order);
		add_number(&order, "--incident", order.incident, sizeof(order.incident),
				incident->number);
		add_pair(&order, "--entry", incident->entry);
		add_pair(&order, "--what", incident_what_name(incident->what));
		add_pair(&order, "--reason", reason_row(incident->reason)->name);
		add_pair(&order, "--detail", incident->detail);
		add_pair(&order, "--done", what_was_done(evidence, &child->end));
		add(&order, NULL);
		rc = start(evidence, child, &order, &autopsy);
	}
	if (rc < 0) {
		incident->evidence = EVIDENCE_FAILED;
		evidence->failed++;
		log_error("evidence-failed", "incident=%u error=%s", incident->number,
				log_quote(strerror(-rc)).text);
		return false;
	}
	incident->evidence = EVIDENCE_BEING_WRITTEN;
	autopsy->incident = incident->number;
	autopsy->corpse = there && !child->end.written_off ? child : NULL;
	return autopsy->corpse != NULL;
}

uint32_t evidence_note_other(struct evidence *evidence, const struct child *child,
		const char *entry, enum incident_evidence state) {
	struct incident *incident = note(evidence, child);
	text_copy(incident->entry, sizeof(incident->entry), entry);
	incident->evidence = EVIDENCE_BEING_WRITTEN;
	evidence_of_other(evidence, incident->number, state);
	return incident->number;
}

void evidence_of_other(struct evidence *evidence, uint32_t number, enum incident_evidence state) {
	struct incident *incident = incidents_find(&evidence->incidents, number);
	if (incident && incident->evidence == EVIDENCE_BEING_WRITTEN) {
		incident->evidence = state;
		evidence->written += state == EVIDENCE_WRITTEN;
		evidence->failed += state == EVIDENCE_FAILED;
		if (state == EVIDENCE_FAILED) {
			log_error("evidence-failed", "incident=%u", number);
		}
	}
}

/* Without a core: what it knows of every session is a secret, and most of what is in it. */
int evidence_words_of_self(const struct evidence *evidence) {
	char keep[12], megabytes[12];
	text_format(keep, sizeof(keep), "%u", evidence->keep);
	text_format(megabytes, sizeof(megabytes), "%u", evidence->megabytes);
	const char *const words[] = { "perigee-autopsy", "--folder", evidence->folder, "--kind",
		ipc_peer_name(PEER_SUPERVISOR), "--name", "perigeed", "--log",
		evidence->log ? evidence->log : "/dev/null", "--keep", keep, "--megabytes",
		megabytes, "--core-megabytes", "0" };
	OWN(fd_close) int fd = memfd_create("autopsy", MFD_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t size = strlen(words[i]) + 1;
		if (fd < 0 || write(fd, words[i], size) != (ssize_t)size) {
			return -EIO;
		}
	}
	return TAKE(fd, -1);
}

void evidence_forget(struct evidence *evidence, const struct child *child) {
	for (struct autopsy *at = evidence->first; at; at = at->next) {
		if (at->corpse == child) {
			at->corpse = NULL;
		}
	}
}

/* The next worker of the round, by number: who ends meanwhile is left out. */
static const struct child *next_of_round(const struct evidence *evidence, uint32_t *count) {
	const struct child *next = NULL;
	*count = 0;
	for (const struct child *at = evidence->nursery->first; at; at = at->next) {
		*count += 1;
		if (at->hello && at->id > evidence->snapshot_after &&
				(!next || at->id < next->id)) {
			next = at;
		}
	}
	return next;
}

static void continue_snapshots(struct evidence *evidence) {
	uint32_t count;
	const struct child *child = next_of_round(evidence, &count);
	struct order order = { .count = 0 };
	if (!child || evidence->nursery->burying || find_autopsy(evidence, &order) < 0) {
		return;
	}
	evidence->snapshot_after = child->id;
	describe(evidence, child, true, evidence->snapshots_kept * count, &order);
	add(&order, "--live");
	add_pair(&order, "--what", "looked at");
	add_pair(&order, "--detail", "a periodic snapshot");
	add_pair(&order, "--done", "nothing: it is healthy");
	add(&order, NULL);
	struct autopsy *autopsy;
	if (start(evidence, child, &order, &autopsy) < 0) {
		log_error("snapshot-failed", "worker=%u", child->id);
	}
}

static int handle_snapshots(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct evidence *evidence = (struct evidence *)user;
	evidence->snapshot_after = 0;
	continue_snapshots(evidence);
	sd_event_source_set_time_relative(source, evidence->snapshot_s * US_PER_S);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int evidence_open(struct evidence *evidence) {
	if (!evidence->snapshots) {
		return 0;
	}
	return sd_event_add_time_relative(evidence->nursery->event, &evidence->timer,
			CLOCK_MONOTONIC, evidence->snapshot_s * US_PER_S, US_PER_S,
			handle_snapshots, evidence);
}

void evidence_close(struct evidence *evidence) {
	evidence->timer = sd_event_source_disable_unref(evidence->timer);
	for (struct autopsy *at = evidence->first; at; at = at->next) {
		kill(at->pid, SIGKILL);
	}
}
