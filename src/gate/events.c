/* SPDX-License-Identifier: MIT */
#include "gate/events.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/number.h"
#include "base/random.h"
#include "base/text.h"
#include "gate/api.h"
#include "gate/gate.h"

enum {
	CHUNK_MAX = 16 * 1024, /* given to a connection at a time */
	HEAD_MAX = 1024,
	NAME_SIZE = 64,
};

static const char *const names[EVENT_KINDS] = {
	[EVENT_PAIR] = "wolf::core::events::PairSignal",
	[EVENT_SESSION] = "wolf::core::events::StreamSession",
	[EVENT_PAUSED] = "wolf::core::events::PauseStreamEvent",
	[EVENT_RESUMED] = "wolf::core::events::ResumeStreamEvent",
	[EVENT_STOPPED] = "wolf::core::events::StopStreamEvent",
	[EVENT_VIDEO] = "wolf::core::events::VideoSession",
	[EVENT_AUDIO] = "wolf::core::events::AudioSession",
	[EVENT_KEY_FRAME] = "wolf::core::events::IDRRequestEvent",
	[EVENT_VIDEO_PING] = "wolf::core::events::RTPVideoPingEvent",
	[EVENT_AUDIO_PING] = "wolf::core::events::RTPAudioPingEvent",
	[EVENT_RUNNER] = "wolf::core::events::StartRunner",
	[EVENT_COMBO] = "wolf::core::events::ClientWolfUIComboEvent",
	[EVENT_SWITCHED] = "wolf::core::events::SwitchStreamProducerEvents",
	[EVENT_PAD_PLUGGED] = "wolf::core::events::PlugDeviceEvent",
	[EVENT_PAD_UNPLUGGED] = "wolf::core::events::UnplugDeviceEvent",
	[EVENT_LOBBY_CREATED] = "wolf::core::events::CreateLobbyEvent",
	[EVENT_LOBBY_JOINED] = "wolf::core::events::JoinLobbyEvent",
	[EVENT_LOBBY_LEFT] = "wolf::core::events::LeaveLobbyEvent",
	[EVENT_LOBBY_STOPPED] = "wolf::core::events::StopLobbyEvent",
	[EVENT_JOIN_FAILED] = "perigee::JoinFailed",
	[EVENT_PULL_START] = "DockerPullImageStartEvent",
	[EVENT_PULL_END] = "DockerPullImageEndEvent",
	[EVENT_LOBBY_PAUSED] = "wolf::core::events::PauseLobbyEvent",
	[EVENT_LOBBY_RESUMED] = "wolf::core::events::ResumeLobbyEvent",
	[EVENT_LOBBY_ENDED] = "perigee::LobbyEnded",
	[EVENT_LOBBY_ROLE] = "perigee::LobbyRole",
	[EVENT_APP_EXITED] = "perigee::AppExited",
	[EVENT_INCIDENT] = "perigee::Incident",
	[EVENT_HEALTH] = "perigee::Health",
	[EVENT_CLIENT_PAIRED] = "perigee::ClientPaired",
	[EVENT_CLIENT_UNPAIRED] = "perigee::ClientUnpaired",
	[EVENT_MISSED] = "perigee::EventsMissed",
	[EVENT_DROPPED] = "perigee::ReaderDropped",
};

struct event_reader {
	struct event_reader *next;
	struct connection *connection; /* borrowed: it frees the reader when it goes */
	uint64_t at;                   /* number of the next event to look at */
	uint64_t kinds;                /* bits of those it wants */
	uint64_t session;              /* 0: any */
	char lobby[EVENT_LOBBY_SIZE];  /* "": any */
};

const char *event_name(enum event_kind kind) {
	return names[kind];
}

void events_init(struct events *events) {
	uint8_t random[4];
	random_fill(random, sizeof(random));
	hex_encode(random, sizeof(random), events->epoch);
	events->first = events->next = 1;
}

static struct event *at(struct events *events, uint64_t number) {
	return &events->ring[number % EVENTS_KEPT];
}

static void drop_oldest(struct events *events) {
	struct event *event = at(events, events->first++);
	events->bytes -= event->len;
	free(event->text);
	*event = (struct event){ .text = NULL };
}

