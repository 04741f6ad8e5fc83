/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "proto/control.h"
#include "proto/control_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Law: what was decoded encodes, and decodes again to the same bytes. */
static void message_check(enum control_side side, const uint8_t *data, size_t size) {
	struct control_message message, again;
	if (control_message_decode(side, data, size, &message) < 0) {
		return;
	}
	uint8_t first[CONTROL_MESSAGE_MAX], second[CONTROL_MESSAGE_MAX];
	size_t first_len = 0, second_len = 0;
	if (control_message_encode(&message, first, sizeof(first), &first_len) < 0) {
		return; /* input longer than a message */
	}
	if (control_message_decode(side, first, first_len, &again) < 0 ||
			control_message_encode(&again, second, sizeof(second), &second_len) < 0 ||
			first_len != second_len || memcmp(first, second, first_len) != 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	message_check(CONTROL_CLIENT, data, size);
	message_check(CONTROL_HOST, data, size);

	struct secret key = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };
	struct control_opener opener;
	if (control_opener_init(&opener, &key, CONTROL_CLIENT) == 0) {
		uint8_t out[CONTROL_MESSAGE_MAX];
		size_t len = 0;
		uint32_t sequence = 0;
		if (control_open(&opener, data, size, out, &len, &sequence) == 0) {
			message_check(CONTROL_CLIENT, out, len);
			/* Law: nothing opens twice. */
			if (control_open(&opener, data, size, out, &len, &sequence) == 0) {
				abort();
			}
		}
		control_opener_finish(&opener);
	}
	return 0;
}
