/* SPDX-License-Identifier: MIT */
#include "gate/pair.h"

#include <string.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/gate.h"
#include "gate/moonlight.h"
#include "proto/launch.h"
#include "proto/serverinfo.h"

enum {
	XML_MAX = 2 * PAIRING_PEM_MAX + 512,
	PERMISSIONS_ALL = 0x7fffffff,
};

static void refuse(struct connection *connection, const char *message) {
	moonlight_error(connection, 400, message);
}

static void answer_paired(
		struct connection *connection, bool paired, const struct pairing_reply *reply) {
	char xml[XML_MAX];
	int len = serverinfo_pair_write(paired, reply ? reply->name : NULL,
			reply ? reply->data : NULL, reply ? reply->len : 0, xml, sizeof(xml));
	moonlight_answer(connection, xml, len, paired ? 200 : 400);
}

/* ---- the list ---- */

static struct pair *find_number(struct pairs *pairs, uint32_t number) {
	struct pair *only = NULL;
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		struct pair *pair = &pairs->list[i];
		if (pair->number && pair->number == number) {
			return pair;
		}
		if (number == 0 && pair->number && pair->pairing.state == PAIRING_AWAITS_PIN) {
			if (only) {
				return NULL;
			}
			only = pair;
		}
	}
	return only;
}

static struct pair *find_request(struct pairs *pairs, uint32_t request) {
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		if (pairs->list[i].number && pairs->list[i].request == request) {
			return &pairs->list[i];
		}
	}
	return NULL;
}

static struct pair *find_client(
		struct pairs *pairs, const char *uniqueid, const struct address *address) {
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		struct pair *pair = &pairs->list[i];
		if (pair->number && strcmp(pair->uniqueid, uniqueid) == 0 &&
				address_same_ip(&pair->address, address)) {
			return pair;
		}
	}
	return NULL;
}

static const char wrong_pin[] = "The PIN was wrong. Start pairing in Moonlight again: it shows a "
				"new PIN.";

static void set_timer(struct gate *gate);

/* Forgets it and tells everybody how it ended. */
static void end(struct gate *gate, struct pair *pair, uint32_t outcome, const char *detail) {
	char address[ADDRESS_TEXT_MAX];
	address_ip_text(&pair->address, address);
	log_info("pairing-end", "pairing=%u from=%s outcome=%u detail=%s", pair->number, address,
			outcome, log_quote(detail).text);
	struct ipc_message message = { .kind = IPC_PAIR_GONE,
		.pair_gone = { .pairing = pair->number, .outcome = outcome } };
	text_copy(message.pair_gone.detail, sizeof(message.pair_gone.detail), detail);
	pairing_finish(&pair->pairing);
	explicit_bzero(pair, sizeof(*pair));
	gate_post(gate, &message);
	set_timer(gate);
}

static int handle_timer(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct gate *gate = (struct gate *)user;
	uint64_t now = clock_now_ms();
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		struct pair *pair = &gate->pairs.list[i];
		if (pair->number && !pair->storing && pair->pairing.state != PAIRING_AWAITS_PIN &&
				pair->pairing.deadline_ms <= now) {
			end(gate, pair, ETIMEDOUT, "The client did not finish pairing.");
		}
	}
	set_timer(gate);
	return 0;
}

/* Watches those that have their PIN; the others end with their connection. */
static void set_timer(struct gate *gate) {
	uint64_t next_ms = UINT64_MAX;
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		const struct pair *pair = &gate->pairs.list[i];
		if (pair->number && !pair->storing && pair->pairing.state != PAIRING_AWAITS_PIN &&
				pair->pairing.deadline_ms < next_ms) {
			next_ms = pair->pairing.deadline_ms;
		}
	}
	if (!gate->pairs.timer &&
			sd_event_add_time(gate->worker.event, &gate->pairs.timer, CLOCK_MONOTONIC,
					UINT64_MAX, 1000, handle_timer, gate) < 0) {
		return;
	}
	if (next_ms != UINT64_MAX) {
		sd_event_source_set_time(gate->pairs.timer, (next_ms + 1) * US_PER_MS);
	}
	sd_event_source_set_enabled(
			gate->pairs.timer, next_ms == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* ---- phase 1 ---- */

static struct pair *free_slot(struct pairs *pairs, const struct address *address) {
	struct pair *slot = NULL;
	size_t same = 0;
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		struct pair *pair = &pairs->list[i];
		if (!pair->number) {
			slot = pair;
		} else {
			same += address_same_ip(&pair->address, address);
		}
	}
	return same < PAIRS_OF_ADDRESS_MAX ? slot : NULL;
}

