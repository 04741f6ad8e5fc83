/* SPDX-License-Identifier: MIT */
#include "supervisor/upgrade.h"

#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "ipc/reason.h"
#include "supervisor/own_log.h"
#include "supervisor/record.h"
#include "supervisor/services.h"
#include "supervisor/supervisor.h"
#include "supervisor/upgrade_check.h"

void upgrade_init(struct upgrade *upgrade) {
	upgrade->output_fd = -1;
	for (size_t i = 0; i < PROGRAMS_MAX; i++) {
		upgrade->candidate.fd[i] = -1;
	}
}

static void note(struct supervisor *supervisor) {
	struct upgrade *upgrade = &supervisor->upgrade;
	upgrade->record.ledger_upgrade.phase = (uint8_t)upgrade->phase;
	record_note(supervisor, 0, &upgrade->record);
}

/* ---- asked ---- */

static void answer(struct supervisor *supervisor, uint32_t reason, const char *words) {
	struct upgrade *upgrade = &supervisor->upgrade;
	struct ipc_message message = { .kind = IPC_UPGRADE_ANSWER,
		.upgrade_answer = { .request = upgrade->request,
				.reason = reason,
				.number = reason == REASON_NONE ? upgrade->candidate.number : 0,
				.replaced = services_running(supervisor) + 1,
				.sessions = supervisor->sessions_count } };
	text_copy(message.upgrade_answer.detail, sizeof(message.upgrade_answer.detail), words);
	text_copy(message.upgrade_answer.old_version, sizeof(message.upgrade_answer.old_version),
			supervisor->versions.current->version);
	text_copy(message.upgrade_answer.new_version, sizeof(message.upgrade_answer.new_version),
			upgrade->candidate.version);
	text_copy(message.upgrade_answer.folders, sizeof(message.upgrade_answer.folders),
			upgrade->candidate.folders);
	supervisor_post(supervisor, SERVICE_WEB, &message, NULL, 0);
	log_info("upgrade-answer", "reason=%s from=%s to=%s only_check=%d detail=%s",
			reason_row(reason)->name,
			log_quote(supervisor->versions.current->version).text,
			log_quote(upgrade->candidate.version).text, upgrade->only_check,
			log_quote(words).text);
}

static void refuse(struct supervisor *supervisor, const char *words) {
	struct upgrade *upgrade = &supervisor->upgrade;
	if (upgrade_step(&upgrade->phase, UPGRADE_UNFIT) == UPGRADE_ANSWER) {
		upgrade->phase = upgrade->before;
	}
	answer(supervisor, REASON_UPGRADE_REFUSED, words);
	programs_finish(&upgrade->candidate);
}

static const char *why_not_now(const struct supervisor *supervisor) {
	if (!keep_is_open(&supervisor->keep) || !supervisor->keep.hold_build[0]) {
		return "This host runs without perigee-hold, or with one that cannot go on with "
		       "another version: stop it and start the new version.";
	}
	if (supervisor->stopping || !supervisor->banner_shown) {
		return "The host is just starting or stopping.";
	}
	return NULL;
}

void upgrade_ask(struct supervisor *supervisor, const struct ipc_message *message) {
	struct upgrade *upgrade = &supervisor->upgrade;
	const char *not_now = why_not_now(supervisor);
	enum upgrade_phase before = upgrade->phase;
	if (not_now || upgrade_step(&upgrade->phase, UPGRADE_ASKED) != UPGRADE_CHECK) {
		struct ipc_message busy = { .kind = IPC_UPGRADE_ANSWER,
			.upgrade_answer = { .request = message->upgrade.request,
					.reason = REASON_UPGRADE_REFUSED } };
		text_copy(busy.upgrade_answer.detail, sizeof(busy.upgrade_answer.detail),
				not_now ? not_now : "Another upgrade is under way.");
		supervisor_post(supervisor, SERVICE_WEB, &busy, NULL, 0);
		return;
	}
	uint32_t limit_ms =
			message->upgrade.limit_ms ? message->upgrade.limit_ms : UPGRADE_LIMIT_MS;
	limit_ms = limit_ms < UPGRADE_LIMIT_MIN_MS ? UPGRADE_LIMIT_MIN_MS : limit_ms;
	upgrade->before = before;
	upgrade->request = message->upgrade.request;
	upgrade->only_check = message->upgrade.only_check;
	upgrade->limit_ms = limit_ms < UPGRADE_LIMIT_MAX_MS ? limit_ms : UPGRADE_LIMIT_MAX_MS;
	struct config_text error = { "" };
	if (upgrade_check_begin(supervisor, message->upgrade.from, &error) < 0) {
		refuse(supervisor, error.text);
	}
}

/* ---- the old one leaves ---- */

/* All that was said has to be out: then nobody misses us. */
static int handle_leave(sd_event_source *source, void *user) {
	(void)source;
	struct supervisor *supervisor = (struct supervisor *)user;
	const struct child *web = supervisor->services[SERVICE_WEB].child;
	if (supervisor->keep.holder.waiting_count == 0 &&
			(!web || web->channel.waiting_count == 0)) {
		record_flush(supervisor);
		sd_event_exit(supervisor->event, 0);
	}
	return 0;
}

