/* SPDX-License-Identifier: MIT */

/* perigeed: the supervisor. See supervisor.h for what it does and what it must
 * never do; here it is put together and taken apart. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/spawning.h"
#include "base/text.h"
#include "base/version.h"
#include "supervisor/adopt.h"
#include "supervisor/claim.h"
#include "supervisor/groups.h"
#include "supervisor/own_log.h"
#include "supervisor/pads.h"
#include "supervisor/process.h"
#include "supervisor/record.h"
#include "supervisor/reload.h"
#include "supervisor/services.h"
#include "supervisor/session.h"
#include "supervisor/session_app.h"
#include "supervisor/strangers.h"
#include "supervisor/succession.h"
#include "supervisor/supervisor.h"
#include "supervisor/upgrade_check.h"

enum {
	BANNER_MS = 1800, /* a person wants to see something within 2 s */
	FILES_WANTED = 65536,
};

static int handle_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *user) {
	(void)source;
	log_info("signal", "number=%u", info->ssi_signo);
	supervisor_stop((struct supervisor *)user);
	return 0;
}

static int handle_banner(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	supervisor_check_banner((struct supervisor *)user, true);
	return 0;
}

static void handle_exited(void *user, pid_t pid, int status) {
	struct supervisor *supervisor = (struct supervisor *)user;
	if (!nursery_reaped(&supervisor->nursery, pid, status)) {
		log_warning("orphan-exited", "pid=%d status=%d", (int)pid, status);
		session_app_reaped(supervisor, (uint32_t)pid, status);
	}
}

static void handle_died(void *user, const struct ipc_message *message) {
	succession_died((struct supervisor *)user, message);
}

static void handle_holder_closed(void *user, int error) {
	log_error("holder-gone", "error=%d", error);
	supervisor_stop((struct supervisor *)user);
}

static const struct keep_events keep_events = {
	.exited = handle_exited,
	.died = handle_died,
	.closed = handle_holder_closed,
};

static int open_loop(struct supervisor *supervisor) {
	int rc = sd_event_new(&supervisor->event);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (rc >= 0) {
		rc = sd_event_add_signal(supervisor->event, &supervisor->sources[0], SIGTERM,
				handle_signal, supervisor);
	}
	if (rc >= 0) {
		rc = sd_event_add_signal(supervisor->event, &supervisor->sources[1], SIGINT,
				handle_signal, supervisor);
	}
	if (rc >= 0) {
		rc = keep_open(&supervisor->keep, supervisor->event, &keep_events, supervisor);
	}
	return rc;
}

