/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/text.h"
#include "ipc/message.h"
#include "schema_1.h"
#include "store/copy.h"
#include "store/database.h"
#include "store/rules.h"

/* What is kept of clients, profiles and apps, and how older files become newer ones. */

static char folder[64], file[96], detail[DATABASE_DETAIL_MAX];

static struct database *open_database(const char *where) {
	struct database *database = NULL;
	assert_int_equal(database_open(where, &database, detail), 0);
	return database;
}

static void add_client(struct database *database, uint8_t number) {
	struct database_client made = { .der_len = 10, .permissions = PERMIT_ALL };
	memset(made.fingerprint, number, sizeof(made.fingerprint));
	text_copy(made.name, sizeof(made.name), "somebody");
	assert_int_equal(database_client_add(database, &made), 0);
}

static struct ipc_message change(uint8_t number, uint32_t fields) {
	struct ipc_message message = { .kind = IPC_CLIENT_SET, .client_settings.fields = fields };
	memset(message.client_settings.client, number, 32);
	return message;
}

static struct ipc_message settings(struct database *database, uint8_t number) {
	struct ipc_message message;
	uint8_t fingerprint[32];
	memset(fingerprint, number, sizeof(fingerprint));
	assert_int_equal(database_settings(database, fingerprint, &message), 0);
	return message;
}

static void a_new_client_may_everything(void **state) {
	(void)state;
	struct database *database = open_database(NULL);
	add_client(database, 1);
	struct ipc_message got = settings(database, 1);
	assert_int_equal(got.client_settings.permissions, PERMIT_ALL);
	assert_int_equal(got.client_settings.mouse_milli, 1000);
	assert_int_equal(got.client_settings.scroll_milli, 1000);
	assert_int_equal(got.client_settings.run_uid, 1000);
	assert_int_equal(got.client_settings.apps_count, 0);
	assert_int_equal(got.client_settings.controllers_count, 0);
	database_close(database);
}

/* Only what is named changes: the known mistake was run_uid taken from run_gid. */
static void a_change_touches_what_it_names(void **state) {
	(void)state;
	struct database *database = open_database(folder);
	add_client(database, 1);
	add_client(database, 2);
	struct ipc_message set = change(1, SETTING_RUN_UID | SETTING_APPS | SETTING_LOBBIES);
	set.client_settings.run_uid = 4711;
	set.client_settings.run_gid = 4712;
	set.client_settings.permissions = 0;
	set.client_settings.apps_count = 2;
	set.client_settings.apps[0] = 7;
	set.client_settings.apps[1] = 0x7fffffff;
	memcpy(set.client_settings.lobbies, "a\0bc", 5);
	set.client_settings.lobbies_len = 5;
	assert_int_equal(database_settings_change(database, &set), 0);
	set = change(1, SETTING_CONTROLLERS | SETTING_MOTION);
	set.client_settings.controllers_count = 2;
	set.client_settings.controllers[1] = PAD_PS;
	set.client_settings.motion = PAD_NINTENDO;
	assert_int_equal(database_settings_change(database, &set), 0);
	database_close(database);
	database = open_database(folder);
	struct ipc_message got = settings(database, 1);
	assert_int_equal(got.client_settings.run_uid, 4711);
	assert_int_equal(got.client_settings.run_gid, 1000);
	assert_int_equal(got.client_settings.permissions, PERMIT_ALL);
	assert_int_equal(got.client_settings.apps_count, 2);
	assert_int_equal(got.client_settings.apps[1], 0x7fffffff);
	assert_int_equal(got.client_settings.lobbies_len, 5);
	assert_memory_equal(got.client_settings.lobbies, "a\0bc", 5);
	assert_int_equal(got.client_settings.controllers_count, 2);
	assert_int_equal(got.client_settings.controllers[1], PAD_PS);
	assert_int_equal(got.client_settings.motion, PAD_NINTENDO);
	assert_int_equal(settings(database, 2).client_settings.run_uid, 1000);
	set = change(3, SETTING_RUN_UID);
	assert_int_equal(database_settings_change(database, &set), -ENOENT);
	database_close(database);
}

