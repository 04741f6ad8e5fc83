/* SPDX-License-Identifier: MIT */
#include "cli/programs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* True when out is now the path of something that may be executed. */
static bool is_there(const char *folder, size_t len, const char *below, const char *name, char *out,
		size_t size) {
	return text_format(out, size, "%.*s/%s%s", (int)len, folder, below, name) &&
	       access(out, X_OK) == 0;
}

int program_find(const char *folders, const char *own_folder, const char *name, char *out,
		size_t size) {
	for (const char *at = folders ? folders : ""; *at;) {
		size_t len = strcspn(at, ":");
		if (len && is_there(at, len, "", name, out, size)) {
			return 0;
		}
		at += len + (at[len] == ':');
	}
	size_t own = strlen(own_folder);
	if (is_there(own_folder, own, "", name, out, size) ||
			is_there(own_folder, own, "../supervisor/", name, out, size) ||
			is_there(own_folder, own, "../store/", name, out, size) ||
			is_there(own_folder, own, PERIGEE_BIN_TO_LIBEXEC, name, out, size) ||
			is_there(PERIGEE_LIBEXECDIR, strlen(PERIGEE_LIBEXECDIR), "", name, out,
					size)) {
		return 0;
	}
	return -ENOENT;
}

int program_own_folder(char *out, size_t size) {
	ssize_t len = readlink("/proc/self/exe", out, size - 1);
	if (len < 0) {
		return -errno;
	}
	out[len] = '\0';
	char *slash = strrchr(out, '/');
	if (!slash) {
		return -ENOENT;
	}
	*slash = '\0';
	return 0;
}