static void name_client(struct pair *pair, const char *device) {
	char address[ADDRESS_TEXT_MAX];
	address_ip_text(&pair->address, address);
	/* Most clients call themselves "roth", the code name of an old console. */
	if (device[0] == '\0' || strcmp(device, "roth") == 0) {
		text_format(pair->name, sizeof(pair->name), "Moonlight at %s", address);
	} else {
		text_copy(pair->name, sizeof(pair->name), device);
	}
}

static void announce(struct gate *gate, const struct pair *pair) {
	char address[ADDRESS_TEXT_MAX];
	address_ip_text(&pair->address, address);
	log_info("pairing-waits", "pairing=%u from=%s name=%s", pair->number, address,
			log_quote(pair->name).text);
	struct ipc_message message = { .kind = IPC_PAIR_WAITING,
		.pair_waiting = { .pairing = pair->number, .address = pair->address } };
	memcpy(message.pair_waiting.client, pair->fingerprint, 32);
	text_copy(message.pair_waiting.name, sizeof(message.pair_waiting.name), pair->name);
	gate_post(gate, &message);
}

void pairs_say_again(struct gate *gate) {
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		const struct pair *pair = &gate->pairs.list[i];
		if (pair->number && pair->pairing.state == PAIRING_AWAITS_PIN) {
			announce(gate, pair);
		}
	}
}

static struct pair_source *find_source(struct pairs *pairs, const struct source *source) {
	struct pair_source *oldest = &pairs->sources[0];
	for (size_t i = 0; i < PAIRS_SOURCES; i++) {
		struct pair_source *row = &pairs->sources[i];
		if (row->begins && memcmp(&row->source, source, sizeof(*source)) == 0) {
			return row;
		}
		if (row->since_ms < oldest->since_ms) {
			oldest = row;
		}
	}
	*oldest = (struct pair_source){ .source = *source };
	return oldest;
}

/* Counts the begins of a window. */
static bool exceeds(uint64_t *since_ms, unsigned *begins, unsigned max, uint64_t now_ms) {
	if (now_ms - *since_ms >= PAIRS_BEGIN_MS) {
		*since_ms = now_ms;
		*begins = 0;
	}
	return ++*begins > max;
}

static bool begins_too_often(struct pairs *pairs, const struct address *address, uint64_t now_ms) {
	struct source source = source_of(address);
	struct pair_source *row = find_source(pairs, &source);
	return exceeds(&row->since_ms, &row->begins, PAIRS_BEGIN_OF_SOURCE_MAX, now_ms) ||
	       exceeds(&pairs->begins_since_ms, &pairs->begins, PAIRS_BEGIN_MAX, now_ms);
}

/* The host's part of phase 1: now it knows the PIN. As pairing_step(). */
static int take_pin(struct gate *gate, struct pair *pair, struct connection *connection,
		const char *pin) {
	struct pairing_reply reply;
	uint64_t now = clock_now_ms();
	int rc = pairing_step(&pair->pairing, PAIRING_PIN, pin, strlen(pin), now, &reply);
	if (rc < 0) {
		return rc;
	}
	pair->request = 0;
	pair->pairing.deadline_ms = now + PAIR_AFTER_PIN_MS;
	set_timer(gate);
	answer_paired(connection, true, &reply);
	return 0;
}

/* A PIN that the configuration holds, for programs on this machine. An address of the
 * machine's own network is no proof of being on it: only loopback is. */
static void take_preset_pin(struct gate *gate, struct pair *pair, struct connection *connection) {
	const char *pin = gate->options.preset_pin;
	if (!pin[0] || !address_is_loopback(&connection->peer)) {
		return;
	}
	log_info("pairing-preset-pin", "pairing=%u", pair->number);
	if (take_pin(gate, pair, connection, pin) < 0) {
		log_warning("pairing-preset-pin-refused", "pairing=%u", pair->number);
	}
}

static void begin(struct request *request, const struct pair_query *query) {
	struct gate *gate = request->gate;
	struct connection *connection = request->connection;
	struct pair *old = find_client(&gate->pairs, query->uniqueid, &connection->peer);
	if (old && old->pairing.state == PAIRING_AWAITS_PIN) {
		refuse(connection, "A pairing of this client is already waiting for its PIN.");
		return;
	}
	if (old && old->storing) {
		refuse(connection, "The pairing is just being finished.");
		return;
	}
	if (old) {
		end(gate, old, ECANCELED, "The client began again.");
	}
	uint64_t now = clock_now_ms();
	struct pair *pair = free_slot(&gate->pairs, &connection->peer);
	if (!pair || begins_too_often(&gate->pairs, &connection->peer, now)) {
		refuse(connection, "Too many clients are waiting for their PIN. Try again later.");
		return;
	}
	int rc = pairing_begin(&pair->pairing, &gate->identity, query->blob, query->blob_len,
			query->salt, now);
	if (rc == 0) {
		rc = pairing_fingerprint(pair->pairing.client.der, pair->pairing.client.der_len,
				pair->fingerprint);
	}
	if (rc < 0 || pair->pairing.client.der_len > TLS_DER_MAX) {
		pairing_finish(&pair->pairing);
		refuse(connection,
				"The client's certificate is not an RSA one of 2048 to 4096 bits.");
		return;
	}
	uint64_t window_ms = (gate->options.pair_window_s ? gate->options.pair_window_s : 300) *
			     UINT64_C(1000);
	pair->pairing.deadline_ms = now + window_ms;
	pair->number = ++gate->pairs.numbers;
	pair->address = connection->peer;
	pair->request = connection_request(connection);
	text_copy(pair->uniqueid, sizeof(pair->uniqueid), query->uniqueid);
	name_client(pair, query->device_name);
	connection->awaits = AWAITS_PIN;
	connection_extend(connection, (uint32_t)window_ms);
	announce(gate, pair);
	take_preset_pin(gate, pair, connection);
}

