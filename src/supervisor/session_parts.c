/* SPDX-License-Identifier: MIT */
#include "supervisor/session_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/app_plan.h"
#include "supervisor/clip.h"
#include "supervisor/desk.h"
#include "supervisor/desk_door.h"
#include "supervisor/encoding.h"
#include "supervisor/extra.h"
#include "supervisor/groups.h"
#include "supervisor/launcher.h"
#include "supervisor/pads.h"
#include "supervisor/session_app.h"
#include "supervisor/shot.h"
#include "supervisor/supervisor.h"

enum {
	DESKTOP_GRACE_MS = 500,
	DESKTOP_SHOW_MS = 3000, /* an app that has no window by then is not waited for */
};

static int spawn_sound(struct desk *desk);
static void sound_failed(struct desk *desk, uint32_t reason);

/* The viewer of a desktop that is started again keeps the last picture of the one
 * before until there is something to see. */
static void show_desktop(struct desk *desk) {
	if (desk->desktop_ready) {
		desk->desktop_retry = sd_event_source_disable_unref(desk->desktop_retry);
		desk_raise(desk, DESK_SHOWN, REASON_NONE, NULL);
	}
}

static int handle_show(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	show_desktop((struct desk *)user);
	return 0;
}

static void await_window(struct desk *desk) {
	sd_event_source_disable_unref(desk->desktop_retry);
	desk->desktop_retry = NULL;
	if (sd_event_add_time_relative(desk->supervisor->event, &desk->desktop_retry,
			    CLOCK_MONOTONIC, DESKTOP_SHOW_MS * US_PER_MS, 1000, handle_show,
			    desk) < 0) {
		show_desktop(desk);
	}
}

static void handle_desktop_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct desk *desk = (struct desk *)child->user;
	if (message->kind == IPC_DESKTOP_READY && !desk->desktop_ready) {
		desk->desktop_ready = true;
		text_copy(desk->x_display, sizeof(desk->x_display),
				message->desktop_ready.x_display);
		log_info("desktop-ready", "session=%016llx renderer=%s x_display=%s",
				(unsigned long long)desk->id,
				log_quote(message->desktop_ready.renderer).text,
				log_quote(message->desktop_ready.x_display).text);
		int rc = desk->app_ending || notice_ends(desk) ? 0 : session_app_start(desk);
		if (rc < 0) {
			desk_raise(desk, DESK_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
			return;
		}
		desk_raise(desk, DESK_READY, REASON_NONE, NULL);
		notice_desktop_ready(desk);
		await_window(desk);
	} else if (message->kind == IPC_DESKTOP_ENCODER_LOST) {
		encoding_lost(desk, message->desktop_encoder_lost.encoder,
				message->desktop_encoder_lost.reason);
	} else if (message->kind == IPC_PAD_DEVICE_ASK) {
		pads_open(desk, message);
	} else if (message->kind == IPC_PAD_MADE) {
		pads_made(desk, message->pad_node.name);
	} else if (message->kind == IPC_PAD_GONE) {
		pads_gone(desk);
	} else if (clip_answer(desk, message, fds)) {
		return;
	} else if (message->kind == IPC_KEYS) {
		message->keys.session = desk->id; /* whatever the desktop said */
		supervisor_post(desk->supervisor, SERVICE_WEB, message, NULL, 0);
	} else if (message->kind == IPC_DESKTOP_WINDOWS) {
		notice_windows(desk, message->desktop_windows.count,
				message->desktop_windows.notice);
		if (message->desktop_windows.count > 0 && !notice_hides(desk)) {
			show_desktop(desk);
		}
		log_info("desktop-windows", "session=%016llx count=%u",
				(unsigned long long)desk->id, message->desktop_windows.count);
	}
}

static void handle_desktop_failure(struct child *child, uint32_t reason, const char *detail) {
	struct desk *desk = (struct desk *)child->user;
	bool short_of = reason == REASON_RESOURCES &&
			restarts_refused(&desk->desktop_refusals, reason, clock_now_ms());
	desk_raise(desk, DESK_TROUBLE, reason, detail);
	if (short_of) {
		/* It would refuse every further viewer, and say so, for as long as it lives. */
		child_fence(child, reason, detail);
	}
}

