/* SPDX-License-Identifier: MIT */
#include "supervisor/session_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/groups.h"
#include "supervisor/session.h"
#include "supervisor/session_app.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

enum {
	DESKTOP_GRACE_MS = 500,
	DESKTOP_SHOW_MS = 3000, /* an app that has no window by then is not waited for */
};

static int spawn_sound(struct session *session);
static void sound_failed(struct session *session, uint32_t reason);

/* The viewer of a desktop that is started again keeps the last picture of the one
 * before until there is something to see. */
static void show_desktop(struct session *session) {
	if (session->desktop_ready) {
		session->desktop_retry = sd_event_source_disable_unref(session->desktop_retry);
		view_desktop_back(session->view);
	}
}

static int handle_show(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	show_desktop((struct session *)user);
	return 0;
}

static void await_window(struct session *session) {
	sd_event_source_disable_unref(session->desktop_retry);
	session->desktop_retry = NULL;
	if (sd_event_add_time_relative(session->supervisor->event, &session->desktop_retry,
			    CLOCK_MONOTONIC, DESKTOP_SHOW_MS * US_PER_MS, 1000, handle_show,
			    session) < 0) {
		show_desktop(session);
	}
}

static void handle_desktop_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct session *session = (struct session *)child->user;
	if (message->kind == IPC_DESKTOP_READY && !session->desktop_ready) {
		session->desktop_ready = true;
		text_copy(session->x_display, sizeof(session->x_display),
				message->desktop_ready.x_display);
		log_info("desktop-ready", "session=%016llx renderer=%s x_display=%s",
				(unsigned long long)session->id,
				log_quote(message->desktop_ready.renderer).text,
				log_quote(message->desktop_ready.x_display).text);
		int rc = session->app_ending ? 0 : session_app_start(session);
		if (rc < 0) {
			session_raise(session, LIFE_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
			return;
		}
		session_raise(session, LIFE_DESKTOP_READY, REASON_NONE, NULL);
		await_window(session);
	} else if (message->kind == IPC_DESKTOP_ENCODER_LOST && session->view) {
		view_encoder_lost(session->view, message->desktop_encoder_lost.encoder,
				message->desktop_encoder_lost.reason);
	} else if (message->kind == IPC_DESKTOP_WINDOWS) {
		if (message->desktop_windows.count > 0) {
			show_desktop(session);
		}
		log_info("desktop-windows", "session=%016llx count=%u",
				(unsigned long long)session->id, message->desktop_windows.count);
	}
}

static void handle_desktop_failure(struct child *child, uint32_t reason, const char *detail) {
	session_raise((struct session *)child->user, LIFE_VIEWER_LOST, reason, detail);
}

static bool may_restart(struct session *session, uint32_t reason) {
	static const struct restarts_rule rule = {
		.at_once = 2, .most = 5, .first_ms = 500, .wait_max_ms = 5000
	};
	return session->app->restart && session->life.state < LIFE_ENDING &&
	       restarts_failed(&session->desktop_restarts, &rule, reason, clock_now_ms(),
			       &session->desktop_wait_ms);
}

static void handle_desktop_ended(struct child *child, const struct child_end *end) {
	struct session *session = (struct session *)child->user;
	session->desktop = NULL;
	session->desktop_ready = false;
	if (may_restart(session, end->reason)) {
		log_warning("desktop-restart", "session=%016llx reason=%s times=%u",
				(unsigned long long)session->id, reason_row(end->reason)->name,
				session->desktop_restarts.recent);
		session_raise(session, LIFE_DESKTOP_GONE, REASON_DESKTOP_AGAIN, end->detail);
	} else {
		session_raise(session, LIFE_BROKEN, end->reason, end->detail);
	}
	session_child_gone(session);
}

static const struct child_owner desktop_owner = {
	.message = handle_desktop_message,
	.failure = handle_desktop_failure,
	.ended = handle_desktop_ended,
};

static void copy_optional(char *out, size_t size, const char *text) {
	text_copy(out, size, text ? text : "");
}

