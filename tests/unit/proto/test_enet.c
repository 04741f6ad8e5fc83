/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>

#include "proto/enet.h"

/* A CONNECT as the fork's enet_host_connect() writes it: 48 channels, MTU 900,
 * peer id 0, connect data 0xcafe1234. */
/* clang-format off */
static const uint8_t golden_connect[] = {
	0x8f, 0xff, 0x12, 0x34,              /* to nobody, with the sent time */
	0x82, 0xff, 0x00, 0x01,              /* CONNECT, wants an answer, first command */
	0x00, 0x00, 0xff, 0xff,              /* its peer id, no earlier sessions */
	0x00, 0x00, 0x03, 0x84,              /* MTU */
	0x00, 0x01, 0x00, 0x00,              /* window */
	0x00, 0x00, 0x00, 0x30,              /* channels */
	0x00, 0x00, 0x00, 0x00,  0x00, 0x00, 0x00, 0x00, /* bandwidths */
	0x00, 0x00, 0x13, 0x88,  0x00, 0x00, 0x00, 0x02,  0x00, 0x00, 0x00, 0x02, /* throttle */
	0xde, 0xad, 0xbe, 0xef,              /* connect id */
	0xca, 0xfe, 0x12, 0x34,              /* connect data, at offset 48 */
};

/* Our answer, with peer id 0x123 and a clock of 0x10000. */
static const uint8_t golden_verify[] = {
	0x80, 0x00, 0x00, 0x00,
	0x83, 0xff, 0x00, 0x01,
	0x01, 0x23, 0x00, 0x00,              /* our peer id, sessions */
	0x00, 0x00, 0x03, 0x84,
	0x00, 0x00, 0x40, 0x00,
	0x00, 0x00, 0x00, 0x30,
	0x00, 0x00, 0x00, 0x00,  0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x13, 0x88,  0x00, 0x00, 0x00, 0x02,  0x00, 0x00, 0x00, 0x02,
	0xde, 0xad, 0xbe, 0xef,
};
/* clang-format on */

enum {
	START_MS = 0x10000,
	HOST_ID = 0x123,
	MAX = ENET_DATAGRAM_MAX,
};

/* Hands over a copy exactly as long as the datagram: ASan sees one byte too far. */
static int give(struct enet_peer *peer, const uint8_t *bytes, size_t len) {
	uint8_t *exact = malloc(len + !len);
	assert_non_null(exact);
	memcpy(exact, bytes, len);
	int rc = enet_peer_receive(peer, exact, len, START_MS + 10);
	free(exact);
	return rc;
}

static size_t take(struct enet_peer *peer, uint8_t *out) {
	return enet_peer_transmit(peer, START_MS + 10, out, MAX);
}

static bool is_quiet(struct enet_peer *peer) {
	struct enet_event event;
	return !enet_peer_next_event(peer, &event);
}

static void expect_packet(struct enet_peer *peer, const char *text) {
	struct enet_event event;
	assert_true(enet_peer_next_event(peer, &event));
	assert_int_equal(event.kind, ENET_EVENT_PACKET);
	assert_int_equal(event.len, strlen(text));
	assert_memory_equal(event.bytes, text, event.len);
}

/* A host that has just been connected to. */
static int make_host(void **state) {
	struct enet_peer *host = malloc(sizeof(*host));
	uint8_t out[MAX];
	if (!host || enet_peer_accept(host, golden_connect, sizeof(golden_connect), HOST_ID,
				     START_MS) < 0) {
		return -1;
	}
	size_t len = enet_peer_transmit(host, START_MS, out, sizeof(out));
	assert_int_equal(len, sizeof(golden_verify));
	assert_memory_equal(out, golden_verify, len);
	static const uint8_t ack[] = { 0x01, 0x23, 0x01, 0xff, 0x00, 0x01, 0x00, 0x01, 0, 0 };
	assert_int_equal(give(host, ack, sizeof(ack)), 0);
	struct enet_event event;
	assert_true(enet_peer_next_event(host, &event));
	assert_int_equal(event.kind, ENET_EVENT_CONNECTED);
	assert_true(event.data == 0xcafe1234);
	*state = host;
	return 0;
}

