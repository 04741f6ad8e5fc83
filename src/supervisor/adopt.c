/* SPDX-License-Identifier: MIT */
#include "supervisor/adopt.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/container.h"
#include "supervisor/desk_door.h"
#include "supervisor/doors.h"
#include "supervisor/evidence.h"
#include "supervisor/extra.h"
#include "supervisor/lobby_inside.h"
#include "supervisor/member.h"
#include "supervisor/pads.h"
#include "supervisor/record.h"
#include "supervisor/services.h"
#include "supervisor/session.h"
#include "supervisor/session_app.h"
#include "supervisor/session_inside.h"
#include "supervisor/session_parts.h"
#include "supervisor/succession.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

enum {
	SETTLE_MS = 1000, /* for the workers to say who they are */
	UNRECORDED = 100, /* numbers that one event may use up */
};

static void read_host(struct supervisor *supervisor) {
	struct ipc_message message;
	struct ledger *ledger = &supervisor->ledger;
	if (ledger_get(ledger, IPC_LEDGER_HOST, 0, &message) == 0) {
		supervisor->begun_ms = message.ledger_host.begun_ms;
		/* Some may have been given after the last record. */
		supervisor->nursery.last_id = message.ledger_host.last_worker + UNRECORDED;
		supervisor->last_view = message.ledger_host.last_view + UNRECORDED;
		supervisor->nursery.starts = message.ledger_host.starts;
		supervisor->nursery.lost = message.ledger_host.lost;
		supervisor->nursery.hung = message.ledger_host.hung;
		supervisor->probe_done = message.ledger_host.probe_done;
		supervisor->banner_shown = message.ledger_host.banner_shown;
		supervisor->codecs = message.ledger_host.codecs;
		supervisor->invalidation = message.ledger_host.invalidation;
		supervisor->successions = message.ledger_host.successions + 1;
		supervisor->ready.proven_ms = message.ledger_host.proven_ms;
		supervisor->nursery.fenced = message.ledger_host.fenced;
		supervisor->nursery.written_off = message.ledger_host.written_off;
		supervisor->nursery.starved = message.ledger_host.starved;
		supervisor->evidence.incidents.count = message.ledger_host.incidents;
		text_copy(supervisor->host_id, sizeof(supervisor->host_id),
				message.ledger_host.host_id);
		text_copy(supervisor->web_key, sizeof(supervisor->web_key),
				message.ledger_host.web_key);
	}
	explicit_bzero(&message, sizeof(message));
	if (ledger_get(ledger, IPC_FACTS, 0, &message) == 0) {
		supervisor->facts = message;
	}
	while (supervisor->probed_count < PROBED_MAX &&
			ledger_get(ledger, IPC_ENCODER_PROBED, supervisor->probed_count,
					&supervisor->probed[supervisor->probed_count]) == 0) {
		supervisor->probed_count++;
	}
	for (unsigned i = 0; ledger_get(ledger, IPC_ENCODER_COST, i, &message) == 0; i++) {
		weigh_probed(supervisor, &message);
	}
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		supervisor->art_app[i] = supervisor->apps.list[i].id;
		supervisor->art[i] = keep_take(
				&supervisor->keep, "art%d", (int)supervisor->apps.list[i].id);
	}
}

static void fill_session(struct session *session, const struct ipc_message *message) {
	const typeof(message->ledger_session) *from = &message->ledger_session;
	struct desk *desk = session->desk;
	session->id = from->session;
	session->life = (struct life){ .state = (enum life_state)from->state,
		.deadline_ms = from->deadline_ms };
	memcpy(session->client, from->client, sizeof(session->client));
	text_copy(session->client_name, sizeof(session->client_name), from->client_name);
	session->address = from->address;
	text_copy(session->trace, sizeof(session->trace), from->trace);
	session->launch_pending = from->launch_pending;
	session->plain_pending = from->plain_pending;
	session->announce_pending = from->announce_pending;
	session->announce_request = from->announce_request;
	session->announce_by_api = from->announce_by_api;
	desk->app_pid = from->app_pid;
	text_copy(desk->runtime, sizeof(desk->runtime), from->runtime);
	text_copy(desk->sound_server, sizeof(desk->sound_server), from->sound_server);
	text_copy(desk->x_display, sizeof(desk->x_display), from->x_display);
	desk->width = from->width;
	desk->height = from->height;
	desk->rate_mhz = from->rate_mhz;
	desk->desktop_ready = from->desktop_ready;
	session->launched_ms = from->launched_ms;
	session->reason = from->reason;
	session->internal = from->internal;
	memcpy(desk->client, from->client, sizeof(desk->client));
	desk->internal = from->internal;
	session->added = (enum session_added)from->added;
	session->added_told = true; /* or its asker's own deadline is */
	desk->guest = session->added == ADDED_NOBODY;
	desk->ending = session->life.state >= LIFE_ENDING;
	text_copy(session->detail, sizeof(session->detail), from->detail);
	text_copy(session->profile, sizeof(session->profile), from->profile);
}

