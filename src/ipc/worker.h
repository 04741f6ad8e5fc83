/* SPDX-License-Identifier: MIT */
#ifndef IPC_WORKER_H
#define IPC_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/channel.h"
#include "ipc/pulse.h"
#include "ipc/reason.h"
#include "ipc/said.h"

struct crash;
struct sd_event;
struct worker;

enum {
	WORKER_CHANNEL_FD = 3,      /* where exec leaves the channel */
	WORKER_START_MS = 5000,     /* until START must have come */
	WORKER_LOOP_LIMIT_MS = 500, /* the handling of one wake-up, unless announced longer */
	WORKER_OVERDUE_EXIT = 70,
	/* A supervisor that takes nothing for so long: one that died is followed by
	 * another within a second, and even one that hangs within five. */
	WORKER_PATIENCE_MS = 10000,
};

struct obey_order;
struct worker;

struct worker_class {
	enum ipc_peer kind;
	/* START has come: worker->id, session and pulse are set. A negative
	 * error ends the worker with that detail. May be NULL. */
	int (*start)(struct worker *worker);
	/* Every other message of the supervisor but STOP, POKE and WHO. */
	void (*message)(struct worker *worker, struct ipc_message *message, struct ipc_fds *fds);
	/* The end has come (STOP, or worker_end()); tell peers, flush. The process
	 * leaves when worker_leave() is called or the grace is over. NULL: at once. */
	void (*stop)(struct worker *worker, uint32_t reason);
	bool to_the_end; /* messages are handled after STOP as well: its end needs answers */
	/* Another supervisor has taken over: say again what the newest of each lasting
	 * kind (ipc_kind_lasts()) does not tell. May be NULL. */
	void (*asked)(struct worker *worker);
	/* What only this kind can be told in a build that obeys; NULL or ended by a row
	 * without a name. */
	const struct obey_order *orders;
};

/* The frame of every worker process: its loop, the channel to the supervisor on
 * fd 3, its pulse, its start and end lines in the log. One per process, on the
 * main thread. */
struct worker {
	const struct worker_class *class;
	struct sd_event *event;        /* owned */
	struct channel channel;        /* to the supervisor */
	struct said said;              /* what a successor of the supervisor hears again */
	uint32_t heard;                /* orders: all but START, STOP, POKE and WHO */
	struct pulse *pulse;           /* the shared page from START on, a private one before */
	struct crash *crash;           /* what happens then; lives as long as the process */
	struct sd_event_source *grace; /* owned */
	struct sd_event_source *sources[4]; /* owned: signals, pre and post hooks */
	uint32_t id;
	uint64_t session;
	char name[32];
	uint64_t begun_ns, woken_ns;
	bool started, ending;
	uint32_t reason; /* of the end */
	char detail[200];
	void *user; /* borrowed: the process's own struct */
};

/* Takes over fd 3, says hello and prepares the loop; user is for the class's
 * functions. Signals: SIGTERM ends the worker, SIGINT and SIGPIPE are ignored. */
int worker_open(struct worker *worker, const struct worker_class *class, void *user) NODISCARD;

/* Runs the loop until the end and returns the exit status. The caller leaves by
 * _exit(), so that no library's exit handler can hang. */
int worker_run(struct worker *worker);

/* For a process whose main loop is another one (the desktop): handles what is
 * ready without waiting. Returns false when the worker has ended. */
bool worker_dispatch(struct worker *worker);

/* Call around waiting in a foreign loop, so that the pulse shows it. */
void worker_will_wait(struct worker *worker);
void worker_has_woken(struct worker *worker);

/* Something that the session will feel; the supervisor decides. */
void worker_fail(struct worker *worker, enum reason reason, const char *detail, ...)
		__attribute__((format(printf, 3, 4)));

/* Begins the end from inside, for the reason given. */
void worker_end(struct worker *worker, enum reason reason, const char *detail, ...)
		__attribute__((format(printf, 3, 4)));

/* The end is reached: reports STOPPED and makes worker_run() return. */
void worker_leave(struct worker *worker);

/* Sends to the supervisor, which may be a later one by the time it reads. */
void worker_post(struct worker *worker, const struct ipc_message *message, const int *fds,
		size_t n_fds);

#endif
