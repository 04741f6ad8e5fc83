/* SPDX-License-Identifier: MIT */
#include "supervisor/trial.h"

#include <errno.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/ready.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

enum {
	STOP_GRACE_MS = 300,
	DETAIL_MAX = 160,
};

enum leg trial_leg_of_reason(uint32_t reason) {
	static const uint8_t legs[REASONS] = {
		[REASON_APP_EXITED] = LEG_APP,
		[REASON_APP_FAILED] = LEG_APP,
		[REASON_APP_MISSING] = LEG_APP,
		[REASON_RUNNER_DIED] = LEG_APP,
		[REASON_DESKTOP_DIED] = LEG_DESKTOP,
		[REASON_ENCODER_DIED] = LEG_ENCODER,
		[REASON_NO_ENCODER] = LEG_ENCODER,
		[REASON_SLOTS_HELD] = LEG_ENCODER,
		[REASON_STREAM_DIED] = LEG_STREAM,
		[REASON_SOUND_DIED] = LEG_SOUND,
		[REASON_RTSP_OVERDUE] = LEG_RTSP,
		[REASON_FLOW_OVERDUE] = LEG_CONTROL,
	};
	return reason < REASONS ? (enum leg)legs[reason] : LEG_NONE;
}

/* What a session that waits still waits for. */
static enum leg missing_of(const struct session *session) {
	static const enum leg legs[ENCODING_KINDS] = { LEG_ENCODER, LEG_SOUND };
	const struct view *view = session->view;
	if (!session->desk->desktop_ready || !view) {
		return LEG_DESKTOP;
	}
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		const struct encoding *encoding = view->now.encoding[kind];
		if (!encoding || !encoding->place.child ||
				(view->opened && encoding->ring_fd < 0)) {
			return legs[kind];
		}
	}
	if (!view->stream.child) {
		return LEG_STREAM;
	}
	return view->opened ? LEG_CONTROL : LEG_RTSP;
}

static struct session *find_session(struct supervisor *supervisor) {
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->internal && at->life.state < LIFE_ENDING &&
				memcmp(at->client, supervisor->trial.client, 32) == 0) {
			return at;
		}
	}
	return NULL;
}

void trial_note(const struct session *session, uint32_t reason, const char *detail) {
	struct trial *trial = &session->supervisor->trial;
	bool ours = memcmp(session->client, trial->client, 32) == 0;
	if (trial->phase != TRIAL_RUNNING || !ours || trial->leg != LEG_NONE) {
		return;
	}
	enum leg leg = trial_leg_of_reason(reason);
	trial->leg = leg == LEG_NONE ? missing_of(session) : leg;
	text_format(trial->detail, sizeof(trial->detail), "%s%s%.90s", reason_row(reason)->words,
			detail && detail[0] ? " " : "", detail ? detail : "");
}

bool trial_is(const struct supervisor *supervisor, const uint8_t client[32]) {
	return supervisor->trial.phase == TRIAL_RUNNING &&
	       memcmp(client, supervisor->trial.client, 32) == 0;
}

static void forget_guest(struct supervisor *supervisor) {
	struct ipc_message guest = { .kind = IPC_GUEST, .guest.gone = 1 };
	memcpy(guest.guest.client, supervisor->trial.client, 32);
	supervisor_post(supervisor, SERVICE_GATE, &guest, NULL, 0);
}

/* Whatever it was about is over: the client is forgotten, its session quit. */
static void clear_away(struct supervisor *supervisor) {
	struct trial *trial = &supervisor->trial;
	struct session *session = find_session(supervisor);
	trial->deadline = sd_event_source_disable_unref(trial->deadline);
	if (trial->phase >= TRIAL_MEETING) {
		forget_guest(supervisor);
	}
	trial->phase = trial->child ? TRIAL_ENDING : TRIAL_IDLE;
	child_stop(trial->child, REASON_ASKED, STOP_GRACE_MS);
	if (session) {
		session_raise(session, LIFE_QUIT, REASON_ASKED, NULL);
	}
}

static bool gate_is_another(const struct supervisor *supervisor) {
	const struct child *gate = supervisor->services[SERVICE_GATE].child;
	return !gate || gate->id != supervisor->trial.gate;
}

static void end(struct supervisor *supervisor, enum trial_result result, enum leg leg,
		const char *detail) {
	struct trial *trial = &supervisor->trial;
	if (trial->phase == TRIAL_IDLE || trial->phase == TRIAL_ENDING) {
		return;
	}
	char words[DETAIL_MAX];
	if (result == TRIAL_FAILED && (gate_is_another(supervisor) || supervisor->stopping)) {
		result = TRIAL_VOID;
	}
	/* What the supervisor saw break says more than how the client noticed. */
	leg = result == TRIAL_FAILED && trial->leg != LEG_NONE ? trial->leg : leg;
	text_copy(words, sizeof(words), trial->detail[0] ? trial->detail : detail);
	uint64_t took_ms = clock_now_ms() - trial->begun_ms;
	clear_away(supervisor);
	ready_handle_trial(supervisor, result, leg, words, took_ms);
}

