/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"
#include "proto/input.h"
#include "stream/input.h"

/* Input by programs: on a channel of its own to each desktop that was steered, on which the
 * door speaks as a stream does. */

enum {
	INPUT_MS = 3000,
	INPUTS_MAX = 200, /* of one request: what a desktop's channel holds at once */
	PACKET_MAX = 64,
};

typedef __typeof__(((struct ipc_message *)NULL)->input) one_input;

/* connection->wait until there is a channel. */
struct inputs {
	uint64_t session;
	unsigned count;
	one_input list[INPUTS_MAX];
};

/* ---- channels ---- */

static struct web_input *find(struct web *web, uint64_t session) {
	for (size_t i = 0; i < WEB_INPUTS_MAX; i++) {
		if (web->inputs[i].session == session) {
			return &web->inputs[i];
		}
	}
	return NULL;
}

void api_input_forget(struct gate *gate, uint64_t session) {
	struct web_input *input = session ? find(&gate->web, session) : NULL;
	if (input) {
		channel_close(&input->channel);
		input->session = 0;
	}
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)channel;
	(void)message;
	(void)fds;
}

static void handle_closed(struct channel *channel, int error) {
	(void)error;
	container_of(channel, struct web_input, channel)->session = 0;
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

static struct web_input *open_channel(struct gate *gate, uint64_t session, int fd) {
	struct web_input *input = find(&gate->web, session);
	input = input ? input : find(&gate->web, 0);
	if (!input) { /* the one that was used longest ago gives way */
		input = &gate->web.inputs[0];
		for (size_t i = 1; i < WEB_INPUTS_MAX; i++) {
			input = gate->web.inputs[i].used_ms < input->used_ms ? &gate->web.inputs[i]
									     : input;
		}
	}
	channel_close(&input->channel);
	input->session = 0;
	if (channel_open(&input->channel, gate->worker.event, fd, PEER_STREAM, PEER_DESKTOP,
			    &channel_events, input) < 0) {
		return NULL;
	}
	/* A desktop applies each number once, also over a door's death. */
	input->session = session;
	input->sequence = clock_now_us();
	return input;
}

static void send_all(struct web_input *input, const struct inputs *inputs) {
	input->used_ms = clock_now_ms();
	for (unsigned i = 0; i < inputs->count && channel_is_open(&input->channel); i++) {
		struct ipc_message message = { .kind = IPC_INPUT, .input = inputs->list[i] };
		message.input.sequence = ++input->sequence;
		message.input.received_ns = clock_now_ns();
		channel_post(&input->channel, &message, NULL, 0);
	}
}

/* Takes the inputs. */
static void begin(struct request *request, struct inputs *inputs) {
	struct connection *connection = request->connection;
	struct gate *gate = request->gate;
	struct web_input *input = find(&gate->web, inputs->session);
	if (input && channel_is_open(&input->channel)) {
		send_all(input, inputs);
		free(inputs);
		api_success(connection);
		return;
	}
	struct ipc_message message = { .kind = IPC_API_INPUT_ASK,
		.api_input = { .request = connection_request(connection),
				.session = inputs->session } };
	connection->wait = inputs;
	connection->awaits = AWAITS_INPUT;
	connection_extend(connection, INPUT_MS);
	gate_post(gate, &message);
}

void api_handle_input_channel(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	struct connection *connection =
			gate_waiting(gate, message->api_input.request, AWAITS_INPUT);
	if (!connection) {
		return;
	}
	struct inputs *inputs = (struct inputs *)connection->wait;
	struct web_input *input = open_channel(gate, inputs->session, fds_take(fds, 0));
	if (!input) {
		api_handle_overdue(connection);
		return;
	}
	send_all(input, inputs);
	free(TAKE(connection->wait, NULL));
	api_success(connection);
}

/* A session that cannot be steered. */
bool api_input_done(struct gate *gate, const struct ipc_message *message) {
	uint32_t request = message->api_done.request;
	struct connection *connection = gate_waiting(gate, request, AWAITS_INPUT);
	if (!connection) {
		return false;
	}
	api_input_gone(connection);
	api_refuse(connection, message->api_done.reason, message->api_done.detail);
	return true;
}

void api_input_gone(struct connection *connection) {
	free(TAKE(connection->wait, NULL));
}

/* ---- Wolf's call: a packet as a client sends it ---- */

void api_handle_session_input(struct request *request) {
	const char *hex = schema_text(request->json, "input_packet_hex", "");
	size_t len = strlen(hex);
	uint8_t packet[PACKET_MAX];
	struct input_event event;
	struct ipc_message message;
	const struct web_session *row = api_wanted_session(request, "session_id");
	if (!row) {
		return;
	}
	int rc = len % 2 || len / 2 > sizeof(packet) ? -EBADMSG : hex_decode(hex, len, packet);
	rc = rc < 0 ? rc : input_decode(packet, len / 2, &event);
	rc = rc < 0 ? rc : input_message(&event, 0, 0, &message);
	if (rc < 0) {
		api_error(request->connection, rc == -ENOTSUP ? 501 : 400,
				rc == -ENOTSUP ? "This kind of input is not passed on yet."
					       : "\"input_packet_hex\" is not an input packet.");
		return;
	}
	struct inputs *inputs = calloc(1, sizeof(*inputs));
	if (!inputs) {
		api_error(request->connection, 503, reason_row(REASON_RESOURCES)->words);
		return;
	}
	inputs->session = row->desktop; /* as its client's own would */
	inputs->list[inputs->count++] = message.input;
	begin(request, inputs);
}

/* ---- ours ---- */

static one_input *add(struct inputs *inputs, enum ipc_input_kind kind) {
	if (inputs->count == INPUTS_MAX) {
		return NULL;
	}
	one_input *one = &inputs->list[inputs->count++];
	one->kind = (uint8_t)kind;
	return one;
}

/* The library has checked that it is UTF-8. */
static bool add_text(struct inputs *inputs, const char *text) {
	static const uint8_t lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const uint8_t *at = (const uint8_t *)text;
	while (*at) {
		size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
		one_input *one = add(inputs, INPUT_TEXT);
		if (!one) {
			return false;
		}
		one->code = *at++ & lead[len];
		for (size_t i = 1; i < len; i++) {
			one->code = one->code << 6 | (*at++ & 0x3f);
		}
	}
	return true;
}

/* One after the other down, then up in the other order. */
static bool add_keys(struct inputs *inputs, const json_t *keys) {
	size_t count = json_array_size(keys);
	for (size_t i = 0; i < 2 * count; i++) {
		bool down = i < count;
		one_input *one = add(inputs, down ? INPUT_KEY_DOWN : INPUT_KEY_UP);
		if (!one) {
			return false;
		}
		one->code = (uint32_t)json_integer_value(
				json_array_get(keys, down ? i : 2 * count - 1 - i));
	}
	return true;
}

/* Down or up and no more, each for itself: what is dragged, or held while something else happens.
 */
static bool add_held(struct inputs *inputs, const json_t *codes, bool down) {
	enum { BUTTONS = 0x110, BUTTONS_END = 0x118 }; /* evdev's, of a mouse */
	for (size_t i = 0; i < json_array_size(codes); i++) {
		uint32_t code = (uint32_t)json_integer_value(json_array_get(codes, i));
		bool button = code >= BUTTONS && code < BUTTONS_END;
		one_input *one = add(inputs, button ? down ? INPUT_BUTTON_DOWN : INPUT_BUTTON_UP
					     : down ? INPUT_KEY_DOWN
						    : INPUT_KEY_UP);
		if (!one) {
			return false;
		}
		one->code = code;
	}
	return true;
}

static bool add_pointer(struct inputs *inputs, const json_t *body) {
	const json_t *point = json_object_get(body, "pointer");
	if (!json_is_object(point)) {
		return true;
	}
	one_input *one = add(inputs, INPUT_POSITION);
	if (!one) {
		return false;
	}
	one->x = (int32_t)schema_integer(point, "x", 0);
	one->y = (int32_t)schema_integer(point, "y", 0);
	one->w = (int32_t)schema_integer(point, "width", 0);
	one->h = (int32_t)schema_integer(point, "height", 0);
	return true;
}

static bool add_click(struct inputs *inputs, const json_t *body) {
	const json_t *button = json_object_get(body, "click");
	one_input *one;
	for (int down = 1; json_is_integer(button) && down >= 0; down--) {
		one = add(inputs, down ? INPUT_BUTTON_DOWN : INPUT_BUTTON_UP);
		if (!one) {
			return false;
		}
		one->code = 0x110 + (uint32_t)json_integer_value(button) - 1; /* BTN_LEFT on */
	}
	int64_t scroll = schema_integer(body, "scroll", 0);
	one = scroll ? add(inputs, INPUT_SCROLL) : NULL;
	if (one) {
		one->value = (int32_t)scroll;
	}
	return !scroll || one;
}

void api_handle_desktop_input(struct request *request) {
	uint64_t desktop = api_wanted_desktop(request);
	if (!desktop) {
		return;
	}
	struct inputs *inputs = calloc(1, sizeof(*inputs));
	if (!inputs) {
		api_error(request->connection, 503, reason_row(REASON_RESOURCES)->words);
		return;
	}
	inputs->session = desktop;
	const json_t *body = request->json;
	if (!add_pointer(inputs, body) || !add_held(inputs, json_object_get(body, "press"), true) ||
			!add_click(inputs, body) ||
			!add_keys(inputs, json_object_get(body, "keys")) ||
			!add_text(inputs, schema_text(body, "text", "")) ||
			!add_held(inputs, json_object_get(body, "release"), false)) {
		free(inputs);
		api_error(request->connection, 400, "That is more input than one request takes.");
		return;
	}
	begin(request, inputs);
}
