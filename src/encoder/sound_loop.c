/* SPDX-License-Identifier: MIT */
#include "encoder/sound_loop.h"

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include <pulse/mainloop-api.h>
#include <systemd/sd-event.h>

#include "base/clock.h"

enum {
	TIMER_ACCURACY_US = 1000,
};

/* libpulse frees an event from within its own callback: nothing here touches an
 * event after calling back. sd-event holds its source itself meanwhile. */
struct pa_io_event {
	pa_mainloop_api *api;
	struct sd_event_source *source; /* owned */
	pa_io_event_cb_t callback;
	pa_io_event_destroy_cb_t destroyed;
	void *user;
};

struct pa_time_event {
	pa_mainloop_api *api;
	struct sd_event_source *source; /* owned */
	pa_time_event_cb_t callback;
	pa_time_event_destroy_cb_t destroyed;
	void *user;
	struct timeval at;
};

struct pa_defer_event {
	pa_mainloop_api *api;
	struct sd_event_source *source; /* owned */
	pa_defer_event_cb_t callback;
	pa_defer_event_destroy_cb_t destroyed;
	void *user;
};

static struct sd_event *event_of(pa_mainloop_api *api) {
	return (struct sd_event *)api->userdata;
}

static uint32_t to_epoll(pa_io_event_flags_t events) {
	return (events & PA_IO_EVENT_INPUT ? EPOLLIN : 0u) |
	       (events & PA_IO_EVENT_OUTPUT ? EPOLLOUT : 0u);
}

static pa_io_event_flags_t from_epoll(uint32_t events) {
	return (events & EPOLLIN ? PA_IO_EVENT_INPUT : 0u) |
	       (events & EPOLLOUT ? PA_IO_EVENT_OUTPUT : 0u) |
	       (events & EPOLLHUP ? PA_IO_EVENT_HANGUP : 0u) |
	       (events & EPOLLERR ? PA_IO_EVENT_ERROR : 0u);
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *user) {
	(void)source;
	pa_io_event *e = user;
	e->callback(e->api, e, fd, from_epoll(events), e->user);
	return 0;
}

/* Without flags nothing is watched, not even a hang-up: epoll would report it for ever. */
static void io_enable(pa_io_event *e, pa_io_event_flags_t events) {
	sd_event_source_set_io_events(e->source, to_epoll(events));
	sd_event_source_set_enabled(
			e->source, events == PA_IO_EVENT_NULL ? SD_EVENT_OFF : SD_EVENT_ON);
}

static pa_io_event *io_new(pa_mainloop_api *api, int fd, pa_io_event_flags_t events,
		pa_io_event_cb_t callback, void *user) {
	pa_io_event *e = calloc(1, sizeof(*e));
	if (!e || sd_event_add_io(event_of(api), &e->source, fd, to_epoll(events), handle_io, e) <
					0) {
		free(e);
		return NULL;
	}
	e->api = api;
	e->callback = callback;
	e->user = user;
	io_enable(e, events);
	return e;
}

static void io_free(pa_io_event *e) {
	sd_event_source_disable_unref(e->source);
	if (e->destroyed) {
		e->destroyed(e->api, e, e->user);
	}
	free(e);
}

static void io_set_destroy(pa_io_event *e, pa_io_event_destroy_cb_t callback) {
	e->destroyed = callback;
}

static int handle_time(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	pa_time_event *e = user;
	struct timeval at = e->at;
	e->callback(e->api, e, &at, e->user);
	return 0;
}

/* libpulse names moments of the wall clock; only how far off they are now
 * counts, so that a clock that is set later does no harm. */
static uint64_t due_us(const struct timeval *at) {
	struct timeval now;
	gettimeofday(&now, NULL);
	int64_t left_us = ((int64_t)at->tv_sec - now.tv_sec) * (int64_t)US_PER_S + at->tv_usec -
			  now.tv_usec;
	return clock_now_us() + (left_us > 0 ? (uint64_t)left_us : 0);
}

static void time_restart(pa_time_event *e, const struct timeval *at) {
	if (at) {
		e->at = *at;
		sd_event_source_set_time(e->source, due_us(at));
	}
	sd_event_source_set_enabled(e->source, at ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static pa_time_event *time_new(pa_mainloop_api *api, const struct timeval *at,
		pa_time_event_cb_t callback, void *user) {
	pa_time_event *e = calloc(1, sizeof(*e));
	if (!e || sd_event_add_time(event_of(api), &e->source, CLOCK_MONOTONIC, UINT64_MAX,
				  TIMER_ACCURACY_US, handle_time, e) < 0) {
		free(e);
		return NULL;
	}
	e->api = api;
	e->callback = callback;
	e->user = user;
	time_restart(e, at);
	return e;
}

static void time_free(pa_time_event *e) {
	sd_event_source_disable_unref(e->source);
	if (e->destroyed) {
		e->destroyed(e->api, e, e->user);
	}
	free(e);
}

static void time_set_destroy(pa_time_event *e, pa_time_event_destroy_cb_t callback) {
	e->destroyed = callback;
}

static int handle_defer(sd_event_source *source, void *user) {
	(void)source;
	pa_defer_event *e = user;
	e->callback(e->api, e, e->user);
	return 0;
}

static pa_defer_event *defer_new(pa_mainloop_api *api, pa_defer_event_cb_t callback, void *user) {
	pa_defer_event *e = calloc(1, sizeof(*e));
	if (!e || sd_event_add_defer(event_of(api), &e->source, handle_defer, e) < 0) {
		free(e);
		return NULL;
	}
	e->api = api;
	e->callback = callback;
	e->user = user;
	sd_event_source_set_enabled(e->source, SD_EVENT_ON);
	return e;
}

static void defer_enable(pa_defer_event *e, int enabled) {
	sd_event_source_set_enabled(e->source, enabled ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void defer_free(pa_defer_event *e) {
	sd_event_source_disable_unref(e->source);
	if (e->destroyed) {
		e->destroyed(e->api, e, e->user);
	}
	free(e);
}

static void defer_set_destroy(pa_defer_event *e, pa_defer_event_destroy_cb_t callback) {
	e->destroyed = callback;
}

/* libpulse wants to end programs; ours ends otherwise. */
static void quit(pa_mainloop_api *api, int status) {
	(void)api;
	(void)status;
}

int sound_loop_create(struct sd_event *event, struct pa_mainloop_api **out) {
	pa_mainloop_api *api = calloc(1, sizeof(*api));
	if (!api) {
		return -ENOMEM;
	}
	*api = (pa_mainloop_api){
		.userdata = sd_event_ref(event),
		.io_new = io_new,
		.io_enable = io_enable,
		.io_free = io_free,
		.io_set_destroy = io_set_destroy,
		.time_new = time_new,
		.time_restart = time_restart,
		.time_free = time_free,
		.time_set_destroy = time_set_destroy,
		.defer_new = defer_new,
		.defer_enable = defer_enable,
		.defer_free = defer_free,
		.defer_set_destroy = defer_set_destroy,
		.quit = quit,
	};
	*out = api;
	return 0;
}

void sound_loop_destroy(struct pa_mainloop_api *api) {
	if (api) {
		sd_event_unref(event_of(api));
		free(api);
	}
}
