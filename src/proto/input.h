/* SPDX-License-Identifier: MIT */
#ifndef PROTO_INPUT_H
#define PROTO_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* Input events of the control stream (moonlight-common-c Input.h, Limelight.h):
 *
 *   BE32 size of what follows | LE32 magic | body
 *
 * Decoding checks everything that can be checked without knowing the session,
 * so that nobody downstream checks again: sizes, enum ranges, controller
 * numbers, that numbers are finite, that text is one code point. */
enum {
	INPUT_CONTROLLERS_MAX = 16,
	INPUT_TEXT_MAX = 4,      /* bytes of one code point */
	INPUT_EVENT_MAX = 64,    /* more than any encoded event */
	INPUT_WHEEL_NOTCH = 120, /* one click of a wheel */
};

enum input_kind {
	INPUT_KEY = 1,
	INPUT_MOUSE_MOVE,
	INPUT_MOUSE_POSITION,
	INPUT_MOUSE_BUTTON,
	INPUT_SCROLL_VERTICAL,
	INPUT_SCROLL_HORIZONTAL,
	INPUT_CODE_POINT,
	INPUT_HAPTICS,
	INPUT_CONTROLLER,
	INPUT_TOUCH,
	INPUT_PEN,
	INPUT_CONTROLLER_ARRIVAL,
	INPUT_CONTROLLER_TOUCH,
	INPUT_CONTROLLER_MOTION,
	INPUT_CONTROLLER_BATTERY,
};

/* Held while the key event happened. */
enum input_modifier {
	INPUT_SHIFT = 1,
	INPUT_CTRL = 2,
	INPUT_ALT = 4,
	INPUT_META = 8,
};

enum input_button {
	INPUT_BUTTON_LEFT = 1,
	INPUT_BUTTON_MIDDLE,
	INPUT_BUTTON_RIGHT,
	INPUT_BUTTON_X1,
	INPUT_BUTTON_X2,
};

enum input_touch_type {
	INPUT_TOUCH_HOVER,
	INPUT_TOUCH_DOWN,
	INPUT_TOUCH_UP,
	INPUT_TOUCH_MOVE,
	INPUT_TOUCH_CANCEL, /* only the pointer id means anything */
	INPUT_TOUCH_BUTTON_ONLY,
	INPUT_TOUCH_HOVER_LEAVE,
	INPUT_TOUCH_CANCEL_ALL,
	INPUT_TOUCH_TYPES,
};

enum {
	INPUT_ROTATION_UNKNOWN = 0xffff, /* otherwise degrees */
	INPUT_TILT_UNKNOWN = 0xff,
	INPUT_PERCENT_UNKNOWN = 0xff,
};

enum input_tool {
	INPUT_TOOL_UNKNOWN,
	INPUT_TOOL_PEN,
	INPUT_TOOL_ERASER,
	INPUT_TOOLS,
};

enum input_motion_type {
	INPUT_MOTION_ACCELEROMETER = 1, /* m/s^2 */
	INPUT_MOTION_GYROSCOPE = 2,     /* degrees/s */
};

enum input_battery_state {
	INPUT_BATTERY_UNKNOWN,
	INPUT_BATTERY_ABSENT,
	INPUT_BATTERY_DISCHARGING,
	INPUT_BATTERY_CHARGING,
	INPUT_BATTERY_NOT_CHARGING,
	INPUT_BATTERY_FULL,
	INPUT_BATTERY_STATES,
};

enum input_controller_type {
	INPUT_PAD_UNKNOWN,
	INPUT_PAD_XBOX,
	INPUT_PAD_PLAYSTATION,
	INPUT_PAD_NINTENDO,
	INPUT_PAD_STEAM,
};

