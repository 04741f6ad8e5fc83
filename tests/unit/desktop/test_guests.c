/* SPDX-License-Identifier: MIT */
/* What apps are told: constraints, wheels, selections, and when nothing happens. */
#include "../unit.h"

#include <linux/input-event-codes.h>
#include <string.h>

#include "base/clock.h"
#include "guest.h"
#include "rig.h"

struct stage {
	struct rig rig;
	struct guest guests[2];
	size_t count;
};

static void run(struct stage *stage, bool (*done)(struct stage *stage)) {
	uint64_t deadline = clock_now_ms() + RIG_DEADLINE_MS;
	for (;;) {
		for (size_t i = 0; i < stage->count; i++) {
			guest_pump(&stage->guests[i]);
		}
		if (done(stage)) {
			return;
		}
		assert_true(clock_now_ms() < deadline);
		desktop_dispatch(stage->rig.desktop, 5);
	}
}

static bool newest_is_ready(struct stage *stage) {
	return guest_is_ready(&stage->guests[stage->count - 1]);
}

/* Mapped, shown and in possession of the keyboard. */
static bool newest_is_open(struct stage *stage) {
	return stage->rig.windows == stage->count && stage->guests[stage->count - 1].has_keys;
}

static void invite(struct stage *stage) {
	struct guest *guest = &stage->guests[stage->count++];
	guest_begin(guest);
	run(stage, newest_is_ready);
	guest_open(guest);
	run(stage, newest_is_open);
}

static void begin(struct stage *stage) {
	static const struct desktop_settings settings = {
		.width = 1280, .height = 720, .rate_mhz = 60000, .fullscreen = true
	};
	*stage = (struct stage){ 0 };
	rig_begin(&stage->rig, &settings);
	invite(stage);
}

static void end(struct stage *stage) {
	for (size_t i = 0; i < stage->count; i++) {
		guest_end(&stage->guests[i]);
	}
	rig_end(&stage->rig);
}

static void move(struct stage *stage, int32_t dx, int32_t dy) {
	rig_input(&stage->rig, INPUT_MOTION, 0, dx, dy);
}

static bool has_pointer(struct stage *stage) {
	return stage->guests[0].entered && stage->guests[0].x == 640 && stage->guests[0].y == 360;
}

static void put_in_the_middle(struct stage *stage) {
	rig_input(&stage->rig, INPUT_POSITION, 0, 500, 500);
	run(stage, has_pointer);
}

static bool is_constrained(struct stage *stage) {
	return stage->guests[0].constrained;
}

static bool has_moved_relatively(struct stage *stage) {
	return stage->guests[0].relative_x == 30 && stage->guests[0].relative_y == -20;
}

static bool is_at_101_100(struct stage *stage) {
	return stage->guests[0].x == 101 && stage->guests[0].y == 100;
}

static void a_locked_pointer_stays_and_tells_only_relative_motion(void **state) {
	(void)state;
	struct stage stage;
	struct guest *guest = &stage.guests[0];
	begin(&stage);
	put_in_the_middle(&stage);
	guest_lock(guest);
	run(&stage, is_constrained);
	unsigned motions = guest->motions;
	guest->relative_x = guest->relative_y = 0;
	move(&stage, 10, -15);
	move(&stage, 20, -5);
	run(&stage, has_moved_relatively);
	assert_int_equal(guest->motions, motions);
	/* Let go, the cursor is where the game said that it drew it. */
	guest_unlock_at(guest, 100, 100);
	desktop_dispatch(stage.rig.desktop, 0);
	run(&stage, newest_is_open);
	desktop_dispatch(stage.rig.desktop, 0);
	move(&stage, 1, 0);
	run(&stage, is_at_101_100);
	end(&stage);
}

static bool has_moved_1000(struct stage *stage) {
	return stage->guests[0].relative_x == 1000;
}

static void a_confined_pointer_stays_inside(void **state) {
	(void)state;
	struct stage stage;
	struct guest *guest = &stage.guests[0];
	begin(&stage);
	put_in_the_middle(&stage);
	guest_confine(guest, 600, 300, 100, 100);
	run(&stage, is_constrained);
	guest->relative_x = 0;
	move(&stage, 1000, 0);
	run(&stage, has_moved_1000);
	assert_true(guest->x > 690 && guest->x <= 700);
	assert_true(guest->y == 360);
	guest->relative_x = 0;
	move(&stage, 1000, -1000);
	run(&stage, has_moved_1000);
	assert_true(guest->x > 690 && guest->x <= 700);
	assert_true(guest->y >= 300 && guest->y < 310);
	end(&stage);
}

