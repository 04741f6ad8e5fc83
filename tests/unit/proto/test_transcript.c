/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"

#include "base/number.h"
#include "replay.h"
#include "vector.h"

/* Replays what real clients said: see transcript.h for the files. */

enum {
	FILES_MAX = 64,
	WORDS_MAX = 10,
};

struct files {
	char name[FILES_MAX][256];
	struct transcript transcripts[FILES_MAX];
	size_t count;
	struct replay whole, damaged;
};

static int load_all(void **state) {
	const char *folder = getenv("PERIGEE_TRANSCRIPTS");
	DIR *dir = folder ? opendir(folder) : NULL;
	struct files *files = calloc(1, sizeof(*files));
	if (!dir || !files) {
		return -1;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		assert_true(files->count < FILES_MAX);
		strcpy(files->name[files->count], entry->d_name);
		transcript_load(path, &files->transcripts[files->count++]);
	}
	closedir(dir);
	*state = files;
	return files->count ? 0 : -1;
}

static int free_all(void **state) {
	struct files *files = *state;
	for (size_t i = 0; i < files->count; i++) {
		transcript_finish(&files->transcripts[i]);
	}
	free(files);
	return 0;
}

/* Calls check for each transcript that streams, replayed. */
static void for_each_stream(void **state,
		void (*check)(const struct transcript *transcript, const struct replay *replay)) {
	struct files *files = *state;
	unsigned streams = 0;
	for (size_t i = 0; i < files->count; i++) {
		if (files->transcripts[i].has_key) {
			print_message("  %s\n", files->name[i]);
			replay_run(&files->transcripts[i], &files->whole);
			check(&files->transcripts[i], &files->whole);
			streams++;
		}
	}
	assert_true(streams >= 8);
}

/* ---- what was understood ---- */

static void every_request_is_understood(void **state) {
	struct files *files = *state;
	unsigned pairings = 0, launches = 0, resumes = 0, cancels = 0;
	for (size_t i = 0; i < files->count; i++) {
		struct replay *replay = &files->whole;
		print_message("  %s\n", files->name[i]);
		replay_run(&files->transcripts[i], replay);
		assert_true(replay->requests > 0);
		assert_int_equal(replay->refused_requests, 0);
		pairings += replay->pairings;
		launches += replay->launches;
		resumes += replay->resumes;
		cancels += replay->cancels;
	}
	assert_true(pairings >= 10 && launches >= 4 && resumes >= 5 && cancels >= 4);
}

static void check_launch(const struct transcript *transcript, const struct replay *replay) {
	assert_int_equal(replay->launches + replay->resumes, 1);
	const struct launch_query *launch = &replay->launch;
	assert_memory_equal(&launch->rikey, &transcript->rikey, sizeof(launch->rikey));
	assert_int_equal(launch->rikeyid, transcript->rikeyid);
	assert_int_equal(launch->width, transcript_expect(transcript, "width"));
	assert_int_equal(launch->height, transcript_expect(transcript, "height"));
	assert_int_equal(launch->fps, transcript_expect(transcript, "fps"));
	assert_int_equal(launch->channels, transcript_expect(transcript, "channels"));
	assert_true(launch->app_id > 0 && launch->corever >= 1);
	assert_string_equal(launch->uniqueid, "0123456789ABCDEF");
}

static void launches_say_what_the_client_was_told(void **state) {
	for_each_stream(state, check_launch);
}

static void check_handshake(const struct transcript *transcript, const struct replay *replay) {
	static const struct {
		enum rtsp_method method;
		enum rtsp_stream stream;
	} order[] = {
		{ RTSP_OPTIONS, RTSP_STREAM_NONE },
		{ RTSP_DESCRIBE, RTSP_STREAM_NONE },
		{ RTSP_SETUP, RTSP_STREAM_AUDIO },
		{ RTSP_SETUP, RTSP_STREAM_VIDEO },
		{ RTSP_SETUP, RTSP_STREAM_CONTROL },
		{ RTSP_ANNOUNCE, RTSP_STREAM_CONTROL },
		{ RTSP_PLAY, RTSP_STREAM_NONE },
	};
	assert_int_equal(replay->refused_rtsp, 0);
	assert_int_equal(replay->n_methods, ARRAY_LEN(order));
	assert_int_equal(replay->n_answers, ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_int_equal(replay->methods[i], order[i].method);
		assert_int_equal(replay->streams[i], order[i].stream);
		assert_int_equal(replay->cseq[i], i + 1);
	}
	(void)transcript;
	assert_int_equal(replay->describe.encryption_supported,
			RTSP_ENCRYPT_CONTROL | RTSP_ENCRYPT_VIDEO | RTSP_ENCRYPT_AUDIO);
}

static void the_handshake_opens_in_its_order(void **state) {
	for_each_stream(state, check_handshake);
}

