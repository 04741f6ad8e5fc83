/* SPDX-License-Identifier: MIT */
#include "supervisor/app_env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/config_runner.h"

struct blob {
	char *at;
	size_t size, len;
	bool overflow;
};

static bool has_name(const struct blob *blob, size_t end, const char *text) {
	size_t name = strcspn(text, "=") + 1;
	for (size_t at = 0; at < end; at += strlen(blob->at + at) + 1) {
		if (strncmp(blob->at + at, text, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Adds NAME=VALUE unless there is one of that name. */
static void put(struct blob *blob, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct blob *blob, const char *format, ...) {
	size_t room = blob->size - blob->len;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(blob->at + blob->len, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		blob->overflow = true;
	} else if (!has_name(blob, blob->len, blob->at + blob->len)) {
		blob->len += (size_t)n + 1;
	}
}

static void put_own(struct blob *blob, const struct app_env *env) {
	put(blob, "PERIGEE_SESSION=%016llx", (unsigned long long)env->session);
	put(blob, "WOLF_SESSION_ID=%llu", (unsigned long long)env->session); /* as the API has it */
	put(blob, "XDG_RUNTIME_DIR=%s", env->runtime);
	put(blob, "WAYLAND_DISPLAY=wayland-0");
	put(blob, "PULSE_SERVER=%s", env->sound);
	put(blob, "PULSE_SINK=out");
	put(blob, "PULSE_SOURCE=out.monitor");
	if (env->socket) {
		put(blob, "PERIGEE_SOCKET=%s/%s", env->runtime, env->socket);
	}
	if (env->x_display[0]) {
		put(blob, "DISPLAY=%s", env->x_display);
	}
}

static void put_system(struct blob *blob) {
	put(blob, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/games");
	put(blob, "LANG=C.UTF-8");
	put(blob, "SHELL=/bin/bash");
}

static void put_usual(struct blob *blob, const struct app_env *env) {
	static const char *const sizes[][3] = {
		{ "PERIGEE_CLIENT_WIDTH", "PERIGEE_CLIENT_HEIGHT", "PERIGEE_CLIENT_FPS" },
		{ "SUNSHINE_CLIENT_WIDTH", "SUNSHINE_CLIENT_HEIGHT", "SUNSHINE_CLIENT_FPS" },
		{ "GAMESCOPE_WIDTH", "GAMESCOPE_HEIGHT", "GAMESCOPE_REFRESH" },
	};
	put(blob, "HOME=%s", env->home);
	if (env->container) {
		/* What images of Games on Whales make their user of. */
		put(blob, "PUID=%u", env->uid);
		put(blob, "PGID=%u", env->gid);
		put(blob, "UNAME=%s", env->uid ? "retro" : "root");
	} else {
		put_system(blob);
	}
	put(blob, "XDG_SESSION_TYPE=wayland");
	put(blob, "XDG_CURRENT_DESKTOP=Perigee");
	put(blob, "MOZ_ENABLE_WAYLAND=1");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		put(blob, "%s=%u", sizes[i][0], env->width);
		put(blob, "%s=%u", sizes[i][1], env->height);
		put(blob, "%s=%u", sizes[i][2], (env->rate_mhz + 500) / 1000);
	}
}

int app_env_write(const struct app_env *env, char *out, size_t size, uint16_t *out_len) {
	struct blob blob = { .at = out, .size = size };
	put_own(&blob, env);
	for (unsigned i = 0; env->runner && i < env->runner->env.count; i++) {
		put(&blob, "%s", env->runner->env.at[i]);
	}
	put_usual(&blob, env);
	if (blob.overflow || blob.len > UINT16_MAX) {
		return -E2BIG;
	}
	*out_len = (uint16_t)blob.len;
	return 0;
}
