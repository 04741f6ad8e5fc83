/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/lobby_inside.h"
#include "supervisor/member.h"
#include "supervisor/permits.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/session_parts.h"
#include "supervisor/supervisor.h"

/* What the web door asks of lobbies. */

enum {
	RATE_X100_MAX = 24000,
};

static void refuse(struct supervisor *supervisor, uint32_t request, uint32_t reason,
		const char *detail) {
	struct ipc_message answer = { .kind = IPC_LOBBY_CREATED,
		.lobby_created = { .request = request, .reason = reason } };
	text_copy(answer.lobby_created.detail, sizeof(answer.lobby_created.detail),
			detail && detail[0] ? detail : reason_row(reason)->words);
	log_warning("lobby-refused", "reason=%s detail=%s", reason_row(reason)->name,
			log_quote(answer.lobby_created.detail).text);
	supervisor_post(supervisor, SERVICE_WEB, &answer, NULL, 0);
}

static uint32_t judge(struct supervisor *supervisor, const struct ipc_message *message,
		const struct app *app, char *detail, size_t size) {
	uint16_t width = message->lobby_create.width, height = message->lobby_create.height;
	uint32_t rate_x100 = message->lobby_create.rate_x100;
	if (supervisor->stopping) {
		return REASON_SHUTDOWN;
	}
	if (!supervisor->probe_done) {
		return REASON_NOT_READY;
	}
	if (message->lobby_create.app && (!app || app->hidden)) {
		return REASON_APP_UNKNOWN;
	}
	if (app && !app->installed) {
		text_copy(detail, size, app->why_not);
		return REASON_APP_MISSING;
	}
	if (width < 64 || height < 64 || width > 3840 || height > 2160 || width % 2 || height % 2 ||
			rate_x100 < 100 || rate_x100 > RATE_X100_MAX) {
		return REASON_UNSUPPORTED;
	}
	const struct admission_form form = { width, height, rate_x100 * 10 };
	struct admission_answer answer;
	unsigned place = app ? (unsigned)(app - supervisor->apps.list) : supervisor->apps.trial;
	weigh_admit(supervisor, NULL, NULL, place, &form, &answer);
	admission_words(&answer, &form, detail, size);
	return answer.what == ADMISSION_FITS ? REASON_NONE : REASON_HOST_FULL;
}

static bool is_of_client(const struct lobby *lobby) {
	static const uint8_t none[32];
	return memcmp(lobby->client, none, sizeof(none)) != 0;
}

/* What is cut off could be another's. */
_Static_assert(sizeof(((struct desk *)NULL)->profile) >= sizeof(((struct lobby *)NULL)->owner),
		"a desk has room for every profile's id");

void lobby_name_home(struct lobby *lobby) {
	struct desk *desk = lobby->desk;
	desk->shared = true;
	desk->of_client = is_of_client(lobby) && !lobby->owner[0];
	memcpy(desk->client, lobby->client, sizeof(desk->client));
	text_copy(desk->profile, sizeof(desk->profile), lobby->owner);
}

static bool made_by(const struct lobby *lobby, const uint8_t client[32]) {
	return is_of_client(lobby) && memcmp(lobby->client, client, 32) == 0;
}

