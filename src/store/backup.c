/* SPDX-License-Identifier: MIT */

/* perigee-backup STATE-FOLDER FILE: what `perigee backup` runs. */

#include <stdio.h>

#include "store/copy.h"

int main(int argc, char **argv) {
	char detail[COPY_DETAIL_MAX];
	if (argc != 3) {
		fputs("Usage: perigee-backup STATE-FOLDER FILE\n", stderr);
		return 2;
	}
	if (state_copy(argv[1], argv[2], detail) < 0) {
		fprintf(stderr, "perigee: %s\n", detail);
		return 1;
	}
	printf("%s is a whole copy of the state. It holds the host's keys: keep it as safe as "
	       "those.\n",
			argv[2]);
	return 0;
}
