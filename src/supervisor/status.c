/* SPDX-License-Identifier: MIT */
#include "supervisor/status.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"
#include "ipc/reason.h"
#include "supervisor/desk_door.h"
#include "supervisor/doors.h"
#include "supervisor/lobby.h"
#include "supervisor/services.h"
#include "supervisor/session.h"
#include "supervisor/status_line.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

enum {
	COUNTERS_SHOWN = 27, /* the highest that a kind of worker has */
};

static void send_host(struct supervisor *supervisor, uint32_t request) {
	char address[80];
	doors_host_address(supervisor, address, sizeof(address));
	status_line(supervisor, request,
			"{\"what\":\"host\",\"name\":%s,\"version\":\"%s\",\"address\":%s,"
			"\"http_port\":%u,\"web_port\":%u,\"uptime_s\":%llu,\"sessions\":%u,"
			"\"sessions_max\":%u,\"processes\":%u,\"starts\":%llu,\"lost\":%llu,"
			"\"hung\":%llu,\"fenced\":%llu,\"written_off\":%llu,\"starved\":%llu,"
			"\"late\":%llu,\"corpses\":%u,\"incidents\":%u,\"codecs\":%u,\"log\":%s,"
			"\"state\":%s,"
			"\"user\":%u,\"successions\":%u}",
			status_json(doors_host_name(supervisor)).text, perigee_version(),
			status_json(address).text, supervisor->config.ports.http,
			supervisor->config.ports.web,
			(unsigned long long)((clock_now_ms() - supervisor->begun_ms) / 1000),
			supervisor->sessions_count, supervisor->config.sessions_max,
			supervisor->nursery.count, (unsigned long long)supervisor->nursery.starts,
			(unsigned long long)supervisor->nursery.lost,
			(unsigned long long)supervisor->nursery.hung,
			(unsigned long long)supervisor->nursery.fenced,
			(unsigned long long)supervisor->nursery.written_off,
			(unsigned long long)supervisor->nursery.starved,
			(unsigned long long)supervisor->nursery.late,
			supervisor->nursery.corpses_count, supervisor->evidence.incidents.count,
			supervisor->codecs, status_json(supervisor->paths.log).text,
			status_json(supervisor->paths.state).text, supervisor->paths.uid,
			supervisor->successions);
}

/* Of which something runs, and how the newest upgrade went. */
static void send_versions(struct supervisor *supervisor, uint32_t request) {
	const struct versions *versions = &supervisor->versions;
	status_line(supervisor, request, "{\"what\":\"holder\",\"pid\":%d,\"version\":%s}",
			supervisor->keep.hold_pid, status_json(supervisor->keep.hold_build).text);
	for (const struct programs *at = versions->first; at; at = at->next) {
		status_line(supervisor, request,
				"{\"what\":\"version\",\"number\":%u,\"version\":%s,\"current\":%s,"
				"\"processes\":%u,\"folders\":%s}",
				at->number, status_json(at->version).text,
				at == versions->current ? "true" : "false",
				versions_count(&supervisor->nursery, at->number),
				status_json(at->folders).text);
	}
	const typeof(supervisor->upgrade.record.ledger_upgrade) *record =
			&supervisor->upgrade.record.ledger_upgrade;
	if (record->to) {
		uint64_t end_ms = record->ended_ms ? record->ended_ms : clock_now_ms();
		status_line(supervisor, request,
				"{\"what\":\"upgrade\",\"number\":%u,\"phase\":\"%s\","
				"\"old_version\":%s,\"new_version\":%s,\"reason\":\"%s\","
				"\"detail\":%s,\"took_ms\":%llu}",
				record->to, upgrade_phase_name((enum upgrade_phase)record->phase),
				status_json(record->old_version).text,
				status_json(record->new_version).text,
				reason_row(record->reason)->name, status_json(record->detail).text,
				(unsigned long long)(end_ms - record->begun_ms));
	}
}

