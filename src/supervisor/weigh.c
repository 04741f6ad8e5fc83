/* SPDX-License-Identifier: MIT */
#include "supervisor/weigh.h"

#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/lobby.h"
#include "supervisor/machine.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

/* Until something was measured: what a slow machine would take. */
enum {
	PRIOR_ENCODE_NS_PER_KPX = 4000,
	PRIOR_REST_NS_PER_KPX = 2500,
	PRIOR_SOUND_MILLI = 40,
	PRIOR_APP_MILLI = 60,
	REST_PER_CONVERSION = 3, /* rendering and sending come on top of it */
	LOOK_MS = 2000,
	SESSIONS_LOOKED_AT = 1000,
};

#define PRIOR_MEMORY (UINT64_C(120) << 20)

static void begin_costs(struct weigh *weigh) {
	weigh->costs = (struct admission_costs){
		.rest_ns_per_kpx = PRIOR_REST_NS_PER_KPX,
		.sound_milli = PRIOR_SOUND_MILLI,
		.memory = PRIOR_MEMORY,
	};
	for (size_t i = 0; i < ARRAY_LEN(weigh->app_milli); i++) {
		weigh->app_milli[i] = PRIOR_APP_MILLI;
	}
}

void weigh_forget_app(struct supervisor *supervisor, unsigned place) {
	supervisor->weigh.app_milli[place] = PRIOR_APP_MILLI;
}

void weigh_probed(struct supervisor *supervisor, const struct ipc_message *message) {
	struct admission_costs *costs = &supervisor->weigh.costs;
	if (costs->encoders_count == ADMISSION_ENCODERS_MAX) {
		return;
	}
	struct admission_encoder *encoder = &costs->encoders[costs->encoders_count++];
	bool known = message->encoder_cost.pictures > 0;
	*encoder = (struct admission_encoder){
		.ns_per_kpx = known ? message->encoder_cost.encode_ns_per_kpx
				    : PRIOR_ENCODE_NS_PER_KPX,
		.device_ns_per_kpx = message->encoder_cost.device_ns_per_kpx,
		.sessions = message->encoder_cost.sessions,
	};
	encoder->probed_ns_per_kpx = encoder->ns_per_kpx;
	text_copy(encoder->name, sizeof(encoder->name), message->encoder_cost.name);
	if (known) {
		costs->rest_ns_per_kpx =
				message->encoder_cost.convert_ns_per_kpx * REST_PER_CONVERSION;
	}
	log_info("encoder-cost",
			"name=%s pictures=%u encode_ns_per_kpx=%u convert_ns_per_kpx=%u "
			"device_ns_per_kpx=%u sessions=%u",
			log_quote(encoder->name).text, message->encoder_cost.pictures,
			message->encoder_cost.encode_ns_per_kpx,
			message->encoder_cost.convert_ns_per_kpx, encoder->device_ns_per_kpx,
			encoder->sessions);
}

/* NULL unless it watches its own desk. */
static const struct encoding *pictures_of(const struct session *session) {
	const struct view *view = session->view;
	return view && view->now.desk == session->desk ? view->now.encoding[ENCODING_PICTURES]
						       : NULL;
}

/* Where a process' time goes. What comes and goes with the sound is a fixed sum. */
static uint64_t *place_of(
		struct weigh_look *look, const struct session *session, const struct child *child) {
	const struct encoding *encoding = pictures_of(session);
	if (encoding && child == encoding->place.child) {
		return &look->encode_ns;
	}
	return child->kind == PEER_DESKTOP || child->kind == PEER_STREAM ? &look->rest_ns : NULL;
}

static void look_at(const struct session *session, struct weigh_look *out) {
	uint64_t shared = 0;
	struct machine_memory memory;
	*out = (struct weigh_look){ .at_ns = clock_now_ns() };
	for (struct child *child = session->supervisor->nursery.first; child; child = child->next) {
		if (child->session != session->id) {
			continue;
		}
		uint64_t *place = place_of(out, session, child);
		if (place) {
			*place += machine_processor_ns(child->pid);
			out->workers = out->workers * 31 + child->id;
		}
		machine_memory("", child->pid, &memory);
		out->memory += memory.own;
		shared = memory.shared > shared ? memory.shared : shared;
	}
	if (session->desk->app_pid) {
		out->app_ns = machine_processor_ns((pid_t)session->desk->app_pid);
		machine_memory("", (pid_t)session->desk->app_pid, &memory);
		out->memory += memory.own;
	}
	out->memory += shared;
	const struct encoding *encoding = pictures_of(session);
	out->pictures = encoding ? child_counter(encoding->place.child, PULSE_ENCODER_PICTURES) : 0;
}

static struct admission_encoder *encoder_of(
		struct admission_costs *costs, const struct session *session) {
	for (unsigned i = 0; i < costs->encoders_count; i++) {
		if (strcmp(costs->encoders[i].name, pictures_of(session)->name) == 0) {
			return &costs->encoders[i];
		}
	}
	return NULL;
}