/* A session that cannot be gone on with is dropped here, and its workers with it when
 * they find no session. */
static void adopt_session(struct supervisor *supervisor, const struct ipc_message *message) {
	const struct ledger *ledger = &supervisor->ledger;
	uint64_t id = message->ledger_session.session;
	const struct app *app = apps_find_or_hold(&supervisor->apps, message->ledger_session.app);
	struct desk *desk = app ? desk_make(supervisor, id, app, &session_desk_owner, NULL) : NULL;
	struct session *session = desk ? calloc(1, sizeof(*session)) : NULL;
	if (!session || message->ledger_session.state >= LIFE_ENDED ||
			ledger_get(ledger, IPC_LAUNCH, id, &session->launch) < 0 ||
			ledger_get(ledger, IPC_LAUNCHED, id, &session->answer) < 0) {
		log_error("session-lost", "session=%016llx", (unsigned long long)id);
		if (session) {
			explicit_bzero(session, sizeof(*session));
		}
		free(session);
		desk_destroy(desk);
		return;
	}
	session->supervisor = supervisor;
	session->app = app;
	session->desk = desk;
	desk->user = session;
	fill_session(session, message);
	session_app_restore(desk);
	notice_restore(desk);
	session_tell_audience(session);
	desk->sound_listen_fd =
			keep_take(&supervisor->keep, "s%016llx.sound", (unsigned long long)id);
	desk_door_restore(desk);
	session->next = supervisor->sessions;
	supervisor->sessions = session;
	supervisor->sessions_count += !session->internal;
}

/* On desks and encodings that are all known by now; it is mended later. */
static void adopt_view(struct session *session) {
	struct ipc_message view;
	if (ledger_get(&session->supervisor->ledger, IPC_LEDGER_VIEW, session->id, &view) == 0) {
		(void)!view_restore(session, &view, &session->view);
	}
	log_info("session-adopted", "session=%016llx state=%s app=%s client=%s view=%d",
			(unsigned long long)session->id, life_state_name(session->life.state),
			log_quote(session->app->title).text, log_quote(session->client_name).text,
			session->view != NULL);
}

static int adopt_stray(struct supervisor *supervisor, struct child_left *left) {
	static const struct child_owner nobody = { 0 };
	struct child *child = NULL;
	int rc = child_adopt(&supervisor->nursery, left, &nobody, NULL, &child);
	child_stop(child, REASON_ASKED, CHILD_STOP_MS);
	return rc;
}

