/* SPDX-License-Identifier: MIT */

/* perigee-autopsy: looks at a process from outside and writes down what it finds, into a
 * folder of its own below the evidence folder. The supervisor starts it for each
 * incident and never waits for it; `perigee evidence take` starts it for healthy
 * processes. It may trace the host's workers and nothing else of the host: no channel, no
 * socket, no key. What it reads was written by a process that may have been taken over,
 * so every length is bounded, and it ends by itself after five seconds. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "autopsy/core.h"
#include "autopsy/folder.h"
#include "autopsy/lines.h"
#include "autopsy/maps.h"
#include "autopsy/proc.h"
#include "autopsy/report.h"
#include "autopsy/subject.h"
#include "autopsy/target.h"
#include "autopsy/unwind.h"
#include "autopsy/weigh.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/text.h"
#include "ipc/weight.h"

enum {
	AUTOPSY_SECONDS = 5,
	SECRETS_MAX = 4096, /* bytes */
	EXIT_USAGE = 2,
	EXIT_INCOMPLETE = 3,
	NAMES_TRIED = 10,
};

struct autopsy {
	struct subject subject;
	const char *folder, *entry, *log;
	int64_t pid, was, pulse_fd, lines_fd, secrets_fd, keep, megabytes, core_megabytes;
	int incident;    /* owned: the folder written to */
	bool incomplete; /* a file could not be written */
	struct findings findings;
	struct target *target; /* owned */
	uint8_t secrets[SECRETS_MAX];
	size_t n_secrets;
};

enum option_form {
	OPTION_TEXT,
	OPTION_NUMBER,
	OPTION_FLAG,
};

struct option_row {
	const char *name;
	enum option_form form;
	size_t offset;
};

#define SUBJECT(member) offsetof(struct autopsy, subject.member)

static const struct option_row rows[] = {
	{ "--kind", OPTION_TEXT, SUBJECT(kind) },
	{ "--worker", OPTION_TEXT, SUBJECT(worker) },
	{ "--session", OPTION_TEXT, SUBJECT(session) },
	{ "--name", OPTION_TEXT, SUBJECT(name) },
	{ "--incident", OPTION_TEXT, SUBJECT(incident) },
	{ "--what", OPTION_TEXT, SUBJECT(what) },
	{ "--reason", OPTION_TEXT, SUBJECT(reason) },
	{ "--detail", OPTION_TEXT, SUBJECT(detail) },
	{ "--done", OPTION_TEXT, SUBJECT(done) },
	{ "--group", OPTION_TEXT, SUBJECT(group) },
	{ "--live", OPTION_FLAG, SUBJECT(live) },
	{ "--keyless", OPTION_FLAG, SUBJECT(keyless) },
	{ "--folder", OPTION_TEXT, offsetof(struct autopsy, folder) },
	{ "--entry", OPTION_TEXT, offsetof(struct autopsy, entry) },
	{ "--log", OPTION_TEXT, offsetof(struct autopsy, log) },
	{ "--pid", OPTION_NUMBER, offsetof(struct autopsy, pid) },
	{ "--was", OPTION_NUMBER, offsetof(struct autopsy, was) },
	{ "--pulse-fd", OPTION_NUMBER, offsetof(struct autopsy, pulse_fd) },
	{ "--lines-fd", OPTION_NUMBER, offsetof(struct autopsy, lines_fd) },
	{ "--secrets-fd", OPTION_NUMBER, offsetof(struct autopsy, secrets_fd) },
	{ "--keep", OPTION_NUMBER, offsetof(struct autopsy, keep) },
	{ "--megabytes", OPTION_NUMBER, offsetof(struct autopsy, megabytes) },
	{ "--core-megabytes", OPTION_NUMBER, offsetof(struct autopsy, core_megabytes) },
};

static const struct option_row *find_row(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

static int parse(char **argv, struct autopsy *out) {
	for (char **at = argv + 1; *at; at++) {
		const struct option_row *row = find_row(*at);
		void *value = row ? (char *)out + row->offset : NULL;
		if (!row || (row->form != OPTION_FLAG && !at[1])) {
			return -EINVAL;
		}
		if (row->form == OPTION_FLAG) {
			*(bool *)value = true;
			continue;
		}
		at++;
		if (row->form == OPTION_TEXT) {
			*(const char **)value = *at;
		} else if (number_parse(*at, strlen(*at), 0, INT32_MAX, (int64_t *)value) < 0) {
			return -EINVAL;
		}
	}
	out->subject.pid = (pid_t)out->pid;
	out->subject.was = (pid_t)(out->pid ? out->pid : out->was);
	return out->folder ? 0 : -EINVAL;
}

/* YYYYmmdd-HHMMSS-kind-pid-reason, unless the caller chose; another one in the same
 * second gets a number. */
static void choose_name(const struct autopsy *autopsy, unsigned again, char *out, size_t size) {
	if (autopsy->entry) {
		text_copy(out, size, autopsy->entry);
		return;
	}
	time_t now = time(NULL);
	struct tm local;
	char when[20], number[12] = "";
	localtime_r(&now, &local);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &local);
	if (again > 0) {
		text_format(number, sizeof(number), ".%u", again + 1);
	}
	text_format(out, size, "%s-%s-%d%s-%s", when, autopsy->subject.kind, autopsy->subject.pid,
			number, autopsy->subject.live ? "snapshot" : autopsy->subject.reason);
}

