/* SPDX-License-Identifier: MIT */
#include "viewer_checks.h"

#include <sys/wait.h>

#include "ipc/reason.h"
#include "proto/input.h"

bool viewer_has_exited(struct viewer *viewer) {
	return viewer->exited;
}

bool viewer_was_asked_for_a_key(struct viewer *viewer) {
	return viewer->sources[0].key_asks > 0;
}

bool viewer_is_lost(struct viewer *viewer) {
	return viewer->lost;
}

void viewer_assert_clean(struct viewer *viewer) {
	const struct video_receive_stats *stats = video_receive_stats(viewer->video);
	assert_int_equal(viewer->wrong, 0);
	assert_int_equal(viewer->sounds_wrong, 0);
	assert_int_equal(viewer->control.strange, 0);
	assert_int_equal(stats->malformed, 0);
	assert_int_equal(stats->corrupt, 0);
}

void viewer_send_frames(struct viewer *viewer, unsigned count, size_t least, size_t most) {
	for (unsigned i = 0; i < count; i++) {
		viewer->random = viewer->random * 1664525 + 1013904223;
		size_t size = least + (viewer->random >> 8) % (most - least);
		viewer_write(viewer, 0, size, i % 20 == 19 ? RING_KEY : 0, 0);
		assert_true(viewer_until(viewer, viewer_has_newest, VIEWER_WAIT_MS));
	}
}

void viewer_end_session(struct viewer *viewer) {
	struct ipc_message end = {
		.kind = IPC_STREAM_END,
		.stream_end = { .reason = REASON_ASKED, .code = REASON_TERMINATE_ORDERLY },
	};
	viewer_say(viewer, &end);
	assert_true(viewer_until(viewer, viewer_has_exited, VIEWER_WAIT_MS));
	assert_true(WIFEXITED(viewer->status));
	assert_int_equal(WEXITSTATUS(viewer->status), 0);
}

void viewer_say_input(struct viewer *viewer, uint8_t channel, struct input_event event) {
	uint8_t bytes[INPUT_EVENT_MAX];
	size_t len;
	assert_int_equal(input_encode(&event, bytes, sizeof(bytes), &len), 0);
	struct control_message message = { .kind = CONTROL_INPUT,
		.input = { .data = bytes, .len = len } };
	client_control_say(&viewer->control, channel, &message);
}
