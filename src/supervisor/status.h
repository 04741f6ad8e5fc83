/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_STATUS_H
#define SUPERVISOR_STATUS_H

#include <stdint.h>

struct supervisor;

/* Answers STATUS_ASK: one JSON object a line, each with a "what": host, health, encoder,
 * app, session, process. The filter "config" gives the configuration alone, which is
 * not there without it; "desk ID" what a desktop's own door tells of it (desk_door.h). No secrets, no host key. */
void status_answer(struct supervisor *supervisor, uint32_t request, const char *filter);

#endif
