/* SPDX-License-Identifier: MIT */

/* Somebody who sits in the kernel: the parent of a vfork() whose child does not go on is
 * in state D, and SIGSTOP does not stop it, as with a driver that does not come back. */

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
	pid_t pid = vfork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Whoever reads it knows that the parent does not come back. */
		for (ssize_t said = write(STDOUT_FILENO, "here\n", 5); said;) {
			pause();
		}
	}
	return 0;
}
