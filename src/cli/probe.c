/* SPDX-License-Identifier: MIT */
#include "cli/probe.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/probe_host.h"
#include "cli/probe_session.h"

int probe_fail(struct probe *probe, enum probe_exit exit, const char *step, const char *format,
		...) {
	if (!probe->error[0]) {
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(probe->error, sizeof(probe->error), format, arguments);
		va_end(arguments);
		text_copy(probe->step, sizeof(probe->step), step);
		probe->exit = exit;
	}
	return -ECANCELED;
}

int probe_fail_transport(struct probe *probe, const char *step, const char *what, int rc) {
	static const struct {
		int rc;
		enum probe_exit exit;
		const char *words;
	} known[] = {
		{ -ETIMEDOUT, PROBE_UNREACHABLE, "no answer in time" },
		{ -ECONNREFUSED, PROBE_UNREACHABLE, "nobody listens there" },
		{ -EPIPE, PROBE_UNREACHABLE, "the host ended the connection too soon" },
		{ -ECONNRESET, PROBE_UNREACHABLE, "the host broke the connection off" },
		{ -EACCES, PROBE_FAILED, "the host shows another certificate than the pinned one" },
		{ -EPROTO, PROBE_FAILED, "the host breaks the protocol" },
		{ -EBADMSG, PROBE_FAILED, "a malformed answer" },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].rc == rc) {
			return probe_fail(
					probe, known[i].exit, step, "%s: %s", what, known[i].words);
		}
	}
	return probe_fail(probe, PROBE_FAILED, step, "%s: %s", what, strerror(-rc));
}

void probe_note_ms(json_t *report, const char *name, uint64_t from_ns, uint64_t to_ns) {
	json_object_set_new(report, name, json_real(round((double)(to_ns - from_ns) / 1e3) / 1e3));
}

void probe_say(const struct probe *probe, const char *format, ...) {
	if (probe->options.json) {
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int probe_watch(struct probe *probe, int32_t app, const char *title, bool resume) {
	const struct probe_options *options = &probe->options;
	static const uint16_t masks[] = { [2] = 0x3, [6] = 0x3f, [8] = 0x63f };
	struct launch_query query = { .uniqueid = "0123456789ABCDEF",
		.app_id = app,
		.width = (uint16_t)options->width,
		.height = (uint16_t)options->height,
		.fps = (uint16_t)options->fps,
		.channels = (uint8_t)options->audio,
		.channel_mask = masks[options->audio],
		.corever = options->encryption == PROBE_ENCRYPT_PLAIN ? 0 : 1 };
	random_fill(query.rikey.bytes, sizeof(query.rikey.bytes));
	uint32_t key_id = random_u32();
	memcpy(&query.rikeyid, &key_id, sizeof(key_id));
	probe_transcript_add(
			&probe->transcript, 'k', 'C', query.rikey.bytes, sizeof(query.rikey.bytes));
	uint32_t big_endian = __builtin_bswap32(key_id);
	probe_transcript_add(&probe->transcript, 'i', 'C', &big_endian, sizeof(big_endian));
	json_object_set_new(probe->report, "app", json_string(title));

	char url[256];
	uint64_t launch_ns = clock_now_ns();
	int rc = probe_host_launch(probe, &query, resume, url, sizeof(url));
	rc = rc < 0 ? rc : probe_session_run(probe, &query.rikey, key_id, url, launch_ns);
	secret_wipe(&query.rikey);
	return rc;
}
