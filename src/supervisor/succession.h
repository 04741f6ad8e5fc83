/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SUCCESSION_H
#define SUPERVISOR_SUCCESSION_H

#include <stdbool.h>
#include <stdint.h>

struct ipc_message;
struct supervisor;

/* What a perigeed knows of the end of the one before, and what it leaves with the holder
 * for its own: the claim of the state folder, a page that says how it crashed, and how
 * perigee-autopsy is called to look at it. */
struct succession {
	uint32_t pid;      /* of the one before; 0: nobody has said how it ended */
	uint32_t incident; /* that its end was */
};

/* As soon as everything that may fail has been done. What cannot be left is logged: then
 * our end is less well known. */
void succession_prepare(struct supervisor *supervisor);

/* HOLD_DIED: its end is an incident like any other. */
void succession_died(struct supervisor *supervisor, const struct ipc_message *message);

/* A holder of an earlier version does not say it. */
void succession_settled(struct supervisor *supervisor);

#endif
