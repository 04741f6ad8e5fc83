/* SPDX-License-Identifier: MIT */
#include "supervisor/record.h"

#include <string.h>

#include <systemd/sd-event.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/adopt.h"
#include "supervisor/lobby.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

static void put(struct supervisor *supervisor, uint64_t id, const struct ipc_message *message) {
	int rc = ledger_put(&supervisor->ledger, id, message);
	if (rc < 0) {
		log_error("not-recorded", "record=%s error=%s", ipc_kind_name(message->kind),
				log_quote(strerror(-rc)).text);
	}
}

static void put_host(struct supervisor *supervisor) {
	struct ipc_message message = {
		.kind = IPC_LEDGER_HOST,
		.ledger_host = { .begun_ms = supervisor->begun_ms,
				.last_worker = supervisor->nursery.last_id,
				.last_view = supervisor->last_view,
				.starts = supervisor->nursery.starts,
				.lost = supervisor->nursery.lost,
				.hung = supervisor->nursery.hung,
				.probe_done = supervisor->probe_done,
				.banner_shown = supervisor->banner_shown,
				.codecs = supervisor->codecs,
				.invalidation = supervisor->invalidation,
				.successions = supervisor->successions,
				.proven_ms = supervisor->ready.proven_ms,
				.fenced = supervisor->nursery.fenced,
				.written_off = supervisor->nursery.written_off,
				.starved = supervisor->nursery.starved,
				.incidents = supervisor->evidence.incidents.count },
	};
	text_copy(message.ledger_host.host_id, sizeof(message.ledger_host.host_id),
			supervisor->host_id);
	text_copy(message.ledger_host.web_key, sizeof(message.ledger_host.web_key),
			supervisor->web_key);
	put(supervisor, 0, &message);
	explicit_bzero(&message, sizeof(message));
	if (supervisor->facts.kind == IPC_FACTS) {
		put(supervisor, 0, &supervisor->facts);
	}
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		put(supervisor, i, &supervisor->probed[i]);
	}
}

static void put_child(struct supervisor *supervisor, struct child *child) {
	struct ipc_message message = {
		.kind = IPC_LEDGER_WORKER,
		.ledger_worker = { .worker = child->id,
				.peer = (uint8_t)child->kind,
				.pid = (uint32_t)child->pid,
				.session = child->session,
				.view = child->view,
				.begun_ns = child->begun_ns,
				.orders = child->orders,
				.hello = child->hello,
				.stopping = child->stopping,
				.killed = child->killed || child->phase != CHILD_LIVING,
				.corpse = child->phase == CHILD_CORPSE,
				.has_channel = channel_is_open(&child->channel),
				.version = child->version },
	};
	text_copy(message.ledger_worker.name, sizeof(message.ledger_worker.name), child->name);
	put(supervisor, child->id, &message);
	child->recorded = true;
}

static void put_children(struct supervisor *supervisor, struct child *list) {
	for (struct child *child = list; child; child = child->next) {
		if (!child->recorded) {
			put_child(supervisor, child);
		}
	}
}

static void put_session(struct supervisor *supervisor, struct session *session) {
	struct ipc_message message = {
		.kind = IPC_LEDGER_SESSION,
		.ledger_session = { .session = session->id,
				.address = session->address,
				.app = session->app->id,
				.state = (uint8_t)session->life.state,
				.deadline_ms = session->life.deadline_ms,
				.launch_pending = session->launch_pending,
				.plain_pending = session->plain_pending,
				.announce_pending = session->announce_pending,
				.announce_request = session->announce_request,
				.announce_by_api = session->announce_by_api,
				.app_pid = session->desk->app_pid,
				.width = session->desk->width,
				.height = session->desk->height,
				.rate_mhz = session->desk->rate_mhz,
				.desktop_ready = session->desk->desktop_ready,
				.launched_ms = session->launched_ms,
				.reason = session->reason,
				.internal = session->internal,
				.added = (uint8_t)session->added },
	};
	typeof(message.ledger_session) *out = &message.ledger_session;
	memcpy(out->client, session->client, sizeof(out->client));
	text_copy(out->client_name, sizeof(out->client_name), session->client_name);
	text_copy(out->trace, sizeof(out->trace), session->trace);
	text_copy(out->runtime, sizeof(out->runtime), session->desk->runtime);
	text_copy(out->sound_server, sizeof(out->sound_server), session->desk->sound_server);
	text_copy(out->x_display, sizeof(out->x_display), session->desk->x_display);
	text_copy(out->detail, sizeof(out->detail), session->detail);
	text_copy(out->profile, sizeof(out->profile), session->profile);
	if (session->view) {
		view_write(session->view);
	} else {
		record_drop(supervisor, IPC_LEDGER_VIEW, session->id);
	}
	put(supervisor, session->id, &session->launch);
	put(supervisor, session->id, &session->answer);
	put(supervisor, session->id, &message);
	session->recorded = true;
}

