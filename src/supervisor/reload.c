/* SPDX-License-Identifier: MIT */
#include "supervisor/reload.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/catalogue.h"
#include "supervisor/doors.h"
#include "supervisor/supervisor.h"

static void add_name(char *list, size_t size, const char *name) {
	size_t used = strlen(list);
	text_format(list + used, size - used, "%s%s", used ? ", " : "", name);
}

void reload_take(struct config *running, struct config *fresh, char *applied, size_t applied_size,
		char *restart, size_t restart_size) {
	applied[0] = restart[0] = '\0';
	for (size_t i = 0; i < config_keys_count(); i++) {
		char before[CONFIG_VALUE_MAX], after[CONFIG_VALUE_MAX];
		struct config_text error;
		config_key_get(running, i, before);
		config_key_get(fresh, i, after);
		bool same = strcmp(before, after) == 0;
		if (!same && !config_key_is_live(i)) {
			add_name(restart, restart_size, config_key_name(i));
			continue;
		}
		running->from[i] = fresh->from[i];
		if (!same && config_key_set(running, i, after, &error) == 0) {
			add_name(applied, applied_size, config_key_name(i));
		}
	}
	if (!config_clients_same(running, fresh)) {
		add_name(applied, applied_size, "clients");
	}
	if (!config_profiles_same(running, fresh)) {
		add_name(applied, applied_size, "profiles");
	}
	config_profiles_free(running->profiles, running->profiles_count);
	running->profiles = TAKE(fresh->profiles, NULL);
	running->profiles_count = TAKE(fresh->profiles_count, 0);
	config_clients_free(running->clients, running->clients_count);
	running->clients = TAKE(fresh->clients, NULL);
	running->clients_count = TAKE(fresh->clients_count, 0);
	config_apps_free(running->apps, running->apps_count);
	running->apps = TAKE(fresh->apps, NULL);
	running->apps_count = TAKE(fresh->apps_count, 0);
}

/* What others hold a copy of. */
static void spread(struct supervisor *supervisor) {
	const struct config *config = &supervisor->config;
	enum log_level level = LOG_LEVEL_INFO;
	if (config->log_level && !log_level_parse(config->log_level, &level)) {
		level = LOG_LEVEL_INFO;
	}
	log_set_level(level);
	supervisor->nursery.log_level = (uint8_t)level;
	supervisor->evidence.keep = config->evidence.incidents;
	supervisor->evidence.megabytes = config->evidence.megabytes;
	supervisor->evidence.core_megabytes = config->evidence.core_megabytes;
	supervisor->evidence.snapshots_kept = config->evidence.snapshots_kept;
	supervisor->evidence.keep_hung = config->keep_hung;
	permits_lay_over(supervisor);
	catalogue_declare(supervisor);
	doors_tell_options(supervisor);
	doors_announce(supervisor);
	health_touch(supervisor);
}

void reload_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	struct ipc_message answer = { .kind = IPC_CONFIG_RELOADED,
		.config_reloaded.request = message->config_reload.request };
	__typeof__(answer.config_reloaded) *out = &answer.config_reloaded;
	struct config fresh;
	struct config_text error = { "" };
	int rc = config_load(supervisor->argc, supervisor->argv, &fresh, &error);
	if (rc < 0) {
		out->reason = REASON_CONFIG_REFUSED;
		text_format(out->detail, sizeof(out->detail), "%s",
				error.text[0] ? error.text : strerror(-rc));
		log_warning("config-refused", "detail=%s", log_quote(out->detail).text);
		supervisor_post(supervisor, SERVICE_WEB, &answer, NULL, 0);
		return;
	}
	/* A successor of ours goes on with it; what needs a restart waits for that. */
	OWN(fd_close) int copy = config_copy(&fresh);
	keep_put(&supervisor->keep, copy, "config-live");
	reload_take(&supervisor->config, &fresh, out->applied, sizeof(out->applied), out->restart,
			sizeof(out->restart));
	if (apps_differ(&supervisor->apps, &supervisor->config)) {
		add_name(out->applied, sizeof(out->applied), "apps");
	}
	apps_settle(&supervisor->apps, &supervisor->config, supervisor->nursery.libexec);
	config_finish(&fresh);
	log_info("config-reloaded", "applied=%s restart=%s", log_quote(out->applied).text,
			log_quote(out->restart).text);
	spread(supervisor);
	catalogue_changed(supervisor);
	supervisor_post(supervisor, SERVICE_WEB, &answer, NULL, 0);
}
