/* SPDX-License-Identifier: MIT */
#include "ipc/client_words.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "ipc/message.h"

static const struct {
	uint32_t bit;
	const char *word;
} permissions[] = {
	{ PERMIT_LIST, "list" },
	{ PERMIT_LAUNCH, "launch" },
	{ PERMIT_KEYBOARD, "keyboard" },
	{ PERMIT_MOUSE, "mouse" },
	{ PERMIT_TOUCH, "touch" },
	{ PERMIT_GAMEPAD, "gamepad" },
	{ PERMIT_CLIPBOARD, "clipboard" },
	{ PERMIT_LOBBY_CREATE, "lobby_create" },
	{ PERMIT_LOBBY_JOIN, "lobby_join" },
};

static const char *const pads[PADS] = { "AUTO", "XBOX", "PS", "NINTENDO" };

uint32_t client_permission(const char *word) {
	for (size_t i = 0; i < ARRAY_LEN(permissions); i++) {
		if (strcmp(word, permissions[i].word) == 0) {
			return permissions[i].bit;
		}
	}
	return 0;
}

const char *client_permission_word(unsigned index, uint32_t *out_bit) {
	if (index >= ARRAY_LEN(permissions)) {
		return NULL;
	}
	*out_bit = permissions[index].bit;
	return permissions[index].word;
}

int client_pad(const char *word, uint8_t *out) {
	for (uint8_t pad = 0; pad < PADS; pad++) {
		if (strcasecmp(word, pads[pad]) == 0) {
			*out = pad;
			return 0;
		}
	}
	return -EINVAL;
}

const char *client_pad_word(uint8_t pad) {
	return pads[pad < PADS ? pad : PAD_AUTO];
}