static int start_desktop(struct session *session) {
	char path[160];
	struct supervisor *supervisor = session->supervisor;
	text_format(path, sizeof(path), "%s/wayland-0", session->runtime);
	OWN(fd_close)
	int listening = sockets_listen_unix(path, supervisor->paths.uid, supervisor->paths.gid);
	if (listening < 0) {
		return listening;
	}
	char runtime_env[160];
	text_format(runtime_env, sizeof(runtime_env), "XDG_RUNTIME_DIR=%s", session->runtime);
	const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
		runtime_env, "WLR_RENDERER_ALLOW_SOFTWARE=1", NULL };
	struct child_spec spec = {
		.kind = PEER_DESKTOP,
		.program = "perigee-desktop",
		.prompt = true,
		.session = session->id,
		.name = session->app->title,
		.env = env,
	};
	int rc = child_spawn(
			&supervisor->nursery, &spec, &desktop_owner, session, &session->desktop);
	if (rc < 0) {
		return rc;
	}
	session->children++;
	const struct config_keyboard *keyboard = &supervisor->config.keyboard;
	struct ipc_message start = {
		.kind = IPC_DESKTOP_START,
		.desktop_start = { .width = session->width,
				.height = session->height,
				.rate_mhz = session->rate_mhz,
				.wayland_name = "wayland-0",
				.xwayland = 1,
				.fullscreen = 1 },
	};
	copy_optional(start.desktop_start.layout, sizeof(start.desktop_start.layout),
			keyboard->layout);
	copy_optional(start.desktop_start.variant, sizeof(start.desktop_start.variant),
			keyboard->variant);
	copy_optional(start.desktop_start.model, sizeof(start.desktop_start.model),
			keyboard->model);
	copy_optional(start.desktop_start.options, sizeof(start.desktop_start.options),
			keyboard->options);
	child_post(session->desktop, &start, &listening, 1);
	return 0;
}

static int handle_desktop_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct session *session = (struct session *)user;
	session->desktop_retry = sd_event_source_disable_unref(session->desktop_retry);
	restarts_tried(&session->desktop_restarts);
	int rc = session->life.state < LIFE_ENDING ? start_desktop(session) : 0;
	if (rc < 0) {
		session_raise(session, LIFE_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
	}
	return 0;
}

void session_parts_restart_desktop(struct session *session) {
	session_app_abandon(session);
	session->x_display[0] = '\0';
	sd_event_source_disable_unref(session->desktop_retry);
	session->desktop_retry = NULL;
	int rc = sd_event_add_time_relative(session->supervisor->event, &session->desktop_retry,
			CLOCK_MONOTONIC, session->desktop_wait_ms * US_PER_MS, 1000,
			handle_desktop_retry, session);
	if (rc < 0) {
		session_raise(session, LIFE_BROKEN, REASON_RESOURCES, strerror(-rc));
	}
}

static int handle_sound_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct session *session = (struct session *)user;
	session->sound_retry = sd_event_source_disable_unref(session->sound_retry);
	restarts_tried(&session->sound_restarts);
	if (session->life.state < LIFE_ENDING && spawn_sound(session) < 0) {
		sound_failed(session, REASON_SPAWN_FAILED);
	}
	return 0;
}

static void sound_failed(struct session *session, uint32_t reason) {
	static const struct restarts_rule rule = {
		.at_once = 3, .most = 12, .first_ms = 200, .wait_max_ms = 5000
	};
	uint32_t wait_ms = 0;
	if (!restarts_failed(&session->sound_restarts, &rule, reason, clock_now_ms(), &wait_ms)) {
		log_error("sound-given-up", "session=%016llx", (unsigned long long)session->id);
		return;
	}
	log_warning("sound-restart", "session=%016llx reason=%s times=%u wait_ms=%u",
			(unsigned long long)session->id, reason_row(reason)->name,
			session->sound_restarts.recent, wait_ms);
	sd_event_source_disable_unref(session->sound_retry);
	session->sound_retry = NULL;
	sd_event_add_time_relative(session->supervisor->event, &session->sound_retry,
			CLOCK_MONOTONIC, wait_ms * US_PER_MS, 1000, handle_sound_retry, session);
}

