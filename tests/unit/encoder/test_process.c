/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>

#include "ipc/pool.h"
#include "ipc/worker.h"

#include "../media/picture.h"
#include "process.h"

enum {
	WIDTH = 640,
	HEIGHT = 360,
};

static const char *path; /* of the program under test */

/* A picture encoder at work. */
struct world {
	struct process process;
	int desktop; /* the desktop's end of the picture channel */
	struct pool pool;
	uint32_t epoch;
	struct planes planes;
	struct reader_end reader;
};

static const struct ipc_picture_format usual = { WIDTH, HEIGHT, CHROMA_420, MATRIX_BT709, 0 };

static void send_pool(struct world *world, const struct ipc_picture_format *format) {
	pool_finish(&world->pool);
	assert_int_equal(pool_create(format, 4, &world->pool), 0);
	struct ipc_message message = {
		.kind = IPC_POOL,
		.pool = { .format = *format, .slots = world->pool.count, .epoch = ++world->epoch },
	};
	assert_int_equal(channel_send_fd(world->desktop, &message, &world->pool.shm.fd, 1), 0);
}

static void start_encoder(struct world *world, uint8_t references) {
	*world = (struct world){ .process = process_spawn(path), .pool.shm = SHM_NONE };
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	world->desktop = pair[0];
	struct ipc_message start = {
		.kind = IPC_PICTURE_ENCODER_START,
		.picture_encoder = {
			.encoder = 3,
			.encoding = {
				.width = WIDTH,
				.height = HEIGHT,
				.rate_x100 = 6000,
				.bitrate_kbps = 8000,
				.matrix = MATRIX_BT709,
				.depth = 8,
				.slices = 1,
				.references = references,
				.order = "nvenc,x264",
			},
		},
	};
	process_send(&world->process, &start, &pair[1], 1);
	close(pair[1]);
	struct ipc_message *ready = process_expect(&world->process, IPC_ENCODER_READY);
	assert_string_equal(ready->encoder_ready.name, "x264");
	assert_int_equal(ready->encoder_ready.encoder, 3);
	assert_int_equal(ready->encoder_ready.codec_mask, CODEC_BIT_H264);
	assert_int_equal(ready->encoder_ready.reference_invalidation, references != 1);
	world->planes = planes_create(WIDTH, HEIGHT, 2);
	send_pool(world, &usual);
}

static struct ipc_message *desktop_expect(struct world *world, enum ipc_kind kind) {
	struct ipc_fds fds;
	return expect_from(world->desktop, PEER_DESKTOP, PEER_ENCODER, kind, &fds);
}

static void begin(struct world *world) {
	start_encoder(world, 0);
	world->reader = reader_join(&world->process, 1);
	/* The first reader wants a key frame and there is no picture yet. */
	desktop_expect(world, IPC_PICTURE_ASK);
}

static void finish(struct world *world) {
	reader_close(&world->reader);
	close(world->desktop);
	pool_finish(&world->pool);
	planes_destroy(&world->planes);
}

static void end(struct world *world) {
	assert_int_equal(process_stop(&world->process), 0);
	finish(world);
}

static uint64_t offer(struct world *world) {
	struct pool_rows stale;
	int slot = pool_begin(&world->pool, &stale);
	assert_true(slot >= 0);
	planes_draw(&world->planes, (unsigned)world->pool.number + 1);
	const struct pool_layout *layout = &world->pool.layout;
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned width = WIDTH / plane_divide(&world->planes, plane);
		for (unsigned y = 0; y < layout->rows[plane] && y < HEIGHT; y++) {
			memcpy(pool_plane(&world->pool, slot, plane) + y * layout->stride[plane],
					world->planes.plane[plane] + y * width, width);
		}
	}
	uint64_t number = pool_commit(&world->pool, slot);
	pool_hold(&world->pool, slot, 0, clock_now_ns());
	struct ipc_message message = {
		.kind = IPC_PICTURE,
		.picture = {
			.epoch = world->epoch,
			.slot = (uint8_t)slot,
			.number = number,
			.damage_bottom = HEIGHT,
			.times = { 1000 + number, 2000, 3000 + number, 4000 + number,
				clock_now_ns() },
		},
	};
	assert_int_equal(channel_send_fd(world->desktop, &message, NULL, 0), 0);
	return number;
}

