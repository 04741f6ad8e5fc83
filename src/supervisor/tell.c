/* SPDX-License-Identifier: MIT */
#include "supervisor/tell.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "supervisor/desk.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/udev.h"
#include "supervisor/view.h"

static uint8_t state_of(const struct session *session) {
	return session->life.state >= LIFE_ENDING ? SESSION_GONE
	       : session->view                    ? SESSION_WATCHED
						  : SESSION_RUNNING;
}

void tell_session(const struct session *session) {
	if (session->internal) {
		return;
	}
	uint8_t channels = session->view ? session->view->params.channels : 0;
	struct ipc_message message = {
		.kind = IPC_TOLD_SESSION,
		.told_session = { .session = session->id,
				.address = session->address,
				.app = session->app->id,
				.state = state_of(session),
				.width = session->desk->width,
				.height = session->desk->height,
				.rate_mhz = session->desk->rate_mhz,
				.channels = channels ? channels : session->desk->channels,
				.desktop = session->desk->id,
				.begun_ms = session->launched_ms,
				.reason = session->reason },
	};
	memcpy(message.told_session.client, session->client, sizeof(session->client));
	text_copy(message.told_session.client_name, sizeof(message.told_session.client_name),
			session->client_name);
	text_copy(message.told_session.detail, sizeof(message.told_session.detail),
			session->detail);
	supervisor_post(session->supervisor, SERVICE_WEB, &message, NULL, 0);
}

static struct ipc_message event_message(
		uint64_t session, enum ipc_event event, int32_t number, const char *detail) {
	struct ipc_message message = { .kind = IPC_TOLD_EVENT,
		.told_event = { .event = (uint8_t)event, .session = session, .number = number } };
	text_copy(message.told_event.detail, sizeof(message.told_event.detail),
			detail ? detail : "");
	return message;
}

void tell_event(const struct session *session, enum ipc_event event, int32_t number,
		const char *detail) {
	if (!session->internal) {
		struct ipc_message message = event_message(session->id, event, number, detail);
		supervisor_post(session->supervisor, SERVICE_WEB, &message, NULL, 0);
	}
}

void tell_desk_event(
		const struct desk *desk, enum ipc_event event, int32_t number, const char *detail) {
	if (!desk->internal) {
		struct ipc_message message = event_message(desk->id, event, number, detail);
		supervisor_post(desk->supervisor, SERVICE_WEB, &message, NULL, 0);
	}
}

void tell_pad(const struct desk *desk, const struct udev_device *device, bool added) {
	struct ipc_message message = { .kind = IPC_TOLD_PAD,
		.told_pad = { .session = desk->id, .gone = !added } };
	__typeof__(message.told_pad) *pad = &message.told_pad;
	uint64_t now_us = clock_now_us();
	udev_name(device, pad->name);
	if (added) {
		size_t len = udev_record(device, now_us, pad->record, sizeof(pad->record) - 1);
		pad->record[len] = '\0';
	}
	pad->words_len = (uint16_t)udev_words(device, added ? "add" : "remove", now_us, now_us,
			pad->words, sizeof(pad->words));
	if (!desk->internal) {
		supervisor_post(desk->supervisor, SERVICE_WEB, &message, NULL, 0);
	}
}

void tell_switched(const struct session *session, const struct desk *desk) {
	if (!session->internal) {
		struct ipc_message message = event_message(session->id, TOLD_SWITCHED, 0, NULL);
		message.told_event.other = desk->id;
		supervisor_post(session->supervisor, SERVICE_WEB, &message, NULL, 0);
	}
}

void tell_pull(struct supervisor *supervisor, uint64_t desk, enum ipc_event event, bool well,
		const char *image) {
	struct ipc_message message = event_message(desk, event, well, image);
	supervisor_post(supervisor, SERVICE_WEB, &message, NULL, 0);
}

void tell_ping(const struct session *session, enum ipc_flow flow, const struct address *address) {
	if (flow == FLOW_CONTROL || session->internal) {
		return;
	}
	struct ipc_message message = event_message(session->id,
			flow == FLOW_VIDEO ? TOLD_VIDEO_PING : TOLD_AUDIO_PING, 0, NULL);
	message.told_event.address = *address;
	supervisor_post(session->supervisor, SERVICE_WEB, &message, NULL, 0);
}

static void tell_incident(struct supervisor *supervisor, const struct incident *incident) {
	struct ipc_message message = { .kind = IPC_TOLD_EVENT,
		.told_event = { .event = TOLD_INCIDENT,
				.session = incident->session,
				.number = (int32_t)incident->number,
				.reason = incident->reason } };
	text_format(message.told_event.detail, sizeof(message.told_event.detail), "%s %s",
			ipc_peer_name(incident->kind), incident_what_name(incident->what));
	supervisor_post(supervisor, SERVICE_WEB, &message, NULL, 0);
}

void tell_incidents(struct supervisor *supervisor) {
	struct incidents *incidents = &supervisor->evidence.incidents;
	uint32_t oldest = incidents->count < INCIDENTS_KEPT ? 0 : incidents->count - INCIDENTS_KEPT;
	uint32_t told = supervisor->incidents_told;
	for (told = told < oldest ? oldest : told; told < incidents->count; told++) {
		const struct incident *incident = incidents_find(incidents, told + 1);
		if (incident) {
			tell_incident(supervisor, incident);
		}
	}
	supervisor->incidents_told = incidents->count;
}

void tell_health(struct supervisor *supervisor) {
	struct ipc_message message = { .kind = IPC_TOLD_EVENT,
		.told_event = { .event = TOLD_HEALTH, .number = supervisor->health.ready } };
	text_format(message.told_event.detail, sizeof(message.told_event.detail), "%s%s%s",
			supervisor->health.leg, supervisor->health.leg[0] ? ": " : "",
			supervisor->health.words);
	supervisor_post(supervisor, SERVICE_WEB, &message, NULL, 0);
}
