/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <linux/uhid.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "desktop/pads.h"
#include "ipc/pad.h"

/* The kernel's part is played by a socket: what is written comes out at its other end, and
 * the calls are noted. */
enum {
	CALLS_MAX = 64,
};

struct call {
	unsigned long request;
	unsigned long bit;         /* of UI_SET_EVBIT */
	struct uinput_setup setup; /* of UI_DEV_SETUP */
	char place[64];            /* of UI_SET_PHYS */
};

static struct fake {
	struct call calls[CALLS_MAX];
	unsigned count, alive;
	int error;               /* what UI_DEV_CREATE answers */
	struct ff_effect effect; /* that an app uploads */
	int retval;              /* of the newest upload or erasure; 1: none */
} fake;

static int control(int fd, unsigned long request, void *argument) {
	(void)fd;
	assert_true(fake.count < CALLS_MAX);
	struct call *call = &fake.calls[fake.count++];
	call->request = request;
	call->bit = request == UI_SET_EVBIT ? (unsigned long)argument : 0;
	if (request == UI_DEV_SETUP) {
		call->setup = *(struct uinput_setup *)argument;
	}
	if (request == UI_DEV_CREATE && fake.error) {
		return fake.error;
	}
	if (request == UI_GET_SYSNAME(PAD_DEVICE_NAME_MAX)) {
		memcpy(argument, "input12", sizeof("input12"));
	}
	if (request == UI_SET_PHYS) {
		text_copy(call->place, sizeof(call->place), argument);
	}
	if (request == UI_BEGIN_FF_UPLOAD) {
		((struct uinput_ff_upload *)argument)->effect = fake.effect;
	}
	if (request == UI_END_FF_UPLOAD) {
		fake.retval = ((struct uinput_ff_upload *)argument)->retval;
	}
	if (request == UI_END_FF_ERASE) {
		fake.retval = ((struct uinput_ff_erase *)argument)->retval;
	}
	fake.alive += request == UI_DEV_CREATE;
	fake.alive -= request == UI_DEV_DESTROY;
	return 0;
}

static const struct pad_kernel kernel = { control };

struct rig {
	struct sd_event *event;
	struct pads_home home;
	struct pads pads;
	uint32_t asked;
	enum ipc_pad_device device;
	unsigned asks, says, made, gone;
	char name[PAD_DEVICE_NAME_MAX]; /* of the device made or gone last */
	struct ipc_message said;
	int other; /* of the newest device */
};

static void ask(void *user, uint32_t request, enum ipc_pad_device device) {
	struct rig *rig = user;
	rig->asked = request;
	rig->device = device;
	rig->asks++;
}

static void tell(void *user, enum ipc_kind kind, const char *name) {
	struct rig *rig = user;
	rig->made += kind == IPC_PAD_MADE;
	rig->gone += kind == IPC_PAD_GONE;
	text_copy(rig->name, sizeof(rig->name), name);
}

static void say(void *user, const struct ipc_message *message) {
	struct rig *rig = user;
	rig->said = *message;
	rig->says++;
}

static void rig_init(struct rig *rig) {
	memset(&fake, 0, sizeof(fake));
	memset(rig, 0, sizeof(*rig));
	assert_true(sd_event_new(&rig->event) >= 0);
	rig->home = (struct pads_home){ .event = rig->event,
		.kernel = &kernel,
		.ask = ask,
		.tell = tell,
		.user = rig,
		.desk = 0xab };
	rig->other = -1;
	pads_init(&rig->pads, &rig->home, 5);
	rig->pads.say = say;
	rig->pads.user = rig;
	pads_allow(&rig->pads, true);
}

static void rig_finish(struct rig *rig) {
	pads_finish(&rig->pads);
	assert_int_equal(fake.alive, 0);
	fd_close(rig->other);
	sd_event_unref(rig->event);
}

static void plug(struct rig *rig, uint8_t number, uint8_t shown, uint16_t capabilities) {
	struct ipc_message message = { .kind = IPC_PAD_PLUG,
		.pad = { number, shown, capabilities } };
	assert_true(pads_message(&rig->pads, &message));
}

static void unplug(struct rig *rig, uint8_t number) {
	struct ipc_message message = { .kind = IPC_PAD_UNPLUG, .pad.number = number };
	assert_true(pads_message(&rig->pads, &message));
}

static bool grant(struct rig *rig, uint32_t request) {
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	fd_release(&rig->other);
	rig->other = fds[1];
	struct ipc_message message = { .kind = IPC_PAD_DEVICE,
		.pad_device = { .request = request } };
	bool taken = pads_device(&rig->pads, &message, fds[0]);
	if (!taken) {
		fd_close(fds[0]);
	}
	return taken;
}