static void take_back(struct world *world) {
	struct ipc_message *done = desktop_expect(world, IPC_PICTURE_DONE);
	assert_int_equal(done->picture_done.epoch, world->epoch);
	assert_int_equal(pool_release(&world->pool, done->picture_done.slot, 0), 0);
}

/* Offers a picture and expects its packet. */
static const struct ring_packet *encode_one(struct world *world) {
	uint64_t number = offer(world);
	assert_true(reader_next(&world->reader, DEADLINE_MS));
	assert_int_equal(world->reader.packet.picture, number);
	take_back(world);
	return &world->reader.packet;
}

static void pictures_become_packets_that_decode(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	struct decoder decoder = decoder_create();
	for (unsigned n = 1; n <= 20; n++) {
		const struct ring_packet *packet = encode_one(&world);
		assert_int_equal(packet->sequence, n);
		assert_int_equal(packet->flags, n == 1 ? RING_KEY : 0);
		assert_int_equal(packet->references, n - 1);
		assert_int_equal(packet->commit_ns, 1000 + n);
		assert_int_equal(packet->rendered_ns, 3000 + n);
		assert_int_equal(packet->convert_ns, 4000 + n);
		assert_true(packet->handed_ns <= packet->encode_begin_ns);
		assert_true(packet->encode_begin_ns < packet->encode_end_ns);
		assert_true(packet->encode_end_ns <= clock_now_ns());
		assert_true(decoder_decode(&decoder, world.reader.bytes, packet->size));
		assert_true(decoder_psnr(&decoder, &world.planes, 0) > 28);
	}
	assert_int_equal(world.process.pulse->counters[PULSE_ENCODER_PICTURES], 20);
	assert_int_equal(world.process.pulse->counters[PULSE_ENCODER_KEYS], 1);
	assert_int_equal(world.process.pulse->counters[PULSE_ENCODER_READERS], 1);
	decoder_destroy(&decoder);
	end(&world);
}

static void of_pictures_that_wait_only_the_newest_is_encoded(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	encode_one(&world);
	assert_int_equal(kill(world.process.pid, SIGSTOP), 0);
	uint64_t newest = 0;
	for (int i = 0; i < 4; i++) {
		newest = offer(&world);
	}
	assert_int_equal(kill(world.process.pid, SIGCONT), 0);
	assert_true(reader_next(&world.reader, DEADLINE_MS));
	assert_int_equal(world.reader.packet.picture, newest);
	for (int i = 0; i < 4; i++) {
		take_back(&world);
	}
	assert_false(reader_next(&world.reader, QUIET_MS));
	end(&world);
}

static void a_key_frame_is_made_of_a_still_desktop(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	encode_one(&world);
	encode_one(&world);
	struct ipc_message ask = { .kind = IPC_KEYFRAME_ASK };
	assert_int_equal(channel_send_fd(world.reader.requests, &ask, NULL, 0), 0);
	uint64_t asked = clock_now_ms();
	desktop_expect(&world, IPC_PICTURE_ASK);
	assert_true(clock_now_ms() - asked < 200);
	assert_int_equal(encode_one(&world)->flags, RING_KEY);
	assert_int_equal(encode_one(&world)->flags, 0);
	end(&world);
}

static void a_loss_is_mended_without_a_key_frame(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	struct decoder decoder = decoder_create();
	for (unsigned n = 1; n <= 30; n++) {
		bool lost = n >= 21 && n <= 23;
		if (n == 24) {
			struct ipc_message message = { .kind = IPC_INVALIDATE,
				.invalidate = { 21, 23 } };
			assert_int_equal(channel_send_fd(world.reader.requests, &message, NULL, 0),
					0);
			desktop_expect(&world, IPC_PICTURE_ASK);
		}
		const struct ring_packet *packet = encode_one(&world);
		if (n == 24) {
			assert_int_equal(packet->flags, RING_AFTER_INVALIDATION);
			assert_int_equal(packet->references, 20);
		}
		if (!lost) {
			assert_true(decoder_decode(&decoder, world.reader.bytes, packet->size));
			assert_true(decoder_psnr(&decoder, &world.planes, 0) > 28);
		}
	}
	/* Too long ago for the decoder's buffer (16 pictures at this size). */
	struct ipc_message message = { .kind = IPC_INVALIDATE, .invalidate = { 2, 30 } };
	assert_int_equal(channel_send_fd(world.reader.requests, &message, NULL, 0), 0);
	desktop_expect(&world, IPC_PICTURE_ASK);
	assert_int_equal(encode_one(&world)->flags, RING_KEY);
	decoder_destroy(&decoder);
	end(&world);
}

