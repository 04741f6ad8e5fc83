/* SPDX-License-Identifier: MIT */
#include "supervisor/session_app.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

enum {
	RUNNER_GRACE_MS = 1000,
	/* An app whose desktop dies fails as well, and is often seen first. */
	BLAME_MS = 500,
};

/* Adds one NUL-terminated string to a blob of strings. */
static bool add_string(char *blob, size_t size, uint16_t *len, const char *format, ...)
		__attribute__((format(printf, 4, 5)));

static bool add_string(char *blob, size_t size, uint16_t *len, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vsnprintf(blob + *len, size - *len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= size - *len) {
		return false;
	}
	*len = (uint16_t)(*len + n + 1);
	return true;
}

/* A folder name out of a title: what is not a letter or digit becomes '_'. */
static void folder_name(const char *title, char *out, size_t size) {
	text_copy(out, size, title);
	for (char *at = out; *at; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			     (*at >= '0' && *at <= '9') || *at == '-';
		if (!plain) {
			*at = '_';
		}
	}
}

static int make_home(struct session *session, char *out, size_t size) {
	const struct paths *paths = &session->supervisor->paths;
	if (session->internal) {
		/* It goes with the session. */
		text_format(out, size, "%s/home", session->runtime);
		return paths_make(out, paths->uid, paths->gid);
	}
	char app[64];
	folder_name(session->app->title, app, sizeof(app));
	const uint8_t *c = session->client;
	if (!text_format(out, size, "%s/homes/%02x%02x%02x%02x%02x%02x%02x%02x/%s", paths->data,
			    c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], app)) {
		return -ENAMETOOLONG;
	}
	/* Each level belongs to the apps' user, so that it can be passed. */
	for (char *at = out + strlen(paths->data) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		int rc = paths_make(out, paths->uid, paths->gid);
		*at = '/';
		if (rc < 0) {
			return rc;
		}
	}
	return paths_make(out, paths->uid, paths->gid);
}

static bool fill_env(
		struct session *session, const char *home, char *env, size_t size, uint16_t *len) {
	bool fits = add_string(env, size, len, "HOME=%s", home) &&
		    add_string(env, size, len, "XDG_RUNTIME_DIR=%s", session->runtime) &&
		    add_string(env, size, len, "WAYLAND_DISPLAY=wayland-0") &&
		    add_string(env, size, len, "PULSE_SERVER=%s", session->sound_server) &&
		    add_string(env, size, len, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/games") &&
		    add_string(env, size, len, "LANG=C.UTF-8") &&
		    add_string(env, size, len, "SHELL=/bin/bash") &&
		    add_string(env, size, len, "XDG_SESSION_TYPE=wayland") &&
		    add_string(env, size, len, "XDG_CURRENT_DESKTOP=Perigee") &&
		    add_string(env, size, len, "MOZ_ENABLE_WAYLAND=1") &&
		    add_string(env, size, len, "PERIGEE_SESSION=%016llx",
				    (unsigned long long)session->id) &&
		    add_string(env, size, len, "PERIGEE_CLIENT_WIDTH=%u", session->width) &&
		    add_string(env, size, len, "PERIGEE_CLIENT_HEIGHT=%u", session->height) &&
		    add_string(env, size, len, "PERIGEE_CLIENT_FPS=%u",
				    (session->rate_mhz + 500) / 1000) &&
		    add_string(env, size, len, "SUNSHINE_CLIENT_WIDTH=%u", session->width) &&
		    add_string(env, size, len, "SUNSHINE_CLIENT_HEIGHT=%u", session->height) &&
		    add_string(env, size, len, "SUNSHINE_CLIENT_FPS=%u",
				    (session->rate_mhz + 500) / 1000);
	if (fits && session->x_display[0]) {
		fits = add_string(env, size, len, "DISPLAY=%s", session->x_display);
	}
	return fits;
}

static int fill_runner_start(struct session *session, struct ipc_message *message) {
	const struct app *app = session->app;
	*message = (struct ipc_message){ .kind = IPC_RUNNER_START };
	message->runner_start.app = app->id; /* the runner is the apps' user already */
	text_copy(message->runner_start.title, sizeof(message->runner_start.title), app->title);
	text_copy(message->runner_start.runtime, sizeof(message->runner_start.runtime),
			session->runtime);
	int rc = make_home(session, message->runner_start.home, sizeof(message->runner_start.home));
	if (rc < 0) {
		return rc;
	}
	char *argv = message->runner_start.argv;
	uint16_t *argv_len = &message->runner_start.argv_len;
	bool fits = add_string(
			argv, sizeof(message->runner_start.argv), argv_len, "%s", app->program);
	for (unsigned i = 1; fits && i < app->command_count; i++) {
		fits = add_string(argv, sizeof(message->runner_start.argv), argv_len, "%s",
				app->command[i]);
	}
	fits = fits &&
	       fill_env(session, message->runner_start.home, message->runner_start.env,
			       sizeof(message->runner_start.env), &message->runner_start.env_len);
	return fits ? 0 : -E2BIG;
}

static int handle_blame(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct session *session = (struct session *)user;
	session->app_blame = sd_event_source_disable_unref(session->app_blame);
	int status = session->app_status;
	char words[160];
	if (session->app_status_known && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		session_raise(session, LIFE_QUIT, REASON_APP_EXITED, NULL);
		return 0;
	}
	if (session->app_status_known) {
		text_format(words, sizeof(words), "%s ended with %s %d: %s", session->app->title,
				WIFSIGNALED(status) ? "signal" : "status",
				WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
				session->app_words);
	} else {
		text_format(words, sizeof(words), "%s ended, nobody saw how: %s",
				session->app->title, session->app_words);
	}
	session_raise(session, LIFE_QUIT,
			session->app_status_known ? REASON_APP_FAILED : REASON_APP_EXITED, words);
	return 0;
}

/* The app is no more. Whether it failed by itself, and how it ended when its runner
 * was not its parent, shows a moment later. */
static void app_exited(struct session *session, int status, bool known) {
	session->app_status = status;
	session->app_status_known = known;
	/* An app that leaves in peace when its desktop goes is to come back with it. */
	bool well = known && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (well && !session->app->restart) {
		session_raise(session, LIFE_QUIT, REASON_APP_EXITED, NULL);
		return;
	}
	sd_event_source_disable_unref(session->app_blame);
	session->app_blame = NULL;
	if (sd_event_add_time_relative(session->supervisor->event, &session->app_blame,
			    CLOCK_MONOTONIC, BLAME_MS * US_PER_MS, 1000, handle_blame,
			    session) < 0) {
		session_raise(session, LIFE_QUIT, REASON_APP_FAILED, session->app_words);
	}
}

static void handle_runner_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct session *session = (struct session *)child->user;
	if (message->kind == IPC_RUNNER_APP) {
		session->app_pid = message->runner_app.pid;
		log_info("app-started", "session=%016llx app_pid=%u confined=%s",
				(unsigned long long)session->id, message->runner_app.pid,
				log_quote(message->runner_app.detail).text);
	} else if (message->kind == IPC_RUNNER_HOLDS) {
		fd_close(session->app_pidfd);
		fd_close(session->app_output_fd);
		session->app_pidfd = fds_take(fds, 0);
		session->app_output_fd = fds_take(fds, 1);
		session->app_pid = message->runner_holds.pid;
		keep_put(&session->supervisor->keep, session->app_pidfd, "s%016llx.app.pid",
				(unsigned long long)session->id);
		keep_put(&session->supervisor->keep, session->app_output_fd, "s%016llx.app.output",
				(unsigned long long)session->id);
	} else if (message->kind == IPC_RUNNER_EXITED) {
		int status = message->runner_exited.status;
		bool known = status != RUNNER_STATUS_UNKNOWN || session->app_reaped;
		text_copy(session->app_words, sizeof(session->app_words),
				message->runner_exited.last_lines);
		app_exited(session, status != RUNNER_STATUS_UNKNOWN ? status : session->app_status,
				known);
	}
}