static void fill(struct lobby *lobby, const struct ipc_message *message) {
	const typeof(message->lobby_create) *from = &message->lobby_create;
	struct desk *desk = lobby->desk;
	uint8_t random[16];
	random_fill(random, sizeof(random));
	text_format(lobby->id, sizeof(lobby->id),
			"%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x",
			random[0], random[1], random[2], random[3], random[4], random[5],
			random[6] & 15, random[7], random[8] & 15, random[9], random[10],
			random[11], random[12], random[13], random[14], random[15]);
	text_copy(lobby->name, sizeof(lobby->name), from->name);
	text_copy(lobby->icon, sizeof(lobby->icon), from->icon);
	text_copy(lobby->owner, sizeof(lobby->owner), from->owner);
	text_copy(lobby->pin.text, sizeof(lobby->pin.text), from->pin);
	memcpy(lobby->client, from->client, sizeof(lobby->client));
	lobby->flags = from->flags & (LOBBY_MULTI_USER | LOBBY_STOP_WHEN_EVERYONE_LEAVES |
						     (is_of_client(lobby) ? LOBBY_PRIVATE : 0));
	lobby->created_ms = clock_now_ms();
	lobby->request = from->request;
	lobby->create_pending = true;
	text_copy(desk->state_folder, sizeof(desk->state_folder), from->state_folder);
	lobby_name_home(lobby);
	desk->run_uid = from->run_uid;
	desk->run_gid = from->run_gid;
	desk->channels = from->channels;
	desk->width = from->width;
	desk->height = from->height;
	desk->rate_mhz = from->rate_x100 * 10;
	bool reaped = lobby->flags & LOBBY_STOP_WHEN_EVERYONE_LEAVES;
	uint32_t grace_s = lobby->supervisor->config.lobby_grace_s;
	grace_s = grace_s ? grace_s : 1; /* 0 would be for ever */
	lobby->life = lobby_life_begin(lobby->created_ms, reaped ? grace_s * 1000 : 0);
	lobby_arm_age(lobby);
	if (from->deadline_ms && from->deadline_ms < LOBBY_LIFE_START_MS) {
		lobby->life.deadline_ms = lobby->created_ms + from->deadline_ms;
	}
}

