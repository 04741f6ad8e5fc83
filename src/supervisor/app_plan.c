/* SPDX-License-Identifier: MIT */
#include "supervisor/app_plan.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/desk.h"
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

const char *app_plan_confine(const struct desk *desk) {
	if (desk->app->normal_privileges) {
		return "runner-normal";
	}
	return app_plan_type(desk) == RUNNER_PROCESS ? NULL : "runner-sandbox";
}

void app_plan_x_socket(const struct desk *desk, char *out, size_t size) {
	out[0] = '\0';
	if (desk->x_display[0] == ':') {
		text_format(out, size, "/tmp/.X11-unix/X%s", desk->x_display + 1);
	}
}

static bool put_list(const char *name, const struct config_list *list, struct ipc_message *out) {
	char *to = out->runner_plan.list;
	for (unsigned i = 0; i < list->count; i++) {
		uint16_t *len = &out->runner_plan.list_len;
		size_t room = sizeof(out->runner_plan.list) - *len;
		if (!text_format(to + *len, room, "%s=%s", name, list->at[i])) {
			return false;
		}
		*len = (uint16_t)(*len + strlen(to + *len) + 1);
	}
	return true;
}

int app_plan_fill(const struct desk *desk, struct ipc_message *out) {
	const struct config_runner *runner = desk->app->runner;
	*out = (struct ipc_message){ .kind = IPC_RUNNER_PLAN };
	out->runner_plan.type = (uint8_t)app_plan_type(desk);
	out->runner_plan.network = !runner || runner->network;
	app_plan_x_socket(desk, out->runner_plan.display, sizeof(out->runner_plan.display));
	bool fits = !runner || (text_copy(out->runner_plan.folder, sizeof(out->runner_plan.folder),
						runner->folder ? runner->folder : "") &&
					       put_list("mount", &runner->mounts, out));
	return fits ? 0 : -E2BIG;
}
