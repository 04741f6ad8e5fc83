/* SPDX-License-Identifier: MIT */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* Of this program, as "0.1.0". Kept in one place of its file, behind the mark that
 * what(1) looks for, so that the version of a file can be told without running it. */
const char *perigee_version(void);

#endif
