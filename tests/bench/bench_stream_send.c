/* SPDX-License-Identifier: MIT */
#include "../unit/unit.h"

#include <time.h>

#include "base/clock.h"
#include "ipc/ring.h"
#include "unit/stream/viewer.h"

/* What sending costs: the CPU time of a real perigee-stream that sends 100 Mbit/s
 * of pictures with parity and encryption over loopback, where the receive side's
 * softirq is on the sender's bill. Prints; judges nothing but that all arrived. */
enum {
	RATE = 60,
	SECONDS = 3,
	MBIT = 100,
	SIZE = MBIT * 1000000 / 8 / RATE,
};

static bool has_newest(struct viewer *viewer) {
	return viewer->newest_picture == viewer->sources[0].pictures.sequence;
}

static uint64_t cpu_ns(pid_t pid) {
	clockid_t clock;
	struct timespec t;
	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &t), 0);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void measure(const char *name, struct viewer_config config, size_t size, bool silence) {
	struct viewer *viewer = viewer_create(config);
	viewer_connect(viewer);
	if (silence) {
		viewer_write_sound(viewer, 0, RING_SILENCE);
	}
	uint64_t cpu = cpu_ns(viewer->pid), begin = clock_now_ns();
	for (unsigned i = 0; i < RATE * SECONDS; i++) {
		viewer_until_ns(viewer, begin + i * NS_PER_S / RATE);
		if (size) {
			viewer_write(viewer, 0, size, 0, 0);
		}
	}
	assert_true(viewer_until(viewer, has_newest, VIEWER_WAIT_MS));
	double seconds = (double)(clock_now_ns() - begin) / (double)NS_PER_S;
	double busy = (double)(cpu_ns(viewer->pid) - cpu) / (double)NS_PER_S;
	const struct video_receive_stats *stats = video_receive_stats(viewer->video);
	print_message("# %-28s %5.2f %% of a core, %u datagrams, lost frames %llu, "
		      "age p50 %u us, hand-overs p50 %u us p99 %u us\n",
			name, 100 * busy / seconds, viewer->datagrams,
			(unsigned long long)stats->frames_lost,
			viewer->stats.stream_stats.age_p50_us,
			viewer->stats.stream_stats.hand_p50_us,
			viewer->stats.stream_stats.hand_p99_us);
	viewer_destroy(viewer);
}

static void sending_100_mbit_costs_little(void **state) {
	(void)state;
	struct viewer_config encrypted = {
		.encryption = ENCRYPT_VIDEO, .packet_size = 1360, .kbps = MBIT * 1000
	};
	struct viewer_config clear = { .kbps = MBIT * 1000 };
	measure("100 Mbit/s, encrypted", encrypted, SIZE, false);
	measure("100 Mbit/s, clear", clear, SIZE, false);
	measure("10 Mbit/s, encrypted", encrypted, SIZE / 10, false);
	measure("nothing to send", encrypted, 0, false);
	measure("silence each 5 ms", encrypted, 0, true);
}

int main(void) {
	const struct CMUnitTest tests[] = { UNIT(sending_100_mbit_costs_little) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
