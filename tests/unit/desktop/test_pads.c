/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
	int error; /* what UI_DEV_CREATE answers */
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
	fake.alive += request == UI_DEV_CREATE;
	fake.alive -= request == UI_DEV_DESTROY;
	return 0;
}

static const struct pad_kernel kernel = { control };

struct rig {
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
	rig->home = (struct pads_home){
		.kernel = &kernel, .ask = ask, .tell = tell, .user = rig, .desk = 0xab
	};
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

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pad_becomes_a_device_of_the_kernel),
		cmocka_unit_test(who_leaves_takes_every_device_along),
		cmocka_unit_test(a_device_for_who_left_meanwhile_is_not_made),
		cmocka_unit_test(who_only_watches_has_no_devices),
		cmocka_unit_test(without_a_device_everything_else_goes_on),
		cmocka_unit_test(what_is_held_is_let_go),
		cmocka_unit_test(a_stream_that_takes_over_hears_what_is_plugged_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
