/* SPDX-License-Identifier: MIT */
/* perigee-desktop: one desktop. It may talk Wayland and X11 to the session's apps,
 * draw, convert pictures and hand them to encoders over channels it was given. It
 * opens no network socket, names no file of the host but the keyboard layouts, and
 * starts no process but Xwayland. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <systemd/sd-event.h>
#include <wayland-server-core.h>
#include <wlr/util/log.h>

#include "base/log.h"
#include "base/shm.h"
#include "base/text.h"
#include "desktop/desktop.h"
#include "desktop/pictures.h"
#include "desktop/viewers.h"
#include "ipc/obey.h"
#include "ipc/worker.h"

struct process {
	struct worker worker;
	struct desktop *desktop; /* owned; NULL until DESKTOP_START */
	struct pictures pictures;
	struct viewers viewers;
	uint32_t rate_mhz;
};

static void handle_picture(void *user, const struct desktop_picture *picture) {
	struct process *process = user;
	pictures_take(&process->pictures, picture);
}

static void handle_repeat(void *user) {
	struct process *process = user;
	pictures_repeat(&process->pictures);
}

static void handle_windows(void *user, unsigned count, bool notice) {
	struct process *process = user;
	struct ipc_message message = { .kind = IPC_DESKTOP_WINDOWS,
		.desktop_windows = { count, notice } };
	worker_post(&process->worker, &message, NULL, 0);
}

static uint32_t clip_reason(int rc) {
	static const struct {
		int error;
		uint32_t reason;
	} rows[] = {
		{ -ENOENT, REASON_CLIPBOARD_NONE },
		{ -EFBIG, REASON_CLIPBOARD_LARGE },
		{ -ETIMEDOUT, REASON_CLIPBOARD_OVERDUE },
		{ -EIO, REASON_CLIPBOARD_NONE },
		{ -EBUSY, REASON_DESK_BUSY },
		{ -EBADMSG, REASON_CLIPBOARD_NONE },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].error == rc) {
			return rows[i].reason;
		}
	}
	return rc < 0 ? REASON_RESOURCES : REASON_NONE;
}

static void answer_clip(struct process *process, uint32_t request, int rc) {
	struct ipc_message done = { .kind = IPC_CLIP_DONE,
		.clip_done = { .request = request, .reason = clip_reason(rc) } };
	worker_post(&process->worker, &done, NULL, 0);
}

static void handle_clip(void *user, uint32_t request, int rc, const void *text, size_t len) {
	struct process *process = user;
	struct shm shm = SHM_NONE;
	rc = rc < 0 ? rc : shm_create("clipboard", len ? len : 1, true, &shm);
	if (rc < 0) {
		answer_clip(process, request, rc);
		return;
	}
	if (len) {
		memcpy(shm.map, text, len);
	}
	struct ipc_message clip = { .kind = IPC_CLIP,
		.clip = { .request = request, .size = (uint32_t)len } };
	worker_post(&process->worker, &clip, &shm.fd, 1);
	shm_finish(&shm);
}

static void set_clip(
		struct process *process, const struct ipc_message *message, struct ipc_fds *fds) {
	uint32_t size = message->clip.size;
	struct shm shm = SHM_NONE;
	int fd = fds_take(fds, 0);
	int rc = size > IPC_CLIPBOARD_MAX ? -EFBIG : shm_adopt(fd, size ? size : 1, false, &shm);
	if (rc < 0) {
		fd_close(fd);
	} else {
		rc = desktop_clip_set(process->desktop, shm.map, size);
	}
	shm_finish(&shm);
	answer_clip(process, message->clip.request, rc);
}

static const struct desktop_events desktop_events = {
	.picture = handle_picture,
	.repeat = handle_repeat,
	.windows = handle_windows,
	.clip = handle_clip,
};

static void answer_keys(struct process *process, const struct ipc_message *message) {
	struct ipc_message keys = { .kind = IPC_KEYS,
		.keys = { .request = message->keys_ask.request,
				.session = message->keys_ask.session } };
	keys.keys.count = (uint8_t)desktop_held(
			process->desktop, keys.keys.codes, ARRAY_LEN(keys.keys.codes));
	if (message->keys_ask.release) {
		desktop_release_all(process->desktop);
	}
	worker_post(&process->worker, &keys, NULL, 0);
}

