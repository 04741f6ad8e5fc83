/* SPDX-License-Identifier: MIT */
#include "supervisor/config_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "supervisor/config.h"

bool config_place_usual(char *out, size_t size) {
	const char *home = getenv("HOME");
	const char *xdg = getenv("XDG_CONFIG_HOME");
	if (xdg && xdg[0] == '/') {
		text_format(out, size, "%s/perigee/perigee.yaml", xdg);
	} else if (home) {
		text_format(out, size, "%s/.config/perigee/perigee.yaml", home);
	} else {
		out[0] = '\0';
	}
	if (out[0] && access(out, F_OK) == 0) {
		return true;
	}
	text_copy(out, size, "/etc/perigee/perigee.yaml");
	return access(out, F_OK) == 0;
}

unsigned config_place_line(const char *path, const char *key) {
	OWN(file_close) FILE *file = fopen(path, "re");
	char line[CONFIG_PATH_MAX], last[64];
	const char *dot = strrchr(key, '.'), *bracket = strchr(key, '[');
	unsigned skip = bracket ? (unsigned)strtoul(bracket + 1, NULL, 10) : 0;
	text_copy(last, sizeof(last), bracket ? "title" : dot ? dot + 1 : key);
	size_t len = strlen(last);
	unsigned number = 1;
	while (file && fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " -{");
		if (strncmp(at, last, len) == 0 && at[len] == ':' && skip-- == 0) {
			return number;
		}
		number += strchr(line, '\n') != NULL;
	}
	return 0;
}
