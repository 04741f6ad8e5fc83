/* SPDX-License-Identifier: MIT */
#include "supervisor/supervisor.h"
#include "supervisor/lobby.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "ipc/reason.h"
#include "supervisor/doors.h"
#include "supervisor/process.h"
#include "supervisor/services.h"
#include "supervisor/session.h"

enum {
	STOP_MS = 6000,
};

void supervisor_post(struct supervisor *supervisor, enum service_name name,
		const struct ipc_message *message, const int *fds, size_t n_fds) {
	child_post(supervisor->services[name].child, message, fds, n_fds);
}

/* A person reads this on the terminal that started us. */
static void say(const struct supervisor *supervisor, const char *text) {
	int fd = supervisor->terminal_fd >= 0 ? supervisor->terminal_fd : STDERR_FILENO;
	if (write(fd, text, strlen(text)) < 0) {
		log_warning("terminal-deaf", "");
	}
}

void supervisor_fatal(struct supervisor *supervisor, const char *format, ...) {
	char text[CONFIG_ERROR_MAX], line[CONFIG_ERROR_MAX + 16];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_format(line, sizeof(line), "perigee: %s\n", text);
	say(supervisor, line);
	log_error("fatal", "detail=%s", log_quote(text).text);
	supervisor->exit_code = 1;
	supervisor_stop(supervisor);
}

static int handle_stop_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct supervisor *supervisor = (struct supervisor *)user;
	supervisor->stop_forced = true;
	log_error("stop-overdue", "processes=%u sessions=%u", supervisor->nursery.count,
			supervisor->sessions_count);
	sd_event_exit(supervisor->event, supervisor->exit_code);
	return 0;
}

void supervisor_stop(struct supervisor *supervisor) {
	if (supervisor->stopping) {
		return;
	}
	supervisor->stopping = true;
	log_info("stopping", "sessions=%u", supervisor->sessions_count);
	sd_event_add_time_relative(supervisor->event, &supervisor->sources[3], CLOCK_MONOTONIC,
			STOP_MS * US_PER_MS, 1000, handle_stop_overdue, supervisor);
	nursery_bury(&supervisor->nursery);
	trial_drop(supervisor);
	lobby_quit_all(supervisor, REASON_SHUTDOWN);
	session_quit_all(supervisor, REASON_SHUTDOWN);
	supervisor_check_end(supervisor);
}

void supervisor_check_end(struct supervisor *supervisor) {
	if (!supervisor->stopping || supervisor->sessions || supervisor->lobbies ||
			supervisor->trial.child) {
		return;
	}
	services_stop(supervisor);
	if (services_running(supervisor) == 0 && supervisor->nursery.corpses_count == 0) {
		sd_event_exit(supervisor->event, supervisor->exit_code);
	}
}

static void list_encoders(const struct supervisor *supervisor, char *out, size_t size) {
	size_t used = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		const struct ipc_message *probed = &supervisor->probed[i];
		bool works = probed->encoder_probed.mask != 0;
		text_format(out + used, size - used, "%s%s (%s%s%.60s)", used ? ", " : "",
				probed->encoder_probed.name, works ? "works" : "no",
				probed->encoder_probed.detail[0] ? ": " : "",
				probed->encoder_probed.detail);
		used = strlen(out);
	}
	if (used == 0) {
		text_copy(out, size, supervisor->probe_done ? "none works" : "still being tried");
	}
}

static void list_missing(const struct supervisor *supervisor, char *out, size_t size) {
	size_t used = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		if (!supervisor->apps.list[i].installed && !supervisor->apps.list[i].hidden) {
			text_format(out + used, size - used, "  Note       %s\n",
					supervisor->apps.list[i].why_not);
			used = strlen(out);
		}
	}
}

static const char *renderer(void) {
	return access("/dev/dri/renderD128", R_OK | W_OK) == 0
			       ? "chosen by each desktop (a render node is there)"
			       : "pixman, in software (no usable /dev/dri/renderD128)";
}

/* What encoders there are may come too late for the banner. That the doors answer and what
 * the key is may not: the link would be none. */
void supervisor_check_banner(struct supervisor *supervisor, bool overdue) {
	supervisor->banner_overdue |= overdue;
	bool answers = supervisor->services[SERVICE_STORE].ready &&
		       supervisor->services[SERVICE_GATE].ready &&
		       supervisor->services[SERVICE_WEB].ready;
	bool complete = supervisor->probe_done && supervisor->facts.kind == IPC_FACTS;
	if (supervisor->banner_shown || supervisor->stopping || !answers ||
			(!complete && !supervisor->banner_overdue)) {
		return;
	}
	supervisor->banner_shown = true;
	char address[80], encoders[500], missing[600], command[256], text[2700];
	doors_host_address(supervisor, address, sizeof(address));
	list_encoders(supervisor, encoders, sizeof(encoders));
	list_missing(supervisor, missing, sizeof(missing));
	if (spawn_find(supervisor->nursery.libexec, "perigee", command, sizeof(command)) < 0) {
		text_copy(command, sizeof(command), "perigee");
	}
	text_format(text, sizeof(text),
			"\nPerigee %s is ready. Add this host in Moonlight:\n\n"
			"  Address    %s:%u\n"
			"  Name       %s\n"
			"  Pairing    https://%s:%u/#key=%s\n"
			"             (the page warns about its certificate: it is this host's "
			"own)\n"
			"             or on this machine: %s pair PIN\n"
			"  Renderer   %s\n"
			"  Encoders   %s\n"
			"  Log        %s\n"
			"  State      %s\n"
			"  Homes      %s/homes\n"
			"%s%s%s%s\n",
			perigee_version(), address, supervisor->config.ports.http,
			doors_host_name(supervisor), address, supervisor->config.ports.web,
			supervisor->web_key, command, renderer(), encoders, supervisor->paths.log,
			supervisor->paths.state, supervisor->paths.data,
			supervisor->paths.said[0] ? "  User       " : "", supervisor->paths.said,
			supervisor->paths.said[0] ? "\n" : "", missing);
	say(supervisor, text);
	struct ipc_message ready = { .kind = IPC_HOLD_READY };
	channel_post(&supervisor->keep.holder, &ready, NULL, 0);
	log_info("ready", "since_start_ms=%llu complete=%d",
			(unsigned long long)(clock_now_ms() - supervisor->begun_ms), complete);
}