static bool may_restart(struct desk *desk, uint32_t reason) {
	static const struct restarts_rule rule = {
		.at_once = 2, .most = 5, .first_ms = 500, .wait_max_ms = 5000
	};
	return desk->app->restart && !desk->ending &&
	       restarts_failed(&desk->desktop_restarts, &rule, reason, clock_now_ms(),
			       &desk->desktop_wait_ms);
}

static void handle_desktop_ended(struct child *child, const struct child_end *end) {
	struct desk *desk = (struct desk *)child->user;
	desk->desktop = NULL;
	desk->desktop_ready = false;
	pads_gone(desk);                 /* the kernel took them when it died */
	bool ending = notice_ends(desk); /* for another reason, and now without a picture */
	notice_desktop_gone(desk, end->reason, end->detail);
	if (ending) {
		log_warning("notice-lost", "session=%016llx", (unsigned long long)desk->id);
	} else if (may_restart(desk, end->reason)) {
		log_warning("desktop-restart", "session=%016llx reason=%s times=%u",
				(unsigned long long)desk->id, reason_row(end->reason)->name,
				desk->desktop_restarts.recent);
		desk_raise(desk, DESK_AGAIN, REASON_DESKTOP_AGAIN, end->detail);
	} else if (notice_end(desk, DESK_BROKEN, end->reason, end->detail, end->detail)) {
		desk->desktop_wait_ms = 0; /* another one, for nothing but that picture */
		desk_raise(desk, DESK_AGAIN, end->reason, end->detail);
	} else {
		desk_raise(desk, DESK_BROKEN, end->reason, end->detail);
	}
	desk_child_gone(desk);
}

static const struct child_owner desktop_owner = {
	.message = handle_desktop_message,
	.failure = handle_desktop_failure,
	.ended = handle_desktop_ended,
};

static void copy_optional(char *out, size_t size, const char *text) {
	text_copy(out, size, text ? text : "");
}

static int start_desktop(struct desk *desk) {
	char path[160];
	struct supervisor *supervisor = desk->supervisor;
	text_format(path, sizeof(path), "%s/wayland-0", desk->runtime);
	OWN(fd_close) int listening = app_plan_listen(desk, path);
	if (listening < 0) {
		return listening;
	}
	char runtime_env[160];
	text_format(runtime_env, sizeof(runtime_env), "XDG_RUNTIME_DIR=%s", desk->runtime);
	const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
		runtime_env, "WLR_RENDERER_ALLOW_SOFTWARE=1", NULL };
	struct child_spec spec = {
		.kind = PEER_DESKTOP,
		.program = "perigee-desktop",
		.prompt = true,
		.session = desk->id,
		.name = desk->app->title,
		.env = env,
	};
	int rc = child_spawn(&supervisor->nursery, &spec, &desktop_owner, desk, &desk->desktop);
	if (rc < 0) {
		return rc;
	}
	desk->children++;
	const struct config_keyboard *keyboard = &supervisor->config.keyboard;
	struct ipc_message start = {
		.kind = IPC_DESKTOP_START,
		.desktop_start = { .width = desk->width,
				.height = desk->height,
				.rate_mhz = desk->rate_mhz,
				.wayland_name = "wayland-0",
				.xwayland = 1,
				.fullscreen = 1,
				.pad_keys = launcher_is_on(desk) },
	};
	copy_optional(start.desktop_start.layout, sizeof(start.desktop_start.layout),
			keyboard->layout);
	copy_optional(start.desktop_start.variant, sizeof(start.desktop_start.variant),
			keyboard->variant);
	copy_optional(start.desktop_start.model, sizeof(start.desktop_start.model),
			keyboard->model);
	copy_optional(start.desktop_start.options, sizeof(start.desktop_start.options),
			keyboard->options);
	child_post(desk->desktop, &start, &listening, 1);
	return 0;
}

static int handle_desktop_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct desk *desk = (struct desk *)user;
	desk->desktop_retry = sd_event_source_disable_unref(desk->desktop_retry);
	restarts_tried(&desk->desktop_restarts);
	int rc = !desk->ending ? start_desktop(desk) : 0;
	if (rc < 0) {
		desk_raise(desk, DESK_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
	} else if (!desk->ending) {
		notice_desktop_starts(desk);
	}
	return 0;
}