static void press(struct rig *rig, uint8_t number, uint32_t buttons) {
	struct ipc_message message = { .kind = IPC_PAD_STATE,
		.pad_state = { .number = number, .buttons = buttons } };
	assert_true(pads_message(&rig->pads, &message));
}

/* The first event of what was written last; type 0: nothing was. */
static struct input_event written(struct rig *rig) {
	struct input_event events[PAD_EVENTS_MAX];
	ssize_t len = recv(rig->other, events, sizeof(events), MSG_DONTWAIT);
	return len < (ssize_t)sizeof(events[0]) ? (struct input_event){ 0 } : events[0];
}

static void a_pad_becomes_a_device_of_the_kernel(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 2, PAD_XBOX, PAD_CAN_RUMBLE);
	assert_int_equal(rig.asks, 1);
	assert_int_equal(rig.device, PAD_UINPUT);
	press(&rig, 2, PAD_BUTTON_A); /* before there is a device */
	assert_true(grant(&rig, rig.asked));
	assert_int_equal(fake.alive, 1);
	bool keys = false, axes = false;
	for (unsigned i = 0; i < fake.count; i++) {
		bool enables = fake.calls[i].request == UI_SET_EVBIT;
		keys |= enables && fake.calls[i].bit == EV_KEY;
		axes |= enables && fake.calls[i].bit == EV_ABS;
	}
	assert_true(keys && axes);
	const struct call *setup = &fake.calls[fake.count - 3];
	assert_int_equal(setup->request, UI_DEV_SETUP);
	/* The supervisor makes nodes of what has its desktop's number in its place. */
	assert_string_equal(setup[-1].place, "perigee/00000000000000ab/5.2");
	assert_int_equal(rig.made, 1);
	assert_string_equal(rig.name, "input12");
	assert_int_equal(setup->setup.id.vendor, 0x045e);
	assert_int_equal(setup->setup.id.bustype, BUS_USB);
	assert_string_equal(setup->setup.name, "Perigee Xbox One (virtual) pad");
	struct input_event event = written(&rig);
	assert_int_equal(event.code, BTN_SOUTH);
	assert_int_equal(event.value, 1);
	unplug(&rig, 2);
	assert_int_equal(rig.gone, 1);
	assert_int_equal(fake.alive, 0);
	rig_finish(&rig);
}

static void who_leaves_takes_every_device_along(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	for (uint8_t i = 0; i < 3; i++) {
		plug(&rig, i, PAD_NINTENDO, 0);
		assert_true(grant(&rig, rig.asked));
		memset(fake.calls, 0, sizeof(fake.calls));
		fake.count = 0;
	}
	assert_int_equal(fake.alive, 3);
	pads_finish(&rig.pads);
	assert_int_equal(fake.alive, 0);
	assert_int_equal(recv(rig.other, &rig, 0, MSG_DONTWAIT), 0); /* closed */
	rig_finish(&rig);
}

static void a_device_for_who_left_meanwhile_is_not_made(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 0, PAD_XBOX, 0);
	uint32_t first = rig.asked;
	unplug(&rig, 0);
	assert_false(grant(&rig, first));
	plug(&rig, 0, PAD_XBOX, 0);
	assert_false(grant(&rig, first));
	assert_true(grant(&rig, rig.asked));
	assert_int_equal(fake.alive, 1);
	rig_finish(&rig);
}

static void who_only_watches_has_no_devices(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	pads_allow(&rig.pads, false);
	plug(&rig, 0, PAD_XBOX, 0);
	press(&rig, 0, PAD_BUTTON_A);
	assert_int_equal(rig.asks, 0);
	pads_allow(&rig.pads, true);
	assert_int_equal(rig.asks, 1);
	assert_true(grant(&rig, rig.asked));
	assert_int_equal(written(&rig).type, 0);
	pads_allow(&rig.pads, false);
	assert_int_equal(fake.alive, 0);
	rig_finish(&rig);
}

static void without_a_device_everything_else_goes_on(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 0, PAD_XBOX, 0);
	struct ipc_message none = { .kind = IPC_PAD_DEVICE_NONE,
		.pad_device = { rig.asked, PAD_UINPUT, ENOENT } };
	assert_true(pads_device(&rig.pads, &none, -1));
	press(&rig, 0, PAD_BUTTON_A);
	pads_release(&rig.pads);
	unplug(&rig, 0);
	fake.error = -EINVAL;
	plug(&rig, 0, PAD_XBOX, 0);
	assert_true(grant(&rig, rig.asked));
	press(&rig, 0, PAD_BUTTON_A);
	assert_int_equal(fake.alive, 0);
	rig_finish(&rig);
}

