/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DESKTOP_RIG_H
#define TESTS_DESKTOP_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "apps/pattern_scene.h"
#include "desktop/desktop.h"

enum {
	RIG_CLIENTS = 4,
	RIG_DEADLINE_MS = 20000, /* no wait of a test is longer; a loaded machine is slow */
	RIG_LOOK_MS = 50,
	RIG_SEEN_MAX = 4096,
};

/* A desktop in this process with real clients, in a runtime folder of its own. */
struct rig {
	struct desktop *desktop;
	char folder[64];
	char display[96];
	pid_t clients[RIG_CLIENTS];
	unsigned windows;
	bool notice;
	/* what desktop_clip_get() gave */
	unsigned clips;
	int clip_rc;
	size_t clip_len;
	char clip[64]; /* its beginning */

	/* the newest picture, packed */
	uint8_t *pixels;
	uint32_t width, height;
	unsigned pictures, repeats;
	bool hold; /* the consumer never becomes free again */

	/* what Pattern's code said, picture by picture */
	struct pattern_scene scene;
	bool readable;
	uint32_t numbers[RIG_SEEN_MAX];
	uint64_t rendered_ns[RIG_SEEN_MAX];
	unsigned seen;
};

void rig_begin(struct rig *rig, const struct desktop_settings *settings);
void rig_end(struct rig *rig);

/* argv[0] is looked up in PATH; "pattern" is ours. Returns its pid. */
pid_t rig_spawn(struct rig *rig, const char *const argv[]);

/* Lets the desktop run until `done` says so; fails the test at the deadline. */
void rig_run(struct rig *rig, bool (*done)(struct rig *rig));

/* Lets it run for so long; for what must not happen, and for measuring. */
void rig_run_for(struct rig *rig, unsigned ms);

void rig_input(struct rig *rig, enum ipc_input_kind kind, uint32_t code, int32_t x, int32_t y);
uint32_t rig_pixel(const struct rig *rig, uint32_t x, uint32_t y);

/* How many characters the typing keymap knows: 0 while text-input took them all. */
unsigned rig_typing_keys(const struct rig *rig);

/* Whether the pacing will wake up by itself. */
bool rig_has_timer(const struct rig *rig);

/* Of the X server; 0 before it was needed. */
pid_t rig_x11_pid(const struct rig *rig);

/* Writes the newest picture as PPM to $RIG_DUMP/name.ppm, when that is set. */
void rig_dump(const struct rig *rig, const char *name);

#endif
