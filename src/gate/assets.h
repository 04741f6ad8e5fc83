/* SPDX-License-Identifier: MIT */
#ifndef GATE_ASSETS_H
#define GATE_ASSETS_H

#include <stddef.h>
#include <stdint.h>

/* The pages of web/, as they were when this was built (tools/embed.py): what is served is in
 * this table, so no file's path is ever made from an address. */
struct asset {
	const char *name; /* as in web/ */
	const char *type;
	const uint8_t *bytes;
	size_t len;
};

extern const struct asset assets[];
extern const size_t assets_count;

#endif
