/* SPDX-License-Identifier: MIT */
/* perigee-desktop as the supervisor and encoders see it: over its channels. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/pattern_scene.h"
#include "base/clock.h"
#include "base/shm.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "ipc/pool.h"
#include "ipc/pulse.h"
#include "ipc/reason.h"

enum {
	DEADLINE_MS = 20000,
};

struct host {
	char folder[64], display[96];
	int channel; /* ours to the desktop */
	struct shm pulse;
	pid_t desktop, app;
};

struct encoder {
	int channel;
	struct pool_view view;
};

static void receive(int fd, enum ipc_peer self, enum ipc_kind kind, struct ipc_message *out,
		struct ipc_fds *fds) {
	uint64_t deadline = clock_now_ms() + DEADLINE_MS;
	do {
		assert_true(clock_now_ms() < deadline);
		assert_int_equal(channel_receive_fd(fd, self, PEER_DESKTOP, DEADLINE_MS, out, fds),
				0);
	} while (out->kind != kind);
}

static int make_socket(const char *path) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	assert_true(text_copy(address.sun_path, sizeof(address.sun_path), path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static pid_t spawn(const char *path, const char *argument, int channel) {
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	if (channel >= 0) {
		posix_spawn_file_actions_adddup2(&actions, channel, 3);
	}
	const char *argv[] = { path, argument, NULL };
	pid_t pid;
	assert_int_equal(posix_spawn(&pid, path, &actions, NULL, (char *const *)(uintptr_t)argv,
					 environ),
			0);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void post(int fd, const struct ipc_message *message, const int *fds, size_t n_fds) {
	assert_int_equal(channel_send_fd(fd, message, fds, n_fds), 0);
}

static void host_begin(struct host *host, uint16_t width, uint16_t height) {
	*host = (struct host){ .pulse = SHM_NONE };
	text_copy(host->folder, sizeof(host->folder), "/tmp/perigee-process-XXXXXX");
	assert_non_null(mkdtemp(host->folder));
	text_format(host->display, sizeof(host->display), "%s/wayland", host->folder);
	setenv("XDG_RUNTIME_DIR", host->folder, 1);
	setenv("WAYLAND_DISPLAY", host->display, 1);
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	/* dup2 of a descriptor onto itself would leave it CLOEXEC. */
	int high = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
	close(pair[1]);
	host->channel = pair[0];
	host->desktop = spawn(DESKTOP_PATH, NULL, high);
	close(high);

	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &host->pulse), 0);
	struct ipc_message message = { .kind = IPC_START,
		.start = { .worker = 1, .log_level = 1 } };
	post(host->channel, &message, &host->pulse.fd, 1);
	int socket = make_socket(host->display);
	message = (struct ipc_message){ .kind = IPC_DESKTOP_START,
		.desktop_start = { .width = width,
				.height = height,
				.rate_mhz = 60000,
				.layout = "de",
				.fullscreen = 1 } };
	post(host->channel, &message, &socket, 1);
	close(socket);
	struct ipc_fds fds;
	receive(host->channel, PEER_SUPERVISOR, IPC_DESKTOP_READY, &message, &fds);
	assert_string_equal(message.desktop_ready.renderer, "pixman");
}

static void host_end(struct host *host) {
	struct ipc_message message = { .kind = IPC_STOP, .stop.grace_ms = 1000 };
	post(host->channel, &message, NULL, 0);
	struct ipc_fds fds;
	receive(host->channel, PEER_SUPERVISOR, IPC_STOPPED, &message, &fds);
	int status;
	assert_int_equal(waitpid(host->desktop, &status, 0), host->desktop);
	assert_int_equal(status, 0);
	if (host->app > 0) {
		kill(host->app, SIGKILL);
		waitpid(host->app, NULL, 0);
	}
	close(host->channel);
	shm_finish(&host->pulse);
	unlink(host->display);
	rmdir(host->folder);
}

static const struct ipc_picture_format format_720p = {
	.width = 1280, .height = 720, .chroma = CHROMA_420, .matrix = MATRIX_BT709
};

static void done(struct encoder *encoder, const struct ipc_message *picture) {
	struct ipc_message message = { .kind = IPC_PICTURE_DONE,
		.picture_done = { .epoch = picture->picture.epoch,
				.slot = picture->picture.slot,
				.number = picture->picture.number } };
	post(encoder->channel, &message, NULL, 0);
}

static void encoder_open_pool(struct encoder *encoder) {
	struct ipc_message message;
	struct ipc_fds fds;
	uint64_t deadline = clock_now_ms() + DEADLINE_MS;
	for (;;) {
		assert_true(clock_now_ms() < deadline);
		assert_int_equal(channel_receive_fd(encoder->channel, PEER_ENCODER, PEER_DESKTOP,
						 DEADLINE_MS, &message, &fds),
				0);
		if (message.kind == IPC_POOL) {
			break;
		}
		/* A picture of the old pool that was under way is given back too. */
		if (message.kind == IPC_PICTURE) {
			done(encoder, &message);
		}
	}
	pool_view_finish(&encoder->view);
	assert_int_equal(pool_view_open(fds.fd[0], &message.pool.format, message.pool.slots,
					 message.pool.epoch, &encoder->view),
			0);
}

static struct encoder encoder_add(
		struct host *host, uint32_t id, const struct ipc_picture_format *format) {
	struct encoder encoder = { .view.shm = SHM_NONE };
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	encoder.channel = pair[0];
	struct ipc_message message = {
		.kind = IPC_DESKTOP_ENCODER,
		.desktop_encoder = { .encoder = id, .format = *format },
	};
	post(host->channel, &message, &pair[1], 1);
	close(pair[1]);
	encoder_open_pool(&encoder);
	return encoder;
}

static void encoder_end(struct encoder *encoder) {
	close(encoder->channel);
	pool_view_finish(&encoder->view);
}

static struct ipc_message next_picture(struct encoder *encoder) {
	struct ipc_message message;
	struct ipc_fds fds;
	receive(encoder->channel, PEER_ENCODER, IPC_PICTURE, &message, &fds);
	assert_int_equal(message.picture.epoch, encoder->view.epoch);
	return message;
}

static int read_scene(const struct encoder *encoder, const struct ipc_message *picture,
		struct pattern_scene *out) {
	const struct pool_layout *layout = &encoder->view.layout;
	struct pattern_picture luma = {
		.base = pool_view_plane(&encoder->view, picture->picture.slot, 0),
		.step = 1,
		.stride = layout->stride[0],
		.width = layout->format.width,
		.height = layout->format.height,
	};
	return pattern_scene_read(&luma, out);
}

/* Takes pictures until Pattern's codes can be read. */
static struct pattern_scene first_scene(struct encoder *encoder) {
	struct pattern_scene scene;
	uint64_t deadline = clock_now_ms() + DEADLINE_MS;
	for (;;) {
		assert_true(clock_now_ms() < deadline);
		struct ipc_message picture = next_picture(encoder);
		int r = read_scene(encoder, &picture, &scene);
		done(encoder, &picture);
		if (r == 0) {
			return scene;
		}
	}
}

static void pictures_reach_an_encoder_in_the_pool(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--no-sound", -1);
	struct encoder encoder = encoder_add(&host, 1, &format_720p);
	uint32_t last = first_scene(&encoder).number;
	uint64_t number = 0;
	for (unsigned fresh = 0; fresh < 120;) {
		struct ipc_message picture = next_picture(&encoder);
		struct pattern_scene scene;
		assert_int_equal(read_scene(&encoder, &picture, &scene), 0);
		done(&encoder, &picture);
		/* The same scene may come twice: offered again as Pattern was late, or
		 * as wlroots damages all when it begins to scan out. */
		assert_true(scene.number >= last);
		if (scene.number == last) {
			continue;
		}
		fresh++;
		assert_true(picture.picture.number > number);
		const struct ipc_picture_times *times = &picture.picture.times;
		assert_true(times->commit > 0 && times->commit <= times->render_begin);
		assert_true(times->render_begin <= times->rendered);
		assert_true(times->rendered <= times->convert_begin);
		assert_true(times->convert_begin <= times->handed_over);
		last = scene.number;
		number = picture.picture.number;
	}
	const struct pulse *pulse = (const struct pulse *)(const void *)host.pulse.map;
	assert_true(pulse->counters[PULSE_DESKTOP_PICTURES] > 120);
	print_message("convert %.3f ms a picture\n",
			(double)pulse->counters[PULSE_DESKTOP_CONVERT_NS] / 1e6 /
					(double)pulse->counters[PULSE_DESKTOP_PICTURES]);
	encoder_end(&encoder);
	host_end(&host);
}

static void a_slow_encoder_gets_the_newest_and_does_not_slow_the_other(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--no-sound", -1);
	struct encoder fast = encoder_add(&host, 1, &format_720p);
	first_scene(&fast);
	struct encoder slow = encoder_add(&host, 2, &format_720p);
	struct ipc_message held = next_picture(&slow);
	struct ipc_message picture;
	struct pattern_scene before, now;
	assert_int_equal(read_scene(&slow, &held, &before), 0);
	for (unsigned i = 0; i < 60; i++) {
		picture = next_picture(&fast);
		done(&fast, &picture);
	}
	/* What it holds has not been written to; what comes next is what is newest. */
	assert_int_equal(read_scene(&slow, &held, &now), 0);
	assert_int_equal(now.number, before.number);
	done(&slow, &held);
	struct ipc_message next = next_picture(&slow);
	assert_true(next.picture.number >= picture.picture.number);
	encoder_end(&fast);
	encoder_end(&slow);
	host_end(&host);
}

static void a_format_of_its_own_gets_a_pool_of_its_own(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--no-sound", -1);
	struct ipc_picture_format full = format_720p;
	full.chroma = CHROMA_444;
	full.full_range = 1;
	struct encoder a = encoder_add(&host, 1, &format_720p);
	struct encoder b = encoder_add(&host, 2, &full);
	first_scene(&a);
	first_scene(&b);
	/* The white and black bars tell the range. */
	struct ipc_message p = next_picture(&a), q = next_picture(&b);
	size_t row = 700;
	const uint8_t *limited = pool_view_plane(&a.view, p.picture.slot, 0);
	const uint8_t *whole = pool_view_plane(&b.view, q.picture.slot, 0);
	assert_int_equal(limited[row * a.view.layout.stride[0] + 20], 235);
	assert_int_equal(limited[row * a.view.layout.stride[0] + 1270], 16);
	assert_int_equal(whole[row * b.view.layout.stride[0] + 20], 255);
	assert_int_equal(whole[row * b.view.layout.stride[0] + 1270], 0);
	encoder_end(&a);
	encoder_end(&b);
	host_end(&host);
}

static void a_resize_brings_a_new_pool(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--no-sound", -1);
	struct encoder encoder = encoder_add(&host, 1, &format_720p);
	first_scene(&encoder);
	struct ipc_message message = {
		.kind = IPC_DESKTOP_RESIZE,
		.desktop_size = { .width = 800, .height = 600, .rate_mhz = 60000 },
	};
	post(host.channel, &message, NULL, 0);
	struct ipc_fds fds;
	receive(host.channel, PEER_SUPERVISOR, IPC_DESKTOP_RESIZED, &message, &fds);
	assert_int_equal(message.desktop_size.width, 800);
	/* Whatever is in flight of the old pool comes first. */
	uint32_t old = encoder.view.epoch;
	encoder_open_pool(&encoder);
	assert_true(encoder.view.epoch > old);
	assert_int_equal(encoder.view.layout.format.width, 800);
	assert_int_equal(first_scene(&encoder).width, 800);
	encoder_end(&encoder);
	host_end(&host);
}

static void a_still_desktop_answers_a_request(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--still", -1);
	struct encoder encoder = encoder_add(&host, 1, &format_720p);
	first_scene(&encoder);
	struct ipc_message picture, ask = { .kind = IPC_PICTURE_ASK };
	for (unsigned i = 0; i < 4; i++) {
		picture = next_picture(&encoder);
		done(&encoder, &picture);
	}
	post(encoder.channel, &ask, NULL, 0);
	uint64_t asked = clock_now_ms();
	picture = next_picture(&encoder);
	assert_int_equal(picture.picture.again, 1);
	assert_true(clock_now_ms() - asked < 1000);
	encoder_end(&encoder);
	host_end(&host);
}

static unsigned sleeps_of(pid_t pid) {
	char path[64], line[128];
	text_format(path, sizeof(path), "/proc/%d/status", pid);
	OWN(file_close) FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0) {
			return (unsigned)strtoul(line + 24, NULL, 10);
		}
	}
	return 0;
}