static void answer_pin(struct gate *gate, uint32_t request, uint32_t reason, const char *detail) {
	struct ipc_message message = { .kind = IPC_PAIR_ANSWER,
		.pair_answer = { .request = request, .reason = reason } };
	text_copy(message.pair_answer.detail, sizeof(message.pair_answer.detail), detail);
	gate_post(gate, &message);
}

void pair_handle_pin(struct gate *gate, const struct ipc_message *message) {
	uint32_t request = message->pair_pin.request;
	struct pair *pair = find_number(&gate->pairs, message->pair_pin.pairing);
	struct connection *connection = pair ? gate_waiting(gate, pair->request, AWAITS_PIN) : NULL;
	if (!connection) {
		answer_pin(gate, request, REASON_NOTHING_RUNS,
				"No such client is waiting for its PIN. Start pairing in "
				"Moonlight.");
		return;
	}
	int rc = take_pin(gate, pair, connection, message->pair_pin.pin);
	if (rc == -EINVAL && pair->pairing.state == PAIRING_AWAITS_PIN) {
		answer_pin(gate, request, REASON_UNSUPPORTED, "A PIN has four digits.");
		return;
	}
	if (rc < 0) {
		answer_pin(gate, request, REASON_NOTHING_RUNS, "The pairing has expired.");
		end(gate, pair, ETIMEDOUT, "The pairing has expired.");
		refuse(connection, "The pairing has expired.");
		return;
	}
	if (message->pair_pin.name[0]) {
		text_copy(pair->name, sizeof(pair->name), message->pair_pin.name);
	}
	answer_pin(gate, request, REASON_NONE, "");
}

/* ---- phases 2 to 4 ---- */

static void store(struct gate *gate, struct connection *connection, struct pair *pair) {
	struct ipc_message message = { .kind = IPC_CLIENT_ADD };
	message.client.request = connection_request(connection);
	memcpy(message.client.client, pair->fingerprint, 32);
	message.client.der_len = (uint16_t)pair->pairing.client.der_len;
	memcpy(message.client.der, pair->pairing.client.der, pair->pairing.client.der_len);
	text_copy(message.client.name, sizeof(message.client.name), pair->name);
	message.client.created_s = (uint64_t)time(NULL);
	message.client.permissions = PERMISSIONS_ALL;
	if (!gate_post_store(gate, &message)) {
		end(gate, pair, EIO, reason_row(REASON_STORE_SILENT)->words);
		moonlight_reason(connection, REASON_STORE_SILENT, "");
		return;
	}
	pair->storing = true;
	pair->request = connection_request(connection);
	set_timer(gate);
	connection->awaits = AWAITS_PAIR_STORE;
	connection_extend(connection, GATE_STORE_MS);
}

static void step(struct request *request, const struct pair_query *query) {
	static const enum pairing_event events[PAIR_STEPS] = {
		[PAIR_CLIENT_CHALLENGE] = PAIRING_CHALLENGE,
		[PAIR_SERVER_CHALLENGE_RESP] = PAIRING_RESPONSE,
		[PAIR_CLIENT_SECRET] = PAIRING_SECRET,
	};
	struct gate *gate = request->gate;
	struct connection *connection = request->connection;
	struct pair *pair = find_client(&gate->pairs, query->uniqueid, &connection->peer);
	/* What waits for its PIN is not ended by a stranger at the same address. */
	if (!pair || pair->storing || pair->pairing.state == PAIRING_AWAITS_PIN) {
		refuse(connection, "This is not the pairing's next phase.");
		return;
	}
	struct pairing_reply reply;
	int rc = pairing_step(&pair->pairing, events[query->step], query->blob, query->blob_len,
			clock_now_ms(), &reply);
	if (rc < 0) {
		end(gate, pair, (uint32_t)-rc,
				rc == -EINVAL ? wrong_pin
					      : "The client broke the rules of pairing.");
		answer_paired(connection, false, NULL);
	} else if (query->step == PAIR_CLIENT_SECRET) {
		store(gate, connection, pair);
	} else {
		answer_paired(connection, true, &reply);
	}
	explicit_bzero(&reply, sizeof(reply));
}