static void raise_limits(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES_WANTED) {
		limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Leftovers of a run that was killed: nothing of a session outlives it. */
static void sweep(const struct paths *paths) {
	paths_remove_matching(paths->runtime, "s-", NULL, NULL);
	pads_sweep(paths, NULL, NULL);
}

/* Programs in a folder that is closed to the workers' user would all fail alike. */
static int check_programs(struct supervisor *supervisor, struct config_text *error) {
	const char *libexec = supervisor->config.libexec;
	libexec = libexec ? libexec : PERIGEE_LIBEXEC;
	char program[256] = "";
	int rc = versions_begin(supervisor, libexec);
	if (rc == 0) {
		rc = programs_path(supervisor->versions.current, "perigee-gate", program,
				sizeof(program));
	}
	if (rc < 0) {
		text_format(error->text, sizeof(error->text),
				"perigee's programs are not installed in %s (%s); --libexec says "
				"where they are",
				libexec, strerror(-rc));
		return rc;
	}
	if (supervisor->paths.is_root && !paths_are_open(&supervisor->paths, program)) {
		text_format(error->text, sizeof(error->text),
				"the user who runs workers and apps (uid %u) cannot enter the "
				"folders above %s: install Perigee elsewhere, or name another "
				"with --user",
				supervisor->paths.uid, program);
		return -EACCES;
	}
	return 0;
}

/* A predecessor's: whoever connects meanwhile waits in their queues. */
static bool take_sockets(struct supervisor *supervisor) {
	bool all = true;
	for (int door = 0; door < DOORS; door++) {
		supervisor->sockets.fd[door] = keep_take(&supervisor->keep, "door%d", door);
		all &= supervisor->sockets.fd[door] >= 0;
	}
	for (int door = 0; door < DOORS && !all; door++) {
		fd_release(&supervisor->sockets.fd[door]);
	}
	return all;
}

/* The ledger of a predecessor, if there is one and this release can read it. */
static bool take_ledger(struct supervisor *supervisor) {
	OWN(fd_close) int fd = keep_take(&supervisor->keep, "ledger");
	int rc = fd < 0 ? fd : ledger_open(fd, &supervisor->ledger);
	if (rc < 0 && fd >= 0) {
		log_error("ledger-unreadable", "error=%s", log_quote(strerror(-rc)).text);
	}
	if (rc == 0) {
		fd = -1;
	}
	return rc == 0;
}

/* What a predecessor had taken by a reload. */
static void take_reloaded(struct supervisor *supervisor) {
	OWN(fd_close) int fd = keep_take(&supervisor->keep, "config-live");
	char path[32], applied[512], restart[512];
	struct config fresh;
	struct config_text error;
	text_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0 && config_load_copy(path, supervisor->argc, supervisor->argv, &fresh, &error) ==
					0) {
		reload_take(&supervisor->config, &fresh, applied, sizeof(applied), restart,
				sizeof(restart));
		config_finish(&fresh);
	}
}

static int prepare(
		struct supervisor *supervisor, int argc, char **argv, struct config_text *error) {
	char copy[32] = "";
	supervisor->taken = take_ledger(supervisor);
	OWN(fd_close) int file = keep_take(&supervisor->keep, "config");
	if (file >= 0) {
		text_format(copy, sizeof(copy), "/proc/self/fd/%d", file);
	}
	int rc = config_load_copy(file >= 0 ? copy : NULL, argc, argv, &supervisor->config, error);
	if (rc < 0) {
		return rc;
	}
	take_reloaded(supervisor);
	if (supervisor->config.only_check) {
		printf("%s: no mistake was found.\n",
				supervisor->config.file ? supervisor->config.file
							: "No perigee.yaml, the defaults");
		return -ECANCELED;
	}
	enum log_level level = LOG_LEVEL_INFO;
	if (supervisor->config.log_level) {
		(void)!log_level_parse(supervisor->config.log_level, &level); /* was checked */
	}
	log_set_level(level);
	supervisor->nursery.log_level = (uint8_t)level;
	rc = paths_settle(&supervisor->config, &supervisor->paths, error);
	if (rc == 0) {
		rc = claim_state(supervisor->paths.state, keep_take(&supervisor->keep, "state"),
				&supervisor->state_fd, error);
	}
	if (rc == 0) {
		rc = check_programs(supervisor, error);
	}
	if (rc == 0 && !supervisor->taken && supervisor->state_fd >= 0) {
		strangers_sweep(&supervisor->paths); /* they may still hold our ports */
	}
	if (rc == 0 && !take_sockets(supervisor)) {
		rc = sockets_open(&supervisor->config, &supervisor->paths, &supervisor->sockets,
				error);
	}
	if (rc < 0 && supervisor->paths.runtime[0] && !supervisor->taken) {
		paths_remove_empty(supervisor->paths.runtime);
	}
	return rc;
}

/* The keys that no evidence may show. */
static size_t list_secrets(void *user, uint8_t *out, size_t size) {
	const struct supervisor *supervisor = (const struct supervisor *)user;
	size_t used = 0;
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		const struct secret *key = &at->launch.launch.key;
		if (used + sizeof(key->bytes) <= size) {
			memcpy(out + used, key->bytes, sizeof(key->bytes));
			used += sizeof(key->bytes);
		}
	}
	return used;
}