static void without_readers_pictures_are_taken_but_not_encoded(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	encode_one(&world);
	struct ipc_message gone = { .kind = IPC_ENCODER_READER_GONE, .encoder_reader.reader = 1 };
	process_send(&world.process, &gone, NULL, 0);
	process_logs(&world.process, "reader-left");
	offer(&world);
	take_back(&world);
	assert_false(reader_next(&world.reader, QUIET_MS));
	reader_close(&world.reader);
	/* Who comes back starts at a key frame. */
	world.reader = reader_join(&world.process, 2);
	desktop_expect(&world, IPC_PICTURE_ASK);
	assert_int_equal(encode_one(&world)->flags, RING_KEY);
	end(&world);
}

static void a_dead_or_hostile_reader_harms_nobody(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	encode_one(&world);
	struct reader_end dead = reader_join(&world.process, 2);
	struct reader_end liar = reader_join(&world.process, 3);
	struct reader_end full = reader_join(&world.process, 4);
	/* One leaves its eventfd full and blocking. */
	uint64_t most = UINT64_MAX - 1;
	assert_int_equal(write(full.wake, &most, sizeof(most)), sizeof(most));
	assert_int_equal(fcntl(full.wake, F_SETFL, 0), 0);
	encode_one(&world);
	close(TAKE(dead.requests, -1));
	process_logs(&world.process, "reader-left");
	struct ipc_message lie = { .kind = IPC_PICTURE_ASK };
	assert_int_equal(channel_send_fd(liar.requests, &lie, NULL, 0), 0);
	process_logs(&world.process, "reader-refused");
	struct ipc_message nonsense = { .kind = IPC_INVALIDATE, .invalidate = { UINT64_MAX, 0 } };
	assert_int_equal(channel_send_fd(full.requests, &nonsense, NULL, 0), 0);
	for (int i = 0; i < 3; i++) {
		encode_one(&world);
	}
	assert_int_equal(world.process.pulse->counters[PULSE_ENCODER_READERS], 2);
	reader_close(&dead);
	reader_close(&liar);
	reader_close(&full);
	end(&world);
}

static void a_new_pool_replaces_the_old_one(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	encode_one(&world);
	send_pool(&world, &usual);
	encode_one(&world);
	end(&world);
}

static void another_format_is_refused_and_said(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	encode_one(&world);
	struct ipc_picture_format other = usual;
	other.matrix = MATRIX_BT601;
	send_pool(&world, &other);
	struct ipc_message *failure = process_expect(&world.process, IPC_FAILURE);
	assert_int_equal(failure->failure.reason, REASON_UNSUPPORTED);
	offer(&world);
	take_back(&world);
	assert_false(reader_next(&world.reader, QUIET_MS));
	end(&world);
}

enum lie {
	LIE_SLOT,
	LIE_EPOCH,
	LIE_OLD_POOL,
	LIE_NO_POOL,
	LIE_KIND,
	LIE_BYTES,
	LIES,
};

static void tell_lie(struct world *world, enum lie lie) {
	struct ipc_message message = { .kind = IPC_PICTURE, .picture.epoch = world->epoch };
	int fd = memfd_create("short", MFD_CLOEXEC);
	if (lie == LIE_SLOT) {
		message.picture.slot = 200;
	} else if (lie == LIE_EPOCH) {
		message.picture.epoch = 99;
	} else if (lie == LIE_OLD_POOL || lie == LIE_NO_POOL) {
		message = (struct ipc_message){ .kind = IPC_POOL };
		message.pool.format = usual;
		message.pool.slots = 4;
		message.pool.epoch = lie == LIE_OLD_POOL ? world->epoch : world->epoch + 1;
	} else if (lie == LIE_KIND) {
		message = (struct ipc_message){ .kind = IPC_KEYFRAME_ASK };
	}
	if (lie == LIE_BYTES) {
		static const uint8_t cut[] = { IPC_PICTURE, 0, 0xff }; /* within its first field */
		assert_int_equal(send(world->desktop, cut, sizeof(cut), 0), sizeof(cut));
	} else {
		size_t n_fds = message.kind == IPC_POOL;
		assert_int_equal(channel_send_fd(world->desktop, &message, &fd, n_fds), 0);
	}
	close(fd);
}

