/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/app_plan.h"
#include "supervisor/desk_door.h"
#include "supervisor/lobby_inside.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/session_app.h"
#include "supervisor/session_parts.h"
#include "supervisor/supervisor.h"

/* What a supervisor that takes over must know and have of a lobby: the request that it
 * was made by (without what runs: lobby_runner.c), and what became of it. Who is in it is seen by
 * the views' seats. */

static void write_create(const struct lobby *lobby) {
	const struct desk *desk = lobby->desk;
	struct ipc_message message = {
		.kind = IPC_LOBBY_CREATE,
		.lobby_create = { .request = lobby->request,
				.flags = lobby->flags,
				.width = desk->width,
				.height = desk->height,
				.rate_x100 = desk->rate_mhz / 10,
				.channels = desk->channels,
				.app = desk->app->id,
				.run_uid = desk->run_uid,
				.run_gid = desk->run_gid },
	};
	typeof(message.lobby_create) *out = &message.lobby_create;
	memcpy(out->client, lobby->client, sizeof(out->client));
	text_copy(out->name, sizeof(out->name), lobby->name);
	text_copy(out->icon, sizeof(out->icon), lobby->icon);
	text_copy(out->owner, sizeof(out->owner), lobby->owner);
	text_copy(out->pin, sizeof(out->pin), lobby->pin.text);
	text_copy(out->state_folder, sizeof(out->state_folder), desk->state_folder);
	record_note(lobby->supervisor, desk->id, &message);
	explicit_bzero(out->pin, sizeof(out->pin));
}

void lobby_write(const struct lobby *lobby) {
	const struct desk *desk = lobby->desk;
	struct ipc_message message = {
		.kind = IPC_LEDGER_LOBBY,
		.ledger_lobby = { .desk = desk->id,
				.state = (uint8_t)lobby->life.state,
				.created_ms = lobby->created_ms,
				.deadline_ms = lobby->life.deadline_ms,
				.grace_ms = lobby->life.grace_ms,
				.app_pid = desk->app_pid,
				.desktop_ready = desk->desktop_ready,
				.reason = lobby->reason,
				.create_pending = lobby->create_pending },
	};
	typeof(message.ledger_lobby) *out = &message.ledger_lobby;
	text_copy(out->lobby, sizeof(out->lobby), lobby->id);
	text_copy(out->runtime, sizeof(out->runtime), desk->runtime);
	text_copy(out->sound_server, sizeof(out->sound_server), desk->sound_server);
	text_copy(out->x_display, sizeof(out->x_display), desk->x_display);
	text_copy(out->detail, sizeof(out->detail), lobby->detail);
	write_create(lobby);
	record_note(lobby->supervisor, desk->id, &message);
}

static void fill_desk(struct lobby *lobby, const struct ipc_message *record,
		const struct ipc_message *create) {
	const typeof(record->ledger_lobby) *from = &record->ledger_lobby;
	struct desk *desk = lobby->desk;
	unsigned long long id = desk->id;
	lobby_name_home(lobby);
	desk->run_uid = create->lobby_create.run_uid;
	desk->run_gid = create->lobby_create.run_gid;
	desk->width = create->lobby_create.width;
	desk->height = create->lobby_create.height;
	desk->rate_mhz = create->lobby_create.rate_x100 * 10;
	desk->channels = create->lobby_create.channels;
	desk->app_pid = from->app_pid;
	desk->desktop_ready = from->desktop_ready;
	desk->ending = lobby_life_stops((enum lobby_life_state)from->state);
	text_copy(desk->runtime, sizeof(desk->runtime), from->runtime);
	text_copy(desk->sound_server, sizeof(desk->sound_server), from->sound_server);
	text_copy(desk->x_display, sizeof(desk->x_display), from->x_display);
	text_copy(desk->state_folder, sizeof(desk->state_folder),
			create->lobby_create.state_folder);
	session_app_restore(desk);
	notice_restore(desk);
	desk->sound_listen_fd = keep_take(&lobby->supervisor->keep, "s%016llx.sound", id);
	desk_door_restore(desk);
}