/* Whether a session can start, and when that is tried next. */
static void send_health(struct supervisor *supervisor, uint32_t request) {
	const struct health *health = &supervisor->health;
	const struct ready *ready = &supervisor->ready;
	uint64_t now_ms = clock_now_ms(), next_ms = ready->breaker.next_ms;
	status_line(supervisor, request,
			"{\"what\":\"health\",\"alive\":%s,\"ready\":%s,\"leg\":%s,\"detail\":%s,"
			"\"launches\":\"%s\",\"trials_passed\":%llu,\"trials_failed\":%llu,"
			"\"proof_age_s\":%lld,\"next_trial_s\":%lld}",
			health->alive ? "true" : "false", health->ready ? "true" : "false",
			status_json(health->leg).text, status_json(health->words).text,
			breaker_state_name(ready->breaker.state),
			(unsigned long long)ready->results[TRIAL_PASSED],
			(unsigned long long)ready->results[TRIAL_FAILED],
			ready->proven_ms ? (long long)((now_ms - ready->proven_ms) / 1000) : -1LL,
			next_ms > now_ms ? (long long)((next_ms - now_ms) / 1000) : -1LL);
}

static void send_encoders(struct supervisor *supervisor, uint32_t request) {
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		const struct ipc_message *probed = &supervisor->probed[i];
		status_line(supervisor, request,
				"{\"what\":\"encoder\",\"name\":%s,\"works\":%s,\"codecs\":%u,"
				"\"reference_invalidation\":%s,\"first_us\":%u,\"detail\":%s}",
				status_json(probed->encoder_probed.name).text,
				probed->encoder_probed.mask ? "true" : "false",
				probed->encoder_probed.mask,
				probed->encoder_probed.reference_invalidation ? "true" : "false",
				probed->encoder_probed.first_us,
				status_json(probed->encoder_probed.detail).text);
	}
}

static void send_confinement(struct supervisor *supervisor, uint32_t request) {
	const struct confine_support *support = &supervisor->confinement;
	char missing[sizeof(support->missing) + sizeof(supervisor->cgroups.missing)];
	text_format(missing, sizeof(missing), "%s%s", support->missing,
			supervisor->cgroups.missing);
	status_line(supervisor, request,
			"{\"what\":\"confinement\",\"landlock\":%d,\"seccomp\":%s,\"mount_"
			"namespaces\":%s,\"cgroup_version\":%d,"
			"\"other_user\":%s,\"missing\":%s}",
			support->landlock, support->seccomp ? "true" : "false",
			support->veils ? "true" : "false", supervisor->cgroups.version,
			supervisor->paths.is_root ? "true" : "false", status_json(missing).text);
}

static void send_apps(struct supervisor *supervisor, uint32_t request) {
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		const struct app *app = &supervisor->apps.list[i];
		if (app->hidden) {
			continue;
		}
		status_line(supervisor, request,
				"{\"what\":\"app\",\"id\":%d,\"title\":%s,\"installed\":%s,"
				"\"why_not\":%s}",
				app->id, status_json(app->title).text,
				app->installed ? "true" : "false", status_json(app->why_not).text);
	}
}

