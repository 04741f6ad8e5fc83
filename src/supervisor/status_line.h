/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_STATUS_LINE_H
#define SUPERVISOR_STATUS_LINE_H

#include <stdint.h>

struct supervisor;

/* How the rows that answer STATUS_ASK are written. */

struct status_text {
	char text[500];
};

/* text as a JSON string with its quotes; what is not printable becomes '?'. */
struct status_text status_json(const char *text);

/* One row, a JSON object; one that is too long is left out. */
void status_line(struct supervisor *supervisor, uint32_t request, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* There are no more. */
void status_end(struct supervisor *supervisor, uint32_t request);

#endif
