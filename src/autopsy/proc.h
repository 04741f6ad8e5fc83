/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_PROC_H
#define AUTOPSY_PROC_H

#include <stdio.h>
#include <sys/types.h>

/* What the kernel says, copied from /proc as text. What may not be read, says so. */

/* Each thread: name, state, what it waits for in the kernel, signals, times. */
void proc_write_threads(pid_t pid, FILE *file);

/* Each open descriptor: what it is, flags, and what the kernel adds. */
void proc_write_fds(pid_t pid, FILE *file);

/* Limits, cgroup, memory, and the mappings without their content. */
void proc_write_process(pid_t pid, FILE *file);

/* Memory, load and pressure of the machine, and who ran out of memory; the same of a
 * control group, the session's, by its folder (NULL: none). */
void proc_write_machine(const char *group, FILE *file);

/* How many processes of that group the kernel has killed for memory; 0 also when it does
 * not say. */
unsigned long proc_oom_kills(const char *group);

#endif