static int open_incident(struct autopsy *autopsy, char *name, size_t size) {
	OWN(fd_close) int folder = folder_open(autopsy->folder);
	if (folder < 0) {
		return folder;
	}
	int rc = folder_rotate(folder, autopsy->subject.live ? "-snapshot" : NULL,
			(unsigned)autopsy->keep, (uint64_t)autopsy->megabytes << 20);
	for (unsigned again = 0; rc == 0 && again < NAMES_TRIED; again++) {
		choose_name(autopsy, again, name, size);
		rc = folder_add(folder, name);
		if (rc != -EEXIST) {
			break;
		}
		rc = again + 1 < NAMES_TRIED ? 0 : rc;
	}
	if (rc >= 0) {
		autopsy->incident = rc;
	}
	return rc < 0 ? rc : 0;
}

/* A full disk shows only when the last byte is written. */
static void close_file(struct autopsy *autopsy, const char *name, FILE *file) {
	bool well = file && !ferror(file);
	int error = errno;
	if (file && fclose(file) != 0) {
		well = false;
		error = errno;
	}
	if (!well) {
		autopsy->incomplete = true;
		log_warning("evidence-incomplete", "file=%s error=%s", name,
				log_quote(strerror(error)).text);
	}
}

/* Writes one file by a call, and says when it could not be. */
#define WRITE(autopsy, name, file, call) \
	do { \
		FILE *file = folder_file((autopsy)->incident, name); \
		if (file) { \
			call; \
		} \
		close_file(autopsy, name, file); \
	} while (0)

/* By the descriptor that the supervisor gave, else where the process has it mapped. */
static void read_pulse(struct autopsy *autopsy) {
	struct pulse *pulse = &autopsy->findings.pulse;
	struct maps maps = { 0 };
	if (autopsy->pulse_fd) {
		autopsy->findings.has_pulse = pread((int)autopsy->pulse_fd, pulse, sizeof(*pulse),
							      0) == sizeof(*pulse);
	} else if (autopsy->target && maps_read(autopsy->subject.pid, &maps) == 0) {
		for (size_t i = 0; i < maps.count && !autopsy->findings.has_pulse; i++) {
			autopsy->findings.has_pulse =
					strncmp(maps.list[i].path, "/memfd:pulse", 12) == 0 &&
					target_read(autopsy->target, maps.list[i].begin, pulse,
							sizeof(*pulse)) == sizeof(*pulse);
		}
		maps_finish(&maps);
	}
}

static void read_state(struct autopsy *autopsy) {
	char path[40], line[128];
	text_format(path, sizeof(path), "/proc/%d/status", autopsy->subject.pid);
	OWN(file_close) FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "State:\t", 7) == 0) {
			text_format(autopsy->findings.state, sizeof(autopsy->findings.state),
					"%.*s", (int)strcspn(line + 7, "\n"), line + 7);
		}
	}
}

static void take(struct autopsy *autopsy) {
	struct findings *findings = &autopsy->findings;
	read_state(autopsy);
	autopsy->target = target_create(autopsy->subject.pid);
	target_take(autopsy->target, autopsy->subject.live);
	findings->threads = (unsigned)autopsy->target->count;
	findings->threads_stopped = (unsigned)autopsy->target->stopped;
	findings->held_us = autopsy->target->held_ns / NS_PER_US;
	findings->trace_error = autopsy->target->stopped ? 0 : autopsy->target->error;
}

