/* SPDX-License-Identifier: MIT */
#include "supervisor/confine_table.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/own.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
		__has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

const bool confine_sanitized = SANITIZED;

#ifdef PERIGEE_OBEY
const bool confine_threaded = true;
#else
const bool confine_threaded = false;
#endif

/* clang-format off */

#define READ ACCESS_READ
#define EXECUTE (ACCESS_READ | ACCESS_EXECUTE)
#define WRITE (ACCESS_READ | ACCESS_WRITE)
#define OWN_ALL (ACCESS_READ | ACCESS_WRITE | ACCESS_OWN)
#define DEVICE (ACCESS_READ | ACCESS_WRITE | ACCESS_DEVICE)

/* What the dynamic linker needs; `when` says for how long. */
#define LIBRARIES(when) \
	{ "@program", EXECUTE, when }, { "@loader", EXECUTE, when }, \
	{ "/usr", READ, when }, { "/lib", READ, when }, { "/lib32", READ, when }, \
	{ "/lib64", READ, when }, { "/nix/store", READ, when }, { "/gnu/store", READ, when }, \
	{ "/etc/ld.so.cache", READ, when }, { "/etc/ld.so.preload", READ, when }, \
	{ "/sys/devices/system/cpu", READ, when }

/* Started and done: from then on it opens nothing of it. */
#define TO_START LIBRARIES(true)
/* Loads drivers or plug-ins whenever it likes. */
#define FOR_GOOD LIBRARIES(false)

#define NULL_AND_RANDOM \
	{ "/dev/null", WRITE }, { "/dev/zero", READ }, { "/dev/urandom", READ }

/* Graphics: the devices, and what the drivers read about them. */
#define GRAPHICS \
	{ "/dev/dri", DEVICE }, { "/dev/nvidia*", DEVICE }, { "/dev/nvidia-caps", DEVICE }, \
	{ "/sys/class/drm", READ }, { "/sys/dev/char", READ }, { "/sys/devices", READ }, \
	{ "/proc/driver", READ }, { "/proc/devices", READ }, { "/etc/drirc", READ }, \
	{ "/etc/glvnd", READ }, { "/etc/egl", READ }, { "/etc/vulkan", READ }, \
	{ "/etc/OpenCL", READ }, { "/etc/libva.conf", READ }

#define NAMES /* who am I, what is this machine called */ \
	{ "/etc/passwd", READ }, { "/etc/group", READ }, { "/etc/nsswitch.conf", READ }, \
	{ "/etc/machine-id", READ }

#define COMMON (CALLS(BASE) | CALLS(TRAFFIC))
#define WHILE_STARTING (CALLS(START) | CALLS(READ))

