/* SPDX-License-Identifier: MIT */
#include "supervisor/services.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/catalogue.h"
#include "supervisor/container.h"
#include "supervisor/doors.h"
#include "supervisor/record.h"
#include "supervisor/supervisor.h"

enum {
	RETRY_FIRST_MS = 50,
	RETRY_MAX_MS = 5000,
	STEADY_MS = 10000, /* a service that ran so long starts over with its backoff */
	STOP_GRACE_MS = 600,
};

struct service_row {
	enum ipc_peer kind;
	const char *program;
	const char *args[4];
	bool once;   /* does its work and leaves; not started again after success */
	bool needed; /* without it no session can be; the others may be missing */
	void (*started)(struct supervisor *supervisor, struct child *child);
	void (*message)(struct supervisor *supervisor, struct ipc_message *message,
			struct ipc_fds *fds);
};

static void store_started(struct supervisor *supervisor, struct child *child) {
	struct ipc_message open = { .kind = IPC_STORE_OPEN };
	text_copy(open.store_open.folder, sizeof(open.store_open.folder), supervisor->paths.state);
	permits_begin(&supervisor->permits);
	catalogue_begin_listing(supervisor);
	child_post(child, &open, NULL, 0);
	doors_introduce_store(supervisor, SERVICE_GATE);
	doors_introduce_store(supervisor, SERVICE_WEB);
}

static void store_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	if (message->kind != IPC_STORE_READY) {
		permits_handle(supervisor, message);
		catalogue_handle(supervisor, message);
		return;
	}
	if (message->store_ready.outcome != 0) {
		supervisor_fatal(supervisor, "state folder %s: %s", supervisor->paths.state,
				message->store_ready.detail);
		return;
	}
	supervisor->services[SERVICE_STORE].ready = true;
	text_copy(supervisor->web_key, sizeof(supervisor->web_key), message->store_ready.web_key);
	text_copy(supervisor->host_id, sizeof(supervisor->host_id), message->store_ready.host_id);
	doors_tell_options(supervisor);
	container_sweep(supervisor);
	supervisor_check_banner(supervisor, false);
}

static void gate_started(struct supervisor *supervisor, struct child *child) {
	doors_introduce(supervisor, SERVICE_GATE, child);
}

static void web_started(struct supervisor *supervisor, struct child *child) {
	doors_introduce(supervisor, SERVICE_WEB, child);
}

static void facts_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	if (message->kind == IPC_FACTS) {
		supervisor->facts = *message;
		doors_tell_options(supervisor);
		doors_announce(supervisor);
		supervisor_check_banner(supervisor, false);
	} else if (message->kind == IPC_TCP_STATES) {
		memcpy(supervisor->metrics.tcp, message->tcp_states.counts,
				sizeof(supervisor->metrics.tcp));
	}
}

/* The ports that strangers connect to. */
static void facts_started(struct supervisor *supervisor, struct child *child) {
	const struct config_ports *ports = &supervisor->config.ports;
	struct ipc_message watch = { .kind = IPC_TCP_WATCH,
		.tcp_watch.ports = { ports->http, ports->https, ports->rtsp, ports->web } };
	child_post(child, &watch, NULL, 0);
}

static void discover_started(struct supervisor *supervisor, struct child *child) {
	(void)child;
	doors_announce(supervisor);
}

static void discover_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds) {
	(void)supervisor;
	(void)fds;
	if (message->kind == IPC_DISCOVERED) {
		log_info("discoverable", "name=%s port=%u", log_quote(message->discover.name).text,
				message->discover.port);
	}
}

static void probe_started(struct supervisor *supervisor, struct child *child) {
	struct ipc_message probe = { .kind = IPC_ENCODER_PROBE };
	const char *order = supervisor->config.encoders;
	text_copy(probe.encoder_probe.order, sizeof(probe.encoder_probe.order),
			order ? order : "nvenc,vaapi,qsv,x264");
	supervisor->probed_count = 0;
	child_post(child, &probe, NULL, 0);
}