/* The desktop lives on without sound; the server is started again. */
static void handle_sound_ended(struct child *child, const struct child_end *end) {
	struct session *session = (struct session *)child->user;
	session->sound = NULL;
	if (session->life.state < LIFE_ENDING) {
		sound_failed(session, end->reason);
	}
	session_child_gone(session);
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

/* As many channels as the client asked for at launch, stereo for nonsense. */
static void sink_arguments(const struct session *session, char *out, size_t size) {
	unsigned channels = session->launch.launch.surround & 0xff;
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
static int spawn_sound(struct session *session) {
	char home[160], runtime[160];
	text_format(home, sizeof(home), "HOME=%s/pulse", session->runtime);
	text_format(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=%s", session->runtime);
	const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", home,
		runtime, NULL };
	char sink[256];
	sink_arguments(session, sink, sizeof(sink));
	struct child_spec spec = {
		.kind = PEER_SOUND,
		.program = "/usr/bin/pulseaudio",
		.args = { "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
				"--disallow-exit", "--disallow-module-loading",
				"--log-level=notice", "-L", sink, "-L",
				"module-native-protocol-unix auth-anonymous=1 srbchannel=0", NULL },
		.session = session->id,
		.name = "pulseaudio",
		.env = env,
		.listen_fd = session->sound_listen_fd,
	};
	int rc = child_spawn(&session->supervisor->nursery, &spec, &sound_owner, session,
			&session->sound);
	if (rc == 0) {
		session->children++;
	}
	return rc;
}

static int start_sound(struct session *session) {
	const struct paths *paths = &session->supervisor->paths;
	char path[160];
	text_format(path, sizeof(path), "%s/pulse", session->runtime);
	int rc = paths_make(path, paths->uid, paths->gid);
	if (rc < 0) {
		return rc;
	}
	text_format(path, sizeof(path), "%s/pulse/native", session->runtime);
	session->sound_listen_fd = sockets_listen_unix(path, paths->uid, paths->gid);
	if (session->sound_listen_fd < 0) {
		return session->sound_listen_fd;
	}
	keep_put(&session->supervisor->keep, session->sound_listen_fd, "s%016llx.sound",
			(unsigned long long)session->id);
	text_format(session->sound_server, sizeof(session->sound_server), "unix:%s", path);
	return spawn_sound(session);
}

int session_parts_start(struct session *session) {
	const struct paths *paths = &session->supervisor->paths;
	if (!text_format(session->runtime, sizeof(session->runtime), "%s/s-%016llx", paths->runtime,
			    (unsigned long long)session->id)) {
		return -ENAMETOOLONG;
	}
	int rc = paths_make(session->runtime, paths->uid, paths->gid);
	if (rc == 0) {
		groups_make(session);
		rc = start_desktop(session);
	}
	if (rc == 0) {
		rc = start_sound(session);
		if (rc < 0) {
			/* Without sound is better than not at all; it is said. */
			log_error("sound-failed", "session=%016llx error=%s",
					(unsigned long long)session->id,
					log_quote(strerror(-rc)).text);
			rc = 0;
		}
	}
	return rc;
}

int session_parts_adopt(struct session *session, struct child_left *left) {
	bool desktop = left->kind == PEER_DESKTOP;
	int rc = child_adopt(&session->supervisor->nursery, left,
			desktop ? &desktop_owner : &sound_owner, session,
			desktop ? &session->desktop : &session->sound);
	if (rc == 0) {
		session->children++;
	}
	return rc;
}

void session_parts_mend(struct session *session) {
	if (!session->desktop && !session->desktop_retry && session->app->restart) {
		(void)handle_desktop_retry(NULL, 0, session);
	}
	if (!session->sound && !session->sound_retry && session->sound_listen_fd >= 0) {
		(void)handle_sound_retry(NULL, 0, session);
	}
}

void session_parts_stop(struct session *session, uint32_t reason) {
	session->sound_retry = sd_event_source_disable_unref(session->sound_retry);
	session->desktop_retry = sd_event_source_disable_unref(session->desktop_retry);
	session_app_stop(session, reason);
	child_stop(session->desktop, reason, DESKTOP_GRACE_MS);
	child_stop(session->sound, reason, DESKTOP_GRACE_MS);
}

void session_parts_kill(struct session *session) {
	child_kill(session->runner, session->reason, "the session ends");
	child_kill(session->desktop, session->reason, "the session ends");
	child_kill(session->sound, session->reason, "the session ends");
}

void session_parts_finish(struct session *session) {
	session->desktop_retry = sd_event_source_disable_unref(session->desktop_retry);
	session->sound_retry = sd_event_source_disable_unref(session->sound_retry);
	fd_release(&session->sound_listen_fd);
	session_app_finish(session);
	if (session->runtime[0]) {
		paths_remove_tree(session->runtime);
	}
}