static void what_is_held_is_let_go(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 0, PAD_XBOX, 0);
	assert_true(grant(&rig, rig.asked));
	press(&rig, 0, PAD_BUTTON_B);
	assert_int_equal(written(&rig).value, 1);
	pads_release(&rig.pads);
	struct input_event event = written(&rig);
	assert_int_equal(event.code, BTN_EAST);
	assert_int_equal(event.value, 0);
	rig_finish(&rig);
}

static void a_stream_that_takes_over_hears_what_is_plugged_in(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 4, PAD_PS, 0xff);
	uint32_t request = rig.asked;
	pads_tell(&rig.pads);
	assert_int_equal(rig.says, 1);
	assert_int_equal(rig.said.kind, IPC_PAD_PLUG);
	assert_int_equal(rig.said.pad.number, 4);
	assert_int_equal(rig.said.pad.capabilities, 0xff);
	plug(&rig, 4, PAD_XBOX, 0); /* it does not know better yet */
	assert_int_equal(rig.says, 2);
	assert_int_equal(rig.said.pad.shown, PAD_PS);
	assert_int_equal(rig.asked, request);
	rig_finish(&rig);
}

static void happens(struct rig *rig, uint16_t type, uint16_t code, int32_t value) {
	const struct input_event event = { .type = type, .code = code, .value = value };
	assert_int_equal(write(rig->other, &event, sizeof(event)), sizeof(event));
	assert_true(sd_event_run(rig->event, 1000000) > 0);
}

static void an_effect_of_an_app_is_felt(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 3, PAD_XBOX, PAD_CAN_RUMBLE);
	assert_true(grant(&rig, rig.asked));
	fake.effect = (struct ff_effect){
		.type = FF_RUMBLE, .id = 2, .u.rumble = { 0xffff, 0x8000 }
	};
	fake.retval = 1;
	happens(&rig, EV_UINPUT, UI_FF_UPLOAD, 77);
	assert_int_equal(fake.retval, 0);
	assert_int_equal(rig.says, 0);
	happens(&rig, EV_FF, 2, 1);
	assert_int_equal(rig.says, 1);
	assert_int_equal(rig.said.kind, IPC_PAD_FEEDBACK);
	assert_int_equal(rig.said.pad_feedback.number, 3);
	assert_int_equal(rig.said.pad_feedback.what, PAD_RUMBLE);
	assert_int_equal(rig.said.pad_feedback.a, 0xffff);
	assert_int_equal(rig.said.pad_feedback.b, 0x8000);
	happens(&rig, EV_FF, 2, 1); /* again, no stronger */
	assert_int_equal(rig.says, 1);
	fake.effect.type = FF_SPRING;
	happens(&rig, EV_UINPUT, UI_FF_UPLOAD, 78); /* the app waits for an answer */
	assert_int_equal(fake.retval, -EINVAL);
	unplug(&rig, 3);
	assert_int_equal(rig.says, 2);
	assert_int_equal(rig.said.pad_feedback.a, 0);
	rig_finish(&rig);
}

static void an_effect_ends_by_itself_or_when_it_is_erased(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 0, PAD_NINTENDO, 0);
	assert_true(grant(&rig, rig.asked));
	fake.effect = (struct ff_effect){
		.type = FF_RUMBLE, .replay.length = 20, .u.rumble = { 1, 1 }
	};
	happens(&rig, EV_UINPUT, UI_FF_UPLOAD, 1);
	happens(&rig, EV_FF, 0, 1);
	assert_int_equal(rig.said.pad_feedback.a, 1);
	while (rig.says < 2) {
		assert_true(sd_event_run(rig.event, 5000000) > 0);
	}
	assert_int_equal(rig.said.pad_feedback.a, 0);
	fake.effect.replay.length = 0;
	happens(&rig, EV_UINPUT, UI_FF_UPLOAD, 2);
	happens(&rig, EV_FF, 0, 1);
	assert_int_equal(rig.said.pad_feedback.a, 1);
	happens(&rig, EV_UINPUT, UI_FF_ERASE, 3);
	assert_int_equal(fake.retval, 0);
	assert_int_equal(rig.said.pad_feedback.a, 0);
	rig_finish(&rig);
}

/* ---- uhid ---- */

static struct uhid_event heard(struct rig *rig) {
	struct uhid_event event = { 0 };
	ssize_t len = recv(rig->other, &event, sizeof(event), MSG_DONTWAIT);
	return len < (ssize_t)sizeof(event.type) ? (struct uhid_event){ .type = UINT32_MAX }
						 : event;
}