/* A host that can show nothing says so at once, not at the first launch. */
static void refuse_without_encoder(struct supervisor *supervisor) {
	char tried[400] = "";
	size_t used = 0;
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		text_format(tried + used, sizeof(tried) - used, "%s%s (%.90s)", used ? ", " : "",
				supervisor->probed[i].encoder_probed.name,
				supervisor->probed[i].encoder_probed.detail);
		used = strlen(tried);
	}
	supervisor_fatal(supervisor,
			"no encoder works here: %s. Allow others with --encoders, for example "
			"x264, which needs no device.",
			used ? tried : "the process that tries them died");
}

/* The codecs offered are those of every encoder that really encoded. */
static void settle_codecs(struct supervisor *supervisor) {
	supervisor->codecs = 0;
	supervisor->invalidation = false;
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		const struct ipc_message *probed = &supervisor->probed[i];
		if (probed->encoder_probed.mask && supervisor->codecs == 0) {
			supervisor->invalidation = probed->encoder_probed.reference_invalidation;
		}
		supervisor->codecs |= probed->encoder_probed.mask;
	}
	/* Only what a viewer can be given: 10 bit pictures are not converted yet. */
	supervisor->codecs &= ~(uint32_t)CODEC_BIT_HEVC10;
	supervisor->probe_done = true;
	if (supervisor->codecs == 0 && !supervisor->banner_shown) {
		refuse_without_encoder(supervisor);
		return;
	}
	doors_tell_codecs(supervisor);
	supervisor_check_banner(supervisor, false);
}

static unsigned working(const struct supervisor *supervisor) {
	unsigned count = 0;
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		count += supervisor->probed[i].encoder_probed.mask != 0;
	}
	return count;
}

static void probe_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	if (message->kind == IPC_ENCODER_PROBED && supervisor->probed_count < PROBED_MAX) {
		supervisor->probed[supervisor->probed_count++] = *message;
		log_info("encoder-probed",
				"name=%s mask=0x%x invalidation=%u first_us=%u detail=%s",
				log_quote(message->encoder_probed.name).text,
				message->encoder_probed.mask,
				message->encoder_probed.reference_invalidation,
				message->encoder_probed.first_us,
				log_quote(message->encoder_probed.detail).text);
	} else if (message->kind == IPC_ENCODER_PROBE_END) {
		settle_codecs(supervisor);
	} else if (message->kind == IPC_ENCODER_COST) {
		record_note(supervisor, supervisor->weigh.costs.encoders_count, message);
		weigh_probed(supervisor, message);
	}
	/* What pictures cost comes after the end, for each encoder that works. */
	if (supervisor->probe_done &&
			supervisor->weigh.costs.encoders_count >= working(supervisor)) {
		child_stop(supervisor->services[SERVICE_PROBE].child, REASON_ASKED, STOP_GRACE_MS);
	}
}

static void art_started(struct supervisor *supervisor, struct child *child) {
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		if (supervisor->apps.list[i].hidden || supervisor->art[i] >= 0) {
			continue;
		}
		struct ipc_message draw = { .kind = IPC_ART_DRAW,
			.art_draw.app = supervisor->apps.list[i].id };
		text_copy(draw.art_draw.title, sizeof(draw.art_draw.title),
				supervisor->apps.list[i].title);
		child_post(child, &draw, NULL, 0);
	}
}

static void art_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds) {
	if (message->kind != IPC_ART_DRAWN) {
		return;
	}
	bool all = true;
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		if (supervisor->apps.list[i].id == message->art_draw.app &&
				supervisor->art[i] < 0) {
			supervisor->art[i] = fds_take(fds, 0);
			supervisor->art_app[i] = message->art_draw.app;
			keep_put(&supervisor->keep, supervisor->art[i], "art%d",
					(int)message->art_draw.app);
			doors_tell_art(supervisor, i);
		}
		all &= supervisor->art[i] >= 0 || supervisor->apps.list[i].hidden;
	}
	if (all) {
		child_stop(supervisor->services[SERVICE_ART].child, REASON_ASKED, STOP_GRACE_MS);
	}
}