void session_parts_restart_desktop(struct desk *desk) {
	session_app_abandon(desk);
	desk->x_display[0] = '\0';
	sd_event_source_disable_unref(desk->desktop_retry);
	desk->desktop_retry = NULL;
	int rc = sd_event_add_time_relative(desk->supervisor->event, &desk->desktop_retry,
			CLOCK_MONOTONIC, desk->desktop_wait_ms * US_PER_MS, 1000,
			handle_desktop_retry, desk);
	if (rc < 0) {
		desk_raise(desk, DESK_BROKEN, REASON_RESOURCES, strerror(-rc));
	}
}

static int handle_sound_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct desk *desk = (struct desk *)user;
	desk->sound_retry = sd_event_source_disable_unref(desk->sound_retry);
	restarts_tried(&desk->sound_restarts);
	if (!desk->ending && spawn_sound(desk) < 0) {
		sound_failed(desk, REASON_SPAWN_FAILED);
	}
	return 0;
}

static void sound_failed(struct desk *desk, uint32_t reason) {
	static const struct restarts_rule rule = {
		.at_once = 3, .most = 12, .first_ms = 200, .wait_max_ms = 5000
	};
	uint32_t wait_ms = 0;
	if (!restarts_failed(&desk->sound_restarts, &rule, reason, clock_now_ms(), &wait_ms)) {
		log_error("sound-given-up", "session=%016llx", (unsigned long long)desk->id);
		return;
	}
	log_warning("sound-restart", "session=%016llx reason=%s times=%u wait_ms=%u",
			(unsigned long long)desk->id, reason_row(reason)->name,
			desk->sound_restarts.recent, wait_ms);
	sd_event_source_disable_unref(desk->sound_retry);
	desk->sound_retry = NULL;
	sd_event_add_time_relative(desk->supervisor->event, &desk->sound_retry, CLOCK_MONOTONIC,
			wait_ms * US_PER_MS, 1000, handle_sound_retry, desk);
}

/* The desktop lives on without sound; the server is started again. */
static void handle_sound_ended(struct child *child, const struct child_end *end) {
	struct desk *desk = (struct desk *)child->user;
	desk->sound = NULL;
	if (!desk->ending) {
		sound_failed(desk, end->reason);
	}
	desk_child_gone(desk);
}

static const struct child_owner sound_owner = {
	.ended = handle_sound_ended,
};

struct sink_row {
	unsigned channels;
	const char *map; /* Moonlight's order (protocol.md 7) */
};

static const struct sink_row sinks[] = {
	{ 8, "front-left,front-right,front-center,lfe,rear-left,rear-right,side-left,side-right" },
	{ 6, "front-left,front-right,front-center,lfe,rear-left,rear-right" },
	{ 2, "front-left,front-right" },
};

/* As many channels as were asked for, stereo for nonsense. */
static void sink_arguments(const struct desk *desk, char *out, size_t size) {
	unsigned channels = desk->channels;
	const struct sink_row *row = &sinks[ARRAY_LEN(sinks) - 1];
	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		if (sinks[i].channels == channels) {
			row = &sinks[i];
		}
	}
	text_format(out, size,
			"module-null-sink sink_name=out norewinds=1 rate=48000 format=s16le "
			"channels=%u "
			"channel_map=%s",
			row->channels, row->map);
}

/* A null sink whose monitor is what the encoder records. The socket is ours and
 * listens already: nobody waits for the server by time. */
static int spawn_sound(struct desk *desk) {
	char home[160], runtime[160];
	text_format(home, sizeof(home), "HOME=%s/pulse", desk->runtime);
	text_format(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=%s", desk->runtime);
	const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", home,
		runtime, NULL };
	char sink[256];
	sink_arguments(desk, sink, sizeof(sink));
	struct child_spec spec = {
		.kind = PEER_SOUND,
		.program = "/usr/bin/pulseaudio",
		.args = { "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
				"--disallow-exit", "--disallow-module-loading",
				/* It may have neither, and would ask D-Bus for them. */
				"--realtime=no", "--high-priority=no", "--log-level=notice", "-L",
				sink, "-L",
				"module-native-protocol-unix auth-anonymous=1 "
				"auth-cookie-enabled=0 "
				"srbchannel=0",
				NULL },
		.session = desk->id,
		.name = "pulseaudio",
		.env = env,
		.listen_fd = desk->sound_listen_fd,
	};
	int rc = child_spawn(&desk->supervisor->nursery, &spec, &sound_owner, desk, &desk->sound);
	if (rc == 0) {
		desk->children++;
	}
	return rc;
}

