/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CHILD_H
#define SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/shm.h"
#include "ipc/channel.h"
#include "ipc/pulse.h"
#include "supervisor/journal.h"
#include "supervisor/judge.h"

struct cgroups;
struct child;
struct evidence;
struct paths;
struct sd_event;
struct sd_event_source;
struct threads;
struct totals;
struct versions;

enum {
	CHILD_ARGS_MAX = 24,
	CHILD_HELLO_MS = 5000,
	CHILD_WATCH_MS = 100,
	CHILD_STOP_MS = 1000,
	FENCE_STOP_MS = 100,  /* until every thread must be seen to have stopped */
	FENCE_CHECK_MS = 2,   /* between two looks */
	FENCE_GONE_MS = 2000, /* from SIGKILL to written off */
};

/* Why a child is no more, for whoever owns it. */
struct child_end {
	int status;       /* as of waitpid; 0 for one that was fenced or written off */
	uint32_t reason;  /* enum reason: what it said, or what we saw */
	bool expected;    /* it was asked to stop, or said STOPPED orderly */
	bool fenced;      /* it was stopped for good rather than seen to die */
	bool written_off; /* it may still run: what it held must not be trusted or used again */
	char detail[200];
};

struct child_owner {
	/* A message other than HELLO, STOPPED and FAILURE. */
	void (*message)(struct child *child, struct ipc_message *message, struct ipc_fds *fds);
	/* It said that something will be felt; it may go on. May be NULL. */
	void (*failure)(struct child *child, uint32_t reason, const char *detail);
	/* It will never act again: it is reaped, or it is fenced (stopped for good, and
	 * seen to be). Its last words are read. The owner forgets it and may start a
	 * successor at once; what is left of it belongs to the nursery. The one case in
	 * which it may still run is end->written_off. */
	void (*ended)(struct child *child, const struct child_end *end);
};

struct child_spec {
	enum ipc_peer kind;
	const char *program;              /* file name in one of our folders, or an absolute path */
	const char *args[CHILD_ARGS_MAX]; /* after the program, NULL-terminated */
	const char *cwd;                  /* NULL: / */
	const char *const *env;           /* NULL-terminated K=V; NULL: the closed default */
	uint64_t session;
	const char *name;    /* for logs and status */
	const char *confine; /* row of confine_table.c; NULL: the kind's */
	/* What the row's @home, @app and @display are; NULL: none. */
	const char *home, *app, *display;
	int listen_fd; /* handed over as systemd would, 0 for none; no channel then */
	bool no_channel;
	bool die_with_us; /* for what nobody goes on with when the supervisor dies */
	uint32_t view;    /* of the session, 0 for none */
	bool prompt;      /* wants to run soon after waking, for its fair share */
	bool realtime;    /* runs before everybody who is not, where we may say so */
};

/* Who writes down what happens to children (record.h). */
struct nursery_events {
	void (*begun)(struct child *child);   /* it was spawned, or taken over */
	void (*changed)(struct child *child); /* it said or was told something */
	void (*gone)(struct child *child);    /* it is reaped; freed after the call */
	/* I_AM came. missed: it has got orders that its record does not know. */
	void (*answered)(struct child *child, const struct ipc_message *message, bool missed);
};

/* How a child ends. The corpse of a fenced one is looked at before it is killed. */
enum child_phase {
	CHILD_LIVING,
	CHILD_FENCING, /* told to stop, not yet seen to have stopped */
	CHILD_CORPSE,  /* its owner has forgotten it */
};

/* How processes are touched and looked at; tests put others in their place. NULL: really. */
struct fence_hands {
	int (*send)(pid_t pid, int number);
	bool (*is_stopped)(pid_t pid); /* every thread of it */
	int (*look)(pid_t pid, struct threads *out);
};

/* What children need of the supervisor. */
struct nursery {
	struct sd_event *event;          /* borrowed */
	struct journal *journal;         /* borrowed */
	const char *libexec;             /* colon separated folders, borrowed */
	const struct versions *versions; /* borrowed; NULL in tests: programs by their paths */
	const struct paths
			*paths; /* borrowed: what workers are kept to; NULL in tests: to nothing */
	const struct cgroups *cgroups; /* borrowed; NULL in tests: none */
	bool veils;                    /* hide our folders from workers (veil.h) */
	uid_t uid;                     /* of workers; 0: as we are */
	gid_t gid;
	uint8_t log_level;
	uint32_t last_id;
	unsigned count, corpses_count;       /* of the living; of corpses that we wait for */
	struct child *first;                 /* owned list */
	struct child *corpses;               /* owned list */
	const struct fence_hands *hands;     /* borrowed; NULL: the kernel's */
	struct evidence *evidence;           /* borrowed; NULL: nobody looks */
	uint32_t hello_ms;                   /* 0: CHILD_HELLO_MS; tests wait less */
	void (*corpse_gone)(void *user);     /* may be NULL */
	const struct nursery_events *events; /* borrowed; NULL for none */
	void *user;                          /* borrowed, of corpse_gone and the events */
	bool burying;                        /* the end has come: nobody is looked at any more */
	struct sd_event_source *watch;       /* owned */
	uint64_t watched_ns;                 /* last round */
	bool thinned;                        /* somebody was reaped since then */
	uint64_t lost, hung, starts, fenced, written_off, starved;
	uint64_t late;         /* rounds of watching that came late: we were not scheduled */
	struct totals *totals; /* borrowed, NULL: nobody counts */
};

