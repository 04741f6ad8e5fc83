/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PAD_DUALSENSE_H
#define DESKTOP_PAD_DUALSENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "desktop/pad_event.h"
#include "ipc/message.h"

/* A DualSense on USB in bytes, as the kernel's driver (drivers/hid/hid-playstation.c) and
 * programs that open its hidraw device read and write it. Pure. */
enum {
	PAD_DUALSENSE_VENDOR = 0x054c,
	PAD_DUALSENSE_PRODUCT = 0x0ce6,
	PAD_DUALSENSE_INPUT = 64,   /* an input report, with its number */
	PAD_DUALSENSE_FEATURE = 64, /* the longest feature report */
	PAD_DUALSENSE_FINGERS = 2,
	PAD_DUALSENSE_ADDRESS = 6,
	PAD_DUALSENSE_SAYS_MAX = 3, /* feedback of one output report */
};

typedef __typeof__(((struct ipc_message *)NULL)->pad_sense) pad_sense;

struct pad_dualsense_finger {
	bool down;
	uint8_t number; /* 0 to 127, another for each touch */
	uint32_t pointer;
	uint16_t x, y;
};

/* What it is like now. */
struct pad_dualsense {
	uint8_t address[PAD_DUALSENSE_ADDRESS]; /* the first byte first */
	pad_state state;
	struct pad_dualsense_finger fingers[PAD_DUALSENSE_FINGERS];
	int16_t gyro[3], accel[3];
	uint8_t power; /* as in the report */
	uint8_t sequence, touches;
	/* What an app said last: only what changes is told. */
	uint8_t motors[2], light[3];
	uint8_t triggers[2][11];
};

extern const uint8_t pad_dualsense_descriptor[];
extern const size_t pad_dualsense_descriptor_size;

/* At rest, face up, on full battery. */
void pad_dualsense_init(struct pad_dualsense *pad, const uint8_t address[PAD_DUALSENSE_ADDRESS]);

/* A finger, a motion or the battery of the client's pad; false when it means nothing. */
bool pad_dualsense_sense(struct pad_dualsense *pad, const pad_sense *sense);

/* The next input report. */
void pad_dualsense_input(
		struct pad_dualsense *pad, uint64_t now_us, uint8_t out[PAD_DUALSENSE_INPUT]);

/* A feature report that is asked for; its size, or -ENOENT. */
int pad_dualsense_feature(const struct pad_dualsense *pad, uint8_t number,
		uint8_t out[PAD_DUALSENSE_FEATURE]) NODISCARD;

/* An output report, bytes of an app. What changed by it, as PAD_FEEDBACK without the pad's
 * number; how many, or -EBADMSG. */
int pad_dualsense_output(struct pad_dualsense *pad, const uint8_t *bytes, size_t len,
		struct ipc_message out[PAD_DUALSENSE_SAYS_MAX]) NODISCARD;

#endif