void events_finish(struct events *events) {
	while (events->first < events->next) {
		drop_oldest(events);
	}
}

/* ---- telling ---- */

static int write_event(struct event *event, const char *id, json_t *data) {
	OWN(free) void *text = json_dumps(data, JSON_COMPACT); /* which has no line's end in it */
	int len = text ? asprintf(&event->text, "%s%s%sevent: %s\ndata: %s\n\n", id ? "id: " : "",
					 id ? id : "", id ? "\n" : "", names[event->kind],
					 (const char *)text)
		       : -1;
	if (len < 0) {
		event->text = NULL;
		return -ENOMEM;
	}
	event->len = (size_t)len;
	return 0;
}

void events_tell(struct gate *gate, enum event_kind kind, uint64_t session, const char *lobby,
		json_t *data) {
	struct events *events = &gate->web.events;
	struct event event = { .kind = kind, .session = session };
	char id[40];
	text_copy(event.lobby, sizeof(event.lobby), lobby ? lobby : "");
	text_format(id, sizeof(id), "%s-%llu", events->epoch, (unsigned long long)events->next);
	int rc = data ? write_event(&event, id, data) : -ENOMEM;
	json_decref(data);
	if (rc < 0) {
		log_error("event-lost", "name=%s", names[kind]);
		return;
	}
	while (events->next - events->first == EVENTS_KEPT ||
			(events->first < events->next &&
					events->bytes + event.len > EVENTS_BYTES_MAX)) {
		drop_oldest(events);
	}
	*at(events, events->next++) = event;
	events->bytes += event.len;
	for (struct event_reader *reader = events->readers, *next; reader; reader = next) {
		next = reader->next;
		connection_stream_wake(reader->connection);
	}
}

/* ---- reading ---- */

static bool wants(const struct event_reader *reader, const struct event *event) {
	return (reader->kinds & 1ull << event->kind) &&
	       (!reader->session || reader->session == event->session) &&
	       (!reader->lobby[0] || strcmp(reader->lobby, event->lobby) == 0);
}

/* Of this reader alone, so without an id. */
static char *own_event(enum event_kind kind, const char *reason, size_t *out_len) {
	struct event event = { .kind = kind };
	json_t *data = json_pack("{s:s}", "reason", reason);
	int rc = write_event(&event, NULL, data);
	json_decref(data);
	*out_len = event.len;
	return rc < 0 ? NULL : event.text;
}

/* The ring has gone over what it was to read next. */
static bool let_go(struct connection *connection) {
	size_t len;
	char *text = own_event(EVENT_DROPPED,
			"You read more slowly than things happen. Come back with the last id: "
			"what is still kept follows.",
			&len);
	struct gate *gate = (struct gate *)connection->pool->user;
	gate->web.events.dropped++;
	log_warning("event-reader-dropped", "why=overtaken trace=%s", connection->trace);
	connection_stream_end(connection);
	if (text) {
		connection_stream_give(connection, text, len);
	}
	return text != NULL;
}

bool events_more(struct connection *connection) {
	struct event_reader *reader = (struct event_reader *)connection->wait;
	struct events *events = &((struct gate *)connection->pool->user)->web.events;
	if (reader->at < events->first) {
		return let_go(connection);
	}
	char *chunk = NULL;
	size_t len = 0;
	for (; reader->at < events->next; reader->at++) {
		const struct event *event = at(events, reader->at);
		if (!wants(reader, event)) {
			continue;
		}
		if (len && len + event->len > CHUNK_MAX) {
			break;
		}
		size_t size = event->len > CHUNK_MAX ? event->len : CHUNK_MAX;
		chunk = chunk ? chunk : malloc(size);
		if (!chunk) {
			return false; /* the next event tries again */
		}
		memcpy(chunk + len, event->text, event->len);
		len += event->len;
	}
	if (chunk) {
		connection_stream_give(connection, chunk, len);
	}
	return chunk != NULL;
}

void events_handle_quiet(struct connection *connection) {
	static const char comment[] = ":keepalive\n\n";
	if (connection->phase != PHASE_STREAM) {
		struct gate *gate = (struct gate *)connection->pool->user;
		gate->web.events.dropped++;
		log_warning("event-reader-dropped", "why=takes-nothing trace=%s",
				connection->trace);
		connection_close(connection);
		return;
	}
	char *text = strdup(comment);
	if (!text) {
		connection_close(connection);
		return;
	}
	connection_stream_put(connection, text, sizeof(comment) - 1);
}