static void create(struct supervisor *supervisor, const struct ipc_message *message) {
	const typeof(message->lobby_create) *from = &message->lobby_create;
	const struct app *app = from->app ? apps_find(&supervisor->apps, from->app) : NULL;
	char detail[160] = "";
	uint32_t reason = judge(supervisor, message, app, detail, sizeof(detail));
	if (reason != REASON_NONE) {
		refuse(supervisor, from->request, reason, detail);
		return;
	}
	uint64_t desk;
	random_fill(&desk, sizeof(desk));
	struct lobby *lobby = lobby_make(supervisor, desk, app);
	if (!lobby) {
		refuse(supervisor, from->request, REASON_RESOURCES, NULL);
		return;
	}
	fill(lobby, message);
	if (!app) {
		reason = lobby_runner_make(lobby, message, detail, sizeof(detail));
	}
	if (reason != REASON_NONE) {
		refuse(supervisor, from->request, reason, detail);
		lobby_free(lobby);
		return;
	}
	log_info("lobby-start",
			"lobby=%s desk=%016llx name=%s app=%s size=%ux%u rate_mhz=%u pin=%s",
			lobby->id, (unsigned long long)desk, log_quote(lobby->name).text,
			log_quote(lobby->desk->app->title).text, from->width, from->height,
			lobby->desk->rate_mhz, lobby->pin.text[0] ? "yes" : "no");
	lobby_arm(lobby);
	lobby_tell(lobby);
	lobby_runner_tell(lobby);
	if (from->flags & LOBBY_AT_ONCE) {
		lobby_answer_create(lobby, REASON_NONE);
	}
	int rc = session_parts_start(lobby->desk);
	if (rc < 0) {
		lobby_raise(lobby, LOBBY_LIFE_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
	}
	record_touch_desk(lobby->desk);
}

static struct lobby *find(struct supervisor *supervisor, const char *id) {
	struct lobby *at = supervisor->lobbies;
	while (at && strcmp(at->id, id) != 0) {
		at = at->next;
	}
	return at;
}

/* Whoever is not watched cannot be moved. */
static struct session *find_watched(struct supervisor *supervisor, uint64_t id) {
	struct session *session = session_find(supervisor, id);
	return session && session->life.state == LIFE_STREAMING && session->view ? session : NULL;
}

/* detail gets words where the reason's own do not name what is refused. */
static uint32_t may_join(struct lobby *lobby, const struct session *session,
		const struct ipc_message *message, char *detail, size_t size) {
	if (lobby_life_ends(lobby->life.state)) {
		return REASON_LOBBY_ENDS;
	}
	uint32_t reason = lobby_pin_check(&lobby->pin, message->lobby_ask.pin, clock_now_ms());
	if (reason != REASON_NONE) {
		return reason;
	}
	if (!session) {
		return REASON_SESSION_UNKNOWN;
	}
	if (lobby->flags & LOBBY_PRIVATE && !made_by(lobby, session->client)) {
		return REASON_LOBBY_PRIVATE;
	}
	reason = permits_judge_lobby(lobby->supervisor, session->client, PERMIT_LOBBY_JOIN,
			lobby->name, detail, size);
	if (reason != REASON_NONE) {
		return reason;
	}
	if (lobby->life.state == LOBBY_LIFE_STARTING) {
		return REASON_NOT_READY;
	}
	if (lobby->life.state >= LOBBY_LIFE_PAUSING) {
		return REASON_LOBBY_PAUSED;
	}
	bool there = member_is_of(session, lobby);
	return !there && !(lobby->flags & LOBBY_MULTI_USER) && lobby_members(lobby) > 0
			       ? REASON_LOBBY_TAKEN
			       : REASON_NONE;
}

static void join(struct lobby *lobby, struct session *session, const struct ipc_message *message) {
	char detail[160] = "";
	uint32_t reason = may_join(lobby, session, message, detail, sizeof(detail));
	log_info("lobby-join", "lobby=%s session=%016llx reason=%s", lobby->id,
			(unsigned long long)message->lobby_ask.session, reason_row(reason)->name);
	if (reason != REASON_NONE) {
		lobby_answer(lobby->supervisor, message->lobby_ask.request, reason, detail);
		return;
	}
	uint8_t role = message->lobby_ask.role == ROLE_VIEWER ? ROLE_VIEWER : ROLE_PLAYER;
	member_join(session, lobby, role, message->lobby_ask.request,
			message->lobby_ask.deadline_ms);
}

static void leave(struct lobby *lobby, struct session *session, const struct ipc_message *message) {
	uint32_t request = message->lobby_ask.request;
	if (!session || !member_is_of(session, lobby)) {
		lobby_answer(lobby->supervisor, request,
				session ? REASON_NOT_A_MEMBER : REASON_SESSION_UNKNOWN, NULL);
		return;
	}
	member_leave(session, message->kind == IPC_LOBBY_KICK ? REASON_KICKED : REASON_ASKED, true,
			request);
}

/* The input is handed over: whoever else may steer only watches from now on. */
static void take_from_others(struct lobby *lobby, const struct session *session) {
	for (struct session *at = lobby->supervisor->sessions; at; at = at->next) {
		if (at != session && at->member.lobby == lobby) {
			member_set_role(at, ROLE_VIEWER);
		}
	}
}

static void set_role(
		struct lobby *lobby, struct session *session, const struct ipc_message *message) {
	bool in = session && session->member.state == MEMBER_IN && session->member.lobby == lobby;
	bool alone = message->lobby_ask.role == ROLE_ALONE;
	if (in && alone) {
		take_from_others(lobby, session);
	}
	if (in) {
		member_set_role(session, alone ? ROLE_PLAYER : message->lobby_ask.role);
	}
	lobby_answer(lobby->supervisor, message->lobby_ask.request,
			in        ? REASON_NONE
			: session ? REASON_NOT_A_MEMBER
				  : REASON_SESSION_UNKNOWN,
			NULL);
}

/* A program may stop all of them. */
static uint32_t may_stop(struct lobby *lobby, const struct session *asker, const char *pin) {
	bool mine = !asker || made_by(lobby, asker->client);
	if (lobby_life_ends(lobby->life.state)) {
		return REASON_LOBBY_ENDS;
	}
	if (!mine && lobby->flags & LOBBY_PRIVATE) {
		return REASON_LOBBY_PRIVATE;
	}
	if (!mine && !lobby->pin.text[0]) {
		return REASON_LOBBY_NOT_YOURS;
	}
	return lobby_pin_check(&lobby->pin, pin, clock_now_ms());
}

static void stop(struct lobby *lobby, const struct session *asker,
		const struct ipc_message *message) {
	uint32_t request = message->lobby_ask.request;
	uint32_t reason = may_stop(lobby, asker, message->lobby_ask.pin);
	if (reason != REASON_NONE) {
		log_info("lobby-stop-refused", "lobby=%s reason=%s", lobby->id,
				reason_row(reason)->name);
		lobby_answer(lobby->supervisor, request, reason, NULL);
		return;
	}
	lobby->stop_request = request;
	lobby->stop_pending = true;
	lobby_raise(lobby, LOBBY_LIFE_STOP, REASON_ASKED, NULL);
}

/* Pause and resume; a program's alone. */
static uint32_t may_rest(struct lobby *lobby, const char *pin) {
	uint32_t reason = may_stop(lobby, NULL, pin);
	bool busy = lobby->life.state == LOBBY_LIFE_STARTING ||
		    lobby->life.state == LOBBY_LIFE_PAUSING;
	return reason != REASON_NONE ? reason : busy ? REASON_LOBBY_BUSY : REASON_NONE;
}

static void pause_or_resume(
		struct lobby *lobby, struct session *session, const struct ipc_message *message) {
	(void)session;
	uint32_t request = message->lobby_ask.request;
	bool pauses = message->kind == IPC_LOBBY_PAUSE;
	uint32_t reason = may_rest(lobby, message->lobby_ask.pin);
	if (reason != REASON_NONE || pauses == (lobby->life.state == LOBBY_LIFE_PAUSED)) {
		lobby_answer(lobby->supervisor, request, reason, NULL);
		return;
	}
	if (pauses) {
		lobby->pause_request = request;
		lobby->pause_pending = true;
		lobby_raise(lobby, LOBBY_LIFE_PAUSE, REASON_NONE, NULL);
		return;
	}
	log_info("lobby-resumed", "lobby=%s", lobby->id);
	lobby_raise(lobby, LOBBY_LIFE_RESUME, REASON_NONE, NULL);
	record_flush(lobby->supervisor);
	lobby_answer(lobby->supervisor, request, REASON_NONE, NULL);
}

static void cancel(struct supervisor *supervisor, const struct ipc_message *message) {
	for (struct lobby *at = supervisor->lobbies, *next; at; at = next) {
		next = at->next;
		bool pending = at->create_pending && message->lobby_cancel.request &&
			       at->request == message->lobby_cancel.request;
		if (pending || strcmp(at->id, message->lobby_cancel.lobby) == 0) {
			log_info("lobby-cancelled", "lobby=%s", at->id);
			lobby_raise(at, LOBBY_LIFE_STOP, REASON_ASKED, NULL);
		}
	}
}

/* It is written down as it came, and no more. */
static void keep_wish(struct supervisor *supervisor, const struct ipc_message *message) {
	uint64_t place = message->lobby_wish.place;
	if (message->lobby_wish.used) {
		record_note(supervisor, place, message);
	} else {
		record_drop(supervisor, IPC_LOBBY_WISH, place);
	}
}

void lobby_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	lobby_handle_of(supervisor, NULL, message);
}

