/* SPDX-License-Identifier: MIT */
#include "proto/control.h"

#include <errno.h>

#include "base/bytes.h"
#include "proto/gcm.h"

enum {
	TYPE_ENCRYPTED = 0x0001,
	LENGTH_AROUND = 8 + GCM_TAG_SIZE,  /* type, length, sequence, tag */
	LENGTH_COUNTED = 4 + GCM_TAG_SIZE, /* what the length field counts of it */
	MESSAGE_MIN = 4,
	WINDOW_SIZE = 64,
};

_Static_assert(CONTROL_OVERHEAD == (int)LENGTH_AROUND, "the envelope is 24 bytes");

static void iv_make(uint8_t iv[GCM_IV_SIZE], uint32_t sequence, enum control_side side) {
	memset(iv, 0, GCM_IV_SIZE);
	struct writer w = writer_over(iv, GCM_IV_SIZE);
	writer_le32(&w, sequence);
	iv[10] = (uint8_t)side;
	iv[11] = 'C';
}

int control_sealer_init(struct control_sealer *sealer, const struct secret *key,
		enum control_side side, uint32_t first) {
	struct gcm *gcm = NULL;
	int rc = gcm_create(key, GCM_SEAL, &gcm);
	if (rc < 0) {
		return rc;
	}
	*sealer = (struct control_sealer){
		.gcm = gcm, .side = side, .next = first, .end = CONTROL_SEQUENCE_END
	};
	return 0;
}

void control_sealer_finish(struct control_sealer *sealer) {
	gcm_destroy(TAKE(sealer->gcm, NULL));
}

int control_seal(struct control_sealer *sealer, const void *message, size_t len, uint8_t *out,
		size_t out_size, size_t *out_len) {
	if (sealer->next >= sealer->end || sealer->next >= CONTROL_SEQUENCE_END) {
		return -EAGAIN;
	}
	if (len > CONTROL_MESSAGE_MAX) {
		return -EINVAL;
	}
	if (out_size < LENGTH_AROUND + len) {
		return -ENOSPC;
	}
	struct writer w = writer_over(out, out_size);
	uint32_t sequence = (uint32_t)sealer->next;
	writer_le16(&w, TYPE_ENCRYPTED);
	writer_le16(&w, (uint16_t)(LENGTH_COUNTED + len));
	writer_le32(&w, sequence);
	uint8_t *tag = writer_take(&w, GCM_TAG_SIZE);
	uint8_t *body = writer_take(&w, len);
	uint8_t iv[GCM_IV_SIZE];
	iv_make(iv, sequence, sealer->side);
	sealer->next++;
	gcm_seal(sealer->gcm, iv, message, len, body, tag);
	*out_len = LENGTH_AROUND + len;
	return 0;
}

bool control_window_accepts(const struct control_window *window, uint32_t sequence) {
	if (window->seen == 0 || sequence > window->highest) {
		return true;
	}
	uint32_t age = window->highest - sequence;
	return age < WINDOW_SIZE && !(window->seen >> age & 1);
}

void control_window_add(struct control_window *window, uint32_t sequence) {
	if (window->seen == 0) {
		*window = (struct control_window){ .seen = 1, .highest = sequence };
	} else if (sequence > window->highest) {
		uint32_t step = sequence - window->highest;
		window->seen = (step < WINDOW_SIZE ? window->seen << step : 0) | 1;
		window->highest = sequence;
	} else if (window->highest - sequence < WINDOW_SIZE) {
		window->seen |= UINT64_C(1) << (window->highest - sequence);
	}
}

int control_opener_init(
		struct control_opener *opener, const struct secret *key, enum control_side side) {
	struct gcm *gcm = NULL;
	int rc = gcm_create(key, GCM_OPEN, &gcm);
	if (rc < 0) {
		return rc;
	}
	*opener = (struct control_opener){ .gcm = gcm, .side = side };
	return 0;
}

void control_opener_finish(struct control_opener *opener) {
	gcm_destroy(TAKE(opener->gcm, NULL));
}

int control_open(struct control_opener *opener, const void *envelope, size_t len, uint8_t *out,
		size_t *out_len, uint32_t *out_sequence) {
	struct reader r = reader_over(envelope, len);
	uint16_t type = reader_le16(&r);
	uint16_t length = reader_le16(&r);
	if (r.failed || type != TYPE_ENCRYPTED || length != r.left) {
		return -EBADMSG;
	}
	uint32_t sequence = reader_le32(&r);
	const uint8_t *tag = reader_take(&r, GCM_TAG_SIZE);
	if (!tag || r.left < MESSAGE_MIN || r.left > CONTROL_MESSAGE_MAX) {
		return -EBADMSG;
	}
	/* Before the tag is known to be good this only spares the work. */
	if (!control_window_accepts(&opener->window, sequence)) {
		return -EPROTO;
	}
	uint8_t iv[GCM_IV_SIZE];
	iv_make(iv, sequence, opener->side);
	int rc = gcm_open(opener->gcm, iv, tag, r.at, r.left, out);
	if (rc < 0) {
		return rc;
	}
	control_window_add(&opener->window, sequence);
	*out_len = r.left;
	*out_sequence = sequence;
	return 0;
}
