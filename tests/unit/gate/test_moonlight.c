/* SPDX-License-Identifier: MIT */
/* The Moonlight door as a real process: what clients see, and what the supervisor and the
 * store are told. */
#include "../unit.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/text.h"
#include "proto/pairing_client.h"
#include "proto/xml.h"
#include "rig.h"

#define LAUNCH "appid=7&rikey=000102030405060708090A0B0C0D0E0F&rikeyid=1"

/* ---- answers from memory ---- */

static void serverinfo_tells_the_unpaired_little_and_the_paired_all(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct ipc_message running = { .kind = IPC_SESSION_STATE,
		.session_state = { .session = 3, .app = 7, .state = SESSION_RUNNING } };
	memcpy(running.session_state.client, world->client.fingerprint, 32);
	rig_send(&world->rig, &running);
	world_get(world, "/serverinfo?uniqueid=0123456789ABCDEF&uuid=1");
	assert_has(world->text, "HTTP/1.1 200 ");
	assert_has(world->text, "<appversion>7.1.431.-1</appversion>");
	assert_has(world->text, "<uniqueid>6F9619FF-8B86-D011-B42D-00CF4FC964FF</uniqueid>");
	assert_has(world->text, "<PairStatus>0</PairStatus>");
	assert_has(world->text, "<currentgame>0</currentgame>");
	assert_has(world->text, "<mac>00:00:00:00:00:00</mac>");
	assert_has(world->text, "_SERVER_FREE</state>");
	world_get_tls(world, &world->client, "/serverinfo?uniqueid=0123456789ABCDEF");
	assert_has(world->text, "<PairStatus>1</PairStatus>");
	assert_has(world->text, "<currentgame>7</currentgame>");
	assert_has(world->text, "_SERVER_BUSY</state>");
	assert_has(world->text, "02:00:5");
	assert_has(world->text, "<ServerCodecModeSupport>257</ServerCodecModeSupport>");
	running.session_state.state = SESSION_GONE;
	rig_send(&world->rig, &running);
	world_get_tls(world, &world->client, "/serverinfo?uniqueid=0123456789ABCDEF");
	assert_has(world->text, "<currentgame>0</currentgame>");
	world_end(world);
}

static void unknown_certificates_get_a_401_inside_a_200(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	static const char *const paths[] = { "/serverinfo", "/applist", "/appasset?appid=7",
		"/launch?" LAUNCH, "/resume?" LAUNCH, "/cancel", "/pair?phrase=pairchallenge" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		world_get_tls(world, i % 2 ? &world->stranger : NULL, paths[i]);
		assert_has(world->text, "HTTP/1.1 200 ");
		assert_has(world->text, "status_code=\"401\"");
		world_get_tls(world, i % 2 ? NULL : &world->stranger, paths[i]);
		assert_has(world->text, "status_code=\"401\"");
	}
	assert_true(rig_is_quiet(&world->rig, 50));
	world_end(world);
}

static void what_needs_https_is_not_there_on_http(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	static const char *const paths[] = { "/applist", "/appasset?appid=7", "/launch?" LAUNCH,
		"/resume?" LAUNCH, "/cancel", "/", "/../../etc/passwd" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		world_get(world, paths[i]);
		assert_has(world->text, "HTTP/1.1 404 ");
	}
	assert_true(rig_is_quiet(&world->rig, 50));
	world_end(world);
}

static void revoking_a_client_takes_effect_at_once(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct tls_client client;
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
	rig_write(client.fd, client.ssl, "GET /applist HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	assert_has(world->text, "<ID>7</ID>");
	assert_has(world->text, "Desktop &amp; &lt;more&gt;");
	struct ipc_message gone = { .kind = IPC_CLIENT_GONE };
	memcpy(gone.client_ref.client, world->client.fingerprint, 32);
	rig_send_store(&world->rig, &gone);
	/* The connection that it had is closed, and a new one is a stranger's. */
	assert_int_equal(rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text)),
			0);
	tls_client_close(&client);
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "status_code=\"401\"");
	world_end(world);
}

/* Twice: the first time both channels may have become readable at once. */
static void settle_store(struct world *world) {
	rig_settle(&world->rig);
	rig_settle(&world->rig);
}

