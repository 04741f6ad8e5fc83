/* SPDX-License-Identifier: MIT */
#include "supervisor/session.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "supervisor/record.h"
#include "supervisor/session_added.h"
#include "supervisor/session_inside.h"
#include "supervisor/session_parts.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"
#include "supervisor/view.h"

/* What the doors ask of sessions: launch, cancel, announce, play, flows. */

enum {
	RATE_X100_MAX = 24000,
};

/* What it launched itself: there is one at most. */
static struct session *find_by_client(struct supervisor *supervisor, const uint8_t client[32]) {
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->life.state < LIFE_ENDING && !at->added &&
				memcmp(at->client, client, 32) == 0) {
			return at;
		}
	}
	return NULL;
}

struct session *session_find(struct supervisor *supervisor, uint64_t id) {
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->id == id) {
			return at;
		}
	}
	return NULL;
}

/* A client resends a launch whose answer it never got (Qt up to four times): it
 * is the same launch, with the same key, and gets the same answer. */
static bool is_resend(const struct session *session, const struct ipc_message *message) {
	return session->life.state <= LIFE_LAUNCHED &&
	       memcmp(session->launch.launch.key_hash, message->launch.key_hash, 32) == 0;
}

static bool is_plain(const struct supervisor *supervisor, const struct ipc_message *message) {
	return !(message->launch.flags & LAUNCH_NO_KEY) &&
	       (supervisor->config.encryption == ENCRYPTION_OFF ||
			       !(message->launch.flags & LAUNCH_SEALED_RTSP));
}

static void remember_launch(struct session *session, const struct ipc_message *message) {
	record_touch(session);
	session->launch = *message;
	session->launch_pending = true;
	session->added_told = session->coming = false;
	session->launched_ms = clock_now_ms();
	session->address = message->launch.address;
	text_copy(session->trace, sizeof(session->trace), message->launch.trace);
	session->plain_pending = is_plain(session->supervisor, message);
	if (!(message->launch.flags & LAUNCH_NO_KEY)) {
		keys_add(&session->supervisor->keys, message->launch.key_hash);
	}
}

static void relaunch(struct session *session, const struct ipc_message *message) {
	if (is_resend(session, message)) {
		record_touch(session);
		bool answered = !session->launch_pending;
		session->launch.launch.request = message->launch.request;
		session->launch_pending = true;
		session->added_told = false;
		if (answered) {
			session_answer_launch(session);
		}
		return;
	}
	remember_launch(session, message);
	session_raise(session, LIFE_RELAUNCH, REASON_NONE, NULL);
}

/* Another plain launch of this address, not this client's own, is on its way. */
static bool must_wait(struct supervisor *supervisor, const struct ipc_message *message) {
	if (!is_plain(supervisor, message)) {
		return false;
	}
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->plain_pending && address_same_ip(&at->address, &message->launch.address) &&
				memcmp(at->client, message->launch.client, 32) != 0) {
			return true;
		}
	}
	return false;
}

/* In the supervisor's list, without processes. NULL without memory. */
static struct session *make(struct supervisor *supervisor, const struct app *app,
		const struct ipc_message *message) {
	uint64_t id;
	random_fill(&id, sizeof(id));
	id &= INT64_MAX; /* many a program's JSON has no larger numbers */
	struct desk *desk = desk_make(supervisor, id, app, &session_desk_owner, NULL);
	struct session *session = desk ? calloc(1, sizeof(*session)) : NULL;
	if (!session) {
		desk_destroy(desk);
		return NULL;
	}
	session->supervisor = supervisor;
	session->app = app;
	session->id = id;
	session->desk = desk;
	desk->user = session;
	memcpy(session->client, message->launch.client, sizeof(session->client));
	text_copy(session->client_name, sizeof(session->client_name), message->launch.client_name);
	memcpy(desk->client, message->launch.client, sizeof(desk->client));
	desk->channels = message->launch.surround & 0xff;
	desk->width = message->launch.width;
	desk->height = message->launch.height;
	desk->rate_mhz = message->launch.rate_x100 * 10;
	session->internal = app->hidden;
	session_added_fill(session, message);
	session->next = supervisor->sessions;
	supervisor->sessions = session;
	supervisor->sessions_count += !session->internal;
	return session;
}

