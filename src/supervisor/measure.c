/* SPDX-License-Identifier: MIT */
#include "supervisor/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/weight.h"
#include "supervisor/desk.h"
#include "supervisor/helper.h"
#include "supervisor/process.h"
#include "supervisor/supervisor.h"

static void send_line(struct supervisor *supervisor, uint32_t request, const struct weight *weight,
		const struct measured *row) {
	struct ipc_message line = { .kind = IPC_STATUS_LINE, .status_line.request = request };
	text_format(line.status_line.line, sizeof(line.status_line.line),
			"{\"what\":\"memory\",\"kind\":\"%s\",\"session\":\"%016llx\",\"pid\":%d,"
			"\"pss_bytes\":%llu}",
			row->kind, (unsigned long long)row->session, (int)weight->pid,
			(unsigned long long)weight->pss_bytes);
	supervisor_post(supervisor, SERVICE_WEB, &line, NULL, 0);
}

static void answer_all(struct supervisor *supervisor, bool whole) {
	struct measure *measure = &supervisor->measure;
	const struct weight *weights = (const struct weight *)(const void *)measure->shm.map;
	for (unsigned i = 0; i < measure->requests_count; i++) {
		struct ipc_message end = { .kind = IPC_STATUS_END,
			.status_line.request = measure->requests[i] };
		for (size_t j = 0; whole && j < measure->count; j++) {
			struct weight weight = weights[j]; /* read once */
			if (weight.known) {
				send_line(supervisor, measure->requests[i], &weight,
						&measure->rows[j]);
			}
		}
		supervisor_post(supervisor, SERVICE_WEB, &end, NULL, 0);
	}
	measure->requests_count = 0;
}

void measure_finish(struct measure *measure) {
	measure->exit = sd_event_source_disable_unref(measure->exit);
	measure->overdue = sd_event_source_disable_unref(measure->overdue);
	shm_finish(&measure->shm);
	measure->shm = SHM_NONE;
	free(TAKE(measure->rows, NULL));
	measure->count = 0;
	measure->pid = 0;
}

static int handle_exit(sd_event_source *source, const siginfo_t *info, void *user) {
	(void)source;
	struct supervisor *supervisor = (struct supervisor *)user;
	answer_all(supervisor, info->si_code == CLD_EXITED && info->si_status == 0);
	measure_finish(&supervisor->measure);
	return 0;
}

/* It is reaped when it goes; until then nobody measures. */
static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct supervisor *supervisor = (struct supervisor *)user;
	log_warning("measure-overdue", "pid=%d", supervisor->measure.pid);
	kill(supervisor->measure.pid, SIGKILL);
	answer_all(supervisor, false);
	return 0;
}

static void add(struct measure *measure, pid_t pid, uint64_t session, const char *kind) {
	struct weight *weights = (struct weight *)(void *)measure->shm.map;
	struct measured *row = &measure->rows[measure->count];
	weights[measure->count++].pid = (int32_t)pid;
	row->session = session;
	text_copy(row->kind, sizeof(row->kind), kind);
}

/* Ours, and the first process of every app. */
static int fill(struct supervisor *supervisor) {
	struct measure *measure = &supervisor->measure;
	size_t room = 1;
	for (const struct child *at = supervisor->nursery.first; at; at = at->next) {
		room++;
	}
	for (const struct desk *at = supervisor->desks; at; at = at->next) {
		room++;
	}
	room = room < WEIGHTS_MAX ? room : WEIGHTS_MAX;
	measure->rows = calloc(room, sizeof(*measure->rows));
	if (!measure->rows) {
		return -ENOMEM;
	}
	int rc = shm_create("weights", room * sizeof(struct weight), false, &measure->shm);
	if (rc < 0) {
		return rc;
	}
	add(measure, getpid(), 0, ipc_peer_name(PEER_SUPERVISOR));
	for (const struct child *at = supervisor->nursery.first; at && measure->count < room;
			at = at->next) {
		add(measure, at->pid, at->session, ipc_peer_name(at->kind));
	}
	for (const struct desk *at = supervisor->desks; at && measure->count < room;
			at = at->next) {
		if (at->app_pid) {
			add(measure, (pid_t)at->app_pid, at->id, "app");
		}
	}
	return 0;
}

static int spawn(const struct supervisor *supervisor, int fd, pid_t *out_pid) {
	struct spawn_way program;
	const struct nursery *nursery = &supervisor->nursery;
	int rc = spawn_resolve(nursery, versions_for(nursery, 0), "perigee-autopsy", &program);
	OWN(fd_close) int other = rc < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, WEIGHT_FD + 1);
	if (other < 0) {
		return rc < 0 ? rc : -errno;
	}
	const char *argv[] = { program.name, "--weigh", NULL };
	const struct helper_fd given = { other, WEIGHT_FD };
	return helper_spawn(program.file, argv, &given, 1, out_pid);
}

static int begin(struct supervisor *supervisor) {
	struct measure *measure = &supervisor->measure;
	measure->shm = SHM_NONE;
	int rc = fill(supervisor);
	rc = rc < 0 ? rc : spawn(supervisor, measure->shm.fd, &measure->pid);
	if (rc < 0) {
		return rc;
	}
	rc = sd_event_add_child(supervisor->event, &measure->exit, measure->pid, WEXITED,
			handle_exit, supervisor);
	if (rc < 0) {
		kill(measure->pid, SIGKILL);
		waitpid(measure->pid, NULL, 0);
		return rc;
	}
	rc = sd_event_add_time_relative(supervisor->event, &measure->overdue, CLOCK_MONOTONIC,
			MEASURE_MS * US_PER_MS, 10 * US_PER_MS, handle_overdue, supervisor);
	return rc < 0 ? rc : 0;
}

void measure_ask(struct supervisor *supervisor, const struct ipc_message *message) {
	struct measure *measure = &supervisor->measure;
	uint32_t request = message->memory_ask.request;
	int rc = 0;
	if (measure->pid && (measure->requests_count == 0 ||
					    measure->requests_count == MEASURE_REQUESTS_MAX)) {
		rc = -EBUSY; /* it was overdue, and is not gone yet */
	}
	if (rc == 0) {
		measure->requests[measure->requests_count++] = request;
		rc = measure->pid ? 0 : begin(supervisor);
	}
	if (rc < 0) {
		log_warning("measure-failed", "error=%s", log_quote(strerror(-rc)).text);
	}
	if (rc == -EBUSY) {
		struct ipc_message end = { .kind = IPC_STATUS_END, .status_line.request = request };
		supervisor_post(supervisor, SERVICE_WEB, &end, NULL, 0);
	} else if (rc < 0) {
		answer_all(supervisor, false);
		measure_finish(measure);
	}
}
