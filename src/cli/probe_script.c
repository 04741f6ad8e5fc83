/* SPDX-License-Identifier: MIT */
#include "cli/probe_script.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARGUMENTS_MAX = 9,
	TIME_MAX_MS = 24 * 60 * 60 * 1000,
};

/* One line, taken apart. */
struct line {
	uint32_t at_ms;
	double number[ARGUMENTS_MAX];
	struct span rest; /* everything after the word */
};

static int add(struct script *script, const struct script_action *action) {
	if (script->count == SCRIPT_ACTIONS_MAX) {
		return -ENOSPC;
	}
	if (script->count == script->capacity) {
		size_t capacity = script->capacity ? script->capacity * 2 : 64;
		struct script_action *more = realloc(script->actions, capacity * sizeof(*more));
		if (!more) {
			return -ENOMEM;
		}
		script->actions = more;
		script->capacity = capacity;
	}
	script->actions[script->count++] = *action;
	return 0;
}

static int add_input(struct script *script, uint32_t at_ms, const struct input_event *event) {
	uint8_t bytes[INPUT_EVENT_MAX];
	size_t len;
	struct input_event checked;
	/* What the wire cannot carry is refused here, with its line. */
	if (input_encode(event, bytes, sizeof(bytes), &len) < 0 ||
			input_decode(bytes, len, &checked) < 0) {
		return -EBADMSG;
	}
	struct script_action action = { .at_ms = at_ms, .kind = SCRIPT_INPUT, .input = *event };
	return add(script, &action);
}

static int add_key(struct script *script, const struct line *line, bool down, uint32_t later_ms) {
	struct input_event event = { .kind = INPUT_KEY };
	event.key.vk = (uint8_t)line->number[0];
	event.key.down = down;
	return add_input(script, line->at_ms + later_ms, &event);
}

static int add_down(struct script *script, const struct line *line) {
	return add_key(script, line, true, 0);
}

static int add_up(struct script *script, const struct line *line) {
	return add_key(script, line, false, 0);
}

static int add_stroke(struct script *script, const struct line *line) {
	int rc = add_key(script, line, true, 0);
	return rc < 0 ? rc : add_key(script, line, false, SCRIPT_KEY_MS);
}

static int add_button(
		struct script *script, const struct line *line, bool down, uint32_t later_ms) {
	struct input_event event = { .kind = INPUT_MOUSE_BUTTON };
	event.button.button = (uint8_t)line->number[0];
	event.button.down = down;
	return add_input(script, line->at_ms + later_ms, &event);
}

static int add_press(struct script *script, const struct line *line) {
	return add_button(script, line, true, 0);
}

static int add_release(struct script *script, const struct line *line) {
	return add_button(script, line, false, 0);
}

static int add_click(struct script *script, const struct line *line) {
	int rc = add_button(script, line, true, 0);
	return rc < 0 ? rc : add_button(script, line, false, SCRIPT_CLICK_MS);
}

static int add_text(struct script *script, const struct line *line) {
	for (size_t at = 0; at < line->rest.len;) {
		unsigned char first = (unsigned char)line->rest.at[at];
		size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
		if (at + len > line->rest.len) {
			return -EBADMSG;
		}
		struct input_event event = { .kind = INPUT_CODE_POINT };
		event.text.len = (uint8_t)len;
		memcpy(event.text.bytes, line->rest.at + at, len);
		int rc = add_input(script, line->at_ms, &event);
		if (rc < 0) {
			return rc;
		}
		at += len;
	}
	return line->rest.len ? 0 : -EBADMSG;
}

static int add_rel(struct script *script, const struct line *line) {
	struct input_event event = { .kind = INPUT_MOUSE_MOVE };
	event.move.dx = (int16_t)line->number[0];
	event.move.dy = (int16_t)line->number[1];
	return add_input(script, line->at_ms, &event);
}

