/* SPDX-License-Identifier: MIT */
#include "supervisor/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/child_inside.h"
#include "supervisor/evidence.h"
#include "supervisor/obey_pass.h"
#include "supervisor/process.h"
#include "supervisor/totals.h"
#include "supervisor/versions.h"

enum {
	WEB_QUEUE_MAX = 8192, /* messages: what memory takes, process by process, a few times */
};

void child_free(struct child *child) {
	channel_close(&child->channel);
	sd_event_source_disable_unref(child->exit);
	sd_event_source_disable_unref(child->output);
	watch_term_over(&child->ending);
	watch_term_over(&child->greeting);
	sd_event_source_disable_unref(child->fence_timer);
	shm_finish(&child->pulse);
	journal_reader_finish(&child->reader);
	fd_release(&child->output_fd);
	fd_release(&child->pidfd);
	free(child);
}

/* What is said of a hundred sessions may be a thousand messages in one go, of which it can take
 * none meanwhile. Who never takes them is still found out by the oldest one's deadline. */
void child_set_room(struct child *child) {
	if (child->kind == PEER_WEB) {
		child->channel.queue_max = WEB_QUEUE_MAX;
	}
}

void child_note_change(struct child *child) {
	child->recorded = false;
	if (child->nursery->events) {
		child->nursery->events->changed(child);
	}
}

int child_signal(const struct child *child, int number) {
	return child->pidfd >= 0
			       ? (int)syscall(SYS_pidfd_send_signal, child->pidfd, number, NULL, 0)
			       : kill(child->pid, number);
}

static void read_output(struct child *child) {
	char bytes[4096];
	struct journal_source source = { child->kind, child->pid, child->session };
	for (int i = 0; i < 16; i++) {
		ssize_t len = read(child->output_fd, bytes, sizeof(bytes));
		if (len <= 0) {
			break;
		}
		journal_feed(child->nursery->journal, &child->reader, &source, bytes, (size_t)len,
				clock_now_ms());
	}
}

int child_handle_output(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)fd;
	struct child *child = (struct child *)user;
	read_output(child);
	watch_crash(child);
	if (revents & (EPOLLHUP | EPOLLERR) && !(revents & EPOLLIN)) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	}
	return 0;
}