const struct confine_row confine_rows[] = {
	{ "gate", "the Moonlight door: reads what anybody sends",
		.rules = { TO_START, { "/dev/urandom", READ, true } },
		.calls = COMMON | CALLS(DATAGRAM), .starting = WHILE_STARTING,
		.limits = { .memory_mb = 1024, .file_mb = 64, .files = 8192, .locked_kb = 64, .alone = true } },
	{ "web", "the web door and the API: reads what anybody sends",
		.rules = { TO_START, { "/dev/urandom", READ, true } },
		.calls = COMMON, .starting = WHILE_STARTING,
		.limits = { .memory_mb = 1024, .file_mb = 64, .files = 8192, .locked_kb = 64, .alone = true } },
	{ "stream", "one viewer's stream: reads what that viewer sends",
		.rules = { TO_START, { "/dev/urandom", READ, true } },
		.calls = COMMON, .starting = WHILE_STARTING,
		.limits = { .memory_mb = 1024, .file_mb = 64, .files = 128, .locked_kb = 64, .alone = true } },
	{ "store", "the state database",
		.rules = { TO_START, NULL_AND_RANDOM, { "@state", OWN_ALL } },
		.calls = COMMON | CALLS(READ) | CALLS(WRITE), .starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .memory_mb = 1024, .file_mb = 1024, .files = 128, .locked_kb = 64, .alone = true } },
	{ "facts", "host name, MAC and addresses",
		.rules = { TO_START, { "/proc/self/net", READ }, { "/proc/sys/kernel", READ },
			{ "/sys/class/net", READ }, { "/sys/devices", READ }, { "/etc/hostname", READ } },
		.calls = COMMON | CALLS(READ) | CALLS(NETLINK), .starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .memory_mb = 512, .file_mb = 16, .files = 64, .locked_kb = 64, .alone = true } },
	{ "discover", "answers mDNS: reads what neighbours send",
		.rules = { TO_START, { "/proc/self/net", READ }, { "/proc/sys/kernel", READ },
			{ "/dev/urandom", READ } },
		.calls = COMMON | CALLS(READ) | CALLS(NETLINK) | CALLS(DATAGRAM), .starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .memory_mb = 512, .file_mb = 16, .files = 64, .locked_kb = 64, .alone = true } },
	{ "art", "draws box art, then leaves",
		.rules = { FOR_GOOD, { "/etc/fonts", READ }, { "/var/cache/fontconfig", READ },
			{ "/dev/urandom", READ } },
		.calls = COMMON | CALLS(READ) | CALLS(THREADS), .starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .memory_mb = 2048, .file_mb = 64, .files = 64, .locked_kb = 64 } },
	{ "encoder", "encodes pictures; also tries the encoders at the start",
		.rules = { FOR_GOOD, NULL_AND_RANDOM, GRAPHICS, { "/proc/self", READ },
			{ "/proc/cpuinfo", READ }, { "/proc/meminfo", READ }, { "/proc/stat", READ },
			{ "/dev/shm", OWN_ALL } },
		.calls = COMMON | CALLS(READ) | CALLS(THREADS) | CALLS(DEVICE), .starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .file_mb = 2048, .files = 1024 }, .devices = true },
	{ "encoder-sound", "encodes the sound of its session's sound server",
		.rules = { FOR_GOOD, NULL_AND_RANDOM, NAMES, { "/etc/pulse", READ }, { "/proc/self", READ },
			{ "/dev/shm", READ }, { "@runtime", ACCESS_REACH } },
		.calls = COMMON | CALLS(READ) | CALLS(THREADS) | CALLS(UNIX) | CALLS(CONNECT),
		.starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .memory_mb = 2048, .file_mb = 256, .files = 256, .locked_kb = 64 } },
	{ "desktop", "the compositor, and Xwayland with it: reads what its apps send",
		.rules = { FOR_GOOD, NULL_AND_RANDOM, GRAPHICS, NAMES, { "/etc/fonts", READ },
			{ "/etc/X11", READ }, { "/proc/self", READ }, { "/proc/sys/kernel", READ },
			{ "/dev/shm", OWN_ALL }, { "@runtime", OWN_ALL }, { "/tmp", ACCESS_SCRATCH },
			{ "/tmp/.X11-unix", OWN_ALL }, { "/var/lib/xkb", OWN_ALL },
			{ "/usr/bin/Xwayland", EXECUTE }, { "/usr/bin/xkbcomp", EXECUTE },
			{ "/bin/sh", EXECUTE } },
		.calls = COMMON | CALLS(READ) | CALLS(WRITE) | CALLS(THREADS) | CALLS(SPAWN) |
			CALLS(UNIX) | CALLS(DEVICE) | CALLS(START),
		.refusal = REFUSE_SILENT,
		.veil = VEIL_RUN, .veil_by_root = true, .no_network = true,
		.limits = { .file_mb = 2048, .files = 4096 }, .devices = true, .shares_sockets = true },
	{ "sound", "PulseAudio: reads what its apps send",
		.rules = { FOR_GOOD, NULL_AND_RANDOM, NAMES, { "/etc/pulse", READ },
			{ "/proc/self", READ }, { "/proc/cpuinfo", READ }, { "/proc/sys/kernel", READ },
			{ "/dev/shm", OWN_ALL }, { "@runtime", OWN_ALL } },
		.calls = COMMON | CALLS(READ) | CALLS(WRITE) | CALLS(THREADS) | CALLS(START) | CALLS(UNIX) |
			CALLS(IDS),
		.refusal = REFUSE_SILENT,
		.veil = VEIL_RUN, .limits = { .memory_mb = 4096, .file_mb = 256, .files = 1024 } },
	{ "trial", "the readiness trial: a client of this host, reads what the host sends",
		.rules = { FOR_GOOD, NULL_AND_RANDOM, { "/etc/ssl", READ }, { "/proc/self", READ },
			{ "/proc/cpuinfo", READ } },
		.calls = COMMON | CALLS(READ) | CALLS(THREADS) | CALLS(DATAGRAM) | CALLS(TCP),
		.starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .memory_mb = 2048, .file_mb = 16, .files = 64, .locked_kb = 64 },
		.network = true },
	{ "notice", "a picture that says what happened, on its session's desktop",
		.rules = { FOR_GOOD, { "/etc/fonts", READ }, { "/var/cache/fontconfig", READ },
			{ "/dev/urandom", READ } },
		.calls = COMMON | CALLS(READ) | CALLS(THREADS), .starting = CALLS(START),
		.veil = VEIL_RUN, .limits = { .memory_mb = 2048, .file_mb = 256, .files = 64, .locked_kb = 64 } },
	{ "runner", "starts and ends one app",
		.system = true,
		.rules = { { "@runtime", OWN_ALL }, { "@home", OWN_ALL }, { "@libexec", EXECUTE },
			{ "@app", EXECUTE }, { "@display", ACCESS_REACH } },
		.calls = CALLS(SYSTEM), .refusal = REFUSE_SILENT,
		.veil = VEIL_OURS, .devices = true, .network = true, .shares_sockets = true },
	{ "runner-sandbox", "the same for an app in a bubblewrap sandbox, or one that Landlock confines without it",
		.rules = { { "@runtime", OWN_ALL }, { "@home", OWN_ALL }, { "@display", ACCESS_REACH } },
		.calls = CALLS(SYSTEM), .refusal = REFUSE_SILENT,
		.veil = VEIL_OURS, .mounts = true, .devices = true, .network = true, .shares_sockets = true },
	{ "runner-container", "starts and ends one app in a container, on connections to the engine that it is given",
		.rules = { TO_START, { "/dev/urandom", READ, true } },
		.calls = COMMON, .starting = WHILE_STARTING,
		.limits = { .memory_mb = 1024, .file_mb = 16, .files = 256, .locked_kb = 64, .alone = true } },
	{ "runner-normal", "the same for an app with `privileges: normal`",
		.refusal = REFUSE_NOTHING, .devices = true, .network = true, .may_gain = true,
		.shares_sockets = true },
};

