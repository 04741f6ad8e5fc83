/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_EXTRA_H
#define SUPERVISOR_EXTRA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct child;
struct child_left;
struct desk;
struct extra;
struct ipc_message;
struct supervisor;

/* Programs that run on a session's own desktop beside its app, because a program asked for
 * them: each with a runner of its own. They end with the desk. */

enum {
	EXTRAS_MAX = 4, /* of a desk */
};

/* RUNNER_ADD of the web door; answered by API_DONE. */
void extra_add(struct supervisor *supervisor, const struct ipc_message *message);

/* A runner that a predecessor started: whether it is one of these, and going on with it. */
bool extra_is(const struct child_left *left);
int extra_adopt(struct desk *desk, struct child_left *left) NODISCARD;

/* All of a desk's: asked to end; killed; nobody's any more. */
void extras_stop(struct desk *desk, uint32_t reason);
void extras_kill(struct desk *desk, uint32_t reason);
void extras_finish(struct desk *desk);

#endif