void session_app_reaped(struct supervisor *supervisor, uint32_t pid, int status) {
	for (struct session *session = supervisor->sessions; session; session = session->next) {
		if (session->app_pid == pid && pid != 0) {
			session->app_reaped = true;
			session->app_status = status;
			if (session->app_blame && !session->app_status_known) {
				app_exited(session, status, true);
			}
		}
	}
}

/* Without its runner nobody would end the app. It leads its own group; the pidfd
 * makes sure that the number still means it. */
static void kill_orphaned_app(struct session *session) {
	if (session->app_pidfd >= 0 &&
			syscall(SYS_pidfd_send_signal, session->app_pidfd, 0, NULL, 0) == 0) {
		kill(-(pid_t)session->app_pid, SIGKILL);
		log_warning("app-killed", "session=%016llx app_pid=%u",
				(unsigned long long)session->id, session->app_pid);
	}
}

/* A hand on what the app is and prints: it can be watched by another runner. */
static bool can_be_adopted(const struct session *session) {
	return session->app_pidfd >= 0 && session->app_output_fd >= 0;
}

static void adopt_app(struct session *session) {
	struct ipc_message message = {
		.kind = IPC_RUNNER_ADOPT,
		.runner_holds.pid = session->app_pid,
	};
	text_format(message.runner_holds.label, sizeof(message.runner_holds.label), "%016llx",
			(unsigned long long)session->id);
	int fds[2] = { session->app_pidfd, session->app_output_fd };
	child_post(session->runner, &message, fds, 2);
	log_info("runner-replaced", "session=%016llx app_pid=%u times=%u",
			(unsigned long long)session->id, session->app_pid,
			session->runner_restarts.total);
}

static int spawn_runner(struct session *session);

