/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "ipc/message.h"
#include "ipc/reason.h"

static struct ipc_message a_launch(void) {
	struct ipc_message message = {
		.kind = IPC_LAUNCH,
		.launch = { .request = 7, .app = 3, .width = 1280, .height = 720, .key_id = -5 },
	};
	strcpy(message.launch.client_name, "Living room");
	return message;
}

static void every_field_comes_back(void **state) {
	(void)state;
	struct ipc_message message = a_launch(), again;
	uint8_t bytes[IPC_MESSAGE_MAX];
	int len = ipc_encode(&message, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(ipc_decode(PEER_GATE, PEER_SUPERVISOR, bytes, (size_t)len, 0, &again), 0);
	assert_memory_equal(&message, &again, sizeof(message));
}

static void nobody_sends_what_is_not_theirs(void **state) {
	(void)state;
	struct ipc_message message = a_launch(), again;
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = (size_t)ipc_encode(&message, bytes, sizeof(bytes));
	assert_int_equal(ipc_decode(PEER_STREAM, PEER_SUPERVISOR, bytes, len, 0, &again), -EPROTO);
	assert_int_equal(ipc_decode(PEER_GATE, PEER_DESKTOP, bytes, len, 0, &again), -EPROTO);
	assert_int_equal(ipc_decode(PEER_GATE, PEER_SUPERVISOR, bytes, len, 1, &again), -EPROTO);
}

static void a_lobby_is_made_and_joined_by_the_web_door_alone(void **state) {
	(void)state;
	struct ipc_message create = {
		.kind = IPC_LOBBY_CREATE,
		.lobby_create = { .request = 9,
				.pin = "0471",
				.flags = LOBBY_MULTI_USER,
				.width = 1920,
				.height = 1080,
				.argv_len = 2048 },
	};
	struct ipc_message join = {
		.kind = IPC_LOBBY_JOIN,
		.lobby_ask = { .lobby = "b5c7", .session = UINT64_MAX, .role = ROLE_VIEWER },
	};
	const struct ipc_message *const all[] = { &create, &join };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct ipc_message again;
		uint8_t bytes[IPC_MESSAGE_MAX];
		int len = ipc_encode(all[i], bytes, sizeof(bytes));
		assert_true(len > 0);
		assert_int_equal(ipc_decode(PEER_WEB, PEER_SUPERVISOR, bytes, (size_t)len, 0,
						 &again),
				0);
		assert_memory_equal(all[i], &again, sizeof(again));
		assert_int_equal(ipc_decode(PEER_GATE, PEER_SUPERVISOR, bytes, (size_t)len, 0,
						 &again),
				-EPROTO);
	}
}

static void a_cut_field_is_refused(void **state) {
	(void)state;
	struct ipc_message message = { .kind = IPC_STOP, .stop = { 1, 500 } }, again;
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = (size_t)ipc_encode(&message, bytes, sizeof(bytes));
	assert_int_equal(len, 10);
	assert_int_equal(ipc_decode(PEER_SUPERVISOR, PEER_GATE, bytes, 9, 0, &again), -EBADMSG);
	assert_int_equal(ipc_decode(PEER_SUPERVISOR, PEER_GATE, bytes, 1, 0, &again), -EBADMSG);
}

static void what_a_newer_sender_appends_is_ignored(void **state) {
	(void)state;
	struct ipc_message message = { .kind = IPC_STOP, .stop = { 1, 500 } }, again;
	uint8_t bytes[IPC_MESSAGE_MAX] = { 0 };
	size_t len = (size_t)ipc_encode(&message, bytes, sizeof(bytes));
	assert_int_equal(ipc_decode(PEER_SUPERVISOR, PEER_GATE, bytes, len + 1, 0, &again), 0);
	assert_memory_equal(&message, &again, sizeof(message));
	assert_int_equal(ipc_decode_own(bytes, len + 7, &again), 0);
	assert_memory_equal(&message, &again, sizeof(message));
	bytes[0] = bytes[1] = 0xff; /* nor is a message that only a newer one knows a lie */
	assert_int_equal(ipc_decode(PEER_SUPERVISOR, PEER_GATE, bytes, len, 0, &again), -ENOTSUP);
}

