/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "desktop/pad_dualsense.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Output reports, bytes of an app: two, so that one comes after another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const uint8_t address[PAD_DUALSENSE_ADDRESS];
	struct pad_dualsense pad;
	struct ipc_message says[PAD_DUALSENSE_SAYS_MAX];
	pad_dualsense_init(&pad, address);
	size_t half = size / 2;
	int first = pad_dualsense_output(&pad, data, half, says);
	assert(first <= PAD_DUALSENSE_SAYS_MAX);
	int count = pad_dualsense_output(&pad, data + half, size - half, says);
	for (int i = 0; i < count; i++) {
		assert(says[i].kind == IPC_PAD_FEEDBACK);
		assert(says[i].pad_feedback.what < PAD_FEEDBACKS);
	}
	/* What was said is not said again. */
	if (count >= 0) {
		int again = pad_dualsense_output(&pad, data + half, size - half, says);
		assert(again == 0);
	}
	return 0;
}