static int handle_deadline(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct supervisor *supervisor = (struct supervisor *)user;
	static const enum leg legs[] = {
		[TRIAL_STARTING] = LEG_TRIAL,
		[TRIAL_MEETING] = LEG_GATE,
		[TRIAL_RUNNING] = LEG_TLS,
	};
	enum trial_phase phase = supervisor->trial.phase;
	const struct session *session = find_session(supervisor);
	enum leg leg = session                ? missing_of(session)
		       : phase < TRIAL_ENDING ? legs[phase]
					      : LEG_TRIAL;
	end(supervisor, TRIAL_FAILED, leg, "It was not over in time.");
	return 0;
}

/* The gate is told first; the trial goes when it knows the client. */
static void introduce(struct supervisor *supervisor, const struct ipc_message *message) {
	struct trial *trial = &supervisor->trial;
	struct ipc_message guest = *message;
	guest.kind = IPC_GUEST;
	guest.guest.gone = 0;
	memcpy(trial->client, message->guest.client, sizeof(trial->client));
	trial->phase = TRIAL_MEETING;
	supervisor_post(supervisor, SERVICE_GATE, &guest, NULL, 0);
}

void trial_handle_known(struct supervisor *supervisor, const struct ipc_message *message) {
	struct trial *trial = &supervisor->trial;
	if (trial->phase != TRIAL_MEETING ||
			memcmp(message->guest.client, trial->client, 32) != 0) {
		return;
	}
	uint64_t spent_ms = clock_now_ms() - trial->begun_ms;
	struct ipc_message go = {
		.kind = IPC_TRIAL_GO,
		.trial_go = { .app = supervisor->apps.list[supervisor->apps.trial].id,
				.width = TRIAL_WIDTH,
				.height = TRIAL_HEIGHT,
				.rate = TRIAL_RATE,
				.limit_ms = (uint32_t)(spent_ms < TRIAL_MS ? TRIAL_MS - spent_ms
									   : 1),
				.der_len = message->guest.der_len },
	};
	const char *bind = supervisor->config.bind;
	if (address_parse_ip(bind ? bind : "127.0.0.1", &go.trial_go.address) < 0) {
		end(supervisor, TRIAL_VOID, LEG_NONE, "");
		return;
	}
	go.trial_go.address.port = supervisor->config.ports.http;
	memcpy(go.trial_go.der, message->guest.der, message->guest.der_len);
	trial->phase = TRIAL_RUNNING;
	child_post(trial->child, &go, NULL, 0);
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct supervisor *supervisor = (struct supervisor *)child->user;
	struct trial *trial = &supervisor->trial;
	if (message->kind == IPC_TRIAL_WHO && trial->phase == TRIAL_STARTING) {
		introduce(supervisor, message);
	} else if (message->kind == IPC_TRIAL_DONE && trial->phase == TRIAL_RUNNING) {
		enum leg leg = (enum leg)message->trial_done.leg;
		end(supervisor, leg == LEG_NONE ? TRIAL_PASSED : TRIAL_FAILED, leg,
				message->trial_done.detail);
	}
}

static void handle_ended(struct child *child, const struct child_end *ended) {
	struct supervisor *supervisor = (struct supervisor *)child->user;
	supervisor->trial.child = NULL;
	end(supervisor, TRIAL_FAILED, LEG_TRIAL, ended->detail);
	supervisor->trial.phase = TRIAL_IDLE;
	supervisor_check_end(supervisor);
}

static const struct child_owner owner = {
	.message = handle_message,
	.ended = handle_ended,
};

int trial_start(struct supervisor *supervisor) {
	struct trial *trial = &supervisor->trial;
	const struct child *gate = supervisor->services[SERVICE_GATE].child;
	if (trial->phase != TRIAL_IDLE || !gate) {
		return -EBUSY;
	}
	struct child_spec spec = {
		.kind = PEER_TRIAL,
		.program = "perigee-trial",
		.name = "readiness trial",
	};
	*trial = (struct trial){
		.phase = TRIAL_STARTING, .gate = gate->id, .begun_ms = clock_now_ms()
	};
	int rc = child_spawn(&supervisor->nursery, &spec, &owner, supervisor, &trial->child);
	if (rc >= 0) {
		rc = sd_event_add_time_relative(supervisor->event, &trial->deadline,
				CLOCK_MONOTONIC, TRIAL_MS * US_PER_MS, 10 * US_PER_MS,
				handle_deadline, supervisor);
	}
	if (rc < 0) {
		clear_away(supervisor);
	}
	return rc < 0 ? rc : 0;
}

void trial_drop(struct supervisor *supervisor) {
	if (supervisor->trial.phase != TRIAL_IDLE && supervisor->trial.phase != TRIAL_ENDING) {
		clear_away(supervisor);
	}
}
