/* SPDX-License-Identifier: MIT */
#include "proto/rtsp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum {
	LFE = 3, /* its place among the channels FL FR C LFE ... */
};

/* clang-format off */
static const struct rtsp_surround layouts[] = {
	{ 2, 1, 1, { 0, 1 },                   false },
	{ 6, 4, 2, { 0, 1, 2, 3, 4, 5 },       false },
	{ 6, 6, 0, { 0, 1, 2, 3, 4, 5 },       true  },
	{ 8, 5, 3, { 0, 1, 2, 3, 4, 5, 6, 7 }, false },
	{ 8, 8, 0, { 0, 1, 2, 3, 4, 5, 6, 7 }, true  },
};
/* clang-format on */

const struct rtsp_surround *rtsp_surround_layouts(size_t *out_count) {
	*out_count = ARRAY_LEN(layouts);
	return layouts;
}

static void digit_put(struct writer *w, uint8_t digit) {
	assert(digit <= 9);
	writer_u8(w, (uint8_t)('0' + digit));
}

/* The client moves the last digit of a normal surround layout to LFE's place and the
 * ones from there on one back; so LFE's goes last here. */
static void surround_put(struct writer *w, const struct rtsp_surround *surround) {
	assert(surround->channels <= RTSP_CHANNELS_MAX);
	bool rotated = surround->channels > 2 && !surround->high_quality;
	text_put(w, "a=fmtp:97 surround-params=");
	digit_put(w, surround->channels);
	digit_put(w, surround->streams);
	digit_put(w, surround->coupled);
	for (size_t i = 0; i < surround->channels; i++) {
		if (!rotated || i != LFE) {
			digit_put(w, surround->mapping[i]);
		}
	}
	if (rotated) {
		digit_put(w, surround->mapping[LFE]);
	}
	text_put(w, "\n");
}

static const char features_line[] = "a=x-ss-general.featureFlags:";
static const char supported_line[] = "a=x-ss-general.encryptionSupported:";
static const char requested_line[] = "a=x-ss-general.encryptionRequested:";
static const char rfi_line[] = "a=x-nv-video[0].refPicInvalidation:1";
static const char hevc_line[] = "sprop-parameter-sets=AAAAAU";
static const char av1_line[] = "a=rtpmap:98 AV1/90000";

int rtsp_describe_write(const struct rtsp_describe *describe, char *buf, size_t size) {
	struct writer w = writer_over(buf, size);
	text_putf(&w, "%s%u\n", features_line, describe->features);
	text_putf(&w, "%s%u\n", supported_line, describe->encryption_supported);
	text_putf(&w, "%s%u\n", requested_line, describe->encryption_requested);
	if (describe->rfi) {
		text_putf(&w, "%s\n", rfi_line);
	}
	if (describe->hevc) {
		text_putf(&w, "%s\n", hevc_line);
	}
	if (describe->av1) {
		text_putf(&w, "%s\n", av1_line);
	}
	for (size_t i = 0; i < describe->n_surround; i++) {
		surround_put(&w, &describe->surround[i]);
	}
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

/* Clients search for the text of a line anywhere; so does this. */
static const char *locate(struct span body, const char *text) {
	return body.at && body.len ? memmem(body.at, body.len, text, strlen(text)) : NULL;
}

static int number_after(struct span body, const char *line, uint32_t *out) {
	const char *at = locate(body, line);
	if (!at) {
		*out = 0;
		return 0;
	}
	at += strlen(line);
	size_t left = body.len - (size_t)(at - body.at);
	size_t n = 0, value;
	while (n < left && at[n] >= '0' && at[n] <= '9') {
		n++;
	}
	if (head_number((struct span){ at, n }, UINT32_MAX, &value) < 0) {
		return -EBADMSG;
	}
	*out = (uint32_t)value;
	return 0;
}

int rtsp_describe_parse(struct span body, struct rtsp_describe *out) {
	struct rtsp_describe describe = {
		.rfi = locate(body, "x-nv-video[0].refPicInvalidation"),
		.hevc = locate(body, hevc_line),
		.av1 = locate(body, "AV1/90000"),
	};
	int rc = number_after(body, features_line, &describe.features);
	rc = rc < 0 ? rc : number_after(body, supported_line, &describe.encryption_supported);
	rc = rc < 0 ? rc : number_after(body, requested_line, &describe.encryption_requested);
	if (rc < 0) {
		return rc;
	}
	*out = describe;
	return 0;
}
