/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_UPGRADE_CHECK_H
#define SUPERVISOR_UPGRADE_CHECK_H

#include "base/own.h"
#include "supervisor/config.h"

struct supervisor;

/* Asks another version, before anything is touched, whether it can go on with what is
 * there: its perigeed is executed with our arguments and --takes-over FACTS (compat.h),
 * reads the configuration, and says "perigee VERSION", or what is wrong. */

/* from: a prefix or a folder with the programs, "" for where ours are. Fills in
 * supervisor->upgrade.candidate; upgrade_check_ended() follows from the loop. */
int upgrade_check_begin(struct supervisor *supervisor, const char *from,
		struct config_text *out_error) NODISCARD;

/* In upgrade.c. fault: NULL when it can. */
void upgrade_check_ended(struct supervisor *supervisor, const char *fault);

/* The other side: what perigeed --takes-over does. The exit status. */
int upgrade_check_answer(int argc, char **argv, const char *facts);

#endif
