/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_HOLD_INSIDE_H
#define SUPERVISOR_HOLD_INSIDE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"
#include "ipc/channel.h"

/* Between hold.c, the holder's loop, hold_held.c, what lies with it, hold_start.c, how it
 * starts a perigeed and of which version, and hold_fence.c, what it does with a sick one. Nobody
 * else includes this. */

struct sd_event_source;

enum {
	HELD_MAX = 8192,         /* a session of one viewer takes about 30 */
	EXITS_MAX = 512,         /* reports that wait for a new perigeed */
	FIRST_ANSWER_MS = 15000, /* it reads and opens what it needs before it listens */
};

enum phase {
	PHASE_RUNS,  /* perigeed lives */
	PHASE_WAITS, /* for the next start */
	PHASE_STOPS, /* perigeed was told to end */
	PHASE_TERMS, /* perigeed is done: its orphans may end */
	PHASE_KILLS, /* they must */
};

struct held {
	char name[48];
	int fd; /* owned */
};

struct exited {
	pid_t pid;
	int status;
};

/* How the newest perigeed that ended did so. */
struct hold_died {
	pid_t pid; /* 0: none has */
	int status;
	bool fenced, crashed; /* fenced: it was stopped, by us or by itself */
	bool told;            /* the next one knows all of this */
	uint8_t evidence;     /* enum incident_evidence */
	uint32_t reason;
	char detail[160];
	char entry[96]; /* "" when nobody has looked at it */
};

struct hold {
	struct sd_event *event; /* owned */
	struct channel channel;
	struct sd_event_source
			*timer;      /* owned: the deadline of the phase, or of a closed channel */
	struct sd_event_source *ask; /* owned: when perigeed is asked next */
	struct sd_event_source *child, *post, *signals[3]; /* owned */
	char **argv;                                       /* borrowed */
	char path[PATH_MAX];
	enum phase phase;
	pid_t perigeed; /* 0 when none runs */
	uint64_t ready_ns;
	bool ever_ready, ready, giving, overdue;
	uint32_t asked, answered,
			answered_before;       /* questions, newest answers: now and a look ago */
	uint64_t silent_since_ms, ask_late_ms; /* a look after this one is late */
	unsigned deaths;                       /* in a row */
	int code;
	uint32_t version; /* of perigeed: 1, until there was an upgrade */
	uint32_t next;    /* the one that perigeed leaves for; 0: none */
	uint32_t back; /* the one from before, until this one is ready; 0: no upgrade is on its way
			*/
	uint32_t failed;   /* the one that was not ready; 0: none */
	uint32_t limit_ms; /* until it must be ready */
	char failure[160]; /* how that ended */
	size_t n_held, given, n_exits;
	struct hold_died died;
	void (*ended)(struct hold *hold, int status); /* perigeed is gone, or fenced for good */
	pid_t corpse, autopsy;                        /* 0: none */
	pid_t looked_at;                              /* by the autopsy */
	uint64_t fenced_ns;
	struct sd_event_source *check, *look_overdue; /* owned */
	struct held held[HELD_MAX];
	struct exited exits[EXITS_MAX];
};

/* ---- hold_held.c ---- */

void hold_release(struct hold *hold);

/* Reports wait here until perigeed has its descriptors and takes them. */
void hold_note_exit(struct hold *hold, pid_t pid, int status);

/* Gives perigeed what it does not have yet, as fast as it takes it. */
void hold_give(struct hold *hold);
void hold_begin_giving(struct hold *hold);

/* -1 when nothing of that name lies here. Borrowed. */
int hold_find(const struct hold *hold, const char *name);

void hold_handle_put(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds);
void hold_handle_drop(struct hold *hold, struct ipc_message *message, struct ipc_fds *fds);

/* ---- hold_fence.c ---- */

/* perigeed answers nothing any more: it is stopped for good, and `ended` is called when it
 * stands still, within FENCE_STOP_MS; then somebody looks at it. */
void hold_fence_hung(struct hold *hold, uint64_t silent_ms);

/* perigeed has stopped: if it crashed, the same happens. */
void hold_note_stopped(struct hold *hold);
bool hold_is_fencing(const struct hold *hold);

/* perigeed was reaped. */
void hold_note_death(struct hold *hold, int status);

/* False when it was neither the corpse nor who looks at it. */
bool hold_fence_reaped(struct hold *hold, pid_t pid, int status);

/* Nobody waits for what is still to be seen of it. */
void hold_end_corpse(struct hold *hold);

/* ---- hold_start.c ---- */

/* Looks in the folders of --libexec (separated by colons), then beside us. */
void hold_find_perigeed(struct hold *hold);

/* A channel, and perigeed at its other end: the version's own file if that lies here, else
 * what has its name by now. -errno. */
int hold_start(struct hold *hold, const struct channel_events *events) NODISCARD;

#endif
