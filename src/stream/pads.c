/* SPDX-License-Identifier: MIT */
#include "stream/pads.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ipc/pad.h"

/* clang-format off */
static_assert(PAD_BUTTON_UP == (int)INPUT_PAD_UP && PAD_BUTTON_RIGHT == (int)INPUT_PAD_RIGHT &&
	PAD_BUTTON_START == (int)INPUT_PAD_START && PAD_BUTTON_BACK == (int)INPUT_PAD_BACK &&
	PAD_BUTTON_GUIDE == (int)INPUT_PAD_GUIDE && PAD_BUTTON_A == (int)INPUT_PAD_A &&
	PAD_BUTTON_Y == (int)INPUT_PAD_Y && PAD_BUTTON_MISC == (int)INPUT_PAD_MISC &&
	PAD_CAN_RUMBLE == (int)INPUT_CAN_RUMBLE && PAD_CAN_GYROSCOPE == (int)INPUT_CAN_GYROSCOPE &&
	PAD_FINGER_DOWN == (int)INPUT_TOUCH_DOWN && PAD_FINGER_CANCEL_ALL == (int)INPUT_TOUCH_CANCEL_ALL &&
	PAD_POWER_CHARGING == (int)INPUT_BATTERY_CHARGING && PAD_POWER_FULL == (int)INPUT_BATTERY_FULL &&
	PAD_TRIGGER_LEFT == (int)CONTROL_TRIGGER_LEFT,
	"the messages between processes carry what clients say");
/* clang-format on */

enum {
	TOUCH_MAX = 65535,
	SENSE_MAX = 10000000, /* ten thousand m/s^2 or degrees per second */
	THOUSANDTHS = 1000,
};

static uint8_t shown_as(const struct pads *pads, unsigned number) {
	static const uint8_t by_type[] = {
		[INPUT_PAD_UNKNOWN] = PAD_XBOX,
		[INPUT_PAD_XBOX] = PAD_XBOX,
		[INPUT_PAD_PLAYSTATION] = PAD_PS,
		[INPUT_PAD_NINTENDO] = PAD_NINTENDO,
		[INPUT_PAD_STEAM] = PAD_XBOX,
	};
	const struct pad *pad = &pads->list[number];
	if (pads->overrides[number] != PAD_AUTO) {
		return pads->overrides[number];
	}
	bool feels = pad->capabilities & (INPUT_CAN_ACCELEROMETER | INPUT_CAN_GYROSCOPE);
	if (feels && pads->motion != PAD_AUTO) {
		return pads->motion;
	}
	return pad->type < ARRAY_LEN(by_type) ? by_type[pad->type] : PAD_XBOX;
}

static void say(const struct pads_hearer *hearer, const struct ipc_message *message) {
	hearer->say(hearer->user, message);
}

static void say_plug(const struct pads *pads, unsigned number, const struct pads_hearer *hearer) {
	const struct pad *pad = &pads->list[number];
	struct ipc_message message = { .kind = IPC_PAD_PLUG,
		.pad = { (uint8_t)number, pad->shown, pad->capabilities } };
	say(hearer, &message);
}

static void say_unplug(unsigned number, const struct pads_hearer *hearer) {
	struct ipc_message message = { .kind = IPC_PAD_UNPLUG, .pad.number = (uint8_t)number };
	say(hearer, &message);
}

static void plug(struct pads *pads, unsigned number, const struct pads_hearer *hearer) {
	struct pad *pad = &pads->list[number];
	pad->here = true;
	pad->shown = shown_as(pads, number);
	say_plug(pads, number, hearer);
}

static void unplug(struct pads *pads, unsigned number, const struct pads_hearer *hearer) {
	if (pads->list[number].here) {
		say_unplug(number, hearer);
	}
	pads->list[number] = (struct pad){ .here = false };
}

static void take_arrival(struct pads *pads, const struct input_event *event,
		const struct pads_hearer *hearer) {
	unsigned number = event->arrival.number;
	struct pad *pad = &pads->list[number];
	if (pad->here && pad->arrived && pad->type == event->arrival.type &&
			pad->capabilities == event->arrival.capabilities) {
		return; /* said again */
	}
	unplug(pads, number, hearer);
	pad->arrived = true;
	pad->type = event->arrival.type;
	pad->capabilities = event->arrival.capabilities;
	plug(pads, number, hearer);
}

/* What was held when the desktop changed stays away until it is let go. */
static void keep_back(struct pad *pad, __typeof__(((struct ipc_message *)NULL)->pad_state) *state) {
	pad->kept_back &= state->buttons;
	state->buttons &= ~pad->kept_back;
	pad->triggers[0] = pad->triggers[0] && state->left_trigger > 0;
	pad->triggers[1] = pad->triggers[1] && state->right_trigger > 0;
	state->left_trigger = pad->triggers[0] ? 0 : state->left_trigger;
	state->right_trigger = pad->triggers[1] ? 0 : state->right_trigger;
}

