/* SPDX-License-Identifier: MIT */
#include "supervisor/status.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/doors.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

enum {
	COUNTERS_SHOWN = 27, /* the highest that a kind of worker has */
};

struct json_text {
	char text[300];
};

/* text as a JSON string with its quotes; what is not printable becomes '?'. */
static struct json_text json(const char *text) {
	struct json_text out;
	char *at = out.text, *end = out.text + sizeof(out.text) - 4;
	*at++ = '"';
	for (; *text && at < end; text++) {
		if (*text == '"' || *text == '\\') {
			*at++ = '\\';
			*at++ = *text;
		} else {
			*at++ = (unsigned char)*text < 0x20 ? '?' : *text;
		}
	}
	*at++ = '"';
	*at = '\0';
	return out;
}

static void send_line(struct supervisor *supervisor, uint32_t request, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

static void send_line(struct supervisor *supervisor, uint32_t request, const char *format, ...) {
	struct ipc_message line = { .kind = IPC_STATUS_LINE, .status_line.request = request };
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line.status_line.line, sizeof(line.status_line.line), format, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(line.status_line.line)) {
		supervisor_post(supervisor, SERVICE_WEB, &line, NULL, 0);
	}
}

static void send_host(struct supervisor *supervisor, uint32_t request) {
	char address[80];
	doors_host_address(supervisor, address, sizeof(address));
	send_line(supervisor, request,
			"{\"what\":\"host\",\"name\":%s,\"version\":\"%s\",\"address\":%s,"
			"\"http_port\":%u,\"web_port\":%u,\"uptime_s\":%llu,\"sessions\":%u,"
			"\"sessions_max\":%u,\"processes\":%u,\"starts\":%llu,\"lost\":%llu,"
			"\"hung\":%llu,\"codecs\":%u,\"log\":%s,\"state\":%s,\"user\":%u}",
			json(doors_host_name(supervisor)).text, PERIGEE_VERSION, json(address).text,
			supervisor->config.ports.http, supervisor->config.ports.web,
			(unsigned long long)((clock_now_ms() - supervisor->begun_ms) / 1000),
			supervisor->sessions_count, supervisor->config.sessions_max,
			supervisor->nursery.count, (unsigned long long)supervisor->nursery.starts,
			(unsigned long long)supervisor->nursery.lost,
			(unsigned long long)supervisor->nursery.hung, supervisor->codecs,
			json(supervisor->paths.log).text, json(supervisor->paths.state).text,
			supervisor->paths.uid);
}

static void send_encoders(struct supervisor *supervisor, uint32_t request) {
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		const struct ipc_message *probed = &supervisor->probed[i];
		send_line(supervisor, request,
				"{\"what\":\"encoder\",\"name\":%s,\"works\":%s,\"codecs\":%u,"
				"\"reference_invalidation\":%s,\"first_us\":%u,\"detail\":%s}",
				json(probed->encoder_probed.name).text,
				probed->encoder_probed.mask ? "true" : "false",
				probed->encoder_probed.mask,
				probed->encoder_probed.reference_invalidation ? "true" : "false",
				probed->encoder_probed.first_us,
				json(probed->encoder_probed.detail).text);
	}
}

static void send_apps(struct supervisor *supervisor, uint32_t request) {
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		const struct app *app = &supervisor->apps.list[i];
		send_line(supervisor, request,
				"{\"what\":\"app\",\"id\":%d,\"title\":%s,\"installed\":%s,"
				"\"why_not\":%s}",
				app->id, json(app->title).text, app->installed ? "true" : "false",
				json(app->why_not).text);
	}
}

static void send_session(
		struct supervisor *supervisor, uint32_t request, const struct session *session) {
	const struct ipc_message *stats = &session->stats;
	bool known = stats->kind == IPC_STREAM_STATS;
	send_line(supervisor, request,
			"{\"what\":\"session\",\"id\":\"%016llx\",\"app\":%s,\"client\":%s,"
			"\"state\":\"%s\",\"width\":%u,\"height\":%u,\"rate_mhz\":%u,"
			"\"uptime_s\":%llu,\"processes\":%u,\"pictures\":%llu,\"key_frames\":%llu,"
			"\"packets\":%llu,\"age_p50_us\":%u,\"age_p99_us\":%u,\"hand_p50_us\":%u,"
			"\"hand_p99_us\":%u,\"loss_ppm\":%u,\"reason\":\"%s\"}",
			(unsigned long long)session->id, json(session->app->title).text,
			json(session->client_name).text, life_state_name(session->life.state),
			session->width, session->height, session->rate_mhz,
			(unsigned long long)((clock_now_ms() - session->launched_ms) / 1000),
			session->children,
			(unsigned long long)(known ? stats->stream_stats.pictures : 0),
			(unsigned long long)(known ? stats->stream_stats.key_frames : 0),
			(unsigned long long)(known ? stats->stream_stats.video_packets : 0),
			known ? stats->stream_stats.age_p50_us : 0,
			known ? stats->stream_stats.age_p99_us : 0,
			known ? stats->stream_stats.hand_p50_us : 0,
			known ? stats->stream_stats.hand_p99_us : 0,
			known ? stats->stream_stats.loss_ppm : 0,
			reason_row(session->reason)->name);
}

static void send_process(
		struct supervisor *supervisor, uint32_t request, const struct child *child) {
	struct pulse_view view = { 0 };
	char counters[560] = "";
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
	send_line(supervisor, request,
			"{\"what\":\"process\",\"worker\":%u,\"kind\":\"%s\",\"name\":%s,\"pid\":%"
			"d,"
			"\"session\":\"%016llx\",\"uptime_s\":%llu,\"beats\":%llu,"
			"\"operation\":\"%s\",\"lag_max_us\":%llu,\"counters\":[%s]}",
			child->id, ipc_peer_name(child->kind), json(child->name).text, child->pid,
			(unsigned long long)child->session,
			(unsigned long long)((clock_now_ns() - child->begun_ns) / NS_PER_S),
			(unsigned long long)view.beats, pulse_operation_name(view.operation),
			(unsigned long long)(view.lag_max_ns / NS_PER_US), counters);
}

void status_answer(struct supervisor *supervisor, uint32_t request) {
	send_host(supervisor, request);
	send_encoders(supervisor, request);
	send_apps(supervisor, request);
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		send_session(supervisor, request, at);
	}
	for (struct child *at = supervisor->nursery.first; at; at = at->next) {
		send_process(supervisor, request, at);
	}
	struct ipc_message end = { .kind = IPC_STATUS_END, .status_line.request = request };
	supervisor_post(supervisor, SERVICE_WEB, &end, NULL, 0);
}
