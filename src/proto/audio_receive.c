/* SPDX-License-Identifier: MIT */
#include "proto/audio_receive.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/cbc.h"

enum {
	SHARDS = FEC_AUDIO_DATA + FEC_AUDIO_PARITY,
	RTP_HEADER = 0x80,
};

struct group {
	bool used;
	uint16_t base;
	uint32_t timestamp; /* of its first packet */
	uint32_t ssrc;
	size_t size;    /* of each payload */
	unsigned count; /* shards present */
	bool present[SHARDS];
	uint8_t shards[SHARDS][AUDIO_PAYLOAD_MAX];
};

struct audio_receiver {
	struct cbc *cbc; /* owned; NULL when not encrypted */
	uint32_t key_id;
	uint8_t duration_ms;
	bool started;
	uint16_t next;   /* sequence of the packet that is due */
	uint16_t newest; /* base of the newest group seen */
	struct group groups[AUDIO_GROUPS_HELD];
	struct audio_receive_stats stats;
	uint8_t opus[AUDIO_PAYLOAD_MAX];
};

/* A datagram, wherever it says it belongs. */
struct shard {
	uint16_t base;
	uint32_t timestamp; /* of the group's first packet */
	uint32_t ssrc;
	unsigned index;
	const uint8_t *payload;
	size_t size;
};

static bool before16(uint16_t a, uint16_t b) {
	return (int16_t)(uint16_t)(a - b) < 0;
}

void audio_receiver_destroy(struct audio_receiver *receiver) {
	if (receiver) {
		cbc_destroy(receiver->cbc);
		free(receiver);
	}
}

int audio_receiver_create(const struct audio_format *format, const struct secret *key,
		struct audio_receiver **out) {
	OWN(audio_receiver_destroy)
	struct audio_receiver *receiver = (struct audio_receiver *)calloc(1, sizeof(*receiver));
	if (!receiver) {
		return -ENOMEM;
	}
	receiver->key_id = format->key_id;
	receiver->duration_ms = format->duration_ms;
	if (key) {
		int rc = cbc_create(key, CBC_OPEN, &receiver->cbc);
		if (rc < 0) {
			return rc;
		}
	}
	*out = TAKE(receiver, NULL);
	return 0;
}

const struct audio_receive_stats *audio_receive_stats(const struct audio_receiver *receiver) {
	return &receiver->stats;
}

static int shard_read(const struct audio_receiver *receiver, const void *datagram, size_t len,
		struct shard *out) {
	struct reader r = reader_over(datagram, len);
	uint8_t header = reader_u8(&r);
	uint8_t type = reader_u8(&r);
	uint16_t sequence = reader_be16(&r);
	uint32_t timestamp = reader_be32(&r);
	struct shard s = { .ssrc = reader_be32(&r), .index = sequence % FEC_AUDIO_DATA };
	s.base = (uint16_t)(sequence - s.index);
	s.timestamp = timestamp - s.index * receiver->duration_ms;
	if (type == AUDIO_TYPE_FEC) {
		s.index = FEC_AUDIO_DATA + reader_u8(&r);
		r.failed |= reader_u8(&r) != AUDIO_TYPE_OPUS;
		s.base = reader_be16(&r);
		s.timestamp = reader_be32(&r);
		s.ssrc = reader_be32(&r);
	} else if (type != AUDIO_TYPE_OPUS) {
		return -EBADMSG;
	}
	s.size = r.left;
	s.payload = reader_take(&r, r.left);
	if (!reader_done(&r) || header != RTP_HEADER || s.index >= SHARDS || s.size == 0 ||
			s.base % FEC_AUDIO_DATA != 0 || s.size > AUDIO_PAYLOAD_MAX) {
		return -EBADMSG;
	}
	*out = s;
	return 0;
}

static struct group *group_find(struct audio_receiver *receiver, uint16_t base) {
	return &receiver->groups[base / FEC_AUDIO_DATA % AUDIO_GROUPS_HELD];
}

static struct group *group_of(struct audio_receiver *receiver, uint16_t sequence) {
	uint16_t base = (uint16_t)(sequence - sequence % FEC_AUDIO_DATA);
	struct group *group = group_find(receiver, base);
	return group->used && group->base == base ? group : NULL;
}

