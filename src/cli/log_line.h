/* SPDX-License-Identifier: MIT */
#ifndef CLI_LOG_LINE_H
#define CLI_LOG_LINE_H

#include <jansson.h>

/* A line of the log as an object: "event=lobby-end reason=asked detail=\"as asked\"" is
 * {"event": "lobby-end", "reason": "asked", "detail": "as asked"}. What is no such line is
 * {"line": the whole of it}. Owned; never NULL but without memory. Pure. */
json_t *log_line_parse(const char *line);

#endif
