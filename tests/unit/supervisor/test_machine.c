/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "supervisor/admission.h"
#include "supervisor/machine.h"

/* A folder that stands for /: what is not written there is not there. */
static char *fake_root(void) {
	static const char *const folders[] = { "proc", "proc/self", "proc/7", "sys", "sys/fs",
		"sys/fs/cgroup", "sys/fs/cgroup/cpu", "sys/fs/cgroup/memory",
		"sys/fs/cgroup/system.slice" };
	char *root = strdup("/tmp/perigee-machine-XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char path[200];
		text_format(path, sizeof(path), "%s/%s", root, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	return root;
}

static void put(const char *root, const char *name, const char *text) {
	char path[200];
	text_format(path, sizeof(path), "%s/%s", root, name);
	OWN(file_close) FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static void drop(char *root) {
	assert_int_equal(folder_remove(root), 0);
	free(root);
}

static const char meminfo[] = "MemTotal:        4000000 kB\nMemFree:  1 kB\n"
			      "MemAvailable:    3000000 kB\n";

static void without_a_group_the_machine_is_ours(void **state) {
	(void)state;
	char *root = fake_root();
	struct admission_machine machine;
	put(root, "proc/meminfo", meminfo);
	machine_look(root, &machine);
	assert_true(machine.processor_milli >= 1000 && machine.processor_milli % 1000 == 0);
	assert_int_equal(machine.memory_total, 4000000ull * 1024);
	assert_int_equal(machine.memory_free, 3000000ull * 1024);
	drop(root);
}

static void limits_of_a_unit_count(void **state) {
	(void)state;
	char *root = fake_root();
	struct admission_machine machine;
	put(root, "proc/meminfo", meminfo);
	put(root, "proc/self/cgroup", "0::/system.slice\n");
	put(root, "sys/fs/cgroup/system.slice/cpu.max", "50000 100000\n");
	put(root, "sys/fs/cgroup/system.slice/memory.max", "1000000000\n");
	put(root, "sys/fs/cgroup/system.slice/memory.current", "300000000\n");
	machine_look(root, &machine);
	assert_int_equal(machine.processor_milli, 500);
	assert_int_equal(machine.memory_total, 1000000000);
	assert_int_equal(machine.memory_free, 700000000);
	put(root, "sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
	put(root, "sys/fs/cgroup/system.slice/memory.max", "max\n");
	machine_look(root, &machine);
	assert_true(machine.processor_milli >= 1000);
	assert_int_equal(machine.memory_free, 3000000ull * 1024);
	drop(root);
}

static void limits_of_a_container_count_in_both_versions(void **state) {
	(void)state;
	char *root = fake_root();
	struct admission_machine machine;
	put(root, "proc/meminfo", meminfo);
	put(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	put(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n");
	machine_look(root, &machine);
	assert_true(machine.processor_milli >= 1000);
	assert_int_equal(machine.memory_total, 4000000ull * 1024);
	put(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "70000\n");
	put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "600000000\n");
	put(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "700000000\n");
	machine_look(root, &machine);
	assert_int_equal(machine.processor_milli, 700);
	assert_int_equal(machine.memory_free, 0);
	drop(root);
}

static void a_process_is_weighed_and_a_gone_one_is_nothing(void **state) {
	(void)state;
	struct machine_memory memory;
	machine_memory("", getpid(), &memory);
	assert_true(memory.own > 0);
	assert_true(machine_processor_ns(getpid()) > 0);
	machine_memory("", (1 << 22) - 1, &memory);
	assert_int_equal(memory.own, 0);
	assert_int_equal(machine_processor_ns((1 << 22) - 1), 0);
	char *root = fake_root();
	put(root, "proc/7/status", "VmRSS: 9 kB\nRssAnon:\t     300 kB\nRssShmem:\t 40 kB\n");
	machine_memory(root, 7, &memory);
	assert_int_equal(memory.own, 300 * 1024);
	assert_int_equal(memory.shared, 40 * 1024);
	drop(root);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(without_a_group_the_machine_is_ours),
		UNIT(limits_of_a_unit_count),
		UNIT(limits_of_a_container_count_in_both_versions),
		UNIT(a_process_is_weighed_and_a_gone_one_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