static void check_announce(const struct transcript *transcript, const struct replay *replay) {
	const struct sdp_announce *announce = &replay->announce;
	assert_int_equal(replay->announced, 1);
	assert_int_equal(announce->codec, SDP_H264);
	assert_int_equal(announce->width, transcript_expect(transcript, "width"));
	assert_int_equal(announce->height, transcript_expect(transcript, "height"));
	assert_int_equal(announce->fps_x100, 100 * transcript_expect(transcript, "fps"));
	assert_int_equal(announce->bitrate_kbps, transcript_expect(transcript, "kbps"));
	assert_int_equal(announce->packet_size, transcript_expect(transcript, "packet"));
	assert_int_equal(announce->slices, transcript_expect(transcript, "slices"));
	assert_int_equal(announce->channels, transcript_expect(transcript, "channels"));
	int64_t encryption = transcript_expect(transcript, "encryption");
	assert_int_equal(announce->encryption, encryption);
	assert_true(announce->control_encrypted);
	assert_int_equal(announce->audio_encrypted, (encryption & RTSP_ENCRYPT_AUDIO) != 0);
	assert_int_equal(announce->colorspace, SDP_BT709);
	assert_int_equal(announce->client_features, SDP_CLIENT_FEC_STATUS | SDP_CLIENT_SESSION_ID);
	assert_true(announce->fec && !announce->hdr && !announce->yuv444);
	assert_int_equal(announce->audio_ms, 5);
}

static void announces_ask_for_what_the_client_was_told(void **state) {
	for_each_stream(state, check_announce);
}

static void check_pings(const struct transcript *transcript, const struct replay *replay) {
	(void)transcript;
	assert_int_equal(replay->refused_pings, 0);
	assert_true(replay->pings[0] >= 2 && replay->pings[1] >= 2);
	assert_true(replay->counts);
	assert_int_equal(replay->pings[0], replay->counter[0]);
	assert_int_equal(replay->pings[1], replay->counter[1]);
}

static void pings_carry_the_secret_of_their_setup(void **state) {
	for_each_stream(state, check_pings);
}

static void check_control(const struct transcript *transcript, const struct replay *replay) {
	(void)transcript;
	assert_true(replay->connected && replay->disconnected);
	assert_true(replay->connect_data != 0);
	assert_int_equal(replay->said_connect_data, replay->connect_data);
	assert_int_equal(replay->refused_datagrams, 0);
	assert_int_equal(replay->refused_messages, 0);
	assert_int_equal(replay->unknown_messages, 0);
	assert_int_equal(replay->refused_input, 0);
	assert_true(replay->n_messages >= 5);
	/* Start A is a request for a key frame. */
	assert_int_equal(replay->messages[0].kind, CONTROL_REQUEST_IDR);
	assert_int_equal(replay->messages[1].kind, CONTROL_START_B);
	assert_true(replay->kinds[CONTROL_PING] >= 2);
	for (size_t i = 0; i < replay->n_messages; i++) {
		assert_int_equal(replay->messages[i].sequence, i);
	}
	/* And the host's side of it. */
	assert_true(replay->host_connected);
	assert_int_equal(replay->host_refused, 0);
	assert_int_equal(replay->host_kinds[CONTROL_HDR_MODE], 1);
}

static void all_control_messages_decrypt(void **state) {
	for_each_stream(state, check_control);
}

static const struct replay *replay_of(struct files *files, const char *name) {
	for (size_t i = 0; i < files->count; i++) {
		if (strcmp(files->name[i], name) == 0) {
			replay_run(&files->transcripts[i], &files->whole);
			return &files->whole;
		}
	}
	fail_msg("no transcript %s", name);
	return NULL;
}

static void losses_are_reported_as_the_client_can(void **state) {
	const struct replay *lost = replay_of(*state, "lost");
	assert_true(lost->kinds[CONTROL_REQUEST_IDR] >= 1 + 3);
	assert_int_equal(lost->kinds[CONTROL_INVALIDATE], 0);
	const struct replay *invalidates = replay_of(*state, "lost_rfi");
	assert_true(invalidates->kinds[CONTROL_INVALIDATE] >= 3);
	assert_int_equal(invalidates->kinds[CONTROL_REQUEST_IDR], 1);
	const struct replay *recovered = replay_of(*state, "recovered");
	assert_true(recovered->kinds[CONTROL_FEC_STATUS] >= 10);
	assert_int_equal(recovered->kinds[CONTROL_REQUEST_IDR], 1);
	const struct replay *clean = replay_of(*state, "plain");
	assert_int_equal(clean->kinds[CONTROL_REQUEST_IDR], 1 + 1);
}

/* ---- input ---- */

struct expected {
	struct input_event events[REPLAY_INPUT_MAX];
	size_t count;
};

