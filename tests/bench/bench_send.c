/* SPDX-License-Identifier: MIT */
/* What it costs the stream to send: frames of one size at 60 a second are cut,
 * protected, encrypted, paced and sent through a connected UDP socket on
 * loopback to a process that throws them away. Prints one line of JSON.
 *
 *   bench_send MBIT_S SECONDS */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "proto/video.h"
#include "stream/pacer.h"

enum {
	RATE = 60, /* frames a second */
	ROOM = 4 << 20,
	CEILING_PERCENT = 150, /* of the bytes of pictures, for the pacer */
};

static void throw_away(int fd) {
	static const int large = 8 << 20;
	char bytes[65536];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large));
	for (;;) {
		if (recv(fd, bytes, sizeof(bytes), 0) < 0) {
			_exit(0);
		}
	}
}

static int open_pair(int *out_sender, int *out_receiver) {
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	OWN(fd_close) int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	OWN(fd_close) int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(receiver, (struct sockaddr *)&address, len) < 0 ||
			getsockname(receiver, (struct sockaddr *)&address, &len) < 0 ||
			connect(sender, (struct sockaddr *)&address, len) < 0) {
		return -1;
	}
	*out_sender = TAKE(sender, -1);
	*out_receiver = TAKE(receiver, -1);
	return 0;
}

static void wait_until(uint64_t when_ns) {
	struct timespec when = { .tv_sec = (time_t)(when_ns / NS_PER_S),
		.tv_nsec = (long)(when_ns % NS_PER_S) };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

static uint64_t cpu_ns(void) {
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

static int send_frame(struct video_sender *sender, struct pacer *pacer,
		const struct video_frame *frame, uint8_t *out) {
	struct video_batch batch;
	if (video_begin(sender, frame, &batch) < 0) {
		return -1;
	}
	uint32_t datagrams = 0;
	for (unsigned i = 0; i < batch.plan.block_count; i++) {
		datagrams += (uint32_t)video_plan_shards(&batch.plan, i);
	}
	pacer_begin(pacer, datagrams, batch.plan.datagram_size, clock_now_ns());
	for (unsigned i = 0; i < batch.plan.block_count; i++) {
		if (video_write_block(sender, frame, &batch, i, out) < 0) {
			return -1;
		}
		pacer_load(pacer, out, (uint32_t)video_plan_shards(&batch.plan, i));
		while (pacer_run(pacer, clock_now_ns()) == PACER_LATER) {
			wait_until(pacer_next_ns(pacer));
		}
	}
	return 0;
}

static int run(int fd, unsigned mbit_s, unsigned seconds) {
	struct video_format format = {
		.packet_size = 1360, .fec_percent = 20, .min_parity = 2, .encrypted = true
	};
	struct secret key = { { 1 } };
	struct video_position position = { 0 };
	struct video_sender sender;
	struct pacer pacer;
	size_t size = (size_t)mbit_s * 1000000 / 8 / RATE;
	OWN(free) void *picture = calloc(1, size);
	OWN(free) void *out = malloc(ROOM);
	if (!picture || !out || video_sender_init(&sender, &format, &key, &position) < 0) {
		return -1;
	}
	pacer_init(&pacer, mbit_s * 10 * CEILING_PERCENT, RATE * 100);
	pacer_attach(&pacer, fd);
	uint64_t begun = clock_now_ns(), used = cpu_ns();
	for (unsigned i = 0; i < seconds * RATE; i++) {
		struct video_frame frame = {
			.data = picture, .size = size, .type = VIDEO_FRAME_P, .timestamp_90k = i
		};
		if (send_frame(&sender, &pacer, &frame, out) < 0) {
			return -1;
		}
		wait_until(begun + (i + 1) * NS_PER_S / RATE);
	}
	used = cpu_ns() - used;
	double took = (double)(clock_now_ns() - begun);
	printf("{\"percent_of_core\":%.2f,\"mbit_s\":%.1f,\"wire_mbit_s\":%.1f,\"datagrams\":%llu,"
	       "\"full\":%llu}\n",
			(double)used / took * 100, (double)size * RATE * seconds * 8 / took * 1000,
			(double)pacer.counters.bytes * 8 / took * 1000,
			(unsigned long long)pacer.counters.datagrams,
			(unsigned long long)pacer.counters.full);
	video_sender_finish(&sender);
	return 0;
}

int main(int argc, char **argv) {
	unsigned mbit_s = argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	unsigned seconds = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	int sender, receiver;
	if (mbit_s == 0 || mbit_s > 1000 || seconds == 0 || seconds > 600) {
		fprintf(stderr, "bench_send MBIT_S SECONDS\n");
		return EXIT_FAILURE;
	}
	if (open_pair(&sender, &receiver) < 0) {
		perror("socket");
		return EXIT_FAILURE;
	}
	pid_t child = fork();
	if (child == 0) {
		fd_close(sender);
		throw_away(receiver);
	}
	fd_close(receiver);
	int rc = child > 0 ? run(sender, mbit_s, seconds) : -1;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
