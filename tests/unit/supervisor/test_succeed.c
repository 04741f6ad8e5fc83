/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "supervisor/desk.h"
#include "supervisor/encoding_inside.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

/* What becomes of encodings and who shares them, without processes: the loop never runs,
 * so that no successor is really started. */
struct scene {
	struct supervisor *supervisor;
	struct session session;
	struct desk desk;
	struct view view;
	struct encoding encoding[ENCODING_KINDS];
};

static void add_kind(struct supervisor *supervisor, const char *name, bool works) {
	struct ipc_message *probed = &supervisor->probed[supervisor->probed_count++];
	probed->kind = IPC_ENCODER_PROBED;
	probed->encoder_probed.mask = works;
	text_copy(probed->encoder_probed.name, sizeof(probed->encoder_probed.name), name);
}

static struct scene *begin(void) {
	struct scene *scene = calloc(1, sizeof(*scene));
	assert_non_null(scene);
	scene->supervisor = calloc(1, sizeof(*scene->supervisor));
	assert_non_null(scene->supervisor);
	assert_true(sd_event_new(&scene->supervisor->event) >= 0);
	scene->session.supervisor = scene->supervisor;
	scene->session.life.state = LIFE_STREAMING;
	scene->session.desk = &scene->desk;
	scene->desk.supervisor = scene->supervisor;
	scene->desk.desktop_ready = true;
	scene->session.view = &scene->view;
	scene->supervisor->sessions = &scene->session;
	scene->supervisor->desks = &scene->desk;
	scene->view.session = &scene->session;
	scene->view.now.desk = &scene->desk;
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		struct encoding *encoding = &scene->encoding[kind];
		encoding->desk = &scene->desk;
		encoding->kind = (enum encoding_kind)kind;
		encoding->id = (uint32_t)kind + 1;
		encoding->ring_fd = -1;
		encoding->next = scene->desk.encodings;
		scene->desk.encodings = encoding;
		scene->view.now.encoding[kind] = encoding;
	}
	return scene;
}

static void end(struct scene *scene) {
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		sd_event_source_disable_unref(scene->encoding[kind].place.retry);
	}
	sd_event_unref(scene->supervisor->event);
	free(scene->supervisor);
	free(scene);
}

static void lose_encoder(struct scene *scene, const char *kind) {
	struct child_end died = { .status = 9, .reason = REASON_ENCODER_DIED };
	struct encoding *pictures = &scene->encoding[ENCODING_PICTURES];
	text_copy(pictures->name, sizeof(pictures->name), kind);
	encoding_ended(pictures, &died);
	assert_non_null(pictures->place.retry);
}

static void a_kind_that_fails_three_times_gives_way_to_the_next(void **state) {
	(void)state;
	struct scene *scene = begin();
	add_kind(scene->supervisor, "broken", false);
	add_kind(scene->supervisor, "nvenc", true);
	add_kind(scene->supervisor, "x264", true);
	lose_encoder(scene, "nvenc");
	lose_encoder(scene, "nvenc");
	assert_int_equal(scene->encoding[ENCODING_PICTURES].kinds_failed, 0);
	lose_encoder(scene, "nvenc");
	assert_int_equal(scene->encoding[ENCODING_PICTURES].kinds_failed, 1u << 1);
	/* The next one begins with a clean sheet. */
	assert_int_equal(scene->encoding[ENCODING_PICTURES].place.restarts.next_ms, 0);
	lose_encoder(scene, "x264");
	lose_encoder(scene, "x264");
	lose_encoder(scene, "x264");
	assert_int_equal(scene->encoding[ENCODING_PICTURES].kinds_failed,
			1u << 1); /* there is no other */
	end(scene);
}

static void one_that_never_says_its_name_was_the_first_in_order(void **state) {
	(void)state;
	struct scene *scene = begin();
	add_kind(scene->supervisor, "nvenc", true);
	add_kind(scene->supervisor, "x264", true);
	for (int i = 0; i < 3; i++) {
		lose_encoder(scene, "");
	}
	assert_int_equal(scene->encoding[ENCODING_PICTURES].kinds_failed, 1u << 0);
	end(scene);
}

static void restarts_by_hand_are_no_failures_of_a_kind(void **state) {
	(void)state;
	struct scene *scene = begin();
	add_kind(scene->supervisor, "nvenc", true);
	add_kind(scene->supervisor, "x264", true);
	struct child_end asked = { .reason = REASON_RESTARTED };
	for (int i = 0; i < 4; i++) {
		struct encoding *pictures = &scene->encoding[ENCODING_PICTURES];
		text_copy(pictures->name, sizeof(pictures->name), "nvenc");
		encoding_ended(pictures, &asked);
	}
	assert_int_equal(scene->encoding[ENCODING_PICTURES].kinds_failed, 0);
	end(scene);
}

