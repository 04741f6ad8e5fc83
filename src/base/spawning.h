/* SPDX-License-Identifier: MIT */
#ifndef BASE_SPAWNING_H
#define BASE_SPAWNING_H

#include <spawn.h>
#include <stdbool.h>

/* What every process of ours is started with: no signal blocked, none ignored; in a group
 * of its own if asked, so that Ctrl-C at a terminal does not reach it. Destroyed by
 * posix_spawnattr_destroy(). */
void spawn_clean(posix_spawnattr_t *out, bool own_group);

/* Who was started by a descriptor has its number for a name (as ps and top show it): it
 * gets that of argv[0]. */
void spawn_take_name(void);

#endif