static void write_lines(struct autopsy *autopsy, FILE *file) {
	OWN(fd_close) int fd = -1;
	pid_t pid = 0;
	if (!autopsy->lines_fd && autopsy->log) {
		fd = open(autopsy->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		pid = autopsy->subject.was;
	}
	size_t count = lines_copy(fd >= 0 ? fd : (int)autopsy->lines_fd, pid, file);
	text_format(autopsy->findings.lines, sizeof(autopsy->findings.lines),
			"the last %zu lines of it are in log.txt", count);
}

static void write_core(struct autopsy *autopsy, FILE *file) {
	struct core_options options = {
		.size_max = (size_t)autopsy->core_megabytes << 20,
		.heap = autopsy->subject.keyless,
		.secrets = autopsy->secrets,
		.n_secrets = autopsy->n_secrets,
	};
	struct core_result result = { 0 };
	int rc = core_write(autopsy->target, &options, fileno(file), &result);
	autopsy->incomplete |= rc < 0;
	text_format(autopsy->findings.core, sizeof(autopsy->findings.core),
			"%s%zu KiB; %zu mappings left out as secret, %zu for size%s",
			rc < 0 ? "cut off at " : "", result.written >> 10, result.left_out_secret,
			result.left_out_size,
			options.heap ? "" : "; no heap, for this kind holds keys");
}

static void write_summary(struct autopsy *autopsy) {
	WRITE(autopsy, "summary.txt", file,
			report_write_summary(&autopsy->subject, &autopsy->findings, file));
}

static void write_backtrace(struct autopsy *autopsy, FILE *file) {
	struct unwind_place place;
	unwind_write(autopsy->target, file, &place);
	text_copy(autopsy->findings.place, sizeof(autopsy->findings.place), place.text);
}

/* What is lost first comes first; what takes long comes last. */
static void look(struct autopsy *autopsy) {
	pid_t pid = autopsy->subject.pid;
	bool there = pid > 0;
	if (there) {
		take(autopsy);
	}
	read_pulse(autopsy);
	autopsy->findings.oom_kills = proc_oom_kills(autopsy->subject.group);
	write_summary(autopsy);
	/* What follows may take its time, for others are starting a successor; but on a busy
	 * machine, too, it must be over in five seconds. */
	setpriority(PRIO_PROCESS, 0, 5);
	WRITE(autopsy, "pulse.txt", file,
			report_write_pulse(&autopsy->findings, autopsy->subject.kind, file));
	WRITE(autopsy, "log.txt", file, write_lines(autopsy, file));
	if (there) {
		WRITE(autopsy, "threads.txt", file, proc_write_threads(pid, file));
		WRITE(autopsy, "backtrace.txt", file, write_backtrace(autopsy, file));
		WRITE(autopsy, "fds.txt", file, proc_write_fds(pid, file));
		WRITE(autopsy, "process.txt", file, proc_write_process(pid, file));
	}
	WRITE(autopsy, "machine.txt", file, proc_write_machine(autopsy->subject.group, file));
	if (there && !autopsy->subject.live && autopsy->core_megabytes > 0 &&
			autopsy->target->stopped > 0) {
		write_summary(autopsy);
		WRITE(autopsy, "core", file, write_core(autopsy, file));
	}
	autopsy->findings.complete = !autopsy->incomplete;
	write_summary(autopsy);
}

static void read_secrets(struct autopsy *autopsy) {
	if (autopsy->secrets_fd) {
		ssize_t len = pread((int)autopsy->secrets_fd, autopsy->secrets,
				sizeof(autopsy->secrets), 0);
		autopsy->n_secrets = len > 0 ? (size_t)len / 16 : 0;
	}
}

/* Another errand: what processes take. */
static int weigh_only(void) {
	alarm(AUTOPSY_SECONDS);
	int rc = weigh_all(WEIGHT_FD);
	if (rc < 0) {
		log_error("weigh-failed", "error=%s", log_quote(strerror(-rc)).text);
	}
	return rc < 0;
}

int main(int argc, char **argv) {
	if (argc == 2 && strcmp(argv[1], "--weigh") == 0) {
		return weigh_only();
	}
	static const struct subject nobody = { .kind = "process",
		.worker = "0",
		.session = "",
		.name = "",
		.incident = "",
		.what = "asked",
		.reason = "none",
		.detail = "",
		.done = "nothing" };
	struct autopsy autopsy = { .subject = nobody,
		.incident = -1,
		.keep = 64,
		.megabytes = 512,
		.core_megabytes = 32 };
	if (parse(argv, &autopsy) < 0) {
		log_error("autopsy-arguments", "");
		return EXIT_USAGE;
	}
	alarm(AUTOPSY_SECONDS);
	struct rlimit no_core = { 0, 0 };
	setrlimit(RLIMIT_CORE, &no_core);
	char name[FOLDER_NAME_MAX];
	uint64_t begun_ns = clock_now_ns();
	int rc = open_incident(&autopsy, name, sizeof(name));
	if (rc < 0) {
		log_error("evidence-failed", "folder=%s error=%s", log_quote(autopsy.folder).text,
				log_quote(strerror(-rc)).text);
		return 1;
	}
	read_secrets(&autopsy);
	look(&autopsy);
	explicit_bzero(autopsy.secrets, sizeof(autopsy.secrets));
	log_info("evidence-written", "entry=%s took_ms=%llu held_us=%llu", name,
			(unsigned long long)((clock_now_ns() - begun_ns) / NS_PER_MS),
			(unsigned long long)autopsy.findings.held_us);
	if (autopsy.subject.live) {
		printf("%s\t%llu\n", name, (unsigned long long)autopsy.findings.held_us);
	}
	target_destroy(autopsy.target);
	fd_close(autopsy.incident);
	return autopsy.incomplete ? EXIT_INCOMPLETE : 0;
}