void events_handle_gone(struct connection *connection) {
	struct event_reader *reader = (struct event_reader *)TAKE(connection->wait, NULL);
	struct events *events = &((struct gate *)connection->pool->user)->web.events;
	for (struct event_reader **link = &events->readers; *link; link = &(*link)->next) {
		if (*link == reader) {
			*link = reader->next;
			events->readers_count--;
			break;
		}
	}
	free(reader);
}

/* ---- a new reader ---- */

/* "PauseStreamEvent" will do for its whole name. 0: there is none of that name. */
static uint64_t kinds_named(const char *name, size_t len) {
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		const char *full = names[kind], *last = strrchr(full, ':');
		const char *brief = last ? last + 1 : full;
		if ((strlen(full) == len && memcmp(full, name, len) == 0) ||
				(strlen(brief) == len && memcmp(brief, name, len) == 0)) {
			return 1ull << kind;
		}
	}
	return 0;
}

static bool read_kinds(const char *list, uint64_t *out) {
	uint64_t kinds = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		uint64_t named = kinds_named(list, len);
		if (!named) {
			return false;
		}
		kinds |= named;
		list += len + (list[len] == ',');
	}
	*out = kinds ? kinds : UINT64_MAX;
	return true;
}

/* Where it goes on; false when something between may be missing. */
static bool find_place(const struct request *request, const struct events *events, uint64_t *out) {
	struct span last;
	*out = events->next;
	if (head_find(&request->http.head, "Last-Event-ID", &last) < 0 || last.len == 0) {
		return true;
	}
	size_t skip = strlen(events->epoch);
	int64_t number;
	*out = events->first;
	if (last.len <= skip + 1 || memcmp(last.at, events->epoch, skip) != 0 ||
			last.at[skip] != '-' ||
			number_parse(last.at + skip + 1, last.len - skip - 1, 0, INT64_MAX,
					&number) < 0 ||
			(uint64_t)number >= events->next) {
		return false;
	}
	bool kept = (uint64_t)number + 1 >= events->first;
	*out = kept ? (uint64_t)number + 1 : events->first;
	return kept;
}

static char *write_head(bool missed, size_t *out_len) {
	struct http_answer answer = {
		.status = 200, .content_type = "text/event-stream", .endless = true
	};
	size_t words_len = 0;
	OWN(free)
	void *words = missed ? own_event(EVENT_MISSED,
					       "The door was started again since then, or more "
					       "happened than is kept: look at everything anew.",
					       &words_len)
			     : NULL;
	char *out = malloc(HEAD_MAX + words_len);
	int head = out ? http_answer_write(&answer, out, HEAD_MAX) : -ENOMEM;
	if (head < 0) {
		free(out);
		return NULL;
	}
	if (words) {
		memcpy(out + head, words, words_len);
	}
	*out_len = (size_t)head + words_len;
	return out;
}

void events_handle(struct request *request) {
	struct connection *connection = request->connection;
	struct events *events = &request->gate->web.events;
	if (events->readers_count == EVENT_READERS_MAX) {
		api_error(connection, 503, "64 readers of events are connected already.");
		return;
	}
	struct event_reader *reader = calloc(1, sizeof(*reader));
	if (!reader || !read_kinds(schema_text(request->json, "events", ""), &reader->kinds)) {
		free(reader);
		api_error(connection, reader ? 400 : 503,
				"\"events\" names an event that does not exist.");
		return;
	}
	reader->connection = connection;
	reader->session = schema_id(request->json, "session_id");
	text_copy(reader->lobby, sizeof(reader->lobby), schema_text(request->json, "lobby_id", ""));
	bool whole = find_place(request, events, &reader->at);
	size_t len;
	char *head = write_head(!whole, &len);
	if (!head) {
		free(reader);
		connection_close(connection);
		return;
	}
	reader->next = events->readers;
	events->readers = reader;
	events->readers_count++;
	connection->wait = reader;
	connection->awaits = AWAITS_EVENTS;
	request_log(connection, 200);
	connection_stream_begin(connection, head, len);
}
