/* SPDX-License-Identifier: MIT */
#include "desktop/pad_dualsense.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/pad.h"

enum {
	REPORT_INPUT = 0x01,
	REPORT_OUTPUT = 0x02,
	REPORT_CALIBRATION = 0x05,
	REPORT_PAIRING = 0x09,
	REPORT_FIRMWARE = 0x20,
	CALIBRATION_SIZE = 41,
	PAIRING_SIZE = 20,
	FIRMWARE_SIZE = 64,
	OUTPUT_SIZE = 48, /* at least, with its number */

	TOUCH_WIDTH = 1920,
	TOUCH_HEIGHT = 1080,
	TOUCH_MAX = 65535, /* of pad_sense */
	TOUCH_UP = 0x80,

	/* What calibration makes of the sensors' numbers: 16 are one degree per second, and
	 * 8192 the earth's gravity. */
	GYRO_SPEED = 540,
	GYRO_PLUS = GYRO_SPEED * 16,
	ACCEL_GRAVITY = 8192,
	GRAVITY_UM = 9806650, /* per second squared */

	TICKS_PER_US = 3, /* of the sensors' clock */

	POWER_FULL_TENTHS = 10,
	POWER_CHARGING = 0x10,
	POWER_FULL = 0x20,
};

/* clang-format off */
/* HID 1.11 section 6.2.2: what the driver looks for are numbers and sizes of reports; what
 * is in them it knows. */
const uint8_t pad_dualsense_descriptor[] = {
	0x05, 0x01, 0x09, 0x05, 0xa1, 0x01,             /* a game pad */
	0x85, REPORT_INPUT,
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,       /* bytes: */
	0x09, 0x30, 0x09, 0x31, 0x09, 0x32, 0x09, 0x35, /* X, Y, Z, Rz: the sticks */
	0x09, 0x33, 0x09, 0x34, 0x95, 0x06, 0x81, 0x02, /* Rx, Ry: the triggers */
	0x06, 0x00, 0xff, 0x09, 0x20, 0x95, 0x01, 0x81, 0x02,       /* counts reports */
	0x05, 0x01, 0x09, 0x39, 0x25, 0x07, 0x46, 0x3b, 0x01, 0x65, 0x14,
	0x75, 0x04, 0x95, 0x01, 0x81, 0x42, 0x65, 0x00, 0x45, 0x00, /* the cross, a hat */
	0x05, 0x09, 0x19, 0x01, 0x29, 0x0f, 0x25, 0x01,
	0x75, 0x01, 0x95, 0x0f, 0x81, 0x02,                         /* 15 buttons */
	0x06, 0x00, 0xff, 0x09, 0x21, 0x95, 0x0d, 0x81, 0x02,
	0x26, 0xff, 0x00, 0x75, 0x08,
	0x09, 0x22, 0x95, 0x34, 0x81, 0x02,             /* sensors, touchpad, battery: 52 */
	0x85, REPORT_OUTPUT, 0x09, 0x23, 0x95, 0x3e, 0x91, 0x02,
	0x85, REPORT_CALIBRATION, 0x09, 0x33, 0x95, CALIBRATION_SIZE - 1, 0xb1, 0x02,
	0x85, REPORT_PAIRING, 0x09, 0x24, 0x95, PAIRING_SIZE - 1, 0xb1, 0x02,
	0x85, REPORT_FIRMWARE, 0x09, 0x26, 0x95, FIRMWARE_SIZE - 1, 0xb1, 0x02,
	0xc0,
};

/* The second, third and fourth byte of buttons; the first is the cross and the four. */
static const struct {
	uint32_t button;
	uint8_t byte, bit;
} buttons[] = {
	{ PAD_BUTTON_X, 0, 4 }, { PAD_BUTTON_A, 0, 5 },
	{ PAD_BUTTON_B, 0, 6 }, { PAD_BUTTON_Y, 0, 7 },
	{ PAD_BUTTON_LEFT_SHOULDER, 1, 0 }, { PAD_BUTTON_RIGHT_SHOULDER, 1, 1 },
	{ PAD_BUTTON_BACK, 1, 4 }, { PAD_BUTTON_START, 1, 5 },
	{ PAD_BUTTON_LEFT_STICK, 1, 6 }, { PAD_BUTTON_RIGHT_STICK, 1, 7 },
	{ PAD_BUTTON_GUIDE, 2, 0 }, { PAD_BUTTON_TOUCHPAD, 2, 1 }, { PAD_BUTTON_MISC, 2, 2 },
};
/* clang-format on */