void pair_handle(struct request *request) {
	struct pair_query query;
	const char *culprit = "";
	if (pair_query_parse(request->http.query, &query, &culprit) < 0) {
		char message[120];
		text_format(message, sizeof(message), "The parameter %s is missing or wrong.",
				culprit);
		refuse(request->connection, message);
	} else if (query.step == PAIR_GET_SERVER_CERT) {
		begin(request, &query);
	} else if (query.step == PAIR_CHALLENGE) {
		refuse(request->connection, "This phase needs HTTPS.");
	} else {
		step(request, &query);
	}
	explicit_bzero(&query, sizeof(query));
}

/* The certificate has answered already: this route is for paired clients. */
void pair_handle_challenge(struct request *request) {
	struct pair_query query;
	const char *culprit = "";
	if (pair_query_parse(request->http.query, &query, &culprit) < 0 ||
			query.step != PAIR_CHALLENGE) {
		refuse(request->connection, "Only the last phase of pairing uses HTTPS.");
		return;
	}
	answer_paired(request->connection, true, NULL);
}

/* Changes nothing that is remembered: anybody can send this. It is how a client says that
 * the PIN was wrong, so a pairing of its own that is past the PIN ends at once. */
void pair_handle_unpair(struct request *request) {
	struct gate *gate = request->gate;
	char uniqueid[LAUNCH_UNIQUEID_MAX];
	if (request->connection->door == DOOR_HTTP &&
			http_query_text(request->http.query, "uniqueid", uniqueid,
					sizeof(uniqueid)) >= 0) {
		struct pair *pair = find_client(&gate->pairs, uniqueid, &request->connection->peer);
		if (pair && !pair->storing && pair->pairing.state != PAIRING_AWAITS_PIN) {
			end(gate, pair, EINVAL, wrong_pin);
		}
	}
	char xml[512];
	moonlight_answer(request->connection, xml, serverinfo_unpair_write(xml, sizeof(xml)), 200);
}

/* ---- how it ends ---- */

void pair_handle_added(struct gate *gate, const struct ipc_message *message) {
	struct pair *pair = find_request(&gate->pairs, message->client_ref.request);
	if (!pair || !pair->storing) {
		return;
	}
	struct connection *connection =
			gate_waiting(gate, message->client_ref.request, AWAITS_PAIR_STORE);
	int rc = -(int)message->client_ref.outcome;
	if (rc == 0) {
		rc = clients_put(&gate->clients, pair->fingerprint, pair->pairing.client.der,
				pair->pairing.client.der_len, pair->name, (uint64_t)time(NULL),
				PERMISSIONS_ALL);
	}
	end(gate, pair, (uint32_t)-rc, rc < 0 ? "The client could not be stored." : "");
	if (connection && rc < 0) {
		moonlight_reason(connection, REASON_STORE_SILENT,
				"The host could not store the client.");
	} else if (connection) {
		answer_paired(connection, true, NULL);
	}
}

void pair_handle_overdue(struct connection *connection) {
	struct gate *gate = (struct gate *)connection->pool->user;
	struct pair *pair = find_request(&gate->pairs, connection_request(connection));
	if (pair && pair->storing) {
		/* The store's answer may still come, and then decides. */
		if (!channel_is_open(&gate->store)) {
			end(gate, pair, EIO, reason_row(REASON_STORE_SILENT)->words);
		}
		moonlight_reason(connection, REASON_STORE_SILENT, "");
		return;
	}
	if (pair) {
		end(gate, pair, ETIMEDOUT, "Nobody typed the PIN in time.");
	}
	refuse(connection, "Nobody typed the PIN in time.");
}

/* What the store is just writing stays: it ends with its answer, or never matters. */
void pair_handle_gone(struct connection *connection) {
	struct gate *gate = (struct gate *)connection->pool->user;
	struct pair *pair = find_request(&gate->pairs, connection_request(connection));
	if (pair && !pair->storing) {
		end(gate, pair, ECANCELED, "The client went away.");
	}
}

void pairs_handle_store_lost(struct gate *gate) {
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		struct pair *pair = &gate->pairs.list[i];
		if (!pair->number || !pair->storing) {
			continue;
		}
		/* Who still waits is asked for again when there is another one. */
		if (!gate_waiting(gate, pair->request, AWAITS_PAIR_STORE)) {
			end(gate, pair, EIO, reason_row(REASON_STORE_SILENT)->words);
		}
	}
}

void pairs_finish(struct pairs *pairs) {
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		pairing_finish(&pairs->list[i].pairing);
	}
	pairs->timer = sd_event_source_disable_unref(pairs->timer);
}