static int free_host(void **state) {
	free(*state);
	return 0;
}

static void a_connect_is_read_without_state(void **state) {
	(void)state;
	struct enet_connect connect;
	uint16_t id;
	assert_int_equal(enet_connect_peek(golden_connect, sizeof(golden_connect), &connect), 0);
	assert_int_equal(connect.data, 0xcafe1234);
	assert_int_equal(connect.connect_id, 0xdeadbeef);
	assert_int_equal(connect.channels, 48);
	assert_int_equal(connect.mtu, 900);
	assert_int_equal(connect.peer_id, 0);
	assert_int_equal(enet_id_peek(golden_connect, 2, &id), -EBADMSG);
	assert_int_equal(enet_id_peek(golden_connect, 4, &id), 0);
	assert_int_equal(id, ENET_ID_NONE);
}

static void every_truncation_and_a_longer_connect_are_refused(void **state) {
	(void)state;
	uint8_t longer[sizeof(golden_connect) + 1] = { 0 };
	memcpy(longer, golden_connect, sizeof(golden_connect));
	for (size_t len = 0; len <= sizeof(longer); len++) {
		struct enet_connect connect = { .data = 7 };
		int rc = enet_connect_peek(longer, len, &connect);
		assert_int_equal(rc, len == sizeof(golden_connect) ? 0 : -EBADMSG);
		assert_int_equal(connect.data, rc ? 7 : 0xcafe1234);
	}
}

static void a_connect_with_odd_fields_is_refused(void **state) {
	(void)state;
	static const struct {
		size_t at;
		uint8_t value;
	} odd[] = {
		{ 0, 0x0f },  /* no sent time */
		{ 0, 0xcf },  /* compressed */
		{ 1, 0xfe },  /* to a peer */
		{ 4, 0x83 },  /* another command */
		{ 23, 0x00 }, /* no channel */
		{ 22, 0x01 }, /* 304 channels */
		{ 8, 0x0f },  /* with the next byte: peer id 0xfff */
	};
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		uint8_t bytes[sizeof(golden_connect)];
		struct enet_connect connect;
		memcpy(bytes, golden_connect, sizeof(bytes));
		bytes[odd[i].at] = odd[i].value;
		bytes[9] = odd[i].at == 8 ? 0xff : 0;
		assert_int_equal(enet_connect_peek(bytes, sizeof(bytes), &connect), -EBADMSG);
	}
}

static void channels_beyond_ours_are_negotiated_down(void **state) {
	(void)state;
	uint8_t bytes[sizeof(golden_connect)], out[MAX];
	memcpy(bytes, golden_connect, sizeof(bytes));
	bytes[23] = 255;
	bytes[14] = 0x10; /* MTU 4228 */
	struct enet_peer *host = malloc(sizeof(*host));
	assert_int_equal(enet_peer_accept(host, bytes, sizeof(bytes), 1, START_MS), 0);
	enet_peer_transmit(host, START_MS, out, sizeof(out));
	assert_int_equal(out[23], ENET_CHANNELS_MAX);
	assert_memory_equal(out + 12, golden_verify + 12, 4); /* ours stays 900 */
	free(host);
}

static void a_reliable_packet_is_delivered_and_acknowledged(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	/* clang-format off */
	static const uint8_t datagram[] = { 0x81, 0x23, 0x77, 0x66,
		0x86, 0x02, 0x00, 0x01, 0x00, 0x02, 'h', 'i' };
	static const uint8_t answer[] = { 0x00, 0x00,
		0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0x77, 0x66 };
	/* clang-format on */
	uint8_t out[MAX];
	assert_int_equal(give(host, datagram, sizeof(datagram)), 0);
	expect_packet(host, "hi");
	assert_int_equal(take(host, out), sizeof(answer));
	assert_memory_equal(out, answer, sizeof(answer));
	/* Again: our answer was lost. */
	assert_int_equal(give(host, datagram, sizeof(datagram)), 0);
	assert_true(is_quiet(host));
	assert_int_equal(take(host, out), sizeof(answer));
	assert_int_equal(take(host, out), 0);
}

