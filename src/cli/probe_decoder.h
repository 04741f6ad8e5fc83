/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_DECODER_H
#define CLI_PROBE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "cli/probe_picture.h"

/* Encoded pictures to planes, by libavcodec on the caller's thread. Every flaw in the
 * bitstream is an error. */
struct probe_decoder;

int probe_decoder_create(bool hevc, struct probe_decoder **out) NODISCARD;
void probe_decoder_destroy(struct probe_decoder *decoder);

/* Decodes one picture: 1 when it can be had by probe_decoder_picture(), 0 when the decoder
 * keeps it back, -EBADMSG for an error in it. */
int probe_decoder_take(struct probe_decoder *decoder, const uint8_t *data, size_t size) NODISCARD;

/* The newest picture, borrowed until the next take. -ENOENT before the first one, -ENOTSUP
 * when it is not planar with eight bits. */
int probe_decoder_picture(const struct probe_decoder *decoder, struct probe_picture *out) NODISCARD;

/* What the bitstream says of its colours; -1 where it says nothing. */
struct probe_signalled {
	int matrix;     /* 601, 709 or 2020 */
	int full_range; /* 0 or 1 */
	int profile, level;
};

struct probe_signalled probe_decoder_signalled(const struct probe_decoder *decoder);

OWN_DEFINE(struct probe_decoder *, probe_decoder_destroy)

#endif