static void start(struct supervisor *supervisor, const struct app *app,
		const struct ipc_message *message) {
	struct session *session = make(supervisor, app, message);
	if (!session) {
		session_refuse_launch(supervisor, message, REASON_RESOURCES, NULL);
		return;
	}
	struct desk *desk = session->desk;
	remember_launch(session, message);
	session_draw_secrets(session);
	session->life = life_begin(clock_now_ms());
	session_arm(session);
	log_info("session-start",
			"session=%016llx trace=%s app=%s client=%s size=%ux%u rate_mhz=%u",
			(unsigned long long)session->id, session->trace, log_quote(app->title).text,
			log_quote(session->client_name).text, desk->width, desk->height,
			desk->rate_mhz);
	supervisor->metrics.launches += !session->internal;
	int rc = session_parts_start(desk);
	if (rc < 0) {
		session_raise(session, LIFE_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
		if (session->children + desk->children == 0) {
			session_raise(session, LIFE_ALL_GONE, REASON_NONE, NULL);
		}
		return;
	}
	if (!(message->launch.flags & LAUNCH_NO_KEY)) {
		session_open_view(session);
	}
	session_added_begun(session);
}

static uint32_t admit(struct supervisor *supervisor, const struct session *self,
		const uint8_t client[32], const struct app *app, const struct admission_form *form,
		char *detail, size_t size) {
	struct admission_answer answer;
	weigh_admit(supervisor, self, client, (unsigned)(app - supervisor->apps.list), form,
			&answer);
	admission_words(&answer, form, detail, size);
	if (answer.what == ADMISSION_FITS) {
		return REASON_NONE;
	}
	supervisor->weigh.refused++;
	log_warning("host-full",
			"short=%s used=%u width=%u height=%u rate_mhz=%u processor_milli=%u+%u/%u "
			"memory_mb=%llu/%llu",
			admission_short_name(answer.what), answer.used, form->width, form->height,
			form->rate_mhz, answer.processor_used_milli, answer.processor_needs_milli,
			answer.processor_milli, (unsigned long long)(answer.memory_needs >> 20),
			(unsigned long long)(answer.memory_free >> 20));
	return REASON_HOST_FULL;
}

/* Whether the app can be started for the client, as the host is now. */
static uint32_t judge_start(struct supervisor *supervisor, const struct ipc_message *message,
		const struct app *app, char *detail, size_t size) {
	if (!app) {
		return REASON_APP_UNKNOWN;
	}
	if (app->hidden) {
		return REASON_NONE; /* the trial has a slot of its own */
	}
	uint32_t sick = ready_refuses(supervisor, detail, size);
	if (sick != REASON_NONE) {
		return sick;
	}
	if (!app->installed) {
		text_copy(detail, size, app->why_not);
		return REASON_APP_MISSING;
	}
	const struct admission_form form = { message->launch.width, message->launch.height,
		message->launch.rate_x100 * 10 };
	return admit(supervisor, NULL, message->launch.client, app, &form, detail, size);
}

/* What can be said at once; REASON_NONE to go on. */
static uint32_t judge(struct supervisor *supervisor, const struct ipc_message *message,
		const struct session *running, const struct app *app, char *detail, size_t size) {
	bool resume = message->launch.flags & LAUNCH_RESUME;
	bool again = running && is_resend(running, message);
	if (supervisor->stopping) {
		return REASON_SHUTDOWN;
	}
	if (!supervisor->probe_done) {
		return REASON_NOT_READY;
	}
	if (!supervisor->codecs) {
		return REASON_NO_ENCODER;
	}
	bool has_key = !(message->launch.flags & LAUNCH_NO_KEY);
	if (has_key && !again && keys_contain(&supervisor->keys, message->launch.key_hash)) {
		return REASON_KEY_REUSED;
	}
	const struct app *wanted = running ? running->app : app;
	uint32_t permitted =
			wanted && wanted->origin != APP_TRIAL
					? permits_judge(supervisor, message->launch.client,
							  wanted->id, wanted->title, detail, size)
					: REASON_NONE;
	if (permitted != REASON_NONE) {
		return permitted;
	}
	if (running) {
		if (!resume && app != running->app) {
			text_format(detail, size,
					"%s of yours is running. Resume or quit it first.",
					running->app->title);
			return app ? REASON_OTHER_APP_RUNS : REASON_APP_UNKNOWN;
		}
		return REASON_NONE;
	}
	if (resume) {
		return message->launch.flags & LAUNCH_BY_API ? REASON_SESSION_UNKNOWN
							     : REASON_NOTHING_RUNS;
	}
	return judge_start(supervisor, message, app, detail, size);
}

static bool form_is_possible(const struct ipc_message *message) {
	uint16_t width = message->launch.width, height = message->launch.height;
	return width >= 64 && height >= 64 && width <= 3840 && height <= 2160 && width % 2 == 0 &&
	       height % 2 == 0 && message->launch.rate_x100 >= 100 &&
	       message->launch.rate_x100 <= RATE_X100_MAX;
}

void session_handle_launch(struct supervisor *supervisor, const struct ipc_message *message) {
	bool by_api = message->launch.flags & LAUNCH_BY_API;
	struct session *running = by_api ? session_added_named(supervisor, message)
					 : find_by_client(supervisor, message->launch.client);
	if (running && notice_ends(running->desk) && !is_resend(running, message)) {
		notice_end_now(running->desk); /* who launches again has read enough */
		running = NULL;
	}
	const struct app *app = apps_find(&supervisor->apps, message->launch.app);
	bool is_trial = trial_is(supervisor, message->launch.client);
	if (app && (app->hidden != is_trial || app->profile[0])) {
		app = NULL;
	}
	char detail[160] = "";
	uint32_t reason = judge(supervisor, message, running, app, detail, sizeof(detail));
	if (reason == REASON_NONE && !form_is_possible(message)) {
		reason = REASON_UNSUPPORTED;
	}
	if (reason != REASON_NONE) {
		session_refuse_launch(supervisor, message, reason, detail);
	} else if (must_wait(supervisor, message)) {
		if (by_api || !deferred_add(&supervisor->deferred, message)) {
			session_refuse_launch(supervisor, message, REASON_LAUNCH_PENDING, NULL);
		}
	} else if (running) {
		relaunch(running, message);
	} else {
		start(supervisor, app, message);
	}
}

void session_handle_cancel(struct supervisor *supervisor, const struct ipc_message *message) {
	struct session *session = find_by_client(supervisor, message->cancel.client);
	struct ipc_message answer = { .kind = IPC_CANCELLED,
		.cancelled.request = message->cancel.request };
	if (session) {
		session_raise(session, LIFE_QUIT, REASON_ASKED, NULL);
	}
	supervisor_post(supervisor, SERVICE_GATE, &answer, NULL, 0);
}

/* It was admitted at one size; at a larger one it is asked again. */
static bool may_grow(struct session *session, const struct ipc_stream_params *params, char *detail,
		size_t size) {
	const struct admission_form form = { params->width, params->height,
		params->rate_x100 * 10 };
	uint64_t wanted = (uint64_t)form.width * form.height * form.rate_mhz;
	uint64_t admitted = (uint64_t)session->desk->width * session->desk->height *
			    session->desk->rate_mhz;
	return wanted <= admitted ||
	       admit(session->supervisor, session, session->client, session->app, &form, detail,
			       size) == REASON_NONE;
}

static void announce(struct session *session, uint32_t request, bool by_api,
		const struct ipc_stream_params *params) {
	session->announce_request = request;
	session->announce_by_api = by_api;
	session->announce_pending = true;
	session_raise(session, LIFE_ANNOUNCED, REASON_NONE, NULL);
	if (session->life.state != LIFE_PREPARING || !session->view) {
		return;
	}
	char detail[160] = "";
	if (!may_grow(session, params, detail, sizeof(detail))) {
		session_raise(session, LIFE_VIEWER_LOST, REASON_HOST_FULL, detail);
		return;
	}
	int rc = view_open(session->view, params);
	if (rc < 0) {
		session_raise(session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
	}
}

void session_handle_announce(struct supervisor *supervisor, const struct ipc_message *message) {
	struct session *session = session_find(supervisor, message->announce.session);
	if (!session || session->life.state != LIFE_LAUNCHED) {
		struct ipc_message answer = { .kind = IPC_ANNOUNCED,
			.announced = { .request = message->announce.request,
					.reason = REASON_NOTHING_RUNS } };
		supervisor_post(supervisor, SERVICE_GATE, &answer, NULL, 0);
		return;
	}
	announce(session, message->announce.request, false, &message->announce.params);
}

void session_handle_start(struct supervisor *supervisor, const struct ipc_message *message) {
	struct session *session = session_find(supervisor, message->session_start.session);
	if (session_added_expect(supervisor, session, message)) {
		announce(session, message->session_start.request, true,
				&message->session_start.params);
	}
}

void session_handle_play(struct supervisor *supervisor, const struct ipc_message *message) {
	struct session *session = session_find(supervisor, message->play.session);
	if (session) {
		session_end_plain(session);
	}
}

void session_handle_flow(struct supervisor *supervisor, const struct ipc_message *message, int fd) {
	struct session *session = session_find(supervisor, message->flow.session);
	if (!session || !session->view) {
		fd_close(fd);
		return;
	}
	tell_ping(session, (enum ipc_flow)message->flow.flow, &message->flow.peer);
	view_flow(session->view, message, fd);
}

void session_handle_client_gone(struct supervisor *supervisor, const uint8_t client[32]) {
	for (struct session *at = supervisor->sessions, *next; at; at = next) {
		next = at->next;
		if (at->life.state < LIFE_ENDING && memcmp(at->client, client, 32) == 0) {
			session_raise(at, LIFE_QUIT, REASON_ASKED, "the client was unpaired");
		}
	}
}

static bool is_known(const struct supervisor *supervisor, const struct ipc_message *message) {
	uint32_t request = message->request_waits.request;
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		bool launch = message->request_waits.answer == IPC_LAUNCHED;
		bool by_api = at->launch.launch.flags & LAUNCH_BY_API;
		if (launch ? at->launch_pending && !by_api && at->launch.launch.request == request
			   : at->announce_pending && !at->announce_by_api &&
								at->announce_request == request) {
			return true;
		}
	}
	return deferred_has(&supervisor->deferred, request);
}

void session_handle_waiting(struct supervisor *supervisor, const struct ipc_message *message) {
	if (is_known(supervisor, message)) {
		return;
	}
	log_warning("request-lost", "request=%u answer=%s", message->request_waits.request,
			ipc_kind_name((enum ipc_kind)message->request_waits.answer));
	if (message->request_waits.answer == IPC_LAUNCHED) {
		const struct ipc_message launch = { .kind = IPC_LAUNCH,
			.launch.request = message->request_waits.request };
		session_refuse_launch(supervisor, &launch, REASON_SUPERVISOR_DIED, NULL);
		return;
	}
	struct ipc_message answer = {
		.kind = message->request_waits.answer == IPC_CANCELLED ? IPC_CANCELLED
								       : IPC_ANNOUNCED,
		.cancelled = { .request = message->request_waits.request,
				.reason = REASON_SUPERVISOR_DIED },
	};
	supervisor_post(supervisor, SERVICE_GATE, &answer, NULL, 0);
}
