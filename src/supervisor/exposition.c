/* SPDX-License-Identifier: MIT */
#include "supervisor/exposition.h"

#include <stdio.h>

#include "base/own.h"
#include "base/text.h"

struct exposition exposition_over(void *buf, size_t size) {
	return (struct exposition){ .writer = writer_over(buf, size), .size = size };
}

/* A line counts only when it is there to its end. */
static void end_line(struct exposition *out) {
	writer_u8(&out->writer, '\n');
	if (!out->writer.failed) {
		out->whole = out->size - out->writer.left;
	}
}

void exposition_family(struct exposition *out, const char *name, enum exposition_type type,
		const char *help) {
	static const char *const types[] = { "counter", "gauge", "histogram" };
	out->family = name;
	out->families++;
	text_putf(&out->writer, "# HELP %s %s", name, help);
	end_line(out);
	text_putf(&out->writer, "# TYPE %s %s", name, types[type]);
	end_line(out);
}

static void put_value_of_label(struct writer *w, const char *value) {
	for (; *value; value++) {
		if (*value == '\n') {
			text_put(w, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\') {
			writer_u8(w, '\\');
		}
		writer_u8(w, (uint8_t)*value);
	}
}

static void put_labels(struct writer *w, const struct exposition_label *labels, const char *le) {
	const char *between = "{";
	for (; labels && labels->name; labels++) {
		text_putf(w, "%s%s=\"", between, labels->name);
		put_value_of_label(w, labels->value);
		writer_u8(w, '"');
		between = ",";
	}
	if (le) {
		text_putf(w, "%sle=\"%s\"", between, le);
		between = ",";
	}
	if (*between == ',') {
		writer_u8(w, '}');
	}
}

/* value / scale in digits, so that no locale and no rounding has a say. */
static void format_fraction(char *out, size_t size, uint64_t value, uint64_t scale) {
	unsigned digits = 0;
	for (uint64_t left = scale; left > 1; left /= 10) {
		digits++;
	}
	uint64_t rest = value % scale;
	while (digits > 0 && rest % 10 == 0) {
		rest /= 10;
		digits--;
	}
	if (digits == 0) {
		text_format(out, size, "%llu", (unsigned long long)(value / scale));
	} else {
		text_format(out, size, "%llu.%0*llu", (unsigned long long)(value / scale),
				(int)digits, (unsigned long long)rest);
	}
}

static void put_sample(struct exposition *out, const char *suffix,
		const struct exposition_label *labels, const char *le, uint64_t value,
		uint64_t scale) {
	char text[48];
	format_fraction(text, sizeof(text), value, scale);
	text_putf(&out->writer, "%s%s", out->family, suffix);
	put_labels(&out->writer, labels, le);
	text_putf(&out->writer, " %s", text);
	end_line(out);
	out->samples++;
}

void exposition_number(
		struct exposition *out, const struct exposition_label *labels, uint64_t value) {
	put_sample(out, "", labels, NULL, value, 1);
}

void exposition_fraction(struct exposition *out, const struct exposition_label *labels,
		uint64_t value, uint64_t scale) {
	put_sample(out, "", labels, NULL, value, scale);
}

void exposition_histogram(struct exposition *out, const struct exposition_label *labels,
		const struct exposition_histogram *histogram) {
	uint64_t count = 0;
	for (size_t i = 0; i < histogram->n_bounds; i++) {
		char le[32];
		format_fraction(le, sizeof(le), histogram->bounds[i], histogram->scale);
		count += histogram->classes[i];
		put_sample(out, "_bucket", labels, le, count, 1);
	}
	count += histogram->classes[histogram->n_bounds];
	put_sample(out, "_bucket", labels, "+Inf", count, 1);
	put_sample(out, "_sum", labels, NULL, histogram->sum, histogram->scale);
	put_sample(out, "_count", labels, NULL, count, 1);
}

size_t exposition_end(struct exposition *out) {
	return out->whole;
}
