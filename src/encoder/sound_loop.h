/* SPDX-License-Identifier: MIT */
#ifndef ENCODER_SOUND_LOOP_H
#define ENCODER_SOUND_LOOP_H

#include "base/own.h"

struct pa_mainloop_api;
struct sd_event;

/* libpulse's main loop interface on top of ours, so that its work is done by
 * the loop that the pulse page speaks for, and an idle connection costs nothing. */

/* Owned by the caller; must outlive every libpulse object made with it. */
int sound_loop_create(struct sd_event *event, struct pa_mainloop_api **out) NODISCARD;

/* Accepts NULL. */
void sound_loop_destroy(struct pa_mainloop_api *api);

#endif
