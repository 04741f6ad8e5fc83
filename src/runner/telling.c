/* SPDX-License-Identifier: MIT */
#include "runner/telling.h"

#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/text.h"
#include "ipc/worker.h"
#include "runner/output.h"

enum {
	BETWEEN_MS = 500,
};

void telling_begin(struct telling *telling, struct worker *worker, const struct output *output) {
	*telling = (struct telling){ .worker = worker, .output = output };
}

static int handle_later(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct telling *telling = user;
	struct ipc_message message = { .kind = IPC_RUNNER_LINES };
	telling->later = sd_event_source_disable_unref(telling->later);
	text_copy(message.runner_lines.last_lines, sizeof(message.runner_lines.last_lines),
			telling->output->last);
	telling->told = telling->output->count;
	worker_post(telling->worker, &message, NULL, 0);
	return 0;
}

void telling_note(struct telling *telling) {
	if (telling->output->count != telling->told && !telling->later) {
		(void)sd_event_add_time_relative(telling->worker->event, &telling->later,
				CLOCK_MONOTONIC, BETWEEN_MS * US_PER_MS, 10 * US_PER_MS,
				handle_later, telling);
	}
}

void telling_finish(struct telling *telling) {
	telling->later = sd_event_source_disable_unref(telling->later);
}
