/* SPDX-License-Identifier: MIT */
#ifndef GATE_CONNECTION_H
#define GATE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/own.h"
#include "gate/budget.h"
#include "gate/deadlines.h"
#include "gate/places.h"
#include "gate/tls.h"
#include "ipc/message.h"
#include "ipc/pulse.h"

/* Stream connections on one loop: accepting, TLS, reading a request, sending one answer,
 * and an absolute deadline for each of these. What the bytes mean is the class's
 * business. Nothing here blocks. Main thread only. */

struct sd_event;
struct sd_event_source;
struct ssl_ctx_st;
struct connection;
struct connections;

enum {
	CONNECTION_HANDSHAKE_MS = 5000,
	CONNECTION_HEAD_MS = 5000, /* the first byte to the end of the head */
	CONNECTION_BODY_MS = 10000,
	CONNECTION_STALL_MS = 10000,  /* a client that takes nothing of its answer */
	CONNECTION_ANSWER_MS = 60000, /* and the whole answer */
	CONNECTION_IDLE_MS = 15000,
	CONNECTION_LINGER_MS = 2000, /* our end is said, the client's is awaited */
	CONNECTION_QUIET_MS = 15000, /* a stream of events without one: time to say so */
	CONNECTION_INPUT_MAX = 64 * 1024,
	CONNECTION_TRACE_SIZE = 20,
	/* Who goes first when several have something to do; smaller is sooner, strangers are 0
	 * (SD_EVENT_PRIORITY_NORMAL). */
	CONNECTION_PRIORITY_MESSAGES = -30,
	CONNECTION_PRIORITY_DEADLINES = -20,
	CONNECTION_PRIORITY_KNOWN = -10, /* and accepting, which finds out who is known */
};

enum connection_phase {
	PHASE_HANDSHAKE,
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_IDLE,
	PHASE_PENDING, /* a handler owes the answer */
	PHASE_WRITE,
	PHASE_STREAM, /* an endless answer, of which all that there is was written */
	PHASE_LINGER,
	PHASES,
};

struct connection_class {
	const char *name;
	bool tls;
	/* The client may say its end of sending before it has its answer. */
	bool half_close;
	/* Looks at connection->in. Answers how many bytes one request took, having called
	 * connection_begin(); -EAGAIN when more must come (and connection_body() was
	 * called once the head is complete); anything else closes. It may answer at
	 * once. */
	int (*receive)(struct connection *connection);
	/* The deadline of connection_begin() has passed: answer now. */
	void (*overdue)(struct connection *connection);
	/* Closed while pending, or streaming; the request's name is void. */
	void (*gone)(struct connection *connection);
	/* Of an endless answer: all was written. Gives more by connection_stream_give() and
	 * answers true, or has nothing now. */
	bool (*more)(struct connection *connection);
};

/* What an answer borrows, counted. */
struct connection_keep {
	unsigned count;
	void (*destroy)(struct connection_keep *keep);
};

static inline void connection_keep_drop(struct connection_keep *keep) {
	if (keep && --keep->count == 0) {
		keep->destroy(keep);
	}
}

struct connection {
	struct connections *pool; /* borrowed */
	const struct connection_class *class;
	uint16_t slot, generation; /* generation rises with every request */
	enum ipc_door door;
	enum connection_phase phase;
	bool open;
	bool peer_ended; /* EPOLLRDHUP was seen */
	bool processing;
	bool keep_alive;
	int fd;                     /* owned */
	struct ssl_st *tls;         /* owned */
	struct sd_event_source *io; /* owned */
	uint32_t wanted;            /* epoll events */
	struct deadline deadline;
	struct address peer, local;
	uint64_t desk; /* of DOOR_DESK, DOOR_HOME */
	uid_t uid;     /* of the process at the other end of a Unix socket */
	bool certified;
	uint8_t fingerprint[32]; /* when certified */
	uint64_t answer_due_us;

	char *in; /* owned; wiped when consumed, it may hold a session key */
	size_t in_len, in_size;
	size_t seen[2]; /* for the class: how far it has looked at this request */

	char *out; /* owned */
	size_t out_len, out_done;
	const void *body; /* borrowed from keep, or constant */
	size_t body_len, body_done;
	struct connection_keep *keep; /* counted */
	bool streaming;               /* the answer has no end: class->more() */

	char trace[CONNECTION_TRACE_SIZE]; /* of the request, for the log */
	uint64_t begun_us;
	/* For the handlers. */
	const char *path; /* a literal: what was asked, without its query */
	bool quiet;       /* not worth a log line each time */
	unsigned awaits;  /* what is pending */
	void *wait;       /* what is needed when it comes: theirs until answered or gone */
};

enum {
	DOOR_DESK = DOORS, /* the socket of one desktop, for the programs on it */
	DOOR_HOME,         /* of one whose program is the launcher */
	LISTENERS_MAX = DOORS + 512,
};

