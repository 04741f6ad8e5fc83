/* SPDX-License-Identifier: MIT */
#include "gate/gate.h"

#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/api.h"
#include "gate/gate_store.h"
#include "gate/health.h"
#include "gate/launch.h"
#include "gate/moonlight.h"
#include "gate/rtsp.h"
#include "gate/tls.h"
#include "gate/web_obey.h"

void gate_post(struct gate *gate, const struct ipc_message *message) {
	worker_post(&gate->worker, message, NULL, 0);
}

bool gate_post_store(struct gate *gate, const struct ipc_message *message) {
	if (!store_line_add(&gate->store_line, message, clock_now_ms() + GATE_STORE_MS)) {
		return false;
	}
	channel_post(&gate->store, message, NULL, 0);
	return true;
}

/* ---- what connections wait for ---- */

struct connection *gate_waiting(struct gate *gate, uint32_t request, enum gate_awaits awaits) {
	struct connection *connection = connections_find(&gate->connections, request);
	return connection && connection->awaits == (unsigned)awaits ? connection : NULL;
}

static void handle_launch_overdue(struct connection *connection) {
	launch_forget(connection);
	moonlight_reason(connection, REASON_START_OVERDUE, "");
}

static void handle_cancel_overdue(struct connection *connection) {
	moonlight_reason(connection, REASON_START_OVERDUE,
			"The host could not end the session in time.");
}

static void input_overdue(struct connection *connection) {
	api_input_gone(connection);
	api_handle_overdue(connection);
}

static const struct {
	void (*overdue)(struct connection *connection);
	void (*gone)(struct connection *connection);
} waits[GATE_AWAITS] = {
	[AWAITS_PIN] = { pair_handle_overdue, pair_handle_gone },
	[AWAITS_PAIR_STORE] = { pair_handle_overdue, pair_handle_gone },
	[AWAITS_LAUNCHED] = { handle_launch_overdue, launch_forget },
	[AWAITS_CANCELLED] = { handle_cancel_overdue, NULL },
	[AWAITS_ANNOUNCED] = { rtsp_handle_overdue, rtsp_handle_gone },
	[AWAITS_PAIR_ANSWER] = { api_handle_overdue, api_handle_gone },
	[AWAITS_REMOVED] = { api_handle_overdue, api_handle_gone },
	[AWAITS_STATUS] = { api_handle_overdue, api_handle_gone },
	[AWAITS_STATE] = { api_handle_overdue, api_handle_gone },
	[AWAITS_PROFILE] = { api_handle_overdue, api_handle_gone },
	[AWAITS_DONE] = { api_handle_overdue, api_handle_gone },
	[AWAITS_ADDED] = { api_added_overdue, api_added_gone },
	[AWAITS_IMAGE] = { api_image_overdue, api_image_gone },
	[AWAITS_INPUT] = { input_overdue, api_input_gone },
	[AWAITS_KEYS] = { api_handle_overdue, api_handle_gone },
	[AWAITS_KEYS_LIST] = { api_keys_overdue, api_keys_gone },
	[AWAITS_SHOT] = { api_handle_overdue, api_handle_gone },
	[AWAITS_CLIP] = { api_clip_overdue, api_clip_gone },
	[AWAITS_LOBBY_CREATED] = { api_lobby_overdue, api_lobby_gone },
	[AWAITS_LOBBY_DONE] = { api_handle_overdue, api_handle_gone },
	[AWAITS_EVENTS] = { NULL, events_handle_gone },
	[AWAITS_RESTARTED] = { api_handle_overdue, api_handle_gone },
	[AWAITS_UPGRADE] = { api_handle_overdue, api_handle_gone },
	[AWAITS_RELOADED] = { api_handle_overdue, api_handle_gone },
#ifdef PERIGEE_OBEY
	[AWAITS_OBEYED] = { api_handle_overdue, api_handle_gone },
#endif
};

void gate_overdue(struct connection *connection) {
	if (connection->awaits == AWAITS_EVENTS) {
		events_handle_quiet(connection);
		return;
	}
	if (connection->streaming) {
		waits[connection->awaits].overdue(connection);
		return;
	}
	log_warning("overdue", "path=%s awaits=%u trace=%s", connection->path, connection->awaits,
			connection->trace);
	if (waits[connection->awaits].overdue) {
		waits[connection->awaits].overdue(connection);
	}
}

void gate_gone(struct connection *connection) {
	if (waits[connection->awaits].gone) {
		waits[connection->awaits].gone(connection);
	}
}

/* ---- readiness ---- */