/* The app has not noticed that nobody watches it: the next runner does. */
static bool replace_runner(struct session *session, const struct child_end *end) {
	static const struct restarts_rule rule = { .at_once = UINT8_MAX, .most = 8 };
	uint32_t wait_ms;
	if (!can_be_adopted(session) || session->life.state >= LIFE_ENDING ||
			!restarts_failed(&session->runner_restarts, &rule, end->reason,
					clock_now_ms(), &wait_ms) ||
			spawn_runner(session) < 0) {
		return false;
	}
	adopt_app(session);
	return true;
}

static void handle_runner_ended(struct child *child, const struct child_end *end) {
	struct session *session = (struct session *)child->user;
	session->runner = NULL;
	if (!end->expected && !replace_runner(session, end)) {
		kill_orphaned_app(session);
		session_raise(session, LIFE_BROKEN, end->reason, end->detail);
	}
	session_child_gone(session);
}

static const struct child_owner runner_owner = {
	.message = handle_runner_message,
	.ended = handle_runner_ended,
};

static void handle_abandoned_ended(struct child *child, const struct child_end *end) {
	(void)end;
	struct session *session = (struct session *)child->user;
	session->app_ending = false;
	if (session->desktop_ready && session->life.state < LIFE_ENDING) {
		int rc = session_app_start(session);
		if (rc < 0) {
			session_raise(session, LIFE_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
		}
	}
	session_child_gone(session);
}

static const struct child_owner abandoned_owner = {
	.ended = handle_abandoned_ended,
};

static void handle_let_go(struct child *child, const struct child_end *end) {
	(void)end;
	session_child_gone((struct session *)child->user);
}

/* A supervisor may have died between starting it and telling it what to run. */
static void let_go(struct session *session) {
	static const struct child_owner owner = { .ended = handle_let_go };
	struct child *runner = TAKE(session->runner, NULL);
	if (runner) {
		runner->owner = &owner;
		child_stop(runner, REASON_ASKED, RUNNER_GRACE_MS);
	}
}

int session_app_adopt(struct session *session, struct child_left *left) {
	struct child *child = NULL;
	bool closing = left->stopping && session->life.state < LIFE_ENDING;
	int rc = child_adopt(&session->supervisor->nursery, left,
			closing ? &abandoned_owner : &runner_owner, session,
			closing ? &child : &session->runner);
	session->app_ending |= rc == 0 && closing;
	session->children += rc == 0;
	return rc;
}

void session_app_restore(struct session *session) {
	struct keep *keep = &session->supervisor->keep;
	unsigned long long id = session->id;
	session->app_pidfd = keep_take(keep, "s%016llx.app.pid", id);
	session->app_output_fd = keep_take(keep, "s%016llx.app.output", id);
}

static int spawn_runner(struct session *session) {
	char home[256];
	int rc = make_home(session, home, sizeof(home));
	if (rc < 0) {
		return rc;
	}
	char display[64] = ""; /* ":0" is a socket's name */
	if (session->x_display[0] == ':') {
		text_format(display, sizeof(display), "/tmp/.X11-unix/X%s", session->x_display + 1);
	}
	struct child_spec spec = {
		.kind = PEER_RUNNER,
		.program = "perigee-runner",
		.args = { "--libexec", session->supervisor->nursery.libexec, "--closed",
				session->supervisor->paths.state, "--closed",
				session->supervisor->paths.data, "--closed",
				session->supervisor->paths.runtime, "--privileges",
				session->app->normal_privileges ? "normal" : "confined", NULL },
		.confine = session->app->normal_privileges ? "runner-normal" : NULL,
		.home = home,
		.app = session->app->program,
		.display = display[0] ? display : NULL,
		.session = session->id,
		.name = session->app->title,
	};
	rc = child_spawn(&session->supervisor->nursery, &spec, &runner_owner, session,
			&session->runner);
	if (rc == 0) {
		session->children++;
	}
	return rc;
}

int session_app_start(struct session *session) {
	struct ipc_message message;
	let_go(session);
	int rc = fill_runner_start(session, &message);
	rc = rc < 0 ? rc : spawn_runner(session);
	if (rc == 0) {
		session->app_reaped = session->app_status_known = false;
		child_post(session->runner, &message, NULL, 0);
	}
	return rc;
}

void session_app_stop(struct session *session, uint32_t reason) {
	session->app_blame = sd_event_source_disable_unref(session->app_blame);
	child_stop(session->runner, reason, RUNNER_GRACE_MS);
}

void session_app_abandon(struct session *session) {
	struct child *runner = TAKE(session->runner, NULL);
	session->app_blame = sd_event_source_disable_unref(session->app_blame);
	if (runner) {
		runner->owner = &abandoned_owner;
		session->app_ending = true;
		child_stop(runner, REASON_DESKTOP_AGAIN, RUNNER_GRACE_MS);
	}
	fd_release(&session->app_pidfd);
	fd_release(&session->app_output_fd);
	keep_drop(&session->supervisor->keep, "s%016llx.app.", (unsigned long long)session->id);
	session->app_pid = 0;
}

void session_app_finish(struct session *session) {
	session->app_blame = sd_event_source_disable_unref(session->app_blame);
	fd_release(&session->app_pidfd);
	fd_release(&session->app_output_fd);
}
