/* SPDX-License-Identifier: MIT */
#ifndef IPC_CLIENT_WORDS_H
#define IPC_CLIENT_WORDS_H

#include <stdint.h>

#include "base/own.h"

/* What people call a client's permissions and gamepads, in perigee.yaml and in the API. */

/* All words of permissions, as a person is told them. */
#define CLIENT_PERMISSIONS \
	"list, launch, keyboard, mouse, touch, gamepad, clipboard, lobby_create, lobby_join"

/* The bit (PERMIT_) of a word; 0 for none. */
uint32_t client_permission(const char *word);

/* The index-th permission's word, and its bit; NULL behind the last. */
const char *client_permission_word(unsigned index, uint32_t *out_bit);

/* enum ipc_pad of AUTO, XBOX, PS or NINTENDO, in whatever case; -EINVAL. */
int client_pad(const char *word, uint8_t *out) NODISCARD;

/* "AUTO" for what is none. */
const char *client_pad_word(uint8_t pad);

#endif