static void what_we_send_is_what_enet_writes(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	/* clang-format off */
	static const uint8_t golden[] = { 0x80, 0x00, 0x00, 0x0a,
		0x86, 0x00, 0x00, 0x01, 0x00, 0x01, 'r',
		0x07, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x01, 'u',
		0x49, 0x05, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 's' };
	/* clang-format on */
	uint8_t out[MAX];
	assert_int_equal(enet_peer_send(host, 0, ENET_RELIABLE, "r", 1), 0);
	assert_int_equal(enet_peer_send(host, 0, ENET_UNRELIABLE, "u", 1), 0);
	assert_int_equal(enet_peer_send(host, 5, ENET_UNSEQUENCED, "s", 1), 0);
	assert_int_equal(take(host, out), sizeof(golden));
	assert_memory_equal(out, golden, sizeof(golden));
}

static void a_large_packet_is_cut_as_enet_cuts(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static const uint8_t first[] = { 0x88, 0x00, 0x00, 0x01, 0x00, 0x01, 0x03, 0x68, 0, 0, 0, 2,
		0, 0, 0, 0, 0, 0, 0x03, 0xe8, 0, 0, 0, 0 };
	static const uint8_t second[] = { 0x88, 0x00, 0x00, 0x02, 0x00, 0x01, 0x00, 0x80, 0, 0, 0,
		2, 0, 0, 0, 1, 0, 0, 0x03, 0xe8, 0, 0, 0x03, 0x68 };
	uint8_t out[MAX], bytes[1000] = { 0 };
	assert_int_equal(enet_peer_send(host, 0, ENET_RELIABLE, bytes, sizeof(bytes)), 0);
	assert_int_equal(take(host, out), 900);
	assert_memory_equal(out + 4, first, sizeof(first));
	assert_int_equal(take(host, out), 4 + 24 + 128);
	assert_memory_equal(out + 4, second, sizeof(second));
	assert_int_equal(take(host, out), 0);
}

static void sends_out_of_range_are_refused(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static const uint8_t bytes[ENET_PACKET_MAX + 1];
	assert_int_equal(enet_peer_send(host, 48, ENET_RELIABLE, bytes, 1), -EINVAL);
	assert_int_equal(enet_peer_send(host, 0, ENET_RELIABLE, bytes, sizeof(bytes)), -EINVAL);
	assert_int_equal(enet_peer_send(host, 0, ENET_UNSEQUENCED, bytes, 873), -EINVAL);
	assert_int_equal(enet_peer_send(host, 0, ENET_UNSEQUENCED, bytes, 872), 0);
}

static void a_full_queue_says_so_and_still_pings_and_parts(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static const uint8_t bytes[ENET_PACKET_MAX];
	uint8_t out[MAX];
	unsigned count = 0;
	while (enet_peer_send(host, 0, ENET_RELIABLE, bytes, 40) == 0) {
		assert_true(count++ < ENET_OUT_MAX);
	}
	assert_int_equal(enet_peer_send(host, 0, ENET_RELIABLE, bytes, 40), -EAGAIN);
	assert_int_equal(enet_peer_send(host, 0, ENET_UNSEQUENCED, bytes, 1), -EAGAIN);
	while (take(host, out)) {
	}
	enet_peer_disconnect(host, ENET_GOODBYE_SOON, 1, START_MS + 10);
	assert_int_equal(take(host, out), 12);
	assert_int_equal(out[4], 0x84);
}