static void kernel_says(struct rig *rig, const struct uhid_event *event) {
	assert_int_equal(write(rig->other, event, sizeof(*event)), sizeof(*event));
	assert_true(sd_event_run(rig->event, 1000000) > 0);
}

static void a_dualsense_is_made_by_uhid(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 1, PAD_PS, 0xff);
	assert_int_equal(rig.device, PAD_UHID);
	assert_true(grant(&rig, rig.asked));
	struct uhid_event event = heard(&rig);
	assert_int_equal(event.type, UHID_CREATE2);
	assert_int_equal(event.u.create2.vendor, 0x054c);
	assert_int_equal(event.u.create2.product, 0x0ce6);
	assert_string_equal((char *)event.u.create2.phys, "perigee/00000000000000ab/5.1");
	assert_int_equal(event.u.create2.rd_size, pad_dualsense_descriptor_size);
	char address[64];
	text_copy(address, sizeof(address), (char *)event.u.create2.uniq);
	assert_int_equal(heard(&rig).type, UHID_INPUT2); /* how it is now */
	press(&rig, 1, PAD_BUTTON_A);
	event = heard(&rig);
	assert_int_equal(event.type, UHID_INPUT2);
	assert_int_equal(event.u.input2.size, PAD_DUALSENSE_INPUT);
	assert_int_equal(event.u.input2.data[8], 0x28);
	struct ipc_message touch = { .kind = IPC_PAD_SENSE,
		.pad_sense = { .number = 1, .what = PAD_TOUCH, .type = PAD_FINGER_DOWN } };
	assert_true(pads_message(&rig.pads, &touch));
	assert_int_equal(heard(&rig).u.input2.data[33], 0);
	kernel_says(&rig, &(struct uhid_event){ .type = UHID_GET_REPORT,
					  .u.get_report = { 7, 0x09, UHID_FEATURE_REPORT } });
	event = heard(&rig);
	assert_int_equal(event.type, UHID_GET_REPORT_REPLY);
	assert_int_equal(event.u.get_report_reply.id, 7);
	assert_int_equal(event.u.get_report_reply.err, 0);
	assert_int_equal(event.u.get_report_reply.size, 20);
	kernel_says(&rig, &(struct uhid_event){ .type = UHID_GET_REPORT,
					  .u.get_report = { 8, 0x77, UHID_FEATURE_REPORT } });
	assert_int_equal(heard(&rig).u.get_report_reply.err, EIO);
	assert_int_equal(rig.made, 0);
	kernel_says(&rig, &(struct uhid_event){ .type = UHID_OUTPUT,
					  .u.output = { { 2, 3, 4, 0x10, 0x20 }, 63,
							  UHID_OUTPUT_REPORT } });
	assert_int_equal(rig.made, 1);
	assert_string_equal(rig.name, address);
	assert_int_equal(rig.says, 3); /* motion is asked for, twice, and it rumbles */
	assert_int_equal(rig.said.pad_feedback.what, PAD_RUMBLE);
	assert_int_equal(rig.said.pad_feedback.a, 0x2020);
	unplug(&rig, 1);
	assert_int_equal(heard(&rig).type, UHID_DESTROY);
	assert_int_equal(rig.gone, 1);
	assert_int_equal(rig.says, 6); /* it is stilled, and motion no longer asked for */
	rig_finish(&rig);
}

static void without_uhid_uinput_makes_it(void **state) {
	(void)state;
	struct rig rig;
	rig_init(&rig);
	plug(&rig, 0, PAD_PS, 0);
	struct ipc_message none = { .kind = IPC_PAD_DEVICE_NONE,
		.pad_device = { rig.asked, PAD_UHID, ENOENT } };
	assert_true(pads_device(&rig.pads, &none, -1));
	assert_int_equal(rig.asks, 2);
	assert_int_equal(rig.device, PAD_UINPUT);
	assert_true(grant(&rig, rig.asked));
	assert_int_equal(fake.alive, 1);
	rig_finish(&rig);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pad_becomes_a_device_of_the_kernel),
		cmocka_unit_test(who_leaves_takes_every_device_along),
		cmocka_unit_test(a_device_for_who_left_meanwhile_is_not_made),
		cmocka_unit_test(who_only_watches_has_no_devices),
		cmocka_unit_test(without_a_device_everything_else_goes_on),
		cmocka_unit_test(what_is_held_is_let_go),
		cmocka_unit_test(a_stream_that_takes_over_hears_what_is_plugged_in),
		cmocka_unit_test(an_effect_of_an_app_is_felt),
		cmocka_unit_test(an_effect_ends_by_itself_or_when_it_is_erased),
		cmocka_unit_test(a_dualsense_is_made_by_uhid),
		cmocka_unit_test(without_uhid_uinput_makes_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
