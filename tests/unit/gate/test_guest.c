/* SPDX-License-Identifier: MIT */
/* The supervisor's own client: it counts as paired until it is gone, and no longer. */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "rig.h"

static struct ipc_message guest_of(const struct rig_identity *identity, uint8_t gone) {
	const struct pairing_certificate *certificate = &identity->identity.certificate;
	struct ipc_message message = { .kind = IPC_GUEST,
		.guest = { .der_len = (uint16_t)certificate->der_len, .gone = gone } };
	memcpy(message.guest.client, identity->fingerprint, 32);
	memcpy(message.guest.der, certificate->der, certificate->der_len);
	return message;
}

static void a_guest_counts_as_paired_until_it_is_gone(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct ipc_message guest = guest_of(&world->stranger, 0), known;
	world_get_tls(world, &world->stranger, "/serverinfo?uniqueid=1");
	assert_has(world->text, "status_code=\"401\"");
	rig_send(&world->rig, &guest);
	rig_expect(&world->rig, IPC_GUEST_KNOWN, &known);
	assert_memory_equal(known.guest.client, world->stranger.fingerprint, 32);
	/* It is told whom it will meet, byte by byte. */
	const struct pairing_certificate *host = &world->host.identity.certificate;
	assert_int_equal(known.guest.der_len, host->der_len);
	assert_memory_equal(known.guest.der, host->der, host->der_len);
	world_get_tls(world, &world->stranger, "/serverinfo?uniqueid=1");
	assert_has(world->text, "<PairStatus>1</PairStatus>");
	guest = guest_of(&world->stranger, 1);
	rig_send(&world->rig, &guest);
	world_get_tls(world, &world->stranger, "/serverinfo?uniqueid=1");
	assert_has(world->text, "status_code=\"401\"");
	world_end(world);
}

static void a_new_guest_is_the_only_one(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct rig_identity *second = calloc(1, sizeof(*second));
	struct ipc_message guest = guest_of(&world->stranger, 0), known;
	rig_make_identity(PAIRING_CLIENT, second);
	rig_send(&world->rig, &guest);
	rig_expect(&world->rig, IPC_GUEST_KNOWN, &known);
	guest = guest_of(second, 0);
	rig_send(&world->rig, &guest);
	rig_expect(&world->rig, IPC_GUEST_KNOWN, &known);
	world_get_tls(world, &world->stranger, "/serverinfo?uniqueid=1");
	assert_has(world->text, "status_code=\"401\"");
	world_get_tls(world, second, "/serverinfo?uniqueid=1");
	assert_has(world->text, "<PairStatus>1</PairStatus>");
	world_get_tls(world, &world->client, "/serverinfo?uniqueid=1");
	assert_has(world->text, "<PairStatus>1</PairStatus>");
	pairing_identity_finish(&second->identity);
	free(second);
	world_end(world);
}

static void a_guest_that_is_not_what_it_says_is_refused(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct ipc_message guest = guest_of(&world->stranger, 0);
	guest.guest.client[0] ^= 1;
	rig_send(&world->rig, &guest);
	assert_true(rig_is_quiet(&world->rig, 50));
	world_get_tls(world, &world->stranger, "/serverinfo?uniqueid=1");
	assert_has(world->text, "status_code=\"401\"");
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_guest_counts_as_paired_until_it_is_gone),
		UNIT(a_new_guest_is_the_only_one),
		UNIT(a_guest_that_is_not_what_it_says_is_refused),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
