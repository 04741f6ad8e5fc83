/* SPDX-License-Identifier: MIT */
#include "supervisor/succession.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/shm.h"
#include "base/text.h"
#include "ipc/crash.h"
#include "ipc/pulse.h"
#include "supervisor/child.h"
#include "supervisor/supervisor.h"
#include "supervisor/upgrade.h"

static int leave_page(struct supervisor *supervisor) {
	struct shm shm;
	int rc = shm_create("pulse", PULSE_SIZE, false, &shm);
	if (rc < 0) {
		return rc;
	}
	keep_put(&supervisor->keep, shm.fd, "pulse");
	struct pulse *pulse = NULL;
	struct crash *crash = NULL;
	rc = pulse_map(TAKE(shm.fd, -1), &pulse);
	shm_finish(&shm);
	if (rc == 0) {
		rc = crash_open(&crash);
	}
	if (rc == 0) {
		crash_watch(crash, pulse);
		crash_stop_for(crash, getppid());
	}
	return rc;
}

void succession_prepare(struct supervisor *supervisor) {
	struct keep *keep = &supervisor->keep;
	if (!keep_is_open(keep)) {
		return; /* nobody would look */
	}
	OWN(fd_close) int words = evidence_words_of_self(&supervisor->evidence);
	keep_put(keep, supervisor->state_fd, "state");
	keep_put(keep, words, "autopsy");
	int rc = leave_page(supervisor);
	if (rc < 0 || words < 0) {
		log_warning("succession-unprepared", "error=%s",
				log_quote(strerror(rc < 0 ? -rc : -words)).text);
	}
}

static struct child *make_predecessor(const struct ipc_message *message) {
	const typeof(message->hold_died) *died = &message->hold_died;
	struct child *child = calloc(1, sizeof(*child));
	if (child) {
		child->kind = PEER_SUPERVISOR;
		child->pulse = SHM_NONE;
		child->pid = (pid_t)died->pid;
		child->crashed = died->crashed;
		child->end.fenced = died->fenced;
		child->end.status = died->status;
		child->end.reason = died->reason < REASONS ? died->reason : REASON_NONE;
		text_copy(child->name, sizeof(child->name), "perigeed");
		text_copy(child->end.detail, sizeof(child->end.detail), died->detail);
	}
	return child;
}

static void note(struct supervisor *supervisor, const struct ipc_message *message) {
	const typeof(message->hold_died) *died = &message->hold_died;
	struct evidence *evidence = &supervisor->evidence;
	struct child *child = make_predecessor(message);
	supervisor->succession.pid = died->pid;
	if (child && died->fenced) {
		supervisor->succession.incident = evidence_note_other(evidence, child, died->entry,
				(enum incident_evidence)died->evidence);
	} else if (child) {
		(void)evidence_incident(evidence, child);
	}
	free(child);
}

void succession_died(struct supervisor *supervisor, const struct ipc_message *message) {
	const typeof(message->hold_died) *died = &message->hold_died;
	if (supervisor->succession.pid == died->pid) {
		evidence_of_other(&supervisor->evidence, supervisor->succession.incident,
				(enum incident_evidence)died->evidence);
	} else if (!upgrade_was_planned(supervisor)) {
		note(supervisor, message);
	}
}

void succession_settled(struct supervisor *supervisor) {
	if (supervisor->succession.pid == 0 && !upgrade_was_planned(supervisor)) {
		struct ipc_message message = { .kind = IPC_HOLD_DIED,
			.hold_died = { .status = SIGKILL, .reason = REASON_SUPERVISOR_DIED } };
		text_copy(message.hold_died.detail, sizeof(message.hold_died.detail),
				"perigee-hold has said in the log how it ended");
		note(supervisor, &message);
	}
}
