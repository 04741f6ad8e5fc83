/* SPDX-License-Identifier: MIT */
#ifndef APPS_TONE_H
#define APPS_TONE_H

#include "base/own.h"

/* A quiet sine of 440 Hz on both channels, played to the session's sound server
 * for as long as this lives. While there is no server it asks again every second;
 * nobody waits for it. The playing is done by libpulse's own thread. */
struct tone;

int tone_create(struct tone **out) NODISCARD;
void tone_destroy(struct tone *tone);

#endif