const size_t pad_dualsense_descriptor_size = sizeof(pad_dualsense_descriptor);

void pad_dualsense_init(struct pad_dualsense *pad, const uint8_t address[PAD_DUALSENSE_ADDRESS]) {
	*pad = (struct pad_dualsense){ .accel = { 0, ACCEL_GRAVITY, 0 },
		.power = POWER_FULL | POWER_FULL_TENTHS };
	memcpy(pad->address, address, sizeof(pad->address));
}

/* ---- senses ---- */

static bool take_touch(struct pad_dualsense *pad, const pad_sense *sense) {
	struct pad_dualsense_finger *finger = NULL;
	bool down = sense->type == PAD_FINGER_DOWN || sense->type == PAD_FINGER_MOVE;
	if (sense->type == PAD_FINGER_CANCEL_ALL) {
		for (size_t i = 0; i < PAD_DUALSENSE_FINGERS; i++) {
			pad->fingers[i].down = false;
		}
		return true;
	}
	if (!down && sense->type != PAD_FINGER_UP && sense->type != PAD_FINGER_CANCEL) {
		return false;
	}
	for (size_t i = 0; i < PAD_DUALSENSE_FINGERS; i++) {
		struct pad_dualsense_finger *at = &pad->fingers[i];
		bool same = at->down && at->pointer == sense->pointer;
		finger = same || (down && !finger && !at->down) ? at : finger;
		if (same) {
			break;
		}
	}
	if (!finger) {
		return false; /* a third one, or none that was down */
	}
	if (down && !finger->down) {
		finger->number = pad->touches++ & 0x7f;
	}
	finger->down = down;
	finger->pointer = sense->pointer;
	finger->x = (uint16_t)((int64_t)sense->x * (TOUCH_WIDTH - 1) / TOUCH_MAX);
	finger->y = (uint16_t)((int64_t)sense->y * (TOUCH_HEIGHT - 1) / TOUCH_MAX);
	return true;
}