static void a_desktop_that_lies_ends_it_with_a_reason(void **state) {
	(void)state;
	for (enum lie lie = 0; lie < LIES; lie++) {
		struct world world;
		begin(&world);
		encode_one(&world);
		tell_lie(&world, lie);
		struct ipc_message *stopped = process_expect(&world.process, IPC_STOPPED);
		assert_int_equal(stopped->stopped.reason, REASON_WORKER_LIED);
		assert_true(stopped->stopped.detail[0] != '\0');
		assert_int_equal(process_wait(&world.process), 0);
		finish(&world);
	}
}

static void a_desktop_that_dies_ends_it_with_a_reason(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	encode_one(&world);
	close(world.desktop);
	world.desktop = dup(0);
	assert_int_equal(process_expect(&world.process, IPC_STOPPED)->stopped.reason,
			REASON_DESKTOP_DIED);
	assert_int_equal(process_wait(&world.process), 0);
	finish(&world);
}

static void an_idle_encoder_does_not_wake_up(void **state) {
	(void)state;
	struct world world;
	uint64_t cpu_us, beats;
	begin(&world);
	encode_one(&world);
	process_rests(&world.process, QUIET_MS, &cpu_us, &beats); /* what is still to be done */
	process_rests(&world.process, QUIET_MS, &cpu_us, &beats);
	assert_int_equal(beats, 0);
	assert_true(cpu_us < 1000);
	end(&world);
}

static void rates_follow_the_supervisor(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	size_t before = 0, after = 0;
	for (int n = 0; n < 40; n++) {
		if (n == 20) {
			struct ipc_message rate = { .kind = IPC_ENCODER_RATE,
				.encoder_rate.bitrate_kbps = 1000 };
			process_send(&world.process, &rate, NULL, 0);
			struct ipc_message poke = { .kind = IPC_POKE, .poke.number = 1 };
			process_send(&world.process, &poke, NULL, 0);
		}
		*(n < 20 ? &before : &after) += encode_one(&world)->size;
	}
	assert_int_equal(world.process.pulse->poked, 1);
	assert_true(after * 3 < before);
	const struct ipc_message *rated = process_expect(&world.process, IPC_ENCODER_RATED);
	assert_int_equal(rated->encoder_rate.bitrate_kbps, 1000);
	/* More than the level in its parameter sets allows: it stays. */
	struct ipc_message rate = { .kind = IPC_ENCODER_RATE, .encoder_rate.bitrate_kbps = 900000 };
	process_send(&world.process, &rate, NULL, 0);
	rated = process_expect(&world.process, IPC_ENCODER_RATED);
	assert_int_equal(rated->encoder_rate.bitrate_kbps, 1000);
	end(&world);
}

static void probing_answers_for_every_name(void **state) {
	(void)state;
	struct process process = process_spawn(path);
	struct ipc_message probe = { .kind = IPC_ENCODER_PROBE,
		.encoder_probe.order = "nvenc,x264" };
	process_send(&process, &probe, NULL, 0);
	struct ipc_message *probed = process_expect(&process, IPC_ENCODER_PROBED);
	assert_string_equal(probed->encoder_probed.name, "nvenc");
	probed = process_expect(&process, IPC_ENCODER_PROBED);
	assert_string_equal(probed->encoder_probed.name, "x264");
	assert_int_equal(probed->encoder_probed.mask, CODEC_BIT_H264 | CODEC_BIT_H264_444);
	assert_true(probed->encoder_probed.first_us > 0);
	process_expect(&process, IPC_ENCODER_PROBE_END);
	const struct ipc_message *cost = process_expect(&process, IPC_ENCODER_COST);
	assert_string_equal(cost->encoder_cost.name, "x264");
	assert_true(cost->encoder_cost.pictures > 0);
	assert_true(cost->encoder_cost.encode_ns_per_kpx > 0);
	assert_true(cost->encoder_cost.convert_ns_per_kpx > 0);
	assert_int_equal(cost->encoder_cost.device_ns_per_kpx, 0);
	assert_int_equal(cost->encoder_cost.sessions, 0);
	assert_int_equal(process_stop(&process), 0);
}

