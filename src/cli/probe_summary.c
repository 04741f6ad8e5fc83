/* SPDX-License-Identifier: MIT */
#include "cli/probe_summary.h"

#include "cli/show.h"

enum {
	LONG_MS = 1500, /* a still desktop has a frame a second */
};

static double number(const json_t *object, const char *name) {
	return json_number_value(json_object_get(object, name));
}

/* A time since the launch, or that it never came. */
static void show_stage(FILE *file, const json_t *stages, const char *name, const char *words) {
	const json_t *at = json_object_get(stages, name);
	if (json_is_number(at)) {
		fprintf(file, ", %s %.1f ms", words, json_number_value(at));
	} else {
		fprintf(file, ", %s never", words);
	}
}

static void show_spread(FILE *file, const json_t *object, const char *name, const char *words) {
	const json_t *spread = json_object_get(object, name);
	if (number(spread, "count") > 0) {
		fprintf(file, ", %s %.1f/%.1f/%.1f ms", words, number(spread, "p50"),
				number(spread, "p99"), number(spread, "max"));
	}
}

static void show_head(FILE *file, const json_t *report) {
	const char *app = json_string_value(json_object_get(report, "app"));
	const char *end = json_string_value(json_object_get(report, "end"));
	const char *code = json_string_value(json_object_get(report, "termination"));
	show_text(file, app ? app : "?");
	fprintf(file, ": %.1f s, end: %s%s%s, %s\n", number(report, "seconds"), end ? end : "?",
			code ? " " : "", code ? code : "",
			json_is_true(json_object_get(report, "left_cleanly"))
					? "left cleanly"
					: "the goodbye was not answered");
	const json_t *stages = json_object_get(report, "since_launch_ms");
	const json_t *launch = json_object_get(report, "launch_ms");
	fprintf(file, "stages   %s %.1f ms, RTSP %.1f ms", launch ? "launch" : "resume",
			launch ? json_number_value(launch) : number(report, "resume_ms"),
			number(report, "rtsp_ms"));
	show_stage(file, stages, "control_connected", "control at");
	show_stage(file, stages, "first_frame", "first frame at");
	show_stage(file, stages, "first_audio", "first sound at");
	fputc('\n', file);
}

static void show_video(FILE *file, const json_t *video) {
	fprintf(file, "video    %.0f frames, %.2f fps, %.0f kbit/s, %.0f key frames",
			number(video, "frames"), number(video, "fps"), number(video, "kbps"),
			number(video, "idrs"));
	show_spread(file, video, "gap_ms", "gaps (p50/p99/max)");
	show_spread(file, video, "host_ms", "host latency");
	fprintf(file,
			"\nloss     %.0f packets, %.0f rebuilt, %.0f blocks given up, %.0f frames "
			"missing, %.0f decode errors\n",
			number(video, "lost"), number(video, "recovered"),
			number(video, "fec_failed"), number(video, "missing_numbers"),
			number(video, "decode_errors"));
	if (number(video, "silent_at_end_ms") > LONG_MS) {
		fprintf(file, "silence  no frame in the last %.1f s\n",
				number(video, "silent_at_end_ms") / 1e3);
	}
	size_t index;
	const json_t *gap;
	json_array_foreach(json_object_get(video, "long_gaps"), index, gap) {
		fprintf(file, "gap      %.0f ms without a frame, %.1f s after the first\n",
				number(gap, "ms"), number(gap, "at_ms") / 1e3);
	}
	const json_t *pattern = json_object_get(video, "pattern");
	if (json_is_object(pattern)) {
		fprintf(file,
				"pattern  %.0f numbers (%.1f %% of the rate), %.0f missing, PSNR "
				"%.1f "
				"min %.1f mean, colours %.1f min %.1f mean\n",
				number(pattern, "numbers"), 100 * number(pattern, "of_grid"),
				number(pattern, "missing"), number(pattern, "psnr_min"),
				number(pattern, "psnr_mean"), number(pattern, "psnr_chroma_min"),
				number(pattern, "psnr_chroma_mean"));
	}
}

void probe_summary(FILE *file, const json_t *report) {
	show_head(file, report);
	show_video(file, json_object_get(report, "video"));
	const json_t *input = json_object_get(report, "input");
	if (input) {
		fprintf(file, "input    %.0f seen, %.0f missed", number(input, "seen"),
				number(input, "missed"));
		show_spread(file, input, "to_arrival_ms", "until the picture came");
		show_spread(file, input, "to_picture_ms", "until it was decoded");
		fputc('\n', file);
	}
	const json_t *audio = json_object_get(report, "audio");
	fprintf(file, "sound    %.0f packets, %.0f lost, %.0f errors", number(audio, "packets"),
			number(audio, "lost"), number(audio, "errors"));
	if (json_object_get(audio, "rms_db")) {
		fprintf(file, ", %.1f dB, tone %.1f Hz", number(audio, "rms_db"),
				number(audio, "tone_hz"));
	}
	fputc('\n', file);
	const json_t *impaired = json_object_get(report, "impaired");
	if (impaired) {
		fprintf(file, "network  %.0f passed, %.0f dropped, %.0f doubled, %.0f overtaken\n",
				number(impaired, "passed"), number(impaired, "dropped"),
				number(impaired, "duplicated"), number(impaired, "reordered"));
	}
}
