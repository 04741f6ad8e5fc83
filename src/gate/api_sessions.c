/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* Sessions as the supervisor tells of them, what programs ask of them, and what happens. */

enum {
	DO_MS = 5000,
};

void api_id_text(uint64_t id, char out[API_ID_SIZE]) {
	text_format(out, API_ID_SIZE, "%" PRIu64, id);
}

/* ---- rows ---- */

struct web_session *web_session_find(struct web *web, uint64_t id) {
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (web->sessions[i].session == id) {
			return &web->sessions[i];
		}
	}
	return NULL;
}

static const char *state_name(uint8_t state) {
	return state == SESSION_WATCHED ? "streaming" : "paused";
}

/* Wolf calls a session's id client_id here. */
static json_t *session_json(const struct gate *gate, const struct web_session *row) {
	char id[API_ID_SIZE], desktop[API_ID_SIZE], app[16], address[ADDRESS_TEXT_MAX], client[65];
	const struct app *known = apps_find(&gate->apps, row->app);
	api_id_text(row->session, id);
	api_id_text(row->desktop, desktop);
	text_format(app, sizeof(app), "%d", row->app);
	address_ip_text(&row->address, address);
	hex_encode(row->client, 32, client);
	const json_t *kept = json_object_get(gate->web.settings, client);
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:O*,s:I}",
			"session_id", id, "client_id", id, "client_ip", address, "rtsp_fake_ip",
			address, "video_width", row->width, "video_height", row->height,
			"video_refresh_rate", (int)((row->rate_mhz + 500) / 1000),
			"audio_channel_count", row->channels, "app_id", app, "app_title",
			known ? known->title : "", "client_fingerprint", client, "client_name",
			row->client_name, "state", state_name(row->state), "desktop_id", desktop,
			"client_settings", json_object_get(kept, "settings"), "age_s",
			(json_int_t)((clock_now_ms() - row->begun_ms) / 1000));
}

static json_t *id_json(uint64_t session) {
	char id[API_ID_SIZE];
	api_id_text(session, id);
	return json_pack("{s:s}", "session_id", id);
}

static void tell_change(struct gate *gate, const struct web_session *row, uint8_t before) {
	static const enum event_kind kinds[] = {
		[SESSION_GONE] = EVENT_STOPPED,
		[SESSION_RUNNING] = EVENT_PAUSED,
		[SESSION_WATCHED] = EVENT_RESUMED,
	};
	/* What a door hears before it is ready was so before it came. */
	if (!gate->ready || before == row->state) {
		return;
	}
	json_t *data = id_json(row->session);
	if (row->state == SESSION_GONE) {
		const struct reason_row *reason = reason_row(row->reason);
		json_object_set_new(data, "reason", json_string(reason->name));
		json_object_set_new(data, "detail",
				json_string(row->detail[0] ? row->detail : reason->words));
	}
	events_tell(gate, kinds[row->state], row->session, NULL, data);
}

static void copy_row(struct web_session *row, const struct ipc_message *message) {
	const __typeof__(message->told_session) *told = &message->told_session;
	*row = (struct web_session){ .session = told->session,
		.address = told->address,
		.app = told->app,
		.state = told->state,
		.width = told->width,
		.height = told->height,
		.rate_mhz = told->rate_mhz,
		.channels = told->channels,
		.desktop = told->desktop,
		.begun_ms = told->begun_ms,
		.reason = told->reason };
	memcpy(row->client, told->client, sizeof(row->client));
	text_copy(row->client_name, sizeof(row->client_name), told->client_name);
	text_copy(row->detail, sizeof(row->detail), told->detail);
}

void api_handle_told_session(struct gate *gate, const struct ipc_message *message) {
	struct web *web = &gate->web;
	bool gone = message->told_session.state == SESSION_GONE;
	struct web_session *row = web_session_find(web, message->told_session.session);
	bool known = row && row->session;
	row = known ? row : web_session_find(web, 0);
	if (message->told_session.session == 0 || !row || (gone && !known)) {
		return;
	}
	uint8_t before = known ? row->state : SESSION_WATCHED;
	copy_row(row, message);
	if (!known && gate->ready) {
		events_tell(gate, EVENT_SESSION, row->session, NULL, session_json(gate, row));
	}
	if (known || row->state != SESSION_RUNNING) {
		tell_change(gate, row, before);
	}
	if (gone) {
		api_input_forget(gate, row->session);
		api_wish_forget(gate, row->session);
		*row = (struct web_session){ .session = 0 };
	}
}

/* ---- events ---- */

static json_t *stream_json(struct gate *gate, uint64_t session) {
	const struct web_session *row = web_session_find(&gate->web, session);
	char id[API_ID_SIZE], address[ADDRESS_TEXT_MAX];
	if (!session || !row) {
		return NULL;
	}
	api_id_text(session, id);
	address_ip_text(&row->address, address);
	return json_pack("{s:s,s:s,s:{s:i,s:i,s:i}}", "session_id", id, "client_ip", address,
			"display_mode", "width", row->width, "height", row->height, "refreshRate",
			(int)((row->rate_mhz + 500) / 1000));
}

static json_t *sound_json(struct gate *gate, uint64_t session) {
	const struct web_session *row = web_session_find(&gate->web, session);
	char id[API_ID_SIZE], address[ADDRESS_TEXT_MAX];
	if (!session || !row) {
		return NULL;
	}
	api_id_text(session, id);
	address_ip_text(&row->address, address);
	return json_pack("{s:s,s:s,s:{s:i}}", "session_id", id, "client_ip", address, "audio_mode",
			"channels", row->channels);
}