void gate_check_ready(struct gate *gate) {
	if (gate->ready || !gate->has_identity || !gate->has_options || !gate->has_clients) {
		return;
	}
	gate->ready = true;
	connections_listen(&gate->connections);
	struct ipc_message message = { .kind = IPC_GATE_READY };
	gate_post(gate, &message);
	log_info("ready", "clients=%zu", gate->clients.count);
}

/* ---- from the supervisor ---- */

static void handle_listen(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	static const struct {
		enum ipc_peer role;
		const struct connection_class *class;
		enum ipc_flow flow;
	} doors[DOORS] = {
		[DOOR_HTTP] = { PEER_GATE, &moonlight_http_class, FLOWS },
		[DOOR_HTTPS] = { PEER_GATE, &moonlight_https_class, FLOWS },
		[DOOR_RTSP] = { PEER_GATE, &rtsp_class, FLOWS },
		[DOOR_VIDEO] = { PEER_GATE, NULL, FLOW_VIDEO },
		[DOOR_CONTROL] = { PEER_GATE, NULL, FLOW_CONTROL },
		[DOOR_AUDIO] = { PEER_GATE, NULL, FLOW_AUDIO },
		[DOOR_WEB] = { PEER_WEB, &web_class, FLOWS },
		[DOOR_API] = { PEER_WEB, &web_api_class, FLOWS },
	};
	enum ipc_door door = (enum ipc_door)message->gate_listen.door;
	int rc = -EPROTO;
	if (doors[door].role == gate->role) {
		int fd = fds_take(fds, 0);
		rc = doors[door].class ? connections_add(&gate->connections, fd, door,
							 doors[door].class)
				       : datagrams_add(&gate->datagrams, doors[door].flow, fd,
							 message->gate_listen.port);
	}
	if (rc < 0) {
		worker_fail(&gate->worker, REASON_RESOURCES, "door %d cannot be opened: %s", door,
				strerror(-rc));
	}
}

static void handle_desk(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	int rc = message->gate_desk.desk
				 ? connections_add_desk(&gate->connections, fds_take(fds, 0),
						   message->gate_desk.desk,
						   message->gate_desk.launcher, &web_api_class)
				 : -EINVAL;
	if (rc < 0) {
		log_warning("desk-door-refused", "desk=%016llx error=%d",
				(unsigned long long)message->gate_desk.desk, -rc);
	}
}

static void handle_store_channel(
		struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)message;
	gate_store_open(gate, fds_take(fds, 0));
}

static void handle_options(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	memcpy(&gate->options, &message->gate_options, sizeof(gate->options));
	gate->has_options = true;
}

static void handle_codecs(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	memcpy(&gate->codecs, &message->gate_codecs, sizeof(gate->codecs));
}

static void handle_app(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct app app = { .id = message->gate_app.app, .flags = message->gate_app.flags };
	text_copy(app.title, sizeof(app.title), message->gate_app.title);
	text_copy(app.why_not, sizeof(app.why_not), message->gate_app.why_not);
	int rc = apps_add(&gate->apps, &app);
	if (rc < 0) {
		log_error("app-refused", "app=%d error=%d", app.id, rc);
	}
}

static void handle_apps_end(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)message;
	(void)fds;
	apps_end(&gate->apps, gate->role == PEER_WEB ? api_knows_app : NULL, gate);
}

static void handle_art(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	int fd = fds_take(fds, 0);
	int rc = apps_put_art(&gate->apps, message->art.app, fd);
	if (rc < 0) {
		fd_close(fd);
		log_error("art-refused", "app=%d error=%d", message->art.app, rc);
	}
}

static void handle_session_state(
		struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	sessions_state(&gate->sessions, message->session_state.client,
			message->session_state.session, message->session_state.app,
			message->session_state.state);
}

static void handle_flow_proven(
		struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct session *session = sessions_by_id(&gate->sessions, message->flow_proven.session);
	if (session) {
		session_prove(session, &message->flow_proven.address);
	}
}

