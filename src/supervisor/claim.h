/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CLAIM_H
#define SUPERVISOR_CLAIM_H

#include "base/own.h"
#include "supervisor/config.h"

/* A state folder is one Perigee's at a time: two would write into each other's log,
 * pairings and evidence. The kernel keeps the claim (flock) and forgets it with whoever
 * made it, however that ended. */

/* Claims an absolute folder that is there, and answers the descriptor that holds the
 * claim, for the caller to close at its end; -1 where the file system has no such locks
 * (it is then logged). -EADDRINUSE, with the words for a person in out_error, while
 * another has it. left_fd (taken; -1 for none) holds a predecessor's claim: that is gone
 * on with, without anybody coming between. */
int claim_state(const char *folder, int left_fd, int *out_fd,
		struct config_text *out_error) NODISCARD;

#endif
