/* SPDX-License-Identifier: MIT */
#include "cli/probe_options.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "proto/sdp.h"

enum kind {
	TEXT,
	NUMBER,
	REAL,
	FLAG,
	CHOICE,
	SIZE,
};

struct choice {
	const char *word;
	int64_t value;
};

static const struct choice codecs[] = { { "h264", SDP_H264 }, { "hevc", SDP_HEVC }, { 0 } };
static const struct choice encryptions[] = { { "all", PROBE_ENCRYPT_ALL },
	{ "audio", PROBE_ENCRYPT_AUDIO }, { "video", PROBE_ENCRYPT_VIDEO },
	{ "none", PROBE_ENCRYPT_NONE }, { "plain", PROBE_ENCRYPT_PLAIN }, { 0 } };
static const struct choice matrices[] = { { "601", SDP_BT601 }, { "709", SDP_BT709 }, { 0 } };
static const struct choice ranges[] = { { "limited", 0 }, { "full", 1 }, { 0 } };

#define AT(member) offsetof(struct probe_options, member)

/* clang-format off */
static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t min, max; /* of NUMBER and REAL */
	const struct choice *choices;
	const char *help;
} rows[] = {
	{ "host",        TEXT,   AT(host),        0, 0, NULL, "name or address (127.0.0.1)" },
	{ "port",        NUMBER, AT(port),        1, 65535, NULL, "of HTTP (47989)" },
	{ "keys",        TEXT,   AT(keys),        0, 0, NULL, "folder of this client's identity and the host's certificate" },
	{ "pin",         TEXT,   AT(pin),         0, 0, NULL, "pairs with this PIN, if not paired" },
	{ "app",         TEXT,   AT(app),         0, 0, NULL, "title or ID of the app (the one that runs, else the first)" },
	{ "launch",      FLAG,   AT(launch),      0, 0, NULL, "stream: /launch even when the app runs already" },
	{ "quit",        FLAG,   AT(quit),        0, 0, NULL, "stream, resume: quit the app afterwards" },
	{ "session-url", TEXT,   AT(session_url), 0, 0, NULL, "watch: where its RTSP is, rtspenc://HOST:PORT" },
	{ "key",         TEXT,   AT(key),         0, 0, NULL, "watch: 32 hex digits" },
	{ "key-id",      NUMBER, AT(key_id),      INT32_MIN, UINT32_MAX, NULL, "watch: the number with it" },
	{ "size",        SIZE,   AT(width),       0, 0, NULL, "WxH of the picture (1280x720)" },
	{ "fps",         NUMBER, AT(fps),         1, SDP_FPS_MAX, NULL, "(60)" },
	{ "kbps",        NUMBER, AT(kbps),        100, SDP_BITRATE_MAX, NULL, "(10000)" },
	{ "packet-size", NUMBER, AT(packet_size), SDP_PACKET_MIN, SDP_PACKET_MAX, NULL, "before encryption takes its share (1392)" },
	{ "codec",       CHOICE, AT(codec),       0, 0, codecs, "" },
	{ "slices",      NUMBER, AT(slices),      1, SDP_SLICES_MAX, NULL, "per picture (1)" },
	{ "references",  NUMBER, AT(references),  0, SDP_REFERENCES_MAX, NULL, "1: only one; 0: any (0 with --rfi, else 1)" },
	{ "rfi",         FLAG,   AT(rfi),         0, 0, NULL, "answer loss by reference invalidation, if the host can" },
	{ "matrix",      CHOICE, AT(matrix),      0, 0, matrices, "(709)" },
	{ "range",       CHOICE, AT(range),       0, 0, ranges, "(limited)" },
	{ "audio",       NUMBER, AT(audio),       2, 8, NULL, "channels: 2, 6 or 8 (2)" },
	{ "audio-ms",    NUMBER, AT(audio_ms),    5, 10, NULL, "a packet's length: 5 or 10 (5)" },
	{ "encryption",  CHOICE, AT(encryption),  0, 0, encryptions, "plain: no encrypted RTSP either (all)" },
	{ "seconds",     REAL,   AT(seconds),     0, 30 * 24 * 3600, NULL, "of streaming (5)" },
	{ "frames",      NUMBER, AT(frames),      0, INT32_MAX, NULL, "ends after so many, if sooner" },
	{ "script",      TEXT,   AT(script),      0, 0, NULL, "file with what the viewer does; -: standard input, as it comes" },
	{ "shot",        TEXT,   AT(shot),        0, 0, NULL, "saves the last picture as PNG" },
	{ "out",         TEXT,   AT(out),         0, 0, NULL, "art: where to save it" },
	{ "no-decode",   FLAG,   AT(no_decode),   0, 0, NULL, "takes pictures and sound apart, but does not decode them" },
	{ "drop",        REAL,   AT(drop),        0, 100, NULL, "percent of the received datagrams to lose" },
	{ "duplicate",   REAL,   AT(duplicate),   0, 100, NULL, "percent that come twice" },
	{ "reorder",     REAL,   AT(reorder),     0, 100, NULL, "percent that are overtaken" },
	{ "delay",       NUMBER, AT(delay_ms),    0, 10000, NULL, "ms that all of them are late" },
	{ "seed",        NUMBER, AT(seed),        0, INT64_MAX, NULL, "of the above (1)" },
	{ "transcript",  TEXT,   AT(transcript),  0, 0, NULL, "records all that was exchanged, keys included" },
	{ "json",        FLAG,   AT(json),        0, 0, NULL, "the report as one line of JSON" },
};
/* clang-format on */