static void send_session(
		struct supervisor *supervisor, uint32_t request, const struct session *session) {
	const struct ipc_message *stats = &session->stats;
	bool known = stats->kind == IPC_STREAM_STATS;
	status_line(supervisor, request,
			"{\"what\":\"session\",\"id\":\"%016llx\",\"app\":%s,\"client\":%s,"
			"\"state\":\"%s\",\"width\":%u,\"height\":%u,\"rate_mhz\":%u,"
			"\"uptime_s\":%llu,\"processes\":%u,\"pictures\":%llu,\"key_frames\":%llu,"
			"\"packets\":%llu,\"age_p50_us\":%u,\"age_p99_us\":%u,\"hand_p50_us\":%u,"
			"\"hand_p99_us\":%u,\"loss_ppm\":%u,"
			"\"dropped\":%llu,\"reason\":\"%s\",\"internal\":%s,\"doing\":%s,"
			"\"lobby\":\"%s\",\"member\":\"%s\",\"line\":\"%s\","
			"\"recoveries\":%llu}",
			(unsigned long long)session->id, status_json(session->app->title).text,
			status_json(session->client_name).text,
			life_state_name(session->life.state), session->desk->width,
			session->desk->height, session->desk->rate_mhz,
			(unsigned long long)((clock_now_ms() - session->launched_ms) / 1000),
			session->children + session->desk->children,
			(unsigned long long)(known ? stats->stream_stats.pictures : 0),
			(unsigned long long)(known ? stats->stream_stats.key_frames : 0),
			(unsigned long long)(known ? stats->stream_stats.video_packets : 0),
			known ? stats->stream_stats.age_p50_us : 0,
			known ? stats->stream_stats.age_p99_us : 0,
			known ? stats->stream_stats.hand_p50_us : 0,
			known ? stats->stream_stats.hand_p99_us : 0,
			known ? stats->stream_stats.loss_ppm : 0,
			(unsigned long long)(child_counter(session->desk->desktop,
							     PULSE_DESKTOP_SKIPPED) +
					     child_counter(session->desk->desktop,
							     PULSE_DESKTOP_REPLACED)),
			reason_row(session->reason)->name, session->internal ? "true" : "false",
			status_json(session->desk->app_doing).text,
			session->member.lobby ? session->member.lobby->id : "",
			member_state_name(session->member.state),
			session->view ? line_state_name(session->view->line.state) : "",
			(unsigned long long)(known ? stats->stream_stats.recoveries : 0));
}

static void send_process(
		struct supervisor *supervisor, uint32_t request, const struct child *child) {
	struct pulse_view view = { 0 };
	char counters[540] = "";
	const struct programs *programs = versions_find(&supervisor->versions, child->version);
	if (child->pulse.map) {
		const struct pulse *pulse = (const struct pulse *)(const void *)child->pulse.map;
		pulse_look(pulse, &view);
		size_t used = 0;
		for (unsigned i = 0; i < COUNTERS_SHOWN && used + 24 < sizeof(counters); i++) {
			text_format(counters + used, sizeof(counters) - used, "%s%llu",
					i ? "," : "", (unsigned long long)pulse->counters[i]);
			used = strlen(counters);
		}
	}
	status_line(supervisor, request,
			"{\"what\":\"process\",\"worker\":%u,\"kind\":\"%s\",\"name\":%s,\"pid\":%"
			"d,\"version\":%s,"
			"\"session\":\"%016llx\",\"uptime_s\":%llu,\"beats\":%llu,"
			"\"operation\":\"%s\",\"lag_max_us\":%llu,\"slow\":%llu,\"refused\":%u,"
			"\"counters\":[%s]}",
			child->id, ipc_peer_name(child->kind), status_json(child->name).text,
			child->pid, status_json(programs ? programs->version : "").text,
			(unsigned long long)child->session,
			(unsigned long long)((clock_now_ns() - child->begun_ns) / NS_PER_S),
			(unsigned long long)view.beats, pulse_operation_name(view.operation),
			(unsigned long long)(view.lag_max_ns / NS_PER_US),
			(unsigned long long)view.slow, view.refused, counters);
}