const size_t confine_rows_count = ARRAY_LEN(confine_rows);

static const char *const base_calls[] = {
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "close",
	"lseek", "fstat", "newfstatat", "fstatfs", "fcntl", "dup", "dup2", "dup3", "pipe", "pipe2",
	"eventfd2", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll",
	"ppoll", "select", "pselect6", "timerfd_create", "timerfd_settime", "timerfd_gettime",
	"signalfd4", "memfd_create", "ftruncate", "munmap", "mremap", "madvise", "brk", "futex",
	"futex_wake", "futex_wait", "futex_waitv", "rseq", "set_robust_list", "membarrier",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending",
	"rt_sigsuspend", "sigaltstack", "pause", "clock_gettime", "clock_getres", "clock_nanosleep",
	"nanosleep", "gettimeofday", "time", "getrandom", "getpid", "gettid", "getppid", "getuid",
	"geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getpgrp", "getpgid",
	"getsid", "getpriority", "getrlimit", "getrusage", "times", "sysinfo", "uname", "getcpu",
	"sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"sched_get_priority_max", "sched_get_priority_min", "exit", "exit_group", "restart_syscall",
	NULL,
};

static const char *const start_calls[] = {
	"execve", "arch_prctl", "set_tid_address", "prctl", "seccomp", "landlock_restrict_self",
	"prlimit64", "access", "faccessat", "faccessat2", NULL,
};

static const char *const read_calls[] = {
	"open", "openat", "stat", "lstat", "statx", "statfs", "access", "faccessat", "faccessat2",
	"readlink", "readlinkat", "getdents64", "getcwd", "flock", "fadvise64", "inotify_init1",
	"inotify_add_watch", "inotify_rm_watch", "mmap", "mprotect", NULL,
};

static const char *const write_calls[] = {
	"unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "link",
	"linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown",
	"fchownat", "utimensat", "fsync", "fdatasync", "fallocate", "truncate", "creat", "umask",
	"chdir", "fchdir", "sync_file_range", NULL,
};

static const char *const threads_calls[] = {
	"set_tid_address", "sched_setattr", "sched_getattr", "sched_setparam", "sched_setaffinity",
	"setpriority", NULL,
};

