/* SPDX-License-Identifier: MIT */
#include "../unit/unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "oracle_libenet.h"
#include "proto/enet.h"

/* Our engine against libenet over real sockets, in both roles, on a clean path
 * and through one that loses, doubles and delays by a seed. */

enum {
	DATA = 0xdeadbeef,
	CHANNELS = 48,
	SMALL = 40, /* reliable packets on each of the small channels */
	LARGE = 6,  /* reliable ones of 6000 bytes, on LARGE_CHANNEL */
	LOOSE = 60, /* unreliable and unsequenced ones */
	BULKY = 10, /* unreliable ones of 2500 bytes */
	LARGE_CHANNEL = 4,
	LOOSE_CHANNEL = 5,
	UNSEQUENCED_CHANNEL = 6,
	BULKY_CHANNEL = 7,
	HELD_MAX = 1024,
	DEADLINE_MS = 40000,
	SETTLE_MS = 500,
	ORACLE_TICK_MS = 5, /* it does not tell when its timers are due */
};

static const uint8_t small_channels[] = { 0, 1, 2, 3, 0x10, 0x2f };

struct path {
	unsigned loss, twice, delay_ms; /* percent, percent, up to */
};

struct held {
	uint64_t due_ms;
	bool inbound;
	size_t len;
	uint8_t bytes[2048];
};

struct tally {
	bool connected, disconnected;
	uint32_t data;
	unsigned got[CHANNELS];
	uint8_t seen[LOOSE];
};

struct bout {
	bool we_are_host, is_up;
	int fd; /* owned */
	struct sockaddr_in to;
	struct enet_peer peer;
	struct oracle *oracle; /* owned */
	struct oracle_event event;
	struct path path;
	uint64_t random;
	struct held held[HELD_MAX];
	size_t held_count;
	struct tally ours, theirs; /* what each side received */
	uint64_t settle_ms;
	unsigned sent, sent_theirs;
	size_t reliable_theirs, reliable_ours; /* bytes they sent, and we got */
};

static unsigned chance(struct bout *bout, unsigned limit) {
	bout->random = bout->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(bout->random >> 33) % limit;
}

static void pattern(uint8_t *bytes, unsigned number, size_t len) {
	bytes[0] = (uint8_t)number;
	bytes[1] = (uint8_t)(number >> 8);
	for (size_t i = 2; i < len; i++) {
		bytes[i] = (uint8_t)(number + i * 3);
	}
}

static void count(struct tally *tally, uint8_t channel, const uint8_t *bytes, size_t len) {
	assert_true(channel < CHANNELS && len >= 2);
	unsigned number = bytes[0] | (unsigned)bytes[1] << 8;
	for (size_t i = 2; i < len; i++) {
		assert_int_equal(bytes[i], (uint8_t)(number + i * 3));
	}
	if (channel == UNSEQUENCED_CHANNEL) {
		assert_true(number < LOOSE && !tally->seen[number]);
		tally->seen[number] = 1;
		tally->got[channel]++;
	} else if (channel == LOOSE_CHANNEL || channel == BULKY_CHANNEL) {
		tally->got[channel]++;
	} else {
		assert_int_equal(number, tally->got[channel]);
		tally->got[channel]++;
	}
}

static void take_events(struct bout *bout) {
	struct enet_event event;
	while (enet_peer_next_event(&bout->peer, &event)) {
		switch (event.kind) {
		case ENET_EVENT_CONNECTED:
			bout->ours.connected = true;
			break;
		case ENET_EVENT_DISCONNECTED:
			bout->ours.disconnected = true;
			bout->ours.data = event.data;
			assert_int_not_equal(event.end, ENET_END_TIMEOUT);
			break;
		case ENET_EVENT_PACKET:
			count(&bout->ours, event.channel, event.bytes, event.len);
			bout->reliable_ours += event.delivery == ENET_RELIABLE ? event.len : 0;
			break;
		}
	}
}

