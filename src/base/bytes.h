/* SPDX-License-Identifier: MIT */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A cursor over bytes that somebody else owns.
 *
 * A read past the end yields zero and sets failed, which stays set: decode
 * every field in wire order, then ask reader_done() once. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static inline struct reader reader_over(const void *data, size_t len) {
	return (struct reader){ .at = (const uint8_t *)data, .left = len };
}

/* Borrows the next len bytes, or NULL. Every other read is built on this. */
static inline const uint8_t *reader_take(struct reader *r, size_t len) {
	if (r->failed || len > r->left) {
		r->failed = true;
		return NULL;
	}
	const uint8_t *taken = r->at;
	r->at += len;
	r->left -= len;
	return taken;
}

/* Copies the next len bytes to out, or zeros out. */
static inline void reader_copy(struct reader *r, void *out, size_t len) {
	const uint8_t *b = reader_take(r, len);
	if (b) {
		memcpy(out, b, len);
	} else {
		memset(out, 0, len);
	}
}

static inline uint8_t reader_u8(struct reader *r) {
	const uint8_t *b = reader_take(r, 1);
	return b ? b[0] : 0;
}

static inline uint16_t reader_be16(struct reader *r) {
	const uint8_t *b = reader_take(r, 2);
	return b ? (uint16_t)((unsigned)b[0] << 8 | b[1]) : 0;
}

static inline uint32_t reader_be32(struct reader *r) {
	uint32_t high = reader_be16(r);
	uint32_t low = reader_be16(r);
	return high << 16 | low;
}

static inline uint64_t reader_be64(struct reader *r) {
	uint64_t high = reader_be32(r);
	uint64_t low = reader_be32(r);
	return high << 32 | low;
}

static inline uint16_t reader_le16(struct reader *r) {
	return __builtin_bswap16(reader_be16(r));
}

static inline uint32_t reader_le32(struct reader *r) {
	return __builtin_bswap32(reader_be32(r));
}

static inline uint64_t reader_le64(struct reader *r) {
	return __builtin_bswap64(reader_be64(r));
}

/* IEEE-754 single, little endian. */
static inline float reader_lef32(struct reader *r) {
	uint32_t bits = reader_le32(r);
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* True when every read succeeded and no byte is left over. */
static inline bool reader_done(const struct reader *r) {
	return !r->failed && r->left == 0;
}

/* The same idea for writing: what does not fit is dropped, and failed says so. */
struct writer {
	uint8_t *at;
	size_t left;
	bool failed;
};

static inline struct writer writer_over(void *buf, size_t len) {
	return (struct writer){ .at = (uint8_t *)buf, .left = len };
}

/* Room for the next len bytes, or NULL. Every other write is built on this. */
static inline uint8_t *writer_take(struct writer *w, size_t len) {
	if (w->failed || len > w->left) {
		w->failed = true;
		return NULL;
	}
	uint8_t *taken = w->at;
	w->at += len;
	w->left -= len;
	return taken;
}

static inline void writer_copy(struct writer *w, const void *data, size_t len) {
	uint8_t *b = writer_take(w, len);
	if (b && len) {
		memcpy(b, data, len);
	}
}

static inline void writer_u8(struct writer *w, uint8_t v) {
	writer_copy(w, &v, 1);
}

static inline void writer_be16(struct writer *w, uint16_t v) {
	v = __builtin_bswap16(v);
	writer_copy(w, &v, sizeof(v));
}

static inline void writer_be32(struct writer *w, uint32_t v) {
	v = __builtin_bswap32(v);
	writer_copy(w, &v, sizeof(v));
}

static inline void writer_be64(struct writer *w, uint64_t v) {
	v = __builtin_bswap64(v);
	writer_copy(w, &v, sizeof(v));
}

static inline void writer_le16(struct writer *w, uint16_t v) {
	writer_copy(w, &v, sizeof(v));
}

static inline void writer_le32(struct writer *w, uint32_t v) {
	writer_copy(w, &v, sizeof(v));
}

static inline void writer_le64(struct writer *w, uint64_t v) {
	writer_copy(w, &v, sizeof(v));
}

static inline void writer_lef32(struct writer *w, float v) {
	writer_copy(w, &v, sizeof(v));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bytes.h assumes a little endian host");

#endif
