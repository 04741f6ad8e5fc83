/* SPDX-License-Identifier: MIT */
#include "proto/launch.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/number.h"
#include "proto/http.h"

enum number {
	NUMBER_APPID,
	NUMBER_RIKEYID,
	NUMBER_HDR,
	NUMBER_LOCAL_AUDIO,
	NUMBER_SOPS,
	NUMBER_SURROUND,
	NUMBER_GCMAP,
	NUMBER_PERSIST,
	NUMBER_CONTINUOUS,
	NUMBER_COREVER,
	NUMBERS,
};

#define STEREO 0x30002

/* clang-format off */
/* rikeyid is a signed 32-bit value that some clients print unsigned. */
static const struct {
	const char *name;
	int64_t min, max, fallback;
} numbers[NUMBERS] = {
	[NUMBER_APPID]       = { "appid",              1,         INT32_MAX,  0 },
	[NUMBER_RIKEYID]     = { "rikeyid",            INT32_MIN, UINT32_MAX, 0 },
	[NUMBER_HDR]         = { "hdrMode",            0,         INT32_MAX,  0 },
	[NUMBER_LOCAL_AUDIO] = { "localAudioPlayMode", 0,         INT32_MAX,  0 },
	[NUMBER_SOPS]        = { "sops",               0,         INT32_MAX,  0 },
	[NUMBER_SURROUND]    = { "surroundAudioInfo",  0,         UINT32_MAX, STEREO },
	[NUMBER_GCMAP]       = { "gcmap",              0,         UINT32_MAX, 0 },
	[NUMBER_PERSIST]     = { "gcpersist",          0,         INT32_MAX,  0 },
	[NUMBER_CONTINUOUS]  = { "continuousAudio",    0,         INT32_MAX,  0 },
	[NUMBER_COREVER]     = { "corever",            0,         INT32_MAX,  0 },
};
/* clang-format on */

/* Every wrong parameter ends here: what was wrong, and that it was. */
static int refuse(const char *name, const char **out_culprit) {
	*out_culprit = name;
	return -EBADMSG;
}

static int numbers_parse(struct span query, int64_t out[NUMBERS], const char **out_culprit) {
	for (size_t i = 0; i < NUMBERS; i++) {
		int rc = http_query_number(
				query, numbers[i].name, numbers[i].min, numbers[i].max, &out[i]);
		if (rc == -ENOENT) {
			out[i] = numbers[i].fallback;
		} else if (rc < 0) {
			return refuse(numbers[i].name, out_culprit);
		}
	}
	return 0;
}

static int uniqueid_parse(struct span query, char *out, const char **out_culprit) {
	int len = http_query_text(query, "uniqueid", out, LAUNCH_UNIQUEID_MAX);
	if (len == -ENOENT) {
		out[0] = '\0';
		return 0;
	}
	static const char allowed[] = "0123456789-_abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	if (len < 0 || strspn(out, allowed) != (size_t)len) {
		return refuse("uniqueid", out_culprit);
	}
	return 0;
}

/* Takes the number up to the next 'x', or the rest, off text. */
static int side_take(struct span *text, bool last, int64_t min, int64_t max, uint16_t *out) {
	const char *x = memchr(text->at, 'x', text->len);
	if (last != !x) {
		return -EBADMSG;
	}
	size_t n = x ? (size_t)(x - text->at) : text->len;
	int64_t value;
	int rc = number_parse(text->at, n, min, max, &value);
	if (rc < 0) {
		return rc;
	}
	n += x ? 1 : 0;
	text->at += n;
	text->len -= n;
	*out = (uint16_t)value;
	return 0;
}

static int mode_parse(struct span query, struct launch_query *out) {
	char text[32];
	int len = http_query_text(query, "mode", text, sizeof(text));
	if (len == -ENOENT) {
		return 0;
	}
	if (len < 0) {
		return len;
	}
	struct span left = { text, (size_t)len };
	int rc = side_take(&left, false, 1, LAUNCH_SIDE_MAX, &out->width);
	rc = rc < 0 ? rc : side_take(&left, false, 1, LAUNCH_SIDE_MAX, &out->height);
	return rc < 0 ? rc : side_take(&left, true, 0, LAUNCH_FPS_MAX, &out->fps);
}

