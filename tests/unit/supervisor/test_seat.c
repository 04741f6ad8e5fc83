/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <sys/eventfd.h>

#include <systemd/sd-event.h>

#include "supervisor/desk.h"
#include "supervisor/encoding_inside.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view_inside.h"

/* A view whose moves are given up at the worst moments. Its stream is this test: what it is
 * told is read from the other end of its channel, what it says is called. */
enum {
	HOME,
	LOBBY,
	OTHER,
	PLACES,
};

struct scene {
	struct supervisor *supervisor;
	struct session session;
	struct desk desks[PLACES];
	struct view view;
	struct child stream;
	int wire; /* the stream's end */
};

static void on_message(struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)channel;
	(void)message;
	(void)fds;
}

static void on_closed(struct channel *channel, int error) {
	(void)channel;
	(void)error;
}

static const struct channel_events events = { .message = on_message, .closed = on_closed };

static void furnish(struct desk *desk) {
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		uint32_t id = (uint32_t)desk->id * ENCODING_KINDS + (uint32_t)kind;
		struct encoding *encoding = encoding_make(desk, (enum encoding_kind)kind, id);
		assert_non_null(encoding);
		encoding->ring_fd = eventfd(0, EFD_CLOEXEC);
		assert_true(encoding->ring_fd >= 0);
	}
}

static void place_desk(struct scene *scene, int place) {
	struct desk *desk = &scene->desks[place];
	desk->supervisor = scene->supervisor;
	desk->id = (uint64_t)place + 1;
	desk->desktop_ready = true;
	desk->next = scene->supervisor->desks;
	scene->supervisor->desks = desk;
	furnish(desk);
}

static struct view_seat seat_at(struct scene *scene, int place) {
	struct view_seat seat = { .desk = &scene->desks[place], .may_input = true };
	for (struct encoding *at = seat.desk->encodings; at; at = at->next) {
		seat.encoding[at->kind] = at;
	}
	return seat;
}

/* The source that the stream was told of last, if any, in messages of that kind alone. */
static uint32_t heard(struct scene *scene, enum ipc_kind kind) {
	uint32_t source = 0;
	struct ipc_message message;
	struct ipc_fds fds;
	while (channel_receive_fd(scene->wire, PEER_STREAM, PEER_SUPERVISOR, 0, &message, &fds) ==
			0) {
		for (size_t i = 0; i < fds.count; i++) {
			fd_close(fds.fd[i]);
		}
		assert_int_equal(message.kind, kind);
		source = kind == IPC_STREAM_SOURCE ? message.stream_source.source
						   : message.stream_part.source;
	}
	return source;
}

static uint32_t told(struct scene *scene) {
	return heard(scene, IPC_STREAM_SOURCE);
}

static void connect_stream(struct scene *scene) {
	int fds[2];
	assert_int_equal(channel_pair(fds), 0);
	scene->stream = (struct child){ .nursery = &scene->supervisor->nursery,
		.kind = PEER_STREAM };
	assert_int_equal(channel_open(&scene->stream.channel, scene->supervisor->event, fds[0],
					 PEER_SUPERVISOR, PEER_STREAM, &events, NULL),
			0);
	scene->wire = fds[1];
}

/* A viewer at home, who sees it. */
static struct scene *begin(void) {
	struct scene *scene = calloc(1, sizeof(*scene));
	assert_non_null(scene);
	scene->supervisor = calloc(1, sizeof(*scene->supervisor));
	assert_non_null(scene->supervisor);
	scene->supervisor->keep.holder.fd = -1;
	assert_true(sd_event_new(&scene->supervisor->event) >= 0);
	connect_stream(scene);
	for (int place = 0; place < PLACES; place++) {
		place_desk(scene, place);
	}
	scene->session = (struct session){ .supervisor = scene->supervisor,
		.life.state = LIFE_STREAMING,
		.desk = &scene->desks[HOME],
		.view = &scene->view };
	scene->supervisor->sessions = &scene->session;
	struct view *view = &scene->view;
	view->session = &scene->session;
	view->stream.child = &scene->stream;
	view->opened = view->started = true;
	view->now = seat_at(scene, HOME);
	assert_int_equal(view_send_source(view, &view->now), 0);
	assert_int_equal(told(scene), view->now.source);
	view_source_active(view, view->now.source, REASON_NONE);
	return scene;
}

static void end(struct scene *scene) {
	assert_int_equal(scene->session.life.state, LIFE_STREAMING);
	assert_ptr_equal(scene->view.now.desk, &scene->desks[HOME]);
	for (int place = 0; place < PLACES; place++) {
		encodings_release(&scene->desks[place], REASON_ASKED);
	}
	channel_close(&scene->stream.channel);
	fd_close(scene->wire);
	sd_event_unref(scene->supervisor->event);
	free(scene->supervisor);
	free(scene);
}

/* On its way to another place; the number of the source there. */
static uint32_t depart(struct scene *scene, int place) {
	struct view *view = &scene->view;
	view->next = seat_at(scene, place);
	assert_int_equal(view_send_source(view, &view->next), 0);
	assert_int_equal(told(scene), view->next.source);
	return view->next.source;
}

static void a_stream_that_moved_to_a_lobby_that_ended_comes_back(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	uint32_t before = view->now.source, there = depart(scene, LOBBY);
	view_switch_fails(view, REASON_LOBBY_ENDS);
	assert_int_equal(told(scene), 0); /* for all that we know it is at home */
	view_source_active(view, there, REASON_NONE);
	uint32_t again = told(scene);
	assert_true(again != 0 && again != there && again != before);
	assert_int_equal(view->now.source, again);
	view_source_active(view, again, REASON_NONE);
	/* Once is enough. */
	view_source_active(view, there, REASON_NONE);
	assert_int_equal(told(scene), 0);
	end(scene);
}

