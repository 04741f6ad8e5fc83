/* SPDX-License-Identifier: MIT */
#include "supervisor/session_added.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

static bool is_by_api(const struct session *session) {
	return session->launch.launch.flags & LAUNCH_BY_API;
}

struct session *session_added_named(
		struct supervisor *supervisor, const struct ipc_message *message) {
	struct session *session =
			message->launch.flags & LAUNCH_RESUME
					? session_find(supervisor, message->launch.session)
					: NULL;
	return session && !session->internal && session->life.state < LIFE_ENDING ? session : NULL;
}

void session_added_handle(struct supervisor *supervisor, struct ipc_message *message) {
	message->launch.flags |= LAUNCH_BY_API;
	const struct session *session = session_added_named(supervisor, message);
	if (session) { /* it stays whose it is */
		memcpy(message->launch.client, session->client, sizeof(message->launch.client));
		text_copy(message->launch.client_name, sizeof(message->launch.client_name),
				session->client_name);
		message->launch.app = session->app->id;
		message->launch.width = session->launch.launch.width;
		message->launch.height = session->launch.launch.height;
		message->launch.rate_x100 = session->launch.launch.rate_x100;
		message->launch.surround = session->launch.launch.surround;
	}
	session_handle_launch(supervisor, message);
	explicit_bzero(&message->launch.key, sizeof(message->launch.key));
}

void session_added_fill(struct session *session, const struct ipc_message *message) {
	if (!(message->launch.flags & LAUNCH_BY_API)) {
		return;
	}
	session->added = message->launch.guest ? ADDED_NOBODY : ADDED_CLIENT;
	session->desk->guest = session->added == ADDED_NOBODY;
}

static void tell_program(struct session *session) {
	struct ipc_message answer = { .kind = IPC_LAUNCHED,
		.launched = { .request = session->launch.launch.request, .session = session->id } };
	if (!session->added_told) {
		session->added_told = true;
		supervisor_post(session->supervisor, SERVICE_WEB, &answer, NULL, 0);
	}
}

void session_added_begun(struct session *session) {
	if (is_by_api(session) && session->launch.launch.flags & LAUNCH_AT_ONCE) {
		tell_program(session);
	}
}

static void tell_coming(const struct session *session, bool proven) {
	const typeof(session->launch.launch) *launch = &session->launch.launch;
	const typeof(session->answer.launched) *secrets = &session->answer.launched;
	struct ipc_message message = { .kind = IPC_SESSION_COMING,
		.session_coming = { .session = session->id,
				.address = session->address,
				.key = launch->key,
				.video_ping = secrets->video_ping,
				.audio_ping = secrets->audio_ping,
				.connect_data = secrets->connect_data,
				.enet_peer = secrets->enet_peer,
				.sealed = (launch->flags & LAUNCH_SEALED_RTSP) != 0,
				.proven = proven } };
	memcpy(message.session_coming.client, session->client, sizeof(session->client));
	text_copy(message.session_coming.trace, sizeof(message.session_coming.trace),
			session->trace);
	supervisor_post(session->supervisor, SERVICE_GATE, &message, NULL, 0);
	explicit_bzero(&message, sizeof(message));
}

void session_added_ready(struct session *session) {
	if (session->launch.launch.flags & LAUNCH_NO_KEY) {
		tell_program(session);
		/* Nobody is waited for. */
		session_raise(session, LIFE_OVERDUE, REASON_NONE, NULL);
		return;
	}
	session->coming = true;
	tell_coming(session, false);
}

void session_added_expected(struct supervisor *supervisor, uint64_t id) {
	struct session *session = session_find(supervisor, id);
	if (session && session->coming) {
		session->coming = false;
		log_info("session-expected", "session=%016llx trace=%s", (unsigned long long)id,
				session->trace);
		tell_program(session);
	}
}

void session_added_tell_all(struct supervisor *supervisor) {
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		if (is_by_api(at) && at->life.state == LIFE_LAUNCHED && !at->launch_pending) {
			tell_coming(at, false);
		}
	}
}

static void answer_start(struct supervisor *supervisor, uint32_t request, uint32_t reason,
		const char *detail) {
	struct ipc_message done = { .kind = IPC_API_DONE,
		.api_done = { .request = request, .reason = reason } };
	text_copy(done.api_done.detail, sizeof(done.api_done.detail), detail);
	supervisor_post(supervisor, SERVICE_WEB, &done, NULL, 0);
}

void session_added_started(struct session *session, uint32_t reason) {
	answer_start(session->supervisor, session->announce_request, reason,
			reason ? session->detail : "");
}

bool session_added_expect(struct supervisor *supervisor, struct session *session,
		const struct ipc_message *message) {
	const typeof(message->session_start) *start = &message->session_start;
	if (!session || session->internal || session->life.state >= LIFE_ENDING) {
		answer_start(supervisor, start->request, REASON_SESSION_UNKNOWN, "");
		return false;
	}
	if (!is_by_api(session) || session->life.state != LIFE_LAUNCHED ||
			session->launch_pending) {
		answer_start(supervisor, start->request, REASON_VIEWER_UNEXPECTED, "");
		return false;
	}
	session->address = start->address;
	session->answer.launched.video_ping = start->video_ping;
	session->answer.launched.audio_ping = start->audio_ping;
	record_touch(session);
	tell_coming(session, true);
	log_info("session-started", "session=%016llx", (unsigned long long)session->id);
	return true;
}

void session_added_forget(struct supervisor *supervisor, const struct ipc_message *message) {
	uint64_t id = message->api_do.session;
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		bool meant = id ? at->id == id
				: !at->added_told && at->launch.launch.request ==
									     message->api_do.request;
		/* One that was there before stays. */
		if (meant && is_by_api(at) && !(at->launch.launch.flags & LAUNCH_RESUME) &&
				at->life.state < LIFE_ENDING) {
			log_info("session-cancelled", "session=%016llx",
					(unsigned long long)at->id);
			session_raise(at, LIFE_QUIT, REASON_ASKED, "nobody waits for it any more");
			return;
		}
	}
}
