/* SPDX-License-Identifier: MIT */
#include "autopsy/weigh.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "base/own.h"
#include "base/shm.h"
#include "base/text.h"
#include "ipc/weight.h"

enum {
	TEXT_MAX = 4096,
};

uint64_t weigh_read(const char *text) {
	static const char name[] = "\nPss:";
	const char *at = strstr(text, name);
	int64_t kb = 0;
	if (!at) {
		return 0;
	}
	at += sizeof(name) - 1;
	at += strspn(at, " \t");
	return number_parse(at, strspn(at, "0123456789"), 0, INT64_MAX / 1024, &kb) < 0
			       ? 0
			       : (uint64_t)kb * 1024;
}

static void weigh(struct weight *weight) {
	char path[64], text[TEXT_MAX];
	text_format(path, sizeof(path), "/proc/%d/smaps_rollup", (int)weight->pid);
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len > 0) {
		text[len] = '\0';
		weight->pss_bytes = weigh_read(text);
		weight->known = 1;
	}
}

int weigh_all(int fd) {
	struct shm shm;
	int rc = shm_adopt(fd, sizeof(struct weight), true, &shm);
	if (rc < 0) {
		return rc;
	}
	struct weight *weights = (struct weight *)(void *)shm.map;
	for (size_t i = 0; i < shm.size / sizeof(*weights) && i < WEIGHTS_MAX; i++) {
		weigh(&weights[i]);
	}
	shm_finish(&shm);
	return 0;
}