/* How many more of the usual forms fit beside those that run. */
static void send_admission(struct supervisor *supervisor, uint32_t request) {
	static const struct admission_form forms[] = { { 1280, 720, 60000 }, { 1920, 1080, 60000 },
		{ 2560, 1440, 60000 }, { 3840, 2160, 60000 } };
	const struct admission_costs *costs = &supervisor->weigh.costs;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct admission_answer answer;
		weigh_admit(supervisor, NULL, NULL, 0, &forms[i], &answer);
		status_line(supervisor, request,
				"{\"what\":\"admission\",\"width\":%u,\"height\":%u,\"fps\":%u,"
				"\"used\":%u,\"capacity\":%u,\"short\":\"%s\",\"processor\":%s,"
				"\"processor_needs_milli\":%u,\"processor_used_milli\":%u,"
				"\"processor_milli\":%u,\"memory_needs_mb\":%llu,"
				"\"memory_free_mb\":%llu,\"sessions_max\":%u,\"per_client\":%u,"
				"\"refused\":%llu}",
				forms[i].width, forms[i].height, forms[i].rate_mhz / 1000,
				answer.used, answer.capacity, admission_short_name(answer.what),
				supervisor->config.limit_processor ? "\"measured\"" : "\"off\"",
				answer.processor_needs_milli, answer.processor_used_milli,
				answer.processor_milli,
				(unsigned long long)(answer.memory_needs >> 20),
				(unsigned long long)(answer.memory_free >> 20),
				supervisor->config.sessions_max, supervisor->config.per_client_max,
				(unsigned long long)supervisor->weigh.refused);
	}
	for (unsigned i = 0; i < costs->encoders_count; i++) {
		const struct admission_encoder *encoder = &costs->encoders[i];
		status_line(supervisor, request,
				"{\"what\":\"cost\",\"encoder\":%s,\"encode_ns_per_kpx\":%u,"
				"\"probed_ns_per_kpx\":%u,\"device_ns_per_kpx\":%u,"
				"\"device_sessions\":%u,\"rest_ns_per_kpx\":%u,"
				"\"sound_milli\":%u,\"session_mb\":%llu}",
				status_json(encoder->name).text, encoder->ns_per_kpx,
				encoder->probed_ns_per_kpx, encoder->device_ns_per_kpx,
				encoder->sessions, costs->rest_ns_per_kpx, costs->sound_milli,
				(unsigned long long)(costs->memory >> 20));
	}
}

static void send_incident(
		struct supervisor *supervisor, uint32_t request, const struct incident *incident) {
	time_t when = (time_t)incident->time_s;
	struct tm utc;
	char time_text[24];
	gmtime_r(&when, &utc);
	strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	status_line(supervisor, request,
			"{\"what\":\"incident\",\"number\":%u,\"time\":\"%s\",\"kind\":\"%s\","
			"\"incident\":\"%s\",\"reason\":\"%s\",\"detail\":%s,\"worker\":%u,"
			"\"pid\":%d,\"session\":\"%016llx\",\"evidence\":\"%s\",\"entry\":%s}",
			incident->number, time_text, ipc_peer_name(incident->kind),
			incident_what_name(incident->what), reason_row(incident->reason)->name,
			status_json(incident->detail).text, incident->worker, incident->pid,
			(unsigned long long)incident->session,
			incident_evidence_name(incident->evidence),
			status_json(incident->entry).text);
}

static void send_incidents(struct supervisor *supervisor, uint32_t request) {
	status_line(supervisor, request,
			"{\"what\":\"evidence\",\"folder\":%s,\"written\":%llu,\"failed\":%llu,"
			"\"on_hang\":\"%s\",\"snapshots\":\"%s\"}",
			status_json(supervisor->evidence.folder).text,
			(unsigned long long)supervisor->evidence.written,
			(unsigned long long)supervisor->evidence.failed,
			supervisor->evidence.keep_hung ? "keep" : "replace",
			supervisor->evidence.snapshots ? "hourly" : "off");
	struct incidents *incidents = &supervisor->evidence.incidents;
	uint32_t first = incidents->count < INCIDENTS_KEPT ? 1
							   : incidents->count - INCIDENTS_KEPT + 1;
	for (uint32_t number = first; number <= incidents->count; number++) {
		const struct incident *incident = incidents_find(incidents, number);
		if (incident) {
			send_incident(supervisor, request, incident);
		}
	}
}