static bool find_group(void *user, uint64_t session, char *out, size_t size) {
	const struct cgroups *cgroups = &((const struct supervisor *)user)->cgroups;
	return cgroup_path(cgroups, session, cgroups->version == 2 ? CGROUP_CPU : CGROUP_MEMORY,
			out, size);
}

static int open_evidence(struct supervisor *supervisor) {
	const struct config *config = &supervisor->config;
	struct evidence *evidence = &supervisor->evidence;
	evidence->nursery = &supervisor->nursery;
	evidence->secrets = list_secrets;
	evidence->group = find_group;
	evidence->user = supervisor;
	evidence->keep = config->evidence.incidents;
	evidence->megabytes = config->evidence.megabytes;
	evidence->core_megabytes = config->evidence.core_megabytes;
	evidence->snapshots = config->evidence.hourly;
	evidence->snapshot_s = EVIDENCE_SNAPSHOT_S;
	evidence->snapshots_kept = config->evidence.snapshots_kept;
	evidence->keep_hung = config->keep_hung;
	text_format(evidence->folder, sizeof(evidence->folder), "%s/evidence",
			supervisor->paths.state);
	/* Empty, it says whose it is; what is wrong with it an autopsy says. */
	(void)!mkdir(evidence->folder, 0700);
	evidence->log = supervisor->paths.log;
	supervisor->nursery.evidence = evidence;
	return evidence_open(evidence);
}

static void handle_corpse_gone(void *user) {
	groups_sweep((struct supervisor *)user);
	supervisor_check_end((struct supervisor *)user);
}

/* What is hidden from a worker must be there before it starts. */
static int prepare_confinement(struct supervisor *supervisor) {
	const struct paths *paths = &supervisor->paths;
	confine_support_look(&supervisor->confinement);
	supervisor->nursery.veils = supervisor->confinement.veils;
	if (supervisor->confinement.missing[0]) {
		log_warning("confinement-incomplete", "detail=%s",
				log_quote(supervisor->confinement.missing).text);
	}
	groups_open(supervisor);
	char homes[CONFIG_PATH_MAX + 8];
	text_format(homes, sizeof(homes), "%s/homes", paths->data);
	return paths_make(homes, paths->uid, paths->gid);
}

static int take_keys(struct supervisor *supervisor) {
	OWN(fd_close) int fd = keep_take(&supervisor->keep, "used-keys");
	if (fd >= 0 && keys_open(fd, &supervisor->keys) == 0) {
		fd = -1;
		return 0;
	}
	return keys_create(&supervisor->keys);
}

/* As the first, or instead of one that died. */
static int settle(struct supervisor *supervisor) {
	if (supervisor->taken) {
		int rc = record_resume(supervisor);
		return rc < 0 ? rc : adopt_all(supervisor);
	}
	keep_settle(&supervisor->keep);
	sweep(&supervisor->paths);
	return record_begin(supervisor);
}

static void init_nursery(struct supervisor *supervisor) {
	struct nursery *nursery = &supervisor->nursery;
	nursery->corpse_gone = handle_corpse_gone;
	nursery->user = supervisor;
	nursery->event = supervisor->event;
	nursery->journal = &supervisor->journal;
	nursery->versions = &supervisor->versions;
	nursery->libexec = supervisor->versions.current->folders;
	nursery->paths = &supervisor->paths;
	nursery->uid = supervisor->paths.is_root ? supervisor->paths.uid : 0;
	nursery->gid = supervisor->paths.is_root ? supervisor->paths.gid : 0;
}

