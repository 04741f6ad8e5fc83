/* SPDX-License-Identifier: MIT */
#include "supervisor/confine.h"

#include <fcntl.h>
#include <glob.h>
#include <link.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/text.h"
#include "ipc/settle.h"
#include "supervisor/filter.h"
#include "supervisor/landlock.h"

enum {
	CAPABILITIES_MAX = 64,
	MEGABYTE = 1 << 20,
	PARKED_FD = 16, /* where what a worker gets waits until its numbers are free */
};

/* ---- limits ---- */

struct limit {
	const char *name;
	int resource;
	uint64_t value; /* 0: as it is */
};

/* The hard limit may only be lowered by whoever is not root. */
static int set_limit(int resource, rlim_t wanted) {
	struct rlimit now;
	if (getrlimit(resource, &now) < 0) {
		return -errno;
	}
	rlim_t value = wanted < now.rlim_max || geteuid() == 0 ? wanted : now.rlim_max;
	struct rlimit next = { .rlim_cur = value, .rlim_max = value };
	return setrlimit(resource, &next) < 0 ? -errno : 0;
}

int confine_limit(const struct confine_row *row, struct confine_fault *fault) {
	const struct confine_limits *limits = &row->limits;
	const struct limit list[] = {
		{ "RLIMIT_AS", RLIMIT_AS,
				confine_sanitized ? 0 : (uint64_t)limits->memory_mb * MEGABYTE },
		{ "RLIMIT_FSIZE", RLIMIT_FSIZE, (uint64_t)limits->file_mb * MEGABYTE },
		{ "RLIMIT_NOFILE", RLIMIT_NOFILE, limits->files },
		{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK, (uint64_t)limits->locked_kb * 1024 },
	};
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		int rc = list[i].value ? set_limit(list[i].resource, list[i].value) : 0;
		if (rc < 0) {
			fault->step = list[i].name;
			return rc;
		}
	}
	return 0;
}

/* ---- Landlock ---- */

/* The dynamic linker that this program was started with will start the next. */
static const char *loader(void) {
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM);
	uintptr_t base = 0;
	for (size_t i = 0; header && i < count; i++) {
		if (header[i].p_type == PT_PHDR) {
			base = (uintptr_t)header - header[i].p_vaddr;
		}
	}
	for (size_t i = 0; header && i < count; i++) {
		if (header[i].p_type == PT_INTERP) {
			return (const char *)(base + header[i].p_vaddr);
		}
	}
	return NULL;
}

static const char *resolve(const char *path, const struct confine_places *places) {
	const struct {
		const char *name, *path;
	} known[] = {
		{ "@program", places->program },
		{ "@loader", loader() },
		{ "@state", places->state },
		{ "@runtime", places->runtime },
		{ "@home", places->home },
		{ "@app", places->app },
		{ "@display", places->display },
		{ "@libexec", places->libexec },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, path) == 0) {
			return known[i].path;
		}
	}
	return path;
}

static int make_rules(const struct confine_row *row, const struct confine_places *places,
		bool starting, const struct landlock_plan *closed, int *out) {
	struct landlock_plan *plan = calloc(1, sizeof(*plan));
	if (!plan) {
		return -ENOMEM;
	}
	plan->bare = !row->system;
	plan->no_tcp = !row->network;
	plan->own_abstract = !row->shares_sockets;
	if (row->system) {
		memcpy(plan->closed, closed->closed, sizeof(plan->closed));
		plan->n_closed = closed->n_closed;
		plan->program = places->program;
	}
	for (size_t i = 0; i < CONFINE_RULES_MAX && row->rules[i].path; i++) {
		const char *path = resolve(row->rules[i].path, places);
		if (path && (starting || !row->rules[i].starting)) {
			plan->entries[plan->n_entries++] =
					(struct landlock_entry){ path, row->rules[i].access };
		}
	}
	int rc = landlock_prepare(plan, out);
	free(plan);
	return rc;
}

static bool has_starting_rules(const struct confine_row *row) {
	bool has = false;
	for (size_t i = 0; i < CONFINE_RULES_MAX && row->rules[i].path; i++) {
		has |= row->rules[i].starting;
	}
	return has;
}

