/* SPDX-License-Identifier: MIT */
#include "base/spawning.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

void spawn_clean(posix_spawnattr_t *out, bool own_group) {
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(out);
	posix_spawnattr_setsigmask(out, &none);
	posix_spawnattr_setsigdefault(out, &all);
	posix_spawnattr_setpgroup(out, 0);
	posix_spawnattr_setflags(out, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      (own_group ? POSIX_SPAWN_SETPGROUP : 0)));
}

void spawn_take_name(void) {
	(void)prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0);
}
