/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"
#include "supervisor/view_inside.h"

/* What a view makes of its parts' deaths, without processes: the loop never runs, so
 * that no successor is really started. */
struct scene {
	struct supervisor *supervisor;
	struct session session;
	struct desk desk;
	struct view view;
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
	scene->view.session = &scene->session;
	scene->view.ring_fd[VIEW_PICTURES] = scene->view.ring_fd[VIEW_SOUND] = -1;
	for (enum view_part part = VIEW_PICTURES; part < VIEW_PARTS; part++) {
		scene->view.worker[part].view = &scene->view;
	}
	return scene;
}

static void end(struct scene *scene) {
	for (enum view_part part = VIEW_PICTURES; part < VIEW_PARTS; part++) {
		sd_event_source_disable_unref(scene->view.worker[part].retry);
	}
	sd_event_unref(scene->supervisor->event);
	free(scene->supervisor);
	free(scene);
}

static void lose_encoder(struct scene *scene, const char *kind) {
	struct child_end died = { .status = 9, .reason = REASON_ENCODER_DIED };
	text_copy(scene->view.kind, sizeof(scene->view.kind), kind);
	view_part_ended(&scene->view, VIEW_PICTURES, &died);
	assert_non_null(scene->view.worker[VIEW_PICTURES].retry);
}

static void a_kind_that_fails_three_times_gives_way_to_the_next(void **state) {
	(void)state;
	struct scene *scene = begin();
	add_kind(scene->supervisor, "broken", false);
	add_kind(scene->supervisor, "nvenc", true);
	add_kind(scene->supervisor, "x264", true);
	lose_encoder(scene, "nvenc");
	lose_encoder(scene, "nvenc");
	assert_int_equal(scene->view.kinds_failed, 0);
	lose_encoder(scene, "nvenc");
	assert_int_equal(scene->view.kinds_failed, 1u << 1);
	/* The next one begins with a clean sheet. */
	assert_int_equal(scene->view.worker[VIEW_PICTURES].restarts.next_ms, 0);
	lose_encoder(scene, "x264");
	lose_encoder(scene, "x264");
	lose_encoder(scene, "x264");
	assert_int_equal(scene->view.kinds_failed, 1u << 1); /* there is no other */
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
	assert_int_equal(scene->view.kinds_failed, 1u << 0);
	end(scene);
}

static void restarts_by_hand_are_no_failures_of_a_kind(void **state) {
	(void)state;
	struct scene *scene = begin();
	add_kind(scene->supervisor, "nvenc", true);
	add_kind(scene->supervisor, "x264", true);
	struct child_end asked = { .reason = REASON_RESTARTED };
	for (int i = 0; i < 4; i++) {
		text_copy(scene->view.kind, sizeof(scene->view.kind), "nvenc");
		view_part_ended(&scene->view, VIEW_PICTURES, &asked);
	}
	assert_int_equal(scene->view.kinds_failed, 0);
	end(scene);
}

static void without_its_sound_encoder_a_view_goes_on(void **state) {
	(void)state;
	struct scene *scene = begin();
	scene->view.opened = scene->view.started = true;
	struct child_end died = { .status = 9, .reason = REASON_ENCODER_DIED };
	struct view_worker *sound = &scene->view.worker[VIEW_SOUND];
	for (int i = 0; i < 20 && !sound->restarts.given_up; i++) {
		view_part_ended(&scene->view, VIEW_SOUND, &died);
	}
	assert_true(sound->restarts.given_up);
	assert_int_equal(scene->session.life.state, LIFE_STREAMING);
	end(scene);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_kind_that_fails_three_times_gives_way_to_the_next),
		UNIT(one_that_never_says_its_name_was_the_first_in_order),
		UNIT(restarts_by_hand_are_no_failures_of_a_kind),
		UNIT(without_its_sound_encoder_a_view_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
