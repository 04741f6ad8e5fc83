/* SPDX-License-Identifier: MIT */
#ifndef IPC_PULSE_H
#define IPC_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

/* The page on which a worker shows that it lives: written only by the loop that
 * does the work, mapped read-only by the supervisor. No helper thread may beat
 * for it. Nothing in it is trusted beyond "this worker says so". */

enum {
	PULSE_LAYOUT = 1,
	PULSE_COUNTERS = 128,
	PULSE_SIZE = 4096,
};

/* The operation in hand. A worker that is in one longer than it announced hangs. */
enum pulse_operation {
	PULSE_IDLE, /* waits in its loop; no limit */
	PULSE_LOOP, /* handles events */
	PULSE_ENCODE,
	PULSE_OPEN_ENCODER,
	PULSE_RENDER,
	PULSE_CONVERT,
	PULSE_SEND,
	PULSE_DATABASE,
	PULSE_SPAWN,
	PULSE_START,
	PULSE_STOP,
	PULSE_OPERATIONS,
};

const char *pulse_operation_name(uint32_t operation);

/* What counters[] means, per kind of worker. Appended, never renumbered. */
enum pulse_counter_desktop {
	PULSE_DESKTOP_PICTURES,
	PULSE_DESKTOP_REPLACED, /* pictures that a newer one replaced before encoding */
	PULSE_DESKTOP_AGAIN,    /* refinements and repeats */
	PULSE_DESKTOP_INPUTS,
	PULSE_DESKTOP_INPUT_NS,     /* sum: datagram read to Wayland event */
	PULSE_DESKTOP_INPUT_MAX_NS, /* the slowest */
	PULSE_DESKTOP_RENDER_NS,
	PULSE_DESKTOP_CONVERT_NS,
	PULSE_DESKTOP_CLIENTS,
	PULSE_DESKTOP_SKIPPED, /* pictures never rendered: nobody was free at their time */
	/* input latency in classes: below 0.1, 0.25, 0.5, 1, 2, 5 ms, more */
	PULSE_DESKTOP_INPUT_CLASSES = 16, /* to 22 */
};

enum pulse_counter_encoder {
	PULSE_ENCODER_PICTURES,
	PULSE_ENCODER_KEYS,
	PULSE_ENCODER_BYTES,
	PULSE_ENCODER_NS,
	PULSE_ENCODER_INVALIDATED,
	PULSE_ENCODER_ASKED,
	PULSE_ENCODER_READERS,
};

enum pulse_counter_stream {
	PULSE_STREAM_PICTURES,
	PULSE_STREAM_PACKETS,
	PULSE_STREAM_BYTES,
	PULSE_STREAM_SOUND,
	PULSE_STREAM_INPUTS,
	PULSE_STREAM_REFUSED, /* control messages that did not decrypt, replays, nonsense */
	PULSE_STREAM_LAPPED,
	PULSE_STREAM_SEND_ERRORS,
	/* Sums over the pictures that were new, not sent again: */
	PULSE_STREAM_TIMED,      /* how many */
	PULSE_STREAM_AGE_NS,     /* commit to last packet */
	PULSE_STREAM_RENDER_NS,  /* commit to rendered: wait for the grid, rendering */
	PULSE_STREAM_CONVERT_NS, /* conversion begun to handed over */
	PULSE_STREAM_ENCODE_NS,
	PULSE_STREAM_HAND_NS, /* hand-overs, summed */
	PULSE_STREAM_PACE_NS, /* first to last packet */
	/* hand-overs in classes: below 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 5 ms, more */
	PULSE_STREAM_HAND_CLASSES = 16, /* to 26 */
	PULSE_STREAM_KEYS = PULSE_STREAM_HAND_CLASSES + 11,
	PULSE_STREAM_RECOVERIES, /* pictures that answered an invalidation */
	PULSE_STREAM_ABANDONED,  /* pictures given up, in part or whole */
	PULSE_STREAM_KEY_ASKS,
	PULSE_STREAM_INVALIDATIONS,
	/* the timed pictures' stages, PULSE_STAGE_CLASSES each, by enum pulse_stage */
	PULSE_STREAM_STAGES = 32, /* to 81 */
	PULSE_STREAM_PARITY = 82, /* datagrams of FEC among PACKETS */
	PULSE_STREAM_MISSING,     /* packets that the client said it missed */
	PULSE_STREAM_IDR_REQUESTS,
	PULSE_STREAM_LOSS_REPORTS,
	PULSE_STREAM_INPUTS_SKIPPED,
	PULSE_STREAM_INPUTS_DENIED, /* of a kind that the client may not send */
};