static void handle_encoder_failed(void *user, uint32_t encoder, uint32_t reason) {
	struct process *process = user;
	struct ipc_message message = {
		.kind = IPC_DESKTOP_ENCODER_LOST,
		.desktop_encoder_lost = { .encoder = encoder, .reason = reason },
	};
	log_warning("encoder-lost", "encoder=%u reason=%s", encoder, reason_row(reason)->name);
	worker_post(&process->worker, &message, NULL, 0);
}

static void ask_device(void *user, uint32_t request, enum ipc_pad_device device) {
	struct process *process = user;
	struct ipc_message message = { .kind = IPC_PAD_DEVICE_ASK,
		.pad_device = { .request = request, .device = (uint8_t)device } };
	worker_post(&process->worker, &message, NULL, 0);
}

static void tell_device(void *user, enum ipc_kind kind, const char *name) {
	struct process *process = user;
	struct ipc_message message = { .kind = kind };
	text_copy(message.pad_node.name, sizeof(message.pad_node.name), name);
	worker_post(&process->worker, &message, NULL, 0);
}

/* The worker's own loop is one source of the desktop's; main() runs it. */
static int handle_worker(int fd, uint32_t mask, void *data) {
	(void)fd, (void)mask, (void)data;
	return 0;
}

/* What goes in and out of the desktop, once it is there. */
static void open_parts(
		struct process *process, const struct desktop_settings *settings, bool pad_keys) {
	process->rate_mhz = settings->rate_mhz;
	wl_event_loop_add_fd(desktop_loop(process->desktop), sd_event_get_fd(process->worker.event),
			WL_EVENT_READABLE, handle_worker, process);
	pictures_init(&process->pictures, process->desktop, process->worker.event,
			process->worker.pulse, settings->width, settings->height);
	process->pictures.failed = handle_encoder_failed;
	process->pictures.user = process;
	viewers_init(&process->viewers, process->desktop, process->worker.event,
			process->worker.pulse);
	process->viewers.pads.ask = ask_device;
	process->viewers.pads.tell = tell_device;
	process->viewers.pads.user = process;
	process->viewers.pads.desk = process->worker.session;
	process->viewers.pad_keys = pad_keys;
	process->viewers.width = settings->width;
	process->viewers.height = settings->height;
}

static void start(struct process *process, const struct ipc_message *message, struct ipc_fds *fds) {
	int listen_fd = fds_take(fds, 0);
	if (process->desktop) {
		fd_close(listen_fd);
		worker_end(&process->worker, REASON_WORKER_LIED, "a second desktop");
		return;
	}
	struct desktop_settings settings = {
		.width = message->desktop_start.width,
		.height = message->desktop_start.height,
		.rate_mhz = message->desktop_start.rate_mhz,
		.layout = message->desktop_start.layout,
		.variant = message->desktop_start.variant,
		.model = message->desktop_start.model,
		.options = message->desktop_start.options,
		.xwayland = message->desktop_start.xwayland,
		.fullscreen = message->desktop_start.fullscreen,
	};
	pulse_begin(process->worker.pulse, PULSE_START, WORKER_START_MS);
	int r = desktop_create(&settings, listen_fd, &desktop_events, process, &process->desktop);
	pulse_end(process->worker.pulse);
	if (r < 0) {
		worker_end(&process->worker, r == -EINVAL ? REASON_UNSUPPORTED : REASON_RESOURCES,
				"desktop %ux%u: %s", settings.width, settings.height, strerror(-r));
		return;
	}
	open_parts(process, &settings, message->desktop_start.pad_keys);
	struct ipc_message ready = { .kind = IPC_DESKTOP_READY };
	text_copy(ready.desktop_ready.x_display, sizeof(ready.desktop_ready.x_display),
			desktop_x_display(process->desktop));
	text_copy(ready.desktop_ready.renderer, sizeof(ready.desktop_ready.renderer),
			desktop_renderer_name(process->desktop));
	worker_post(&process->worker, &ready, NULL, 0);
}

