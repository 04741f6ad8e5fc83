/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PAD_LINKS_H
#define SUPERVISOR_PAD_LINKS_H

#include <stdint.h>

#include "base/own.h"

/* A container's /dev is made by its engine, and knows no hidraw nodes of ours: links in it lead
 * to where they are (PAD_RAW_FOLDER). */

/* The major number that the kernel has given to hidraw devices; 0: it has none. */
unsigned pad_links_major(void);

/* Makes the links in the /dev that process pid sees. -EEXIST when that is ours, and -ELOOP when
 * it is no folder but a link: nothing is written there; -EPERM or -EACCES where we may not look. */
int pad_links_make(uint32_t pid) NODISCARD;

#endif