static void pass(struct bout *bout, const struct held *held) {
	if (!held->inbound) {
		sendto(bout->fd, held->bytes, held->len, 0, (struct sockaddr *)&bout->to,
				sizeof(bout->to));
		return;
	}
	uint64_t now = clock_now_ms();
	if (bout->is_up) {
		assert_int_equal(enet_peer_receive(&bout->peer, held->bytes, held->len, now), 0);
		take_events(bout);
		return;
	}
	struct enet_connect connect;
	assert_int_equal(enet_connect_peek(held->bytes, held->len, &connect), 0);
	assert_true(connect.data == DATA);
	assert_int_equal(connect.channels, CHANNELS);
	assert_int_equal(enet_peer_accept(&bout->peer, held->bytes, held->len, 0x321, now), 0);
	bout->is_up = true;
}

/* The path between our engine and its socket. */
static void route(struct bout *bout, bool inbound, const uint8_t *bytes, size_t len) {
	struct held held = { .inbound = inbound, .len = len };
	assert_true(len <= sizeof(held.bytes));
	memcpy(held.bytes, bytes, len);
	if (chance(bout, 100) < bout->path.loss) {
		return;
	}
	unsigned copies = chance(bout, 100) < bout->path.twice ? 2 : 1;
	for (unsigned i = 0; i < copies; i++) {
		if (!bout->path.delay_ms) {
			pass(bout, &held);
		} else if (bout->held_count < HELD_MAX) {
			held.due_ms = clock_now_ms() + chance(bout, bout->path.delay_ms);
			bout->held[bout->held_count++] = held;
		}
	}
}

static void release_held(struct bout *bout) {
	uint64_t now = clock_now_ms();
	for (size_t i = bout->held_count; i-- > 0;) {
		if (bout->held[i].due_ms <= now) {
			struct held held = bout->held[i];
			bout->held[i] = bout->held[--bout->held_count];
			pass(bout, &held);
		}
	}
}

static void serve_ours(struct bout *bout) {
	uint8_t bytes[2048];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len;
	while ((len = recvfrom(bout->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
				(struct sockaddr *)&from, &from_len)) >= 0) {
		bout->to = from;
		route(bout, true, bytes, (size_t)len);
	}
	release_held(bout);
	size_t n;
	while (bout->is_up && (n = enet_peer_transmit(&bout->peer, clock_now_ms(), bytes,
					       sizeof(bytes)))) {
		route(bout, false, bytes, n);
	}
	if (bout->is_up) {
		take_events(bout); /* a time-out is noticed while transmitting */
	}
}

static void serve_theirs(struct bout *bout) {
	for (oracle_service(bout->oracle, &bout->event); bout->event.kind != ORACLE_NOTHING;
			oracle_service(bout->oracle, &bout->event)) {
		const struct oracle_event *event = &bout->event;
		if (event->kind == ORACLE_PACKET) {
			count(&bout->theirs, event->channel, event->bytes, event->len);
		} else if (event->kind == ORACLE_CONNECTED) {
			bout->theirs.connected = true;
			bout->theirs.data = event->data;
		} else {
			bout->theirs.disconnected = true;
			bout->theirs.data = event->data;
		}
	}
}

static void run_until(struct bout *bout, bool (*done)(struct bout *bout)) {
	uint64_t end = clock_now_ms() + DEADLINE_MS;
	while (!done(bout)) {
		assert_true(clock_now_ms() < end);
		serve_ours(bout);
		serve_theirs(bout);
		struct pollfd fds[] = { { .fd = bout->fd, .events = POLLIN },
			{ .fd = oracle_fd(bout->oracle), .events = POLLIN } };
		bool soon = bout->held_count ||
			    (bout->is_up && enet_peer_next_deadline(&bout->peer) == 0);
		poll(fds, ARRAY_LEN(fds), soon ? 1 : ORACLE_TICK_MS);
	}
}

static bool connected(struct bout *bout) {
	return bout->ours.connected && bout->theirs.connected;
}

