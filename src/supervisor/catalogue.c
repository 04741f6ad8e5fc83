/* SPDX-License-Identifier: MIT */
#include "supervisor/catalogue.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/doors.h"
#include "supervisor/launcher.h"
#include "supervisor/services.h"
#include "supervisor/supervisor.h"

static void forget_art(struct supervisor *supervisor, unsigned place) {
	if (supervisor->art[place] >= 0) {
		keep_drop(&supervisor->keep, "art%d", (int)supervisor->art_app[place]);
		fd_release(&supervisor->art[place]);
	}
}

void catalogue_changed(struct supervisor *supervisor) {
	for (unsigned i = 0; i < supervisor->apps.count; i++) {
		int32_t app = supervisor->apps.list[i].id;
		if (supervisor->art_app[i] != app) {
			forget_art(supervisor, i);
			supervisor->art_app[i] = app;
			weigh_forget_app(supervisor, i);
		}
	}
	doors_tell_apps(supervisor);
	services_draw(supervisor);
}

static void put(struct supervisor *supervisor, const struct ipc_message *message) {
	const struct app *there = apps_find(&supervisor->apps, message->app.app);
	if (there) {
		forget_art(supervisor, (unsigned)(there - supervisor->apps.list));
	}
	int rc = apps_put(&supervisor->apps, message, supervisor->nursery.libexec);
	if (rc < 0) {
		log_error("app-refused", "app=%d title=%s error=%d", message->app.app,
				log_quote(message->app.title).text, rc);
	}
}

void catalogue_begin_listing(struct supervisor *supervisor) {
	apps_begin_listing(&supervisor->apps);
	supervisor->listing = true;
}

void catalogue_declare(struct supervisor *supervisor) {
	for (unsigned i = 0; i < supervisor->config.profiles_count; i++) {
		const struct config_profile *from = &supervisor->config.profiles[i];
		struct ipc_message put = { .kind = IPC_PROFILE_PUT };
		text_copy(put.profile.id, sizeof(put.profile.id), from->id);
		text_copy(put.profile.name, sizeof(put.profile.name), from->name);
		text_copy(put.profile.icon, sizeof(put.profile.icon), from->icon);
		text_copy(put.profile.pin, sizeof(put.profile.pin), from->pin);
		put.profile.has_pin = from->pin[0] != '\0';
		supervisor_post(supervisor, SERVICE_STORE, &put, NULL, 0);
		explicit_bzero(put.profile.pin, sizeof(put.profile.pin));
	}
}

/* In the middle of a list nobody is told of each. */
void catalogue_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	bool changed = true;
	switch ((int)message->kind) {
	case IPC_APP:
		put(supervisor, message);
		break;
	case IPC_APP_GONE:
		changed = apps_drop(&supervisor->apps, message->app_ref.app);
		break;
	case IPC_PROFILE:
		changed = false;
		/* What a store says that begins, or that we ask who it is, was so before. */
		if (!supervisor->listing && supervisor->permits.known) {
			launcher_forget_profile(supervisor, message->profile.id);
		}
		break;
	case IPC_PROFILE_GONE:
		launcher_forget_profile(supervisor, message->profile_ref.id);
		apps_drop_profile(&supervisor->apps, message->profile_ref.id);
		break;
	case IPC_STATE_END:
		apps_end_listing(&supervisor->apps);
		supervisor->listing = false;
		catalogue_declare(supervisor);
		break;
	default:
		changed = false;
		break;
	}
	if (changed && !supervisor->listing) {
		catalogue_changed(supervisor);
	}
}