/* From one refinement of a still picture to the next it is a second in which nothing
 * happens but the DONE and the worker's sign of life. */
static void a_still_desktop_sleeps(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--still", -1);
	struct encoder encoder = encoder_add(&host, 1, &format_720p);
	first_scene(&encoder);
	struct ipc_message picture;
	uint64_t before = 0, gap = 0;
	while (gap < 900) {
		picture = next_picture(&encoder);
		gap = before ? clock_now_ms() - before : 0;
		before = clock_now_ms();
		done(&encoder, &picture);
	}
	unsigned from = sleeps_of(host.desktop);
	picture = next_picture(&encoder);
	assert_int_equal(picture.picture.again, 1);
	unsigned sleeps = sleeps_of(host.desktop) - from;
	print_message("%u sleeps in %llu ms\n", sleeps,
			(unsigned long long)(clock_now_ms() - before));
	assert_true(sleeps <= 10);
	encoder_end(&encoder);
	host_end(&host);
}

/* Our end of its input channel. */
static int add_viewer(struct host *host, uint32_t viewer) {
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	struct ipc_message message = {
		.kind = IPC_DESKTOP_VIEWER,
		.desktop_viewer = { .viewer = viewer, .may_input = 1 },
	};
	post(host->channel, &message, &pair[1], 1);
	close(pair[1]);
	return pair[0];
}

