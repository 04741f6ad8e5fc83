/* SPDX-License-Identifier: MIT */
#include "ipc/pulse.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/shm.h"

/* clang-format off */
static const char *const names[PULSE_OPERATIONS] = {
	[PULSE_IDLE] = "idle", [PULSE_LOOP] = "loop", [PULSE_ENCODE] = "encode",
	[PULSE_OPEN_ENCODER] = "open-encoder", [PULSE_RENDER] = "render",
	[PULSE_CONVERT] = "convert", [PULSE_SEND] = "send", [PULSE_DATABASE] = "database",
	[PULSE_SPAWN] = "spawn", [PULSE_START] = "start", [PULSE_STOP] = "stop",
};
/* clang-format on */

#define BOUNDS(name, ...) \
	static const uint64_t name##_ns[] = { __VA_ARGS__ }; \
	const struct pulse_bounds pulse_##name##_bounds = { name##_ns, ARRAY_LEN(name##_ns) }

BOUNDS(stage, 500000, 1000000, 2000000, 4000000, 8000000, 16000000, 33000000, 66000000, 133000000);
BOUNDS(hand, 100000, 200000, 300000, 400000, 500000, 750000, 1000000, 1500000, 2000000, 5000000);
BOUNDS(input, 100000, 250000, 500000, 1000000, 2000000, 5000000);

_Static_assert(ARRAY_LEN(stage_ns) + 1 == PULSE_STAGE_CLASSES, "one class more than bounds");
_Static_assert(ARRAY_LEN(hand_ns) + 1 == PULSE_HAND_CLASSES, "one class more than bounds");
_Static_assert(ARRAY_LEN(input_ns) + 1 == PULSE_INPUT_CLASSES, "one class more than bounds");
_Static_assert(PULSE_STREAM_HAND_CLASSES + PULSE_HAND_CLASSES <= PULSE_STREAM_KEYS &&
				PULSE_STREAM_INVALIDATIONS < PULSE_STREAM_STAGES,
		"no counter stands in another's place");
_Static_assert(PULSE_STREAM_STAGES + PULSE_STAGES * PULSE_STAGE_CLASSES == PULSE_STREAM_PARITY,
		"the stages have their room");

unsigned pulse_class(const struct pulse_bounds *bounds, uint64_t ns) {
	unsigned class = 0;
	while (class < bounds->count && ns >= bounds->ns[class]) {
		class ++;
	}
	return class;
}

const char *pulse_operation_name(uint32_t operation) {
	return operation < PULSE_OPERATIONS ? names[operation] : "nonsense";
}

static void begin_page(struct pulse *pulse) {
	pulse->layout = PULSE_LAYOUT;
	pulse->pid = (uint32_t)getpid();
}

int pulse_map(int fd, struct pulse **out) {
	struct shm shm;
	int rc = shm_adopt(fd, PULSE_SIZE, true, &shm);
	if (rc < 0) {
		return rc;
	}
	fd_release(&shm.fd);
	*out = (struct pulse *)(void *)shm.map;
	begin_page(*out);
	return 0;
}

struct pulse *pulse_private(void) {
	void *map = mmap(NULL, PULSE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	if (map == MAP_FAILED) {
		abort();
	}
	begin_page((struct pulse *)map);
	return (struct pulse *)map;
}

void pulse_begin(struct pulse *pulse, enum pulse_operation operation, uint32_t limit_ms) {
	uint64_t now = clock_now_ns();
	atomic_store_explicit(&pulse->operation_deadline_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&pulse->operation_begin_ns, now, memory_order_relaxed);
	atomic_store_explicit(&pulse->operation, operation, memory_order_relaxed);
	atomic_store_explicit(&pulse->operation_deadline_ns,
			limit_ms ? now + limit_ms * NS_PER_MS : 0, memory_order_release);
}

static uint64_t note_slow(struct pulse *pulse, uint64_t now_ns) {
	uint64_t begin_ns = atomic_load_explicit(&pulse->operation_begin_ns, memory_order_relaxed);
	uint64_t deadline_ns =
			atomic_load_explicit(&pulse->operation_deadline_ns, memory_order_relaxed);
	if (deadline_ns == 0 || now_ns - begin_ns <= (deadline_ns - begin_ns) / 2) {
		return 0;
	}
	atomic_store_explicit(&pulse->slow,
			atomic_load_explicit(&pulse->slow, memory_order_relaxed) + 1,
			memory_order_relaxed);
	return now_ns - begin_ns;
}

/* The next time it may be too much. */
void pulse_report_slow(struct pulse *pulse) {
	uint64_t took_ns = note_slow(pulse, clock_now_ns());
	if (took_ns > 0) {
		uint64_t limit_ns = pulse->operation_deadline_ns - pulse->operation_begin_ns;
		log_warning("operation-slow", "operation=%s took_ms=%llu limit_ms=%llu",
				pulse_operation_name(pulse->operation),
				(unsigned long long)(took_ns / NS_PER_MS),
				(unsigned long long)(limit_ns / NS_PER_MS));
	}
}

void pulse_end(struct pulse *pulse) {
	pulse_report_slow(pulse);
	atomic_store_explicit(&pulse->operation_deadline_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&pulse->operation, PULSE_LOOP, memory_order_release);
}

void pulse_look(const struct pulse *pulse, struct pulse_view *out) {
	*out = (struct pulse_view){
		.operation_deadline_ns = atomic_load_explicit(
				&pulse->operation_deadline_ns, memory_order_acquire),
		.beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed),
		.poked = atomic_load_explicit(&pulse->poked, memory_order_relaxed),
		.operation = atomic_load_explicit(&pulse->operation, memory_order_relaxed),
		.operation_begin_ns = atomic_load_explicit(
				&pulse->operation_begin_ns, memory_order_relaxed),
		.refused = atomic_load_explicit(&pulse->refused, memory_order_relaxed),
		.refused_call = atomic_load_explicit(&pulse->refused_call, memory_order_relaxed),
		.slow = atomic_load_explicit(&pulse->slow, memory_order_relaxed),
		.crash_signal = atomic_load_explicit(&pulse->crash_signal, memory_order_acquire),
		.crash_address = atomic_load_explicit(&pulse->crash_address, memory_order_relaxed),
		.lag_max_ns = atomic_load_explicit(&pulse->lag_max_ns, memory_order_relaxed),
	};
}

bool pulse_is_overdue(const struct pulse_view *view, uint64_t now_ns) {
	return view->operation_deadline_ns != 0 && now_ns > view->operation_deadline_ns;
}
