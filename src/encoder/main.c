/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "encoder/picture.h"
#include "encoder/shot.h"
#include "encoder/sound.h"
#include "ipc/obey.h"
#include "media/cost.h"
#include "media/probe.h"

/* perigee-encoder: one process per distinct encoding of a desktop, of pictures
 * or of sound, shared by all who want the same. It reads a picture pool or a
 * sound server's monitor and writes a packet ring. It knows its readers by a
 * number, an eventfd and a request channel, not who they are; it opens no
 * network socket and no file but devices. Asked to probe, or for a screenshot, it does
 * only that. */

enum {
	PROBE_LIMIT_MS = 5000, /* one encoder, all its codecs */
	PROBED_MAX = 8,
	COST_LIMIT_ALL_MS = 5000, /* one encoder, however many of it can be opened */
};

enum work_kind {
	WORK_NONE,
	WORK_PICTURE,
	WORK_SOUND,
	WORK_SHOT,
};

struct encoder_process {
	struct worker worker;
	enum work_kind kind;
	struct readers readers;
	struct ring_writer ring;
	struct picture_work picture;
	struct sound_work sound;
	struct shot_work shot;
};

static void handle_request(void *user, const struct ipc_message *message) {
	struct encoder_process *process = user;
	if (process->kind == WORK_PICTURE) {
		picture_request(&process->picture, message);
	}
}

static void handle_joined(void *user) {
	struct encoder_process *process = user;
	pulse_set(process->worker.pulse, PULSE_ENCODER_READERS, process->readers.count);
	if (process->kind == WORK_PICTURE) {
		picture_reader_joined(&process->picture);
	} else {
		sound_reader_joined(&process->sound);
	}
}

static void handle_left(void *user) {
	struct encoder_process *process = user;
	pulse_set(process->worker.pulse, PULSE_ENCODER_READERS, process->readers.count);
	if (process->kind == WORK_PICTURE) {
		picture_reader_left(&process->picture);
	} else {
		sound_reader_left(&process->sound);
	}
}

static const struct readers_events readers_events = {
	.request = handle_request,
	.joined = handle_joined,
	.left = handle_left,
};

/* After what decides whether this host can serve at all, what one picture costs. */
static void tell_cost(struct encoder_process *process, const char *name, size_t len) {
	struct cost cost;
	pulse_begin(process->worker.pulse, PULSE_OPEN_ENCODER, COST_LIMIT_ALL_MS);
	cost_measure(encoder_kind(name, len), &cost);
	pulse_end(process->worker.pulse);
	struct ipc_message told = {
		.kind = IPC_ENCODER_COST,
		.encoder_cost = {
			.pictures = cost.pictures,
			.encode_ns_per_kpx = cost.encode_ns_per_kpx,
			.convert_ns_per_kpx = cost.convert_ns_per_kpx,
			.device_ns_per_kpx = cost.device_ns_per_kpx,
			.sessions = cost.sessions,
		},
	};
	text_format(told.encoder_cost.name, sizeof(told.encoder_cost.name), "%.*s", (int)len, name);
	worker_post(&process->worker, &told, NULL, 0);
}

static void handle_probe(
		struct encoder_process *process, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	const char *at = message->encoder_probe.order;
	const char *name, *working[PROBED_MAX];
	size_t len, working_len[PROBED_MAX];
	unsigned works = 0;
	while (encoder_order_next(&at, &name, &len)) {
		struct probe probe;
		pulse_begin(process->worker.pulse, PULSE_OPEN_ENCODER, PROBE_LIMIT_MS);
		probe_encoder(name, len, &probe);
		pulse_end(process->worker.pulse);
		struct ipc_message probed = {
			.kind = IPC_ENCODER_PROBED,
			.encoder_probed = {
				.mask = probe.mask,
				.reference_invalidation = probe.reference_invalidation,
				.first_us = probe.first_us,
			},
		};
		text_copy(probed.encoder_probed.name, sizeof(probed.encoder_probed.name),
				probe.name);
		text_copy(probed.encoder_probed.detail, sizeof(probed.encoder_probed.detail),
				probe.detail.text);
		worker_post(&process->worker, &probed, NULL, 0);
		if (probe.mask && works < PROBED_MAX) {
			working[works] = name;
			working_len[works++] = len;
		}
	}
	struct ipc_message end = { .kind = IPC_ENCODER_PROBE_END };
	worker_post(&process->worker, &end, NULL, 0);
	for (unsigned i = 0; i < works; i++) {
		tell_cost(process, working[i], working_len[i]);
	}
}