static void the_list_shows_what_the_client_may(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct ipc_message settings = { .kind = IPC_CLIENT_SETTINGS };
	memcpy(settings.client_settings.client, world->client.fingerprint, 32);
	text_copy(settings.client_settings.name, sizeof(settings.client_settings.name), "Sofa");
	settings.client_settings.permissions = PERMIT_ALL;
	settings.client_settings.apps_count = 1;
	settings.client_settings.apps[0] = 8;
	rig_send_store(&world->rig, &settings);
	settle_store(world);
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "status_code=\"200\"");
	assert_null(strstr(world->text, "<ID>7</ID>"));
	settings.client_settings.apps[0] = 7;
	rig_send_store(&world->rig, &settings);
	settle_store(world);
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "<ID>7</ID>");
	settings.client_settings.permissions = PERMIT_ALL & ~PERMIT_LIST;
	rig_send_store(&world->rig, &settings);
	settle_store(world);
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "status_code=\"200\"");
	assert_null(strstr(world->text, "<ID>7</ID>"));
	world_end(world);
}

/* Its removal was written, and the store died before it could say so. */
static void who_is_not_in_a_new_stores_list_is_gone(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "status_code=\"200\"");
	rig_replace_store(&world->rig);
	settle_store(world);
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "status_code=\"200\"");
	struct ipc_message end = { .kind = IPC_CLIENTS_END };
	rig_send_store(&world->rig, &end);
	settle_store(world);
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "status_code=\"401\"");
	world_end(world);
}

