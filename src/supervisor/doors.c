/* SPDX-License-Identifier: MIT */
#include "supervisor/doors.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/asked.h"
#include "supervisor/by_hand.h"
#include "supervisor/clip.h"
#include "supervisor/desk_door.h"
#include "supervisor/launcher.h"
#include "supervisor/lobby.h"
#include "supervisor/reload.h"
#include "supervisor/session_added.h"
#include "supervisor/status.h"

const char *doors_host_name(const struct supervisor *supervisor) {
	if (supervisor->config.name) {
		return supervisor->config.name;
	}
	const char *known = supervisor->facts.facts.host_name;
	return supervisor->facts.kind == IPC_FACTS && known[0] ? known : "Perigee";
}

void doors_host_address(const struct supervisor *supervisor, char *out, size_t size) {
	const char *addresses = supervisor->facts.kind == IPC_FACTS
						? supervisor->facts.facts.addresses
						: "";
	if (supervisor->config.bind) {
		addresses = supervisor->config.bind;
	}
	size_t len = strcspn(addresses, " ");
	if (len == 0) {
		text_copy(out, size, "localhost");
	} else if (memchr(addresses, ':', len)) {
		text_format(out, size, "[%.*s]", (int)len, addresses);
	} else {
		text_format(out, size, "%.*s", (int)len, addresses);
	}
}

static struct ipc_message options_message(const struct supervisor *supervisor) {
	const struct config_ports *ports = &supervisor->config.ports;
	struct ipc_message options = {
		.kind = IPC_GATE_OPTIONS,
		.gate_options = { .encryption = (uint8_t)supervisor->config.encryption,
				.http_port = ports->http,
				.https_port = ports->https,
				.rtsp_port = ports->rtsp,
				.web_port = ports->web,
				.video_port = ports->video,
				.control_port = ports->control,
				.audio_port = ports->audio,
				.pair_window_s = supervisor->config.pair_window_s },
	};
	text_copy(options.gate_options.host_name, sizeof(options.gate_options.host_name),
			doors_host_name(supervisor));
	if (supervisor->facts.kind == IPC_FACTS) {
		memcpy(options.gate_options.mac, supervisor->facts.facts.mac,
				sizeof(options.gate_options.mac));
	}
	char address[80];
	doors_host_address(supervisor, address, sizeof(address));
	text_copy(options.gate_options.host_address, sizeof(options.gate_options.host_address),
			address);
	text_format(options.gate_options.web_url, sizeof(options.gate_options.web_url),
			"https://%s:%u/#key=%s", address, ports->web, supervisor->web_key);
	return options;
}

void doors_tell_options(struct supervisor *supervisor) {
	struct ipc_message options = options_message(supervisor);
	supervisor_post(supervisor, SERVICE_WEB, &options, NULL, 0);
	/* Only the door that pairs has to know it. */
	const char *pin = supervisor->config.preset_pin;
	text_copy(options.gate_options.preset_pin, sizeof(options.gate_options.preset_pin),
			pin ? pin : "");
	supervisor_post(supervisor, SERVICE_GATE, &options, NULL, 0);
	explicit_bzero(&options, sizeof(options));
}

static struct ipc_message codecs_message(const struct supervisor *supervisor) {
	return (struct ipc_message){ .kind = IPC_GATE_CODECS,
		.gate_codecs = { supervisor->codecs, supervisor->invalidation } };
}

void doors_tell_codecs(struct supervisor *supervisor) {
	struct ipc_message codecs = codecs_message(supervisor);
	supervisor_post(supervisor, SERVICE_GATE, &codecs, NULL, 0);
	supervisor_post(supervisor, SERVICE_WEB, &codecs, NULL, 0);
}

