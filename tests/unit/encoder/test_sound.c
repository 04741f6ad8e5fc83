/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <opus/opus_multistream.h>

#include "ipc/worker.h"
#include "media/opus.h"

#include "process.h"

/* The real perigee-encoder records a real private PulseAudio. */

enum {
	FRAME_MS = 5,
	FRAME = SOUND_RATE_HZ / 1000 * FRAME_MS,
	TONE_HZ = 1000,
	TONE_S = 20,
	MISSING = 77,
};

static const char *path; /* of the program under test */

struct world {
	struct process process;
	struct reader_end reader;
	OpusMSDecoder *decoder;
	char folder[64];
	char socket[96];
	char tone[96]; /* a file with TONE_S of sine, s16 stereo */
	pid_t server, player;
};

static const char *find(const char *name, char *out, size_t size) {
	snprintf(out, size, "/usr/bin/%s", name);
	return access(out, X_OK) == 0 ? out : NULL;
}

static pid_t spawn(const char *const *argv) {
	pid_t pid;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawn(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv,
					 environ),
			0);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void end_child(pid_t *pid) {
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
		*pid = 0;
	}
}

static void start_server(struct world *world) {
	char program[64], protocol[200];
	find("pulseaudio", program, sizeof(program));
	snprintf(protocol, sizeof(protocol),
			"module-native-protocol-unix auth-anonymous=1 socket=%s", world->socket);
	unlink(world->socket);
	/* Without norewinds a null sink that nobody hears sleeps for 2 s, and a
	 * player's first sound waits for it. */
	const char *argv[] = { program, "-n", "--daemonize=no", "--exit-idle-time=10",
		"--use-pid-file=no", "--disallow-exit", "-L",
		"module-null-sink sink_name=out rate=48000 channels=2 format=s16le norewinds=1 ",
		"-L", protocol, NULL };
	world->server = spawn(argv);
	process_logs(&world->process, "sound-connected");
}

/* Wake-ups of all threads of a process so far. */
static unsigned long switches(pid_t pid) {
	char command[200];
	unsigned long sum = 0;
	snprintf(command, sizeof(command), "cat /proc/%d/task/*/status", (int)pid);
	FILE *pipe = popen(command, "r");
	char line[256];
	static const char field[] = "voluntary_ctxt_switches:";
	while (fgets(line, sizeof(line), pipe)) {
		if (strncmp(line, field, sizeof(field) - 1) == 0) {
			sum += strtoul(line + sizeof(field) - 1, NULL, 10);
		}
	}
	assert_int_equal(pclose(pipe), 0);
	return sum;
}

static void start_player(struct world *world) {
	char program[64], server[128];
	find("pacat", program, sizeof(program));
	snprintf(server, sizeof(server), "--server=unix:%s", world->socket);
	const char *argv[] = { program, server, "--playback", "--raw", "--rate=48000",
		"--channels=2", "--format=s16le", "--latency-msec=20", world->tone, NULL };
	world->player = spawn(argv);
}

static void write_tone(struct world *world) {
	OWN(file_close) FILE *file = fopen(world->tone, "we");
	for (int i = 0; i < TONE_S * SOUND_RATE_HZ; i++) {
		int16_t s = (int16_t)lround(12000 * sin(2 * M_PI * TONE_HZ * i / SOUND_RATE_HZ));
		int16_t both[2] = { s, s };
		assert_int_equal(fwrite(both, sizeof(both), 1, file), 1);
	}
}

static void begin(struct world *world) {
	*world = (struct world){ .folder = "/tmp/perigee-sound-XXXXXX" };
	assert_non_null(mkdtemp(world->folder));
	snprintf(world->socket, sizeof(world->socket), "%s/native", world->folder);
	snprintf(world->tone, sizeof(world->tone), "%s/tone", world->folder);
	setenv("HOME", world->folder, 1);
	setenv("XDG_RUNTIME_DIR", world->folder, 1);
	write_tone(world);
	world->process = process_spawn(path);
	struct ipc_message start = {
		.kind = IPC_SOUND_ENCODER_START,
		.sound_encoder = {
			.encoder = 4,
			.channels = 2,
			.streams = 1,
			.coupled = 1,
			.frame_ms = FRAME_MS,
			.mapping = { 0, 1 },
			.bitrate_bps = 96000,
		},
	};
	snprintf(start.sound_encoder.server, sizeof(start.sound_encoder.server), "unix:%s",
			world->socket);
	process_send(&world->process, &start, NULL, 0);
	process_expect(&world->process, IPC_ENCODER_READY);
	int error;
	world->decoder = opus_multistream_decoder_create(
			SOUND_RATE_HZ, 2, 1, 1, (const uint8_t[]){ 0, 1 }, &error);
	world->reader = reader_join(&world->process, 1);
}

static void end(struct world *world) {
	end_child(&world->player);
	end_child(&world->server);
	assert_int_equal(process_stop(&world->process), 0);
	reader_close(&world->reader);
	opus_multistream_decoder_destroy(world->decoder);
	assert_int_equal(folder_remove(world->folder), 0);
}

/* How much of the decoded packet is our tone, 0 to 1; -1 for silence. */
static double tone_in(struct world *world) {
	float samples[FRAME * 2];
	assert_int_equal(opus_multistream_decode_float(world->decoder, world->reader.bytes,
					 (int)world->reader.packet.size, samples, FRAME, 0),
			FRAME);
	double re = 0, im = 0, power = 0;
	for (int i = 0; i < FRAME; i++) {
		double angle = 2 * M_PI * TONE_HZ * i / SOUND_RATE_HZ, s = samples[2 * i];
		re += s * cos(angle);
		im += s * sin(angle);
		power += s * s;
	}
	return power < 1e-4 ? -1 : 2 * (re * re + im * im) / FRAME / power;
}