static void a_connection_is_kept_for_several_requests(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
	/* Two at once: the second waits in our buffer. */
	rig_write(fd, NULL,
			"GET /serverinfo HTTP/1.1\r\nHost: a\r\n\r\n"
			"GET /unpair HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	size_t len = 0;
	ssize_t n;
	while ((n = recv(fd, world->text + len, sizeof(world->text) - len - 1, 0)) > 0) {
		len += (size_t)n;
	}
	world->text[len] = '\0';
	assert_int_equal(n, 0);
	char *second = strstr(world->text + 1, "HTTP/1.1 200");
	assert_non_null(second);
	assert_has(second, "Connection: close");
	close(fd);
	world_end(world);
}

/* Both requests in one TLS record: what is left of it after the first waits in the library. */
static void a_request_behind_a_slow_one_is_answered_too(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct tls_client client;
	struct ipc_message asked;
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
	char filler[9000], both[9500];
	memset(filler, 'f', sizeof(filler));
	filler[sizeof(filler) - 1] = '\0';
	text_format(both, sizeof(both),
			"GET /cancel HTTP/1.1\r\nHost: a\r\n\r\n"
			"GET /applist?x=%s HTTP/1.1\r\nHost: a\r\n\r\n",
			filler);
	rig_write(client.fd, client.ssl, both);
	rig_expect(&world->rig, IPC_CANCEL, &asked);
	struct ipc_message cancelled = { .kind = IPC_CANCELLED,
		.cancelled.request = asked.cancel.request };
	rig_send(&world->rig, &cancelled);
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	assert_has(world->text, "<cancel>1</cancel>");
	if (!strstr(world->text, "<ID>7</ID>")) {
		rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	}
	assert_has(world->text, "<ID>7</ID>");
	tls_client_close(&client);
	world_end(world);
}

static void box_art_comes_from_memory(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	static uint8_t png[300000];
	memset(png, 0x5a, sizeof(png));
	memcpy(png, "\x89PNG\r\n\x1a\n", 8);
	rig_send_art(&world->rig, 7, png, sizeof(png));
	world_get_tls(world, &world->client, "/appasset?appid=7&AssetType=2&AssetIdx=0");
	assert_has(world->text, "Content-Type: image/png");
	struct tls_client client;
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
	rig_write(client.fd, client.ssl,
			"GET /appasset?appid=7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	static char big[400000];
	size_t len = rig_read_answer(client.fd, client.ssl, big, sizeof(big));
	char *body = strstr(big, "\r\n\r\n");
	assert_non_null(body);
	assert_true(len - (size_t)(body + 4 - big) >= sizeof(png));
	assert_memory_equal(body + 4, png, sizeof(png));
	tls_client_close(&client);
	world_get_tls(world, &world->client, "/appasset?appid=8");
	assert_has(world->text, "HTTP/1.1 404 ");
	world_get_tls(world, &world->client, "/appasset?appid=../../etc/passwd");
	assert_has(world->text, "HTTP/1.1 404 ");
	world_end(world);
}

/* ---- pairing ---- */

static void write_query(struct pairing_client *client, char query[PAIRING_QUERY_MAX]) {
	int len = pairing_client_query(client, query, PAIRING_QUERY_MAX - 1);
	assert_true(len > 0);
	query[len] = '\0';
}

static int begin_pairing(struct world *world, struct pairing_client *client, const char *pin,
		uint32_t *out_pairing) {
	char query[PAIRING_QUERY_MAX], request[PAIRING_QUERY_MAX + 128];
	assert_int_equal(pairing_client_begin(client, &world->stranger.identity, pin), 0);
	write_query(client, query);
	text_format(request, sizeof(request), "GET /pair?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
	int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
	rig_write(fd, NULL, request);
	struct ipc_message waiting;
	rig_expect(&world->rig, IPC_PAIR_WAITING, &waiting);
	assert_memory_equal(waiting.pair_waiting.client, world->stranger.fingerprint, 32);
	assert_true(address_is_loopback(&waiting.pair_waiting.address));
	*out_pairing = waiting.pair_waiting.pairing;
	return fd;
}

static void give_pin(struct world *world, uint32_t pairing, const char *pin, uint32_t reason) {
	struct ipc_message message = { .kind = IPC_PAIR_PIN,
		.pair_pin = { .request = 77, .pairing = pairing } };
	text_copy(message.pair_pin.pin, sizeof(message.pair_pin.pin), pin);
	text_copy(message.pair_pin.name, sizeof(message.pair_pin.name), "Living room");
	rig_send(&world->rig, &message);
	rig_expect(&world->rig, IPC_PAIR_ANSWER, &message);
	assert_int_equal(message.pair_answer.request, 77);
	assert_int_equal(message.pair_answer.reason != 0, reason != 0);
}

static int take(struct world *world, struct pairing_client *client) {
	struct span document = { world->text, strlen(world->text) }, found;
	const char *wanted = pairing_client_wants(client);
	uint8_t bytes[PAIRING_PEM_MAX];
	assert_has(world->text, "<paired>1</paired>");
	if (!wanted) {
		return pairing_client_take(client, NULL, 0);
	}
	assert_int_equal(xml_find(document, wanted, &found), 0);
	assert_int_equal(hex_decode(found.at, found.len, bytes), 0);
	return pairing_client_take(client, bytes, found.len / 2);
}

static void ask_phase(struct world *world, struct pairing_client *client) {
	char query[PAIRING_QUERY_MAX], target[PAIRING_QUERY_MAX + 16];
	write_query(client, query);
	text_format(target, sizeof(target), "/pair?%s", query);
	world_get(world, target);
}

static void the_right_pin_pairs_and_only_the_stored_client_is_told_so(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct pairing_client client;
	uint32_t pairing;
	int poll1 = begin_pairing(world, &client, "4711", &pairing);
	give_pin(world, pairing, "12", 1); /* not four digits: ask again */
	give_pin(world, 0, "4711", 0);     /* 0: the only one that waits */
	rig_read_answer(poll1, NULL, world->text, sizeof(world->text));
	close(poll1);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), 0);
	char query[PAIRING_QUERY_MAX], request[PAIRING_QUERY_MAX + 128];
	write_query(&client, query);
	text_format(request, sizeof(request),
			"GET /pair?%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", query);
	int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
	rig_write(fd, NULL, request);
	struct ipc_message add, gone;
	rig_expect_store(&world->rig, IPC_CLIENT_ADD, &add);
	assert_memory_equal(add.client.client, world->stranger.fingerprint, 32);
	assert_string_equal(add.client.name, "Living room");
	struct pollfd early = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&early, 1, 50), 0); /* not before it is on disk */
	struct ipc_message added = { .kind = IPC_CLIENT_ADDED,
		.client_ref.request = add.client.request };
	memcpy(added.client_ref.client, add.client.client, 32);
	rig_send_store(&world->rig, &added);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	close(fd);
	assert_int_equal(take(world, &client), 0);
	rig_expect(&world->rig, IPC_PAIR_GONE, &gone);
	assert_int_equal(gone.pair_gone.outcome, 0);
	assert_int_equal(gone.pair_gone.pairing, pairing);
	world_get_tls(world, &world->stranger,
			"/pair?uniqueid=0123456789ABCDEF&phrase=pairchallenge");
	assert_has(world->text, "<paired>1</paired>");
	world_get_tls(world, &world->stranger, "/applist");
	assert_has(world->text, "<ID>7</ID>");
	pairing_client_finish(&client);
	world_end(world);
}