static void resize(struct process *process, const struct ipc_message *message) {
	uint32_t width = message->desktop_size.width, height = message->desktop_size.height;
	uint32_t rate_mhz = message->desktop_size.rate_mhz;
	rate_mhz = rate_mhz ? rate_mhz : process->rate_mhz;
	if (desktop_resize(process->desktop, width, height, rate_mhz) == 0) {
		process->rate_mhz = rate_mhz;
		process->viewers.width = width;
		process->viewers.height = height;
		if (pictures_resize(&process->pictures, width, height) < 0) {
			worker_end(&process->worker, REASON_RESOURCES, "no memory for %ux%u", width,
					height);
			return;
		}
	}
	/* What it is now, also when the wish was refused. */
	struct ipc_message answer = {
		.kind = IPC_DESKTOP_RESIZED,
		.desktop_size = { .width = (uint16_t)process->pictures.width,
				.height = (uint16_t)process->pictures.height,
				.rate_mhz = process->rate_mhz },
	};
	worker_post(&process->worker, &answer, NULL, 0);
}

/* Too many is not a shortage: a shortage that lasts ends the desktop. */
static enum reason why_refused(int error) {
	return error == -EINVAL   ? REASON_UNSUPPORTED
	       : error == -ENOSPC ? REASON_HOST_FULL
				  : REASON_RESOURCES;
}

static void add_encoder(
		struct process *process, const struct ipc_message *message, struct ipc_fds *fds) {
	int r = pictures_add(&process->pictures, message->desktop_encoder.encoder,
			&message->desktop_encoder.format, fds_take(fds, 0));
	if (r < 0) {
		worker_fail(&process->worker, why_refused(r), "encoder %u: %s",
				message->desktop_encoder.encoder, strerror(-r));
	}
}

static void add_viewer(
		struct process *process, const struct ipc_message *message, struct ipc_fds *fds) {
	uint32_t viewer = message->desktop_viewer.viewer;
	int r = viewers_add(&process->viewers, viewer, message->desktop_viewer.may_input,
			fds_take(fds, 0));
	if (r < 0) {
		worker_fail(&process->worker, why_refused(r), "viewer %u: %s", viewer,
				strerror(-r));
	}
	viewers_set_size(&process->viewers, viewer, message->desktop_viewer.width,
			message->desktop_viewer.height);
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	struct process *process = worker->user;
	if (message->kind == IPC_DESKTOP_START) {
		start(process, message, fds);
		return;
	}
	if (!process->desktop) {
		worker_end(worker, REASON_WORKER_LIED, "%s before the start",
				ipc_kind_name(message->kind));
		return;
	}
	switch (message->kind) {
	case IPC_DESKTOP_RESIZE:
		resize(process, message);
		break;
	case IPC_DESKTOP_ENCODER:
		add_encoder(process, message, fds);
		break;
	case IPC_DESKTOP_ENCODER_GONE:
		pictures_remove(&process->pictures, message->desktop_encoder.encoder);
		break;
	case IPC_DESKTOP_VIEWER:
		add_viewer(process, message, fds);
		break;
	case IPC_DESKTOP_VIEWER_MAY:
		viewers_set_input(&process->viewers, message->desktop_viewer.viewer,
				message->desktop_viewer.may_input);
		break;
	case IPC_PAD_DEVICE:
	case IPC_PAD_DEVICE_NONE:
		viewers_device(&process->viewers, message, fds);
		break;
	case IPC_DESKTOP_NOTICE:
		if (desktop_notice(process->desktop, fds_take(fds, 0)) < 0) {
			log_warning("notice-refused", "error=ENOMEM"); /* it goes on without */
		}
		break;
	case IPC_CLIP_GET:
		desktop_clip_get(process->desktop, message->clip.request);
		break;
	case IPC_CLIP_SET:
		set_clip(process, message, fds);
		break;
	case IPC_KEYS_ASK:
		answer_keys(process, message);
		break;
	case IPC_DESKTOP_VIEWER_GONE:
		viewers_remove(&process->viewers, message->desktop_viewer.viewer);
		break;
	default:
		break;
	}
}