static void send_corpse(
		struct supervisor *supervisor, uint32_t request, const struct child *corpse) {
	status_line(supervisor, request,
			"{\"what\":\"corpse\",\"worker\":%u,\"kind\":\"%s\",\"name\":%s,\"pid\":%d,"
			"\"session\":\"%016llx\",\"reason\":\"%s\",\"kept\":%s,\"written_off\":%s}",
			corpse->id, ipc_peer_name(corpse->kind), status_json(corpse->name).text,
			corpse->pid, (unsigned long long)corpse->session,
			reason_row(corpse->end.reason)->name, corpse->kept ? "true" : "false",
			corpse->end.written_off ? "true" : "false");
}

static void send_lobby(struct supervisor *supervisor, uint32_t request, const struct lobby *lobby) {
	status_line(supervisor, request,
			"{\"what\":\"lobby\",\"id\":\"%s\",\"desk\":\"%016llx\",\"name\":%s,"
			"\"state\":\"%s\",\"members\":%u,\"width\":%u,\"height\":%u,"
			"\"rate_mhz\":%u,\"multi_user\":%s,\"pin\":%s,\"uptime_s\":%llu,"
			"\"processes\":%u}",
			lobby->id, (unsigned long long)lobby->desk->id,
			status_json(lobby->name).text, lobby_life_state_name(lobby->life.state),
			lobby_members(lobby), lobby->desk->width, lobby->desk->height,
			lobby->desk->rate_mhz, lobby->flags & LOBBY_MULTI_USER ? "true" : "false",
			lobby->pin.text[0] ? "true" : "false",
			(unsigned long long)((clock_now_ms() - lobby->created_ms) / 1000),
			lobby->desk->children);
}

static void send_encodings(
		struct supervisor *supervisor, uint32_t request, const struct desk *desk) {
	for (const struct encoding *at = desk->encodings; at; at = at->next) {
		const struct ipc_encoding *form = &at->form.pictures;
		status_line(supervisor, request,
				"{\"what\":\"encoding\",\"desk\":\"%016llx\",\"part\":\"%s\","
				"\"viewers\":%u,\"name\":%s,\"width\":%u,\"height\":%u,"
				"\"rate_x100\":%u,\"kbps\":%u,\"own\":%s}",
				(unsigned long long)desk->id, encoding_part(at->kind),
				encoding_members(at), status_json(at->name).text, form->width,
				form->height, form->rate_x100,
				at->kind == ENCODING_PICTURES ? form->bitrate_kbps
							      : at->form.bitrate_bps / 1000,
				at->own ? "true" : "false");
	}
}

/* What was started again, what waits for its next try, what is given up. */
static void send_restarts(struct supervisor *supervisor, uint32_t request, uint64_t session,
		const char *part, const struct restarts *restarts) {
	if (restarts->total == 0) {
		return;
	}
	uint64_t now_ms = clock_now_ms();
	uint64_t next_ms = restarts->next_ms > now_ms ? restarts->next_ms - now_ms : 0;
	status_line(supervisor, request,
			"{\"what\":\"restart\",\"session\":\"%016llx\",\"part\":\"%s\","
			"\"times\":%u,\"last_minute\":%u,\"reason\":\"%s\","
			"\"next_try_ms\":%llu,\"given_up\":%s}",
			(unsigned long long)session, part, restarts->total,
			restarts_recent(restarts, now_ms), reason_row(restarts->reason)->name,
			(unsigned long long)next_ms, restarts->given_up ? "true" : "false");
}

/* What the app printed last, and what who watches is told instead of a picture of it. */
static void send_output(struct supervisor *supervisor, uint32_t request, const struct desk *desk) {
	const struct notice *notice = &desk->notice;
	if (!notice->lines[0] && notice->life.state == NOTICE_OFF) {
		return;
	}
	status_line(supervisor, request,
			"{\"what\":\"output\",\"session\":\"%016llx\",\"notice\":\"%s\","
			"\"lines\":%s}",
			(unsigned long long)desk->id, notice_state_name(notice->life.state),
			status_json(notice->lines).text);
}