/* clang-format off */
static const struct service_row rows[SERVICES] = {
	[SERVICE_STORE]    = { PEER_STORE,      "perigee-store",    { 0 }, false, true, store_started, store_message },
	[SERVICE_GATE]     = { PEER_GATE,       "perigee-gate",     { "--role", "moonlight" }, false, true, gate_started, doors_gate_message },
	[SERVICE_WEB]      = { PEER_WEB,        "perigee-gate",     { "--role", "web" }, false, true, web_started, doors_web_message },
	[SERVICE_FACTS]    = { PEER_FACTS,      "perigee-facts",    { 0 }, false, false, facts_started, facts_message },
	[SERVICE_DISCOVER] = { PEER_DISCOVER,   "perigee-discover", { 0 }, false, false, discover_started, discover_message },
	[SERVICE_PROBE]    = { PEER_ENCODER,    "perigee-encoder",  { "probe" }, true, true,  probe_started, probe_message },
	[SERVICE_ART]      = { PEER_ART,        "perigee-art",      { 0 }, true, false, art_started, art_message },
};
/* clang-format on */

static int start(struct service *service);

static int handle_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct service *service = (struct service *)user;
	service->retry = sd_event_source_disable_unref(service->retry);
	service->next_ms = 0;
	if (!service->supervisor->stopping && !service->child) {
		(void)!start(service);
	}
	return 0;
}

static void retry_later(struct service *service, uint32_t reason) {
	uint64_t ran_ms = clock_now_ms() - service->started_ms;
	service->failures = ran_ms > STEADY_MS ? 0 : service->failures;
	uint32_t shift = service->failures < 7 ? service->failures : 7;
	uint32_t wait_ms = RETRY_FIRST_MS << shift;
	wait_ms = wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS;
	service->failures++;
	service->restarts++;
	service->reason = reason;
	service->next_ms = clock_now_ms() + wait_ms;
	log_warning("service-restart", "kind=%s wait_ms=%u failures=%u",
			ipc_peer_name(service->row->kind), wait_ms, service->failures);
	sd_event_source_disable_unref(service->retry);
	service->retry = NULL;
	sd_event_add_time_relative(service->supervisor->event, &service->retry, CLOCK_MONOTONIC,
			wait_ms * US_PER_MS, 1000, handle_retry, service);
}

/* A probe that died has seen nothing to offer; what it saw before counts. */
static void handle_once_ended(struct service *service, bool expected) {
	struct supervisor *supervisor = service->supervisor;
	if (service == &supervisor->services[SERVICE_PROBE] && !supervisor->probe_done) {
		log_error("encoder-probe-failed", "");
		settle_codecs(supervisor);
	} else if (!expected) {
		log_warning("service-failed", "kind=%s", ipc_peer_name(service->row->kind));
	}
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct service *service = (struct service *)child->user;
	service->child = NULL;
	service->ready = false;
	health_touch(service->supervisor);
	if (service->row->kind == PEER_GATE) {
		doors_gate_ended(service->supervisor);
	}
	if (service->supervisor->stopping) {
		supervisor_check_end(service->supervisor);
	} else if (service->row->once) {
		handle_once_ended(service, end->expected);
	} else if (TAKE(service->renewing, false)) {
		(void)!start(service);
	} else {
		retry_later(service, end->reason);
	}
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	struct service *service = (struct service *)child->user;
	if (service->row->message) {
		service->row->message(service->supervisor, message, fds);
	}
}

static const struct child_owner owner = {
	.message = handle_message,
	.ended = handle_ended,
};

static int start(struct service *service) {
	struct supervisor *supervisor = service->supervisor;
	struct child_spec spec = {
		.kind = service->row->kind,
		.program = service->row->program,
		.name = service->row->program,
	};
	memcpy(spec.args, service->row->args, sizeof(service->row->args));
	service->started_ms = clock_now_ms();
	int rc = child_spawn(&supervisor->nursery, &spec, &owner, service, &service->child);
	if (rc < 0) {
		retry_later(service, REASON_SPAWN_FAILED);
	} else if (service->row->started) {
		service->row->started(supervisor, service->child);
	}
	return rc;
}