/* A client of the supervisor's own: in memory only, so no list shows it. */
static void handle_guest(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	uint8_t fingerprint[32];
	tls_sha256(message->guest.der, message->guest.der_len, fingerprint);
	if (message->guest.gone) {
		gate_store_forget(gate, message->guest.client);
		return;
	}
	if (memcmp(fingerprint, message->guest.client, 32) != 0 || !gate->has_identity ||
			clients_put(&gate->clients, fingerprint, message->guest.der,
					message->guest.der_len, "Readiness trial", 0,
					PERMIT_ALL) < 0) {
		log_error("guest-refused", "");
		return;
	}
	struct ipc_message known = { .kind = IPC_GUEST_KNOWN };
	memcpy(known.guest.client, fingerprint, 32);
	const struct pairing_certificate *host = &gate->identity.certificate;
	memcpy(known.guest.der, host->der, host->der_len);
	known.guest.der_len = (uint16_t)host->der_len;
	gate_post(gate, &known);
	/* One at a time: the last one's supervisor may have died before it was gone. */
	if (gate->has_guest && memcmp(gate->guest, fingerprint, 32) != 0) {
		gate_store_forget(gate, gate->guest);
	}
	gate->has_guest = true;
	memcpy(gate->guest, fingerprint, 32);
}

#define FORWARD(name, handler) \
	static void name(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) { \
		(void)fds; \
		handler(gate, message); \
	}

FORWARD(handle_image_piece, api_handle_image_piece)
FORWARD(handle_image_done, api_handle_image_done)
FORWARD(handle_added, api_handle_added)
FORWARD(handle_coming, launch_handle_coming)
FORWARD(handle_cancelled, launch_handle_cancelled)
FORWARD(handle_announced, rtsp_handle_announced)
FORWARD(handle_pin, pair_handle_pin)
FORWARD(handle_pair_waiting, api_handle_waiting)
FORWARD(handle_pair_gone, api_handle_pair_gone)
FORWARD(handle_pair_answer, api_handle_pair_answer)
FORWARD(handle_status_line, api_handle_status_line)
FORWARD(handle_status_end, api_handle_status_end)
FORWARD(handle_restarted, api_handle_restarted)
FORWARD(handle_told_session, api_handle_told_session)
FORWARD(handle_told_event, api_handle_told_event)
FORWARD(handle_told_pad, api_handle_told_pad)
FORWARD(handle_done, api_handle_done)
FORWARD(handle_keys, api_handle_keys)
FORWARD(handle_lobby_created, api_handle_lobby_created)
FORWARD(handle_lobby_done, api_handle_lobby_done)
FORWARD(handle_desk_gone, api_handle_desk_gone)
FORWARD(handle_lobby_state, api_handle_lobby_state)
FORWARD(handle_lobby_runner, api_handle_lobby_runner)
FORWARD(handle_wish, api_handle_wish)
FORWARD(handle_lobby_gone, api_handle_lobby_gone)
FORWARD(handle_lobby_member, api_handle_lobby_member)
FORWARD(handle_upgrade_answer, api_handle_upgrade_answer)
FORWARD(handle_reloaded, api_handle_reloaded)
#ifdef PERIGEE_OBEY
FORWARD(handle_obeyed, web_handle_obeyed)
#endif

static void handle_launched(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	if (gate->role == PEER_WEB) {
		handle_added(gate, message, fds);
	} else {
		launch_handle_launched(gate, message);
	}
}

typedef void message_handler(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds);

static message_handler *const handlers[IPC_KINDS] = {
	[IPC_GATE_LISTEN] = handle_listen,
	[IPC_GATE_STORE] = handle_store_channel,
	[IPC_GATE_OPTIONS] = handle_options,
	[IPC_GATE_CODECS] = handle_codecs,
	[IPC_GATE_APP] = handle_app,
	[IPC_GATE_APPS_END] = handle_apps_end,
	[IPC_ART] = handle_art,
	[IPC_SESSION_STATE] = handle_session_state,
	[IPC_FLOW_PROVEN] = handle_flow_proven,
	[IPC_LAUNCHED] = handle_launched,
	[IPC_SESSION_COMING] = handle_coming,
	[IPC_CANCELLED] = handle_cancelled,
	[IPC_ANNOUNCED] = handle_announced,
	[IPC_PAIR_PIN] = handle_pin,
	[IPC_PAIR_WAITING] = handle_pair_waiting,
	[IPC_PAIR_GONE] = handle_pair_gone,
	[IPC_PAIR_ANSWER] = handle_pair_answer,
	[IPC_STATUS_LINE] = handle_status_line,
	[IPC_STATUS_ROWS] = api_handle_status_rows,
	[IPC_STATUS_END] = handle_status_end,
	[IPC_RESTARTED] = handle_restarted,
	[IPC_UPGRADE_ANSWER] = handle_upgrade_answer,
	[IPC_CONFIG_RELOADED] = handle_reloaded,
#ifdef PERIGEE_OBEY
	[IPC_OBEYED] = handle_obeyed,
#endif
	[IPC_IMAGE_PIECE] = handle_image_piece,
	[IPC_IMAGE_DONE] = handle_image_done,
	[IPC_API_INPUT] = api_handle_input_channel,
	[IPC_SHOT] = api_handle_shot,
	[IPC_CLIP] = api_handle_clip,
	[IPC_TOLD_SESSION] = handle_told_session,
	[IPC_TOLD_EVENT] = handle_told_event,
	[IPC_TOLD_PAD] = handle_told_pad,
	[IPC_API_DONE] = handle_done,
	[IPC_KEYS] = handle_keys,
	[IPC_LOBBY_CREATED] = handle_lobby_created,
	[IPC_LOBBY_DONE] = handle_lobby_done,
	[IPC_GATE_DESK] = handle_desk,
	[IPC_GATE_DESK_GONE] = handle_desk_gone,
	[IPC_LOBBY_STATE] = handle_lobby_state,
	[IPC_LOBBY_RUNNER] = handle_lobby_runner,
	[IPC_LOBBY_WISH] = handle_wish,
	[IPC_LOBBY_GONE] = handle_lobby_gone,
	[IPC_LOBBY_MEMBER] = handle_lobby_member,
	[IPC_BOARD] = health_handle_board,
	[IPC_GUEST] = handle_guest,
};

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	struct gate *gate = container_of(worker, struct gate, worker);
	message_handler *handler = handlers[message->kind];
	if (handler) {
		handler(gate, message, fds);
		gate_check_ready(gate);
	}
}