static struct ipc_message profile(const char *id, const char *pin) {
	struct ipc_message put = { .kind = IPC_PROFILE_PUT, .profile.has_pin = pin[0] != '\0' };
	text_copy(put.profile.id, sizeof(put.profile.id), id);
	text_copy(put.profile.name, sizeof(put.profile.name), id);
	text_copy(put.profile.pin, sizeof(put.profile.pin), pin);
	return put;
}

static void a_pin_is_known_and_never_shown(void **state) {
	(void)state;
	struct database *database = open_database(folder);
	struct ipc_message put = profile("ann", "4711"), got;
	assert_int_equal(database_profile_put(database, &put), 0);
	assert_int_equal(database_profile_pin(database, "ann", "4711"), 0);
	assert_int_equal(database_profile_pin(database, "ann", "4712"), -EACCES);
	assert_int_equal(database_profile_pin(database, "ann", ""), -EACCES);
	assert_int_equal(database_profile_pin(database, "bob", "4711"), -ENOENT);
	assert_int_equal(database_profile_next(database, NULL, &got), 0);
	assert_string_equal(got.profile.id, "ann");
	assert_int_equal(got.profile.has_pin, 1);
	assert_string_equal(got.profile.pin, "");
	/* Another name keeps it; has_pin 0 takes it away. */
	put = profile("ann", "");
	put.profile.has_pin = 1;
	text_copy(put.profile.name, sizeof(put.profile.name), "Ann");
	assert_int_equal(database_profile_put(database, &put), 0);
	assert_int_equal(database_profile_pin(database, "ann", "0000"), -EACCES);
	put.profile.has_pin = 0;
	assert_int_equal(database_profile_put(database, &put), 0);
	assert_int_equal(database_profile_pin(database, "ann", "0000"), 0);
	assert_int_equal(database_profile_next(database, "ann", &got), -ENOENT);
	database_close(database);
}

static struct ipc_message app(int32_t number, const char *id, const char *profile_id) {
	struct ipc_message put = { .kind = IPC_APP_PUT, .app.app = number };
	text_copy(put.app.id, sizeof(put.app.id), id);
	text_copy(put.app.profile, sizeof(put.app.profile), profile_id);
	text_copy(put.app.title, sizeof(put.app.title), "Paint");
	text_copy(put.app.how.runner, sizeof(put.app.how.runner), "process");
	memcpy(put.app.argv, "foot\0-e", 8);
	put.app.argv_len = 8;
	memcpy(put.app.kept, "{\"a\":1}", 7);
	put.app.kept_len = 7;
	return put;
}

/* perigee.yaml says it at every start: only a change is written. */
static void a_profile_that_is_kept_so_is_known(void **state) {
	(void)state;
	struct database *database = open_database(folder);
	struct ipc_message put = { .kind = IPC_PROFILE_PUT,
		.profile = { .id = "ann", .name = "Ann", .pin = "4711", .has_pin = 1 } };
	assert_false(database_profile_same(database, &put));
	assert_int_equal(database_profile_put(database, &put), 0);
	assert_true(database_profile_same(database, &put));
	struct ipc_message other = put;
	text_copy(other.profile.pin, sizeof(other.profile.pin), "4712");
	assert_false(database_profile_same(database, &other));
	other.profile.pin[0] = '\0';
	assert_false(database_profile_same(database, &other));
	other = put;
	text_copy(other.profile.name, sizeof(other.profile.name), "Anna");
	assert_false(database_profile_same(database, &other));
	put.profile.pin[0] = '\0';
	put.profile.has_pin = 0;
	assert_int_equal(database_profile_put(database, &put), 0);
	assert_true(database_profile_same(database, &put));
	database_close(database);
}

