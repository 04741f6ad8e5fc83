/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "mortal.h"
#include "proto/input.h"
#include "viewer.h"

/* A stream is killed at every single occasion (mortal.c) of a small session, one
 * after the other, and its successor goes on with the same client: no nonce is used
 * twice, numbers go on, nothing typed is lost or doubled, nobody reconnects. */
enum {
	KEYS = 6,
	PICTURES = 5,
	SOUNDS = 6,
	AGAIN_MS = 300, /* what a successor passed over is said again after so long */
};

struct scene {
	struct viewer *viewer;
	struct mortal *mortal; /* mapped */
	char path[64];
	unsigned deaths;
};

static void open_mortal(struct scene *scene) {
	strcpy(scene->path, "/tmp/perigee-mortal-XXXXXX");
	int fd = mkstemp(scene->path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(struct mortal)), 0);
	scene->mortal = mmap(
			NULL, sizeof(struct mortal), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(scene->mortal, MAP_FAILED);
	close(fd);
	setenv(MORTAL_FILE, scene->path, 1);
}

static void close_mortal(struct scene *scene) {
	munmap(scene->mortal, sizeof(struct mortal));
	unlink(scene->path);
}

/* Encoders answer; a stream that died gets its successor, which lives. */
static bool look_after(struct scene *scene) {
	struct viewer *viewer = scene->viewer;
	if (viewer->exited) {
		assert_true(WIFSIGNALED(viewer->status));
		scene->deaths++;
		unsetenv(MORTAL_AT);
		viewer_succeed(viewer);
		return true;
	}
	if (viewer->sources[0].key_asks > 0) {
		viewer->sources[0].key_asks = 0;
		viewer_write(viewer, 0, 4000, RING_KEY, 0);
	}
	return false;
}

static bool is_dead_or_asks(struct viewer *viewer) {
	return viewer->exited || viewer->sources[0].key_asks > 0;
}

/* Waits until done(); again() is said whenever that does not come. */
static void live(struct scene *scene, bool (*done)(struct viewer *),
		void (*again)(struct viewer *)) {
	uint64_t until_ms = clock_now_ms() + VIEWER_WAIT_MS;
	uint64_t again_ms = clock_now_ms() + AGAIN_MS;
	while (!done(scene->viewer)) {
		uint64_t now_ms = clock_now_ms();
		assert_true(now_ms < until_ms);
		if (again && now_ms >= again_ms) {
			again(scene->viewer);
			again_ms = now_ms + AGAIN_MS;
		}
		/* A step at a time, so that whatever comes first is seen. */
		viewer_step(scene->viewer, now_ms + 20);
		if (is_dead_or_asks(scene->viewer)) {
			look_after(scene);
		}
	}
}

static bool is_connected(struct viewer *viewer) {
	return viewer->control.connected;
}

static bool is_set_up(struct viewer *viewer) {
	return viewer->control.hdr_said && viewer->frames > 0;
}

static void say_sound(struct viewer *viewer) {
	viewer_write_sound(viewer, 0, 0);
}

static unsigned distinct_inputs(const struct viewer *viewer) {
	const struct viewer_source *source = &viewer->sources[0];
	unsigned count = 0;
	for (unsigned i = 0; i < source->input_count; i++) {
		unsigned j = 0;
		while (source->inputs[j].input.sequence != source->inputs[i].input.sequence) {
			j++;
		}
		count += i == j;
		/* A desktop that drops one of them by its number drops nothing new. */
		assert_int_equal(source->inputs[i].input.code, source->inputs[j].input.code);
		assert_int_equal(source->inputs[i].input.kind, source->inputs[j].input.kind);
	}
	return count;
}

static bool has_all_inputs(struct viewer *viewer) {
	return distinct_inputs(viewer) >= KEYS;
}