static int group_take(struct audio_receiver *receiver, const struct shard *s, struct group **out) {
	struct group *group = group_find(receiver, s->base);
	if (!group->used || group->base != s->base) {
		*group = (struct group){ .used = true,
			.base = s->base,
			.timestamp = s->timestamp,
			.ssrc = s->ssrc,
			.size = s->size };
	}
	/* Real clients give up repairing for good over another size, and their debug
	 * builds assert the rest (RtpAudioQueue.c, getFecBlockForRtpPacket). */
	if (group->size != s->size || group->timestamp != s->timestamp || group->ssrc != s->ssrc) {
		receiver->stats.contradicting++;
		return -EPROTO;
	}
	if (group->present[s->index]) {
		return -EPROTO;
	}
	*out = group;
	return 0;
}

static void group_recover(struct audio_receiver *receiver, struct group *group) {
	uint8_t *at[SHARDS];
	for (size_t i = 0; i < SHARDS; i++) {
		at[i] = group->shards[i];
	}
	if (group->count < FEC_AUDIO_DATA ||
			fec_audio_decode(group->size, at, group->present) < 0) {
		return;
	}
	for (size_t i = 0; i < FEC_AUDIO_DATA; i++) {
		receiver->stats.recovered += !group->present[i];
		group->present[i] = true;
	}
}

static int receive(struct audio_receiver *receiver, const void *datagram, size_t len) {
	struct shard s;
	int rc = shard_read(receiver, datagram, len, &s);
	if (rc < 0) {
		return rc;
	}
	if (!receiver->started) {
		receiver->started = true;
		receiver->next = receiver->newest = s.base;
	}
	uint16_t awaited = (uint16_t)(receiver->next - receiver->next % FEC_AUDIO_DATA);
	if (before16(s.base, awaited)) {
		return -EPROTO;
	}
	/* Beyond what is held nothing between is worth waiting for. */
	if ((uint16_t)(s.base - awaited) >= FEC_AUDIO_DATA * AUDIO_GROUPS_HELD) {
		receiver->stats.lost += (uint16_t)(s.base - receiver->next);
		receiver->next = receiver->newest = s.base;
		for (size_t i = 0; i < AUDIO_GROUPS_HELD; i++) {
			receiver->groups[i].used = false;
		}
	}
	struct group *group = NULL;
	rc = group_take(receiver, &s, &group);
	if (rc < 0) {
		return rc;
	}
	memcpy(group->shards[s.index], s.payload, s.size);
	group->present[s.index] = true;
	group->count++;
	receiver->stats.packets += s.index < FEC_AUDIO_DATA;
	receiver->stats.parity += s.index >= FEC_AUDIO_DATA;
	receiver->newest = before16(receiver->newest, s.base) ? s.base : receiver->newest;
	group_recover(receiver, group);
	return 0;
}

int audio_receive(struct audio_receiver *receiver, const void *datagram, size_t len) {
	int rc = receive(receiver, datagram, len);
	receiver->stats.malformed += rc == -EBADMSG;
	receiver->stats.ignored += rc == -EPROTO;
	return rc;
}

static int payload_open(struct audio_receiver *receiver, const struct group *group,
		struct audio_received *out) {
	const uint8_t *payload = group->shards[out->sequence - group->base];
	out->data = payload;
	out->size = group->size;
	if (!receiver->cbc) {
		return 0;
	}
	uint8_t iv[CBC_IV_SIZE] = { 0 };
	struct writer w = writer_over(iv, sizeof(iv));
	writer_be32(&w, receiver->key_id + out->sequence);
	out->data = receiver->opus;
	int rc = cbc_open(receiver->cbc, iv, payload, group->size, receiver->opus, &out->size);
	receiver->stats.undecryptable += rc < 0;
	return rc;
}

int audio_receive_next(struct audio_receiver *receiver, struct audio_received *out) {
	if (!receiver->started) {
		return -EAGAIN;
	}
	unsigned index = receiver->next % FEC_AUDIO_DATA;
	struct group *group = group_of(receiver, receiver->next);
	struct audio_received received = { .sequence = receiver->next };
	if (group && group->present[index]) {
		received.timestamp = group->timestamp + index * receiver->duration_ms;
		int rc = payload_open(receiver, group, &received);
		receiver->next++;
		if (rc == 0) {
			*out = received;
		}
		return rc;
	}
	if (!before16((uint16_t)(receiver->next - index), receiver->newest)) {
		return -EAGAIN;
	}
	receiver->stats.lost++;
	receiver->next++;
	*out = received;
	return 0;
}
