/* SPDX-License-Identifier: MIT */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include <stdbool.h>

#include <jansson.h>

/* `perigee evidence`: what incidents left, read from the folder that the host's status
 * names, and looks at healthy processes, by perigee-autopsy. Print to stdout, say what
 * went wrong on stderr, and return 0 or 1 as the command's status. status is the list of
 * rows (borrowed). */

int evidence_list(const json_t *status, bool json);

/* id: a folder's name, the beginning of one, or an incident's number. */
int evidence_show(const json_t *status, const char *id);

/* whom: a kind, a worker's number, or NULL for everybody. */
int evidence_take(const json_t *status, const char *whom);

#endif