/* Nothing new is taken; what waits for a person or the supervisor is let go. */
static void handle_stop(struct worker *worker, uint32_t reason) {
	(void)reason;
	struct gate *gate = container_of(worker, struct gate, worker);
	connections_stop(&gate->connections);
	datagrams_finish(&gate->datagrams);
	worker_leave(worker);
}

/* A supervisor may die with a request in its hands: the next one answers what it does
 * not know of, so that nobody waits for a deadline. */
static void handle_asked(struct worker *worker) {
	static const enum ipc_kind answers[GATE_AWAITS] = {
		[AWAITS_LAUNCHED] = IPC_LAUNCHED,
		[AWAITS_CANCELLED] = IPC_CANCELLED,
		[AWAITS_ANNOUNCED] = IPC_ANNOUNCED,
	};
	struct gate *gate = container_of(worker, struct gate, worker);
	pairs_say_again(gate);
	for (size_t i = 0; i < PLACES_MAX; i++) {
		const struct connection *connection = &gate->connections.slots[i];
		if (connection->open && connection->phase == PHASE_PENDING &&
				answers[connection->awaits]) {
			struct ipc_message message = { .kind = IPC_REQUEST_WAITS,
				.request_waits = { connection_request(connection),
						answers[connection->awaits] } };
			gate_post(gate, &message);
		}
	}
}

static bool trusts(void *user, struct connection *connection) {
	const struct gate *gate = (const struct gate *)user;
	return clients_named(&gate->clients, connection->fingerprint) != NULL;
}

static const struct worker_class gate_class = {
	.kind = PEER_GATE,
	.message = handle_message,
	.stop = handle_stop,
	.asked = handle_asked,
};

static const struct worker_class web_worker_class = {
	.kind = PEER_WEB,
	.message = handle_message,
	.stop = handle_stop,
};

int gate_init(struct gate *gate, enum ipc_peer role) {
	gate->role = role;
	gate->store.fd = -1;
	gate->board.shm = SHM_NONE;
	gate->site = role == PEER_WEB ? &web_site : &moonlight_site;
	int rc = worker_open(
			&gate->worker, role == PEER_WEB ? &web_worker_class : &gate_class, gate);
	if (rc < 0) {
		return rc;
	}
	sd_event_source_set_priority(gate->worker.channel.io, CONNECTION_PRIORITY_MESSAGES);
	datagrams_init(&gate->datagrams, gate);
	web_init(&gate->web);
	gate->connections.trusts = trusts;
	return connections_init(&gate->connections, gate->worker.event, &gate->worker.pulse, gate);
}

void gate_finish(struct gate *gate) {
	connections_finish(&gate->connections);
	web_finish(&gate->web);
	datagrams_finish(&gate->datagrams);
	pairs_finish(&gate->pairs);
	sessions_finish(&gate->sessions);
	apps_finish(&gate->apps);
	clients_finish(&gate->clients);
	channel_close(&gate->store);
	board_reader_finish(&gate->board);
	tls_server_destroy(gate->tls);
	pairing_identity_finish(&gate->identity);
	explicit_bzero(gate->web_key, sizeof(gate->web_key));
}
