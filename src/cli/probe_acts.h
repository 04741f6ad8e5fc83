/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_ACTS_H
#define CLI_PROBE_ACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct probe_session;

/* What the person before the probe would do during a session: a script's lines, those that
 * standard input says, keys whose effect is awaited in the picture, and pictures kept. */

/* The script of the options; what is wrong is the probe's error. */
int probe_acts_load(struct probe_session *session) NODISCARD;

/* Does what is due. */
void probe_acts_run(struct probe_session *session, uint64_t now_ns);

/* When the script's next line is due; UINT64_MAX: there is none. */
uint64_t probe_acts_deadline_ns(const struct probe_session *session);

/* What standard input says is done at once. */
void probe_acts_follow(struct probe_session *session);

/* The last picture, into a file. */
void probe_acts_shoot(struct probe_session *session, const char *file);

/* The last keys (SIGUSR2) were pressed and seen. Who does not decode would not see them:
 * asked for them, it just ends. */
bool probe_acts_are_over(const struct probe_session *session);

#endif
