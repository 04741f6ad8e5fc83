/* SPDX-License-Identifier: MIT */
#include "supervisor/confine_support.h"

#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "supervisor/veil.h"

enum {
	ABI_FILES = 3, /* truncation too */
	ABI_TCP = 4,
	ABI_SIGNALS = 6,
};

void confine_support_say(struct confine_support *support) {
	const struct {
		bool missing;
		const char *words;
	} list[] = {
		{ support->landlock < 1,
				"no Landlock (kernel 5.13, in the list of security "
				"modules): workers and apps of one user can read what that "
				"user can. " },
		{ support->landlock >= 1 && support->landlock < ABI_FILES,
				"Landlock before kernel 6.2: files can be emptied. " },
		{ support->landlock >= 1 && support->landlock < ABI_TCP,
				"Landlock before kernel 6.7: it does not close TCP. " },
		{ support->landlock >= 1 && support->landlock < ABI_SIGNALS,
				"Landlock before kernel 6.12: workers can signal each other. " },
		{ !support->veils, "no mount namespaces: sockets of other sessions can be reached "
				   "by their names. " },
		{ !support->seccomp,
				"no seccomp filters (CONFIG_SECCOMP_FILTER): every system call "
				"is open. " },
	};
	size_t used = 0;
	support->missing[0] = '\0';
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i].missing) {
			text_format(support->missing + used, sizeof(support->missing) - used, "%s",
					list[i].words);
			used = strlen(support->missing);
		}
	}
}

void confine_support_look(struct confine_support *out) {
	*out = (struct confine_support){ 0 };
	/* LANDLOCK_CREATE_RULESET_VERSION */
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	uint32_t action = SECCOMP_RET_TRAP;
	out->landlock = abi > 0 ? (int)abi : 0;
	out->seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
	out->veils = veil_try() == 0;
	confine_support_say(out);
}