/* What a child has some time for; only that in which it could run counts. */
struct child_term {
	struct sd_event_source *timer; /* owned; NULL: nothing is due */
	struct judge_mark mark;        /* of the timer's last start */
	uint64_t left_ns;              /* until it must have done it */
	uint64_t limit_ns;             /* when it must, whatever kept it */
};

/* One worker process. Created by child_spawn(), freed by itself after `ended`. */
struct child {
	struct nursery *nursery; /* borrowed */
	struct child *next;
	enum ipc_peer kind;
	uint32_t id;
	pid_t pid;
	uint64_t session;
	char name[32];
	struct channel channel;
	struct shm pulse;
	struct sd_event_source *exit, *output, *fence_timer; /* owned */
	int output_fd, pidfd;                                /* owned */
	struct journal_reader reader;
	uint64_t begun_ns;
	struct judge judge;                 /* what watching it remembers */
	struct child_term greeting, ending; /* its hello (or who it is), its end */
	struct judge_mark marks[2]; /* of a sound server, which answers nobody: older, newer */
	uint64_t fenced_ns;         /* when it was told to stop */
	enum child_phase phase;
	bool hello, stopping, killed, reaped, starved, crashed, kept;
	uint32_t view;                 /* of the session, 0 for none */
	uint32_t version;              /* of its program (versions.h); 0 in tests */
	uint32_t orders, orders_asked; /* messages of child_post(), and those before WHO */
	bool adopted;                  /* a predecessor spawned it: the holder reaps it */
	bool exited;                   /* and will report that it has */
	bool recorded;                 /* its record is as it is */
	struct child_end end;
	const struct child_owner *owner; /* borrowed */
	void *user;                      /* borrowed, the owner's */
};

/* Starts watching the children's pulses. */
int nursery_open(struct nursery *nursery) NODISCARD;
void nursery_close(struct nursery *nursery);

/* At the end of everything: corpses are killed at once, and who would be fenced is. */
void nursery_bury(struct nursery *nursery);

/* Spawns perigee-exec with the program behind it. START goes out at once. */
int child_spawn(struct nursery *nursery, const struct child_spec *spec,
		const struct child_owner *owner, void *user, struct child **out) NODISCARD;

/* A child that a predecessor spawned, as its record and the holder have it. */
struct child_left {
	enum ipc_peer kind;
	uint32_t id;
	pid_t pid;
	uint64_t session;
	uint32_t view, version;
	const char *name;
	uint64_t begun_ns;
	uint32_t orders;
	bool hello, stopping, killed;               /* killed: its end has begun */
	int channel_fd, output_fd, pulse_fd, pidfd; /* owned; -1 for none */
};

/* Goes on with it; asks it who it is (WHO). Takes the descriptors, also on failure. */
int child_adopt(struct nursery *nursery, struct child_left *left, const struct child_owner *owner,
		void *user, struct child **out) NODISCARD;

/* The holder has reaped a process; false when it was no child of ours. */
bool nursery_reaped(struct nursery *nursery, pid_t pid, int status);

void child_post(struct child *child, const struct ipc_message *message, const int *fds,
		size_t n_fds);

/* Asks it to stop; SIGKILL follows after grace_ms + a little. Harmless on NULL
 * and when it is stopping already. */
void child_stop(struct child *child, uint32_t reason, uint32_t grace_ms);

/* Stops a sick child for good. `ended` follows from the loop, within FENCE_STOP_MS at the
 * latest; then the corpse is looked at and killed. Harmless on NULL and on one that is
 * fenced or killed already. */
void child_fence(struct child *child, uint32_t reason, const char *detail);

/* True when a sound server was kept from the processors for most of the last one to two
 * seconds: that it delivers nothing says nothing then. */
bool child_is_kept_waiting(struct child *child);

/* SIGKILL now, for one whose end is nobody's fault. reason is what the end will say if
 * nothing else was said. What does not go in FENCE_GONE_MS is written off. */
void child_kill(struct child *child, uint32_t reason, const char *detail);

/* The counters it shows, 0 before it has a page. */
uint64_t child_counter(const struct child *child, unsigned counter);

#endif
