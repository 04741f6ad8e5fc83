/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "ipc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever decodes must encode to the same bytes; or, when it ended early at a field
 * boundary, to those bytes and the encoding of zeros; or, when a newer release has
 * appended to it, to the bytes that this one knows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const size_t counts[] = { 0, 1, 2, 7 };
	for (int from = 0; from < PEER_KINDS; from++) {
		for (int to = 0; to < PEER_KINDS; to++) {
			for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
				struct ipc_message message;
				if (ipc_decode((enum ipc_peer)from, (enum ipc_peer)to, data, size,
						    counts[i], &message) < 0) {
					continue;
				}
				uint8_t again[IPC_MESSAGE_MAX];
				int len = ipc_encode(&message, again, sizeof(again));
				assert(len >= 2 && size >= 2);
				assert(memcmp(again, data,
						       size < (size_t)len ? size : (size_t)len) ==
						0);
			}
		}
	}
	return 0;
}