static void without_its_sound_encoder_a_view_goes_on(void **state) {
	(void)state;
	struct scene *scene = begin();
	scene->view.opened = scene->view.started = true;
	struct child_end died = { .status = 9, .reason = REASON_ENCODER_DIED };
	struct encoding *sound = &scene->encoding[ENCODING_SOUND];
	for (int i = 0; i < 20 && !sound->place.restarts.given_up; i++) {
		encoding_ended(sound, &died);
	}
	assert_true(sound->place.restarts.given_up);
	assert_int_equal(scene->session.life.state, LIFE_STREAMING);
	end(scene);
}

static struct encoding_form a_form(uint32_t kbps) {
	const struct ipc_stream_params params = {
		.width = 1280, .height = 720, .rate_x100 = 6000, .channels = 2, .sound_ms = 5
	};
	struct encoding_form form;
	encoding_form(&params, ENCODING_PICTURES, &form);
	form.pictures.bitrate_kbps = kbps;
	return form;
}

static void steps_are_one_and_a_half_apart_and_never_above(void **state) {
	(void)state;
	for (uint32_t kbps = 300; kbps < 150000; kbps += 7) {
		uint32_t step = encoding_step_kbps(kbps);
		assert_true(step <= kbps);
		assert_true(kbps < 500 || step * 151 / 100 >= kbps);
		assert_int_equal(encoding_step_kbps(step), step);
	}
}

static void who_wants_the_same_shares_it(void **state) {
	(void)state;
	struct encoding_form is = a_form(10000);
	struct encoding_form same = a_form(10000), less = a_form(9999), much = a_form(40000);
	assert_true(encoding_serves(ENCODING_PICTURES, &is, &same));
	/* Nobody is lowered for a joiner, and no joiner gets far less than it could. */
	assert_false(encoding_serves(ENCODING_PICTURES, &is, &less));
	assert_false(encoding_serves(ENCODING_PICTURES, &is, &much));
	struct encoding_form step = a_form(encoding_step_kbps(9999));
	assert_true(encoding_serves(ENCODING_PICTURES, &step, &less));
}

static void another_form_is_not_shared(void **state) {
	(void)state;
	struct encoding_form is = a_form(10000);
	struct encoding_form other[] = { is, is, is, is, is, is };
	other[0].pictures.width = 1920;
	other[1].pictures.codec = CODEC_HEVC;
	other[2].pictures.rate_x100 = 3000;
	other[3].pictures.references = 1;
	other[4].pictures.matrix = MATRIX_BT709;
	other[5].pictures.slices = 4;
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		assert_false(encoding_serves(ENCODING_PICTURES, &is, &other[i]));
	}
	struct encoding_form stereo = { .channels = 2, .frame_ms = 5 }, slower = stereo;
	assert_true(encoding_serves(ENCODING_SOUND, &stereo, &slower));
	slower.frame_ms = 10;
	assert_false(encoding_serves(ENCODING_SOUND, &stereo, &slower));
}

static void a_death_concerns_all_its_viewers_and_them_only(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct session another = { .supervisor = scene->supervisor, .desk = &scene->desk };
	struct view elsewhere = { .session = &another };
	another.view = &elsewhere;
	scene->session.next = &another;
	assert_int_equal(encoding_members(&scene->encoding[ENCODING_PICTURES]), 1);
	elsewhere.now.encoding[ENCODING_PICTURES] = &scene->encoding[ENCODING_PICTURES];
	assert_int_equal(encoding_members(&scene->encoding[ENCODING_PICTURES]), 2);
	assert_int_equal(encoding_members(&scene->encoding[ENCODING_SOUND]), 1);
	end(scene);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_kind_that_fails_three_times_gives_way_to_the_next),
		UNIT(one_that_never_says_its_name_was_the_first_in_order),
		UNIT(restarts_by_hand_are_no_failures_of_a_kind),
		UNIT(without_its_sound_encoder_a_view_goes_on),
		UNIT(steps_are_one_and_a_half_apart_and_never_above),
		UNIT(who_wants_the_same_shares_it),
		UNIT(another_form_is_not_shared),
		UNIT(a_death_concerns_all_its_viewers_and_them_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