static void compressed_foreign_and_malformed_datagrams_change_nothing(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	/* clang-format off */
	static const struct {
		int rc;
		size_t len;
		uint8_t bytes[40];
	} bad[] = {
		{ -EBADMSG, 0, { 0 } },
		{ -EBADMSG, 1, { 0x01 } },
		{ -EBADMSG, 2, { 0x01, 0x23 } },                                /* no command */
		{ -EBADMSG, 3, { 0x81, 0x23, 0 } },
		{ -ENOTSUP, 8, { 0x41, 0x23, 0x85, 0xff, 0, 9, 0, 0 } },        /* compressed */
		{ -EPROTO,  8, { 0x81, 0x24, 0, 0, 0x85, 0xff, 0, 9 } },        /* another peer */
		{ -EPROTO,  8, { 0x91, 0x23, 0, 0, 0x85, 0xff, 0, 9 } },        /* another session */
		{ -EBADMSG, 8, { 0x81, 0x23, 0, 0, 0x80, 0xff, 0, 9 } },        /* command 0 */
		{ -EBADMSG, 8, { 0x81, 0x23, 0, 0, 0x8d, 0xff, 0, 9 } },        /* command 13 */
		{ -EBADMSG, 7, { 0x81, 0x23, 0, 0, 0x85, 0xff, 0 } },           /* cut short */
		{ -EBADMSG, 9, { 0x81, 0x23, 0, 0, 0x85, 0xff, 0, 9, 0 } },     /* one byte more */
		{ -EBADMSG, 12, { 0x81, 0x23, 0, 0, 0x86, 0, 0, 1, 0, 3, 'h', 'i' } },
		{ -EBADMSG, 16, { 0x81, 0x23, 0, 0, 0x86, 0, 0, 1, 0, 1, 'a',   /* good, then bad */
			0x86, 0, 0, 2, 0 } },
	};
	/* clang-format on */
	static uint8_t longest[ENET_DATAGRAM_MAX + 1];
	uint8_t out[MAX];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(give(host, bad[i].bytes, bad[i].len), bad[i].rc);
		assert_true(is_quiet(host));
		assert_int_equal(take(host, out), 0);
	}
	assert_int_equal(give(host, longest, sizeof(longest)), -EBADMSG);
	assert_int_equal(host->counters.malformed, ARRAY_LEN(bad) - 2 + 1);
	assert_int_equal(host->counters.foreign, 2);
}

static void hostile_fragments_are_refused_and_unacknowledged(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static const struct {
		uint16_t sequence, start, len;
		uint32_t count, number, total, at;
	} bad[] = {
		{ 1, 1, 10, 0, 0, 20, 0 },   /* no fragments */
		{ 1, 1, 10, 33, 0, 320, 0 }, /* too many */
		{ 1, 1, 10, 0x00100000, 0, 20, 0 },
		{ 1, 1, 10, 2, 2, 20, 0 }, /* beyond the count */
		{ 1, 1, 0, 2, 0, 20, 0 },  /* empty */
		{ 1, 1, 10, 2, 0, 0, 0 },  /* of nothing */
		{ 1, 1, 10, 2, 0, ENET_PACKET_MAX + 1, 0 }, { 1, 1, 10, 2, 0, 0xffffffff, 0 },
		{ 2, 1, 10, 2, 1, 20, 0xfffffff8 },   /* wraps */
		{ 2, 1, 10, 2, 1, 20, 11 },           /* beyond the end */
		{ 2, 1, 10, 3, 1, 30, 9 },            /* overlaps */
		{ 1, 1, 10, 2, 0, 30, 0 },            /* leaves a hole */
		{ 2, 1, 5, 2, 1, 20, 10 },            /* the last, not at the end */
		{ 7, 1, 10, 2, 1, 20, 10 },           /* sequence is not start + number */
		{ 0x7801, 0x7800, 10, 2, 1, 20, 10 }, /* further than anybody runs ahead */
	};
	uint8_t out[MAX];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t bytes[38] = { 0 };
		struct writer w = writer_over(bytes, sizeof(bytes));
		writer_be32(&w, 0x81230000);
		writer_be16(&w, 0x8800);
		writer_be16(&w, bad[i].sequence);
		writer_be16(&w, bad[i].start);
		writer_be16(&w, bad[i].len);
		writer_be32(&w, bad[i].count);
		writer_be32(&w, bad[i].number);
		writer_be32(&w, bad[i].total);
		writer_be32(&w, bad[i].at);
		assert_int_equal(give(host, bytes, 28u + bad[i].len), 0);
		assert_int_equal(host->counters.refused, i + 1);
		assert_int_equal(host->in_count, 0);
		assert_int_equal(take(host, out), 0);
	}
}