/* Only who shows at least half of the pictures of full motion teaches anything. */
static void learn(struct supervisor *supervisor, const struct session *session,
		const struct weigh_look *was, const struct weigh_look *is) {
	struct weigh *weigh = &supervisor->weigh;
	uint64_t span_ns = is->at_ns - was->at_ns;
	uint64_t pictures = is->pictures - was->pictures;
	uint64_t of_grid = span_ns / NS_PER_MS * session->desk->rate_mhz / 1000 / 1000;
	uint64_t kpx = (uint64_t)session->desk->width * session->desk->height / 1000 * pictures;
	if (!pictures_of(session) || is->workers != was->workers || pictures * 2 < of_grid ||
			!kpx) {
		return;
	}
	struct admission_encoder *encoder = encoder_of(&weigh->costs, session);
	if (encoder) {
		encoder->ns_per_kpx = admission_learn(encoder->ns_per_kpx,
				encoder->probed_ns_per_kpx, (is->encode_ns - was->encode_ns) / kpx);
	}
	weigh->costs.rest_ns_per_kpx = admission_learn(
			weigh->costs.rest_ns_per_kpx, 0, (is->rest_ns - was->rest_ns) / kpx);
	size_t app = (size_t)(session->app - supervisor->apps.list);
	if (was->app_ns && is->app_ns >= was->app_ns) {
		weigh->app_milli[app] = admission_learn(weigh->app_milli[app], 0,
				(is->app_ns - was->app_ns) * 1000 / span_ns);
	}
}

static int handle_look(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct supervisor *supervisor = (struct supervisor *)user;
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		struct weigh_look look;
		look_at(at, &look);
		if (at->weighed.at_ns) {
			learn(supervisor, at, &at->weighed, &look);
		}
		at->weighed = look;
		if (look.memory > supervisor->weigh.costs.memory) {
			supervisor->weigh.costs.memory = look.memory;
		}
	}
	sd_event_source_set_time_relative(source, LOOK_MS * US_PER_MS);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int weigh_begin(struct supervisor *supervisor) {
	begin_costs(&supervisor->weigh);
	return sd_event_add_time_relative(supervisor->event, &supervisor->weigh.timer,
			CLOCK_MONOTONIC, LOOK_MS * US_PER_MS, 100 * US_PER_MS, handle_look,
			supervisor);
}

void weigh_finish(struct supervisor *supervisor) {
	supervisor->weigh.timer = sd_event_source_disable_unref(supervisor->weigh.timer);
}

/* Who runs, with what each is known to take. */
struct running {
	struct admission_session *list; /* owned */
	size_t count;
};

static void add(struct running *running, const struct admission_session *session) {
	if (running->list && running->count < SESSIONS_LOOKED_AT) {
		running->list[running->count++] = *session;
	}
}

static void add_sessions(const struct supervisor *supervisor, const struct session *self,
		const uint8_t client[32], struct running *out) {
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		if (at != self && !at->internal && at->life.state < LIFE_ENDING) {
			add(out, &(struct admission_session){
						 .form = { at->desk->width, at->desk->height,
								 at->desk->rate_mhz },
						 .app_milli = supervisor->weigh.app_milli
									      [at->app - supervisor->apps.list],
						 .memory = at->weighed.memory,
						 .same_client = client &&
								memcmp(at->client, client, 32) == 0,
				 });
		}
	}
}

static void add_lobbies(const struct supervisor *supervisor, unsigned app, struct running *out) {
	for (const struct lobby *at = supervisor->lobbies; at; at = at->next) {
		if (!lobby_life_stops(at->life.state)) {
			add(out, &(struct admission_session){
						 .form = { at->desk->width, at->desk->height,
								 at->desk->rate_mhz },
						 .app_milli = supervisor->weigh.app_milli[app],
				 });
		}
	}
}

static struct admission_session extra(const struct ipc_encoding *form) {
	return (struct admission_session){
		.form = { form->width, form->height, form->rate_x100 * 10 },
		.memory = ADMISSION_ENCODING_MEMORY,
		.encoding = true,
	};
}

/* Of viewers on bad lines: no session's place pays for them. */
static void add_extra(const struct supervisor *supervisor, struct running *out) {
	for (const struct desk *desk = supervisor->desks; desk; desk = desk->next) {
		for (const struct encoding *at = desk->encodings; at; at = at->next) {
			struct admission_session session = extra(&at->form.pictures);
			if (at->own) {
				add(out, &session);
			}
		}
	}
}

static void decide(struct supervisor *supervisor, const struct running *running,
		const struct admission_session *wanted, struct admission_answer *out) {
	const struct config *config = &supervisor->config;
	struct admission_limits limits = { config->sessions_max, config->per_client_max,
		config->limit_processor };
	struct admission_machine machine;
	machine_look("", &machine);
	admission_decide(&limits, &machine, &supervisor->weigh.costs, running->list, running->count,
			wanted, out);
}

void weigh_admit(struct supervisor *supervisor, const struct session *self,
		const uint8_t client[32], unsigned app, const struct admission_form *form,
		struct admission_answer *out) {
	OWN(free) void *list = calloc(SESSIONS_LOOKED_AT, sizeof(struct admission_session));
	struct running running = { .list = list };
	add_sessions(supervisor, self, client, &running);
	add_lobbies(supervisor, app, &running);
	add_extra(supervisor, &running);
	struct admission_session wanted = {
		.form = *form, .app_milli = supervisor->weigh.app_milli[app], .same_client = true
	};
	decide(supervisor, &running, &wanted, out);
}

void weigh_admit_encoding(struct supervisor *supervisor, const struct ipc_encoding *form,
		struct admission_answer *out) {
	OWN(free) void *list = calloc(SESSIONS_LOOKED_AT, sizeof(struct admission_session));
	struct running running = { .list = list };
	add_sessions(supervisor, NULL, NULL, &running);
	add_lobbies(supervisor, 0, &running);
	add_extra(supervisor, &running);
	struct admission_session wanted = extra(form);
	decide(supervisor, &running, &wanted, out);
}
