/* SPDX-License-Identifier: MIT */
#include "supervisor/admission.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"

#define MEGABYTE UINT64_C(1000000)

enum {
	MORE_MAX = 1000,
	LEARN_UP = 4, /* a quarter of the way at once */
	LEARN_DOWN = 32,
	RESERVE_PERMILLE = 50, /* of the memory, left to everybody else */
};

const char *admission_short_name(enum admission_short what) {
	static const char *const names[ADMISSION_SHORTS] = {
		[ADMISSION_FITS] = "nothing",
		[ADMISSION_NUMBER] = "number",
		[ADMISSION_CLIENT] = "client",
		[ADMISSION_PROCESSOR] = "processor",
		[ADMISSION_MEMORY] = "memory",
		[ADMISSION_DEVICE] = "encoder",
	};
	return names[what];
}

static uint64_t kpx_per_s(const struct admission_form *form) {
	return (uint64_t)form->width * form->height * form->rate_mhz / 1000 / 1000;
}

static uint32_t milli_of(uint64_t ns_per_s) {
	return (uint32_t)(ns_per_s / NS_PER_MS);
}

/* What is taken so far. */
struct tally {
	uint32_t count, of_client;
	uint64_t processor_milli;
	uint64_t memory_to_come; /* what those that run may still take */
	uint32_t device_permille[ADMISSION_ENCODERS_MAX];
	uint32_t device_sessions[ADMISSION_ENCODERS_MAX];
};

static bool has_place(const struct admission_encoder *encoder, const struct tally *tally,
		unsigned at, uint64_t kpx) {
	uint64_t permille = tally->device_permille[at] + milli_of(kpx * encoder->device_ns_per_kpx);
	return (!encoder->sessions || tally->device_sessions[at] < encoder->sessions) &&
	       (!encoder->device_ns_per_kpx || permille <= ADMISSION_DEVICE_PERMILLE);
}

/* The encoder that a session would get, as the encoder process chooses; -1: none. */
static int find_place(
		const struct admission_costs *costs, const struct tally *tally, uint64_t kpx) {
	for (unsigned i = 0; i < costs->encoders_count; i++) {
		if (has_place(&costs->encoders[i], tally, i, kpx)) {
			return (int)i;
		}
	}
	return -1;
}

static uint32_t cost_on(const struct admission_costs *costs, int encoder,
		const struct admission_session *session) {
	uint64_t kpx = kpx_per_s(&session->form);
	uint32_t encode = encoder < 0 ? 0 : costs->encoders[encoder].ns_per_kpx;
	if (session->encoding) {
		return milli_of(kpx * encode);
	}
	uint32_t app = session->app_milli < ADMISSION_APP_MILLI_MAX ? session->app_milli
								    : ADMISSION_APP_MILLI_MAX;
	return milli_of(kpx * ((uint64_t)encode + costs->rest_ns_per_kpx)) + costs->sound_milli +
	       app;
}

static uint64_t memory_of(
		const struct admission_costs *costs, const struct admission_session *session) {
	return session->encoding ? ADMISSION_ENCODING_MEMORY : costs->memory;
}

uint32_t admission_processor_milli(const struct admission_costs *costs,
		const struct admission_form *form, uint32_t app_milli) {
	struct tally empty = { 0 };
	struct admission_session session = { .form = *form, .app_milli = app_milli };
	return cost_on(costs, find_place(costs, &empty, kpx_per_s(form)), &session);
}

static void add(struct tally *tally, const struct admission_costs *costs,
		const struct admission_session *session) {
	uint64_t kpx = kpx_per_s(&session->form);
	int encoder = find_place(costs, tally, kpx);
	uint64_t memory = memory_of(costs, session);
	tally->count += !session->encoding;
	tally->of_client += session->same_client;
	tally->processor_milli += cost_on(costs, encoder, session);
	tally->memory_to_come += session->memory < memory ? memory - session->memory : 0;
	if (encoder >= 0) {
		tally->device_sessions[encoder]++;
		tally->device_permille[encoder] +=
				milli_of(kpx * costs->encoders[encoder].device_ns_per_kpx);
	}
}

static uint64_t memory_left(const struct admission_machine *machine, const struct tally *tally) {
	uint64_t kept = machine->memory_total / 1000 * RESERVE_PERMILLE + tally->memory_to_come;
	return machine->memory_free > kept ? machine->memory_free - kept : 0;
}