static void take_state(struct pads *pads, const struct input_event *event, uint64_t sequence,
		uint64_t received_ns, const struct pads_hearer *hearer) {
	const __typeof__(event->controller) *from = &event->controller;
	for (unsigned i = 0; i < IPC_PADS_MAX; i++) {
		if (!(from->active >> i & 1)) {
			unplug(pads, i, hearer);
		}
	}
	if (!(from->active >> from->number & 1)) {
		return;
	}
	struct pad *pad = &pads->list[from->number];
	if (!pad->here) {
		plug(pads, from->number, hearer);
	}
	pad->buttons = from->buttons;
	pad->left_trigger = from->left_trigger;
	pad->right_trigger = from->right_trigger;
	struct ipc_message message = { .kind = IPC_PAD_STATE,
		.pad_state = { sequence, received_ns, from->number, from->buttons,
				from->left_trigger, from->right_trigger, from->left_x, from->left_y,
				from->right_x, from->right_y } };
	keep_back(pad, &message.pad_state);
	say(hearer, &message);
}

static int32_t bounded(float value, float scale, int32_t limit) {
	float scaled = value * scale;
	return scaled > (float)limit ? limit : scaled < -(float)limit ? -limit : (int32_t)scaled;
}

static void take_touch(const struct input_event *event, struct ipc_message *out) {
	out->pad_sense.number = event->pad_touch.number;
	out->pad_sense.what = PAD_TOUCH;
	out->pad_sense.type = event->pad_touch.type;
	out->pad_sense.pointer = event->pad_touch.pointer;
	out->pad_sense.x = bounded(event->pad_touch.x, TOUCH_MAX, TOUCH_MAX);
	out->pad_sense.y = bounded(event->pad_touch.y, TOUCH_MAX, TOUCH_MAX);
}

static void take_motion(const struct input_event *event, struct ipc_message *out) {
	out->pad_sense.number = event->motion.number;
	out->pad_sense.what = event->motion.type == INPUT_MOTION_GYROSCOPE ? PAD_GYROSCOPE
									   : PAD_ACCELEROMETER;
	out->pad_sense.x = bounded(event->motion.x, THOUSANDTHS, SENSE_MAX);
	out->pad_sense.y = bounded(event->motion.y, THOUSANDTHS, SENSE_MAX);
	out->pad_sense.z = bounded(event->motion.z, THOUSANDTHS, SENSE_MAX);
}

static void take_battery(const struct input_event *event, struct ipc_message *out) {
	out->pad_sense.number = event->battery.number;
	out->pad_sense.what = PAD_BATTERY;
	out->pad_sense.type = event->battery.state;
	out->pad_sense.x = event->battery.percent;
}

static void (*const senses[])(const struct input_event *event, struct ipc_message *out) = {
	[INPUT_CONTROLLER_TOUCH] = take_touch,
	[INPUT_CONTROLLER_MOTION] = take_motion,
	[INPUT_CONTROLLER_BATTERY] = take_battery,
};

bool pads_is_theirs(enum input_kind kind) {
	return kind == INPUT_CONTROLLER || kind == INPUT_CONTROLLER_ARRIVAL ||
	       kind == INPUT_CONTROLLER_TOUCH || kind == INPUT_CONTROLLER_MOTION ||
	       kind == INPUT_CONTROLLER_BATTERY;
}

void pads_take(struct pads *pads, const struct input_event *event, uint64_t sequence,
		uint64_t received_ns, const struct pads_hearer *hearer) {
	if (event->kind == INPUT_CONTROLLER_ARRIVAL) {
		take_arrival(pads, event, hearer);
	} else if (event->kind == INPUT_CONTROLLER) {
		take_state(pads, event, sequence, received_ns, hearer);
	} else if (pads_is_theirs(event->kind)) {
		struct ipc_message message = { .kind = IPC_PAD_SENSE,
			.pad_sense = { .sequence = sequence, .received_ns = received_ns } };
		senses[event->kind](event, &message);
		if (pads->list[message.pad_sense.number].here) {
			say(hearer, &message);
		}
	}
}

void pads_prefer(struct pads *pads, const struct ipc_message *message,
		const struct pads_hearer *hearer) {
	const __typeof__(message->stream_client) *client = &message->stream_client;
	pads->motion = client->motion;
	for (unsigned i = 0; i < IPC_PADS_MAX; i++) {
		uint8_t wish = i < client->controllers_count ? client->controllers[i] : PAD_AUTO;
		pads->overrides[i] = wish < PADS ? wish : PAD_AUTO;
		struct pad *pad = &pads->list[i];
		bool refused = !(client->permissions & PERMIT_GAMEPAD);
		if (pad->here && (refused || pad->shown != shown_as(pads, i))) {
			say_unplug(i, hearer);
			pad->here = false;
			if (!refused) {
				plug(pads, i, hearer);
			}
		}
	}
}

void pads_leave(struct pads *pads, const struct pads_hearer *hearer) {
	for (unsigned i = 0; i < IPC_PADS_MAX; i++) {
		struct pad *pad = &pads->list[i];
		if (pad->here) {
			pad->kept_back = pad->buttons;
			pad->triggers[0] = pad->left_trigger > 0;
			pad->triggers[1] = pad->right_trigger > 0;
			say_unplug(i, hearer);
		}
	}
}

