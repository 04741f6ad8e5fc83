/* SPDX-License-Identifier: MIT */
#include "supervisor/app_plan.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "supervisor/desk.h"
#include "supervisor/desk_door.h"
#include "supervisor/pad_links.h"
#include "supervisor/pads.h"
#include "supervisor/sockets.h"
#include "supervisor/supervisor.h"

enum runner_type app_plan_type(const struct desk *desk) {
	const struct app *app = desk->app;
	if (app->runner && app->runner->type != RUNNER_AUTO) {
		return (enum runner_type)app->runner->type;
	}
	/* As a user of its own, an app is kept from Perigee by that; else by a sandbox. */
	return app->normal_privileges || desk->supervisor->paths.is_root ? RUNNER_PROCESS
									 : RUNNER_AUTO;
}

bool app_plan_is_container(const struct desk *desk) {
	return app_plan_type(desk) == RUNNER_CONTAINER;
}

const char *app_plan_confine(const struct desk *desk) {
	if (app_plan_is_container(desk)) {
		return "runner-container";
	}
	if (desk->app->normal_privileges) {
		return "runner-normal";
	}
	return app_plan_type(desk) == RUNNER_PROCESS ? NULL : "runner-sandbox";
}

void app_plan_user(const struct desk *desk, uint32_t *out_uid, uint32_t *out_gid) {
	enum { USUAL = 1000 }; /* what the store, as Wolf, has for who said nothing */
	const struct supervisor *supervisor = desk->supervisor;
	*out_uid = supervisor->paths.uid;
	*out_gid = supervisor->paths.gid;
	if (!app_plan_is_container(desk)) {
		return;
	}
	const client_settings *settings = permits_of(&supervisor->permits, desk->client);
	if (settings) {
		*out_uid = settings->run_uid && settings->run_uid != USUAL ? settings->run_uid
									   : *out_uid;
		*out_gid = settings->run_gid && settings->run_gid != USUAL ? settings->run_gid
									   : *out_gid;
	}
	*out_uid = desk->run_uid ? desk->run_uid : *out_uid;
	*out_gid = desk->run_gid ? desk->run_gid : *out_gid;
}

int app_plan_listen(const struct desk *desk, const char *path) {
	const struct paths *paths = &desk->supervisor->paths;
	uint32_t uid, gid;
	app_plan_user(desk, &uid, &gid);
	/* The folder that it is in is closed to everybody else. */
	return sockets_listen_unix(path, uid, paths->gid, uid == paths->uid ? 0600 : 0660);
}

void app_plan_x_socket(const struct desk *desk, char *out, size_t size) {
	out[0] = '\0';
	if (desk->x_display[0] == ':') {
		text_format(out, size, "/tmp/.X11-unix/X%s", desk->x_display + 1);
	}
}

static bool put_word(struct ipc_message *out, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

static bool put_word(struct ipc_message *out, const char *format, ...) {
	uint16_t *len = &out->runner_plan.list_len;
	size_t room = sizeof(out->runner_plan.list) - *len;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(out->runner_plan.list + *len, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		return false;
	}
	*len = (uint16_t)(*len + n + 1);
	return true;
}

static bool put_list(const char *name, const struct config_list *list, struct ipc_message *out) {
	bool fits = true;
	for (unsigned i = 0; i < list->count && fits; i++) {
		fits = put_word(out, "%s=%s", name, list->at[i]);
	}
	return fits;
}

/* What a container sees of its desktop, in the places that APP_PLAN_ names. */
static bool put_places(const struct desk *desk, const char *home, struct ipc_message *out) {
	const char *display = out->runner_plan.display;
	return put_word(out, "mount=%s:%s:rw", home, APP_PLAN_HOME) &&
	       put_word(out, "mount=%s/wayland-0:%s/wayland-0:rw", desk->runtime,
			       APP_PLAN_RUNTIME) &&
	       put_word(out, "mount=%s/pulse/native:%s/pulse-socket:rw", desk->runtime,
			       APP_PLAN_RUNTIME) &&
	       (!desk_door_is_there(desk) || put_word(out,
							     "mount=%s/" DESK_DOOR_SOCKET
							     ":%s/" DESK_DOOR_SOCKET ":rw",
							     desk->runtime, APP_PLAN_RUNTIME)) &&
	       (!display[0] || put_word(out, "mount=%s:%s:rw", display, display));
}

static bool put_graphics(struct ipc_message *out) {
	static const char *const patterns[] = { "/dev/dri/card*", "/dev/dri/renderD*",
		"/dev/nvidia*", "/dev/kfd" };
	bool fits = true;
	for (size_t i = 0; i < ARRAY_LEN(patterns) && fits; i++) {
		glob_t found;
		if (glob(patterns[i], 0, NULL, &found) != 0) {
			continue;
		}
		for (size_t j = 0; j < found.gl_pathc && fits; j++) {
			struct stat st;
			bool is_device = stat(found.gl_pathv[j], &st) == 0 && S_ISCHR(st.st_mode);
			fits = !is_device || put_word(out, "device=%s", found.gl_pathv[j]);
		}
		globfree(&found);
	}
	return fits && (access("/dev/nvidiactl", F_OK) < 0 || put_word(out, "gpu=nvidia"));
}

static int fill_container(const struct desk *desk, const char *home, struct ipc_message *out) {
	const struct config_runner *runner = desk->app->runner;
	const char *json = runner->base_create_json ? runner->base_create_json : "";
	size_t json_len = strlen(json);
	out->runner_plan.session = desk->id;
	if (json_len > sizeof(out->runner_plan.json) ||
			!text_copy(out->runner_plan.image, sizeof(out->runner_plan.image),
					runner->image) ||
			!put_places(desk, home, out) ||
			!put_list("device", &runner->devices, out) ||
			!put_list("port", &runner->ports, out) ||
			(runner->gpu && !put_graphics(out))) {
		return -E2BIG;
	}
	memcpy(out->runner_plan.json, json, json_len);
	out->runner_plan.json_len = (uint16_t)json_len;
	text_copy(out->runner_plan.host, sizeof(out->runner_plan.host), desk->supervisor->host_id);
	return 0;
}

int app_plan_fill(
		const struct desk *desk, const char *home, bool goes_on, struct ipc_message *out) {
	const struct config_runner *runner = desk->app->runner;
	*out = (struct ipc_message){ .kind = IPC_RUNNER_PLAN };
	out->runner_plan.type = (uint8_t)app_plan_type(desk);
	out->runner_plan.goes_on = goes_on;
	out->runner_plan.network = !runner || runner->network;
	app_plan_x_socket(desk, out->runner_plan.display, sizeof(out->runner_plan.display));
	bool fits = !runner || (text_copy(out->runner_plan.folder, sizeof(out->runner_plan.folder),
						runner->folder ? runner->folder : "") &&
					       put_list("mount", &runner->mounts, out));
	char pads[PAD_TREE_PATH_MAX];
	if (fits && pads_folder(desk, pads, sizeof(pads))) {
		unsigned raw = pad_links_major();
		fits = put_word(out, "pads=%s", pads) && (!raw || put_word(out, "raw=%u", raw));
	}
	if (fits && app_plan_is_container(desk)) {
		return fill_container(desk, home, out);
	}
	return fits ? 0 : -E2BIG;
}