static int start_sound(struct desk *desk) {
	const struct paths *paths = &desk->supervisor->paths;
	char path[160];
	text_format(path, sizeof(path), "%s/pulse", desk->runtime);
	int rc = paths_make(path, paths->uid, paths->gid);
	if (rc < 0) {
		return rc;
	}
	text_format(path, sizeof(path), "%s/pulse/native", desk->runtime);
	desk->sound_listen_fd = app_plan_listen(desk, path);
	if (desk->sound_listen_fd < 0) {
		return desk->sound_listen_fd;
	}
	keep_put(&desk->supervisor->keep, desk->sound_listen_fd, "s%016llx.sound",
			(unsigned long long)desk->id);
	text_format(desk->sound_server, sizeof(desk->sound_server), "unix:%s", path);
	return spawn_sound(desk);
}

int session_parts_start(struct desk *desk) {
	const struct paths *paths = &desk->supervisor->paths;
	if (!text_format(desk->runtime, sizeof(desk->runtime), "%s/s-%016llx", paths->runtime,
			    (unsigned long long)desk->id)) {
		return -ENAMETOOLONG;
	}
	int rc = paths_make(desk->runtime, paths->uid, paths->gid);
	if (rc == 0) {
		groups_make(desk);
		pads_prepare(desk);
		desk_door_open(desk);
		rc = start_desktop(desk);
	}
	if (rc == 0) {
		rc = start_sound(desk);
		if (rc < 0) {
			/* Without sound is better than not at all; it is said. */
			log_error("sound-failed", "session=%016llx error=%s",
					(unsigned long long)desk->id,
					log_quote(strerror(-rc)).text);
			rc = 0;
		}
	}
	return rc;
}

int session_parts_adopt(struct desk *desk, struct child_left *left) {
	bool desktop = left->kind == PEER_DESKTOP;
	int rc = child_adopt(&desk->supervisor->nursery, left,
			desktop ? &desktop_owner : &sound_owner, desk,
			desktop ? &desk->desktop : &desk->sound);
	if (rc == 0) {
		desk->children++;
	}
	return rc;
}

void session_parts_mend(struct desk *desk) {
	if (!desk->desktop && !desk->desktop_retry && desk->app->restart) {
		(void)handle_desktop_retry(NULL, 0, desk);
	}
	if (!desk->sound && !desk->sound_retry && desk->sound_listen_fd >= 0) {
		(void)handle_sound_retry(NULL, 0, desk);
	}
}

void session_parts_stop(struct desk *desk, uint32_t reason) {
	desk->ending = true;
	shots_release(desk, reason);
	notice_stop(desk);
	desk->sound_retry = sd_event_source_disable_unref(desk->sound_retry);
	desk->desktop_retry = sd_event_source_disable_unref(desk->desktop_retry);
	session_app_stop(desk, reason);
	extras_stop(desk, reason);
	child_stop(desk->desktop, reason, DESKTOP_GRACE_MS);
	child_stop(desk->sound, reason, DESKTOP_GRACE_MS);
}

void session_parts_kill(struct desk *desk, uint32_t reason) {
	notice_kill(desk, reason);
	child_kill(desk->runner, reason, "the session ends");
	extras_kill(desk, reason);
	child_kill(desk->desktop, reason, "the session ends");
	child_kill(desk->sound, reason, "the session ends");
	encodings_kill(desk, reason);
}

void session_parts_finish(struct desk *desk) {
	desk->desktop_retry = sd_event_source_disable_unref(desk->desktop_retry);
	desk->sound_retry = sd_event_source_disable_unref(desk->sound_retry);
	fd_release(&desk->sound_listen_fd);
	notice_finish(desk);
	session_app_finish(desk);
	desk_door_close(desk);
	pads_finish(desk);
	if (desk->runtime[0]) {
		paths_remove_tree(desk->runtime);
	}
}
