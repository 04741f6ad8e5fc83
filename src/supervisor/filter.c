/* SPDX-License-Identifier: MIT */
#include "supervisor/filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <seccomp.h>

OWN_DEFINE(scmp_filter_ctx, seccomp_release)

enum {
	TREE_SORTED = 2,   /* SCMP_FLTATR_CTL_OPTIMIZE: a binary tree */
	FAMILIES_MAX = 46, /* AF_MAX */
	TIOCSTI_CALL = 0x5412,
	TIOCLINUX_CALL = 0x541c,
};

bool filter_available(void) {
	uint32_t action = SECCOMP_RET_TRAP;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* A name that this architecture or libseccomp does not know is not missed. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *call, unsigned n,
		const struct scmp_arg_cmp *arguments) {
	int number = seccomp_syscall_resolve_name(call);
	if (number == __NR_SCMP_ERROR || number < 0) {
		return 0;
	}
	int rc = seccomp_rule_add_array(filter, action, number, n, arguments);
	return rc == -EACCES || rc == -EEXIST ? 0 : rc;
}

static int allow_list(scmp_filter_ctx filter, const char *const *calls) {
	int rc = 0;
	for (; *calls && rc == 0; calls++) {
		rc = add(filter, SCMP_ACT_ALLOW, *calls, 0, NULL);
	}
	return rc;
}

static bool listed(const char *const *calls, const char *call) {
	while (*calls && strcmp(*calls, call) != 0) {
		calls++;
	}
	return *calls != NULL;
}

/* A call that is allowed whole needs no conditions: libseccomp would refuse them. */
static bool is_whole(uint32_t groups, const char *call) {
	bool whole = confine_sanitized && listed(confine_sanitizer_calls, call);
	for (unsigned group = 0; group < CALLS_GROUPS; group++) {
		whole |= groups & 1u << group && listed(confine_groups[group].calls, call);
	}
	return whole;
}

static int allow_condition(scmp_filter_ctx filter, const struct confine_condition *condition) {
	uint32_t value = condition->value == CONFINE_SELF ? (uint32_t)getpid() : condition->value;
	const struct scmp_arg_cmp arguments[] = {
		SCMP_CMP64(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask, value),
		SCMP_CMP64(condition->argument_too, SCMP_CMP_MASKED_EQ, condition->mask_too,
				condition->value_too),
	};
	return add(filter, SCMP_ACT_ALLOW, condition->call, condition->mask_too ? 2 : 1, arguments);
}

static int allow_groups(scmp_filter_ctx filter, uint32_t groups) {
	int rc = 0;
	for (unsigned group = 0; group < CALLS_GROUPS && rc == 0; group++) {
		if (groups & 1u << group) {
			rc = allow_list(filter, confine_groups[group].calls);
		}
	}
	if (rc == 0 && confine_sanitized) {
		rc = allow_list(filter, confine_sanitizer_calls);
	}
	for (size_t i = 0; i < confine_conditions_count && rc == 0; i++) {
		const struct confine_condition *condition = &confine_conditions[i];
		if (groups & 1u << condition->group && !is_whole(groups, condition->call)) {
			rc = allow_condition(filter, condition);
		}
	}
	for (size_t i = 0; i < confine_quiet_count && rc == 0; i++) {
		const struct confine_quiet *quiet = &confine_quiet_calls[i];
		if (!is_whole(groups, quiet->call)) {
			rc = add(filter, SCMP_ACT_ERRNO((uint32_t)quiet->error), quiet->call, 0,
					NULL);
		}
	}
	return rc;
}

/* Everything but a list: for apps, whose calls nobody knows. Their 32-bit programs are
 * held by the same. */
static int refuse_system(scmp_filter_ctx filter) {
	static const uint32_t typed[] = { TIOCSTI_CALL, TIOCLINUX_CALL };
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	int rc = 0;
	if (seccomp_arch_native() == SCMP_ARCH_X86_64) {
		rc = seccomp_arch_add(filter, SCMP_ARCH_X86);
	}
	for (const char *const *call = confine_groups[CALLS_SYSTEM].calls; *call && rc == 0;
			call++) {
		rc = add(filter, refuse, *call, 0, NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(typed) && rc == 0; i++) {
		struct scmp_arg_cmp request =
				SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, typed[i]);
		rc = add(filter, refuse, "ioctl", 1, &request);
	}
	for (int family = 0; family < FAMILIES_MAX && rc == 0; family++) {
		bool known = false;
		for (size_t i = 0; i < CONFINE_FAMILIES; i++) {
			known |= confine_families[i] == family;
		}
		struct scmp_arg_cmp asked = SCMP_CMP64(0, SCMP_CMP_EQ, (uint64_t)family);
		rc = known ? 0 : add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", 1, &asked);
	}
	return rc;
}

static uint32_t default_action(const struct confine_row *row) {
	if (row->calls & CALLS(SYSTEM)) {
		return SCMP_ACT_ALLOW;
	}
	return row->refusal == REFUSE_TOLD ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM);
}

int filter_compile(const struct confine_row *row, bool starting, int *out_fd) {
	if (row->refusal == REFUSE_NOTHING || !filter_available()) {
		return -ENOTSUP;
	}
	OWN(seccomp_release) scmp_filter_ctx filter = seccomp_init(default_action(row));
	if (!filter) {
		return -ENOMEM;
	}
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, TREE_SORTED);
	uint32_t groups = row->calls | (starting ? row->starting : 0);
	groups |= confine_threaded ? CALLS(THREADS) : 0;
	int rc = row->calls & CALLS(SYSTEM) ? refuse_system(filter) : allow_groups(filter, groups);
	OWN(fd_close) int fd = rc == 0 ? memfd_create("filter", MFD_CLOEXEC) : rc;
	if (rc == 0 && fd < 0) {
		rc = -errno;
	}
	if (rc == 0) {
		rc = seccomp_export_bpf(filter, fd);
	}
	if (rc == 0) {
		*out_fd = TAKE(fd, -1);
	}
	return rc;
}

int filter_enter(int fd, bool audited) {
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	OWN(free) void *bytes = malloc((size_t)st.st_size);
	if (!bytes || pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size) {
		return bytes ? -EIO : -ENOMEM;
	}
	struct sock_fprog program = {
		.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter)),
		.filter = bytes,
	};
	if (audited && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG,
				       &program) == 0) {
		return 0;
	}
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}