static void scroll(struct stage *stage, enum ipc_input_kind kind, int32_t amount_120) {
	struct desktop_input input = { .kind = kind, .value = amount_120 };
	desktop_input(stage->rig.desktop, 1, &input);
}

/* Moonlight counts up and right as positive, Wayland down and right. */
static bool has_scrolled(struct stage *stage) {
	const struct guest *guest = &stage->guests[0];
	return guest->axis[0] == -30 && guest->notches[0] == -2 && guest->axis[1] == 15 &&
	       guest->notches[1] == 1;
}

static bool has_scrolled_back(struct stage *stage) {
	const struct guest *guest = &stage->guests[0];
	return guest->axis[0] == -15 && guest->notches[0] == -1;
}

static void fine_steps_of_both_wheels_add_up(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	put_in_the_middle(&stage);
	scroll(&stage, INPUT_SCROLL, 120);
	for (unsigned i = 0; i < 8; i++) {
		scroll(&stage, INPUT_SCROLL, 15);
		scroll(&stage, INPUT_SCROLL_SIDE, 15);
	}
	run(&stage, has_scrolled);
	scroll(&stage, INPUT_SCROLL, -120);
	run(&stage, has_scrolled_back);
	scroll(&stage, INPUT_SCROLL, INT32_MIN); /* nonsense, and not an overflow */
	scroll(&stage, INPUT_SCROLL, INT32_MAX);
	end(&stage);
}

static bool has_pressed(struct stage *stage) {
	return stage->guests[0].presses > 0;
}

/* An app may copy only what came of a press that it was told of. */
static void press_c(struct stage *stage) {
	rig_input(&stage->rig, INPUT_KEY_DOWN, KEY_C, 0, 0);
	rig_input(&stage->rig, INPUT_KEY_UP, KEY_C, 0, 0);
	run(stage, has_pressed);
}

static bool clipboard_is_there(struct stage *stage) {
	return guest_is_offered(&stage->guests[1], GUEST_CLIPBOARD);
}

static bool primary_is_there(struct stage *stage) {
	return guest_is_offered(&stage->guests[1], GUEST_PRIMARY);
}

static bool has_all(struct stage *stage) {
	return stage->guests[1].got_all;
}

static void text_goes_from_one_app_to_another(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	press_c(&stage);
	guest_offer(&stage.guests[0], GUEST_CLIPBOARD, "clipboard \u20ac");
	guest_offer(&stage.guests[0], GUEST_PRIMARY, "primary");
	guest_pump(&stage.guests[0]);
	invite(&stage);
	run(&stage, clipboard_is_there);
	guest_paste(&stage.guests[1], GUEST_CLIPBOARD);
	run(&stage, has_all);
	assert_string_equal(stage.guests[1].got, "clipboard \u20ac");
	run(&stage, primary_is_there);
	guest_paste(&stage.guests[1], GUEST_PRIMARY);
	run(&stage, has_all);
	assert_string_equal(stage.guests[1].got, "primary");
	end(&stage);
}

static bool has_clip(struct stage *stage) {
	return stage->rig.clips > 0;
}

static void read_clip(struct stage *stage) {
	stage->rig.clips = 0;
	desktop_clip_get(stage->rig.desktop, 7);
	run(stage, has_clip);
	assert_int_equal(stage->rig.clips, 1);
}

static void what_an_app_copied_is_read_from_outside(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	read_clip(&stage);
	assert_int_equal(stage.rig.clip_rc, -ENOENT);
	press_c(&stage);
	guest_offer(&stage.guests[0], GUEST_CLIPBOARD, "copied \u20ac");
	guest_pump(&stage.guests[0]);
	invite(&stage);
	run(&stage, clipboard_is_there);
	read_clip(&stage);
	assert_int_equal(stage.rig.clip_rc, 0);
	assert_string_equal(stage.rig.clip, "copied \u20ac");
	end(&stage);
}