static void describe_status(int status, struct child_end *end) {
	end->status = status;
	if (status < 0) {
		end->status = 0;
		text_copy(end->detail, sizeof(end->detail), "ended, nobody saw how");
	} else if (WIFEXITED(status)) {
		text_format(end->detail, sizeof(end->detail), "exited with status %d",
				WEXITSTATUS(status));
	} else {
		text_format(end->detail, sizeof(end->detail), "killed by signal %d (%s)",
				WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
}

uint32_t child_death_reason(enum ipc_peer kind) {
	static const uint32_t reasons[PEER_KINDS] = {
		[PEER_DESKTOP] = REASON_DESKTOP_DIED,
		[PEER_ENCODER] = REASON_ENCODER_DIED,
		[PEER_STREAM] = REASON_STREAM_DIED,
		[PEER_RUNNER] = REASON_RUNNER_DIED,
		[PEER_SOUND] = REASON_SOUND_DIED,
		[PEER_STORE] = REASON_STORE_SILENT,
	};
	return reasons[kind] ? reasons[kind] : REASON_RESOURCES;
}

/* Its last words are still in the channel and the pipe: they come first. */
void child_drain(struct child *child) {
	if (channel_is_open(&child->channel)) {
		sd_event_source *io = child->channel.io;
		struct ipc_message message;
		struct ipc_fds fds;
		while (channel_is_open(&child->channel) && io == child->channel.io &&
				channel_receive_fd(child->channel.fd, PEER_SUPERVISOR, child->kind,
						0, &message, &fds) == 0) {
			child->channel.events->message(&child->channel, &message, &fds);
			for (size_t i = 0; i < fds.count; i++) {
				fd_close(fds.fd[i]);
			}
		}
	}
	read_output(child);
}

static void log_reaped(const struct child *child) {
	const struct child_end *end = &child->end;
	uint64_t ran_ms = (clock_now_ns() - child->begun_ns) / NS_PER_MS;
	log_line(end->expected ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "worker-reaped",
			"worker=%u kind=%s pid=%d session=%016llx status=%d reason=%s detail=%s "
			"ran_ms=%llu corpse=%d",
			child->id, ipc_peer_name(child->kind), child->pid,
			(unsigned long long)child->session, end->status,
			reason_row(end->reason)->name, log_quote(end->detail).text,
			(unsigned long long)ran_ms, child->phase == CHILD_CORPSE);
}

uint32_t child_settle_end(struct child *child) {
	struct child_end *end = &child->end;
	end->expected = child->stopping ||
			(!end->fenced && end->status == 0 && end->reason != REASON_NONE);
	if (end->reason == REASON_NONE) {
		end->reason = child->stopping ? REASON_ASKED : child_death_reason(child->kind);
	}
	return end->reason;
}

/* Its record and what lies with the holder go with it. */
static void forget(struct child *child) {
	if (child->nursery->events) {
		child->nursery->events->gone(child);
	}
	child->nursery->thinned = true;
	child_free(child);
}

/* Its owner has heard of the end already, when it was fenced or written off. */
static void bury(struct child *child, int status) {
	struct nursery *nursery = child->nursery;
	read_output(child);
	struct child_end how;
	describe_status(status, &how);
	child->end.status = how.status;
	log_reaped(child);
	nursery_unlink(nursery, child);
	if (nursery->evidence) {
		evidence_forget(nursery->evidence, child);
		nursery->evidence->kept_corpses -= child->kept;
	}
	forget(child);
	if (nursery->corpse_gone) {
		nursery->corpse_gone(nursery->user);
	}
}

void child_reaped(struct child *child, int status) {
	if (child->phase == CHILD_CORPSE) {
		bury(child, status);
		return;
	}
	child_drain(child);
	child->reaped = true;
	struct child_end *end = &child->end;
	char said[sizeof(end->detail)];
	text_copy(said, sizeof(said), end->detail);
	describe_status(status, end);
	if (!child->hello && end->status == EXEC_CANNOT << 8 && end->reason == REASON_NONE) {
		end->reason = REASON_NOT_CONFINED;
	}
	if (said[0]) {
		text_copy(end->detail, sizeof(end->detail), said);
	}
	child_settle_end(child);
	log_reaped(child);
	if (!end->expected) {
		child->nursery->lost++;
	}
	totals_note_end(child->nursery->totals, child, end);
	nursery_unlink(child->nursery, child);
	if (child->nursery->evidence && !end->expected && !child->killed) {
		(void)evidence_incident(child->nursery->evidence, child);
	}
	if (child->owner->ended) {
		child->owner->ended(child, end);
	}
	forget(child);
}

static int handle_exit(sd_event_source *source, const siginfo_t *info, void *user) {
	(void)source;
	bool exited = info->si_code == CLD_EXITED;
	child_reaped((struct child *)user,
			exited ? W_EXITCODE(info->si_status & 0xff, 0) : info->si_status & 0x7f);
	return 0;
}

void child_stop(struct child *child, uint32_t reason, uint32_t grace_ms) {
	if (!child || child->stopping || child->phase != CHILD_LIVING || child->reaped) {
		return;
	}
	child->stopping = true;
	child_note_change(child);
	if (channel_is_open(&child->channel)) {
		struct ipc_message stop = { .kind = IPC_STOP, .stop = { reason, grace_ms } };
		channel_post(&child->channel, &stop, NULL, 0);
	} else {
		child_signal(child, SIGTERM);
	}
	(void)watch_end(child, grace_ms + 500);
}

static void handle_hello(struct child *child, const struct ipc_message *message) {
	if (message->hello.version != IPC_VERSION || message->hello.peer != child->kind) {
		child_fence(child, REASON_WORKER_LIED, "speaks another version or is another kind");
		return;
	}
	child->hello = true;
	child_note_change(child);
	watch_term_over(&child->greeting);
}

static void handle_i_am(struct child *child, const struct ipc_message *message) {
	if (message->i_am.worker != child->id || message->i_am.session != child->session) {
		child_fence(child, REASON_WORKER_LIED, "is not who it was");
		return;
	}
	watch_term_over(&child->greeting);
	uint32_t more = message->i_am.heard - child->orders_asked;
	bool missed = more != 0;
	child->orders += more;
	log_info("worker-known", "worker=%u kind=%s session=%016llx missed=%d ending=%u", child->id,
			ipc_peer_name(child->kind), (unsigned long long)child->session, missed,
			message->i_am.ending);
	if (child->nursery->events) {
		child->nursery->events->answered(child, message, missed);
	}
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	struct child *child = (struct child *)channel->user;
	child_note_change(child);
	if (message->kind == IPC_HELLO) {
		handle_hello(child, message);
	} else if (!child->hello) {
		child_fence(child, REASON_WORKER_LIED, "spoke before its hello");
	} else if (obey_pass(child->nursery, message)) {
		return;
	} else if (message->kind == IPC_STOPPED) {
		child->end.reason = message->stopped.reason;
		text_copy(child->end.detail, sizeof(child->end.detail), message->stopped.detail);
	} else if (message->kind == IPC_FAILURE) {
		log_warning("worker-failure",
				"worker=%u kind=%s session=%016llx reason=%s detail=%s", child->id,
				ipc_peer_name(child->kind), (unsigned long long)child->session,
				reason_row(message->failure.reason)->name,
				log_quote(message->failure.detail).text);
		if (child->owner->failure) {
			child->owner->failure(
					child, message->failure.reason, message->failure.detail);
		}
	} else if (message->kind == IPC_I_AM) {
		handle_i_am(child, message);
	} else if (child->owner->message) {
		child->owner->message(child, message, fds);
	}
}

/* The exit is reported by its own event; a channel that only closed is not the
 * end of life, one that broke the rules or hangs is made to be. */
static void handle_closed(struct channel *channel, int error) {
	struct child *child = (struct child *)channel->user;
	if (child->reaped) {
		return;
	}
	if (error == -ETIMEDOUT) {
		child_fence(child, REASON_CHANNEL_STUCK, "does not take its messages");
	} else if (error != 0) {
		child_fence(child, REASON_WORKER_LIED, "sent what it may not send");
	} else if (!child->ending.timer) {
		(void)watch_end(child, 500);
	}
}

/* Who gets no processor cannot take messages either; whether it hangs besides, watching
 * it tells. */
static bool is_excused(struct channel *channel) {
	const struct child *child = (const struct child *)channel->user;
	return child->phase == CHILD_LIVING && child->starved;
}

const struct channel_events child_channel_events = {
	.message = handle_message,
	.closed = handle_closed,
	.excused = is_excused,
};

static int open_pulse(struct child *child) {
	int rc = shm_create("pulse", PULSE_SIZE, false, &child->pulse);
	if (rc < 0) {
		return rc;
	}
	struct ipc_message start = {
		.kind = IPC_START,
		.start = { .worker = child->id,
				.session = child->session,
				.log_level = child->nursery->log_level },
	};
	text_copy(start.start.name, sizeof(start.start.name), child->name);
	return channel_send(&child->channel, &start, &child->pulse.fd, 1);
}

static int attach(struct child *child, struct spawned *spawned) {
	sd_event *event = child->nursery->event;
	child->pid = spawned->pid;
	child->output_fd = TAKE(spawned->output_fd, -1);
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	int rc = sd_event_add_child(event, &child->exit, child->pid, WEXITED, handle_exit, child);
	if (rc >= 0) {
		rc = sd_event_add_io(event, &child->output, child->output_fd, EPOLLIN,
				child_handle_output, child);
	}
	if (rc >= 0 && spawned->channel_fd >= 0) {
		rc = channel_open(&child->channel, event, TAKE(spawned->channel_fd, -1),
				PEER_SUPERVISOR, child->kind, &child_channel_events, child);
		child_set_room(child);
		if (rc >= 0) {
			rc = open_pulse(child);
		}
		if (rc >= 0) {
			rc = watch_greeting(child);
		}
	}
	return rc;
}

int child_spawn(struct nursery *nursery, const struct child_spec *spec,
		const struct child_owner *owner, void *user, struct child **out) {
	struct child *child = calloc(1, sizeof(*child));
	if (!child) {
		return -ENOMEM;
	}
	child->nursery = nursery;
	child->kind = spec->kind;
	child->id = ++nursery->last_id;
	child->session = spec->session;
	child->view = spec->view;
	child->channel.fd = -1;
	child->pulse = SHM_NONE;
	child->output_fd = child->pidfd = -1;
	child->begun_ns = clock_now_ns();
	child->owner = owner;
	child->user = user;
	text_copy(child->name, sizeof(child->name), spec->name ? spec->name : "");
	const struct programs *programs = versions_for(nursery, spec->session);
	child->version = programs ? programs->number : 0;
	struct spawned spawned;
	int rc = spawn_worker(nursery, programs, spec, &spawned);
	if (rc == 0) {
		nursery->starts++;
		rc = attach(child, &spawned);
		if (rc < 0) {
			kill(spawned.pid, SIGKILL);
			waitpid(spawned.pid, NULL, 0);
		}
	}
	if (rc < 0) {
		log_error("spawn-failed", "kind=%s program=%s error=%s", ipc_peer_name(spec->kind),
				spec->program, log_quote(strerror(-rc)).text);
		child_free(child);
		return rc;
	}
	nursery_link(nursery, child);
	totals_note_start(nursery->totals, child);
	log_info("worker-spawned", "worker=%u kind=%s pid=%d session=%016llx name=%s", child->id,
			ipc_peer_name(child->kind), child->pid, (unsigned long long)child->session,
			log_quote(child->name).text);
	*out = child;
	if (nursery->events) {
		nursery->events->begun(child);
	}
	return 0;
}

void child_post(struct child *child, const struct ipc_message *message, const int *fds,
		size_t n_fds) {
	if (child) {
		child->orders++;
		child_note_change(child);
		channel_post(&child->channel, message, fds, n_fds);
	}
}

const struct pulse *child_pulse(const struct child *child) {
	return (const struct pulse *)(const void *)child->pulse.map;
}

uint64_t child_counter(const struct child *child, unsigned counter) {
	return child && child->pulse.map ? child_pulse(child)->counters[counter] : 0;
}