static void apps_are_added_replaced_and_removed(void **state) {
	(void)state;
	struct database *database = open_database(folder);
	struct ipc_message put = app(0, "", ""), got;
	assert_int_equal(database_app_put(database, &put), 0);
	int32_t number = put.app.app;
	assert_true(number > 0);
	char id[48];
	text_format(id, sizeof(id), "%d", number);
	assert_string_equal(put.app.id, id);
	put = app(number, "", "");
	text_copy(put.app.title, sizeof(put.app.title), "Draw");
	assert_int_equal(database_app_put(database, &put), 0);
	assert_string_equal(put.app.id, id);
	put = app(0, "an-id", "");
	assert_int_equal(database_app_put(database, &put), 0);
	int32_t other = put.app.app;
	put = app(number, "an-id", "");
	assert_int_equal(database_app_put(database, &put), -EEXIST);
	put = app(0, "an-id", "");
	assert_int_equal(database_app_put(database, &put), 0);
	assert_int_equal(put.app.app, other);
	put = app(0, "x", "nobody");
	assert_int_equal(database_app_put(database, &put), -ENOENT);
	database_close(database);
	database = open_database(folder);
	unsigned count = 0;
	for (int32_t at = 0; database_app_next(database, at, &got) == 0; at = got.app.app) {
		count++;
		assert_int_equal(got.app.argv_len, 8);
		assert_memory_equal(got.app.argv, "foot\0-e", 8);
		assert_int_equal(got.app.kept_len, 7);
		assert_string_equal(got.app.title, got.app.app == number ? "Draw" : "Paint");
	}
	assert_int_equal(count, 2);
	int32_t gone = 0;
	assert_int_equal(database_app_remove(database, &gone, "an-id"), 0);
	assert_int_equal(gone, other);
	assert_int_equal(database_app_remove(database, &gone, ""), -ENOENT);
	database_close(database);
}

static void a_profile_takes_its_apps_along(void **state) {
	(void)state;
	struct database *database = open_database(folder);
	struct ipc_message put = profile("ann", ""), got;
	assert_int_equal(database_profile_put(database, &put), 0);
	put = app(0, "hers", "ann");
	assert_int_equal(database_app_put(database, &put), 0);
	put = app(0, "everybodys", "");
	assert_int_equal(database_app_put(database, &put), 0);
	assert_int_equal(database_profile_remove(database, "ann"), 0);
	assert_int_equal(database_profile_remove(database, "ann"), -ENOENT);
	assert_int_equal(database_app_next(database, 0, &got), 0);
	assert_string_equal(got.app.id, "everybodys");
	assert_int_equal(database_app_next(database, got.app.app, &got), -ENOENT);
	database_close(database);
}

static void too_many_apps_are_refused(void **state) {
	(void)state;
	struct database *database = open_database(NULL);
	for (unsigned i = 0; i < DATABASE_APPS_MAX; i++) {
		struct ipc_message put = app(0, "", "");
		assert_int_equal(database_app_put(database, &put), 0);
	}
	struct ipc_message put = app(0, "", "");
	assert_int_equal(database_app_put(database, &put), -ENOSPC);
	database_close(database);
}

/* ---- older files ---- */