void lobby_handle_of(struct supervisor *supervisor, const struct session *asker,
		const struct ipc_message *message) {
	static void (*const handlers[IPC_KINDS])(
			struct lobby *, struct session *, const struct ipc_message *) = {
		[IPC_LOBBY_JOIN] = join,
		[IPC_LOBBY_LEAVE] = leave,
		[IPC_LOBBY_KICK] = leave,
		[IPC_LOBBY_ROLE] = set_role,
		[IPC_LOBBY_PAUSE] = pause_or_resume,
		[IPC_LOBBY_RESUME] = pause_or_resume,
	};
	if (message->kind == IPC_LOBBY_CREATE) {
		create(supervisor, message);
		return;
	}
	if (message->kind == IPC_LOBBY_WISH) {
		keep_wish(supervisor, message);
		return;
	}
	if (message->kind == IPC_LOBBY_CANCEL) {
		cancel(supervisor, message);
		return;
	}
	if (!handlers[message->kind] && message->kind != IPC_LOBBY_STOP) {
		return;
	}
	struct session *session = find_watched(supervisor, message->lobby_ask.session);
	struct lobby *lobby = find(supervisor, message->lobby_ask.lobby);
	bool whichever =
			!message->lobby_ask.lobby[0] && message->kind == IPC_LOBBY_LEAVE && session;
	if (!lobby && whichever) {
		lobby = session->member.lobby; /* the one that it is in */
	}
	if (!lobby) {
		lobby_answer(supervisor, message->lobby_ask.request,
				whichever ? REASON_NOT_A_MEMBER : REASON_LOBBY_UNKNOWN, NULL);
		return;
	}
	if (message->kind == IPC_LOBBY_STOP) {
		stop(lobby, asker, message);
	} else {
		handlers[message->kind](lobby, session, message);
	}
}