static const char *const spawn_calls[] = {
	"execve", "vfork", "fork", "wait4", "waitid", "kill", "tgkill", "setpgid", "setsid",
	"pidfd_open", "pidfd_send_signal", "rt_sigqueueinfo", "set_tid_address", "setitimer",
	"getitimer", "alarm", "socketpair", "prlimit64", "setrlimit", "umask", "chdir", "setuid",
	"setgid", "setresuid", "setresgid", "setreuid", "setregid", "prctl", NULL,
};

/* To what it is already: there is no capability to become another. */
static const char *const ids_calls[] = {
	"setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid", "setfsuid", "setfsgid",
	"setgroups", "capget", "capset", "personality", "setrlimit", "prlimit64", "setsid", NULL,
};

static const char *const traffic_calls[] = {
	"sendmsg", "recvmsg", "sendto", "recvfrom", "sendmmsg", "recvmmsg", "accept", "accept4",
	"shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt", NULL,
};

static const char *const datagram_calls[] = { "bind", "connect", NULL };
static const char *const unix_calls[] = { "bind", "listen", "socketpair", NULL };
static const char *const connect_calls[] = { "connect", NULL };
static const char *const netlink_calls[] = { "bind", NULL };
static const char *const device_calls[] = { "ioctl", "mlock", "mlock2", "munlock", "mbind",
	"get_mempolicy", "set_mempolicy", "mincore", "msync", "shutdown", "kcmp", NULL };

/* Not what may be done, for once, but what may not. */
static const char *const system_calls[] = {
	"acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "create_module",
	"delete_module", "fanotify_init", "finit_module", "get_kernel_syms", "init_module",
	"io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kexec_file_load",
	"kexec_load", "keyctl", "lookup_dcookie", "nfsservctl", "open_by_handle_at",
	"perf_event_open", "quotactl", "query_module", "reboot", "request_key", "settimeofday",
	"stime", "swapoff", "swapon", "syslog", "uselib", "userfaultfd", "vhangup", NULL,
};

const struct confine_group_row confine_groups[CALLS_GROUPS] = {
	[CALLS_BASE]     = { "base", "memory, time, waiting, what it has open", base_calls },
	[CALLS_START]    = { "start", "becoming a program", start_calls },
	[CALLS_READ]     = { "read", "opening files, loading code", read_calls },
	[CALLS_WRITE]    = { "write", "making, changing, removing files", write_calls },
	[CALLS_THREADS]  = { "threads", "threads of its own", threads_calls },
	[CALLS_SPAWN]    = { "spawn", "processes, and signals to them", spawn_calls },
	[CALLS_IDS]      = { "ids", "giving up rights", ids_calls },
	[CALLS_TRAFFIC]  = { "traffic", "sending and receiving on sockets that it was given", traffic_calls },
	[CALLS_DATAGRAM] = { "datagram", "UDP sockets of its own", datagram_calls },
	[CALLS_TCP]      = { "tcp", "TCP sockets of its own, connecting them", connect_calls },
	[CALLS_UNIX]     = { "unix", "Unix sockets of its own, listening on them", unix_calls },
	[CALLS_CONNECT]  = { "connect", "connecting sockets of its own", connect_calls },
	[CALLS_NETLINK]  = { "netlink", "asking the kernel for addresses", netlink_calls },
	[CALLS_DEVICE]   = { "device", "any ioctl, locked memory", device_calls },
	[CALLS_SYSTEM]   = { "system", "everything but these calls, and but odd socket families", system_calls },
};

/* A call is allowed when (argument & mask) == value, for any of its rows. */
#define WORD UINT32_MAX
#define SPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		CLONE_NEWPID | CLONE_NEWNET)