static void tell_apps(struct supervisor *supervisor, struct child *child) {
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		const struct app *app = &supervisor->apps.list[i];
		if (app->hidden || app->profile[0]) {
			continue;
		}
		struct ipc_message message = { .kind = IPC_GATE_APP };
		message.gate_app.app = app->id;
		message.gate_app.flags = (uint8_t)((app->installed ? APP_INSTALLED : 0) |
						   (app->hdr ? APP_HDR : 0) |
						   (app->launcher ? APP_LAUNCHER : 0));
		/* A client shows the title only: say there what is missing. */
		text_format(message.gate_app.title, sizeof(message.gate_app.title), "%s%s",
				app->title, app->installed ? "" : " (not installed)");
		text_copy(message.gate_app.why_not, sizeof(message.gate_app.why_not), app->why_not);
		child_post(child, &message, NULL, 0);
	}
	struct ipc_message end = { .kind = IPC_GATE_APPS_END };
	child_post(child, &end, NULL, 0);
}

void doors_tell_apps(struct supervisor *supervisor) {
	static const enum service_name names[] = { SERVICE_GATE, SERVICE_WEB };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct child *child = supervisor->services[names[i]].child;
		if (child) {
			tell_apps(supervisor, child);
		}
	}
}

static void tell_art(struct supervisor *supervisor, struct child *child, unsigned index) {
	struct ipc_message art = { .kind = IPC_ART, .art.app = supervisor->apps.list[index].id };
	child_post(child, &art, &supervisor->art[index], 1);
}

void doors_tell_art(struct supervisor *supervisor, unsigned index) {
	tell_art(supervisor, supervisor->services[SERVICE_GATE].child, index);
	tell_art(supervisor, supervisor->services[SERVICE_WEB].child, index);
}

/* The sockets each door serves. */
static const enum ipc_door gate_doors[] = { DOOR_HTTP, DOOR_HTTPS, DOOR_RTSP, DOOR_VIDEO,
	DOOR_CONTROL, DOOR_AUDIO };
static const enum ipc_door web_doors[] = { DOOR_WEB, DOOR_API };

static void give_sockets(struct supervisor *supervisor, struct child *child,
		const enum ipc_door *doors, size_t count) {
	for (size_t i = 0; i < count; i++) {
		struct ipc_message listen = { .kind = IPC_GATE_LISTEN,
			.gate_listen = { (uint8_t)doors[i],
					sockets_port(&supervisor->config, doors[i]) } };
		child_post(child, &listen, &supervisor->sockets.fd[doors[i]], 1);
	}
}

void doors_introduce(struct supervisor *supervisor, enum service_name name, struct child *child) {
	if (name == SERVICE_GATE) {
		give_sockets(supervisor, child, gate_doors, ARRAY_LEN(gate_doors));
	} else {
		give_sockets(supervisor, child, web_doors, ARRAY_LEN(web_doors));
		health_introduce(supervisor, child);
	}
	if (supervisor->services[SERVICE_STORE].ready || supervisor->facts.kind) {
		struct ipc_message options = options_message(supervisor);
		child_post(child, &options, NULL, 0);
	}
	if (supervisor->probe_done) {
		struct ipc_message codecs = codecs_message(supervisor);
		child_post(child, &codecs, NULL, 0);
	}
	tell_apps(supervisor, child);
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		if (supervisor->art[i] >= 0) {
			tell_art(supervisor, child, i);
		}
	}
	session_tell_states(supervisor);
	if (name == SERVICE_WEB) {
		lobby_tell_all(supervisor);
		desk_door_give_all(supervisor);
	} else {
		session_added_tell_all(supervisor);
	}
	doors_introduce_store(supervisor, name);
}

void doors_introduce_store(struct supervisor *supervisor, enum service_name name) {
	struct child *door = supervisor->services[name].child;
	struct child *store = supervisor->services[SERVICE_STORE].child;
	int pair[2];
	if (!door || !store) {
		return;
	}
	if (channel_pair(pair) < 0) {
		child_kill(door, REASON_RESOURCES, "no channel to the store can be made");
		return;
	}
	struct ipc_message to_door = { .kind = IPC_GATE_STORE };
	struct ipc_message to_store = { .kind = IPC_STORE_PEER,
		.store_peer.peer = (uint8_t)door->kind };
	child_post(door, &to_door, &pair[0], 1);
	child_post(store, &to_store, &pair[1], 1);
	fd_close(pair[0]);
	fd_close(pair[1]);
}