static void adopt_worker(struct supervisor *supervisor, const struct ipc_message *message) {
	const typeof(message->ledger_worker) *from = &message->ledger_worker;
	struct keep *keep = &supervisor->keep;
	struct child_left left = {
		.kind = (enum ipc_peer)from->peer,
		.id = from->worker,
		.pid = (pid_t)from->pid,
		.session = from->session,
		.view = from->view,
		.version = from->version ? from->version : 1,
		.name = from->name,
		.begun_ns = from->begun_ns,
		.orders = from->orders,
		.hello = from->hello,
		.stopping = from->stopping,
		.killed = from->killed,
		.channel_fd = keep_take(keep, "c%u.channel", from->worker),
		.output_fd = keep_take(keep, "c%u.output", from->worker),
		.pulse_fd = keep_take(keep, "c%u.pulse", from->worker),
		.pidfd = keep_take(keep, "c%u.pid", from->worker),
	};
	struct session *session = session_find(supervisor, from->session);
	struct desk *desk = desk_find(supervisor, from->session);
	int rc = 0;
	if (supervisor->nursery.last_id < from->worker) {
		supervisor->nursery.last_id = from->worker;
	}
	if (from->session == 0 && !from->corpse) {
		services_adopt(supervisor, &left);
	} else if (from->corpse || (left.kind == PEER_STREAM ? !session : !desk)) {
		rc = adopt_stray(supervisor, &left);
	} else if (left.kind == PEER_STREAM) {
		rc = view_adopt(session, &left);
	} else if (left.kind == PEER_ENCODER) {
		rc = encoding_adopt(desk, &left);
	} else if (extra_is(&left)) {
		rc = extra_adopt(desk, &left);
	} else if (left.kind == PEER_RUNNER) {
		rc = session_app_adopt(desk, &left);
	} else if (left.kind == PEER_NOTICE) {
		rc = notice_adopt(desk, &left);
	} else {
		rc = session_parts_adopt(desk, &left);
	}
	if (rc < 0) {
		ledger_drop(&supervisor->ledger, IPC_LEDGER_WORKER, from->worker);
		keep_drop(keep, "c%u.", from->worker);
	}
}

/* What the predecessor died over: a session whose processes are not all there, or
 * have been told more than the client knows. */
static void mend(struct session *session) {
	enum life_state state = session->life.state;
	if (state >= LIFE_ENDING) {
		struct view *view = TAKE(session->view, NULL);
		view_close(view, session->reason, REASON_TERMINATE_ORDERLY);
		member_view_gone(session);
		session_parts_stop(session->desk, session->reason);
		if (session->children + session->desk->children == 0) {
			session_raise(session, LIFE_ALL_GONE, REASON_NONE, NULL);
		}
		return;
	}
	if (session->internal) {
		/* The trial that it was for ended with the predecessor. */
		session_raise(session, LIFE_QUIT, REASON_ASKED, NULL);
		return;
	}
	struct desk *desk = session->desk;
	session_parts_mend(desk);
	bool app_gone = desk->desktop_ready && !desk->runner && !desk->app_ending &&
			!notice_ends(desk);
	bool desktop_gone = !desk->desktop && !desk->desktop_retry;
	if (desktop_gone || app_gone) {
		session_raise(session, LIFE_BROKEN,
				desktop_gone ? REASON_DESKTOP_DIED : REASON_RUNNER_DIED,
				"it was gone when the supervisor was replaced");
		return;
	}
	notice_mend(desk);
	bool anew = !session->view || session->view_missed;
	session->view_missed = false;
	if (state == LIFE_PAUSED) {
		return;
	}
	if (!anew) {
		view_mend(session->view);
	} else if (state == LIFE_STARTING || state == LIFE_LAUNCHED) {
		session_reopen_view(session);
	} else {
		session_raise(session, LIFE_VIEWER_LOST, REASON_SUPERVISOR_DIED, NULL);
	}
}

static int handle_settle(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct supervisor *supervisor = (struct supervisor *)user;
	for (struct session *at = supervisor->sessions, *next; at; at = next) {
		next = at->next;
		mend(at);
		member_restore(at);
	}
	for (struct lobby *at = supervisor->lobbies, *next; at; at = next) {
		next = at->next;
		lobby_mend(at);
	}
	for (struct desk *at = supervisor->desks; at; at = at->next) {
		encodings_mend(at);
	}
	desk_door_give_all(supervisor);
	succession_settled(supervisor);
	upgrade_note_settled(supervisor);
	container_sweep(supervisor); /* one may have lost its runner with our predecessor */
	log_info("settled", "sessions=%u processes=%u", supervisor->sessions_count,
			supervisor->nursery.count);
	return 0;
}

