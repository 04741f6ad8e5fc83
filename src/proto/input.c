/* SPDX-License-Identifier: MIT */
#include "proto/input.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/code_point.h"

/* What the multi-controller packet carries between its fields. */
enum {
	PAD_HEAD = 0x1a,
	PAD_MIDDLE = 0x14,
	PAD_TAIL_A = 0x9c,
	PAD_TAIL_B = 0x55,
};

static int16_t read_s16be(struct reader *r) {
	return (int16_t)reader_be16(r);
}

static int16_t read_s16le(struct reader *r) {
	return (int16_t)reader_le16(r);
}

/* Finite, or the event is refused: a NaN would pass every comparison after this. */
static float read_finite(struct reader *r) {
	float value = reader_lef32(r);
	r->failed |= !isfinite(value);
	return value;
}

static float read_unit(struct reader *r) {
	float value = read_finite(r);
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

static uint8_t read_below(struct reader *r, unsigned limit) {
	uint8_t value = reader_u8(r);
	r->failed |= value >= limit;
	return value;
}

static void get_key(struct reader *r, struct input_event *e) {
	e->key.not_normalised = reader_u8(r) & 1;
	e->key.vk = (uint8_t)(reader_le16(r) & 0xff); /* the high byte is 0x80 */
	e->key.modifiers = reader_u8(r) & (INPUT_SHIFT | INPUT_CTRL | INPUT_ALT | INPUT_META);
	reader_take(r, 2);
}

static void put_key(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->key.not_normalised);
	writer_le16(w, 0x8000 | e->key.vk);
	writer_u8(w, e->key.modifiers);
	writer_le16(w, 0);
}

static void get_move(struct reader *r, struct input_event *e) {
	e->move.dx = read_s16be(r);
	e->move.dy = read_s16be(r);
}

static void put_move(struct writer *w, const struct input_event *e) {
	writer_be16(w, (uint16_t)e->move.dx);
	writer_be16(w, (uint16_t)e->move.dy);
}

/* A client may report a pointer just outside its picture. */
static uint16_t clamped(int16_t value, uint16_t max) {
	return value < 0 ? 0 : value > max ? max : (uint16_t)value;
}

static void get_position(struct reader *r, struct input_event *e) {
	int16_t x = read_s16be(r);
	int16_t y = read_s16be(r);
	reader_take(r, 2);
	e->position.max_x = reader_be16(r);
	e->position.max_y = reader_be16(r);
	r->failed |= e->position.max_x == 0 || e->position.max_y == 0;
	e->position.x = clamped(x, e->position.max_x);
	e->position.y = clamped(y, e->position.max_y);
}

static void put_position(struct writer *w, const struct input_event *e) {
	writer_be16(w, e->position.x);
	writer_be16(w, e->position.y);
	writer_be16(w, 0);
	writer_be16(w, e->position.max_x);
	writer_be16(w, e->position.max_y);
}

static void get_button(struct reader *r, struct input_event *e) {
	e->button.button = reader_u8(r);
	r->failed |= e->button.button < INPUT_BUTTON_LEFT || e->button.button > INPUT_BUTTON_X2;
}

static void put_button(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->button.button);
}

static void get_scroll(struct reader *r, struct input_event *e) {
	e->scroll = read_s16be(r);
	reader_take(r, 4); /* the amount again, and zero */
}

static void put_scroll(struct writer *w, const struct input_event *e) {
	writer_be16(w, (uint16_t)e->scroll);
	writer_be16(w, (uint16_t)e->scroll);
	writer_be16(w, 0);
}

static void get_scroll_horizontal(struct reader *r, struct input_event *e) {
	e->scroll = read_s16be(r);
}

static void put_scroll_horizontal(struct writer *w, const struct input_event *e) {
	writer_be16(w, (uint16_t)e->scroll);
}

static void get_text(struct reader *r, struct input_event *e) {
	size_t len = r->left;
	const uint8_t *bytes = reader_take(r, len);
	if (!bytes || len == 0 || len > INPUT_TEXT_MAX || code_point_length(bytes, len) != len) {
		r->failed = true;
		return;
	}
	e->text.len = (uint8_t)len;
	memcpy(e->text.bytes, bytes, len);
}

static void put_text(struct writer *w, const struct input_event *e) {
	writer_copy(w, e->text.bytes, e->text.len);
}

static void get_haptics(struct reader *r, struct input_event *e) {
	e->haptics = reader_le16(r) != 0;
}

static void put_haptics(struct writer *w, const struct input_event *e) {
	writer_le16(w, e->haptics);
}