static void hand_over(struct supervisor *supervisor) {
	struct upgrade *upgrade = &supervisor->upgrade;
	struct programs *next = versions_add(supervisor, &upgrade->candidate);
	if (!next || sd_event_add_post(supervisor->event, &upgrade->step, handle_leave,
				     supervisor) < 0) {
		upgrade->phase = upgrade->before;
		answer(supervisor, REASON_UPGRADE_REFUSED, strerror(ENOMEM));
		versions_sweep(supervisor);
		return;
	}
	upgrade->record = (struct ipc_message){ .kind = IPC_LEDGER_UPGRADE,
		.ledger_upgrade = { .from = supervisor->versions.current->number,
				.to = next->number,
				.begun_ms = clock_now_ms() } };
	typeof(upgrade->record.ledger_upgrade) *record = &upgrade->record.ledger_upgrade;
	text_copy(record->old_version, sizeof(record->old_version),
			supervisor->versions.current->version);
	text_copy(record->new_version, sizeof(record->new_version), next->version);
	note(supervisor);
	log_warning("upgrade-begins", "from=%s to=%s folders=%s",
			log_quote(record->old_version).text, log_quote(record->new_version).text,
			log_quote(next->folders).text);
	answer(supervisor, REASON_NONE, "");
	struct ipc_message message = { .kind = IPC_HOLD_UPGRADE,
		.hold_upgrade = { next->number, upgrade->limit_ms } };
	channel_post(&supervisor->keep.holder, &message, NULL, 0);
	supervisor->leaving = true;
}

void upgrade_check_ended(struct supervisor *supervisor, const char *fault) {
	struct upgrade *upgrade = &supervisor->upgrade;
	if (fault) {
		refuse(supervisor, fault);
	} else if (upgrade->only_check) {
		(void)upgrade_step(&upgrade->phase, UPGRADE_UNFIT);
		upgrade->phase = upgrade->before;
		answer(supervisor, REASON_NONE, "");
		programs_finish(&upgrade->candidate);
	} else if (why_not_now(supervisor)) {
		refuse(supervisor, why_not_now(supervisor));
	} else if (upgrade_step(&upgrade->phase, UPGRADE_FITS) == UPGRADE_HAND_OVER) {
		hand_over(supervisor);
	}
}

/* ---- the next one takes over ---- */

static void finish(struct supervisor *supervisor) {
	struct upgrade *upgrade = &supervisor->upgrade;
	typeof(upgrade->record.ledger_upgrade) *record = &upgrade->record.ledger_upgrade;
	if (upgrade_step(&upgrade->phase, UPGRADE_READY) == UPGRADE_FINISH) {
		record->ended_ms = clock_now_ms();
		note(supervisor);
		struct ipc_message ready = { .kind = IPC_HOLD_READY };
		channel_post(&supervisor->keep.holder, &ready, NULL, 0);
		log_warning("upgrade-done", "from=%s to=%s took_ms=%llu",
				log_quote(record->old_version).text,
				log_quote(record->new_version).text,
				(unsigned long long)(record->ended_ms - record->begun_ms));
		own_log_renew(supervisor);
	}
	versions_sweep(supervisor);
}

static int handle_step(sd_event_source *source, void *user) {
	(void)source;
	struct supervisor *supervisor = (struct supervisor *)user;
	struct upgrade *upgrade = &supervisor->upgrade;
	if (supervisor->stopping || (!services_renew(supervisor) && upgrade->settled)) {
		upgrade->step = sd_event_source_disable_unref(upgrade->step);
		finish(supervisor);
	}
	return 0;
}

static void note_back(struct supervisor *supervisor) {
	struct upgrade *upgrade = &supervisor->upgrade;
	typeof(upgrade->record.ledger_upgrade) *record = &upgrade->record.ledger_upgrade;
	bool tried = supervisor->keep.failed == record->to;
	record->reason = REASON_UPGRADE_BACK;
	record->ended_ms = clock_now_ms();
	text_format(record->detail, sizeof(record->detail), "%s",
			tried ? supervisor->keep.failure : "the supervisor died at that moment");
	log_error("upgrade-back", "from=%s to=%s reason=%s detail=%s",
			log_quote(record->old_version).text, log_quote(record->new_version).text,
			reason_row(record->reason)->name, log_quote(record->detail).text);
}

void upgrade_adopt(struct supervisor *supervisor) {
	struct upgrade *upgrade = &supervisor->upgrade;
	if (ledger_get(&supervisor->ledger, IPC_LEDGER_UPGRADE, 0, &upgrade->record) < 0) {
		return;
	}
	const typeof(upgrade->record.ledger_upgrade) *record = &upgrade->record.ledger_upgrade;
	upgrade->phase = record->phase < UPGRADE_PHASES ? (enum upgrade_phase)record->phase
							: UPGRADE_NONE;
	upgrade->planned = upgrade->phase == UPGRADE_HANDING;
	bool arrived = supervisor->keep.version == record->to;
	enum upgrade_action action =
			upgrade_step(&upgrade->phase, arrived ? UPGRADE_ARRIVED : UPGRADE_STAYED);
	if (action == UPGRADE_GO_BACK) {
		note_back(supervisor);
	}
	if (action > UPGRADE_IGNORE) {
		note(supervisor);
	}
	/* Also after an earlier one: whoever of another version is left is replaced. */
	int rc = sd_event_add_post(supervisor->event, &upgrade->step, handle_step, supervisor);
	if (rc < 0) {
		log_error("upgrade-stuck", "error=%s", log_quote(strerror(-rc)).text);
	}
}

bool upgrade_was_planned(const struct supervisor *supervisor) {
	return supervisor->upgrade.planned && supervisor->upgrade.phase == UPGRADE_TAKING;
}

bool upgrade_is_under_way(const struct supervisor *supervisor) {
	return supervisor->upgrade.phase == UPGRADE_TAKING;
}

void upgrade_note_settled(struct supervisor *supervisor) {
	supervisor->upgrade.settled = true;
}