#ifdef PERIGEE_OBEY
/* As if an app had played an effect on every pad. */
static int order_rumble(struct worker *worker, const char *argument, char *detail, size_t size) {
	struct viewers *viewers = &((struct process *)worker->user)->viewers;
	struct ipc_message message = { .kind = IPC_PAD_FEEDBACK,
		.pad_feedback = { .what = PAD_RUMBLE,
				.a = (uint16_t)strtoul(argument, NULL, 0),
				.b = 0x1234 } };
	unsigned count = 0;
	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		count += viewers->list[i].used ? pads_feel(&viewers->list[i].pads, &message) : 0;
	}
	text_format(detail, size, "%u", count);
	return 0;
}

static const struct obey_order orders[] = {
	{ "rumble", order_rumble },
	{ 0 },
};
#endif

static const struct worker_class class = {
	.kind = PEER_DESKTOP,
	.message = handle_message,
#ifdef PERIGEE_OBEY
	.orders = orders,
#endif
};

#define SOCKETS "[xwayland/sockets.c"

static void handle_wlr_log(enum wlr_log_importance importance, const char *format, va_list args)
		__attribute__((format(printf, 2, 0)));

static void handle_wlr_log(enum wlr_log_importance importance, const char *format, va_list args) {
	char text[512];
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		return;
	}
	/* It complains once for every display it tries; x11.c says what came of it. */
	bool known = strncmp(text, SOCKETS, sizeof(SOCKETS) - 1) == 0;
	log_line(importance == WLR_ERROR && !known ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "wlroots",
			"text=%s", log_quote(text).text);
}

static void handle_wayland_log(const char *format, va_list args)
		__attribute__((format(printf, 1, 0)));

static void handle_wayland_log(const char *format, va_list args) {
	char text[512];
	if (vsnprintf(text, sizeof(text), format, args) >= 0) {
		log_info("wayland", "text=%s", log_quote(text).text);
	}
}

/* Xwayland is a child of wlroots' making and would inherit what the worker's frame
 * blocks and ignores: it could not be ended, and its xkbcomp not be waited for. It
 * dies with us. */
static void reset_signals_in_child(void) {
	static const int signals[] = { SIGINT, SIGPIPE, SIGTERM, SIGCHLD };
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		signal(signals[i], SIG_DFL);
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Handles what both loops have, until neither has more: an event of one may arm a
 * timer or an idle callback of the other. */
static void settle(struct process *process) {
	do {
		worker_has_woken(&process->worker); /* being busy is not hanging */
		if (process->desktop) {
			desktop_dispatch(process->desktop, 0);
		}
	} while (sd_event_run(process->worker.event, 0) > 0);
}

/* No deadline of its own: every deadline is a timer in one of the loops. */
static void wait_for_work(struct process *process) {
	struct pollfd wait = { .fd = sd_event_get_fd(process->worker.event), .events = POLLIN };
	if (process->desktop) {
		wait.fd = wl_event_loop_get_fd(desktop_loop(process->desktop));
	}
	worker_will_wait(&process->worker);
	poll(&wait, 1, -1);
	worker_has_woken(&process->worker);
}

int main(void) {
	struct process *process = calloc(1, sizeof(*process));
	if (!process) {
		return EXIT_FAILURE;
	}
	wlr_log_init(WLR_ERROR, handle_wlr_log);
	wl_log_set_handler_server(handle_wayland_log);
	pthread_atfork(NULL, NULL, reset_signals_in_child);
	if (worker_open(&process->worker, &class, process) < 0) {
		fprintf(stderr, "perigee-desktop is started by perigeed\n");
		return 2;
	}
	settle(process);
	while (worker_dispatch(&process->worker)) {
		wait_for_work(process);
		settle(process);
	}
	int code = 1;
	sd_event_get_exit_code(process->worker.event, &code);
	/* Unlinks the X display's socket; the supervisor's deadline bounds it. */
	if (process->desktop) {
		pictures_finish(&process->pictures);
		viewers_finish(&process->viewers);
		desktop_destroy(process->desktop);
	}
	_exit(code);
}
