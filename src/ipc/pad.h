/* SPDX-License-Identifier: MIT */
#ifndef IPC_PAD_H
#define IPC_PAD_H

/* What the numbers in the messages of gamepads mean. They are those of the clients
 * (proto/input.h, which the desktop does not know), so that a stream passes them on;
 * stream/pads.c asserts that they are the same. */

/* pad_state.buttons; by place: A is the lower one of the four. */
enum {
	PAD_BUTTON_UP = 0x1,
	PAD_BUTTON_DOWN = 0x2,
	PAD_BUTTON_LEFT = 0x4,
	PAD_BUTTON_RIGHT = 0x8,
	PAD_BUTTON_START = 0x10,
	PAD_BUTTON_BACK = 0x20,
	PAD_BUTTON_LEFT_STICK = 0x40,
	PAD_BUTTON_RIGHT_STICK = 0x80,
	PAD_BUTTON_LEFT_SHOULDER = 0x100,
	PAD_BUTTON_RIGHT_SHOULDER = 0x200,
	PAD_BUTTON_GUIDE = 0x400,
	PAD_BUTTON_A = 0x1000,
	PAD_BUTTON_B = 0x2000,
	PAD_BUTTON_X = 0x4000,
	PAD_BUTTON_Y = 0x8000,
	PAD_BUTTON_TOUCHPAD = 0x100000,
	PAD_BUTTON_MISC = 0x200000,
};

/* pad.capabilities */
enum {
	PAD_CAN_RUMBLE = 0x2,
	PAD_CAN_ACCELEROMETER = 0x10,
	PAD_CAN_GYROSCOPE = 0x20,
};

/* pad_sense.type of PAD_TOUCH; what is not here means nothing to a pad */
enum {
	PAD_FINGER_DOWN = 1,
	PAD_FINGER_UP = 2,
	PAD_FINGER_MOVE = 3,
	PAD_FINGER_CANCEL = 4,
	PAD_FINGER_CANCEL_ALL = 7,
};

/* pad_sense.type of PAD_BATTERY */
enum {
	PAD_POWER_DISCHARGING = 2,
	PAD_POWER_CHARGING = 3,
	PAD_POWER_NOT_CHARGING = 4,
	PAD_POWER_FULL = 5,
	PAD_POWER_UNKNOWN = 0xff, /* x of it: the percentage */
};

/* pad_feedback: PAD_MOTION_REPORTS' type_left, PAD_TRIGGERS' flags */
enum {
	PAD_MOTION_ACCELEROMETER = 1,
	PAD_MOTION_GYROSCOPE = 2,
	PAD_TRIGGER_RIGHT = 4,
	PAD_TRIGGER_LEFT = 8,
};

/* Where a sandbox or container has the hidraw nodes of its desktop's gamepads: links in /dev,
 * where apps look for them, lead there. */
#define PAD_RAW_FOLDER "/dev/hid"

enum {
	PAD_RAW_MAX = 64, /* the kernel's HIDRAW_MAX_DEVICES */
};

#endif