static void get_controller(struct reader *r, struct input_event *e) {
	reader_take(r, 2);
	uint16_t number = reader_le16(r);
	r->failed |= number >= INPUT_CONTROLLERS_MAX;
	e->controller.number = (uint8_t)number;
	e->controller.active = reader_le16(r);
	reader_take(r, 2);
	e->controller.buttons = reader_le16(r);
	e->controller.left_trigger = reader_u8(r);
	e->controller.right_trigger = reader_u8(r);
	e->controller.left_x = read_s16le(r);
	e->controller.left_y = read_s16le(r);
	e->controller.right_x = read_s16le(r);
	e->controller.right_y = read_s16le(r);
	reader_take(r, 2);
	e->controller.buttons |= (uint32_t)reader_le16(r) << 16;
	reader_take(r, 2);
}

static void put_controller(struct writer *w, const struct input_event *e) {
	writer_le16(w, PAD_HEAD);
	writer_le16(w, e->controller.number);
	writer_le16(w, e->controller.active);
	writer_le16(w, PAD_MIDDLE);
	writer_le16(w, (uint16_t)e->controller.buttons);
	writer_u8(w, e->controller.left_trigger);
	writer_u8(w, e->controller.right_trigger);
	writer_le16(w, (uint16_t)e->controller.left_x);
	writer_le16(w, (uint16_t)e->controller.left_y);
	writer_le16(w, (uint16_t)e->controller.right_x);
	writer_le16(w, (uint16_t)e->controller.right_y);
	writer_le16(w, PAD_TAIL_A);
	writer_le16(w, (uint16_t)(e->controller.buttons >> 16));
	writer_le16(w, PAD_TAIL_B);
}

static void get_touch(struct reader *r, struct input_event *e) {
	e->touch.type = read_below(r, INPUT_TOUCH_TYPES);
	reader_take(r, 1);
	e->touch.rotation = reader_le16(r);
	e->touch.pointer = reader_le32(r);
	e->touch.x = read_unit(r);
	e->touch.y = read_unit(r);
	e->touch.pressure = read_unit(r);
	e->touch.major = read_finite(r);
	e->touch.minor = read_finite(r);
}

static void put_touch(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->touch.type);
	writer_u8(w, 0);
	writer_le16(w, e->touch.rotation);
	writer_le32(w, e->touch.pointer);
	writer_lef32(w, e->touch.x);
	writer_lef32(w, e->touch.y);
	writer_lef32(w, e->touch.pressure);
	writer_lef32(w, e->touch.major);
	writer_lef32(w, e->touch.minor);
}

static void get_pen(struct reader *r, struct input_event *e) {
	e->pen.type = read_below(r, INPUT_TOUCH_TYPES);
	e->pen.tool = read_below(r, INPUT_TOOLS);
	e->pen.buttons = reader_u8(r) & 7;
	reader_take(r, 1);
	e->pen.x = read_unit(r);
	e->pen.y = read_unit(r);
	e->pen.pressure = read_unit(r);
	e->pen.rotation = reader_le16(r);
	e->pen.tilt = reader_u8(r);
	reader_take(r, 1);
	e->pen.major = read_finite(r);
	e->pen.minor = read_finite(r);
}

static void put_pen(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->pen.type);
	writer_u8(w, e->pen.tool);
	writer_u8(w, e->pen.buttons);
	writer_u8(w, 0);
	writer_lef32(w, e->pen.x);
	writer_lef32(w, e->pen.y);
	writer_lef32(w, e->pen.pressure);
	writer_le16(w, e->pen.rotation);
	writer_u8(w, e->pen.tilt);
	writer_u8(w, 0);
	writer_lef32(w, e->pen.major);
	writer_lef32(w, e->pen.minor);
}

/* A type added after this was written is still a gamepad. */
static void get_arrival(struct reader *r, struct input_event *e) {
	e->arrival.number = read_below(r, INPUT_CONTROLLERS_MAX);
	e->arrival.type = reader_u8(r);
	e->arrival.capabilities = reader_le16(r);
	e->arrival.buttons = reader_le32(r);
}

static void put_arrival(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->arrival.number);
	writer_u8(w, e->arrival.type);
	writer_le16(w, e->arrival.capabilities);
	writer_le32(w, e->arrival.buttons);
}

static void get_pad_touch(struct reader *r, struct input_event *e) {
	e->pad_touch.number = read_below(r, INPUT_CONTROLLERS_MAX);
	e->pad_touch.type = read_below(r, INPUT_TOUCH_TYPES);
	reader_take(r, 1);
	e->pad_touch.touchpad = reader_u8(r);
	e->pad_touch.pointer = reader_le32(r);
	e->pad_touch.x = read_unit(r);
	e->pad_touch.y = read_unit(r);
	e->pad_touch.pressure = read_unit(r);
}

static void put_pad_touch(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->pad_touch.number);
	writer_u8(w, e->pad_touch.type);
	writer_u8(w, 0);
	writer_u8(w, e->pad_touch.touchpad);
	writer_le32(w, e->pad_touch.pointer);
	writer_lef32(w, e->pad_touch.x);
	writer_lef32(w, e->pad_touch.y);
	writer_lef32(w, e->pad_touch.pressure);
}