static size_t reliable(uint8_t *bytes, uint8_t channel, uint16_t sequence, const char *text) {
	struct writer w = writer_over(bytes, MAX);
	writer_be32(&w, 0x81230000);
	writer_u8(&w, 0x86);
	writer_u8(&w, channel);
	writer_be16(&w, sequence);
	writer_be16(&w, (uint16_t)strlen(text));
	writer_copy(&w, text, strlen(text));
	return MAX - w.left;
}

static void a_channel_that_was_not_negotiated_is_refused(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	uint8_t bytes[MAX];
	assert_int_equal(give(host, bytes, reliable(bytes, 48, 1, "x")), 0);
	assert_int_equal(host->counters.refused, 1);
	assert_true(is_quiet(host));
}

/* However much waits: the packet it waits for always finds room. */
static void waiting_packets_never_keep_out_the_one_they_wait_for(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	uint8_t bytes[MAX], out[MAX];
	for (uint16_t i = 2; i < 2000; i++) {
		give(host, bytes,
				reliable(bytes, 1, i,
						"a packet ahead of its turn, with some length"));
		while (take(host, out)) {
		}
	}
	assert_int_equal(host->in_count, ENET_WAITING_MAX);
	assert_true(host->counters.full > 0);
	assert_true(is_quiet(host));
	assert_int_equal(give(host, bytes, reliable(bytes, 1, 1, "first")), 0);
	expect_packet(host, "first");
	struct enet_event event;
	unsigned count = 0;
	while (enet_peer_next_event(host, &event)) {
		count++;
	}
	assert_int_equal(count, ENET_WAITING_MAX);
	assert_int_equal(host->in_used, 0);
}

static void lost_fragments_of_unreliable_packets_give_way(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static const uint8_t head[] = { 0x81, 0x23, 0, 0, 0x0c };
	for (uint8_t channel = 0; channel < 48; channel++) {
		uint8_t bytes[28 + 800] = { 0 };
		struct writer w = writer_over(bytes, sizeof(bytes));
		writer_copy(&w, head, sizeof(head));
		writer_u8(&w, channel);
		writer_be16(&w, 0);
		writer_be16(&w, 1);
		writer_be16(&w, 800);
		writer_be32(&w, 10);
		writer_be32(&w, 0);
		writer_be32(&w, 8000);
		writer_be32(&w, 0);
		assert_int_equal(give(host, bytes, sizeof(bytes)), 0);
	}
	assert_int_equal(host->counters.full, 0);
	assert_true(host->in_used <= ENET_WAITING_BYTES);
}

static void spoofed_acknowledgements_are_ignored(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	uint8_t out[MAX];
	assert_int_equal(enet_peer_send(host, 0, ENET_RELIABLE, "r", 1), 0);
	/* Not sent yet, another channel, of the future. */
	static const uint8_t early[] = { 0x01, 0x23, 0x01, 0, 0, 1, 0, 1, 0, 0 };
	static const uint8_t other[] = { 0x01, 0x23, 0x01, 9, 0, 1, 0, 1, 0, 0 };
	static const uint8_t future[] = { 0x01, 0x23, 0x01, 0, 0, 1, 0, 1, 0x40, 0 };
	assert_int_equal(give(host, early, sizeof(early)), 0);
	assert_int_equal(take(host, out), 4 + 7);
	assert_int_equal(give(host, other, sizeof(other)), 0);
	assert_int_equal(give(host, future, sizeof(future)), 0);
	assert_int_equal(host->out_count, 1);
	assert_int_equal(give(host, early, sizeof(early)), 0);
	assert_int_equal(host->out_count, 0);
}

