/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STORE_CUT_H
#define TESTS_STORE_CUT_H

#include <stdint.h>

/* A disk that loses power: SQLite's files, of which only what was synced is sure to be
 * there afterwards. Of what was written since, a seed chooses what arrived, in
 * sectors of 512 bytes and in any order. */

/* SQLite's default VFS from now on. After `at` writes, syncs, truncations and removals the
 * power goes, and the process with it (exit status 77). */
void cut_install(uint64_t at, uint64_t seed);

enum {
	CUT_STATUS = 77,
};

#endif