const struct confine_condition confine_conditions[] = {
	{ CALLS_BASE, "ioctl", 1, WORD, TCGETS, "TCGETS", 0, 0, 0 },
	{ CALLS_BASE, "ioctl", 1, WORD, FIONREAD, "FIONREAD", 0, 0, 0 },
	{ CALLS_BASE, "ioctl", 1, WORD, FIONBIO, "FIONBIO", 0, 0, 0 },
	{ CALLS_BASE, "ioctl", 1, WORD, SIOCOUTQ, "SIOCOUTQ", 0, 0, 0 },
	{ CALLS_BASE, "mmap", 2, PROT_EXEC, 0, "nothing executable", 0, 0, 0 },
	{ CALLS_BASE, "mprotect", 2, PROT_EXEC, 0, "nothing executable", 0, 0, 0 },
	{ CALLS_BASE, "tgkill", 0, WORD, CONFINE_SELF, "itself", 0, 0, 0 },
	{ CALLS_BASE, "kill", 0, WORD, CONFINE_SELF, "itself", 0, 0, 0 },
	{ CALLS_BASE, "rt_tgsigqueueinfo", 0, WORD, CONFINE_SELF, "itself", 0, 0, 0 },
	{ CALLS_BASE, "prlimit64", 0, WORD, 0, "itself", 0, 0, 0 },
	{ CALLS_BASE, "sched_setscheduler", 0, WORD, 0, "itself", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_SET_NAME, "PR_SET_NAME", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_GET_NAME, "PR_GET_NAME", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_SET_VMA, "PR_SET_VMA", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_SET_DUMPABLE, "PR_SET_DUMPABLE", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_GET_DUMPABLE, "PR_GET_DUMPABLE", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_SET_PTRACER, "PR_SET_PTRACER", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_SET_TIMERSLACK, "PR_SET_TIMERSLACK", 0, 0, 0 },
	{ CALLS_BASE, "prctl", 0, WORD, PR_GET_PDEATHSIG, "PR_GET_PDEATHSIG", 0, 0, 0 },
	{ CALLS_THREADS, "clone", 0, SPACES | CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM, "a thread", 0, 0, 0 },
	{ CALLS_SPAWN, "clone", 0, SPACES, 0, "no namespace", 0, 0, 0 },
	{ CALLS_DATAGRAM, "socket", 0, WORD, AF_INET, "AF_INET, datagrams", 1, 0xf, SOCK_DGRAM },
	{ CALLS_DATAGRAM, "socket", 0, WORD, AF_INET6, "AF_INET6, datagrams", 1, 0xf, SOCK_DGRAM },
	{ CALLS_TCP, "socket", 0, WORD, AF_INET, "AF_INET, streams", 1, 0xf, SOCK_STREAM },
	{ CALLS_TCP, "socket", 0, WORD, AF_INET6, "AF_INET6, streams", 1, 0xf, SOCK_STREAM },
	{ CALLS_UNIX, "socket", 0, WORD, AF_UNIX, "AF_UNIX", 0, 0, 0 },
	{ CALLS_NETLINK, "socket", 0, WORD, AF_NETLINK, "AF_NETLINK", 0, 0, 0 },
	/* if_nametoindex() and its like make one only to ask. */
	{ CALLS_NETLINK, "ioctl", 1, WORD, SIOCGIFNAME, "SIOCGIFNAME", 0, 0, 0 },
	{ CALLS_NETLINK, "ioctl", 1, WORD, SIOCGIFINDEX, "SIOCGIFINDEX", 0, 0, 0 },
	{ CALLS_NETLINK, "socket", 0, WORD, AF_UNIX, "AF_UNIX, datagrams", 1, 0xf, SOCK_DGRAM },
};

const size_t confine_conditions_count = ARRAY_LEN(confine_conditions);

/* Socket families that an app may use. */
const int confine_families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_BLUETOOTH };

/* Libraries try these and go on without: refused, but not told. clone3() hides its
 * flags from a filter; without it libc uses clone(). */
const struct confine_quiet confine_quiet_calls[] = {
	{ "clone3", ENOSYS },
	{ "get_mempolicy", EPERM },
	{ "set_mempolicy", EPERM },
	{ "mbind", EPERM },
	{ "sched_setaffinity", EPERM },
	{ "statfs", EACCES },
	{ "mkdir", EACCES },
	{ "umask", EPERM },
};

const size_t confine_quiet_count = ARRAY_LEN(confine_quiet_calls);

const char *const confine_sanitizer_calls[] = {
	"mmap", "mprotect", "open", "openat", "readlink", "readlinkat", "stat", "lstat", "getdents64",
	"personality", "ptrace", "process_vm_readv", "prctl", "setrlimit", "prlimit64", "kill",
	"tgkill", "sched_getaffinity", "arch_prctl", "socketpair", NULL,
};
/* clang-format on */

const struct confine_row *confine_find(const char *name) {
	for (size_t i = 0; i < confine_rows_count; i++) {
		if (strcmp(confine_rows[i].name, name) == 0) {
			return &confine_rows[i];
		}
	}
	return NULL;
}
