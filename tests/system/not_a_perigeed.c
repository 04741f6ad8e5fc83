/* SPDX-License-Identifier: MIT */

/* What stands in for the perigeed of a broken version: asked whether it can take over
 * (--takes-over) it says so, and then it does not. LEAVES: at once, with that status; else it
 * is there and never ready. UNFIT: it says that it cannot. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
	if (argc > 2 && strcmp(argv[argc - 2], "--takes-over") == 0) {
#ifdef UNFIT
		puts("it reads no layout of this kind");
		return 1;
#else
		puts("perigee 0.1.9");
		return 0;
#endif
	}
#ifdef LEAVES
	return LEAVES;
#else
	for (;;) {
		pause();
	}
#endif
}
