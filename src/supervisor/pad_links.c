/* SPDX-License-Identifier: MIT */
#include "supervisor/pad_links.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"
#include "ipc/pad.h"

unsigned pad_links_major(void) {
	OWN(file_close) FILE *file = fopen("/proc/devices", "re");
	char line[128];
	while (file && fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " ");
		size_t len = strcspn(at, " ");
		int64_t major;
		if (strcmp(at + len, " hidraw\n") == 0 &&
				number_parse(at, len, 1, 4095, &major) == 0) {
			return (unsigned)major;
		}
	}
	return 0;
}

/* What the container has put in the way of that name is not followed out of it. */
static int open_dev(uint32_t pid) {
	char path[48];
	text_format(path, sizeof(path), "/proc/%u/root", pid);
	OWN(fd_close) int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		return -errno;
	}
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, root, "dev", &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int pad_links_make(uint32_t pid) {
	struct stat ours, theirs;
	struct statfs kind;
	OWN(fd_close) int dev = open_dev(pid);
	if (dev < 0) {
		return dev;
	}
	if (stat("/dev", &ours) < 0 || fstat(dev, &theirs) < 0 || fstatfs(dev, &kind) < 0) {
		return -errno;
	}
	if (ours.st_dev == theirs.st_dev || kind.f_type != TMPFS_MAGIC) {
		return -EEXIST;
	}
	for (int i = 0; i < PAD_RAW_MAX; i++) {
		char name[16], target[32];
		text_format(name, sizeof(name), "hidraw%d", i);
		text_format(target, sizeof(target), PAD_RAW_FOLDER "/%s", name);
		if (symlinkat(target, dev, name) < 0 && errno != EEXIST) {
			return -errno;
		}
	}
	return 0;
}