struct listener {
	struct connections *pool; /* borrowed */
	const struct connection_class *class;
	int fd; /* owned */
	enum ipc_door door;
	uint64_t desk;              /* of DOOR_DESK, DOOR_HOME */
	struct budget budget;       /* the same */
	uint64_t resume_us;         /* it accepts nothing until then: its desktop asks too much */
	struct sd_event_source *io; /* owned */
};

struct connections {
	struct sd_event *event; /* borrowed */
	struct pulse **pulse;   /* borrowed: it changes with START */
	struct ssl_ctx_st *tls; /* borrowed; NULL until there is an identity */
	void *user;             /* borrowed, for the classes */
	bool (*trusts)(void *user, struct connection *connection); /* is a paired client */
	struct sd_event_source *timer;                             /* owned */
	uint64_t timer_us;
	struct deadline_list deadlines[PHASES];
	struct listener listeners[LISTENERS_MAX]; /* free where there is no io */
	size_t n_listeners;
	bool listening, full;
	uint64_t resume_us;      /* accepting is paused until then for want of fds */
	uint64_t desk_resume_us; /* the soonest of the listeners' */
	uint64_t refusal_logged_us, refused;
	uint64_t pause_logged_us;
	unsigned pauses; /* of accepting, since they were logged */
	struct places places;
	unsigned peak;       /* most that were open since memory was given back */
	uint64_t trimmed_us; /* when it was */
	struct connection slots[PLACES_MAX];
};

int connections_init(struct connections *pool, struct sd_event *event, struct pulse **pulse,
		void *user) NODISCARD;
void connections_finish(struct connections *pool);

/* Takes fd, also on failure. Accepts from connections_listen() on. */
int connections_add(struct connections *pool, int fd, enum ipc_door door,
		const struct connection_class *class) NODISCARD;
/* The same for a desktop's, instead of the one before. */
int connections_add_desk(struct connections *pool, int fd, uint64_t desk, bool launcher,
		const struct connection_class *class) NODISCARD;
/* It is no more, nor are its connections. */
void connections_drop_desk(struct connections *pool, uint64_t desk);
/* Which there are is about to be said anew: connections stay, listeners go. */
void connections_forget_desks(struct connections *pool);
/* Whether the desktop that the connection comes from may ask for so much now. */
bool connections_spend(const struct connection *connection, uint32_t cost);
static inline bool connection_is_desk(const struct connection *connection) {
	return connection->door >= (enum ipc_door)DOOR_DESK;
}
void connections_listen(struct connections *pool);
/* For the end: closes the listeners; answers end their connections from now on. */
void connections_stop(struct connections *pool);

/* The pending connection that the request named, NULL when it is gone. */
struct connection *connections_find(struct connections *pool, uint32_t request);

/* Closes all whose certificate has this fingerprint. */
void connections_distrust(struct connections *pool, const uint8_t fingerprint[32]);

/* A whole request is here; the answer is due in timeout_ms. Returns its name. */
uint32_t connection_begin(struct connection *connection, uint32_t timeout_ms);
uint32_t connection_request(const struct connection *connection);
/* Awaits something else, or longer. */
void connection_extend(struct connection *connection, uint32_t timeout_ms);

/* The head is complete, its body is not. */
void connection_body(struct connection *connection);

/* Sends the answer: takes out (malloc), borrows body while keep is counted. Without
 * keep_alive the connection ends after it. The connection may be closed on return. */
void connection_answer(struct connection *connection, char *out, size_t out_len, const void *body,
		size_t body_len, struct connection_keep *keep, bool keep_alive);

/* The same for an answer that goes on as class->more() has more, until
 * connection_stream_end(). What the client sends from now on is not read. Its place may be
 * taken away when places are short. The connection may be closed on return. */
void connection_stream_begin(struct connection *connection, char *out, size_t out_len);
/* There is more: asks class->more() if the last was written. */
void connection_stream_wake(struct connection *connection);
/* Between two of these: writes out (malloc), which is not class->more()'s. */
void connection_stream_put(struct connection *connection, char *out, size_t out_len);
/* From class->more(): takes out (malloc). */
void connection_stream_give(struct connection *connection, char *out, size_t out_len);
/* From class->more(), or while nothing is being written: what was given is the last. */
void connection_stream_end(struct connection *connection);

void connection_close(struct connection *connection);

/* ---- between connection.c and connections.c ---- */

/* Sets the timer to the soonest deadline. */
void connections_arm(struct connections *pool);
/* A place is free: accept again if that was what was missing. */
void connections_resume(struct connections *pool);
/* One was closed: after a storm, what it had filled is given back to the system. */
void connections_calm(struct connections *pool);
/* The socket is accepted, its place is taken. */
int connection_start(struct connection *connection) NODISCARD;
/* Its deadline has passed. */
void connection_expire(struct connection *connection);

#endif
