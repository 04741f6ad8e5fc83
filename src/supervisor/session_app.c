/* SPDX-License-Identifier: MIT */
#include "supervisor/session_app.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/processes.h"
#include "base/text.h"
#include "supervisor/app_env.h"
#include "supervisor/app_plan.h"
#include "supervisor/container.h"
#include "supervisor/desk.h"
#include "supervisor/desk_door.h"
#include "supervisor/homes.h"
#include "supervisor/pads.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"

enum {
	RUNNER_GRACE_MS = 1000,
	CONTAINER_GRACE_MS = 5000, /* its engine is asked to stop and to remove it */
	/* An app whose desktop dies fails as well, and is often seen first. */
	BLAME_MS = 500,
	REPORT_MS = 3000, /* for the holder to tell how an adopted app ended */
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

static uint32_t grace_ms(const struct desk *desk) {
	return app_plan_is_container(desk) ? CONTAINER_GRACE_MS : RUNNER_GRACE_MS;
}

/* A container of a user's own engine has that user as its root: files of anybody else inside
 * would be nobody's outside. */
static void name_user(const struct desk *desk, struct app_env *env) {
	uint32_t engine;
	app_plan_user(desk, &env->uid, &env->gid);
	if (container_engine_user(&desk->supervisor->config, &engine) == 0 && engine == env->uid) {
		env->uid = env->gid = 0;
	}
}

static int fill_env(const struct desk *desk, struct ipc_message *message) {
	struct app_env env = {
		.session = desk->id,
		.home = message->runner_start.home,
		.runtime = desk->runtime,
		.sound = desk->sound_server,
		.socket = desk_door_is_there(desk) ? DESK_DOOR_SOCKET : NULL,
		.x_display = desk->x_display,
		.width = desk->width,
		.height = desk->height,
		.rate_mhz = desk->rate_mhz,
		.runner = desk->app->runner,
	};
	if (app_plan_is_container(desk)) {
		name_user(desk, &env);
		env.container = true;
		env.home = APP_PLAN_HOME;
		env.runtime = APP_PLAN_RUNTIME;
		env.sound = "unix:" APP_PLAN_RUNTIME "/pulse-socket";
	}
	return app_env_write(&env, message->runner_start.env, sizeof(message->runner_start.env),
			&message->runner_start.env_len);
}

static int fill_runner_start(struct desk *desk, struct ipc_message *message) {
	const struct app *app = desk->app;
	*message = (struct ipc_message){ .kind = IPC_RUNNER_START };
	message->runner_start.app = app->id; /* the runner is the apps' user already */
	text_copy(message->runner_start.title, sizeof(message->runner_start.title), app->title);
	text_copy(message->runner_start.runtime, sizeof(message->runner_start.runtime),
			desk->runtime);
	int rc = homes_make(desk, message->runner_start.home, sizeof(message->runner_start.home));
	if (rc < 0) {
		return rc;
	}
	char *argv = message->runner_start.argv;
	uint16_t *argv_len = &message->runner_start.argv_len;
	bool whole = app_plan_is_container(desk); /* its program is not looked for here */
	bool fits = whole || add_string(argv, sizeof(message->runner_start.argv), argv_len, "%s",
					     app->program);
	for (unsigned i = !whole; fits && i < app->command_count; i++) {
		fits = add_string(argv, sizeof(message->runner_start.argv), argv_len, "%s",
				app->command[i]);
	}
	return fits ? fill_env(desk, message) : -E2BIG;
}

/* The app has left without an error. Who is on the way to it, or has seen nothing of it, would
 * only find it gone, or wait for a host that says nothing any more: they are told. */
static void end_well(struct desk *desk) {
	const struct notice *notice = &desk->notice;
	bool unseen = notice->audience == NOTICE_COMING || !notice->window_seen;
	char words[160];
	text_format(words, sizeof(words), "%s ended: %s", desk->app->title, desk->app_words);
	if (!unseen || !notice_end(desk, DESK_APP_OVER, REASON_APP_EXITED, words,
				       "it left without an error")) {
		desk_raise(desk, DESK_APP_OVER, REASON_APP_EXITED, NULL);
	}
}

static int handle_blame(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct desk *desk = (struct desk *)user;
	desk->app_blame = sd_event_source_disable_unref(desk->app_blame);
	int status = desk->app_status;
	char words[160];
	if (desk->app_status_known && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		end_well(desk);
		return 0;
	}
	uint32_t reason = desk->app_status_known ? REASON_APP_FAILED : REASON_APP_EXITED;
	char why[40] = "";
	if (desk->app_status_known) {
		text_format(why, sizeof(why), "%s %d", WIFSIGNALED(status) ? "signal" : "status",
				WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		text_format(words, sizeof(words), "%s ended with %s: %s", desk->app->title, why,
				desk->app_words);
	} else {
		text_format(words, sizeof(words), "%s ended, nobody saw how: %s", desk->app->title,
				desk->app_words);
	}
	if (!notice_end(desk, DESK_APP_OVER, reason, words, why)) {
		desk_raise(desk, DESK_APP_OVER, reason, words);
	}
	return 0;
}

/* The app is no more. Whether it failed by itself, and how it ended when its runner
 * was not its parent, shows a moment later. */
static void app_exited(struct desk *desk, int status, bool known) {
	desk->app_status = status;
	desk->app_status_known = known;
	/* An app that leaves in peace when its desktop goes is to come back with it. */
	bool well = known && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (well && !desk->app->restart) {
		end_well(desk);
		return;
	}
	sd_event_source_disable_unref(desk->app_blame);
	desk->app_blame = NULL;
	if (sd_event_add_time_relative(desk->supervisor->event, &desk->app_blame, CLOCK_MONOTONIC,
			    (known ? BLAME_MS : REPORT_MS) * US_PER_MS, 1000, handle_blame,
			    desk) < 0) {
		desk_raise(desk, DESK_APP_OVER, REASON_APP_FAILED, desk->app_words);
	}
}

/* A hand on what the app is and prints: it can be watched by another runner. */
static bool can_be_adopted(const struct desk *desk) {
	return desk->app_pidfd >= 0 && desk->app_output_fd >= 0;
}

/* It can be found again, whoever dies next: now it may begin. A successor of ours hears
 * of the gate again, and opens it again. */
static void open_gate(struct desk *desk) {
	if (desk->app_gate_fd >= 0 && can_be_adopted(desk)) {
		(void)!send(desk->app_gate_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		fd_release(&desk->app_gate_fd);
	}
}

void session_app_tell_image(const struct desk *desk, const struct app *app, const char *detail) {
	bool begins = strcmp(detail, "begins") == 0, well = strcmp(detail, "pulled") == 0;
	if (app->runner && (well || begins || strcmp(detail, "failed") == 0)) {
		tell_pull(desk->supervisor, desk->id, begins ? TOLD_PULL_BEGAN : TOLD_PULL_ENDED,
				well, app->runner->image);
	}
}

static void handle_runner_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	struct desk *desk = (struct desk *)child->user;
	if (message->kind == IPC_RUNNER_APP) {
		desk->app_pid = message->runner_app.pid;
		desk->app_doing[0] = '\0';
		notice_app_began(desk);
		log_info("app-started", "session=%016llx app_pid=%u confined=%s",
				(unsigned long long)desk->id, message->runner_app.pid,
				log_quote(message->runner_app.detail).text);
		tell_desk_event(desk, TOLD_APP_STARTED, (int32_t)desk->app_pid, NULL);
		desk_raise(desk, DESK_APP_BEGAN, REASON_NONE, NULL);
	} else if (message->kind == IPC_RUNNER_ENGINE_ASK) {
		container_connect(desk->supervisor, child);
	} else if (message->kind == IPC_RUNNER_PID) {
		pads_introduce(desk, message->runner_pid.pid);
	} else if (message->kind == IPC_RUNNER_PULL) {
		text_format(desk->app_doing, sizeof(desk->app_doing), "image: %s, %u %%",
				message->runner_pull.detail, message->runner_pull.percent);
		session_app_tell_image(desk, desk->app, message->runner_pull.detail);
	} else if (message->kind == IPC_RUNNER_GATE) {
		fd_close(desk->app_gate_fd);
		desk->app_gate_fd = fds_take(fds, 0);
		open_gate(desk);
	} else if (message->kind == IPC_RUNNER_HOLDS) {
		fd_close(desk->app_pidfd);
		fd_close(desk->app_output_fd);
		desk->app_pidfd = fds_take(fds, 0);
		desk->app_output_fd = fds_take(fds, 1);
		desk->app_pid = message->runner_holds.pid;
		keep_put(&desk->supervisor->keep, desk->app_pidfd, "s%016llx.app.pid",
				(unsigned long long)desk->id);
		keep_put(&desk->supervisor->keep, desk->app_output_fd, "s%016llx.app.output",
				(unsigned long long)desk->id);
		open_gate(desk);
	} else if (message->kind == IPC_RUNNER_LINES) {
		notice_app_lines(desk, message->runner_lines.last_lines);
	} else if (message->kind == IPC_RUNNER_EXITED) {
		int status = message->runner_exited.status;
		bool known = status != RUNNER_STATUS_UNKNOWN || desk->app_reaped;
		text_copy(desk->app_words, sizeof(desk->app_words),
				message->runner_exited.last_lines);
		notice_app_lines(desk, message->runner_exited.last_lines);
		notice_app_over(desk);
		tell_desk_event(desk, TOLD_APP_EXITED, status, desk->app_words);
		app_exited(desk, status != RUNNER_STATUS_UNKNOWN ? status : desk->app_status,
				known);
	}
}

void session_app_reaped(struct supervisor *supervisor, uint32_t pid, int status) {
	for (struct desk *desk = supervisor->desks; desk; desk = desk->next) {
		if (desk->app_pid == pid && pid != 0) {
			desk->app_reaped = true;
			desk->app_status = status;
			if (desk->app_blame && !desk->app_status_known) {
				app_exited(desk, status, true);
			}
		}
	}
}

static bool app_lives(const struct desk *desk) {
	return desk->app_pidfd >= 0 &&
	       syscall(SYS_pidfd_send_signal, desk->app_pidfd, 0, NULL, 0) == 0;
}

/* Nobody else would end what is left when the runner has gone for good. One that adopted
 * the app may not even see what that had started: Landlock hides it. The app leads its own
 * group; the pidfd makes sure that the number still means it. */
static void end_left(struct desk *desk, bool asked) {
	bool lives = app_lives(desk);
	if (lives) {
		kill(-(pid_t)desk->app_pid, SIGKILL);
	}
	if (lives || !asked || desk->runner_restarts.total > 0) {
		char label[40];
		text_format(label, sizeof(label), "PERIGEE_SESSION=%016llx",
				(unsigned long long)desk->id);
		unsigned killed = processes_signal(label, SIGKILL);
		if (lives || killed > 0) {
			log_warning("app-killed", "session=%016llx app_pid=%u processes=%u",
					(unsigned long long)desk->id, desk->app_pid, killed);
		}
	}
}

static void adopt_app(struct desk *desk) {
	struct ipc_message message = {
		.kind = IPC_RUNNER_ADOPT,
		.runner_holds.pid = desk->app_pid,
	};
	text_format(message.runner_holds.label, sizeof(message.runner_holds.label), "%016llx",
			(unsigned long long)desk->id);
	int fds[2] = { desk->app_pidfd, desk->app_output_fd };
	child_post(desk->runner, &message, fds, 2);
	log_info("runner-replaced", "session=%016llx app_pid=%u times=%u",
			(unsigned long long)desk->id, desk->app_pid, desk->runner_restarts.total);
}

static int spawn_runner(struct desk *desk);
static int start_app(struct desk *desk, bool goes_on);

/* The app has not noticed that nobody watches it: the next runner does. One that nobody
 * was told of has not begun, and never will: it is started by the next runner. */
static bool replace_runner(struct desk *desk, const struct child_end *end) {
	static const struct restarts_rule rules[] = {
		{ .at_once = UINT8_MAX, .most = 3 }, /* it did not get so far */
		{ .at_once = UINT8_MAX, .most = 8 },
	};
	uint32_t wait_ms;
	bool container = app_plan_is_container(desk);
	bool told = desk->app_pid != 0;
	bool can = told ? can_be_adopted(desk) : end->reason != REASON_NOT_CONFINED;
	if (!can || desk->ending ||
			!restarts_failed(&desk->runner_restarts, &rules[told || container],
					end->reason, clock_now_ms(), &wait_ms)) {
		return false;
	}
	if (!told) {
		log_info("app-started-anew", "session=%016llx times=%u",
				(unsigned long long)desk->id, desk->runner_restarts.total);
		fd_release(&desk->app_gate_fd);
		return start_app(desk, container) == 0;
	}
	if (spawn_runner(desk) < 0) {
		return false;
	}
	adopt_app(desk);
	return true;
}

/* A session does not wait for an engine: a container's runner is none of its processes. */
static void part_gone(struct desk *desk) {
	if (!app_plan_is_container(desk)) {
		desk_child_gone(desk);
	}
}

static void handle_runner_ended(struct child *child, const struct child_end *end) {
	struct desk *desk = (struct desk *)child->user;
	desk->runner = NULL;
	if (end->expected || !replace_runner(desk, end)) {
		end_left(desk, end->expected);
	}
	if (!end->expected && !desk->runner) {
		desk->left_over = app_plan_is_container(desk);
		desk_raise(desk, DESK_BROKEN, end->reason, end->detail);
	}
	part_gone(desk);
}

static const struct child_owner runner_owner = {
	.message = handle_runner_message,
	.ended = handle_runner_ended,
};

static void handle_abandoned_ended(struct child *child, const struct child_end *end) {
	struct desk *desk = (struct desk *)child->user;
	desk->app_ending = false;
	end_left(desk, end->expected);
	if (desk->desktop_ready && !desk->ending && !notice_ends(desk)) {
		int rc = session_app_start(desk);
		if (rc < 0) {
			desk_raise(desk, DESK_BROKEN, REASON_SPAWN_FAILED, strerror(-rc));
		}
	}
	part_gone(desk);
}

static const struct child_owner abandoned_owner = {
	.ended = handle_abandoned_ended,
};

static void handle_let_go(struct child *child, const struct child_end *end) {
	(void)end;
	part_gone((struct desk *)child->user);
}

/* A supervisor may have died between starting it and telling it what to run. */
static void let_go(struct desk *desk) {
	static const struct child_owner owner = { .ended = handle_let_go };
	struct child *runner = TAKE(desk->runner, NULL);
	if (runner) {
		runner->owner = &owner;
		child_stop(runner, REASON_ASKED, grace_ms(desk));
	}
}

int session_app_adopt(struct desk *desk, struct child_left *left) {
	struct child *child = NULL;
	bool closing = left->stopping && !desk->ending;
	int rc = child_adopt(&desk->supervisor->nursery, left,
			closing ? &abandoned_owner : &runner_owner, desk,
			closing ? &child : &desk->runner);
	desk->app_ending |= rc == 0 && closing;
	desk->children += rc == 0 && !app_plan_is_container(desk);
	return rc;
}

void session_app_restore(struct desk *desk) {
	struct keep *keep = &desk->supervisor->keep;
	unsigned long long id = desk->id;
	desk->app_pidfd = keep_take(keep, "s%016llx.app.pid", id);
	desk->app_output_fd = keep_take(keep, "s%016llx.app.output", id);
	desk->app_gate_fd = -1; /* its runner tells us again */
}

/* view: 0 for the desk's own app. */
static int spawn(struct desk *desk, const struct child_owner *owner, void *user, uint32_t view,
		struct child **out) {
	char home[256];
	int rc = homes_make(desk, home, sizeof(home));
	if (rc < 0) {
		return rc;
	}
	bool container = app_plan_is_container(desk);
	char display[64];
	app_plan_x_socket(desk, display, sizeof(display));
	struct child_spec spec = {
		.kind = PEER_RUNNER,
		.program = container ? "perigee-container" : "perigee-runner",
		.args = { container ? NULL : "--libexec", desk->supervisor->nursery.libexec,
				"--closed", desk->supervisor->paths.state, "--closed",
				desk->supervisor->paths.data, "--closed",
				desk->supervisor->paths.runtime, "--privileges",
				desk->app->normal_privileges ? "normal" : "confined", NULL },
		.confine = app_plan_confine(desk),
		.home = home,
		.app = desk->app->program,
		.display = display[0] ? display : NULL,
		.session = desk->id,
		.name = desk->app->title,
		.view = view,
	};
	return child_spawn(&desk->supervisor->nursery, &spec, owner, user, out);
}

static int spawn_runner(struct desk *desk) {
	int rc = spawn(desk, &runner_owner, desk, 0, &desk->runner);
	desk->children += rc == 0 && !app_plan_is_container(desk);
	return rc;
}

int session_app_spawn(const struct desk *desk, const struct app *app, uint32_t extra,
		const struct child_owner *owner, void *user, uint32_t view, struct child **out) {
	struct ipc_message message, plan;
	struct desk other = *desk; /* the same place with another app */
	other.app = app;
	int rc = fill_runner_start(&other, &message);
	rc = rc < 0 ? rc : app_plan_fill(&other, message.runner_start.home, false, &plan);
	rc = rc < 0 ? rc : spawn(&other, owner, user, view, out);
	if (rc == 0) {
		plan.runner_plan.extra = extra;
		child_post(*out, &plan, NULL, 0);
		child_post(*out, &message, NULL, 0);
	}
	return rc;
}

static int start_app(struct desk *desk, bool goes_on) {
	struct ipc_message message, plan;
	let_go(desk);
	int rc = fill_runner_start(desk, &message);
	rc = rc < 0 ? rc : app_plan_fill(desk, message.runner_start.home, goes_on, &plan);
	rc = rc < 0 ? rc : spawn_runner(desk);
	if (rc == 0) {
		desk->app_reaped = desk->app_status_known = false;
		child_post(desk->runner, &plan, NULL, 0);
		child_post(desk->runner, &message, NULL, 0);
	}
	return rc;
}

int session_app_start(struct desk *desk) {
	return start_app(desk, false);
}

void session_app_stop(struct desk *desk, uint32_t reason) {
	desk->app_blame = sd_event_source_disable_unref(desk->app_blame);
	if (desk->runner && app_plan_is_container(desk)) {
		container_close(desk->supervisor, TAKE(desk->runner, NULL), reason, grace_ms(desk));
	}
	child_stop(desk->runner, reason, grace_ms(desk));
}

void session_app_abandon(struct desk *desk) {
	struct child *runner = TAKE(desk->runner, NULL);
	desk->app_blame = sd_event_source_disable_unref(desk->app_blame);
	if (runner) {
		runner->owner = &abandoned_owner;
		desk->app_ending = true;
		child_stop(runner, REASON_DESKTOP_AGAIN, grace_ms(desk));
	}
	fd_release(&desk->app_pidfd);
	fd_release(&desk->app_output_fd);
	fd_release(&desk->app_gate_fd);
	keep_drop(&desk->supervisor->keep, "s%016llx.app.", (unsigned long long)desk->id);
	desk->app_pid = 0;
}

void session_app_finish(struct desk *desk) {
	desk->app_blame = sd_event_source_disable_unref(desk->app_blame);
	fd_release(&desk->app_pidfd);
	fd_release(&desk->app_output_fd);
	fd_release(&desk->app_gate_fd);
	if (desk->left_over) {
		desk->left_over = false;
		container_sweep(desk->supervisor);
	}
}