static void press(struct viewer *viewer, unsigned number) {
	struct input_event event = { .kind = INPUT_KEY,
		.key = { .vk = (uint16_t)(0x41 + number), .down = true } };
	uint8_t bytes[INPUT_EVENT_MAX];
	size_t len = 0;
	assert_int_equal(input_encode(&event, bytes, sizeof(bytes), &len), 0);
	struct control_message message = { .kind = CONTROL_INPUT,
		.input = { .data = bytes, .len = len } };
	client_control_say(&viewer->control, (uint8_t)(2 + number % 2), &message);
}

static int compare_ivs(const void *a, const void *b) {
	return memcmp(a, b, MORTAL_IV_SIZE);
}

static void assert_no_nonce_twice(struct mortal *mortal) {
	assert_true(mortal->ivs > 20 && mortal->ivs < MORTAL_IVS_MAX);
	qsort(mortal->iv, mortal->ivs, MORTAL_IV_SIZE, compare_ivs);
	for (uint64_t i = 1; i < mortal->ivs; i++) {
		assert_memory_not_equal(mortal->iv[i - 1], mortal->iv[i], MORTAL_IV_SIZE);
	}
}

static void assert_unharmed(const struct viewer *viewer) {
	const struct video_receive_stats *stats = video_receive_stats(viewer->video);
	assert_int_equal(viewer->wrong, 0);
	assert_int_equal(viewer->sounds_wrong, 0);
	assert_int_equal(viewer->sounds_reused, 0);
	assert_int_equal(viewer->control.strange, 0);
	assert_false(viewer->control.disconnected);
	assert_false(viewer->lost);
	assert_int_equal(stats->malformed, 0);
	assert_int_equal(stats->corrupt, 0);
	assert_int_equal(distinct_inputs(viewer), KEYS);
}

/* One session; the stream dies at occasion `at` (0: never). Returns how many
 * occasions the mortal one had. */
static uint64_t play(uint64_t at, unsigned *out_deaths) {
	struct scene scene = { 0 };
	char text[24];
	open_mortal(&scene);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)at);
	setenv(MORTAL_AT, text, 1);
	struct viewer *viewer = scene.viewer = viewer_create((struct viewer_config){
			.encryption = ENCRYPT_CONTROL | ENCRYPT_VIDEO | ENCRYPT_AUDIO,
			.packet_size = 1360,
			.program = PERIGEE_MORTAL });
	viewer_open_flow(viewer, FLOW_CONTROL, 0);
	viewer_open_flow(viewer, FLOW_VIDEO, 1);
	viewer_open_flow(viewer, FLOW_AUDIO, 1);
	live(&scene, is_connected, NULL);
	client_control_kind(&viewer->control, 0, CONTROL_START_B);
	live(&scene, is_set_up, NULL);
	for (unsigned i = 0; i < PICTURES; i++) {
		viewer_write(viewer, 0, 700 + 2000 * i, 0, 0);
		live(&scene, viewer_has_newest, NULL);
		press(viewer, i);
	}
	for (unsigned i = 0; i < SOUNDS; i++) {
		viewer_write_sound(viewer, 0, 0);
		live(&scene, viewer_has_newest_sound, say_sound);
	}
	press(viewer, KEYS - 1);
	live(&scene, has_all_inputs, NULL);
	uint64_t occasions = scene.mortal->occasions;
	assert_unharmed(viewer);
	assert_no_nonce_twice(scene.mortal);
	viewer_destroy(viewer);
	close_mortal(&scene);
	*out_deaths += scene.deaths;
	return occasions;
}

static void a_stream_may_die_between_any_two_writes(void **state) {
	(void)state;
	unsigned deaths = 0;
	uint64_t occasions = play(0, &deaths);
	assert_int_equal(deaths, 0);
	assert_true(occasions > 50);
	for (uint64_t at = 1; at <= occasions; at++) {
		play(at, &deaths);
	}
	print_message("# %llu occasions, %u deaths\n", (unsigned long long)occasions, deaths);
	/* Acknowledgements travel together or not: a session has a few more or less. */
	assert_true(deaths > occasions * 3 / 4);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_stream_may_die_between_any_two_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