void doors_announce(struct supervisor *supervisor) {
	if (supervisor->facts.kind != IPC_FACTS) {
		return;
	}
	struct ipc_message start = { .kind = IPC_DISCOVER_START,
		.discover.port = supervisor->config.ports.http };
	text_copy(start.discover.name, sizeof(start.discover.name), doors_host_name(supervisor));
	supervisor_post(supervisor, SERVICE_DISCOVER, &start, NULL, 0);
}

static void gate_ready(struct supervisor *supervisor, enum service_name name) {
	supervisor->services[name].ready = true;
	health_touch(supervisor);
	log_info("door-open", "kind=%s", name == SERVICE_GATE ? "gate" : "web");
	supervisor_check_banner(supervisor, false);
}

/* Pairing goes between the doors through us: neither knows the other. */
static void pass_on(struct supervisor *supervisor, enum service_name to,
		const struct ipc_message *message) {
	supervisor_post(supervisor, to, message, NULL, 0);
}

void doors_gate_ended(struct supervisor *supervisor) {
	struct ipc_message gone = { .kind = IPC_PAIR_GONE, .pair_gone.outcome = EPIPE };
	text_copy(gone.pair_gone.detail, sizeof(gone.pair_gone.detail),
			"The connection to the client broke off. If it asks again, type its PIN "
			"again; if not, pair it again.");
	pass_on(supervisor, SERVICE_WEB, &gone);
}

/* A PIN for a gate that is not there is answered at once. */
static void pass_on_pin(struct supervisor *supervisor, const struct ipc_message *message) {
	if (supervisor->services[SERVICE_GATE].child) {
		pass_on(supervisor, SERVICE_GATE, message);
		return;
	}
	struct ipc_message answer = { .kind = IPC_PAIR_ANSWER,
		.pair_answer = { .request = message->pair_pin.request,
				.reason = REASON_NOT_READY } };
	pass_on(supervisor, SERVICE_WEB, &answer);
}

void doors_gate_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds) {
	switch (message->kind) {
	case IPC_GATE_READY:
		gate_ready(supervisor, SERVICE_GATE);
		break;
	case IPC_LAUNCH:
		session_handle_launch(supervisor, message);
		break;
	case IPC_CANCEL:
		session_handle_cancel(supervisor, message);
		break;
	case IPC_ANNOUNCE:
		session_handle_announce(supervisor, message);
		break;
	case IPC_PLAY:
		session_handle_play(supervisor, message);
		break;
	case IPC_FLOW:
		session_handle_flow(supervisor, message, fds_take(fds, 0));
		break;
	case IPC_GUEST_KNOWN:
		trial_handle_known(supervisor, message);
		break;
	case IPC_SESSION_EXPECTED:
		session_added_expected(supervisor, message->session_coming.session);
		break;
	case IPC_REQUEST_WAITS:
		session_handle_waiting(supervisor, message);
		break;
	case IPC_PAIR_WAITING:
	case IPC_PAIR_GONE:
	case IPC_PAIR_ANSWER:
		pass_on(supervisor, SERVICE_WEB, message);
		break;
	default:
		break;
	}
}

void doors_web_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds) {
	if (message->kind == IPC_GATE_READY) {
		gate_ready(supervisor, SERVICE_WEB);
	} else if (message->kind == IPC_PAIR_PIN) {
		pass_on_pin(supervisor, message);
	} else if (message->kind == IPC_RESTART) {
		by_hand_restart(supervisor, message);
	} else if (message->kind == IPC_UPGRADE) {
		upgrade_ask(supervisor, message);
	} else if (message->kind == IPC_CONFIG_RELOAD) {
		reload_handle(supervisor, message);
	} else if (message->kind == IPC_STATUS_ASK) {
		status_answer(supervisor, message->status_ask.request, message->status_ask.filter);
	} else if (message->kind == IPC_LAUNCH) {
		session_added_handle(supervisor, message);
	} else if (!clip_ask(supervisor, message, fds) && !asked_handle(supervisor, message) &&
			!launcher_handle(supervisor, message)) {
		lobby_handle(supervisor, message);
	}
}
