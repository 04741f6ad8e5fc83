/* SPDX-License-Identifier: MIT */
#include "runner/command_place.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

static bool find_exec(struct command_place *place, const char *folders) {
	char self[PATH_MAX / 2] = "";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = len > 0 ? strrchr(self, '/') : NULL;
	if (slash) {
		*slash = '\0';
	}
	char *out = place->exec;
	size_t size = sizeof(place->exec);
	while (*folders) {
		size_t folder = strcspn(folders, ":");
		text_format(out, size, "%.*s/perigee-exec", (int)folder, folders);
		if (access(out, X_OK) == 0) {
			return true;
		}
		folders += folder + (folders[folder] == ':');
	}
	text_format(out, size, "%s/perigee-exec", self);
	if (access(out, X_OK) != 0) {
		text_format(out, size, "%s/../supervisor/perigee-exec", self); /* build tree */
	}
	return access(out, X_OK) == 0;
}

bool command_place_parse(struct command_place *place, char **argv) {
	const char *folders = "";
	for (char **at = argv + 1; at[0] && at[1]; at += 2) {
		if (strcmp(at[0], "--libexec") == 0) {
			folders = place->libexec = at[1];
		} else if (strcmp(at[0], "--closed") == 0 && place->n_closed < COMMAND_CLOSED_MAX) {
			place->closed[place->n_closed++] = at[1];
		} else if (strcmp(at[0], "--privileges") == 0) {
			place->normal = strcmp(at[1], "normal") == 0;
		} else {
			log_error("runner-arguments", "what=%s", log_quote(at[0]).text);
			return false;
		}
	}
	if (!find_exec(place, folders)) {
		log_error("exec-missing", "path=%s", log_quote(place->exec).text);
		return false;
	}
	return true;
}
