/* SPDX-License-Identifier: MIT */
#include "encoder/capture.h"

#include <pulse/context.h>
#include <pulse/error.h>
#include <pulse/introspect.h>
#include <pulse/stream.h>
#include <pulse/subscribe.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "encoder/sound_loop.h"

enum {
	RATE_HZ = 48000,
	WATCH_ACCURACY_US = 10000,
	LATE_MS = 150,
	REST_MS = 2000, /* the longest latency that PulseAudio's null sink has */
};

struct capture {
	char server[160];
	pa_sample_spec spec;
	pa_channel_map map;
	unsigned frame_ms;
	const struct capture_events *events;
	void *user;
	struct pa_mainloop_api *api;   /* owned */
	struct sd_event_source *watch; /* owned: the one deadline of the state we are in */
	pa_context *context;           /* owned; NULL while we wait to try again */
	pa_stream *stream;             /* owned */
	bool ready, corked, failed;
	bool asking, ask_again; /* the list of players is on its way; and out of date already */
	unsigned players, players_counted;
	bool listening, audible;
	unsigned retry_ms;
	uint64_t attempts, heard_ns;
	uint64_t watch_us; /* when it was to come */
};

static void watch_in(struct capture *capture, unsigned ms) {
	capture->watch_us = clock_now_us() + ms * US_PER_MS;
	sd_event_source_set_time(capture->watch, capture->watch_us);
	sd_event_source_set_enabled(capture->watch, SD_EVENT_ONESHOT);
}

/* From inside libpulse's callbacks: its objects are freed from the loop. */
static void fail(struct capture *capture, const char *what) {
	if (capture->failed) {
		return;
	}
	capture->failed = true;
	log_line(capture->ready ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "sound-lost",
			"what=%s error=%s", log_quote(what).text,
			log_quote(pa_strerror(pa_context_errno(capture->context))).text);
	watch_in(capture, 0);
}

static void disconnect(struct capture *capture) {
	if (capture->stream) {
		pa_stream_set_state_callback(capture->stream, NULL, NULL);
		pa_stream_set_read_callback(capture->stream, NULL, NULL);
		pa_stream_disconnect(capture->stream);
		pa_stream_unref(TAKE(capture->stream, NULL));
	}
	if (capture->context) {
		pa_context_set_state_callback(capture->context, NULL, NULL);
		pa_context_set_subscribe_callback(capture->context, NULL, NULL);
		pa_context_disconnect(capture->context);
		pa_context_unref(TAKE(capture->context, NULL));
	}
	capture->asking = capture->ask_again = false;
	capture->players = 0;
}

static void drop_operation(pa_operation *operation) {
	if (operation) {
		pa_operation_unref(operation);
	}
}

static pa_buffer_attr buffer_for(const struct capture *capture, bool record) {
	uint32_t ms = (uint32_t)pa_frame_size(&capture->spec) * RATE_HZ / 1000;
	return (pa_buffer_attr){
		.maxlength = record ? ms * CAPTURE_BUFFER_MS : UINT32_MAX,
		.fragsize = ms * (record ? capture->frame_ms : REST_MS),
		.tlength = UINT32_MAX,
		.prebuf = UINT32_MAX,
		.minreq = UINT32_MAX,
	};
}

/* Records exactly while there is a reason to. A corked stream's wish for short
 * fragments would still keep the server awake, so it is taken back too. */
static void settle(struct capture *capture) {
	bool record = capture->listening && (capture->audible || capture->players > 0);
	if (!capture->ready || capture->failed || record == !capture->corked) {
		return;
	}
	capture->corked = !record;
	const pa_buffer_attr buffer = buffer_for(capture, record);
	drop_operation(pa_stream_set_buffer_attr(capture->stream, &buffer, NULL, NULL));
	drop_operation(pa_stream_cork(capture->stream, capture->corked, NULL, NULL));
	if (record) {
		capture->heard_ns = clock_now_ns();
		watch_in(capture, CAPTURE_STALL_MS);
	} else {
		sd_event_source_set_enabled(capture->watch, SD_EVENT_OFF);
	}
}

static void count_players(struct capture *capture);

static void handle_player(
		pa_context *context, const pa_sink_input_info *info, int end, void *user) {
	(void)context;
	struct capture *capture = user;
	if (!end) {
		capture->players_counted += !info->corked;
		return;
	}
	capture->asking = false;
	if (capture->ask_again) {
		capture->ask_again = false;
		count_players(capture);
		return;
	}
	capture->players = capture->players_counted;
	settle(capture);
}