/* The peer would take sequences too far ahead for old ones. */
static void a_channel_does_not_run_away_from_its_oldest_packet(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	uint8_t out[MAX];
	unsigned sent = 0;
	do {
		assert_int_equal(enet_peer_send(host, 0, ENET_RELIABLE, "r", 1), 0);
		if (take(host, out) == 0) {
			break;
		}
		sent++;
		uint8_t high = (uint8_t)(sent >> 8), low = (uint8_t)sent;
		uint8_t ack[] = { 0x01, 0x23, 0x01, 0, high, low, high, low, 0, 0 };
		if (sent > 1) {
			assert_int_equal(give(host, ack, sizeof(ack)), 0);
		}
	} while (sent < 0x8000);
	assert_int_equal(sent, 0x1000);
	assert_true(enet_peer_next_deadline(host) > START_MS + 10);
}

static void a_disconnect_is_told_and_acknowledged_as_often_as_it_comes(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static const uint8_t bytes[] = { 0x81, 0x23, 0, 5, 0x84, 0xff, 0, 3, 0, 0, 0, 42 };
	uint8_t out[MAX];
	struct enet_event event;
	assert_int_equal(give(host, bytes, sizeof(bytes)), 0);
	assert_true(enet_peer_next_event(host, &event));
	assert_int_equal(event.kind, ENET_EVENT_DISCONNECTED);
	assert_int_equal(event.data, 42);
	assert_int_equal(event.end, ENET_END_PEER);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(take(host, out), 10);
		assert_int_equal(give(host, bytes, sizeof(bytes)), 0);
	}
	assert_true(is_quiet(host));
}

/* A client whose receiving thread has stopped sends its last message again, and then
 * its DISCONNECT. libenet reads no further in a datagram than to the first answer that is
 * not the one to its DISCONNECT (protocol.c, enet_protocol_handle_acknowledge). */
static void a_disconnect_is_answered_before_anything_else(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static const uint8_t again[] = { 0x81, 0x23, 0, 4, 0x86, 0, 0, 1, 0, 1, 'x' };
	static const uint8_t leave[] = { 0x81, 0x23, 0, 5, 0x84, 0xff, 0, 3, 0, 0, 0, 0 };
	static const uint8_t answer[] = { 0, 0, 1, 0xff, 0, 3, 0, 3, 0, 5 };
	uint8_t out[MAX];
	assert_int_equal(give(host, again, sizeof(again)), 0);
	assert_int_equal(give(host, again, sizeof(again)), 0);
	assert_int_equal(give(host, leave, sizeof(leave)), 0);
	assert_int_equal(take(host, out), sizeof(answer));
	assert_memory_equal(out, answer, sizeof(answer));
	assert_int_equal(take(host, out), 0);
}

/* As strict as libenet: what the probe does not see, real clients would not. */
static void a_leaving_client_hears_only_the_answer_to_its_goodbye(void **state) {
	(void)state;
	struct enet_peer *client = malloc(sizeof(*client));
	struct enet_client_config config = { .channels = 48, .data = 7, .connect_id = 0xdeadbeef };
	uint8_t out[MAX], verify[sizeof(golden_verify)];
	assert_non_null(client);
	assert_int_equal(enet_peer_init_client(client, &config, START_MS), 0);
	size_t len = take(client, out);
	assert_int_equal(len, sizeof(golden_connect));
	memcpy(verify, golden_verify, sizeof(verify));
	assert_int_equal(give(client, verify, sizeof(verify)), 0);
	assert_true(take(client, out) > 0);
	enet_peer_disconnect(client, ENET_GOODBYE_SOON, 0, START_MS + 10);
	assert_true(take(client, out) > 0);
	static const uint8_t both[] = { 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0xff, 0, 2, 0, 2, 0, 0 };
	static const uint8_t alone[] = { 0, 0, 1, 0xff, 0, 2, 0, 2, 0, 0 };
	assert_int_equal(give(client, both, sizeof(both)), 0);
	struct enet_event event;
	while (enet_peer_next_event(client, &event)) {
		assert_int_not_equal(event.kind, ENET_EVENT_DISCONNECTED);
	}
	assert_int_equal(give(client, alone, sizeof(alone)), 0);
	assert_true(enet_peer_next_event(client, &event));
	assert_int_equal(event.kind, ENET_EVENT_DISCONNECTED);
	free(client);
}

