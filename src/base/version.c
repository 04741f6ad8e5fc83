/* SPDX-License-Identifier: MIT */
#include "base/version.h"

static const char marked[] = "@(#)perigee " PERIGEE_VERSION;

const char *perigee_version(void) {
	return marked + sizeof("@(#)perigee ") - 1;
}
