/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/bytes.h"
#include "proto/video_receive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input: a codec, a packet size, then datagrams each behind its length.
 * Laws: a frame fits in what four blocks can carry, and every datagram is
 * counted exactly once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct reader r = reader_over(data, size);
	struct video_receive_config config = {
		.codec = (enum video_codec)(reader_u8(&r) % 3),
		.packet_size = reader_le16(&r),
		.can_invalidate = reader_u8(&r) & 1,
	};
	struct video_receiver *receiver = NULL;
	if (r.failed || video_receiver_create(&config, &receiver) < 0) {
		return 0;
	}
	uint64_t datagrams = 0;
	while (r.left >= 2) {
		size_t len = reader_le16(&r);
		len = len < r.left ? len : r.left;
		struct video_received frame;
		int rc = video_receive(receiver, reader_take(&r, len), len, &frame);
		datagrams++;
		if (rc == 1) {
			size_t most = (size_t)VIDEO_BLOCKS_MAX * VIDEO_BLOCK_DATA_MAX *
				      config.packet_size;
			uint8_t sum = 0;
			for (size_t i = 0; i < frame.size; i++) {
				sum ^= frame.data[i];
			}
			if (frame.size == 0 || frame.size > most || (sum && !frame.data)) {
				abort();
			}
		}
	}
	const struct video_receive_stats *stats = video_receive_stats(receiver);
	if (stats->packets + stats->ignored + stats->malformed != datagrams + stats->corrupt) {
		abort();
	}
	video_receiver_destroy(receiver);
	return 0;
}
