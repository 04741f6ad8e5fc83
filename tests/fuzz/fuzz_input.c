/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "proto/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Law: what was decoded encodes, at the same length, and a second trip
 * changes nothing more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct input_event event, again;
	if (input_decode(data, size, &event) < 0) {
		return 0;
	}
	uint8_t first[INPUT_EVENT_MAX], second[INPUT_EVENT_MAX];
	size_t first_len = 0, second_len = 0;
	if (input_encode(&event, first, sizeof(first), &first_len) < 0 || first_len != size ||
			input_decode(first, first_len, &again) < 0 ||
			input_encode(&again, second, sizeof(second), &second_len) < 0 ||
			second_len != first_len || memcmp(first, second, first_len) != 0) {
		abort();
	}
	return 0;
}
