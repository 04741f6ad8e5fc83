/* SPDX-License-Identifier: MIT */
#include "proto/keycode.h"

#include <linux/input-event-codes.h>

#include "base/own.h"

/* clang-format off */
/* Indexed by virtual key; names and numbers are those of winuser.h. */
static const uint16_t keycodes[256] = {
	[0x03] = KEY_CANCEL,     [0x08] = KEY_BACKSPACE,  [0x09] = KEY_TAB,
	[0x0c] = KEY_CLEAR,      [0x0d] = KEY_ENTER,
	[0x10] = KEY_LEFTSHIFT,  [0x11] = KEY_LEFTCTRL,   [0x12] = KEY_LEFTALT,
	[0x13] = KEY_PAUSE,      [0x14] = KEY_CAPSLOCK,   [0x15] = KEY_KATAKANAHIRAGANA,
	[0x1b] = KEY_ESC,
	/* Clients send these two for the HID keys LANG1 and LANG2, not for convert. */
	[0x1c] = KEY_HANGEUL,    [0x1d] = KEY_HANJA,
	[0x20] = KEY_SPACE,      [0x21] = KEY_PAGEUP,     [0x22] = KEY_PAGEDOWN,
	[0x23] = KEY_END,        [0x24] = KEY_HOME,       [0x25] = KEY_LEFT,
	[0x26] = KEY_UP,         [0x27] = KEY_RIGHT,      [0x28] = KEY_DOWN,
	[0x29] = KEY_SELECT,     [0x2a] = KEY_PRINT,      [0x2c] = KEY_SYSRQ,
	[0x2d] = KEY_INSERT,     [0x2e] = KEY_DELETE,     [0x2f] = KEY_HELP,
	[0x30] = KEY_0, [0x31] = KEY_1, [0x32] = KEY_2, [0x33] = KEY_3, [0x34] = KEY_4,
	[0x35] = KEY_5, [0x36] = KEY_6, [0x37] = KEY_7, [0x38] = KEY_8, [0x39] = KEY_9,
	[0x41] = KEY_A, [0x42] = KEY_B, [0x43] = KEY_C, [0x44] = KEY_D, [0x45] = KEY_E,
	[0x46] = KEY_F, [0x47] = KEY_G, [0x48] = KEY_H, [0x49] = KEY_I, [0x4a] = KEY_J,
	[0x4b] = KEY_K, [0x4c] = KEY_L, [0x4d] = KEY_M, [0x4e] = KEY_N, [0x4f] = KEY_O,
	[0x50] = KEY_P, [0x51] = KEY_Q, [0x52] = KEY_R, [0x53] = KEY_S, [0x54] = KEY_T,
	[0x55] = KEY_U, [0x56] = KEY_V, [0x57] = KEY_W, [0x58] = KEY_X, [0x59] = KEY_Y,
	[0x5a] = KEY_Z,
	[0x5b] = KEY_LEFTMETA,   [0x5c] = KEY_RIGHTMETA,  [0x5d] = KEY_COMPOSE,
	[0x5f] = KEY_SLEEP,
	[0x60] = KEY_KP0, [0x61] = KEY_KP1, [0x62] = KEY_KP2, [0x63] = KEY_KP3, [0x64] = KEY_KP4,
	[0x65] = KEY_KP5, [0x66] = KEY_KP6, [0x67] = KEY_KP7, [0x68] = KEY_KP8, [0x69] = KEY_KP9,
	[0x6a] = KEY_KPASTERISK, [0x6b] = KEY_KPPLUS,     [0x6c] = KEY_KPCOMMA,
	[0x6d] = KEY_KPMINUS,    [0x6e] = KEY_KPDOT,      [0x6f] = KEY_KPSLASH,
	[0x70] = KEY_F1,  [0x71] = KEY_F2,  [0x72] = KEY_F3,  [0x73] = KEY_F4,
	[0x74] = KEY_F5,  [0x75] = KEY_F6,  [0x76] = KEY_F7,  [0x77] = KEY_F8,
	[0x78] = KEY_F9,  [0x79] = KEY_F10, [0x7a] = KEY_F11, [0x7b] = KEY_F12,
	[0x7c] = KEY_F13, [0x7d] = KEY_F14, [0x7e] = KEY_F15, [0x7f] = KEY_F16,
	[0x80] = KEY_F17, [0x81] = KEY_F18, [0x82] = KEY_F19, [0x83] = KEY_F20,
	[0x84] = KEY_F21, [0x85] = KEY_F22, [0x86] = KEY_F23, [0x87] = KEY_F24,
	[0x90] = KEY_NUMLOCK,    [0x91] = KEY_SCROLLLOCK, [0x92] = KEY_KPEQUAL,
	[0xa0] = KEY_LEFTSHIFT,  [0xa1] = KEY_RIGHTSHIFT, [0xa2] = KEY_LEFTCTRL,
	[0xa3] = KEY_RIGHTCTRL,  [0xa4] = KEY_LEFTALT,    [0xa5] = KEY_RIGHTALT,
	[0xa6] = KEY_BACK,       [0xa7] = KEY_FORWARD,    [0xa8] = KEY_REFRESH,
	[0xa9] = KEY_STOP,       [0xaa] = KEY_SEARCH,     [0xab] = KEY_BOOKMARKS,
	[0xac] = KEY_HOMEPAGE,   [0xad] = KEY_MUTE,       [0xae] = KEY_VOLUMEDOWN,
	[0xaf] = KEY_VOLUMEUP,   [0xb0] = KEY_NEXTSONG,   [0xb1] = KEY_PREVIOUSSONG,
	[0xb2] = KEY_STOPCD,     [0xb3] = KEY_PLAYPAUSE,  [0xb4] = KEY_EMAIL,
	[0xb5] = KEY_MEDIA,      [0xb6] = KEY_PROG1,      [0xb7] = KEY_PROG2,
	[0xba] = KEY_SEMICOLON,  [0xbb] = KEY_EQUAL,      [0xbc] = KEY_COMMA,
	[0xbd] = KEY_MINUS,      [0xbe] = KEY_DOT,        [0xbf] = KEY_SLASH,
	[0xc0] = KEY_GRAVE,      [0xc1] = KEY_RO,
	[0xdb] = KEY_LEFTBRACE,  [0xdc] = KEY_BACKSLASH,  [0xdd] = KEY_RIGHTBRACE,
	[0xde] = KEY_APOSTROPHE, [0xe2] = KEY_102ND,
	[0xfa] = KEY_PLAY,       [0xfb] = KEY_ZOOM,
};
/* clang-format on */

uint16_t keycode_from_vk(uint8_t vk) {
	return keycodes[vk];
}

uint8_t keycode_to_vk(uint16_t keycode) {
	if (keycode == 0) {
		return 0;
	}
	/* From the top, where the virtual keys that name a side are. */
	for (size_t vk = ARRAY_LEN(keycodes); vk-- > 0;) {
		if (keycodes[vk] == keycode) {
			return (uint8_t)vk;
		}
	}
	return 0;
}