static void get_motion(struct reader *r, struct input_event *e) {
	e->motion.number = read_below(r, INPUT_CONTROLLERS_MAX);
	e->motion.type = read_below(r, INPUT_MOTION_GYROSCOPE + 1);
	r->failed |= e->motion.type < INPUT_MOTION_ACCELEROMETER;
	reader_take(r, 2);
	e->motion.x = read_finite(r);
	e->motion.y = read_finite(r);
	e->motion.z = read_finite(r);
}

static void put_motion(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->motion.number);
	writer_u8(w, e->motion.type);
	writer_le16(w, 0);
	writer_lef32(w, e->motion.x);
	writer_lef32(w, e->motion.y);
	writer_lef32(w, e->motion.z);
}

static void get_battery(struct reader *r, struct input_event *e) {
	e->battery.number = read_below(r, INPUT_CONTROLLERS_MAX);
	e->battery.state = read_below(r, INPUT_BATTERY_STATES);
	e->battery.percent = reader_u8(r);
	r->failed |= e->battery.percent > 100 && e->battery.percent != INPUT_PERCENT_UNKNOWN;
	reader_take(r, 1);
}

static void put_battery(struct writer *w, const struct input_event *e) {
	writer_u8(w, e->battery.number);
	writer_u8(w, e->battery.state);
	writer_u8(w, e->battery.percent);
	writer_u8(w, 0);
}

struct row {
	enum input_kind kind;
	uint32_t magic;
	uint32_t magic_up; /* of the release, where there is one */
	void (*get)(struct reader *r, struct input_event *e);
	void (*put)(struct writer *w, const struct input_event *e);
};

/* clang-format off */
static const struct row rows[] = {
	{ INPUT_KEY,                0x03,       0x04, get_key,               put_key },
	{ INPUT_MOUSE_MOVE,         0x07,       0,    get_move,              put_move },
	{ INPUT_MOUSE_POSITION,     0x05,       0,    get_position,          put_position },
	{ INPUT_MOUSE_BUTTON,       0x08,       0x09, get_button,            put_button },
	{ INPUT_SCROLL_VERTICAL,             0x0a,       0,    get_scroll,            put_scroll },
	{ INPUT_SCROLL_HORIZONTAL,  0x55000001, 0,    get_scroll_horizontal, put_scroll_horizontal },
	{ INPUT_CODE_POINT,               0x17,       0,    get_text,              put_text },
	{ INPUT_HAPTICS,            0x0d,       0,    get_haptics,           put_haptics },
	{ INPUT_CONTROLLER,         0x0c,       0,    get_controller,        put_controller },
	{ INPUT_TOUCH,              0x55000002, 0,    get_touch,             put_touch },
	{ INPUT_PEN,                0x55000003, 0,    get_pen,               put_pen },
	{ INPUT_CONTROLLER_ARRIVAL, 0x55000004, 0,    get_arrival,           put_arrival },
	{ INPUT_CONTROLLER_TOUCH,   0x55000005, 0,    get_pad_touch,         put_pad_touch },
	{ INPUT_CONTROLLER_MOTION,  0x55000006, 0,    get_motion,            put_motion },
	{ INPUT_CONTROLLER_BATTERY, 0x55000007, 0,    get_battery,           put_battery },
};
/* clang-format on */

/* The one bit that the magic says rather than the body. */
static bool *down_of(struct input_event *event) {
	return event->kind == INPUT_KEY            ? &event->key.down
	       : event->kind == INPUT_MOUSE_BUTTON ? &event->button.down
						   : NULL;
}

int input_decode(const void *data, size_t len, struct input_event *out) {
	struct reader r = reader_over(data, len);
	uint32_t size = reader_be32(&r);
	if (r.failed || size != r.left) {
		return -EBADMSG;
	}
	uint32_t magic = reader_le32(&r);
	if (r.failed) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		if (magic != row->magic && (!row->magic_up || magic != row->magic_up)) {
			continue;
		}
		struct input_event event = { .kind = row->kind };
		row->get(&r, &event);
		bool *down = down_of(&event);
		if (down) {
			*down = magic == row->magic;
		}
		if (!reader_done(&r)) {
			return -EBADMSG;
		}
		*out = event;
		return 0;
	}
	return -ENOTSUP;
}

int input_encode(const struct input_event *event, uint8_t *out, size_t out_size, size_t *out_len) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind != event->kind) {
			continue;
		}
		struct input_event copy = *event;
		const bool *down = down_of(&copy);
		struct writer w = writer_over(out, out_size);
		uint8_t *size = writer_take(&w, 4);
		writer_le32(&w, down && !*down ? rows[i].magic_up : rows[i].magic);
		rows[i].put(&w, event);
		if (w.failed) {
			return -ENOSPC;
		}
		*out_len = out_size - w.left;
		struct writer patch = writer_over(size, 4);
		writer_be32(&patch, (uint32_t)(*out_len - 4));
		return 0;
	}
	return -EINVAL;
}