/* Where a picture's time goes; sums are in PULSE_STREAM_AGE_NS and below. */
enum pulse_stage {
	PULSE_STAGE_AGE, /* the whole of it */
	PULSE_STAGE_RENDER,
	PULSE_STAGE_CONVERT,
	PULSE_STAGE_ENCODE,
	PULSE_STAGE_PACE,
	PULSE_STAGES,
};

enum {
	PULSE_STAGE_CLASSES = 10,
	PULSE_HAND_CLASSES = 11,
	PULSE_INPUT_CLASSES = 7,
};

/* The upper bounds of classes, in ns; the last class has none. */
struct pulse_bounds {
	const uint64_t *ns;
	unsigned count; /* of bounds: one less than of classes */
};

/* below 0.5, 1, 2, 4, 8, 16, 33, 66, 133 ms, more */
extern const struct pulse_bounds pulse_stage_bounds;
extern const struct pulse_bounds pulse_hand_bounds, pulse_input_bounds;

unsigned pulse_class(const struct pulse_bounds *bounds, uint64_t ns);

enum pulse_counter_gate {
	PULSE_GATE_ACCEPTED,
	PULSE_GATE_REQUESTS,
	PULSE_GATE_HANDSHAKES,
	PULSE_GATE_OPEN,
	PULSE_GATE_OVERDUE, /* connections closed by a deadline */
	PULSE_GATE_REFUSED,
	PULSE_GATE_DATAGRAMS,
	PULSE_GATE_DATAGRAMS_REFUSED,
};

struct pulse {
	uint32_t layout;
	uint32_t pid;
	_Atomic uint64_t beats; /* wake-ups of the working loop */
	_Atomic uint64_t poked; /* the newest poke that the loop has handled */
	_Atomic uint32_t operation;
	_Atomic uint64_t operation_begin_ns;
	_Atomic uint64_t operation_deadline_ns; /* 0: none */
	_Atomic uint64_t lag_max_ns;            /* longest handling of one wake-up */
	_Atomic uint64_t counters[PULSE_COUNTERS];
	/* appended: zero in a page that an older release writes */
	_Atomic uint64_t slow;          /* operations that took more than half their limit */
	_Atomic uint64_t crash_address; /* that could not be reached, 0: none */
	_Atomic uint32_t crash_signal;  /* set last, once: the worker waits to be looked at */
	_Atomic uint32_t refused;       /* system calls that its filter refused */
	_Atomic uint32_t refused_call;  /* the last one's number */
};

_Static_assert(sizeof(struct pulse) <= PULSE_SIZE, "the pulse is one page");

/* Maps the page for writing; takes fd (closes it, the mapping stays). */
int pulse_map(int fd, struct pulse **out) NODISCARD;

/* A page nobody reads, for tests and tools. Never fails: aborts without memory. */
struct pulse *pulse_private(void);

void pulse_begin(struct pulse *pulse, enum pulse_operation operation, uint32_t limit_ms);
void pulse_end(struct pulse *pulse);

/* Counts and logs the operation in hand when it took more than half of its limit.
 * pulse_end() does so itself. */
void pulse_report_slow(struct pulse *pulse);

static inline void pulse_add(struct pulse *pulse, unsigned counter, uint64_t n) {
	atomic_store_explicit(&pulse->counters[counter],
			atomic_load_explicit(&pulse->counters[counter], memory_order_relaxed) + n,
			memory_order_relaxed);
}

static inline void pulse_set(struct pulse *pulse, unsigned counter, uint64_t value) {
	atomic_store_explicit(&pulse->counters[counter], value, memory_order_relaxed);
}

/* The supervisor's reading of somebody's page, taken at one moment. */
struct pulse_view {
	uint64_t beats, poked;
	uint32_t operation; /* enum pulse_operation, or nonsense from a liar */
	uint64_t operation_begin_ns, operation_deadline_ns;
	uint64_t lag_max_ns, slow, crash_address;
	uint32_t crash_signal;
	uint32_t refused, refused_call;
};

void pulse_look(const struct pulse *pulse, struct pulse_view *out);

/* True when the operation in hand has outlived its own deadline. */
bool pulse_is_overdue(const struct pulse_view *view, uint64_t now_ns);

#endif
