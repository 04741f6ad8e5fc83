/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_STATUS_LINE_H
#define SUPERVISOR_STATUS_LINE_H

#include <stddef.h>
#include <stdint.h>

struct supervisor;

/* How the rows that answer STATUS_ASK are written: collected, and sent as one message. A
 * hundred sessions have a thousand rows, and what is asked for by several programs at once
 * would fill the door's channel. */

struct status_text {
	char text[500];
};

/* Of the answer that is being made. */
struct status_rows {
	char *text; /* owned, NULL between two answers */
	size_t len, size;
};

/* text as a JSON string with its quotes; what is not printable becomes '?'. */
struct status_text status_json(const char *text);

/* One row, a JSON object; one that is too long is left out. */
void status_line(struct supervisor *supervisor, uint32_t request, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* There are no more: they are sent. Between the first row and this nothing else is answered. */
void status_end(struct supervisor *supervisor, uint32_t request);

#endif