/* Odd numbers press a key, even ones release it. */
static void say_keys(int channel, const uint64_t *sequences, size_t count) {
	for (size_t i = 0; i < count; i++) {
		struct ipc_message message = {
			.kind = IPC_INPUT,
			.input = { .sequence = sequences[i],
					.received_ns = clock_now_ns(),
					.kind = sequences[i] % 2 ? INPUT_KEY_DOWN : INPUT_KEY_UP,
					.code = KEY_A },
		};
		post(channel, &message, NULL, 0);
	}
}

static void input_of_a_viewer_arrives_once(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--no-sound", -1);
	struct encoder encoder = encoder_add(&host, 1, &format_720p);
	first_scene(&encoder);
	/* Two are repeated; then the stream is replaced, before anything of that was
	 * read for all we know, and its successor says some of it again. */
	int first = add_viewer(&host, 7);
	static const uint64_t before[] = { 1, 2, 2, 1, 4 }, after[] = { 2, 4, 3, 3, 1 };
	say_keys(first, before, ARRAY_LEN(before));
	int second = add_viewer(&host, 7);
	close(first);
	say_keys(second, after, ARRAY_LEN(after));
	struct pattern_scene scene = { 0 };
	uint64_t deadline = clock_now_ms() + DEADLINE_MS;
	while (scene.events < 2) {
		assert_true(clock_now_ms() < deadline);
		scene = first_scene(&encoder);
	}
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(first_scene(&encoder).events, 2);
	}
	const struct pulse *pulse = (const struct pulse *)(const void *)host.pulse.map;
	assert_int_equal(pulse->counters[PULSE_DESKTOP_INPUTS], 4);
	close(second);
	encoder_end(&encoder);
	host_end(&host);
}