static struct input_event *expect_event(struct expected *expected, enum input_kind kind) {
	struct input_event *event = &expected->events[expected->count++];
	*event = (struct input_event){ .kind = kind };
	return event;
}

static void expect_key(struct expected *expected, int64_t vk, bool down) {
	struct input_event *event = expect_event(expected, INPUT_KEY);
	event->key.vk = (uint8_t)vk;
	event->key.down = down;
}

static void tell_key(struct expected *expected, const int64_t *n) {
	expect_key(expected, n[0], true);
	expect_key(expected, n[0], false);
}

static void tell_down(struct expected *expected, const int64_t *n) {
	expect_key(expected, n[0], true);
}

static void tell_up(struct expected *expected, const int64_t *n) {
	expect_key(expected, n[0], false);
}

static void tell_rel(struct expected *expected, const int64_t *n) {
	struct input_event *event = expect_event(expected, INPUT_MOUSE_MOVE);
	event->move.dx = (int16_t)n[0];
	event->move.dy = (int16_t)n[1];
}

static void tell_abs(struct expected *expected, const int64_t *n) {
	struct input_event *event = expect_event(expected, INPUT_MOUSE_POSITION);
	event->position.x = (uint16_t)n[0];
	event->position.y = (uint16_t)n[1];
	event->position.max_x = (uint16_t)(n[2] - 1);
	event->position.max_y = (uint16_t)(n[3] - 1);
}

static void tell_click(struct expected *expected, const int64_t *n) {
	for (int down = 1; down >= 0; down--) {
		struct input_event *event = expect_event(expected, INPUT_MOUSE_BUTTON);
		event->button.button = (uint8_t)n[0];
		event->button.down = down;
	}
}

static void tell_scroll(struct expected *expected, const int64_t *n) {
	expect_event(expected, INPUT_SCROLL_VERTICAL)->scroll = (int16_t)(n[0] * INPUT_WHEEL_NOTCH);
}

static void tell_pad(struct expected *expected, const int64_t *n) {
	struct input_event *event = expect_event(expected, INPUT_CONTROLLER);
	event->controller.number = (uint8_t)n[0];
	event->controller.active = (uint16_t)n[1];
	event->controller.buttons = (uint32_t)n[2];
	event->controller.left_trigger = (uint8_t)n[3];
	event->controller.right_trigger = (uint8_t)n[4];
	event->controller.left_x = (int16_t)n[5];
	event->controller.left_y = (int16_t)n[6];
	event->controller.right_x = (int16_t)n[7];
	event->controller.right_y = (int16_t)n[8];
}

/* The client then sends the pad at rest, for hosts that know no arrivals. */
static void tell_arrive(struct expected *expected, const int64_t *n) {
	struct input_event *event = expect_event(expected, INPUT_CONTROLLER_ARRIVAL);
	event->arrival.number = (uint8_t)n[0];
	event->arrival.type = (uint8_t)n[2];
	event->arrival.capabilities = (uint16_t)n[3];
	event->arrival.buttons = 0xffffff;
	tell_pad(expected, (const int64_t[9]){ n[0], n[1] });
}

static void tell_text(struct expected *expected, const char *text) {
	while (*text) {
		struct input_event *event = expect_event(expected, INPUT_CODE_POINT);
		do {
			event->text.bytes[event->text.len++] = *text++;
		} while (((unsigned char)*text & 0xc0) == 0x80);
	}
}

/* Before anything else the client turns haptics on and wakes the pointer. */
static void tell_greeting(struct expected *expected) {
	expect_event(expected, INPUT_HAPTICS)->haptics = true;
	tell_rel(expected, (const int64_t[]){ 1, 1 });
	tell_rel(expected, (const int64_t[]){ -1, -1 });
}

static const struct {
	const char *word;
	size_t numbers;
	void (*tell)(struct expected *expected, const int64_t *n);
} words[] = {
	{ "key", 1, tell_key },
	{ "down", 1, tell_down },
	{ "up", 1, tell_up },
	{ "rel", 2, tell_rel },
	{ "abs", 4, tell_abs },
	{ "click", 1, tell_click },
	{ "scroll", 1, tell_scroll },
	{ "pad", 9, tell_pad },
	{ "arrive", 4, tell_arrive },
	{ "idr", 0, NULL },
};

static void tell(struct expected *expected, const char *line) {
	size_t len = strcspn(line, " ");
	const char *rest = line + len + (line[len] == ' ');
	if (len == 4 && memcmp(line, "text", len) == 0) {
		tell_text(expected, rest);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i].word) != len || memcmp(line, words[i].word, len) != 0) {
			continue;
		}
		int64_t numbers[WORDS_MAX];
		for (size_t n = 0; n < words[i].numbers; n++) {
			char *end;
			numbers[n] = strtoll(rest, &end, 0);
			assert_true(end != rest);
			rest = end;
		}
		if (words[i].tell) {
			words[i].tell(expected, numbers);
		}
		return;
	}
	fail_msg("a script that is not known: %s", line);
}

