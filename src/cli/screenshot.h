/* SPDX-License-Identifier: MIT */
#ifndef CLI_SCREENSHOT_H
#define CLI_SCREENSHOT_H

struct direct_options;

/* Saves what a session sees, or the desktop of a lobby shows, as PNG; id names either. path
 * NULL: screenshot-ID.png; "-": the standard output, unless that is a terminal. The answer is
 * an exit status as in cli/direct.h. */
int screenshot_save(const struct direct_options *options, const char *id, const char *path);

#endif
