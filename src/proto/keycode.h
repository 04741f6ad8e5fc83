/* SPDX-License-Identifier: MIT */
#ifndef PROTO_KEYCODE_H
#define PROTO_KEYCODE_H

#include <stdint.h>

/* Windows virtual keys, which clients send by US position (moonlight-common-c
 * Limelight.h, LiSendKeyboardEvent2), and Linux evdev key codes
 * (linux/input-event-codes.h). Either way 0 means that there is none. */
uint16_t keycode_from_vk(uint8_t vk);

/* Where several virtual keys mean one code (0x10 and 0xA0 are both the left
 * shift) it answers the one that names a side. */
uint8_t keycode_to_vk(uint16_t keycode);

#endif
