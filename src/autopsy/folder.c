/* SPDX-License-Identifier: MIT */
#include "autopsy/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

enum {
	ENTRIES_MAX = 4096,
};

int folder_open(const char *path) {
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	OWN(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	return st.st_uid == geteuid() ? TAKE(fd, -1) : -EPERM;
}

static bool ends_with(const char *text, const char *suffix) {
	size_t len = strlen(text), n = strlen(suffix);
	return len >= n && strcmp(text + len - n, suffix) == 0;
}

/* "20260102-030405-...": what we made ourselves, of the kind that is asked for. */
static bool is_ours(const char *name, const char *suffix) {
	for (int i = 0; i < 15; i++) {
		bool digit = name[i] >= '0' && name[i] <= '9';
		if (i == 8 ? name[i] != '-' : !digit) {
			return false;
		}
	}
	return name[15] == '-' && ends_with(name, "-snapshot") == (suffix != NULL);
}

static DIR *list(int folder, const char *name) {
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	if (!entries) {
		fd_close(fd);
	}
	return entries;
}

uint64_t folder_size(int folder, const char *name) {
	DIR *entries = list(folder, name);
	uint64_t size = 0;
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		struct stat st;
		if (entry->d_name[0] != '.' && fstatat(dirfd(entries), entry->d_name, &st,
							       AT_SYMLINK_NOFOLLOW) == 0) {
			size += (uint64_t)st.st_blocks * 512;
		}
	}
	if (entries) {
		closedir(entries);
	}
	return size;
}

/* An incident's folder has files only. */
static void remove_one(int folder, const char *name) {
	DIR *entries = list(folder, name);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		if (entry->d_name[0] != '.') {
			unlinkat(dirfd(entries), entry->d_name, 0);
		}
	}
	if (entries) {
		closedir(entries);
	}
	unlinkat(folder, name, AT_REMOVEDIR);
}

struct entry {
	char name[FOLDER_NAME_MAX];
	uint64_t size;
};

static int compare(const void *a, const void *b) {
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static size_t collect(int folder, const char *suffix, struct entry *out, uint64_t *total) {
	DIR *entries = list(folder, ".");
	size_t count = 0;
	for (struct dirent *entry; entries && (entry = readdir(entries)) && count < ENTRIES_MAX;) {
		if (!is_ours(entry->d_name, suffix) ||
				!text_copy(out[count].name, sizeof(out[count].name),
						entry->d_name)) {
			continue;
		}
		out[count].size = folder_size(folder, entry->d_name);
		*total += out[count++].size;
	}
	if (entries) {
		closedir(entries);
	}
	qsort(out, count, sizeof(*out), compare);
	return count;
}

int folder_rotate(int folder, const char *suffix, unsigned count, uint64_t bytes) {
	OWN(free) void *block = calloc(ENTRIES_MAX, sizeof(struct entry));
	if (!block) {
		return -ENOMEM;
	}
	struct entry *entries = (struct entry *)block;
	uint64_t total = 0;
	size_t found = collect(folder, suffix, entries, &total);
	for (size_t i = 0; i < found && (found - i >= count || total > bytes); i++) {
		remove_one(folder, entries[i].name);
		total -= entries[i].size;
	}
	return 0;
}

int folder_add(int folder, const char *name) {
	if (strchr(name, '/') || name[0] == '.' || mkdirat(folder, name, 0700) < 0) {
		return strchr(name, '/') || name[0] == '.' ? -EINVAL : -errno;
	}
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

FILE *folder_file(int incident, const char *name) {
	int fd = openat(incident, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		fd_close(fd);
	}
	return file;
}