static void an_encoder_that_lies_is_dropped_and_named(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--no-sound", -1);
	struct encoder honest = encoder_add(&host, 1, &format_720p);
	struct encoder liar = encoder_add(&host, 2, &format_720p);
	struct ipc_message picture = next_picture(&liar);
	picture.picture.slot ^= 5;
	done(&liar, &picture);
	struct ipc_message message;
	struct ipc_fds fds;
	receive(host.channel, PEER_SUPERVISOR, IPC_DESKTOP_ENCODER_LOST, &message, &fds);
	assert_int_equal(message.desktop_encoder_lost.encoder, 2);
	assert_int_equal(message.desktop_encoder_lost.reason, REASON_WORKER_LIED);
	first_scene(&honest);
	first_scene(&honest);
	encoder_end(&liar);
	encoder_end(&honest);
	host_end(&host);
}

static void a_picture_held_too_long_is_named(void **state) {
	(void)state;
	struct host host;
	host_begin(&host, 1280, 720);
	host.app = spawn(PATTERN_PATH, "--no-sound", -1);
	struct encoder starting = encoder_add(&host, 1, &format_720p);
	next_picture(&starting);
	struct encoder encoder = encoder_add(&host, 2, &format_720p);
	struct ipc_message picture = next_picture(&encoder);
	done(&encoder, &picture);
	next_picture(&encoder);
	struct ipc_message message;
	struct ipc_fds fds;
	receive(host.channel, PEER_SUPERVISOR, IPC_DESKTOP_ENCODER_LOST, &message, &fds);
	assert_int_equal(message.desktop_encoder_lost.encoder, 2);
	assert_int_equal(message.desktop_encoder_lost.reason, REASON_SLOTS_HELD);
	encoder_end(&starting);
	encoder_end(&encoder);
	host_end(&host);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(pictures_reach_an_encoder_in_the_pool),
		UNIT(a_slow_encoder_gets_the_newest_and_does_not_slow_the_other),
		UNIT(a_format_of_its_own_gets_a_pool_of_its_own),
		UNIT(a_resize_brings_a_new_pool),
		UNIT(a_still_desktop_answers_a_request),
		UNIT(a_still_desktop_sleeps),
		UNIT(input_of_a_viewer_arrives_once),
		UNIT(an_encoder_that_lies_is_dropped_and_named),
		UNIT(a_picture_held_too_long_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