static void *field(struct probe_options *options, const struct row *row) {
	return (char *)options + row->offset;
}

static const struct row *find(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

static int take_size(struct probe_options *options, const char *value) {
	const char *x = strchr(value, 'x');
	int rc = x ? number_parse(value, (size_t)(x - value), 16, SDP_SIDE_MAX, &options->width)
		   : -EINVAL;
	return rc < 0 ? rc : number_parse(x + 1, strlen(x + 1), 16, SDP_SIDE_MAX, &options->height);
}

static int take_real(const struct row *row, const char *value, double *out) {
	char *end;
	double number = strtod(value, &end);
	if (end == value || *end || !isfinite(number) || number < (double)row->min ||
			number > (double)row->max) {
		return -EINVAL;
	}
	*out = number;
	return 0;
}

static int take_choice(const struct row *row, const char *value, int64_t *out) {
	for (const struct choice *choice = row->choices; choice->word; choice++) {
		if (strcmp(choice->word, value) == 0) {
			*out = choice->value;
			return 0;
		}
	}
	return -EINVAL;
}

static int take(struct probe_options *options, const struct row *row, const char *value) {
	switch (row->kind) {
	case TEXT:
		*(const char **)field(options, row) = value;
		return 0;
	case NUMBER:
		return number_parse(value, strlen(value), row->min, row->max, field(options, row));
	case REAL:
		return take_real(row, value, field(options, row));
	case CHOICE:
		return take_choice(row, value, field(options, row));
	case SIZE:
		return take_size(options, value);
	case FLAG:
		*(bool *)field(options, row) = true;
		return 0;
	}
	return -EINVAL;
}

static int complain(const char *what, const char *argument) {
	fprintf(stderr, "perigee probe: %s: %s (`perigee probe help` shows all options)\n", what,
			argument);
	return -EINVAL;
}

/* "--name value" or "--name=value" at *at, which then is the last word of it. */
static int take_option(struct probe_options *options, int argc, char **argv, int *at) {
	char name[32];
	const char *word = argv[*at], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	const struct row *row = NULL;
	if (text_format(name, sizeof(name), "%.*s", (int)len, word + 2)) {
		row = find(name);
	}
	if (!row || (equals && row->kind == FLAG)) {
		return complain("no such option", word);
	}
	const char *value = equals ? equals + 1 : NULL;
	if (!value && row->kind != FLAG) {
		if (*at + 1 == argc) {
			return complain("a value is missing", word);
		}
		value = argv[++*at];
	}
	return take(options, row, value) < 0 ? complain("a value that cannot be", value) : 0;
}

int probe_options_parse(int argc, char **argv, struct probe_options *out) {
	struct probe_options options = { .host = "127.0.0.1",
		.port = 47989,
		.width = 1280,
		.height = 720,
		.fps = 60,
		.kbps = 10000,
		.packet_size = 1392,
		.audio = 2,
		.audio_ms = 5,
		.slices = 1,
		.references = -1,
		.matrix = SDP_BT709,
		.seconds = 5,
		.seed = 1 };
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0) {
			if (options.mode) {
				return complain("only one mode", argv[i]);
			}
			options.mode = argv[i];
			continue;
		}
		if (take_option(&options, argc, argv, &i) < 0) {
			return -EINVAL;
		}
	}
	if ((options.audio != 2 && options.audio != 6 && options.audio != 8) ||
			(options.audio_ms != 5 && options.audio_ms != 10)) {
		return complain("a value that cannot be", "--audio 2|6|8 --audio-ms 5|10");
	}
	if (options.references < 0) {
		options.references = options.rfi ? 0 : 1;
	}
	options.mode = options.mode ? options.mode : "help";
	*out = options;
	return 0;
}

void probe_options_help(FILE *file) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char value[64] = "";
		static const char *const names[] = { [TEXT] = "X",
			[NUMBER] = "N",
			[REAL] = "N",
			[FLAG] = "",
			[CHOICE] = "",
			[SIZE] = "WxH" };
		text_copy(value, sizeof(value), names[rows[i].kind]);
		for (const struct choice *c = rows[i].choices; c && c->word; c++) {
			size_t len = strlen(value);
			text_format(value + len, sizeof(value) - len, "%s%s", len ? "|" : "",
					c->word);
		}
		int width = fprintf(file, "  --%s %s", rows[i].name, value);
		fprintf(file, "%*s%s\n", width < 42 ? 42 - width : 1, "", rows[i].help);
	}
}
