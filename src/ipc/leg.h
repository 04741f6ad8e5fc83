/* SPDX-License-Identifier: MIT */
#ifndef IPC_LEG_H
#define IPC_LEG_H

#include <stdint.h>

/* The legs of the way from a client's first byte to its first picture, in order: which
 * one stalls is what a person wants to know of a host that is not ready. */
enum leg {
	LEG_NONE,
	LEG_TRIAL,      /* the trial's own process */
	LEG_GATE,       /* the door takes in the trial's client */
	LEG_SERVERINFO, /* plain HTTP */
	LEG_TLS,
	LEG_LAUNCH, /* the request, and what is refused at once */
	LEG_DESKTOP,
	LEG_SOUND,
	LEG_APP,
	LEG_RTSP,
	LEG_ENCODER,
	LEG_STREAM,
	LEG_CONTROL, /* ENet */
	LEG_PICTURE,
	LEGS,
};

/* For text, logs and metrics; never NULL. */
const char *leg_name(uint32_t leg);

#endif