static void fill(struct lobby *lobby, const struct ipc_message *record,
		const struct ipc_message *create) {
	const typeof(record->ledger_lobby) *from = &record->ledger_lobby;
	const typeof(create->lobby_create) *made = &create->lobby_create;
	text_copy(lobby->id, sizeof(lobby->id), from->lobby);
	memcpy(lobby->client, made->client, sizeof(lobby->client));
	text_copy(lobby->name, sizeof(lobby->name), made->name);
	text_copy(lobby->icon, sizeof(lobby->icon), made->icon);
	text_copy(lobby->owner, sizeof(lobby->owner), made->owner);
	text_copy(lobby->pin.text, sizeof(lobby->pin.text), made->pin);
	lobby->flags = made->flags;
	lobby->request = made->request;
	lobby->life = (struct lobby_life){ .state = (enum lobby_life_state)from->state,
		.deadline_ms = from->deadline_ms,
		.grace_ms = from->grace_ms };
	lobby->created_ms = from->created_ms;
	lobby->create_pending = from->create_pending;
	lobby->reason = from->reason;
	text_copy(lobby->detail, sizeof(lobby->detail), from->detail);
}

void lobby_restore(struct supervisor *supervisor, const struct ipc_message *record) {
	const struct app *app = NULL;
	uint64_t desk = record->ledger_lobby.desk;
	struct ipc_message create;
	struct lobby *lobby = NULL;
	if (record->ledger_lobby.state != LOBBY_LIFE_ENDED &&
			record->ledger_lobby.state < LOBBY_LIFE_STATES &&
			ledger_get(&supervisor->ledger, IPC_LOBBY_CREATE, desk, &create) == 0) {
		int32_t listed = create.lobby_create.app;
		app = listed ? apps_find_or_hold(&supervisor->apps, listed) : NULL;
		lobby = listed && !app ? NULL : lobby_make(supervisor, desk, app);
	}
	if (!lobby) {
		log_error("lobby-lost", "lobby=%s", record->ledger_lobby.lobby);
		return;
	}
	fill(lobby, record, &create);
	fill_desk(lobby, record, &create);
	bool whole = app || lobby_runner_restore(lobby, &create);
	explicit_bzero(&create, sizeof(create));
	if (!whole) {
		log_error("lobby-lost", "lobby=%s", lobby->id);
		lobby_free(lobby);
		return;
	}
	lobby_arm_age(lobby);
	log_info("lobby-adopted", "lobby=%s state=%s", lobby->id,
			lobby_life_state_name(lobby->life.state));
}

void lobby_mend(struct lobby *lobby) {
	struct desk *desk = lobby->desk;
	if (lobby_life_stops(lobby->life.state)) {
		session_parts_stop(desk, lobby->reason);
		if (desk->children == 0) {
			lobby_raise(lobby, LOBBY_LIFE_ALL_GONE, REASON_NONE, NULL);
		}
		return;
	}
	bool container = app_plan_is_container(desk);
	if (lobby->life.state == LOBBY_LIFE_STARTING &&
			(container ? desk->desktop_ready : desk->app_pid > 0)) {
		lobby_raise(lobby, LOBBY_LIFE_READY, REASON_NONE, NULL);
	}
	if (lobby->life.state == LOBBY_LIFE_MOVING) {
		lobby_send_home(lobby);
	}
	if (lobby->life.state == LOBBY_LIFE_PAUSING) {
		lobby_empty(lobby);
	}
	session_parts_mend(desk);
	bool app_gone = desk->desktop_ready && !desk->runner && !desk->app_ending &&
			!notice_ends(desk);
	bool desktop_gone = !desk->desktop && !desk->desktop_retry;
	if (desktop_gone || app_gone) {
		lobby_raise(lobby, LOBBY_LIFE_BROKEN,
				desktop_gone ? REASON_DESKTOP_DIED : REASON_RUNNER_DIED,
				"it was gone when the supervisor was replaced");
		return;
	}
	notice_mend(desk);
	if (lobby_members(lobby) == 0) {
		lobby_raise(lobby, LOBBY_LIFE_LEFT, REASON_NONE, NULL);
	}
}