void record_flush(struct supervisor *supervisor) {
	if (!supervisor->recording || !supervisor->record_stale) {
		return;
	}
	supervisor->record_stale = false;
	put_host(supervisor);
	put_children(supervisor, supervisor->nursery.first);
	put_children(supervisor, supervisor->nursery.corpses);
	for (struct session *session = supervisor->sessions; session; session = session->next) {
		if (!session->recorded) {
			put_session(supervisor, session);
		}
	}
	for (struct desk *desk = supervisor->desks; desk; desk = desk->next) {
		if (!desk->recorded) {
			struct lobby *lobby = lobby_of_desk(desk);
			encodings_write(desk);
			if (lobby) {
				lobby_write(lobby);
			}
			notice_write(desk);
			desk->recorded = true;
		}
	}
}

void record_note(struct supervisor *supervisor, uint64_t id, const struct ipc_message *message) {
	if (supervisor->recording) {
		put(supervisor, id, message);
	}
}

void record_drop(struct supervisor *supervisor, enum ipc_kind kind, uint64_t id) {
	if (supervisor->recording) {
		ledger_drop(&supervisor->ledger, kind, id);
	}
}

void record_touch(struct session *session) {
	session->recorded = false;
	session->supervisor->record_stale = true;
}

void record_touch_desk(struct desk *desk) {
	desk->recorded = false;
	desk->supervisor->record_stale = true;
}

void record_forget_session(struct session *session) {
	struct supervisor *supervisor = session->supervisor;
	static const enum ipc_kind kinds[] = { IPC_LEDGER_SESSION, IPC_LEDGER_VIEW, IPC_LAUNCH,
		IPC_LAUNCHED };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		record_drop(supervisor, kinds[i], session->id);
	}
	keep_drop(&supervisor->keep, "s%016llx.", (unsigned long long)session->id);
}

static void touch_session(struct supervisor *supervisor, uint64_t id) {
	supervisor->record_stale = true;
	struct session *session = id ? session_find(supervisor, id) : NULL;
	struct desk *desk = id ? desk_find(supervisor, id) : NULL;
	if (session) {
		session->recorded = false;
	}
	if (desk) {
		desk->recorded = false;
	}
}

/* At once: of a process that nobody knows nothing could be asked. The descriptors go
 * first; a process without a record is let go by dropping them. */
static void handle_begun(struct child *child) {
	struct supervisor *supervisor = (struct supervisor *)child->nursery->user;
	keep_put(&supervisor->keep, child->channel.fd, "c%u.channel", child->id);
	keep_put(&supervisor->keep, child->output_fd, "c%u.output", child->id);
	keep_put(&supervisor->keep, child->pulse.fd, "c%u.pulse", child->id);
	keep_put(&supervisor->keep, child->pidfd, "c%u.pid", child->id);
	put_child(supervisor, child);
	touch_session(supervisor, child->session);
}

static void handle_changed(struct child *child) {
	touch_session((struct supervisor *)child->nursery->user, child->session);
}

static void handle_gone(struct child *child) {
	struct supervisor *supervisor = (struct supervisor *)child->nursery->user;
	ledger_drop(&supervisor->ledger, IPC_LEDGER_WORKER, child->id);
	keep_drop(&supervisor->keep, "c%u.", child->id);
	touch_session(supervisor, child->session);
	if (!supervisor->upgrade.step) {
		versions_sweep(supervisor);
	}
}

static const struct nursery_events nursery_events = {
	.begun = handle_begun,
	.changed = handle_changed,
	.gone = handle_gone,
	.answered = adopt_answered,
};

static int handle_post(sd_event_source *source, void *user) {
	(void)source;
	record_flush((struct supervisor *)user);
	return 0;
}

int record_resume(struct supervisor *supervisor) {
	supervisor->nursery.events = &nursery_events;
	supervisor->recording = supervisor->record_stale = true;
	int rc = sd_event_add_post(
			supervisor->event, &supervisor->record_post, handle_post, supervisor);
	/* Right after each event, before another one is handled. */
	return rc < 0 ? rc
		      : sd_event_source_set_priority(
					supervisor->record_post, SD_EVENT_PRIORITY_IMPORTANT);
}

/* The ledger last: who finds one finds the rest. */
int record_begin(struct supervisor *supervisor) {
	int rc = ledger_create(&supervisor->ledger);
	if (rc < 0) {
		return rc;
	}
	for (int door = 0; door < DOORS; door++) {
		keep_put(&supervisor->keep, supervisor->sockets.fd[door], "door%d", door);
	}
	keep_put(&supervisor->keep, supervisor->keys.shm.fd, "used-keys");
	keep_put(&supervisor->keep, supervisor->journal.fd, "log");
	/* Who edits it wants that read at the next start, not at our death. */
	OWN(fd_close) int config = config_copy(&supervisor->config);
	keep_put(&supervisor->keep, config, "config");
	supervisor->recording = true;
	versions_record(supervisor);
	keep_put(&supervisor->keep, supervisor->ledger.shm.fd, "ledger");
	return record_resume(supervisor);
}

void record_end(struct supervisor *supervisor) {
	supervisor->recording = false;
	supervisor->record_post = sd_event_source_disable_unref(supervisor->record_post);
	ledger_finish(&supervisor->ledger);
}
