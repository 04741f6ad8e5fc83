/* SPDX-License-Identifier: MIT */
#include "host/avahi_loop.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include <avahi-common/timeval.h>
#include <systemd/sd-event.h>

#include "base/clock.h"

/* Avahi's event bits are poll(2)'s, which epoll's are too. */
_Static_assert((int)AVAHI_WATCH_IN == (int)EPOLLIN, "poll's number");
_Static_assert((int)AVAHI_WATCH_OUT == (int)EPOLLOUT, "poll's number");
_Static_assert((int)AVAHI_WATCH_ERR == (int)EPOLLERR, "poll's number");
_Static_assert((int)AVAHI_WATCH_HUP == (int)EPOLLHUP, "poll's number");

struct AvahiWatch {
	sd_event_source *source; /* owned */
	int fd;                  /* borrowed */
	uint32_t events;         /* that happened */
	AvahiWatchCallback callback;
	void *user;
};

struct AvahiTimeout {
	sd_event_source *source; /* owned */
	AvahiTimeoutCallback callback;
	void *user;
};

/* The callback may free the watch. */
static int handle_watch(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	AvahiWatch *watch = user;
	watch->events = revents;
	watch->callback(watch, fd, (AvahiWatchEvent)revents, watch->user);
	return 0;
}

static AvahiWatch *watch_new(const AvahiPoll *api, int fd, AvahiWatchEvent events,
		AvahiWatchCallback callback, void *user) {
	AvahiWatch *watch = calloc(1, sizeof(*watch));
	if (!watch) {
		return NULL;
	}
	*watch = (AvahiWatch){ .fd = fd, .callback = callback, .user = user };
	if (sd_event_add_io(api->userdata, &watch->source, fd, (uint32_t)events, handle_watch,
			    watch) < 0) {
		free(watch);
		return NULL;
	}
	return watch;
}

static void watch_update(AvahiWatch *watch, AvahiWatchEvent events) {
	sd_event_source_set_io_events(watch->source, (uint32_t)events);
}

static AvahiWatchEvent watch_get_events(AvahiWatch *watch) {
	return (AvahiWatchEvent)watch->events;
}

static void watch_free(AvahiWatch *watch) {
	sd_event_source_disable_unref(watch->source);
	free(watch);
}

static int handle_timeout(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	AvahiTimeout *timeout = user;
	timeout->callback(timeout, timeout->user);
	return 0;
}

/* tv is a time of day; what counts is how far off it is. */
static void timeout_update(AvahiTimeout *timeout, const struct timeval *tv) {
	if (!tv) {
		sd_event_source_set_enabled(timeout->source, SD_EVENT_OFF);
		return;
	}
	AvahiUsec age = avahi_age(tv);
	uint64_t wait = age < 0 ? (uint64_t)-age : 0;
	sd_event_source_set_time(timeout->source, clock_now_us() + wait);
	sd_event_source_set_enabled(timeout->source, SD_EVENT_ONESHOT);
}

static AvahiTimeout *timeout_new(const AvahiPoll *api, const struct timeval *tv,
		AvahiTimeoutCallback callback, void *user) {
	AvahiTimeout *timeout = calloc(1, sizeof(*timeout));
	if (!timeout) {
		return NULL;
	}
	*timeout = (AvahiTimeout){ .callback = callback, .user = user };
	if (sd_event_add_time(api->userdata, &timeout->source, CLOCK_MONOTONIC, UINT64_MAX, 1000,
			    handle_timeout, timeout) < 0) {
		free(timeout);
		return NULL;
	}
	timeout_update(timeout, tv);
	return timeout;
}

static void timeout_free(AvahiTimeout *timeout) {
	sd_event_source_disable_unref(timeout->source);
	free(timeout);
}

void avahi_loop_init(AvahiPoll *api, struct sd_event *event) {
	*api = (AvahiPoll){
		.userdata = event,
		.watch_new = watch_new,
		.watch_update = watch_update,
		.watch_get_events = watch_get_events,
		.watch_free = watch_free,
		.timeout_new = timeout_new,
		.timeout_update = timeout_update,
		.timeout_free = timeout_free,
	};
}
