/* SPDX-License-Identifier: MIT */
#include "cli/probe_acts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "cli/probe_session.h"

enum {
	CHECK_KEY = 0x41,
	LAST_PRESSES = 5,
	SCRIPT_FILE_BYTES_MAX = 4 << 20,
};

static void press_key(struct probe_session *session) {
	struct input_event event = { .kind = INPUT_KEY };
	event.key.vk = CHECK_KEY;
	event.key.down = true;
	probe_control_input(&session->control, &event);
	event.key.down = false;
	probe_control_input(&session->control, &event);
}

void probe_acts_shoot(struct probe_session *session, const char *file) {
	int rc = probe_video_shot(&session->video, file);
	if (rc < 0) {
		session->shots_failed++;
		probe_fail_transport(session->probe, "shot", file, rc);
	} else {
		session->shots++;
	}
}

static void act(struct probe_session *session, const struct script_action *action,
		uint64_t now_ns) {
	struct control_message idr = { .kind = CONTROL_REQUEST_IDR };
	switch (action->kind) {
	case SCRIPT_INPUT:
		probe_control_input(&session->control, &action->input);
		break;
	case SCRIPT_IDR:
		session->video.idrs_asked++;
		probe_control_say(&session->control, &idr);
		break;
	case SCRIPT_SHOT:
		probe_acts_shoot(session, action->file);
		break;
	case SCRIPT_INPUT_CHECK:
		probe_check_add(&session->check, action->presses, now_ns);
		break;
	}
}

/* SIGUSR2: once pictures and sound come again, some keys are pressed. */
static void run_last(struct probe_session *session, uint64_t now_ns) {
	if (session->last_ns == 0 || session->last_pressed || !session->video.has_scene ||
			session->video.scene_arrived_ns < session->last_ns ||
			session->audio.heard_ns < session->last_ns) {
		return;
	}
	session->last_pressed = true;
	probe_check_add(&session->check, LAST_PRESSES, now_ns);
}

bool probe_acts_are_over(const struct probe_session *session) {
	if (session->probe->options.no_decode) {
		return session->last_ns != 0;
	}
	return session->last_pressed && probe_check_deadline_ns(&session->check) == UINT64_MAX;
}

uint64_t probe_acts_deadline_ns(const struct probe_session *session) {
	if (session->begin_ns == 0 || session->script_next == session->script.count) {
		return UINT64_MAX;
	}
	return session->begin_ns + session->script.actions[session->script_next].at_ms * NS_PER_MS;
}

void probe_acts_follow(struct probe_session *session) {
	struct script script = { 0 };
	int rc = follow_read(&session->follow, STDIN_FILENO, &script);
	for (size_t i = 0; rc > 0 && i < script.count; i++) {
		act(session, &script.actions[i], clock_now_ns());
	}
	script_finish(&script);
	session->follows = rc >= 0;
	if (rc < 0 && rc != -ENODATA) {
		probe_fail(session->probe, PROBE_USAGE, "script", "a line is not understood");
	}
}

void probe_acts_run(struct probe_session *session, uint64_t now_ns) {
	while (probe_acts_deadline_ns(session) <= now_ns) {
		act(session, &session->script.actions[session->script_next++], now_ns);
	}
	run_last(session, now_ns);
	/* A press needs something to be seen in. */
	if (session->video.has_scene && probe_check_deadline_ns(&session->check) <= now_ns &&
			probe_check_is_due(&session->check, session->video.scene.events, now_ns)) {
		press_key(session);
	}
}

int probe_acts_load(struct probe_session *session) {
	const char *path = session->probe->options.script;
	if (!path) {
		return 0;
	}
	if (strcmp(path, "-") == 0) {
		session->follows = true;
		return 0;
	}
	OWN(file_close) FILE *file = fopen(path, "re");
	OWN(free) void *text = malloc(SCRIPT_FILE_BYTES_MAX);
	if (!file || !text) {
		return probe_fail(session->probe, PROBE_USAGE, "script", "%s: %s", path,
				strerror(errno));
	}
	size_t len = fread(text, 1, SCRIPT_FILE_BYTES_MAX, file);
	size_t line = 0;
	int rc = script_parse((struct span){ text, len }, &session->script, &line);
	return rc < 0 ? probe_fail(session->probe, PROBE_USAGE, "script",
					"%s: line %zu is not understood", path, line)
		      : 0;
}