void pads_come(struct pads *pads, const struct pads_hearer *hearer) {
	for (unsigned i = 0; i < IPC_PADS_MAX; i++) {
		if (pads->list[i].here) {
			say_plug(pads, i, hearer);
		}
	}
}

void pads_recall(struct pads *pads, const struct ipc_message *message) {
	struct pad *pad = &pads->list[message->pad.number];
	if (!pad->here || !pad->arrived) {
		static const uint8_t types[PADS] = {
			[PAD_XBOX] = INPUT_PAD_XBOX,
			[PAD_PS] = INPUT_PAD_PLAYSTATION,
			[PAD_NINTENDO] = INPUT_PAD_NINTENDO,
		};
		*pad = (struct pad){ .here = true,
			.arrived = true,
			.type = types[message->pad.shown],
			.shown = message->pad.shown,
			.capabilities = message->pad.capabilities };
	}
}

static void say_rumble(const struct ipc_message *message, struct control_message *out) {
	out->kind = CONTROL_RUMBLE;
	out->rumble.controller = message->pad_feedback.number;
	out->rumble.low = message->pad_feedback.a;
	out->rumble.high = message->pad_feedback.b;
}

static void say_trigger_rumble(const struct ipc_message *message, struct control_message *out) {
	out->kind = CONTROL_TRIGGER_RUMBLE;
	out->trigger_rumble.controller = message->pad_feedback.number;
	out->trigger_rumble.left = message->pad_feedback.a;
	out->trigger_rumble.right = message->pad_feedback.b;
}

static void say_motion(const struct ipc_message *message, struct control_message *out) {
	out->kind = CONTROL_MOTION_REPORTS;
	out->motion_reports.controller = message->pad_feedback.number;
	out->motion_reports.rate_hz = message->pad_feedback.a;
	out->motion_reports.type = message->pad_feedback.type_left;
}

static void say_led(const struct ipc_message *message, struct control_message *out) {
	out->kind = CONTROL_LED;
	out->led.controller = message->pad_feedback.number;
	out->led.red = message->pad_feedback.red;
	out->led.green = message->pad_feedback.green;
	out->led.blue = message->pad_feedback.blue;
}

static void say_triggers(const struct ipc_message *message, struct control_message *out) {
	const __typeof__(message->pad_feedback) *from = &message->pad_feedback;
	out->kind = CONTROL_ADAPTIVE_TRIGGERS;
	out->adaptive_triggers.controller = from->number;
	out->adaptive_triggers.flags = from->flags;
	out->adaptive_triggers.type_left = from->type_left;
	out->adaptive_triggers.type_right = from->type_right;
	memcpy(out->adaptive_triggers.left, from->left, sizeof(from->left));
	memcpy(out->adaptive_triggers.right, from->right, sizeof(from->right));
}

int pads_feedback(
		struct pads *pads, const struct ipc_message *message, struct control_message *out) {
	/* needs: any of these; a client that announced nothing gets rumble alone. */
	static const struct {
		void (*say)(const struct ipc_message *message, struct control_message *out);
		uint16_t needs;
	} rows[PAD_FEEDBACKS] = {
		[PAD_RUMBLE] = { say_rumble, INPUT_CAN_RUMBLE },
		[PAD_TRIGGER_RUMBLE] = { say_trigger_rumble, INPUT_CAN_TRIGGER_RUMBLE },
		[PAD_MOTION_REPORTS] = { say_motion,
				INPUT_CAN_ACCELEROMETER | INPUT_CAN_GYROSCOPE },
		[PAD_LED] = { say_led, INPUT_CAN_LED },
		[PAD_TRIGGERS] = { say_triggers, INPUT_CAN_ANALOG_TRIGGERS },
	};
	struct pad *pad = &pads->list[message->pad_feedback.number];
	uint8_t what = message->pad_feedback.what;
	if (!pad->here) {
		return -ENOENT;
	}
	bool silent = !pad->arrived && what == PAD_RUMBLE;
	bool effects = what == PAD_TRIGGERS && pad->type != INPUT_PAD_PLAYSTATION;
	if ((!silent && !(pad->capabilities & rows[what].needs)) || effects) {
		return -ENOTSUP;
	}
	*out = (struct control_message){ .kind = CONTROL_RUMBLE };
	rows[what].say(message, out);
	if (what == PAD_RUMBLE) {
		pad->rumbles = message->pad_feedback.a || message->pad_feedback.b;
	}
	return 0;
}

bool pads_still(struct pads *pads, struct control_message *out) {
	for (uint16_t i = 0; i < IPC_PADS_MAX; i++) {
		if (pads->list[i].rumbles) {
			pads->list[i].rumbles = false;
			*out = (struct control_message){ .kind = CONTROL_RUMBLE,
				.rumble.controller = i };
			return true;
		}
	}
	return false;
}