static int begin(struct supervisor *supervisor) {
	init_nursery(supervisor);
	apps_settle(&supervisor->apps, &supervisor->config, supervisor->nursery.libexec);
	int rc = own_log_open(supervisor);
	if (rc >= 0) {
		rc = prepare_confinement(supervisor);
	}
	if (rc >= 0) {
		rc = take_keys(supervisor);
	}
	if (rc >= 0) {
		rc = nursery_open(&supervisor->nursery);
	}
	if (rc >= 0) {
		rc = open_evidence(supervisor);
	}
	if (rc >= 0) {
		rc = weigh_begin(supervisor);
	}
	if (rc >= 0) {
		rc = strangers_begin(supervisor);
	}
	if (rc >= 0) {
		rc = health_open(supervisor);
	}
	if (rc >= 0) {
		rc = settle(supervisor);
	}
	if (rc >= 0) {
		succession_prepare(supervisor);
	}
	if (rc >= 0) {
		rc = services_start(supervisor);
	}
	if (rc >= 0) {
		rc = sd_event_add_time_relative(supervisor->event, NULL, CLOCK_MONOTONIC,
				BANNER_MS * US_PER_MS, 10 * US_PER_MS, handle_banner, supervisor);
	}
	return rc;
}

static void quit_holder(struct supervisor *supervisor, int code) {
	if (keep_is_open(&supervisor->keep)) {
		struct ipc_message quit = { .kind = IPC_HOLD_QUIT, .hold_quit.code = code };
		(void)!channel_send_fd(supervisor->keep.holder.fd, &quit, NULL, 0);
	}
}

static void end(struct supervisor *supervisor) {
	health_close(supervisor);
	record_end(supervisor);
	groups_close(supervisor);
	sweep(&supervisor->paths);
	sockets_close(&supervisor->sockets, &supervisor->paths);
	paths_remove_empty(supervisor->paths.runtime);
	log_info("supervisor-end", "code=%d ran_ms=%llu starts=%llu lost=%llu log_dropped=%llu",
			supervisor->exit_code,
			(unsigned long long)(clock_now_ms() - supervisor->begun_ms),
			(unsigned long long)supervisor->nursery.starts,
			(unsigned long long)supervisor->nursery.lost,
			(unsigned long long)supervisor->journal.dropped);
	own_log_drain(supervisor);
	quit_holder(supervisor, supervisor->exit_code);
}

/* What must not be 0 before anything is opened. */
static void init(struct supervisor *supervisor, int argc, char **argv) {
	supervisor->begun_ms = clock_now_ms();
	supervisor->argc = argc;
	supervisor->argv = argv;
	supervisor->deferred.supervisor = supervisor;
	supervisor->journal.fd = supervisor->own_lines_fd = supervisor->terminal_fd = -1;
	supervisor->keys.shm = supervisor->ledger.shm = SHM_NONE;
	supervisor->health.board.shm = SHM_NONE;
	for (int i = 0; i < ART_MAX; i++) {
		supervisor->art[i] = -1;
	}
	upgrade_init(&supervisor->upgrade);
}

int main(int argc, char **argv) {
	if (argc > 2 && strcmp(argv[argc - 2], "--takes-over") == 0) {
		_exit(upgrade_check_answer(argc - 2, argv, argv[argc - 1]));
	}
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	struct config_text error = { "" };
	if (!supervisor) {
		return 1;
	}
	spawn_take_name();
	init(supervisor, argc, argv);
	raise_limits();
	int rc = open_loop(supervisor);
	if (rc >= 0) {
		rc = prepare(supervisor, argc, argv, &error);
	}
	if (rc < 0) {
		int code = rc == -ECANCELED ? 0 : 1;
		if (code) {
			fprintf(stderr, "perigee: %s\n",
					error.text[0] ? error.text : strerror(-rc));
		}
		/* Without a word to the holder: at the first start that is final; after a
		 * death it tries again, for our own old doors may still be going. */
		fflush(NULL);
		_exit(code);
	}
	rc = begin(supervisor);
	if (rc < 0) {
		supervisor_fatal(supervisor,
				"cannot start: %s (are perigee's programs installed in %s?)",
				strerror(-rc), supervisor->nursery.libexec);
	}
	sd_event_loop(supervisor->event);
	if (supervisor->leaving) {
		/* Another version goes on with everything: nothing is taken apart. */
		log_info("supervisor-leaves", "");
		own_log_drain(supervisor);
		_exit(0);
	}
	end(supervisor);
	_exit(supervisor->exit_code);
}