static bool disconnected(struct bout *bout) {
	return bout->ours.disconnected && bout->theirs.disconnected;
}

struct load {
	uint8_t channel;
	enum enet_delivery delivery;
	size_t len;
	unsigned number;
};

enum {
	SMALL_SUM = SMALL * 6,
	LOAD_SUM = SMALL_SUM + LARGE + 2 * LOOSE + BULKY,
};

/* The i-th packet of either side's load. */
static struct load load_of(unsigned i) {
	if (i < SMALL_SUM) {
		return (struct load){ small_channels[i % 6], ENET_RELIABLE, 2 + i % 200, i / 6 };
	}
	i -= SMALL_SUM;
	if (i < LARGE) {
		return (struct load){ LARGE_CHANNEL, ENET_RELIABLE, 6000, i };
	}
	i -= LARGE;
	if (i < LOOSE) {
		return (struct load){ LOOSE_CHANNEL, ENET_UNRELIABLE, 100, i };
	}
	i -= LOOSE;
	if (i < LOOSE) {
		return (struct load){ UNSEQUENCED_CHANNEL, ENET_UNSEQUENCED, 100, i };
	}
	return (struct load){ BULKY_CHANNEL, ENET_UNRELIABLE, 2500, i - LOOSE };
}

static bool has_load(const struct tally *tally) {
	for (unsigned i = 0; i < 6; i++) {
		if (tally->got[small_channels[i]] < SMALL) {
			return false;
		}
	}
	return tally->got[LARGE_CHANNEL] == LARGE;
}

static bool loaded(struct bout *bout) {
	uint8_t bytes[6000];
	while (bout->sent < LOAD_SUM) {
		struct load load = load_of(bout->sent);
		pattern(bytes, load.number, load.len);
		if (enet_peer_send(&bout->peer, load.channel, load.delivery, bytes, load.len) < 0) {
			break;
		}
		bout->sent++;
	}
	/* A libenet client keeps to the window we grant, a libenet host knows none: what it
	 * sends beyond our room counts as lost, and it backs off for seconds. */
	size_t bound = bout->we_are_host && !bout->path.loss ? SIZE_MAX : ENET_WINDOW;
	for (; bout->sent_theirs < LOAD_SUM && bout->reliable_theirs - bout->reliable_ours < bound;
			bout->sent_theirs++) {
		static const enum oracle_delivery deliveries[] = { ORACLE_RELIABLE,
			ORACLE_UNRELIABLE, ORACLE_UNSEQUENCED };
		struct load load = load_of(bout->sent_theirs);
		pattern(bytes, load.number, load.len);
		bout->reliable_theirs += load.delivery == ENET_RELIABLE ? load.len : 0;
		assert_true(oracle_send(bout->oracle, load.channel, deliveries[load.delivery],
				bytes, load.len));
	}
	return bout->sent == LOAD_SUM && bout->sent_theirs == LOAD_SUM && has_load(&bout->ours) &&
	       has_load(&bout->theirs);
}

/* libenet forgets what it has not delivered when a DISCONNECT comes: unreliable
 * packets get some time to arrive before. */
static bool settled(struct bout *bout) {
	return clock_now_ms() >= bout->settle_ms ||
	       (bout->ours.got[BULKY_CHANNEL] == BULKY && bout->theirs.got[BULKY_CHANNEL] == BULKY);
}

