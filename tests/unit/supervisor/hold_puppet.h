/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPERVISOR_HOLD_PUPPET_H
#define TESTS_SUPERVISOR_HOLD_PUPPET_H

enum {
	HOLD_PUPPET_MS = 15000, /* it waits no longer for a word */
};

/* A perigeed that does what a test says over the socket behind --control, and tells what the
 * holder says: "put NAME", "quit CODE", "die", ... Returns the program's exit status. */
int hold_puppet(int argc, char **argv);

#endif