static void a_state_cut_short_or_of_another_version_is_refused(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	uint8_t saved[ENET_SAVE_MAX];
	assert_int_equal(enet_peer_send(host, 0, ENET_RELIABLE, "reliable", 8), 0);
	struct writer w = writer_over(saved, sizeof(saved));
	assert_int_equal(enet_peer_save(host, &w), 0);
	size_t size = sizeof(saved) - w.left;
	assert_in_range(size, 100, 1000);
	struct enet_peer *next = malloc(sizeof(*next));
	for (size_t len = 0; len < size; len++) {
		struct reader r = reader_over(saved, len);
		assert_int_equal(enet_peer_load(next, &r), -EBADMSG);
		w = writer_over(saved + size, len);
		assert_int_equal(enet_peer_save(host, &w), -ENOSPC);
	}
	struct reader r = reader_over(saved, size);
	saved[4]++;
	assert_int_equal(enet_peer_load(next, &r), -ENOTSUP);
	free(next);
}

/* The promise of ENET_SAVE_MAX, with everything full. */
static void the_fullest_state_fits(void **state) {
	struct enet_peer *host = (struct enet_peer *)*state;
	static uint8_t saved[ENET_SAVE_MAX];
	host->ack_count = ENET_ACKS_MAX;
	host->channel_count = ENET_CHANNELS_MAX;
	host->out_count = ENET_OUT_MAX;
	host->in_count = ENET_IN_MAX;
	for (unsigned i = 0; i < ENET_OUT_MAX; i++) {
		host->out[i].len = ENET_OUT_BYTES / ENET_OUT_MAX;
	}
	for (unsigned i = 0; i < ENET_IN_MAX; i++) {
		host->in[i].len = ENET_IN_BYTES / ENET_IN_MAX;
	}
	struct writer w = writer_over(saved, sizeof(saved));
	assert_int_equal(enet_peer_save(host, &w), 0);
	assert_in_range(sizeof(saved) - w.left, 60000, ENET_SAVE_MAX);
}

#define HOSTED(test) cmocka_unit_test_setup_teardown(test, make_host, free_host)

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_connect_is_read_without_state),
		UNIT(every_truncation_and_a_longer_connect_are_refused),
		UNIT(a_connect_with_odd_fields_is_refused),
		UNIT(channels_beyond_ours_are_negotiated_down),
		HOSTED(a_reliable_packet_is_delivered_and_acknowledged),
		HOSTED(what_we_send_is_what_enet_writes),
		HOSTED(a_large_packet_is_cut_as_enet_cuts),
		HOSTED(sends_out_of_range_are_refused),
		HOSTED(a_full_queue_says_so_and_still_pings_and_parts),
		HOSTED(compressed_foreign_and_malformed_datagrams_change_nothing),
		HOSTED(hostile_fragments_are_refused_and_unacknowledged),
		HOSTED(a_channel_that_was_not_negotiated_is_refused),
		HOSTED(waiting_packets_never_keep_out_the_one_they_wait_for),
		HOSTED(lost_fragments_of_unreliable_packets_give_way),
		HOSTED(spoofed_acknowledgements_are_ignored),
		HOSTED(a_channel_does_not_run_away_from_its_oldest_packet),
		HOSTED(a_disconnect_is_told_and_acknowledged_as_often_as_it_comes),
		HOSTED(a_disconnect_is_answered_before_anything_else),
		UNIT(a_leaving_client_hears_only_the_answer_to_its_goodbye),
		HOSTED(a_state_cut_short_or_of_another_version_is_refused),
		HOSTED(the_fullest_state_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