static void handle_picture_start(
		struct encoder_process *process, struct ipc_message *message, struct ipc_fds *fds) {
	process->kind = WORK_PICTURE;
	picture_start(&process->picture, &process->worker, &process->readers, &process->ring,
			message, fds_take(fds, 0));
}

static void handle_sound_start(
		struct encoder_process *process, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	process->kind = WORK_SOUND;
	sound_start(&process->sound, &process->worker, &process->readers, &process->ring, message);
}

static void handle_shot_start(
		struct encoder_process *process, struct ipc_message *message, struct ipc_fds *fds) {
	process->kind = WORK_SHOT;
	shot_start(&process->shot, &process->worker, message, fds_take(fds, 0));
}

static void handle_reader(
		struct encoder_process *process, struct ipc_message *message, struct ipc_fds *fds) {
	int rc = readers_add(&process->readers, message->encoder_reader.reader, fds_take(fds, 0),
			fds_take(fds, 1));
	if (rc < 0) {
		worker_fail(&process->worker, REASON_RESOURCES, "reader %u: %s",
				message->encoder_reader.reader, strerror(-rc));
	}
}

static void handle_reader_gone(
		struct encoder_process *process, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	readers_remove(&process->readers, message->encoder_reader.reader);
}

static void handle_rate(
		struct encoder_process *process, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	picture_set_rate(&process->picture, message->encoder_rate.bitrate_kbps);
}

/* What the supervisor may say, and of which work. */
static const struct {
	void (*handle)(struct encoder_process *, struct ipc_message *, struct ipc_fds *);
	bool picture, sound, none;
} rows[IPC_KINDS] = {
	[IPC_ENCODER_PROBE] = { handle_probe, .none = true },
	[IPC_PICTURE_ENCODER_START] = { handle_picture_start, .none = true },
	[IPC_SOUND_ENCODER_START] = { handle_sound_start, .none = true },
	[IPC_SHOT_START] = { handle_shot_start, .none = true },
	[IPC_ENCODER_READER] = { handle_reader, .picture = true, .sound = true },
	[IPC_ENCODER_READER_GONE] = { handle_reader_gone, .picture = true, .sound = true },
	[IPC_ENCODER_RATE] = { handle_rate, .picture = true },
};

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	struct encoder_process *process = worker->user;
	const bool allowed[] = {
		[WORK_NONE] = rows[message->kind].none,
		[WORK_PICTURE] = rows[message->kind].picture,
		[WORK_SOUND] = rows[message->kind].sound,
		[WORK_SHOT] = false,
	};
	if (!rows[message->kind].handle || !allowed[process->kind]) {
		worker_end(worker, REASON_WORKER_LIED, "supervisor: %s out of turn",
				ipc_kind_name(message->kind));
		return;
	}
	rows[message->kind].handle(process, message, fds);
}

#ifdef PERIGEE_OBEY
/* An encoder that lives and answers, and keeps every picture that it was lent. */
static int fault_keep_slots(
		struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)argument;
	(void)detail;
	(void)size;
	((struct encoder_process *)worker->user)->picture.keeps_slots = true;
	return 0;
}

static const struct obey_order orders[] = {
	{ "kept-slots", fault_keep_slots },
	{ 0 },
};
#endif

static const struct worker_class encoder_class = {
	.kind = PEER_ENCODER,
	.message = handle_message,
#ifdef PERIGEE_OBEY
	.orders = orders,
#endif
};

int main(void) {
	struct encoder_process process = { .ring.shm = SHM_NONE };
	if (worker_open(&process.worker, &encoder_class, &process) < 0) {
		_exit(WORKER_OVERDUE_EXIT);
	}
	readers_init(&process.readers, process.worker.event, &readers_events, &process);
	_exit(worker_run(&process.worker));
}
