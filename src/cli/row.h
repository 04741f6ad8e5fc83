/* SPDX-License-Identifier: MIT */
#ifndef CLI_ROW_H
#define CLI_ROW_H

#include <jansson.h>

/* A member of a row that the host answered; "" or 0 where it is not there or of another type.
 * The text is the row's. */
const char *row_text(const json_t *row, const char *name);
long long row_number(const json_t *row, const char *name);

#endif
