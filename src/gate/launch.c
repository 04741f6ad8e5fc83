/* SPDX-License-Identifier: MIT */
#include "gate/launch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/gate.h"
#include "gate/moonlight.h"
#include "proto/launch.h"
#include "proto/serverinfo.h"

/* What LAUNCHED does not repeat. */
struct launch_wait {
	uint8_t client[32];
	struct secret key;
	bool sealed, resume;
};

void launch_forget(struct connection *connection) {
	struct launch_wait *wait = TAKE(connection->wait, NULL);
	if (wait) {
		explicit_bzero(wait, sizeof(*wait));
		free(wait);
	}
}

static void fill(struct ipc_message *message, const struct request *request,
		const struct launch_query *query, const struct launch_wait *wait) {
	const struct connection *connection = request->connection;
	memset(message, 0, sizeof(*message));
	message->kind = IPC_LAUNCH;
	message->launch.request = connection_request(connection);
	memcpy(message->launch.client, request->client->fingerprint, 32);
	text_copy(message->launch.client_name, sizeof(message->launch.client_name),
			request->client->name);
	message->launch.address = connection->peer;
	message->launch.app = query->app_id;
	message->launch.width = query->width;
	message->launch.height = query->height;
	message->launch.rate_x100 = query->fps * 100u;
	message->launch.key = query->rikey;
	message->launch.key_id = query->rikeyid;
	tls_sha256(query->rikey.bytes, sizeof(query->rikey.bytes), message->launch.key_hash);
	message->launch.surround = (uint32_t)query->channel_mask << 16 | query->channels;
	message->launch.pads = query->gamepads;
	message->launch.flags = (uint8_t)((wait->resume ? LAUNCH_RESUME : 0) |
					  (wait->sealed ? LAUNCH_SEALED_RTSP : 0) |
					  (query->optimise ? LAUNCH_OPTIMIZE : 0) |
					  (query->local_audio ? LAUNCH_HOST_SOUND : 0) |
					  (query->hdr ? LAUNCH_HDR : 0));
	text_copy(message->launch.trace, sizeof(message->launch.trace), connection->trace);
}

static void ask(struct request *request, const struct launch_query *query, bool resume) {
	struct gate *gate = request->gate;
	struct connection *connection = request->connection;
	struct launch_wait *wait = calloc(1, sizeof(*wait));
	if (!wait) {
		moonlight_reason(connection, REASON_RESOURCES, "");
		return;
	}
	*wait = (struct launch_wait){
		.key = query->rikey,
		.sealed = query->corever >= 1 && gate->options.encryption != 0,
		.resume = resume,
	};
	memcpy(wait->client, request->client->fingerprint, 32);
	struct ipc_message message;
	fill(&message, request, query, wait);
	connection->wait = wait;
	connection->awaits = AWAITS_LAUNCHED;
	connection_extend(connection, GATE_LAUNCH_MS);
	log_info("launch", "trace=%s app=%d resume=%d mode=%ux%ux%u sealed=%d name=%s",
			connection->trace, query->app_id, resume, query->width, query->height,
			query->fps, wait->sealed, log_quote(request->client->name).text);
	gate_post(gate, &message);
	explicit_bzero(&message, sizeof(message));
}

static void handle(struct request *request, bool resume) {
	struct launch_query query;
	const char *culprit = "";
	int rc = resume ? launch_resume_parse(request->http.query, &query, &culprit)
			: launch_query_parse(request->http.query, &query, &culprit);
	if (rc < 0) {
		char message[120];
		text_format(message, sizeof(message), "The parameter %s is missing or wrong.",
				culprit);
		moonlight_error(request->connection, 400, message);
	} else if (request->gate->options.encryption == 2 && query.corever == 0) {
		moonlight_reason(request->connection, REASON_ENCRYPTION_REQUIRED, "");
	} else {
		ask(request, &query, resume);
	}
	explicit_bzero(&query, sizeof(query));
}

void launch_handle(struct request *request) {
	handle(request, false);
}