/* The first answer comes without anybody typing; the rest is as always. */
static void a_preset_pin_is_given_to_who_comes_from_loopback(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct pairing_client client;
	struct ipc_message gone;
	uint32_t pairing;
	rig_send_options(&world->rig, 1, "4711");
	int poll1 = begin_pairing(world, &client, "4711", &pairing);
	rig_read_answer(poll1, NULL, world->text, sizeof(world->text));
	close(poll1);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), 0); /* both sides have proven the PIN */
	give_pin(world, pairing, "4711", 1);       /* it does not wait for one */
	pairing_client_finish(&client);
	world_get(world, "/unpair?uniqueid=0123456789ABCDEF");
	rig_expect(&world->rig, IPC_PAIR_GONE, &gone);

	poll1 = begin_pairing(world, &client, "4712", &pairing); /* the client's is another */
	rig_read_answer(poll1, NULL, world->text, sizeof(world->text));
	close(poll1);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), -EINVAL);
	pairing_client_finish(&client);
	world_end(world);
}

static void a_wrong_pin_pairs_nobody_and_is_reported(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct pairing_client client;
	struct ipc_message gone;
	uint32_t pairing;
	int poll1 = begin_pairing(world, &client, "4711", &pairing);
	give_pin(world, pairing, "4712", 0);
	rig_read_answer(poll1, NULL, world->text, sizeof(world->text));
	close(poll1);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), 0);
	ask_phase(world, &client);
	assert_int_equal(take(world, &client), -EINVAL);
	/* What Moonlight does then. */
	world_get(world, "/unpair?uniqueid=0123456789ABCDEF&uuid=2");
	assert_has(world->text, "status_code=\"200\"");
	rig_expect(&world->rig, IPC_PAIR_GONE, &gone);
	assert_int_equal(gone.pair_gone.pairing, pairing);
	assert_int_not_equal(gone.pair_gone.outcome, 0);
	world_get_tls(world, &world->stranger, "/applist");
	assert_has(world->text, "status_code=\"401\"");
	pairing_client_finish(&client);
	world_end(world);
}

static void phases_out_of_order_are_refused_and_unpair_removes_nobody(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	world_get(world, "/pair?uniqueid=0123456789ABCDEF&clientchallenge="
			 "00112233445566778899AABBCCDDEEFF");
	assert_has(world->text, "status_code=\"400\"");
	world_get(world, "/pair?uniqueid=0123456789ABCDEF&phrase=pairchallenge");
	assert_has(world->text, "status_code=\"400\"");
	struct pairing_client client;
	struct ipc_message gone;
	uint32_t pairing;
	int poll1 = begin_pairing(world, &client, "4711", &pairing);
	/* A stranger at the same address neither pushes it on nor ends it. */
	world_get(world, "/pair?uniqueid=0123456789ABCDEF&clientchallenge="
			 "00112233445566778899AABBCCDDEEFF");
	assert_has(world->text, "status_code=\"400\"");
	world_get(world, "/unpair?uniqueid=0123456789ABCDEF");
	assert_true(rig_is_quiet(&world->rig, 50));
	close(poll1);
	rig_expect(&world->rig, IPC_PAIR_GONE, &gone);
	assert_int_equal(gone.pair_gone.outcome, ECANCELED);
	world_get_tls(world, &world->client, "/unpair?uniqueid=0123456789ABCDEF");
	world_get_tls(world, &world->client, "/applist");
	assert_has(world->text, "<ID>7</ID>");
	pairing_client_finish(&client);
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(serverinfo_tells_the_unpaired_little_and_the_paired_all),
		UNIT(unknown_certificates_get_a_401_inside_a_200),
		UNIT(what_needs_https_is_not_there_on_http),
		UNIT(revoking_a_client_takes_effect_at_once),
		UNIT(the_list_shows_what_the_client_may),
		UNIT(who_is_not_in_a_new_stores_list_is_gone),
		UNIT(a_connection_is_kept_for_several_requests),
		UNIT(a_request_behind_a_slow_one_is_answered_too),
		UNIT(box_art_comes_from_memory),
		UNIT(the_right_pin_pairs_and_only_the_stored_client_is_told_so),
		UNIT(a_preset_pin_is_given_to_who_comes_from_loopback),
		UNIT(a_wrong_pin_pairs_nobody_and_is_reported),
		UNIT(phases_out_of_order_are_refused_and_unpair_removes_nobody),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
