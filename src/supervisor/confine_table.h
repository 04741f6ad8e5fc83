/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFINE_TABLE_H
#define SUPERVISOR_CONFINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What each kind of process may do: the one table that perigee-exec applies and that
 * docs/security.md shows (tools/list_confinement.py). Pure data. */

enum {
	CONFINE_RULES_MAX = 56,
};

/* What a process may do with files below a path. Another name for Landlock's rights. */
enum confine_access {
	ACCESS_REACH = 0,    /* connect to its sockets */
	ACCESS_READ = 1,     /* read files, list folders */
	ACCESS_EXECUTE = 2,  /* start them */
	ACCESS_WRITE = 4,    /* read and write what is there */
	ACCESS_OWN = 8,      /* everything but starting: make, remove, rename */
	ACCESS_DEVICE = 16,  /* read, write, ioctl */
	ACCESS_SCRATCH = 32, /* make, write, read and remove files that it can name */
};

/* A path. Those with @ are filled in by perigee-exec's arguments; one that is not there
 * is skipped. */
struct confine_rule {
	const char *path;
	uint8_t access;
	bool starting; /* only until the worker has started: see ipc/settle.h */
};

/* Groups of system calls: confine_groups[]. */
enum confine_group {
	CALLS_BASE,     /* memory, time, waiting, descriptors that it has */
	CALLS_START,    /* what becoming a program takes; never for good */
	CALLS_READ,     /* open and read files, as far as Landlock lets it */
	CALLS_WRITE,    /* make, change and remove them */
	CALLS_THREADS,  /* threads, not processes */
	CALLS_SPAWN,    /* processes, signals to them */
	CALLS_IDS,      /* give up rights */
	CALLS_TRAFFIC,  /* send and receive on sockets that it was given */
	CALLS_DATAGRAM, /* make UDP sockets, bind and connect them */
	CALLS_TCP,      /* make TCP sockets and connect them; never listen */
	CALLS_UNIX,     /* make Unix sockets and listen on them */
	CALLS_CONNECT,  /* connect sockets */
	CALLS_NETLINK,  /* ask the kernel for addresses and their changes */
	CALLS_DEVICE,   /* any ioctl */
	CALLS_SYSTEM,   /* all but what an app has no business with */
	CALLS_GROUPS,
};

/* What becomes of a call that is in no group of the row. */
enum confine_refusal {
	REFUSE_TOLD,    /* EPERM, and the worker tells the log which call it was */
	REFUSE_SILENT,  /* EPERM, and the kernel's audit log: for programs that are not ours */
	REFUSE_NOTHING, /* no filter at all */
};

/* What a mount namespace of its own hides from it (veil.h). */
enum confine_veil {
	VEIL_NONE, /* it can open nothing and make no Unix socket: it needs none */
	VEIL_OURS, /* Perigee's folders but its session's, container engines */
	VEIL_RUN,  /* and all other services' sockets in /run */
};

#define CALLS(group) (1u << CALLS_##group)

/* 0: none. */
struct confine_limits {
	uint32_t memory_mb; /* RLIMIT_AS */
	uint32_t file_mb;   /* RLIMIT_FSIZE, counts memfds too; CONFINE_NO_FILES: none at all */
	uint32_t files;     /* RLIMIT_NOFILE */
	uint32_t locked_kb; /* RLIMIT_MEMLOCK */
	bool alone;         /* RLIMIT_NPROC 0: starts neither process nor thread */
};

struct confine_row {
	const char *name; /* the kind's, with a suffix for a variant */
	const char *says; /* what it is, for docs */
	struct confine_rule rules[CONFINE_RULES_MAX];
	bool system; /* besides: the system as a user sees it, but not what is closed */
	uint32_t calls, starting; /* CALLS() for good, and those until it has started */
	enum confine_refusal refusal;
	struct confine_limits limits;
	enum confine_veil veil;
	/* Only a root's: in a user namespace /tmp/.X11-unix seems to belong to nobody, and no X
	 * server starts. */
	bool veil_by_root;
	bool mounts;         /* makes mounts for what it starts: no Landlock rules of files */
	bool no_network;     /* a network namespace of its own, with nothing in it */
	bool devices;        /* keeps the groups that the graphics devices belong to */
	bool network;        /* may use TCP (Landlock, ABI 4) */
	bool may_gain;       /* without no_new_privs: the person said `privileges: normal` */
	bool shares_sockets; /* reaches abstract Unix sockets outside (Landlock, ABI 6) */
};

#define CONFINE_NO_FILES UINT32_MAX

extern const struct confine_row confine_rows[];
extern const size_t confine_rows_count;

/* NULL-terminated names; a call that an architecture does not have is skipped. */
struct confine_group_row {
	const char *name, *says;
	const char *const *calls;
};

extern const struct confine_group_row confine_groups[CALLS_GROUPS];

/* Allows a call of a group only for some values of one argument. */
struct confine_condition {
	enum confine_group group;
	const char *call;
	uint8_t argument;
	uint32_t mask, value; /* CONFINE_SELF: the process's own number */
	const char *says;
	uint8_t argument_too; /* and only if this one fits as well */
	uint32_t mask_too, value_too;
};

#define CONFINE_SELF UINT32_MAX

extern const struct confine_condition confine_conditions[];
extern const size_t confine_conditions_count;

struct confine_quiet {
	const char *call;
	int error;
};

/* What is refused without a word when it is not allowed. */
extern const struct confine_quiet confine_quiet_calls[];
extern const size_t confine_quiet_count;

enum {
	CONFINE_FAMILIES = 5,
};

/* What CALLS_SYSTEM leaves of socket families. */
extern const int confine_families[CONFINE_FAMILIES];

/* True in a build with sanitizers, which need more: no limit of memory, and the calls
 * of confine_sanitizer_calls. */
extern const bool confine_sanitized;
extern const char *const confine_sanitizer_calls[];

/* True in a build for tests whose workers obey: the faults that are injected there start
 * threads, so every worker may. */
extern const bool confine_threaded;

/* NULL when there is none of that name. */
const struct confine_row *confine_find(const char *name);

#endif
