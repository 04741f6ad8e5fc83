/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "cli/probe_script.h"

/* Every input of a script that is taken can be sent, and times do not go back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct script script;
	size_t line;
	if (script_parse((struct span){ (const char *)data, size }, &script, &line) == 0) {
		for (size_t i = 0; i < script.count; i++) {
			const struct script_action *action = &script.actions[i];
			uint8_t bytes[INPUT_EVENT_MAX];
			size_t len;
			assert(i == 0 || script.actions[i - 1].at_ms <= action->at_ms);
			assert(action->kind != SCRIPT_INPUT ||
					input_encode(&action->input, bytes, sizeof(bytes), &len) ==
							0);
		}
	}
	script_finish(&script);
	return 0;
}