static void send_session_restarts(
		struct supervisor *supervisor, uint32_t request, const struct session *session) {
	for (const struct encoding *at = session->desk->encodings; at; at = at->next) {
		send_restarts(supervisor, request, session->id, encoding_part(at->kind),
				&at->place.restarts);
	}
	if (session->view) {
		send_restarts(supervisor, request, session->id, "stream",
				&session->view->stream.restarts);
	}
	send_restarts(supervisor, request, session->id, "desktop",
			&session->desk->desktop_restarts);
	send_restarts(supervisor, request, session->id, "runner", &session->desk->runner_restarts);
	send_restarts(supervisor, request, session->id, "sound-server",
			&session->desk->sound_restarts);
}

static void send_service_restarts(struct supervisor *supervisor, uint32_t request) {
	uint64_t now_ms = clock_now_ms();
	for (int i = 0; i < SERVICES; i++) {
		const struct service *service = &supervisor->services[i];
		if (service->restarts == 0) {
			continue;
		}
		uint64_t next_ms = service->next_ms > now_ms ? service->next_ms - now_ms : 0;
		status_line(supervisor, request,
				"{\"what\":\"restart\",\"session\":\"\",\"part\":\"%s\","
				"\"times\":%llu,\"in_a_row\":%u,\"reason\":\"%s\","
				"\"next_try_ms\":%llu,\"given_up\":false}",
				services_name(service), (unsigned long long)service->restarts,
				service->failures, reason_row(service->reason)->name,
				(unsigned long long)next_ms);
	}
}

/* Only when it is asked for: much, and seldom of interest. */
static void send_config(struct supervisor *supervisor, uint32_t request) {
	const struct config *config = &supervisor->config;
	status_line(supervisor, request, "{\"what\":\"config\",\"key\":\"\",\"file\":%s}",
			status_json(config->file ? config->file : "").text);
	for (size_t i = 0; i < config_keys_count(); i++) {
		char value[CONFIG_VALUE_MAX];
		config_key_show(config, i, value);
		status_line(supervisor, request,
				"{\"what\":\"config\",\"key\":\"%s\",\"value\":%s,\"from\":\"%s\","
				"\"live\":%s}",
				config_key_name(i), status_json(value).text,
				config_from_name((enum config_from)config->from[i]),
				config_key_is_live(i) ? "true" : "false");
	}
	status_end(supervisor, request);
}

void status_answer(struct supervisor *supervisor, uint32_t request, const char *filter) {
	if (strcmp(filter, "config") == 0) {
		send_config(supervisor, request);
		return;
	}
	if (desk_door_answers(supervisor, request, filter)) {
		return;
	}
	send_host(supervisor, request);
	send_versions(supervisor, request);
	send_health(supervisor, request);
	send_encoders(supervisor, request);
	send_confinement(supervisor, request);
	send_apps(supervisor, request);
	send_admission(supervisor, request);
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		send_session(supervisor, request, at);
		send_session_restarts(supervisor, request, at);
	}
	for (struct lobby *at = supervisor->lobbies; at; at = at->next) {
		send_lobby(supervisor, request, at);
	}
	for (struct desk *at = supervisor->desks; at; at = at->next) {
		send_output(supervisor, request, at);
		send_encodings(supervisor, request, at);
	}
	for (struct child *at = supervisor->nursery.first; at; at = at->next) {
		send_process(supervisor, request, at);
	}
	for (struct child *at = supervisor->nursery.corpses; at; at = at->next) {
		send_corpse(supervisor, request, at);
	}
	send_incidents(supervisor, request);
	send_service_restarts(supervisor, request);
	status_end(supervisor, request);
}
