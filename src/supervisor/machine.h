/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_MACHINE_H
#define SUPERVISOR_MACHINE_H

#include <stdint.h>
#include <sys/types.h>

struct admission_machine;

/* Processors and memory that we may use: what the affinity mask, a quota of a control
 * group (both versions) and the kernel leave. root: "" or a folder that stands for /.
 * Reads a few small files that no disk is behind. */
void machine_look(const char *root, struct admission_machine *out);

/* Processor time that a process has used, ns; 0 when it is gone. No file is read. */
uint64_t machine_processor_ns(pid_t pid);

/* Memory of a process by the kernel's own counters: what is its alone, and what it
 * shares (pictures). Not PSS: for that the kernel must lock the process' memory map,
 * and one that is stuck there would stop us too. */
struct machine_memory {
	uint64_t own, shared; /* bytes */
};

void machine_memory(const char *root, pid_t pid, struct machine_memory *out);

#endif
