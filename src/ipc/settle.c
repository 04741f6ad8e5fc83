/* SPDX-License-Identifier: MIT */
#include "ipc/settle.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "ipc/call_names.h"
#include "ipc/crash.h"
#include "ipc/pulse.h"

static int enter_rules(void) {
	OWN(fd_close) int fd = SETTLE_RULES_FD;
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}

static int enter_filter(void) {
	OWN(fd_close) int fd = SETTLE_FILTER_FD;
	OWN(free) void *bytes = malloc(SETTLE_FILTER_MAX * sizeof(struct sock_filter));
	if (!bytes) {
		return -ENOMEM;
	}
	ssize_t len = pread(fd, bytes, SETTLE_FILTER_MAX * sizeof(struct sock_filter), 0);
	if (len <= 0 || (size_t)len % sizeof(struct sock_filter) != 0) {
		return len < 0 ? -errno : -EBADMSG;
	}
	struct sock_fprog program = {
		.len = (unsigned short)((size_t)len / sizeof(struct sock_filter)),
		.filter = bytes,
	};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

int settle(void) {
	const char *parts = getenv(SETTLE_ENV);
	int rc = 0;
	if (parts && strchr(parts, 'r')) {
		rc = enter_rules();
	}
	if (rc == 0 && parts && strchr(parts, 'f')) {
		rc = enter_filter();
	}
	unsetenv(SETTLE_ENV);
	return rc;
}

struct line {
	char text[96];
	size_t len;
};

static void add(struct line *line, const char *text) {
	size_t len = strlen(text);
	if (len <= sizeof(line->text) - line->len) {
		memcpy(line->text + line->len, text, len);
		line->len += len;
	}
}

static void add_number(struct line *line, unsigned number) {
	char digits[12];
	size_t at = sizeof(digits) - 1;
	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	add(line, digits + at);
}

/* What the call returns once this handler does. */
static void set_result(ucontext_t *context, long value) {
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = value;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long long)value;
#else
	(void)context;
	(void)value;
#endif
}

static void handle_refused(int signal_number, siginfo_t *info, void *context) {
	(void)signal_number;
	int saved = errno;
	unsigned number = (unsigned)info->si_syscall;
	const char *name = number < call_names_count ? call_names[number] : NULL;
	struct line line = { .len = 0 };
	add(&line, "e call-refused call=");
	add(&line, name ? name : "unknown");
	add(&line, " number=");
	add_number(&line, number);
	add(&line, "\n");
	ssize_t written = write(STDERR_FILENO, line.text, line.len);
	(void)written;
	struct pulse *pulse = crash_pulse(context);
	if (pulse) {
		atomic_store_explicit(&pulse->refused_call, number, memory_order_relaxed);
		atomic_fetch_add_explicit(&pulse->refused, 1, memory_order_relaxed);
	}
	errno = saved;
	set_result(context, -EPERM);
}

void settle_tell_refusals(void) {
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_RESTART };
	action.sa_sigaction = handle_refused;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSYS, &action, NULL);
}