static int16_t clamped(int64_t value) {
	return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

static bool take_motion(int16_t out[3], const pad_sense *sense, int64_t scale, int64_t unit) {
	out[0] = clamped((int64_t)sense->x * scale / unit);
	out[1] = clamped((int64_t)sense->y * scale / unit);
	out[2] = clamped((int64_t)sense->z * scale / unit);
	return true;
}

static bool take_battery(struct pad_dualsense *pad, const pad_sense *sense) {
	bool known = sense->x >= 0 && sense->x <= 100;
	uint8_t tenths = known ? (uint8_t)(sense->x / 10) : POWER_FULL_TENTHS;
	uint8_t how = sense->type == PAD_POWER_CHARGING ? POWER_CHARGING
		      : sense->type == PAD_POWER_FULL   ? POWER_FULL
							: 0;
	pad->power = how | tenths;
	return true;
}

bool pad_dualsense_sense(struct pad_dualsense *pad, const pad_sense *sense) {
	switch (sense->what) {
	case PAD_TOUCH:
		return take_touch(pad, sense);
	case PAD_GYROSCOPE: /* thousandths of a degree per second */
		return take_motion(pad->gyro, sense, 16, 1000);
	case PAD_ACCELEROMETER: /* mm/s^2 */
		return take_motion(pad->accel, sense, (int64_t)ACCEL_GRAVITY * 1000, GRAVITY_UM);
	default:
		return take_battery(pad, sense);
	}
}

/* ---- input ---- */

/* -32768 to 32767 to 0 to 255; up is positive there, and 0 here. */
static uint8_t axis(int value) {
	return (uint8_t)((value + 32768) >> 8);
}

static uint8_t hat(uint32_t pressed) {
	/* By up, right, down, left as bits; opposite ones are none. */
	static const uint8_t directions[16] = { 8, 0, 2, 1, 4, 8, 3, 2, 6, 7, 8, 0, 5, 6, 4, 8 };
	unsigned at = ((pressed & PAD_BUTTON_UP) != 0) | ((pressed & PAD_BUTTON_RIGHT) != 0) << 1 |
		      ((pressed & PAD_BUTTON_DOWN) != 0) << 2 |
		      ((pressed & PAD_BUTTON_LEFT) != 0) << 3;
	return directions[at];
}

static void put_buttons(struct writer *w, const pad_state *state) {
	uint8_t bytes[4] = { hat(state->buttons) };
	for (size_t i = 0; i < ARRAY_LEN(buttons); i++) {
		if (state->buttons & buttons[i].button) {
			bytes[buttons[i].byte] |= (uint8_t)(1 << buttons[i].bit);
		}
	}
	bytes[1] |= (uint8_t)((state->left_trigger > 0) << 2 | (state->right_trigger > 0) << 3);
	writer_copy(w, bytes, sizeof(bytes));
}

static void put_finger(struct writer *w, const struct pad_dualsense_finger *finger) {
	writer_u8(w, finger->number | (finger->down ? 0 : TOUCH_UP));
	writer_u8(w, (uint8_t)finger->x);
	writer_u8(w, (uint8_t)(finger->x >> 8 | (finger->y & 0xf) << 4));
	writer_u8(w, (uint8_t)(finger->y >> 4));
}

static void put_zeros(struct writer *w, size_t count) {
	uint8_t *at = writer_take(w, count);
	if (at) {
		memset(at, 0, count);
	}
}

static void put_sticks(struct writer *w, const pad_state *state) {
	const uint8_t bytes[] = { axis(state->left_x), axis(-1 - state->left_y),
		axis(state->right_x), axis(-1 - state->right_y), state->left_trigger,
		state->right_trigger };
	writer_copy(w, bytes, sizeof(bytes));
}

static void put_motion(struct writer *w, const int16_t motion[3]) {
	for (size_t i = 0; i < 3; i++) {
		writer_le16(w, (uint16_t)motion[i]);
	}
}

void pad_dualsense_input(
		struct pad_dualsense *pad, uint64_t now_us, uint8_t out[PAD_DUALSENSE_INPUT]) {
	struct writer w = writer_over(out, PAD_DUALSENSE_INPUT);
	writer_u8(&w, REPORT_INPUT);
	put_sticks(&w, &pad->state);
	writer_u8(&w, pad->sequence++);
	put_buttons(&w, &pad->state);
	put_zeros(&w, 4);
	put_motion(&w, pad->gyro);
	put_motion(&w, pad->accel);
	writer_le32(&w, (uint32_t)(now_us * TICKS_PER_US));
	writer_u8(&w, 0);
	for (size_t i = 0; i < PAD_DUALSENSE_FINGERS; i++) {
		put_finger(&w, &pad->fingers[i]);
	}
	put_zeros(&w, 12);
	writer_u8(&w, pad->power);
	put_zeros(&w, 10);
}

/* ---- features ---- */

static void put_calibration(struct writer *w) {
	for (size_t i = 0; i < 3; i++) {
		writer_le16(w, 0); /* bias */
	}
	for (size_t i = 0; i < 3; i++) {
		writer_le16(w, GYRO_PLUS);
		writer_le16(w, (uint16_t)-GYRO_PLUS);
	}
	writer_le16(w, GYRO_SPEED);
	writer_le16(w, GYRO_SPEED);
	for (size_t i = 0; i < 3; i++) {
		writer_le16(w, ACCEL_GRAVITY);
		writer_le16(w, (uint16_t)-ACCEL_GRAVITY);
	}
}

/* Backwards, as addresses of Bluetooth are. */
static void put_address(struct writer *w, const struct pad_dualsense *pad) {
	for (size_t i = PAD_DUALSENSE_ADDRESS; i > 0; i--) {
		writer_u8(w, pad->address[i - 1]);
	}
}

/* Of no update that would change how motors are spoken to. */
static void put_firmware(struct writer *w) {
	writer_copy(w, "Jan  1 202400:00:00", 19);
	put_zeros(w, 4);
	writer_le32(w, 0x00000216); /* hardware */
	writer_le32(w, 0x01000208); /* firmware */
}

int pad_dualsense_feature(const struct pad_dualsense *pad, uint8_t number,
		uint8_t out[PAD_DUALSENSE_FEATURE]) {
	struct writer w = writer_over(out, PAD_DUALSENSE_FEATURE);
	memset(out, 0, PAD_DUALSENSE_FEATURE);
	writer_u8(&w, number);
	switch (number) {
	case REPORT_CALIBRATION:
		put_calibration(&w);
		return CALIBRATION_SIZE;
	case REPORT_PAIRING:
		put_address(&w, pad);
		return PAIRING_SIZE;
	case REPORT_FIRMWARE:
		put_firmware(&w);
		return FIRMWARE_SIZE;
	default:
		return -ENOENT;
	}
}

/* ---- output ---- */

struct output {
	uint8_t valid[3], right, left, light[3];
	uint8_t right_trigger[11], left_trigger[11];
};

enum {
	VALID_MOTORS = 0x3, /* of the first */
	VALID_RIGHT = 0x4,  /* trigger; these two are the control stream's own */
	VALID_LEFT = 0x8,
	VALID_LIGHT = 0x4,      /* of the second */
	VALID_NEW_MOTORS = 0x4, /* of the third */
};

static_assert(VALID_RIGHT == (int)PAD_TRIGGER_RIGHT && VALID_LEFT == (int)PAD_TRIGGER_LEFT,
		"flags of triggers are passed on");

static int read_output(const uint8_t *bytes, size_t len, struct output *out) {
	struct reader r = reader_over(bytes, len);
	if (len < OUTPUT_SIZE || reader_u8(&r) != REPORT_OUTPUT) {
		return -EBADMSG;
	}
	out->valid[0] = reader_u8(&r);
	out->valid[1] = reader_u8(&r);
	out->right = reader_u8(&r);
	out->left = reader_u8(&r);
	(void)reader_take(&r, 6); /* volumes, microphone, power */
	reader_copy(&r, out->right_trigger, sizeof(out->right_trigger));
	reader_copy(&r, out->left_trigger, sizeof(out->left_trigger));
	(void)reader_take(&r, 6);
	out->valid[2] = reader_u8(&r);
	(void)reader_take(&r, 5); /* light's set-up, players' lights */
	reader_copy(&r, out->light, sizeof(out->light));
	return r.failed ? -EBADMSG : 0;
}

static bool changes(uint8_t *was, const uint8_t *is, size_t len) {
	if (memcmp(was, is, len) == 0) {
		return false;
	}
	memcpy(was, is, len);
	return true;
}

static bool say_motors(
		struct pad_dualsense *pad, const struct output *is, struct ipc_message *out) {
	const uint8_t motors[2] = { is->left, is->right };
	if ((!(is->valid[0] & VALID_MOTORS) && !(is->valid[2] & VALID_NEW_MOTORS)) ||
			!changes(pad->motors, motors, sizeof(motors))) {
		return false;
	}
	out->pad_feedback.what = PAD_RUMBLE;
	out->pad_feedback.a = (uint16_t)(is->left * 257);
	out->pad_feedback.b = (uint16_t)(is->right * 257);
	return true;
}

static bool say_light(struct pad_dualsense *pad, const struct output *is, struct ipc_message *out) {
	if (!(is->valid[1] & VALID_LIGHT) || !changes(pad->light, is->light, sizeof(is->light))) {
		return false;
	}
	out->pad_feedback.what = PAD_LED;
	out->pad_feedback.red = is->light[0];
	out->pad_feedback.green = is->light[1];
	out->pad_feedback.blue = is->light[2];
	return true;
}

static bool say_triggers(
		struct pad_dualsense *pad, const struct output *is, struct ipc_message *out) {
	uint8_t flags = 0;
	if (is->valid[0] & VALID_RIGHT &&
			changes(pad->triggers[0], is->right_trigger, sizeof(is->right_trigger))) {
		flags |= PAD_TRIGGER_RIGHT;
	}
	if (is->valid[0] & VALID_LEFT &&
			changes(pad->triggers[1], is->left_trigger, sizeof(is->left_trigger))) {
		flags |= PAD_TRIGGER_LEFT;
	}
	if (!flags) {
		return false;
	}
	out->pad_feedback.what = PAD_TRIGGERS;
	out->pad_feedback.flags = flags;
	out->pad_feedback.type_right = pad->triggers[0][0];
	out->pad_feedback.type_left = pad->triggers[1][0];
	memcpy(out->pad_feedback.right, pad->triggers[0] + 1, sizeof(out->pad_feedback.right));
	memcpy(out->pad_feedback.left, pad->triggers[1] + 1, sizeof(out->pad_feedback.left));
	return true;
}

int pad_dualsense_output(struct pad_dualsense *pad, const uint8_t *bytes, size_t len,
		struct ipc_message out[PAD_DUALSENSE_SAYS_MAX]) {
	static bool (*const says[PAD_DUALSENSE_SAYS_MAX])(struct pad_dualsense * pad,
			const struct output *is,
			struct ipc_message *out) = { say_motors, say_light, say_triggers };
	struct output is;
	int count = 0, rc = read_output(bytes, len, &is);
	for (size_t i = 0; rc == 0 && i < PAD_DUALSENSE_SAYS_MAX; i++) {
		out[count] = (struct ipc_message){ .kind = IPC_PAD_FEEDBACK };
		count += says[i](pad, &is, &out[count]);
	}
	return rc < 0 ? rc : count;
}