/* Where the kernel has no Landlock the rest still holds. */
static int prepare_rules(struct confine *confine, const struct confine_places *places,
		const struct landlock_plan *closed) {
	const struct confine_row *row = confine->row;
	if (row->mounts) {
		int rc = landlock_prepare_signals(&confine->rules);
		return rc == -ENOTSUP ? 0 : rc;
	}
	if (!row->rules[0].path && !row->system) {
		return 0;
	}
	int rc = make_rules(row, places, true, closed, &confine->rules);
	if (rc == 0 && has_starting_rules(row)) {
		rc = make_rules(row, places, false, closed, &confine->rules_settled);
	}
	return rc == -ENOTSUP ? 0 : rc;
}

static int prepare_filters(struct confine *confine) {
	int rc = filter_compile(confine->row, true, &confine->filter);
	if (rc == 0 && confine->row->starting) {
		rc = filter_compile(confine->row, false, &confine->filter_settled);
	}
	return rc == -ENOTSUP ? 0 : rc;
}

int confine_prepare(struct confine *confine, const struct confine_places *places,
		const struct landlock_plan *closed, struct confine_fault *fault) {
	fault->step = "landlock";
	int rc = prepare_rules(confine, places, closed);
	if (rc == 0) {
		fault->step = "seccomp";
		rc = prepare_filters(confine);
	}
	return rc;
}

/* ---- groups and capabilities ---- */

size_t confine_device_groups(gid_t *out, size_t max) {
	static const char *const patterns[] = { "/dev/dri/*", "/dev/nvidia*" };
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		glob_t found;
		if (glob(patterns[i], 0, NULL, &found) != 0) {
			continue;
		}
		for (size_t j = 0; j < found.gl_pathc; j++) {
			struct stat st;
			bool usable = stat(found.gl_pathv[j], &st) == 0 && S_ISCHR(st.st_mode) &&
				      st.st_gid != 0 && (st.st_mode & 0060) == 0060;
			for (size_t k = 0; usable && k < count; k++) {
				usable = out[k] != st.st_gid;
			}
			if (usable && count < max) {
				out[count++] = st.st_gid;
			}
		}
		globfree(&found);
	}
	return count;
}

void confine_drop_bounding(void) {
	for (int number = 0; number < CAPABILITIES_MAX; number++) {
		/* Who is not root may not, and no_new_privs makes it pointless. */
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0) {
			break;
		}
	}
}

static int empty_capabilities(void) {
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* Where a container forbids capset(), there is often nothing to give up. */
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, now) == 0 && memcmp(now, none, sizeof(none)) == 0) {
		return 0;
	}
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int confine_drop(const struct confine_row *row, struct confine_fault *fault) {
	fault->step = "capabilities";
	int rc = empty_capabilities();
	if (rc == 0 && row->limits.alone && !confine_sanitized && !confine_threaded) {
		/* Not before the change of user, which would count against it. */
		struct rlimit none = { 0 };
		fault->step = "RLIMIT_NPROC";
		rc = setrlimit(RLIMIT_NPROC, &none) < 0 ? -errno : 0;
	}
	return rc;
}

/* ---- the last step ---- */

static int hand_over(int *fd, int number) {
	int moved = *fd < 0 ? 0 : dup2(*fd, number);
	fd_release(fd);
	return moved < 0 ? -errno : 0;
}

static int park(int *fd) {
	int parked = *fd < 0 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, PARKED_FD);
	if (*fd >= 0 && parked < 0) {
		return -errno;
	}
	fd_close(TAKE(*fd, parked));
	return 0;
}

int confine_enter(struct confine *confine, const char **settles, struct confine_fault *fault) {
	static const char *const parts[] = { NULL, SETTLE_ENV "=f", SETTLE_ENV "=r",
		SETTLE_ENV "=fr" };
	fault->step = "descriptors";
	*settles = parts[(confine->filter_settled >= 0) + 2 * (confine->rules_settled >= 0)];
	int *const fds[] = { &confine->rules, &confine->rules_settled, &confine->filter,
		&confine->filter_settled };
	int rc = 0;
	for (size_t i = 0; i < ARRAY_LEN(fds) && rc == 0; i++) {
		rc = park(fds[i]);
	}
	if (rc == 0) {
		rc = hand_over(&confine->filter_settled, SETTLE_FILTER_FD);
	}
	if (rc == 0) {
		rc = hand_over(&confine->rules_settled, SETTLE_RULES_FD);
	}
	if (rc == 0 && confine->rules >= 0) {
		fault->step = "landlock";
		rc = landlock_enter(confine->rules);
	}
	if (rc == 0 && confine->filter >= 0) {
		fault->step = "seccomp";
		rc = filter_enter(confine->filter, confine->row->refusal == REFUSE_SILENT);
	}
	return rc;
}