static void run_sql(const char *sql) {
	sqlite3 *sqlite;
	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static void schema_1_becomes_2_and_keeps_everything(void **state) {
	(void)state;
	run_sql(schema_1);
	struct database *database = open_database(folder);
	struct identity identity;
	assert_int_equal(database_identity(database, &identity), 0);
	assert_string_equal(identity.certificate, "a certificate");
	assert_string_equal(identity.web_key, "a web key");
	struct database_client client;
	assert_int_equal(database_client_next(database, NULL, &client), 0);
	assert_string_equal(client.name, "Old friend");
	assert_int_equal(client.created_s, 77);
	assert_int_equal(client.der_len, 2);
	assert_int_equal(client.permissions, PERMIT_ALL);
	assert_int_equal(settings(database, 0).client_settings.run_uid, 1000);
	struct ipc_message put = app(0, "", "");
	assert_int_equal(database_app_put(database, &put), 0);
	database_close(database);
	database_close(open_database(folder));
}

static struct ipc_message a_token(uint8_t number) {
	struct ipc_message message = { .kind = IPC_TOKEN_ADD,
		.token = { .name = "robot", .scopes = 5, .created_s = 99 } };
	memset(message.token.hash, number, sizeof(message.token.hash));
	return message;
}

static void tokens_come_and_go(void **state) {
	(void)state;
	struct database *database = open_database(NULL);
	struct ipc_message got;
	assert_int_equal(database_token_next(database, NULL, &got), -ENOENT);
	for (uint8_t i = 1; i <= DATABASE_TOKENS_MAX; i++) {
		struct ipc_message add = a_token(i);
		assert_int_equal(database_token_add(database, &add), 0);
	}
	struct ipc_message more = a_token(200);
	assert_int_equal(database_token_add(database, &more), -ENOSPC);
	assert_int_equal(database_token_next(database, NULL, &got), 0);
	assert_int_equal(got.token.hash[31], 1);
	assert_int_equal(got.token.scopes, 5);
	assert_string_equal(got.token.name, "robot");
	assert_int_equal(database_token_remove(database, got.token.hash), 0);
	assert_int_equal(database_token_remove(database, got.token.hash), -ENOENT);
	assert_int_equal(database_token_next(database, NULL, &got), 0);
	assert_int_equal(got.token.hash[0], 2);
	database_close(database);
}

static void schema_2_becomes_3_and_keeps_everything(void **state) {
	(void)state;
	run_sql(schema_1);
	struct database *database = open_database(folder);
	struct ipc_message set = change(0, SETTING_RUN_UID), add = a_token(3), got;
	set.client_settings.run_uid = 4711;
	assert_int_equal(database_settings_change(database, &set), 0);
	database_close(database);
	run_sql("DROP TABLE token; PRAGMA user_version = 2;");
	database = open_database(folder);
	assert_int_equal(settings(database, 0).client_settings.run_uid, 4711);
	assert_int_equal(database_token_add(database, &add), 0);
	database_close(database);
	database = open_database(folder);
	assert_int_equal(database_token_next(database, NULL, &got), 0);
	assert_int_equal(got.token.created_s, 99);
	database_close(database);
}

/* ---- copies ---- */

/* While the host has it open and writes. */
static void a_copy_is_whole_and_only_its_owners(void **state) {
	(void)state;
	struct database *database = open_database(folder), *copy;
	add_client(database, 1);
	char beside[96], name[128];
	text_format(beside, sizeof(beside), "%s/copy", folder);
	assert_int_equal(mkdir(beside, 0700), 0);
	text_format(name, sizeof(name), "%s/state.db", beside);
	char words[COPY_DETAIL_MAX];
	assert_int_equal(state_copy(folder, name, words), 0);
	add_client(database, 2);
	struct stat status;
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	copy = open_database(beside);
	struct database_client client;
	assert_int_equal(database_client_next(copy, NULL, &client), 0);
	assert_int_equal(database_client_next(copy, client.fingerprint, &client), -ENOENT);
	database_close(copy);
	/* What is there is replaced by a whole one alone. */
	assert_int_equal(state_copy(folder, name, words), 0);
	copy = open_database(beside);
	assert_int_equal(database_client_next(copy, client.fingerprint, &client), 0);
	database_close(copy);
	assert_int_equal(state_copy("/nowhere", name, words), -ENOENT);
	assert_non_null(strstr(words, "--state"));
	assert_int_equal(state_copy(folder, "/nowhere/copy", words), -ENOENT);
	assert_int_equal(stat(name, &status), 0);
	database_close(database);
}

/* ---- rules ---- */

static void settings_that_make_no_sense_are_refused(void **state) {
	(void)state;
	char words[160];
	struct ipc_message set = change(1, 0);
	assert_int_equal(rules_settings(&set, words, sizeof(words)), -EINVAL);
	set = change(1, SETTING_RUN_UID);
	assert_int_equal(rules_settings(&set, words, sizeof(words)), -EINVAL);
	assert_non_null(strstr(words, "run_uid"));
	set = change(1, SETTING_MOUSE);
	set.client_settings.mouse_milli = 9;
	assert_int_equal(rules_settings(&set, words, sizeof(words)), -EINVAL);
	set.client_settings.mouse_milli = 1500;
	assert_int_equal(rules_settings(&set, words, sizeof(words)), 0);
	static const char *const bad[] = { "..", "../x", "a/b", ".ssh", "a b", "\303\244" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		set = change(1, SETTING_FOLDER);
		text_copy(set.client_settings.folder, sizeof(set.client_settings.folder), bad[i]);
		assert_int_equal(rules_settings(&set, words, sizeof(words)), -EINVAL);
	}
	set = change(1, SETTING_CONTROLLERS);
	set.client_settings.controllers_count = 1;
	set.client_settings.controllers[0] = PADS;
	assert_int_equal(rules_settings(&set, words, sizeof(words)), -EINVAL);
	set = change(1, SETTING_LOBBIES);
	set.client_settings.lobbies_len = 1;
	set.client_settings.lobbies[0] = 'x';
	assert_int_equal(rules_settings(&set, words, sizeof(words)), -EINVAL);
}

static void profiles_and_apps_that_make_no_sense_are_refused(void **state) {
	(void)state;
	char words[160];
	static const char *const pins[] = { "123", "12a4", "12345678901234x" };
	for (size_t i = 0; i < ARRAY_LEN(pins); i++) {
		struct ipc_message put = profile("ann", pins[i]);
		assert_int_equal(rules_profile(&put, words, sizeof(words)), -EINVAL);
	}
	struct ipc_message put = profile("", "");
	assert_int_equal(rules_profile(&put, words, sizeof(words)), -EINVAL);
	put = profile("ann", "0000");
	assert_int_equal(rules_profile(&put, words, sizeof(words)), 0);
	put = app(0, "", "");
	assert_int_equal(rules_app(&put, words, sizeof(words)), 0);
	put.app.argv[0] = '\0';
	assert_int_equal(rules_app(&put, words, sizeof(words)), -EINVAL);
	put = app(0, "", "");
	text_copy(put.app.how.runner, sizeof(put.app.how.runner), "container");
	assert_int_equal(rules_app(&put, words, sizeof(words)), -EINVAL);
	assert_non_null(strstr(words, "image"));
	text_copy(put.app.how.runner, sizeof(put.app.how.runner), "docker");
	assert_int_equal(rules_app(&put, words, sizeof(words)), -EINVAL);
	put = app(0, "", "");
	put.app.title[0] = '\n';
	assert_int_equal(rules_app(&put, words, sizeof(words)), -EINVAL);
}

static int prepare(void **state) {
	(void)state;
	folder_make(folder, sizeof(folder), "state");
	text_format(file, sizeof(file), "%s/state.db", folder);
	return 0;
}

static int clean(void **state) {
	(void)state;
	return folder_remove(folder);
}

#define STATE_TEST(test) cmocka_unit_test_setup_teardown(test, prepare, clean)

int main(void) {
	const struct CMUnitTest tests[] = {
		STATE_TEST(a_new_client_may_everything),
		STATE_TEST(a_change_touches_what_it_names),
		STATE_TEST(a_pin_is_known_and_never_shown),
		STATE_TEST(a_profile_that_is_kept_so_is_known),
		STATE_TEST(apps_are_added_replaced_and_removed),
		STATE_TEST(a_profile_takes_its_apps_along),
		STATE_TEST(too_many_apps_are_refused),
		STATE_TEST(tokens_come_and_go),
		STATE_TEST(schema_1_becomes_2_and_keeps_everything),
		STATE_TEST(schema_2_becomes_3_and_keeps_everything),
		STATE_TEST(a_copy_is_whole_and_only_its_owners),
		UNIT(settings_that_make_no_sense_are_refused),
		UNIT(profiles_and_apps_that_make_no_sense_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
