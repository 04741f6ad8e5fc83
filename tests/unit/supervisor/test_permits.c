/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "supervisor/permits.h"
#include "supervisor/supervisor.h"

static struct ipc_message row(uint8_t number, uint32_t permissions) {
	struct ipc_message message = { .kind = IPC_CLIENT_SETTINGS };
	memset(message.client_settings.client, number, 32);
	message.client_settings.permissions = permissions;
	return message;
}

static const uint8_t *name_of(uint8_t number) {
	static uint8_t client[32];
	memset(client, number, sizeof(client));
	return client;
}

static void who_is_not_listed_again_is_stale(void **state) {
	(void)state;
	struct permits permits = { 0 };
	for (uint8_t i = 0; i < 40; i++) {
		struct ipc_message message = row(i, PERMIT_ALL);
		assert_int_equal(permits_take(&permits, &message), 0);
	}
	assert_null(permits_next_stale(&permits));
	permits_begin(&permits);
	for (uint8_t i = 0; i < 40; i++) {
		struct ipc_message message = row(i, PERMIT_LIST);
		assert_int_equal(i == 7 ? 0 : permits_take(&permits, &message), 0);
	}
	const struct permit *stale = permits_next_stale(&permits);
	assert_non_null(stale);
	assert_int_equal(stale->settings.client[0], 7);
	assert_true(permits_drop(&permits, name_of(7)));
	assert_false(permits_drop(&permits, name_of(7)));
	assert_null(permits_next_stale(&permits));
	assert_int_equal(permits_of(&permits, name_of(8))->permissions, PERMIT_LIST);
	assert_null(permits_of(&permits, name_of(7)));
	permits_finish(&permits);
}

static void lists_of_apps_and_lobbies_narrow(void **state) {
	(void)state;
	struct ipc_message message = row(1, PERMIT_LAUNCH);
	client_settings *settings = &message.client_settings;
	assert_true(permits_allow(settings, PERMIT_LAUNCH));
	assert_false(permits_allow(settings, PERMIT_LAUNCH | PERMIT_LIST));
	assert_true(permits_allow_app(settings, 5));
	assert_true(permits_allow_lobby(settings, "any"));
	settings->apps_count = 2;
	settings->apps[1] = 5;
	assert_true(permits_allow_app(settings, 5));
	assert_false(permits_allow_app(settings, 6));
	memcpy(settings->lobbies, "chess\0film", 11);
	settings->lobbies_len = 11;
	assert_true(permits_allow_lobby(settings, "chess"));
	assert_true(permits_allow_lobby(settings, "film"));
	assert_false(permits_allow_lobby(settings, "fil"));
	assert_false(permits_allow_lobby(settings, ""));
	assert_true(permits_allow(NULL, PERMIT_ALL));
	assert_true(permits_allow_app(NULL, 1));
	assert_true(permits_allow_lobby(NULL, "x"));
}

static void a_launch_is_judged(void **state) {
	(void)state;
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	char detail[160] = "";
	assert_int_equal(permits_judge(supervisor, name_of(1), 5, "Paint", detail, sizeof(detail)),
			REASON_NOT_READY);
	supervisor->permits.known = true;
	assert_int_equal(permits_judge(supervisor, name_of(1), 5, "Paint", detail, sizeof(detail)),
			REASON_NONE);
	struct ipc_message message = row(1, PERMIT_ALL & ~PERMIT_LAUNCH);
	assert_int_equal(permits_take(&supervisor->permits, &message), 0);
	assert_int_equal(permits_judge(supervisor, name_of(1), 5, "Paint", detail, sizeof(detail)),
			REASON_NOT_PERMITTED);
	message = row(1, PERMIT_ALL);
	message.client_settings.apps_count = 1;
	message.client_settings.apps[0] = 6;
	assert_int_equal(permits_take(&supervisor->permits, &message), 0);
	assert_int_equal(permits_judge(supervisor, name_of(1), 5, "Paint", detail, sizeof(detail)),
			REASON_NOT_PERMITTED);
	assert_non_null(strstr(detail, "Paint"));
	assert_int_equal(permits_judge(supervisor, name_of(1), 6, "Draw", detail, sizeof(detail)),
			REASON_NONE);
	message = row(1, PERMIT_ALL & ~PERMIT_LOBBY_CREATE);
	memcpy(message.client_settings.lobbies, "chess", 6);
	message.client_settings.lobbies_len = 6;
	assert_int_equal(permits_take(&supervisor->permits, &message), 0);
	static const struct {
		uint8_t client;
		uint32_t permission;
		const char *name;
		uint32_t reason;
	} lobbies[] = {
		{ 1, PERMIT_LOBBY_JOIN, "chess", REASON_NONE },
		{ 1, PERMIT_LOBBY_JOIN, "film", REASON_NOT_PERMITTED },
		{ 1, PERMIT_LOBBY_CREATE, "chess", REASON_NOT_PERMITTED },
		{ 2, PERMIT_LOBBY_CREATE, "film", REASON_NONE },
	};
	for (size_t i = 0; i < ARRAY_LEN(lobbies); i++) {
		assert_int_equal(permits_judge_lobby(supervisor, name_of(lobbies[i].client),
						 lobbies[i].permission, lobbies[i].name, detail,
						 sizeof(detail)),
				lobbies[i].reason);
	}
	permits_finish(&supervisor->permits);
	free(supervisor);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(who_is_not_listed_again_is_stale),
		UNIT(lists_of_apps_and_lobbies_narrow),
		UNIT(a_launch_is_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