static int add_abs(struct script *script, const struct line *line) {
	struct input_event event = { .kind = INPUT_MOUSE_POSITION };
	event.position.x = (uint16_t)line->number[0];
	event.position.y = (uint16_t)line->number[1];
	event.position.max_x = (uint16_t)(line->number[2] - 1);
	event.position.max_y = (uint16_t)(line->number[3] - 1);
	return add_input(script, line->at_ms, &event);
}

static int add_scroll(struct script *script, const struct line *line) {
	struct input_event event = { .kind = INPUT_SCROLL_VERTICAL,
		.scroll = (int16_t)line->number[0] };
	return add_input(script, line->at_ms, &event);
}

static int add_hscroll(struct script *script, const struct line *line) {
	struct input_event event = { .kind = INPUT_SCROLL_HORIZONTAL,
		.scroll = (int16_t)line->number[0] };
	return add_input(script, line->at_ms, &event);
}

static int add_touch(struct script *script, const struct line *line) {
	struct input_event event = { .kind = INPUT_TOUCH };
	event.touch.type = (uint8_t)line->number[0];
	event.touch.pointer = (uint32_t)line->number[1];
	event.touch.x = (float)line->number[2];
	event.touch.y = (float)line->number[3];
	event.touch.pressure = 0.5F;
	event.touch.rotation = INPUT_ROTATION_UNKNOWN;
	return add_input(script, line->at_ms, &event);
}

/* The mask of pads that are there is the business of `pad`. */
static int add_arrive(struct script *script, const struct line *line) {
	struct input_event event = { .kind = INPUT_CONTROLLER_ARRIVAL };
	event.arrival.number = (uint8_t)line->number[0];
	event.arrival.type = (uint8_t)line->number[2];
	event.arrival.capabilities = (uint16_t)line->number[3];
	event.arrival.buttons = 0xffffff;
	return add_input(script, line->at_ms, &event);
}

static int add_pad(struct script *script, const struct line *line) {
	struct input_event event = { .kind = INPUT_CONTROLLER };
	event.controller.number = (uint8_t)line->number[0];
	event.controller.active = (uint16_t)line->number[1];
	event.controller.buttons = (uint32_t)line->number[2];
	event.controller.left_trigger = (uint8_t)line->number[3];
	event.controller.right_trigger = (uint8_t)line->number[4];
	event.controller.left_x = (int16_t)line->number[5];
	event.controller.left_y = (int16_t)line->number[6];
	event.controller.right_x = (int16_t)line->number[7];
	event.controller.right_y = (int16_t)line->number[8];
	return add_input(script, line->at_ms, &event);
}

static int add_idr(struct script *script, const struct line *line) {
	struct script_action action = { .at_ms = line->at_ms, .kind = SCRIPT_IDR };
	return add(script, &action);
}

static int add_shot(struct script *script, const struct line *line) {
	struct script_action action = { .at_ms = line->at_ms, .kind = SCRIPT_SHOT };
	if (line->rest.len == 0 || line->rest.len >= sizeof(action.file)) {
		return -EBADMSG;
	}
	memcpy(action.file, line->rest.at, line->rest.len);
	return add(script, &action);
}

static int add_input_check(struct script *script, const struct line *line) {
	struct script_action action = { .at_ms = line->at_ms,
		.kind = SCRIPT_INPUT_CHECK,
		.presses = (uint32_t)line->number[0] };
	return add(script, &action);
}

/* The range of each argument: b byte, w unsigned, s size (from 1), i signed 16 bit,
 * d 32 bit, f 0 to 1.
 * NULL: the rest of the line is text. */
