/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_SUMMARY_H
#define CLI_PROBE_SUMMARY_H

#include <stdio.h>

#include <jansson.h>

/* The report of a stream in some lines for people; --json has all of it. */
void probe_summary(FILE *file, const json_t *report);

#endif
