/* SPDX-License-Identifier: MIT */
#include "supervisor/desk_door.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/app_plan.h"
#include "supervisor/desk.h"
#include "supervisor/keep.h"
#include "supervisor/launcher.h"
#include "supervisor/lobby.h"
#include "supervisor/session.h"
#include "supervisor/status_line.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

static void give(const struct desk *desk) {
	struct ipc_message message = { .kind = IPC_GATE_DESK,
		.gate_desk = { .desk = desk->id, .launcher = launcher_is_on(desk) } };
	if (desk->door_fd >= 0) {
		supervisor_post(desk->supervisor, SERVICE_WEB, &message, &desk->door_fd, 1);
	}
}

void desk_door_open(struct desk *desk) {
	char path[160];
	if (desk->internal) {
		return;
	}
	text_format(path, sizeof(path), "%s/" DESK_DOOR_SOCKET, desk->runtime);
	int fd = app_plan_listen(desk, path);
	if (fd < 0) {
		log_error("desk-door", "session=%016llx error=%s", (unsigned long long)desk->id,
				log_quote(strerror(-fd)).text);
		return;
	}
	desk->door_fd = fd;
	keep_put(&desk->supervisor->keep, fd, "s%016llx.door", (unsigned long long)desk->id);
	give(desk);
}

void desk_door_restore(struct desk *desk) {
	desk->door_fd = keep_take(
			&desk->supervisor->keep, "s%016llx.door", (unsigned long long)desk->id);
}

void desk_door_give_all(struct supervisor *supervisor) {
	/* It forgets those of which nobody told it that they are no more. */
	struct ipc_message none = { .kind = IPC_GATE_DESK_GONE, .gate_desk.desk = GATE_DESK_ALL };
	supervisor_post(supervisor, SERVICE_WEB, &none, NULL, 0);
	for (const struct desk *at = supervisor->desks; at; at = at->next) {
		give(at);
	}
}

void desk_door_close(struct desk *desk) {
	if (desk->door_fd >= 0) {
		struct ipc_message message = { .kind = IPC_GATE_DESK_GONE,
			.gate_desk.desk = desk->id };
		supervisor_post(desk->supervisor, SERVICE_WEB, &message, NULL, 0);
		fd_release(&desk->door_fd);
	}
}

bool desk_door_is_there(const struct desk *desk) {
	return desk->door_fd >= 0;
}

/* ---- what it tells ---- */

static void tell_desk(const struct desk *desk, uint32_t request) {
	const struct lobby *lobby = lobby_of_desk(desk);
	status_line(desk->supervisor, request,
			"{\"what\":\"desktop\",\"app\":%s,\"width\":%u,\"height\":%u,"
			"\"rate_mhz\":%u,\"channels\":%u,\"ready\":%s,\"lobby\":%s}",
			status_json(desk->app->title).text, desk->width, desk->height,
			desk->rate_mhz, desk->channels, desk->desktop_ready ? "true" : "false",
			status_json(lobby ? lobby->name : "").text);
}

static void tell_viewer(const struct session *session, uint32_t request) {
	const struct view *view = session->view;
	const struct ipc_message *stats = &session->stats;
	bool known = stats->kind == IPC_STREAM_STATS;
	status_line(session->supervisor, request,
			"{\"what\":\"viewer\",\"name\":%s,\"may_input\":%s,\"width\":%u,"
			"\"height\":%u,\"pictures\":%llu,\"age_p50_us\":%u,\"age_p99_us\":%u,"
			"\"hand_p50_us\":%u,\"hand_p99_us\":%u,\"loss_ppm\":%u}",
			status_json(session->client_name).text,
			view->now.may_input ? "true" : "false", view->params.width,
			view->params.height,
			(unsigned long long)(known ? stats->stream_stats.pictures : 0),
			known ? stats->stream_stats.age_p50_us : 0,
			known ? stats->stream_stats.age_p99_us : 0,
			known ? stats->stream_stats.hand_p50_us : 0,
			known ? stats->stream_stats.hand_p99_us : 0,
			known ? stats->stream_stats.loss_ppm : 0);
}

bool desk_door_answers(struct supervisor *supervisor, uint32_t request, const char *filter) {
	static const char word[] = "desk ";
	uint8_t id[8];
	if (strncmp(filter, word, sizeof(word) - 1) != 0) {
		return false;
	}
	const char *digits = filter + sizeof(word) - 1;
	const struct desk *desk = NULL;
	if (strlen(digits) == 2 * sizeof(id) && hex_decode(digits, 2 * sizeof(id), id) == 0) {
		struct reader reader = reader_over(id, sizeof(id));
		desk = desk_find(supervisor, reader_be64(&reader));
	}
	if (desk) {
		tell_desk(desk, request);
	}
	for (const struct session *at = supervisor->sessions; desk && at; at = at->next) {
		if (at->view && at->view->now.desk == desk && !at->internal) {
			tell_viewer(at, request);
		}
	}
	status_end(supervisor, request);
	return true;
}