static void one_that_had_not_moved_is_left_where_it_is(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	uint32_t before = view->now.source, there = depart(scene, LOBBY);
	view_switch_fails(view, REASON_LOBBY_ENDS);
	view_source_active(view, there, REASON_NOT_READY);
	assert_int_equal(told(scene), 0);
	assert_int_equal(view->now.source, before);
	end(scene);
}

/* Its next move is under way when it says so: that one decides. */
static void one_that_moves_on_comes_back_if_that_fails_too(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	uint32_t there = depart(scene, LOBBY);
	view_switch_fails(view, REASON_LOBBY_ENDS);
	uint32_t other = depart(scene, OTHER);
	view_source_active(view, there, REASON_NONE);
	assert_int_equal(told(scene), 0);
	view_source_active(view, other, REASON_NOT_READY);
	uint32_t again = told(scene);
	assert_true(again != 0 && again != there && again != other);
	end(scene);
}

static void one_that_moves_on_and_arrives_does_not_come_back(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	uint32_t there = depart(scene, LOBBY);
	view_switch_fails(view, REASON_LOBBY_ENDS);
	uint32_t home = view->now.source;
	/* Home's own encodings leave with the move; it goes to OTHER, then home again. */
	uint32_t other = depart(scene, OTHER);
	view_source_active(view, there, REASON_NONE);
	view_source_active(view, other, REASON_NONE);
	assert_ptr_equal(view->now.desk, &scene->desks[OTHER]);
	assert_int_equal(told(scene), 0);
	furnish(&scene->desks[HOME]);
	uint32_t again = depart(scene, HOME);
	view_source_active(view, again, REASON_NONE);
	assert_int_equal(told(scene), 0);
	assert_int_not_equal(again, home);
	end(scene);
}

/* Nothing can be sent of an encoder that is just replaced; its successor brings the source. */
static void an_encoder_that_is_replaced_meanwhile_brings_it_back(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	uint32_t there = depart(scene, LOBBY);
	view_switch_fails(view, REASON_LOBBY_ENDS);
	struct encoding *pictures = view->now.encoding[ENCODING_PICTURES];
	int ring_fd = TAKE(pictures->ring_fd, -1);
	view_source_active(view, there, REASON_NONE);
	assert_int_equal(told(scene), 0);
	pictures->ring_fd = ring_fd;
	view_encoding_ready(view, pictures, REASON_NONE, NULL);
	assert_int_equal(told(scene), view->now.source);
	end(scene);
}

/* Pictures of where it is that it is about to read, with a ring. */
static struct encoding *come(struct scene *scene, enum line_state state) {
	struct view *view = &scene->view;
	struct encoding *encoding = encoding_make(view->now.desk, ENCODING_PICTURES, 1000);
	assert_non_null(encoding);
	encoding->ring_fd = eventfd(0, EFD_CLOEXEC);
	view->coming = encoding;
	view->line.state = state;
	return encoding;
}

static void pictures_that_come_take_the_place_of_those_before(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	uint32_t source = view->now.source, left = view->now.encoding[ENCODING_PICTURES]->id;
	struct encoding *sound = view->now.encoding[ENCODING_SOUND];
	struct encoding *own = come(scene, LINE_PARTING);
	view_encoding_ready(view, own, REASON_NONE, NULL);
	assert_ptr_equal(view->now.encoding[ENCODING_PICTURES], own);
	assert_ptr_equal(view->now.encoding[ENCODING_SOUND], sound);
	assert_null(view->coming);
	assert_null(encoding_find(view->now.desk, left)); /* nobody reads it any more */
	assert_true(line_is_apart(&view->line));
	/* The source is the same, with another ring. */
	assert_int_equal(heard(scene, IPC_STREAM_PICTURES), source);
	assert_int_equal(view->now.source, source);
	end(scene);
}

static void pictures_that_fail_to_come_change_nothing(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	struct encoding *before = view->now.encoding[ENCODING_PICTURES];
	struct encoding *own = come(scene, LINE_PARTING);
	view_encoding_failed(view, own, REASON_NO_ENCODER, "none");
	assert_ptr_equal(view->now.encoding[ENCODING_PICTURES], before);
	assert_null(view->coming);
	assert_null(encoding_find(view->now.desk, 1000));
	assert_int_equal(view->line.state, LINE_SHARED);
	assert_int_equal(heard(scene, IPC_STREAM_PICTURES), 0);
	end(scene);
}

/* Its shared pictures are there, and it goes elsewhere before it has them: it stays apart. */
static void who_goes_elsewhere_lets_what_comes_go(void **state) {
	(void)state;
	struct scene *scene = begin();
	struct view *view = &scene->view;
	come(scene, LINE_RETURNING);
	view->next = seat_at(scene, LOBBY);
	view_line_fails(view, REASON_SWITCH_PENDING);
	assert_null(view->coming);
	assert_int_equal(view->line.state, LINE_APART);
	view->next = (struct view_seat){ 0 };
	end(scene);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_stream_that_moved_to_a_lobby_that_ended_comes_back),
		UNIT(one_that_had_not_moved_is_left_where_it_is),
		UNIT(one_that_moves_on_comes_back_if_that_fails_too),
		UNIT(one_that_moves_on_and_arrives_does_not_come_back),
		UNIT(an_encoder_that_is_replaced_meanwhile_brings_it_back),
		UNIT(pictures_that_come_take_the_place_of_those_before),
		UNIT(pictures_that_fail_to_come_change_nothing),
		UNIT(who_goes_elsewhere_lets_what_comes_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
