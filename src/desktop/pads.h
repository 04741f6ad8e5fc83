/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PADS_H
#define DESKTOP_PADS_H

#include <stdbool.h>
#include <stdint.h>

#include "desktop/pad_device.h"
#include "ipc/message.h"

/* The gamepads of one viewer on this desktop. What its stream plugs in is remembered; a
 * device is made of it while the viewer may steer, and is destroyed when the viewer leaves
 * or may no longer: no app keeps one of somebody who is not there. */
struct pads_home {
	struct sd_event *event;          /* borrowed */
	const struct pad_kernel *kernel; /* borrowed */
	/* Somebody shall open a device node: pads_device() answers. */
	void (*ask)(void *user, uint32_t request, enum ipc_pad_device device);
	/* PAD_MADE or PAD_GONE: a device of that name came, or went. */
	void (*tell)(void *user, enum ipc_kind kind, const char *name);
	void *user;    /* borrowed, for both */
	uint64_t desk; /* the desktop's number */
	uint32_t requests;
};

struct pads;

struct desktop_pad {
	struct pads *pads;
	bool here;
	uint8_t number, shown;
	uint16_t capabilities;
	uint32_t request;               /* that is not answered; 0: none */
	uint8_t asked;                  /* enum ipc_pad_device of it */
	struct pad_device *device;      /* owned; NULL: none yet, or the host has none */
	char name[PAD_DEVICE_NAME_MAX]; /* of it; empty while it has none */
	pad_state state;
};

struct pads {
	struct pads_home *home; /* borrowed */
	uint32_t viewer;
	bool allowed;
	/* To the viewer's stream. */
	void (*say)(void *user, const struct ipc_message *message);
	void *user; /* borrowed, for say */
	struct desktop_pad list[IPC_PADS_MAX];
};

/* Neither plugged nor allowed anything. */
void pads_init(struct pads *pads, struct pads_home *home, uint32_t viewer);
void pads_finish(struct pads *pads);

/* A message of the viewer's stream; true when it was about pads. Sequences are the
 * caller's business. */
bool pads_message(struct pads *pads, const struct ipc_message *message);

/* Sticks centred, nothing pressed; devices stay. */
void pads_release(struct pads *pads);

void pads_allow(struct pads *pads, bool allowed);

/* A stream that takes over from another hears what is plugged in. */
void pads_tell(struct pads *pads);

/* What an app wants of every pad that is here, whatever device it has; of how many. For
 * tests alone. */
unsigned pads_feel(struct pads *pads, const struct ipc_message *feedback);

/* PAD_DEVICE and PAD_DEVICE_NONE. Takes fd (-1: none); false when the request is not
 * of these pads, and fd is the caller's still. */
bool pads_device(struct pads *pads, const struct ipc_message *message, int fd);

#endif