static void no_encoder_or_a_message_out_of_turn_ends_it_with_a_reason(void **state) {
	(void)state;
	struct process process = process_spawn(path);
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	struct ipc_message start = { .kind = IPC_PICTURE_ENCODER_START };
	start.picture_encoder.encoding = (struct ipc_encoding){ .width = WIDTH,
		.height = HEIGHT,
		.rate_x100 = 6000,
		.bitrate_kbps = 8000,
		.order = "nonesuch" };
	process_send(&process, &start, &pair[1], 1);
	struct ipc_message *stopped = process_expect(&process, IPC_STOPPED);
	assert_int_equal(stopped->stopped.reason, REASON_NO_ENCODER);
	assert_non_null(strstr(stopped->stopped.detail, "nonesuch"));
	assert_int_equal(process_wait(&process), 0);
	close(pair[0]);
	close(pair[1]);

	process = process_spawn(path);
	struct ipc_message rate = { .kind = IPC_ENCODER_RATE, .encoder_rate.bitrate_kbps = 1 };
	process_send(&process, &rate, NULL, 0);
	assert_int_equal(process_expect(&process, IPC_STOPPED)->stopped.reason, REASON_WORKER_LIED);
	assert_int_equal(process_wait(&process), 0);
}

static void start_shot(struct world *world, uint32_t size_max) {
	*world = (struct world){ .process = process_spawn(path), .pool.shm = SHM_NONE };
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	world->desktop = pair[0];
	struct ipc_message start = { .kind = IPC_SHOT_START,
		.shot_start = { .encoder = 3, .size_max = size_max } };
	process_send(&world->process, &start, &pair[1], 1);
	close(pair[1]);
	world->planes = planes_create(WIDTH, HEIGHT, 2);
	send_pool(world, &usual);
	offer(world);
}

static void a_screenshot_is_taken_and_the_slot_let_go(void **state) {
	(void)state;
	struct world world;
	struct ipc_fds fds;
	start_shot(&world, 4 << 20);
	struct ipc_message *taken = expect_from(world.process.supervisor, PEER_SUPERVISOR,
			PEER_ENCODER, IPC_SHOT_TAKEN, &fds);
	assert_int_equal(taken->shot.width, WIDTH);
	assert_int_equal(taken->shot.height, HEIGHT);
	struct shm shm;
	assert_int_equal(shm_adopt(fds.fd[0], taken->shot.size, false, &shm), 0);
	assert_memory_equal(shm.map, "\x89PNG\r\n\x1a\n", 8);
	assert_memory_equal(shm.map + shm.size - 8, "IEND", 4);
	shm_finish(&shm);
	/* Closed before the picture was packed: the desktop takes the slot back. */
	char byte;
	assert_int_equal(recv(world.desktop, &byte, 1, 0), 0);
	close(world.desktop);
	pool_finish(&world.pool);
	planes_destroy(&world.planes);
	assert_int_equal(process_stop(&world.process), 0);
}

static void a_screenshot_that_is_too_large_is_none(void **state) {
	(void)state;
	struct world world;
	start_shot(&world, 100);
	struct ipc_message *stopped = process_expect(&world.process, IPC_STOPPED);
	assert_int_equal(stopped->stopped.reason, REASON_RESOURCES);
	assert_int_equal(process_wait(&world.process), 0);
	close(world.desktop);
	pool_finish(&world.pool);
	planes_destroy(&world.planes);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(pictures_become_packets_that_decode),
		UNIT(of_pictures_that_wait_only_the_newest_is_encoded),
		UNIT(a_key_frame_is_made_of_a_still_desktop),
		UNIT(a_loss_is_mended_without_a_key_frame),
		UNIT(without_readers_pictures_are_taken_but_not_encoded),
		UNIT(a_dead_or_hostile_reader_harms_nobody),
		UNIT(a_new_pool_replaces_the_old_one),
		UNIT(another_format_is_refused_and_said),
		UNIT(a_desktop_that_lies_ends_it_with_a_reason),
		UNIT(a_desktop_that_dies_ends_it_with_a_reason),
		UNIT(an_idle_encoder_does_not_wake_up),
		UNIT(rates_follow_the_supervisor),
		UNIT(probing_answers_for_every_name),
		UNIT(a_screenshot_is_taken_and_the_slot_let_go),
		UNIT(a_screenshot_that_is_too_large_is_none),
		UNIT(no_encoder_or_a_message_out_of_turn_ends_it_with_a_reason),
	};
	path = argc > 1 ? argv[1] : "perigee-encoder";
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