/* One is always let in: a machine too slow for it shows fewer pictures, and says so. */
static enum admission_short check(const struct admission_limits *limits,
		const struct admission_machine *machine, const struct admission_costs *costs,
		const struct tally *tally, const struct admission_session *wanted) {
	uint64_t kpx = kpx_per_s(&wanted->form);
	int encoder = find_place(costs, tally, kpx);
	uint64_t processor = tally->processor_milli + cost_on(costs, encoder, wanted);
	if (tally->count >= limits->sessions && !wanted->encoding) {
		return ADMISSION_NUMBER;
	}
	if (wanted->same_client && tally->of_client >= limits->per_client) {
		return ADMISSION_CLIENT;
	}
	if (costs->encoders_count && encoder < 0 && tally->count > 0) {
		return ADMISSION_DEVICE;
	}
	if (limits->processor && tally->count > 0 &&
			processor > (uint64_t)machine->processor_milli * ADMISSION_USABLE_PERMILLE /
							1000) {
		return ADMISSION_PROCESSOR;
	}
	if (machine->memory_total && memory_left(machine, tally) < memory_of(costs, wanted)) {
		return ADMISSION_MEMORY;
	}
	return ADMISSION_FITS;
}

void admission_decide(const struct admission_limits *limits,
		const struct admission_machine *machine, const struct admission_costs *costs,
		const struct admission_session *running, size_t count,
		const struct admission_session *wanted, struct admission_answer *out) {
	struct tally tally = { 0 };
	for (size_t i = 0; i < count; i++) {
		add(&tally, costs, &running[i]);
	}
	int encoder = find_place(costs, &tally, kpx_per_s(&wanted->form));
	*out = (struct admission_answer){
		.what = check(limits, machine, costs, &tally, wanted),
		.used = tally.count,
		.processor_used_milli = (uint32_t)tally.processor_milli,
		.processor_milli = machine->processor_milli * ADMISSION_USABLE_PERMILLE / 1000,
		.processor_needs_milli = cost_on(costs, encoder, wanted),
		.memory_free = memory_left(machine, &tally),
		.memory_needs = memory_of(costs, wanted),
	};
	if (wanted->encoding) {
		out->capacity = tally.count;
		return;
	}
	struct admission_session more = *wanted;
	more.memory = 0;
	more.same_client = false;
	while (tally.count < MORE_MAX &&
			check(limits, machine, costs, &tally, &more) == ADMISSION_FITS) {
		add(&tally, costs, &more);
	}
	out->capacity = tally.count;
}

void admission_words(const struct admission_answer *answer, const struct admission_form *form,
		char *out, size_t size) {
	char why[120] = "";
	switch (answer->what) {
	case ADMISSION_FITS:
	case ADMISSION_SHORTS:
		out[0] = '\0';
		return;
	case ADMISSION_NUMBER:
		text_copy(why, sizeof(why), "More are not allowed by limits.sessions.");
		break;
	case ADMISSION_CLIENT:
		text_copy(out, size,
				"You have as many sessions as limits.per_client allows. Quit one.");
		return;
	case ADMISSION_PROCESSOR:
		text_format(why, sizeof(why),
				"Its processor would not keep up with one more of %ux%u at %u Hz.",
				form->width, form->height, (form->rate_mhz + 500) / 1000);
		break;
	case ADMISSION_MEMORY:
		text_format(why, sizeof(why), "One more takes %llu MB of memory, %llu are free.",
				(unsigned long long)(answer->memory_needs / MEGABYTE),
				(unsigned long long)(answer->memory_free / MEGABYTE));
		break;
	case ADMISSION_DEVICE:
		text_copy(why, sizeof(why), "Its video encoder carries no more.");
		break;
	}
	text_format(out, size, "This host is full: %u of %u. %s", answer->used, answer->used, why);
}

uint32_t admission_learn(uint32_t known, uint32_t probed, uint64_t seen) {
	uint64_t next = seen > known ? known + (seen - known + LEARN_UP - 1) / LEARN_UP
				     : known - (known - seen) / LEARN_DOWN;
	next = next < probed / 2 ? probed / 2 : next;
	return next < UINT32_MAX ? (uint32_t)next : UINT32_MAX;
}