static void an_older_sender_leaves_zeros(void **state) {
	(void)state;
	struct ipc_message message = { .kind = IPC_STOP, .stop = { 1, 500 } }, again;
	uint8_t bytes[IPC_MESSAGE_MAX];
	assert_int_equal(ipc_encode(&message, bytes, sizeof(bytes)), 10);
	assert_int_equal(ipc_decode(PEER_SUPERVISOR, PEER_GATE, bytes, 6, 0, &again), 0);
	assert_int_equal(again.stop.reason, 1);
	assert_int_equal(again.stop.grace_ms, 0);
}

static void text_with_a_nul_or_too_long_is_refused(void **state) {
	(void)state;
	struct ipc_message message = { .kind = IPC_HOLD_DROP }, again;
	strcpy(message.hold.name, "abc");
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = (size_t)ipc_encode(&message, bytes, sizeof(bytes));
	bytes[len - 1] = 0;
	assert_int_equal(ipc_decode(PEER_SUPERVISOR, PEER_HOLDER, bytes, len, 0, &again), -EBADMSG);
	memset(bytes + 4, 'x', 48);
	bytes[2] = 48;
	assert_int_equal(ipc_decode(PEER_SUPERVISOR, PEER_HOLDER, bytes, 4 + 48, 0, &again),
			-EBADMSG);
}

static void enumerations_are_bounded(void **state) {
	(void)state;
	struct ipc_message message = { .kind = IPC_INPUT, .input.kind = INPUT_TEXT }, again;
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = (size_t)ipc_encode(&message, bytes, sizeof(bytes));
	assert_int_equal(ipc_decode(PEER_STREAM, PEER_DESKTOP, bytes, len, 0, &again), 0);
	bytes[18] = INPUT_KINDS;
	assert_int_equal(ipc_decode(PEER_STREAM, PEER_DESKTOP, bytes, len, 0, &again), -EBADMSG);
}

static void the_largest_message_fits(void **state) {
	(void)state;
	struct ipc_message message = { .kind = IPC_IDENTITY };
	message.identity.certificate_len = sizeof(message.identity.certificate);
	message.identity.key_len = sizeof(message.identity.key);
	uint8_t bytes[IPC_MESSAGE_MAX];
	assert_true(ipc_encode(&message, bytes, sizeof(bytes)) > 8192);
	assert_int_equal(ipc_encode(&message, bytes, 8192), -ENOSPC);
}

static void an_end_is_orderly_or_shows_its_reason(void **state) {
	(void)state;
	assert_int_equal(reason_termination(REASON_ASKED), REASON_TERMINATE_ORDERLY);
	assert_int_equal(reason_termination(REASON_SHUTDOWN), REASON_TERMINATE_ORDERLY);
	assert_int_equal(reason_termination(REASON_APP_EXITED), REASON_TERMINATE_ORDERLY);
	assert_int_equal(reason_termination(REASON_DESKTOP_DIED), 0x50450009);
	assert_int_equal(reason_termination(REASON_APP_NO_WINDOW), 0x50450055);
	/* Clients print it as a hexadecimal int: it must not be a negative one. */
	for (uint32_t reason = 0; reason < REASONS; reason++) {
		uint32_t code = reason_termination(reason);
		assert_true(code == REASON_TERMINATE_ORDERLY || (code >> 16) == 0x5045);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_field_comes_back),
		UNIT(a_lobby_is_made_and_joined_by_the_web_door_alone),
		UNIT(nobody_sends_what_is_not_theirs),
		UNIT(a_cut_field_is_refused),
		UNIT(what_a_newer_sender_appends_is_ignored),
		UNIT(an_older_sender_leaves_zeros),
		UNIT(text_with_a_nul_or_too_long_is_refused),
		UNIT(enumerations_are_bounded),
		UNIT(the_largest_message_fits),
		UNIT(an_end_is_orderly_or_shows_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
