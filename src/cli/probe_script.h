/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_SCRIPT_H
#define CLI_PROBE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"
#include "proto/input.h"

/* What a viewer does, as a text of lines "<ms> <what> <arguments>", where ms
 * counts from the moment the stream stands; '#' begins a comment.
 *
 *   key VK | down VK | up VK          a Windows virtual key, 0x41 or 65
 *   text WORDS                        UTF-8 to the end of the line
 *   rel DX DY | abs X Y WIDTH HEIGHT  the mouse
 *   press B | release B | click B     mouse button 1 to 5
 *   scroll N | hscroll N              120 a notch
 *   touch TYPE ID X Y                 X and Y from 0 to 1
 *   arrive PAD MASK TYPE CAPABILITIES
 *   pad N MASK BUTTONS LT RT LX LY RX RY
 *   idr                               asks for a key frame
 *   shot FILE.png                     saves the picture that is on show then
 *   inputcheck N                      N key presses, each waited for in Pattern
 *
 * Pure: no file, no clock. */
enum {
	SCRIPT_ACTIONS_MAX = 20000,
	SCRIPT_FILE_MAX = 256,
	SCRIPT_KEY_MS = 8,    /* how long `key` holds */
	SCRIPT_CLICK_MS = 20, /* how long `click` holds */
};

enum script_kind {
	SCRIPT_INPUT,
	SCRIPT_IDR,
	SCRIPT_SHOT,
	SCRIPT_INPUT_CHECK,
};

struct script_action {
	uint32_t at_ms;
	enum script_kind kind;
	union {
		struct input_event input;
		char file[SCRIPT_FILE_MAX];
		uint32_t presses; /* of SCRIPT_INPUT_CHECK */
	};
};

/* By time; actions of the same time in the order of their lines. */
struct script {
	struct script_action *actions; /* owned */
	size_t count, capacity;
};

/* Reads a whole text. -EBADMSG for a line that is none of the above, -ENOSPC for too
 * many actions, -ENOMEM; *out_line is then the line's number. Finish it in either case. */
int script_parse(struct span text, struct script *out, size_t *out_line) NODISCARD;

/* Harmless on a zeroed one. */
void script_finish(struct script *script);

#endif
