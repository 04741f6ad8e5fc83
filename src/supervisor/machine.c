/* SPDX-License-Identifier: MIT */
#include "supervisor/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/own.h"
#include "base/text.h"
#include "supervisor/admission.h"

enum {
	FILE_MAX = 8192,
};

#define KILOBYTE UINT64_C(1024)
/* Version 1 says "no limit" by a number that no machine has. */
#define UNLIMITED (UINT64_C(1) << 60)

static bool read_file(const char *root, const char *path, char out[FILE_MAX]) {
	char full[512];
	text_format(full, sizeof(full), "%s%s", root, path);
	OWN(fd_close) int fd = open(full, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, out, FILE_MAX - 1);
	out[len > 0 ? len : 0] = '\0';
	return len > 0;
}

/* The number at the beginning of text, fallback when there is none ("max", "-1"). */
static uint64_t number_at(const char *text, uint64_t fallback) {
	int64_t value;
	size_t len = strspn(text, "0123456789");
	return number_parse(text, len, 0, INT64_MAX, &value) == 0 ? (uint64_t)value : fallback;
}

static uint64_t read_number(const char *root, const char *path, uint64_t fallback) {
	char text[FILE_MAX];
	return read_file(root, path, text) ? number_at(text, fallback) : fallback;
}

/* The number behind "name:" in a list as /proc/meminfo, in kB, as bytes. */
static uint64_t line_kb(const char *text, const char *name, uint64_t fallback) {
	const char *at = strstr(text, name);
	if (!at) {
		return fallback;
	}
	at += strlen(name);
	at += strspn(at, ": \t");
	uint64_t value = number_at(at, UINT64_MAX);
	return value == UINT64_MAX ? fallback : value * KILOBYTE;
}

/* Where version 2 keeps a file of our own group: a unit's limits stand there. In a
 * container the root is the group. */
static void own_file(const char *root, const char *name, char *out, size_t size) {
	char text[FILE_MAX], full[512];
	const char *group =
			read_file(root, "/proc/self/cgroup", text) ? strstr(text, "0::/") : NULL;
	size_t len = group ? strcspn(group + 3, "\n") : 0;
	text_format(out, size, "/sys/fs/cgroup%.*s/%s", (int)len, group ? group + 3 : "", name);
	text_format(full, sizeof(full), "%s%s", root, out);
	if (access(full, R_OK) < 0) {
		text_format(out, size, "/sys/fs/cgroup/%s", name);
	}
}

static uint64_t read_own(const char *root, const char *name, uint64_t fallback) {
	char path[400];
	own_file(root, name, path, sizeof(path));
	return read_number(root, path, fallback);
}

static uint64_t quota_milli(const char *root) {
	char text[FILE_MAX], path[400];
	uint64_t quota, period;
	own_file(root, "cpu.max", path, sizeof(path));
	if (read_file(root, path, text)) {
		quota = number_at(text, 0);
		period = number_at(text + strcspn(text, " ") + (strchr(text, ' ') != NULL), 0);
	} else {
		quota = read_number(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", 0);
		period = read_number(root, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", 0);
	}
	return quota && period ? quota * 1000 / period : UINT64_MAX;
}

static uint64_t affinity_milli(void) {
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
	return (uint64_t)count * 1000;
}

/* A group's limit is total and free at once, where it is the narrower one. */
static void apply_group(struct admission_machine *machine, uint64_t limit, uint64_t used) {
	if (limit >= UNLIMITED || limit >= machine->memory_total) {
		return;
	}
	uint64_t left = limit > used ? limit - used : 0;
	machine->memory_total = limit;
	machine->memory_free = left < machine->memory_free ? left : machine->memory_free;
}

void machine_look(const char *root, struct admission_machine *out) {
	char text[FILE_MAX];
	uint64_t quota = quota_milli(root), affinity = affinity_milli();
	*out = (struct admission_machine){
		.processor_milli = (uint32_t)(quota < affinity ? quota : affinity),
	};
	if (!read_file(root, "/proc/meminfo", text)) {
		return;
	}
	out->memory_total = line_kb(text, "MemTotal", 0);
	out->memory_free = line_kb(text, "MemAvailable", 0);
	apply_group(out, read_own(root, "memory.max", UNLIMITED),
			read_own(root, "memory.current", 0));
	apply_group(out, read_own(root, "memory/memory.limit_in_bytes", UNLIMITED),
			read_own(root, "memory/memory.usage_in_bytes", 0));
}

uint64_t machine_processor_ns(pid_t pid) {
	clockid_t clock;
	struct timespec t;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) {
		return 0;
	}
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void machine_memory(const char *root, pid_t pid, struct machine_memory *out) {
	char path[64], text[FILE_MAX];
	text_format(path, sizeof(path), "/proc/%d/status", (int)pid);
	*out = (struct machine_memory){ 0 };
	if (read_file(root, path, text)) {
		out->own = line_kb(text, "RssAnon", 0);
		out->shared = line_kb(text, "RssShmem", 0);
	}
}