static void check_input(const struct transcript *transcript, const struct replay *replay) {
	static struct expected expected;
	memset(&expected, 0, sizeof(expected));
	tell_greeting(&expected);
	for (size_t i = 0; i < transcript->n_script; i++) {
		tell(&expected, transcript->script[i]);
	}
	assert_int_equal(replay->n_input, expected.count);
	for (size_t i = 0; i < expected.count; i++) {
		struct input_event got = replay->input[i];
		if (got.kind == INPUT_KEY) {
			got.key.modifiers = 0; /* the client adds those it holds down */
		}
		assert_memory_equal(&got, &expected.events[i], sizeof(got));
	}
}

static void scripted_input_arrives_in_order(void **state) {
	for_each_stream(state, check_input);
}

/* ---- damage ---- */

static bool was_said(const struct replay *whole, const struct replay_message *message) {
	for (size_t i = 0; i < whole->n_messages; i++) {
		if (whole->messages[i].sequence == message->sequence) {
			return whole->messages[i].len == message->len &&
			       memcmp(whole->messages[i].bytes, message->bytes, message->len) == 0;
		}
	}
	return false;
}

/* It was the secret that was damaged, not the counter behind it. */
static bool ping_is_refusable(const struct transcript_event *event, const uint8_t *before) {
	return event->flow != TRANSCRIPT_CONTROL &&
	       memcmp(before, event->bytes, RTSP_PING_PAYLOAD_SIZE) != 0;
}

/* Replays with one bit of one event of the client turned over, and without its end. */
static void damage_event(struct files *files, struct transcript *transcript,
		struct transcript_event *event, uint64_t *seed) {
	struct replay *damaged = &files->damaged;
	uint8_t *whole = event->bytes;
	size_t len = event->len;
	bool cut = vector_random(seed) % 4 == 0;
	event->len = cut ? vector_random(seed) % len : len;
	event->bytes = malloc(event->len + !event->len); /* exactly, for AddressSanitizer */
	assert_non_null(event->bytes);
	memcpy(event->bytes, whole, event->len);
	if (!cut) {
		event->bytes[vector_random(seed) % len] ^= (uint8_t)(1u << vector_random(seed) % 8);
	}
	replay_run(transcript, damaged);
	for (size_t i = 0; i < damaged->n_messages; i++) {
		assert_true(was_said(&files->whole, &damaged->messages[i]));
	}
	if (event->flow == TRANSCRIPT_RTSP && transcript->sealed) {
		assert_true(damaged->refused_rtsp >= 1);
		assert_int_equal(damaged->n_methods, files->whole.n_methods - 1);
	}
	if (event->flow == TRANSCRIPT_VIDEO || event->flow == TRANSCRIPT_AUDIO) {
		assert_true(cut || !ping_is_refusable(event, whole) || damaged->refused_pings == 1);
		assert_true(!cut || damaged->refused_pings == 1);
	}
	free(event->bytes);
	event->bytes = whole;
	event->len = len;
}

static void damaged_transcripts_are_refused(void **state) {
	struct files *files = *state;
	uint64_t seed = 20;
	for (size_t i = 0; i < files->count; i++) {
		struct transcript *transcript = &files->transcripts[i];
		print_message("  %s\n", files->name[i]);
		replay_run(transcript, &files->whole);
		for (size_t n = 0; n < transcript->n_events; n++) {
			if (!transcript->events[n].from_host) {
				damage_event(files, transcript, &transcript->events[n], &seed);
			}
		}
	}
}

static void nothing_opens_with_another_key(void **state) {
	struct files *files = *state;
	for (size_t i = 0; i < files->count; i++) {
		struct transcript *transcript = &files->transcripts[i];
		if (!transcript->has_key) {
			continue;
		}
		transcript->rikey.bytes[15] ^= 1;
		replay_run(transcript, &files->damaged);
		transcript->rikey.bytes[15] ^= 1;
		assert_int_equal(files->damaged.n_messages, 0);
		assert_true(files->damaged.refused_messages > 0);
		assert_int_equal(files->damaged.n_methods, transcript->sealed ? 0 : 7);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_request_is_understood),
		UNIT(launches_say_what_the_client_was_told),
		UNIT(the_handshake_opens_in_its_order),
		UNIT(announces_ask_for_what_the_client_was_told),
		UNIT(pings_carry_the_secret_of_their_setup),
		UNIT(all_control_messages_decrypt),
		UNIT(losses_are_reported_as_the_client_can),
		UNIT(scripted_input_arrives_in_order),
		UNIT(damaged_transcripts_are_refused),
		UNIT(nothing_opens_with_another_key),
	};
	return cmocka_run_group_tests(tests, load_all, free_all);
}