static struct bout *begin(bool we_are_host, unsigned mtu, struct path path, uint64_t seed) {
	struct bout *bout = calloc(1, sizeof(*bout));
	assert_non_null(bout);
	bout->we_are_host = we_are_host;
	bout->path = path;
	bout->random = seed;
	bout->oracle = oracle_create(mtu);
	assert_non_null(bout->oracle);
	bout->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	assert_int_equal(bind(bout->fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(bout->fd, (struct sockaddr *)&at, &len), 0);
	bout->to = at;
	if (we_are_host) {
		assert_true(oracle_connect(bout->oracle, ntohs(at.sin_port), CHANNELS, DATA));
	} else {
		struct enet_client_config config = {
			.local_id = 9, .channels = CHANNELS, .data = DATA, .connect_id = 77
		};
		assert_int_equal(enet_peer_init_client(&bout->peer, &config, clock_now_ms()), 0);
		bout->to.sin_port = htons(oracle_port(bout->oracle));
		bout->is_up = true;
	}
	return bout;
}

static void finish(struct bout *bout) {
	close(bout->fd);
	oracle_destroy(bout->oracle);
	free(bout);
}

static void fight(bool we_are_host, unsigned mtu, struct path path, uint64_t seed) {
	struct bout *bout = begin(we_are_host, mtu, path, seed);
	run_until(bout, connected);
	assert_true(we_are_host || bout->theirs.data == DATA);
	assert_int_equal(bout->peer.mtu, mtu < ENET_MTU ? mtu : ENET_MTU);
	assert_int_equal(oracle_mtu(bout->oracle), bout->peer.mtu);
	assert_int_equal(enet_peer_channels(&bout->peer), CHANNELS);
	assert_int_equal(oracle_channels(bout->oracle), CHANNELS);

	run_until(bout, loaded);
	bout->settle_ms = clock_now_ms() + (path.loss ? 0 : SETTLE_MS);
	run_until(bout, settled);
	if (seed % 2) {
		enet_peer_disconnect(&bout->peer, ENET_GOODBYE_LATER, 4711, clock_now_ms());
	} else {
		oracle_disconnect(bout->oracle, 4711);
	}
	if (path.loss) {
		/* The end of either side's goodbye may be lost; its answer is what counts. */
		bout->path = (struct path){ 0 };
	}
	run_until(bout, disconnected);
	assert_int_equal(seed % 2 ? bout->theirs.data : bout->ours.data, 4711);
	assert_int_equal(bout->peer.counters.malformed, 0);
	if (!path.loss) {
		assert_int_equal(bout->peer.counters.refused, 0);
		assert_true(bout->ours.got[UNSEQUENCED_CHANNEL] > LOOSE / 2);
		assert_true(bout->theirs.got[UNSEQUENCED_CHANNEL] > LOOSE / 2);
		assert_true(bout->ours.got[LOOSE_CHANNEL] > LOOSE / 2);
		assert_true(bout->theirs.got[LOOSE_CHANNEL] > LOOSE / 2);
		assert_true(bout->ours.got[BULKY_CHANNEL] > BULKY / 2);
		assert_true(bout->theirs.got[BULKY_CHANNEL] > BULKY / 2);
	}
	finish(bout);
}

static void a_libenet_client_is_served(void **state) {
	(void)state;
	fight(true, 900, (struct path){ 0 }, 1);
	fight(true, 900, (struct path){ 0 }, 2);
}

static void a_libenet_host_is_used(void **state) {
	(void)state;
	fight(false, 900, (struct path){ 0 }, 3);
	fight(false, 900, (struct path){ 0 }, 4);
}

static void the_smaller_mtu_is_used(void **state) {
	(void)state;
	fight(true, 576, (struct path){ 0 }, 5);
	fight(true, 1400, (struct path){ 0 }, 6);
	/* As a host libenet 1.3.17 takes the client's MTU even where its own is smaller. */
	fight(false, 1400, (struct path){ 0 }, 7);
}

static void both_roles_survive_a_bad_path(void **state) {
	(void)state;
	/* No worse: stock libenet doubles its time-out without bound at every loss, and gives
	 * up after ten seconds. sim_enet has the 20 percent. */
	struct path bad = { .loss = 6, .twice = 10, .delay_ms = 8 };
	for (uint64_t seed = 10; seed < 12; seed++) {
		fight(true, 900, bad, seed);
		fight(false, 900, bad, seed);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_libenet_client_is_served),
		UNIT(a_libenet_host_is_used),
		UNIT(the_smaller_mtu_is_used),
		UNIT(both_roles_survive_a_bad_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