static int rikey_parse(struct span query, struct secret *out) {
	struct span raw;
	int rc = http_query_find(query, "rikey", &raw);
	if (rc < 0 || raw.len != 2 * sizeof(out->bytes)) {
		return -EBADMSG;
	}
	return hex_decode(raw.at, raw.len, out->bytes);
}

static int surround_params_parse(struct span query, char *out) {
	int len = http_query_text(query, "surroundParams", out, LAUNCH_SURROUND_MAX);
	if (len == -ENOENT || len == 0) {
		out[0] = '\0';
		return 0;
	}
	/* channels, streams, coupled, then a digit a channel */
	if (len < 5 || strspn(out, "0123456789") != (size_t)len || len != 3 + out[0] - '0') {
		return -EBADMSG;
	}
	return 0;
}

static bool surround_is_served(int64_t info) {
	int64_t channels = info & 0xffff;
	bool known = channels == 2 || channels == 6 || channels == 8;
	return known && __builtin_popcountll((uint64_t)info >> 16) == channels;
}

static void numbers_take(const int64_t values[NUMBERS], struct launch_query *out) {
	out->app_id = (int32_t)values[NUMBER_APPID];
	out->rikeyid = (int32_t)(uint32_t)values[NUMBER_RIKEYID];
	out->hdr = values[NUMBER_HDR] != 0;
	out->local_audio = values[NUMBER_LOCAL_AUDIO] != 0;
	out->optimise = values[NUMBER_SOPS] != 0;
	out->channels = (uint8_t)values[NUMBER_SURROUND];
	out->channel_mask = (uint16_t)(values[NUMBER_SURROUND] >> 16);
	out->gamepads = (uint32_t)values[NUMBER_GCMAP];
	out->gamepads_persist = values[NUMBER_PERSIST] != 0;
	out->continuous_audio = values[NUMBER_CONTINUOUS] != 0;
	out->corever = (unsigned)values[NUMBER_COREVER];
}

int launch_resume_parse(struct span query, struct launch_query *out, const char **out_culprit) {
	struct launch_query launch = { 0 };
	int64_t values[NUMBERS];
	struct span raw;
	if (http_query_find(query, "rikeyid", &raw) < 0) {
		return refuse("rikeyid", out_culprit);
	}
	int rc = numbers_parse(query, values, out_culprit);
	rc = rc < 0 ? rc : uniqueid_parse(query, launch.uniqueid, out_culprit);
	if (rc < 0) {
		return rc;
	}
	if (!surround_is_served(values[NUMBER_SURROUND])) {
		return refuse("surroundAudioInfo", out_culprit);
	}
	if (mode_parse(query, &launch) < 0) {
		return refuse("mode", out_culprit);
	}
	if (surround_params_parse(query, launch.surround_params) < 0) {
		return refuse("surroundParams", out_culprit);
	}
	if (rikey_parse(query, &launch.rikey) < 0) {
		return refuse("rikey", out_culprit);
	}
	numbers_take(values, &launch);
	*out = launch;
	secret_wipe(&launch.rikey);
	return 0;
}

int launch_query_parse(struct span query, struct launch_query *out, const char **out_culprit) {
	struct span raw;
	if (http_query_find(query, "appid", &raw) < 0) {
		return refuse("appid", out_culprit);
	}
	return launch_resume_parse(query, out, out_culprit);
}