/* Reads until `count` packets in a row are the tone; returns how long the first took, ms. */
static unsigned hear_tone(struct world *world, unsigned count) {
	uint64_t begun = clock_now_ms(), first = 0, until = begun + DEADLINE_MS;
	for (unsigned in_a_row = 0; in_a_row < count;) {
		assert_true(clock_now_ms() < until);
		assert_true(reader_next(&world->reader, DEADLINE_MS));
		assert_int_equal(world->reader.packet.size, 60);
		in_a_row = tone_in(world) > 0.9 ? in_a_row + 1 : 0;
		if (in_a_row == 1) {
			first = clock_now_ms() - begun;
		}
	}
	return (unsigned)first;
}

/* Reads until the packet of silence; returns how long it took, ms. */
static unsigned hear_silence(struct world *world) {
	uint64_t begun = clock_now_ms();
	do {
		assert_true(clock_now_ms() < begun + DEADLINE_MS);
		assert_true(reader_next(&world->reader, DEADLINE_MS));
		tone_in(world);
	} while (!(world->reader.packet.flags & RING_SILENCE));
	/* Repeated, it stays silent. */
	assert_true(tone_in(world) < 0);
	assert_true(tone_in(world) < 0);
	return (unsigned)(clock_now_ms() - begun);
}

/* The encoder sleeps, and the server is not kept awake by it. */
static void expect_rest(struct world *world) {
	uint64_t cpu_us, beats;
	unsigned long before = switches(world->server);
	process_rests(&world->process, 1000, &cpu_us, &beats);
	unsigned long server = switches(world->server) - before;
	printf("# nothing plays: %llu wake-ups, %llu us CPU, server %lu wake-ups in 1 s\n",
			(unsigned long long)beats, (unsigned long long)cpu_us, server);
	assert_int_equal(beats, 0);
	assert_true(server < 60);
}

static void a_tone_comes_through_and_its_end_becomes_one_packet_of_silence(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	hear_silence(&world); /* long before there is a server */
	start_server(&world);
	assert_false(reader_next(&world.reader, QUIET_MS));
	expect_rest(&world);

	start_player(&world);
	printf("# tone heard %u ms after its player was started\n", hear_tone(&world, 20));
	uint64_t sequence = world.reader.packet.sequence, begun = clock_now_ms();
	hear_tone(&world, 200);
	uint64_t packets = world.reader.packet.sequence - sequence;
	uint64_t took = clock_now_ms() - begun;
	printf("# %llu packets in %llu ms\n", (unsigned long long)packets,
			(unsigned long long)took);
	assert_true(took * 10 >= packets * FRAME_MS * 8 && took * 10 <= packets * FRAME_MS * 12);

	end_child(&world.player);
	printf("# silence after %u ms\n", hear_silence(&world));
	assert_false(reader_next(&world.reader, QUIET_MS));
	expect_rest(&world);

	/* A newcomer gets its silence, and then the tone with the others. */
	struct reader_end second = reader_join(&world.process, 2);
	assert_true(reader_next(&second, DEADLINE_MS));
	assert_int_equal(second.packet.flags, RING_SILENCE);
	start_player(&world);
	printf("# tone heard %u ms after its player was started\n", hear_tone(&world, 50));
	assert_true(reader_next(&second, DEADLINE_MS));
	reader_close(&second);
	end(&world);
}

static void sound_survives_its_server(void **state) {
	(void)state;
	struct world world;
	begin(&world);
	start_server(&world);
	start_player(&world);
	hear_tone(&world, 50);
	end_child(&world.server);
	end_child(&world.player);
	unsigned ms = hear_silence(&world);
	printf("# killed: silence after %u ms\n", ms);
	assert_true(ms < 500);
	start_server(&world);
	start_player(&world);
	hear_tone(&world, 50);
	/* One that hangs is as good as dead. */
	assert_int_equal(kill(world.server, SIGSTOP), 0);
	ms = hear_silence(&world);
	printf("# stopped: silence after %u ms\n", ms);
	assert_true(ms < 2500);
	/* Whoever started it is told, to start another. */
	process_expect(&world.process, IPC_SOUND_DEAF);
	assert_int_equal(kill(world.server, SIGCONT), 0);
	hear_tone(&world, 50);
	end(&world);
}

static void without_readers_nothing_is_recorded(void **state) {
	(void)state;
	struct world world;
	uint64_t cpu_us, beats;
	begin(&world);
	start_server(&world);
	start_player(&world);
	hear_tone(&world, 20);
	close(TAKE(world.reader.requests, -1));
	process_logs(&world.process, "reader-left");
	process_rests(&world.process, QUIET_MS, &cpu_us, &beats);
	process_rests(&world.process, QUIET_MS, &cpu_us, &beats);
	assert_true(beats <= 1);
	reader_close(&world.reader);
	world.reader = reader_join(&world.process, 2);
	hear_silence(&world);
	hear_tone(&world, 20);
	end(&world);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(a_tone_comes_through_and_its_end_becomes_one_packet_of_silence),
		UNIT(sound_survives_its_server),
		UNIT(without_readers_nothing_is_recorded),
	};
	char found[64];
	if (!find("pulseaudio", found, sizeof(found)) || !find("pacat", found, sizeof(found))) {
		printf("1..0 # SKIP no PulseAudio\n");
		return MISSING;
	}
	path = argc > 1 ? argv[1] : "perigee-encoder";
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