static void introduce(struct supervisor *supervisor) {
	for (int i = 0; i < SERVICES; i++) {
		struct service *service = &supervisor->services[i];
		service->supervisor = supervisor;
		service->row = &rows[i];
	}
}

static const struct child_owner nobody = { 0 };

void services_adopt(struct supervisor *supervisor, struct child_left *left) {
	introduce(supervisor);
	struct service *service = NULL;
	for (int i = 0; i < SERVICES; i++) {
		if (rows[i].kind == left->kind && !rows[i].once && !left->stopping &&
				!supervisor->services[i].child) {
			service = &supervisor->services[i];
		}
	}
	struct child *child;
	if (!service) {
		if (child_adopt(&supervisor->nursery, left, &nobody, NULL, &child) == 0) {
			child_stop(child, REASON_ASKED, STOP_GRACE_MS);
		}
		return;
	}
	service->started_ms = left->begun_ns / NS_PER_MS;
	(void)!child_adopt(&supervisor->nursery, left, &owner, service, &service->child);
}

static bool is_done(const struct supervisor *supervisor, int name) {
	bool drawn = true;
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		drawn &= supervisor->art[i] >= 0 || supervisor->apps.list[i].hidden;
	}
	return supervisor->services[name].child ||
	       (name == SERVICE_DISCOVER && !supervisor->config.discovery) ||
	       (name == SERVICE_PROBE && supervisor->probe_done &&
			       supervisor->weigh.costs.encoders_count >= working(supervisor)) ||
	       (name == SERVICE_ART && drawn);
}

int services_start(struct supervisor *supervisor) {
	introduce(supervisor);
	for (int i = 0; i < SERVICES; i++) {
		int rc = is_done(supervisor, i) ? 0 : start(&supervisor->services[i]);
		if (rc < 0 && rows[i].needed) {
			return rc;
		}
	}
	return 0;
}

void services_draw(struct supervisor *supervisor) {
	struct service *art = &supervisor->services[SERVICE_ART];
	if (art->child) {
		art_started(supervisor, art->child);
	} else if (art->row && !supervisor->stopping && !is_done(supervisor, SERVICE_ART)) {
		(void)!start(art); /* it is tried again by itself */
	}
}

void services_stop(struct supervisor *supervisor) {
	for (int i = 0; i < SERVICES; i++) {
		struct service *service = &supervisor->services[i];
		service->retry = sd_event_source_disable_unref(service->retry);
		child_stop(service->child, REASON_SHUTDOWN, STOP_GRACE_MS);
	}
}

bool services_renew(struct supervisor *supervisor) {
	for (int i = 0; i < SERVICES; i++) {
		struct service *service = &supervisor->services[i];
		struct child *child = service->child;
		if (!services_stays(service)) {
			continue;
		}
		bool stale = child && child->version != supervisor->versions.current->number;
		if (stale && !child->stopping) {
			log_info("service-renewed", "kind=%s", ipc_peer_name(child->kind));
			service->renewing = true;
			child_stop(child, REASON_RESTARTED, STOP_GRACE_MS);
		}
		if (stale || (service->row->needed && !service->ready)) {
			return true;
		}
	}
	return false;
}

unsigned services_running(const struct supervisor *supervisor) {
	unsigned running = 0;
	for (int i = 0; i < SERVICES; i++) {
		running += supervisor->services[i].child != NULL;
	}
	return running;
}

bool services_stays(const struct service *service) {
	return service->row && !service->row->once && service->started_ms != 0;
}

bool services_is_needed(const struct service *service) {
	return services_stays(service) && service->row->needed;
}

const char *services_name(const struct service *service) {
	return ipc_peer_name(service->row->kind);
}
