/* SPDX-License-Identifier: MIT */
#include "proto/audio.h"

#include <assert.h>
#include <errno.h>

#include "base/bytes.h"
#include "proto/cbc.h"

enum {
	RTP_HEADER = 0x80,
};

struct audio_position audio_position_aligned(struct audio_position position, uint8_t duration_ms) {
	while (position.next_sequence % FEC_AUDIO_DATA != 0) {
		position.next_sequence++;
		position.next_timestamp += duration_ms;
	}
	return position;
}

int audio_sender_init(struct audio_sender *sender, const struct audio_format *format,
		const struct secret *key, const struct audio_position *position) {
	if ((format->duration_ms != 5 && format->duration_ms != 10) ||
			position->next_sequence % FEC_AUDIO_DATA != 0) {
		return -EINVAL;
	}
	struct cbc *cbc = NULL;
	if (format->encrypted) {
		int rc = cbc_create(key, CBC_SEAL, &cbc);
		if (rc < 0) {
			return rc;
		}
	}
	*sender = (struct audio_sender){ .format = *format, .position = *position, .cbc = cbc };
	return 0;
}

void audio_sender_finish(struct audio_sender *sender) {
	cbc_destroy(TAKE(sender->cbc, NULL));
}

static void rtp_write(struct writer *w, uint8_t type, uint16_t sequence, uint32_t timestamp) {
	writer_u8(w, RTP_HEADER);
	writer_u8(w, type);
	writer_be16(w, sequence);
	writer_be32(w, timestamp);
	writer_be32(w, 0); /* SSRC */
}

/* Encrypts or copies into the group; returns the payload's size. */
static size_t payload_make(
		struct audio_sender *sender, const void *opus, size_t len, uint8_t *payload) {
	if (!sender->cbc) {
		memcpy(payload, opus, len);
		return len;
	}
	uint8_t iv[CBC_IV_SIZE] = { 0 };
	struct writer w = writer_over(iv, sizeof(iv));
	writer_be32(&w, sender->format.key_id + sender->position.next_sequence);
	cbc_seal(sender->cbc, iv, opus, len, payload);
	return cbc_sealed_size(len);
}

/* Parity travels under a numbering of its own: it takes no data sequence. */
static void parity_write(struct audio_sender *sender, uint16_t base, struct audio_batch *out) {
	uint8_t *data[FEC_AUDIO_DATA], *parity[FEC_AUDIO_PARITY];
	size_t size = sender->group_size;
	for (size_t i = 0; i < FEC_AUDIO_DATA; i++) {
		data[i] = sender->group[i];
	}
	for (unsigned i = 0; i < FEC_AUDIO_PARITY; i++) {
		struct writer w = writer_over(out->datagrams[1 + i], AUDIO_DATAGRAM_MAX);
		rtp_write(&w, AUDIO_TYPE_FEC, (uint16_t)(base + FEC_AUDIO_DATA + i), 0);
		writer_u8(&w, (uint8_t)i);
		writer_u8(&w, AUDIO_TYPE_OPUS);
		writer_be16(&w, base);
		writer_be32(&w, sender->group_timestamp);
		writer_be32(&w, 0); /* SSRC */
		parity[i] = writer_take(&w, size);
		assert(parity[i]);
		out->sizes[1 + i] = (uint16_t)(AUDIO_DATAGRAM_MAX - w.left);
	}
	fec_audio_encode(size, data, parity);
	out->count = 1 + FEC_AUDIO_PARITY;
}

int audio_send(struct audio_sender *sender, const void *opus, size_t len, struct audio_batch *out) {
	if (len == 0 || len > AUDIO_OPUS_MAX) {
		return -EINVAL;
	}
	struct audio_position *position = &sender->position;
	unsigned index = sender->group_count;
	uint8_t *payload = sender->group[index];
	size_t size = payload_make(sender, opus, len, payload);
	if (index == 0) {
		sender->group_timestamp = position->next_timestamp;
		sender->group_size = size;
		sender->group_even = true;
	}
	sender->group_even = sender->group_even && size == sender->group_size;

	struct writer w = writer_over(out->datagrams[0], AUDIO_DATAGRAM_MAX);
	rtp_write(&w, AUDIO_TYPE_OPUS, position->next_sequence, position->next_timestamp);
	writer_copy(&w, payload, size);
	assert(!w.failed);
	out->sizes[0] = (uint16_t)(AUDIO_DATAGRAM_MAX - w.left);
	out->count = 1;

	position->next_sequence++;
	position->next_timestamp += sender->format.duration_ms;
	sender->group_count = (index + 1) % FEC_AUDIO_DATA;
	if (sender->group_count == 0) {
		if (sender->group_even) {
			parity_write(sender, (uint16_t)(position->next_sequence - FEC_AUDIO_DATA),
					out);
		} else {
			sender->uneven++;
		}
	}
	return 0;
}