/* Of struct input_event.controller.buttons. */
enum input_pad_button {
	INPUT_PAD_UP = 0x1,
	INPUT_PAD_DOWN = 0x2,
	INPUT_PAD_LEFT = 0x4,
	INPUT_PAD_RIGHT = 0x8,
	INPUT_PAD_START = 0x10,
	INPUT_PAD_BACK = 0x20,
	INPUT_PAD_LEFT_STICK = 0x40,
	INPUT_PAD_RIGHT_STICK = 0x80,
	INPUT_PAD_LEFT_SHOULDER = 0x100,
	INPUT_PAD_RIGHT_SHOULDER = 0x200,
	INPUT_PAD_GUIDE = 0x400,
	INPUT_PAD_A = 0x1000,
	INPUT_PAD_B = 0x2000,
	INPUT_PAD_X = 0x4000,
	INPUT_PAD_Y = 0x8000,
	INPUT_PAD_PADDLE1 = 0x10000,
	INPUT_PAD_PADDLE2 = 0x20000,
	INPUT_PAD_PADDLE3 = 0x40000,
	INPUT_PAD_PADDLE4 = 0x80000,
	INPUT_PAD_TOUCHPAD = 0x100000,
	INPUT_PAD_MISC = 0x200000,
};

/* Of struct input_event.arrival.capabilities. */
enum input_capability {
	INPUT_CAN_ANALOG_TRIGGERS = 0x1,
	INPUT_CAN_RUMBLE = 0x2,
	INPUT_CAN_TRIGGER_RUMBLE = 0x4,
	INPUT_CAN_TOUCHPAD = 0x8,
	INPUT_CAN_ACCELEROMETER = 0x10,
	INPUT_CAN_GYROSCOPE = 0x20,
	INPUT_CAN_BATTERY = 0x40,
	INPUT_CAN_LED = 0x80,
	INPUT_CAN_DUAL_TOUCHPAD = 0x100,
};

/* Flat, no pointers. Positions and pressures of touch and pen are clamped to
 * 0..1 of the picture. */
struct input_event {
	enum input_kind kind;
	union {
		struct {
			uint8_t vk;        /* Windows virtual key, see proto/keycode.h */
			uint8_t modifiers; /* enum input_modifier */
			bool down;
			bool not_normalised; /* vk is of the client's layout, not US */
		} key;
		struct {
			int16_t dx, dy;
		} move;
		struct {
			uint16_t x, y;         /* 0 to max */
			uint16_t max_x, max_y; /* width and height less one; never 0 */
		} position;
		struct {
			uint8_t button; /* enum input_button */
			bool down;
		} button;
		int16_t scroll; /* 120 a notch, fractions happen; up and right are positive */
		struct {
			uint8_t len; /* 1 to 4 */
			char bytes[INPUT_TEXT_MAX];
		} text; /* one UTF-8 code point, not terminated, no NUL */
		bool haptics;
		struct {
			uint8_t number;
			uint16_t active; /* bit n cleared: pad n was unplugged */
			uint32_t buttons;
			uint8_t left_trigger, right_trigger;
			int16_t left_x, left_y, right_x, right_y; /* up is positive */
		} controller;
		struct {
			uint8_t type; /* enum input_touch_type */
			uint16_t rotation;
			uint32_t pointer;
			float x, y;
			float pressure; /* distance while hovering */
			float major, minor;
		} touch;
		struct {
			uint8_t type; /* enum input_touch_type */
			uint8_t tool; /* enum input_tool */
			uint8_t buttons;
			uint8_t tilt;
			uint16_t rotation;
			float x, y;
			float pressure;
			float major, minor;
		} pen;
		struct {
			uint8_t number;
			uint8_t type; /* enum input_controller_type, or one yet unknown */
			uint16_t capabilities;
			uint32_t buttons;
		} arrival;
		struct {
			uint8_t number;
			uint8_t type; /* enum input_touch_type */
			uint8_t touchpad;
			uint32_t pointer;
			float x, y, pressure;
		} pad_touch;
		struct {
			uint8_t number;
			uint8_t type; /* enum input_motion_type */
			float x, y, z;
		} motion;
		struct {
			uint8_t number;
			uint8_t state; /* enum input_battery_state */
			uint8_t percent;
		} battery;
	};
};

/* Decodes one event. -EBADMSG when it is malformed or out of range, -ENOTSUP
 * for a magic that is not known; either is to be skipped. */
int input_decode(const void *data, size_t len, struct input_event *out) NODISCARD;

/* What a client would send. -ENOSPC when out is too small (INPUT_EVENT_MAX is
 * enough), -EINVAL for a kind that does not exist. */
int input_encode(const struct input_event *event, uint8_t *out, size_t out_size,
		size_t *out_len) NODISCARD;

#endif