static void what_is_set_from_outside_is_pasted_by_an_app(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	static const char text[] = "set \u20ac from outside";
	assert_int_equal(desktop_clip_set(stage.rig.desktop, text, strlen(text)), 0);
	invite(&stage);
	run(&stage, clipboard_is_there);
	guest_paste(&stage.guests[1], GUEST_CLIPBOARD);
	run(&stage, has_all);
	assert_string_equal(stage.guests[1].got, text);
	read_clip(&stage);
	assert_string_equal(stage.rig.clip, text);
	/* Another takes its place; what is no text is refused and changes nothing. */
	assert_int_equal(desktop_clip_set(stage.rig.desktop, "second", 6), 0);
	assert_int_equal(desktop_clip_set(stage.rig.desktop, "\xff", 1), -EBADMSG);
	read_clip(&stage);
	assert_string_equal(stage.rig.clip, "second");
	assert_int_equal(desktop_clip_set(stage.rig.desktop, "", 0), 0);
	read_clip(&stage);
	assert_int_equal(stage.rig.clip_rc, -ENOENT);
	end(&stage);
}

static void a_long_text_passes_and_one_that_is_too_long_does_not(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	static char text[IPC_CLIPBOARD_MAX + 1];
	memset(text, 'x', sizeof(text));
	assert_int_equal(desktop_clip_set(stage.rig.desktop, text, IPC_CLIPBOARD_MAX), 0);
	read_clip(&stage);
	assert_int_equal(stage.rig.clip_rc, 0);
	assert_int_equal(stage.rig.clip_len, IPC_CLIPBOARD_MAX);
	assert_int_equal(desktop_clip_set(stage.rig.desktop, text, sizeof(text)), 0);
	read_clip(&stage);
	assert_int_equal(stage.rig.clip_rc, -EFBIG);
	end(&stage);
}

static bool has_clip_alone(struct rig *rig) {
	return rig->clips > 0;
}

static void an_app_that_does_not_give_it_is_not_waited_for(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	press_c(&stage);
	guest_offer(&stage.guests[0], GUEST_CLIPBOARD, "never given");
	guest_pump(&stage.guests[0]);
	invite(&stage);
	run(&stage, clipboard_is_there);
	stage.rig.clips = 0;
	for (unsigned i = 0; i < 100; i++) { /* more than it has under way at once */
		desktop_clip_get(stage.rig.desktop, 7);
	}
	assert_true(stage.rig.clips > 0); /* refused at once */
	assert_int_equal(stage.rig.clip_rc, -EBUSY);
	stage.rig.clips = 0;
	rig_run(&stage.rig, has_clip_alone); /* the guests do nothing meanwhile */
	assert_int_equal(stage.rig.clip_rc, -ETIMEDOUT);
	end(&stage);
}

static bool has_no_timer(struct stage *stage) {
	return !rig_has_timer(&stage->rig);
}

static bool has_timer(struct stage *stage) {
	return rig_has_timer(&stage->rig);
}

static void a_desktop_that_nobody_watches_has_no_timer(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	run(&stage, has_timer); /* refines the still picture */
	desktop_watch(stage.rig.desktop, false);
	run(&stage, has_no_timer);
	unsigned pictures = stage.rig.pictures;
	rig_input(&stage.rig, INPUT_KEY_DOWN, KEY_C, 0, 0);
	run(&stage, has_pressed); /* input gets through all the same */
	assert_false(rig_has_timer(&stage.rig));
	assert_int_equal(stage.rig.pictures, pictures);
	end(&stage);
}

static void newer_protocols_are_offered_where_wlroots_has_them(void **state) {
	(void)state;
	struct stage stage;
	begin(&stage);
	assert_int_equal(stage.guests[0].shapes, RIG_WLROOTS_0_18);
	assert_int_equal(stage.guests[0].scales, RIG_WLROOTS_0_18);
	end(&stage);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_locked_pointer_stays_and_tells_only_relative_motion),
		UNIT(a_confined_pointer_stays_inside),
		UNIT(fine_steps_of_both_wheels_add_up),
		UNIT(text_goes_from_one_app_to_another),
		UNIT(what_an_app_copied_is_read_from_outside),
		UNIT(what_is_set_from_outside_is_pasted_by_an_app),
		UNIT(a_long_text_passes_and_one_that_is_too_long_does_not),
		UNIT(an_app_that_does_not_give_it_is_not_waited_for),
		UNIT(a_desktop_that_nobody_watches_has_no_timer),
		UNIT(newer_protocols_are_offered_where_wlroots_has_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
