/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_STREAM_MORTAL_H
#define TESTS_UNIT_STREAM_MORTAL_H

#include <stdint.h>

/* What a mortal stream leaves in the file that MORTAL_FILE names: how often it could
 * have died, and the nonces of everything that it and its successors sealed. */
#define MORTAL_FILE "PERIGEE_MORTAL_FILE"
#define MORTAL_AT "PERIGEE_MORTAL_AT" /* dies at this occasion; 0: at none */

enum {
	MORTAL_IV_SIZE = 12,
	MORTAL_IVS_MAX = 20000,
};

struct mortal {
	uint64_t occasions;
	uint64_t ivs;
	uint8_t iv[MORTAL_IVS_MAX][MORTAL_IV_SIZE];
};

#endif