void launch_handle_resume(struct request *request) {
	handle(request, true);
}

static int remember(struct gate *gate, const struct connection *connection,
		const struct ipc_message *message) {
	const struct launch_wait *wait = (const struct launch_wait *)connection->wait;
	struct session_launch launch = {
		.id = message->launched.session,
		.client = wait->client,
		.launcher = connection->peer,
		.sealed = wait->sealed,
		.key = wait->key,
		.video_ping = message->launched.video_ping,
		.audio_ping = message->launched.audio_ping,
		.connect_data = message->launched.connect_data,
		.enet_peer = message->launched.enet_peer,
		.trace = connection->trace,
	};
	struct session *session;
	int rc = sessions_put(&gate->sessions, &launch, clock_now_ms(), &session);
	explicit_bzero(&launch, sizeof(launch));
	return rc;
}

void launch_handle_launched(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->launched.request, AWAITS_LAUNCHED);
	if (!connection) {
		log_info("launched-late", "session=%llx reason=%u",
				(unsigned long long)message->launched.session,
				message->launched.reason);
		return;
	}
	const struct launch_wait *wait = (const struct launch_wait *)connection->wait;
	bool sealed = wait->sealed, resume = wait->resume;
	int rc = message->launched.reason == REASON_NONE ? remember(gate, connection, message) : 0;
	launch_forget(connection);
	if (message->launched.reason != REASON_NONE || rc < 0) {
		moonlight_reason(connection, rc < 0 ? REASON_RESOURCES : message->launched.reason,
				message->launched.detail);
		return;
	}
	char url[SERVERINFO_URL_MAX], xml[1024];
	serverinfo_session_url(&connection->local, gate->options.rtsp_port, sealed, url);
	int len = resume ? serverinfo_resume_write(url, xml, sizeof(xml))
			 : serverinfo_launch_write(url, xml, sizeof(xml));
	moonlight_answer(connection, xml, len, 200);
}

void launch_handle_coming(struct gate *gate, const struct ipc_message *message) {
	const __typeof__(message->session_coming) *coming = &message->session_coming;
	struct session_launch launch = {
		.id = coming->session,
		.client = coming->client,
		.launcher = coming->address,
		.sealed = coming->sealed,
		.key = coming->key,
		.video_ping = coming->video_ping,
		.audio_ping = coming->audio_ping,
		.connect_data = coming->connect_data,
		.enet_peer = coming->enet_peer,
		.trace = coming->trace,
	};
	struct session *session;
	int rc = sessions_put(&gate->sessions, &launch, clock_now_ms(), &session);
	explicit_bzero(&launch, sizeof(launch));
	if (rc == 0 && coming->proven) { /* a ping from there must still have the secret */
		session->negotiating = false;
		session_prove(session, &coming->address);
	}
	if (rc < 0) { /* who waits for it hears so from its own deadline */
		log_error("session-not-expected", "session=%016llx error=%d",
				(unsigned long long)coming->session, rc);
		return;
	}
	struct ipc_message answer = { .kind = IPC_SESSION_EXPECTED,
		.session_coming.session = coming->session };
	gate_post(gate, &answer);
}

void launch_handle_cancel(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_CANCEL,
		.cancel.request = connection_request(connection) };
	memcpy(message.cancel.client, request->client->fingerprint, 32);
	connection->awaits = AWAITS_CANCELLED;
	connection_extend(connection, GATE_LAUNCH_MS);
	gate_post(request->gate, &message);
}

/* Nothing to cancel is what the client wants, too. */
void launch_handle_cancelled(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->cancelled.request, AWAITS_CANCELLED);
	if (!connection) {
		return;
	}
	uint32_t reason = message->cancelled.reason;
	if (reason != REASON_NONE && reason != REASON_NOTHING_RUNS) {
		moonlight_reason(connection, reason, message->cancelled.detail);
		return;
	}
	char xml[512];
	moonlight_answer(connection, xml, serverinfo_cancel_write(xml, sizeof(xml)), 200);
}