void adopt_answered(struct child *child, const struct ipc_message *message, bool missed) {
	struct supervisor *supervisor = (struct supervisor *)child->nursery->user;
	struct session *session = session_find(supervisor, child->session);
	struct desk *desk = desk_find(supervisor, child->session);
	struct encoding *encoding = desk && child->kind == PEER_ENCODER
						    ? encoding_find(desk, child->view)
						    : NULL;
	bool in_view = session && session->view && child->view == session->view->id;
	bool in_parts = session &&
			(child == session->desk->desktop || child == session->desk->runner);
	if (message->i_am.ending && !child->stopping) {
		/* It was told so, before the ledger was. */
		child_stop(child, message->i_am.reason, CHILD_STOP_MS);
		if (in_parts) {
			session_raise(session, LIFE_QUIT, REASON_ASKED, NULL);
		} else if (in_view) {
			session_raise(session, LIFE_VIEWER_LOST, message->i_am.reason, NULL);
		} else if (desk && lobby_of_desk(desk) && !encoding) {
			lobby_raise(lobby_of_desk(desk), LOBBY_LIFE_STOP, REASON_ASKED, NULL);
		} else if (encoding) {
			encoding_trouble(encoding, message->i_am.reason, NULL);
		}
	} else if (encoding && missed && session && session->life.state < LIFE_CONNECTING) {
		session->view_missed = true;
	} else if (encoding) {
		encoding_answered(encoding, child, missed);
	} else if (in_view && missed && session->life.state < LIFE_CONNECTING) {
		session->view_missed = true;
	} else if (in_view) {
		view_answered(session->view, child, missed);
	}
}

/* Folders of sessions that nobody goes on with. */
static bool is_adopted(const char *name, void *user) {
	const struct supervisor *supervisor = (const struct supervisor *)user;
	for (const struct desk *at = supervisor->desks; at; at = at->next) {
		char folder[24];
		text_format(folder, sizeof(folder), "s-%016llx", (unsigned long long)at->id);
		if (strcmp(folder, name) == 0) {
			return true;
		}
	}
	return false;
}

int adopt_all(struct supervisor *supervisor) {
	struct ledger *ledger = &supervisor->ledger;
	struct ipc_message message;
	uint64_t id;
	read_host(supervisor);
	for (size_t at = 0; ledger_next(ledger, IPC_LEDGER_LOBBY, &at, &id, &message) == 0;) {
		lobby_restore(supervisor, &message);
	}
	for (size_t at = 0; ledger_next(ledger, IPC_LEDGER_SESSION, &at, &id, &message) == 0;) {
		adopt_session(supervisor, &message);
	}
	for (size_t at = 0; ledger_next(ledger, IPC_LEDGER_ENCODING, &at, &id, &message) == 0;) {
		struct desk *desk = desk_find(supervisor, message.ledger_encoding.desk);
		if (desk) {
			encoding_restore(desk, &message);
		}
	}
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		adopt_view(at);
		member_restore(at);
	}
	for (size_t at = 0; ledger_next(ledger, IPC_LEDGER_WORKER, &at, &id, &message) == 0;) {
		adopt_worker(supervisor, &message);
	}
	paths_remove_matching(supervisor->paths.runtime, "s-", is_adopted, supervisor);
	pads_sweep(&supervisor->paths, is_adopted, supervisor);
	keep_settle(&supervisor->keep);
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		session_arm(at);
	}
	for (struct lobby *at = supervisor->lobbies; at; at = at->next) {
		lobby_arm(at);
	}
	if (supervisor->services[SERVICE_WEB].child) {
		health_introduce(supervisor, supervisor->services[SERVICE_WEB].child);
	}
	doors_tell_options(supervisor);
	doors_tell_codecs(supervisor);
	session_tell_states(supervisor);
	upgrade_adopt(supervisor);
	if (supervisor->banner_shown && !upgrade_is_under_way(supervisor)) {
		struct ipc_message ready = { .kind = IPC_HOLD_READY };
		channel_post(&supervisor->keep.holder, &ready, NULL, 0);
	}
	log_warning("took-over", "sessions=%u processes=%u successions=%u",
			supervisor->sessions_count, supervisor->nursery.count,
			supervisor->successions);
	return sd_event_add_time_relative(supervisor->event, NULL, CLOCK_MONOTONIC,
			SETTLE_MS * US_PER_MS, 10 * US_PER_MS, handle_settle, supervisor);
}