int launch_query_write(const struct launch_query *query, char *buf, size_t size) {
	char rikey[2 * sizeof(query->rikey.bytes) + 1];
	hex_encode(query->rikey.bytes, sizeof(query->rikey.bytes), rikey);
	struct writer w = writer_over(buf, size);
	text_putf(&w, "uniqueid=%s&appid=%d&mode=%ux%ux%u&additionalStates=1&sops=%d",
			query->uniqueid, query->app_id, query->width, query->height, query->fps,
			query->optimise);
	text_putf(&w, "&rikey=%s&rikeyid=%d&hdrMode=%d&localAudioPlayMode=%d", rikey,
			query->rikeyid, query->hdr, query->local_audio);
	text_putf(&w, "&surroundAudioInfo=%u&remoteControllersBitmap=%u&gcmap=%u&gcpersist=%d",
			(unsigned)query->channel_mask << 16 | query->channels, query->gamepads,
			query->gamepads, query->gamepads_persist);
	text_putf(&w, "&corever=%u&continuousAudio=%d&surroundParams=%s", query->corever,
			query->continuous_audio, query->surround_params);
	explicit_bzero(rikey, sizeof(rikey));
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

int launch_appid_parse(struct span query, int32_t *out, const char **out_culprit) {
	int64_t value;
	if (http_query_number(query, "appid", 1, INT32_MAX, &value) < 0) {
		return refuse("appid", out_culprit);
	}
	*out = (int32_t)value;
	return 0;
}

/* clang-format off */
/* How each phase is told: by a phrase, or by the parameter that carries its blob. */
static const struct {
	const char *phrase; /* NULL: the presence of `blob` tells the phase */
	const char *blob;   /* NULL: none */
	size_t min, max;    /* bytes of the blob */
} pair_steps[PAIR_STEPS] = {
	[PAIR_GET_SERVER_CERT]       = { "getservercert", "clientcert",          1,   PAIR_BLOB_MAX },
	[PAIR_CLIENT_CHALLENGE]      = { NULL,            "clientchallenge",     16,  16 },
	[PAIR_SERVER_CHALLENGE_RESP] = { NULL,            "serverchallengeresp", 32,  32 },
	[PAIR_CLIENT_SECRET]         = { NULL,            "clientpairingsecret", 272, 528 },
	[PAIR_CHALLENGE]             = { "pairchallenge", NULL,                  0,   0 },
};
/* clang-format on */

static bool step_is_named(struct span query, enum pair_step step) {
	struct span value;
	if (pair_steps[step].phrase) {
		return http_query_find(query, "phrase", &value) == 0 &&
		       span_is(value, pair_steps[step].phrase);
	}
	return http_query_find(query, pair_steps[step].blob, &value) != -ENOENT;
}

static int step_parse(struct span query, enum pair_step *out) {
	size_t named = 0;
	for (size_t i = 0; i < PAIR_STEPS; i++) {
		if (step_is_named(query, (enum pair_step)i)) {
			*out = (enum pair_step)i;
			named++;
		}
	}
	return named == 1 ? 0 : -EBADMSG;
}

static int blob_parse(struct span query, const char *name, size_t min, size_t max, uint8_t *out,
		size_t *out_len) {
	struct span raw;
	int rc = http_query_find(query, name, &raw);
	if (rc < 0 || raw.len < 2 * min || raw.len > 2 * max) {
		return -EBADMSG;
	}
	rc = hex_decode(raw.at, raw.len, out);
	*out_len = raw.len / 2;
	return rc;
}

static int device_name_parse(struct span query, char *out, size_t size) {
	int len = http_query_text(query, "devicename", out, size);
	if (len == -ENOENT) {
		out[0] = '\0';
		return 0;
	}
	return len < 0 || !text_is_printable(out, (size_t)len) ? -EBADMSG : 0;
}

int pair_query_parse(struct span query, struct pair_query *out, const char **out_culprit) {
	*out = (struct pair_query){ 0 };
	int rc = uniqueid_parse(query, out->uniqueid, out_culprit);
	if (rc < 0) {
		return rc;
	}
	if (device_name_parse(query, out->device_name, sizeof(out->device_name)) < 0) {
		return refuse("devicename", out_culprit);
	}
	if (step_parse(query, &out->step) < 0) {
		return refuse("phrase", out_culprit);
	}
	const char *blob = pair_steps[out->step].blob;
	if (blob && blob_parse(query, blob, pair_steps[out->step].min, pair_steps[out->step].max,
				    out->blob, &out->blob_len) < 0) {
		return refuse(blob, out_culprit);
	}
	size_t salt_len;
	if (out->step == PAIR_GET_SERVER_CERT &&
			blob_parse(query, "salt", PAIR_SALT_SIZE, PAIR_SALT_SIZE, out->salt,
					&salt_len) < 0) {
		return refuse("salt", out_culprit);
	}
	return 0;
}