static const struct {
	const char *word;
	const char *arguments;
	int (*add)(struct script *script, const struct line *line);
} words[] = {
	{ "key", "b", add_stroke },
	{ "down", "b", add_down },
	{ "up", "b", add_up },
	{ "text", NULL, add_text },
	{ "rel", "ii", add_rel },
	{ "abs", "wwss", add_abs },
	{ "press", "b", add_press },
	{ "release", "b", add_release },
	{ "click", "b", add_click },
	{ "scroll", "i", add_scroll },
	{ "hscroll", "i", add_hscroll },
	{ "touch", "bdff", add_touch },
	{ "arrive", "bwbw", add_arrive },
	{ "pad", "bwdbbiiii", add_pad },
	{ "idr", "", add_idr },
	{ "shot", NULL, add_shot },
	{ "inputcheck", "w", add_input_check },
};

static const struct {
	char kind;
	bool whole;
	double min, max;
} ranges[] = {
	{ 'b', true, 0, UINT8_MAX },
	{ 'w', true, 0, UINT16_MAX },
	{ 's', true, 1, UINT16_MAX },
	{ 'i', true, INT16_MIN, INT16_MAX },
	{ 'd', true, 0, UINT32_MAX },
	{ 'f', false, 0, 1 },
};

/* Cuts the first word off. */
static struct span next_word(struct span *rest) {
	*rest = span_trim(*rest);
	struct span word = { rest->at, 0 };
	while (word.len < rest->len && rest->at[word.len] != ' ' && rest->at[word.len] != '\t') {
		word.len++;
	}
	rest->at += word.len;
	rest->len -= word.len;
	*rest = span_trim(*rest);
	return word;
}

/* Decimal, hexadecimal or a fraction. */
static int number_read(struct span word, char kind, double *out) {
	char text[32];
	if (word.len == 0 || word.len >= sizeof(text)) {
		return -EBADMSG;
	}
	memcpy(text, word.at, word.len);
	text[word.len] = '\0';
	char *end;
	double value = strtod(text, &end);
	if (*end != '\0' || !isfinite(value)) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		if (ranges[i].kind == kind &&
				(value < ranges[i].min || value > ranges[i].max ||
						(ranges[i].whole && value != floor(value)))) {
			return -EBADMSG;
		}
	}
	*out = value;
	return 0;
}

static int line_parse(struct span text, struct script *script) {
	text = span_trim(text);
	if (text.len == 0 || text.at[0] == '#') {
		return 0;
	}
	struct line line = { 0 };
	double at_ms;
	int rc = number_read(next_word(&text), 0, &at_ms);
	if (rc < 0 || at_ms < 0 || at_ms > TIME_MAX_MS) {
		return -EBADMSG;
	}
	line.at_ms = (uint32_t)at_ms;
	struct span word = next_word(&text);
	line.rest = text;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!span_is(word, words[i].word)) {
			continue;
		}
		const char *arguments = words[i].arguments ? words[i].arguments : "";
		for (size_t n = 0; arguments[n]; n++) {
			rc = number_read(next_word(&text), arguments[n], &line.number[n]);
			if (rc < 0) {
				return rc;
			}
		}
		return words[i].arguments && text.len ? -EBADMSG : words[i].add(script, &line);
	}
	return -EBADMSG;
}

/* Keeps the order of equal times: scripts are nearly sorted already. */
static void sort(struct script *script) {
	for (size_t i = 1; i < script->count; i++) {
		struct script_action action = script->actions[i];
		size_t at = i;
		for (; at > 0 && script->actions[at - 1].at_ms > action.at_ms; at--) {
			script->actions[at] = script->actions[at - 1];
		}
		script->actions[at] = action;
	}
}

int script_parse(struct span text, struct script *out, size_t *out_line) {
	*out = (struct script){ 0 };
	for (size_t number = 1; text.len > 0; number++) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;
		struct span line = { text.at, len };
		if (len > 0 && line.at[len - 1] == '\r') {
			line.len--;
		}
		int rc = line_parse(line, out);
		if (rc < 0) {
			*out_line = number;
			return rc;
		}
		len += end ? 1 : 0;
		text = (struct span){ text.at + len, text.len - len };
	}
	sort(out);
	return 0;
}

void script_finish(struct script *script) {
	free(script->actions);
	*script = (struct script){ 0 };
}
