/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/bytes.h"
#include "proto/audio_receive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input: a flag for encryption, then datagrams each behind its length.
 * Law: packets come in order, each once or as lost. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct reader r = reader_over(data, size);
	struct secret key = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };
	struct audio_format format = { .duration_ms = 5, .encrypted = reader_u8(&r) & 1 };
	struct audio_receiver *receiver = NULL;
	if (audio_receiver_create(&format, format.encrypted ? &key : NULL, &receiver) < 0) {
		return 0;
	}
	while (r.left >= 2) {
		size_t len = reader_le16(&r);
		len = len < r.left ? len : r.left;
		if (audio_receive(receiver, reader_take(&r, len), len) < 0) {
			continue;
		}
		struct audio_received got;
		int rc, count = 0;
		uint16_t last = 0;
		while ((rc = audio_receive_next(receiver, &got)) != -EAGAIN) {
			if (rc == 0 && count && (uint16_t)(got.sequence - last) > FEC_AUDIO_DATA) {
				abort();
			}
			last = rc == 0 ? got.sequence : (uint16_t)(last + 1);
			if (++count > FEC_AUDIO_DATA * (AUDIO_GROUPS_HELD + 1) ||
					(rc == 0 && got.size > AUDIO_PAYLOAD_MAX)) {
				abort();
			}
		}
	}
	audio_receiver_destroy(receiver);
	return 0;
}