static json_t *ping_json(const struct ipc_message *message) {
	char id[API_ID_SIZE], address[ADDRESS_TEXT_MAX];
	api_id_text(message->told_event.session, id);
	address_ip_text(&message->told_event.address, address);
	return json_pack("{s:s,s:i,s:s}", "client_ip", address, "client_port",
			message->told_event.address.port, "session_id", id);
}

static json_t *event_json(struct gate *gate, const struct ipc_message *message) {
	const __typeof__(message->told_event) *event = &message->told_event;
	char id[API_ID_SIZE], other[API_ID_SIZE];
	api_id_text(event->session, id);
	api_id_text(event->other, other);
	switch ((enum ipc_event)event->event) {
	case TOLD_APP_STARTED:
		return json_pack("{s:s,s:b,s:{s:s,s:i}}", "session_id", id, "stop_stream_when_over",
				1, "runner", "type", "process", "pid", event->number);
	case TOLD_APP_EXITED:
		return json_pack("{s:s,s:i,s:s}", "session_id", id, "status", event->number,
				"last_lines", event->detail);
	case TOLD_VIDEO_PING:
	case TOLD_AUDIO_PING:
		return ping_json(message);
	case TOLD_STREAMING:
		return stream_json(gate, event->session);
	case TOLD_COMBO:
	case TOLD_KEY_FRAME:
		return json_pack("{s:s}", "session_id", id);
	case TOLD_SWITCHED:
		return json_pack("{s:s,s:s}", "session_id", id, "interpipe_src_id", other);
	case TOLD_INCIDENT:
		return json_pack("{s:i,s:s,s:s,s:s}", "number", event->number, "what",
				event->detail, "reason", reason_row(event->reason)->name,
				"session_id", id);
	case TOLD_HEALTH:
		return json_pack("{s:b,s:s}", "ready", event->number != 0, "detail", event->detail);
	case TOLD_PULL_BEGAN:
		return json_pack("{s:s}", "image_name", event->detail);
	case TOLD_PULL_ENDED:
		return json_pack("{s:s,s:b}", "image_name", event->detail, "success",
				event->number != 0);
	case TOLD_EVENTS:
		break;
	}
	return NULL;
}

void api_handle_told_event(struct gate *gate, const struct ipc_message *message) {
	static const enum event_kind kinds[TOLD_EVENTS] = {
		[TOLD_APP_STARTED] = EVENT_RUNNER,
		[TOLD_APP_EXITED] = EVENT_APP_EXITED,
		[TOLD_STREAMING] = EVENT_VIDEO,
		[TOLD_VIDEO_PING] = EVENT_VIDEO_PING,
		[TOLD_AUDIO_PING] = EVENT_AUDIO_PING,
		[TOLD_COMBO] = EVENT_COMBO,
		[TOLD_SWITCHED] = EVENT_SWITCHED,
		[TOLD_INCIDENT] = EVENT_INCIDENT,
		[TOLD_HEALTH] = EVENT_HEALTH,
		[TOLD_KEY_FRAME] = EVENT_KEY_FRAME,
		[TOLD_PULL_BEGAN] = EVENT_PULL_START,
		[TOLD_PULL_ENDED] = EVENT_PULL_END,
	};
	uint64_t session = message->told_event.session;
	events_tell(gate, kinds[message->told_event.event], session, NULL,
			event_json(gate, message));
	if (message->told_event.event == TOLD_STREAMING) {
		events_tell(gate, EVENT_AUDIO, session, NULL, sound_json(gate, session));
	}
	struct web_session *row = web_session_find(&gate->web, session);
	if (message->told_event.event == TOLD_STREAMING && session && row) {
		api_wish_begins(gate, row);
	}
	if (message->told_event.event == TOLD_SWITCHED && session && row) {
		row->desktop = message->told_event.other;
	}
}

/* ---- calls ---- */

void api_handle_sessions(struct request *request) {
	json_t *list = json_array();
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct web_session *row = &request->gate->web.sessions[i];
		if (row->session) {
			json_array_append_new(list, session_json(request->gate, row));
		}
	}
	api_answer(request->connection, 200,
			json_pack("{s:b,s:o}", "success", 1, "sessions", list));
}

/* NULL: it was answered that there is none. */
struct web_session *api_wanted_session(struct request *request, const char *name) {
	uint64_t id = schema_id(request->json, name);
	struct web_session *row = id ? web_session_find(&request->gate->web, id) : NULL;
	if (!row) {
		api_error(request->connection, 404, "There is no such session.");
	}
	return row;
}

static void ask(struct request *request, enum ipc_api_verb what) {
	struct connection *connection = request->connection;
	const struct web_session *row = api_wanted_session(request, "session_id");
	if (!row) {
		return;
	}
	struct ipc_message message = { .kind = IPC_API_DO,
		.api_do = { .request = connection_request(connection),
				.what = (uint8_t)what,
				.session = row->session } };
	connection->awaits = AWAITS_DONE;
	connection_extend(connection, DO_MS);
	gate_post(request->gate, &message);
}

void api_handle_session_pause(struct request *request) {
	ask(request, API_PAUSE);
}

void api_handle_session_stop(struct request *request) {
	ask(request, API_STOP);
}

void api_handle_done(struct gate *gate, const struct ipc_message *message) {
	if (api_input_done(gate, message) || api_keys_done(gate, message) ||
			api_shot_done(gate, message) || api_clip_done(gate, message)) {
		return;
	}
	struct connection *connection = gate_waiting(gate, message->api_done.request, AWAITS_DONE);
	if (!connection) {
		return;
	}
	json_t *answer = (json_t *)TAKE(connection->wait, NULL);
	if (message->api_done.reason != REASON_NONE) {
		json_decref(answer);
		api_refuse(connection, message->api_done.reason, message->api_done.detail);
	} else if (answer) {
		api_answer(connection, 200, answer);
	} else {
		api_success(connection);
	}
}
