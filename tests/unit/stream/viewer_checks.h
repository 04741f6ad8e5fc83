/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STREAM_VIEWER_CHECKS_H
#define TESTS_STREAM_VIEWER_CHECKS_H

#include "../unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/input.h"
#include "viewer.h"

/* What tests of the real program do with a viewer, and ask of it. */

/* For viewer_until(). */
bool viewer_has_exited(struct viewer *viewer);
bool viewer_was_asked_for_a_key(struct viewer *viewer);
bool viewer_is_lost(struct viewer *viewer);

/* Everything was as written. */
void viewer_assert_clean(struct viewer *viewer);

/* One after the other, each of least to most bytes, every twentieth a key. */
void viewer_send_frames(struct viewer *viewer, unsigned count, size_t least, size_t most);

/* As the supervisor ends one, until the program has. */
void viewer_end_session(struct viewer *viewer);

void viewer_say_input(struct viewer *viewer, uint8_t channel, struct input_event event);

#endif