static void count_players(struct capture *capture) {
	if (capture->asking) {
		capture->ask_again = true;
		return;
	}
	capture->asking = true;
	capture->players_counted = 0;
	drop_operation(pa_context_get_sink_input_info_list(
			capture->context, handle_player, capture));
}

static void handle_subscribed(pa_context *context, pa_subscription_event_type_t type,
		uint32_t index, void *user) {
	(void)context;
	(void)type;
	(void)index;
	count_players((struct capture *)user);
}

static void handle_read(pa_stream *stream, size_t bytes, void *user) {
	(void)bytes;
	struct capture *capture = user;
	size_t frame = pa_frame_size(&capture->spec);
	const void *data;
	size_t size;
	capture->heard_ns = clock_now_ns();
	while (pa_stream_readable_size(stream) > 0) {
		if (pa_stream_peek(stream, &data, &size) < 0) {
			fail(capture, "peek");
			return;
		}
		if (size == 0) {
			return;
		}
		if (!capture->corked) {
			capture->events->samples(capture->user, data, size / frame);
		}
		pa_stream_drop(stream);
	}
}

static void handle_stream_state(pa_stream *stream, void *user) {
	struct capture *capture = user;
	pa_stream_state_t state = pa_stream_get_state(stream);
	if (state == PA_STREAM_READY) {
		log_info("sound-connected", "attempts=%llu", (unsigned long long)capture->attempts);
		capture->ready = true;
		capture->attempts = 0;
		capture->retry_ms = CAPTURE_RETRY_MIN_MS;
		sd_event_source_set_enabled(capture->watch, SD_EVENT_OFF);
		count_players(capture);
		settle(capture);
	} else if (!PA_STREAM_IS_GOOD(state)) {
		fail(capture, "stream");
	}
}

static void open_stream(struct capture *capture) {
	const pa_buffer_attr buffer = buffer_for(capture, false);
	pa_context_set_subscribe_callback(capture->context, handle_subscribed, capture);
	drop_operation(pa_context_subscribe(
			capture->context, PA_SUBSCRIPTION_MASK_SINK_INPUT, NULL, NULL));
	capture->stream = pa_stream_new(capture->context, "viewers", &capture->spec, &capture->map);
	if (!capture->stream) {
		fail(capture, "stream");
		return;
	}
	capture->corked = true;
	pa_stream_set_state_callback(capture->stream, handle_stream_state, capture);
	pa_stream_set_read_callback(capture->stream, handle_read, capture);
	if (pa_stream_connect_record(capture->stream, CAPTURE_DEVICE, &buffer,
			    PA_STREAM_START_CORKED | PA_STREAM_ADJUST_LATENCY |
					    PA_STREAM_DONT_MOVE) < 0) {
		fail(capture, "record");
	}
}

static void handle_context_state(pa_context *context, void *user) {
	struct capture *capture = user;
	pa_context_state_t state = pa_context_get_state(context);
	if (state == PA_CONTEXT_READY) {
		open_stream(capture);
	} else if (!PA_CONTEXT_IS_GOOD(state)) {
		fail(capture, "connection");
	}
}

static void connect_server(struct capture *capture) {
	capture->attempts++;
	capture->failed = false;
	capture->context = pa_context_new(capture->api, "perigee");
	if (!capture->context) {
		watch_in(capture, capture->retry_ms);
		return;
	}
	watch_in(capture, CAPTURE_CONNECT_MS);
	pa_context_set_state_callback(capture->context, handle_context_state, capture);
	if (pa_context_connect(capture->context, capture->server, PA_CONTEXT_NOAUTOSPAWN, NULL) <
			0) {
		fail(capture, "connect");
	}
}

static void lose(struct capture *capture) {
	bool had = TAKE(capture->ready, false);
	disconnect(capture);
	watch_in(capture, capture->retry_ms);
	capture->retry_ms *= 2;
	if (capture->retry_ms > CAPTURE_RETRY_MAX_MS) {
		capture->retry_ms = CAPTURE_RETRY_MAX_MS;
	}
	if (had) {
		capture->events->lost(capture->user);
	}
}

/* A recording server is quiet: one that rests answers a question, and has until
 * CAPTURE_HANG_MS to deliver. Returns false when it hangs. */
static bool bear_quiet(struct capture *capture) {
	unsigned answer_ms = CAPTURE_STALL_MS + CAPTURE_ANSWER_MS;
	uint64_t quiet_ms = (clock_now_ns() - capture->heard_ns) / NS_PER_MS;
	if (quiet_ms < CAPTURE_STALL_MS) {
		watch_in(capture, CAPTURE_STALL_MS - (unsigned)quiet_ms);
		return true;
	}
	if (quiet_ms < answer_ms) {
		watch_in(capture, answer_ms - (unsigned)quiet_ms);
		capture->events->lost(capture->user);
		count_players(capture);
		return true;
	}
	if (quiet_ms < CAPTURE_HANG_MS && !capture->asking) {
		watch_in(capture, CAPTURE_HANG_MS - (unsigned)quiet_ms);
		return true;
	}
	log_warning("sound-hangs", "quiet_ms=%llu answers=%d", (unsigned long long)quiet_ms,
			!capture->asking);
	return false;
}

/* Who comes late was asleep, and maybe the whole machine: the server gets its time anew. */
static bool forgive_lateness(struct capture *capture) {
	uint64_t now_us = clock_now_us(), late_us = now_us - capture->watch_us;
	if (late_us < LATE_MS * US_PER_MS) {
		return false;
	}
	uint64_t since_us = now_us - capture->heard_ns / NS_PER_US;
	capture->heard_ns += (late_us < since_us ? late_us : since_us) * NS_PER_US;
	return true;
}

/* Time to try again; or what was to come has not come. */
static int handle_watch(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct capture *capture = user;
	if (!capture->context) {
		connect_server(capture);
		return 0;
	}
	if (forgive_lateness(capture) && !capture->failed && !capture->ready) {
		watch_in(capture, CAPTURE_CONNECT_MS);
		return 0;
	}
	if (!capture->failed && capture->ready && bear_quiet(capture)) {
		return 0;
	}
	/* Nobody refused us and nobody left: it hangs. */
	bool deaf = !capture->failed;
	lose(capture);
	if (deaf) {
		capture->events->deaf(capture->user);
	}
	return 0;
}

/* Moonlight's order: FL FR C LFE RL RR SL SR. */
static void set_map(pa_channel_map *map, unsigned channels) {
	static const pa_channel_position_t order[] = {
		PA_CHANNEL_POSITION_FRONT_LEFT,
		PA_CHANNEL_POSITION_FRONT_RIGHT,
		PA_CHANNEL_POSITION_FRONT_CENTER,
		PA_CHANNEL_POSITION_LFE,
		PA_CHANNEL_POSITION_REAR_LEFT,
		PA_CHANNEL_POSITION_REAR_RIGHT,
		PA_CHANNEL_POSITION_SIDE_LEFT,
		PA_CHANNEL_POSITION_SIDE_RIGHT,
	};
	pa_channel_map_init(map);
	map->channels = (uint8_t)channels;
	for (unsigned i = 0; i < channels; i++) {
		map->map[i] = channels == 1 ? PA_CHANNEL_POSITION_MONO : order[i];
	}
}

int capture_create(struct sd_event *event, const char *server, unsigned channels, unsigned frame_ms,
		const struct capture_events *events, void *user, struct capture **out) {
	if (channels < 1 || channels > 8) {
		return -EINVAL;
	}
	struct capture *capture = calloc(1, sizeof(*capture));
	if (!capture) {
		return -ENOMEM;
	}
	text_copy(capture->server, sizeof(capture->server), server);
	capture->spec = (pa_sample_spec){
		.format = PA_SAMPLE_S16LE,
		.rate = RATE_HZ,
		.channels = (uint8_t)channels,
	};
	set_map(&capture->map, channels);
	capture->frame_ms = frame_ms;
	capture->events = events;
	capture->user = user;
	capture->corked = true;
	capture->retry_ms = CAPTURE_RETRY_MIN_MS;
	int rc = sound_loop_create(event, &capture->api);
	if (rc >= 0) {
		/* The first attempt comes from the loop, at once. */
		rc = sd_event_add_time_relative(event, &capture->watch, CLOCK_MONOTONIC, 0,
				WATCH_ACCURACY_US, handle_watch, capture);
	}
	if (rc < 0) {
		sound_loop_destroy(capture->api);
		free(capture);
		return rc;
	}
	*out = capture;
	return 0;
}

void capture_listen(struct capture *capture, bool listening, bool audible) {
	capture->listening = listening;
	capture->audible = audible;
	settle(capture);
}
