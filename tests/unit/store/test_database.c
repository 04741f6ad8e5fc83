/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sqlite3.h>

#include "base/text.h"
#include "store/database.h"

static char folder[64], file[96], detail[DATABASE_DETAIL_MAX];

static struct database *open_database(const char *where) {
	struct database *database = NULL;
	assert_int_equal(database_open(where, &database, detail), 0);
	assert_string_equal(detail, "");
	return database;
}

static struct database_client client(uint8_t number) {
	struct database_client made = { .der_len = 100, .created_s = 5, .permissions = 7 };
	memset(made.fingerprint, number, sizeof(made.fingerprint));
	memset(made.der, number, made.der_len);
	text_format(made.name, sizeof(made.name), "client %u", number);
	return made;
}

static void add(struct database *database, uint8_t number) {
	struct database_client made = client(number);
	assert_int_equal(database_client_add(database, &made), 0);
}

static void the_first_start_makes_an_identity_that_stays(void **state) {
	(void)state;
	struct identity first, second;
	struct database *database = open_database(folder);
	assert_int_equal(database_identity(database, &first), 0);
	database_close(database);
	database = open_database(folder);
	assert_int_equal(database_identity(database, &second), 0);
	database_close(database);
	assert_string_equal(first.certificate, second.certificate);
	assert_string_equal(first.key, second.key);
	assert_string_equal(first.host_id, second.host_id);
	assert_string_equal(first.web_key, second.web_key);
	assert_int_equal(strlen(first.web_key), 32);
	assert_int_equal(strlen(first.host_id), 36);
	assert_int_equal(strspn(first.host_id, "0123456789ABCDEF-"), 36);
}

static void the_certificate_is_signed_by_its_own_key(void **state) {
	(void)state;
	static struct identity identity;
	assert_int_equal(identity_create(&identity), 0);
	BIO *bio = BIO_new_mem_buf(identity.certificate, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO *key_bio = BIO_new_mem_buf(identity.key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
	assert_non_null(certificate);
	assert_non_null(key);
	assert_int_equal(X509_verify(certificate, key), 1);
	assert_int_equal(X509_check_private_key(certificate, key), 1);
	assert_int_equal(EVP_PKEY_get_bits(key), 2048);
	assert_int_equal(X509_get_signature_nid(certificate), NID_sha256WithRSAEncryption);
	assert_true(X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0);
	EVP_PKEY_free(key);
	X509_free(certificate);
	BIO_free(bio);
	BIO_free(key_bio);
}

static void clients_come_back_in_order_after_reopening(void **state) {
	(void)state;
	struct database *database = open_database(folder);
	add(database, 9);
	add(database, 3);
	database_close(database);
	database = open_database(folder);
	struct database_client got, wanted = client(3);
	assert_int_equal(database_client_next(database, NULL, &got), 0);
	assert_memory_equal(got.fingerprint, wanted.fingerprint, 32);
	assert_int_equal(got.der_len, 100);
	assert_memory_equal(got.der, wanted.der, 100);
	assert_string_equal(got.name, "client 3");
	assert_int_equal(got.created_s, 5);
	assert_int_equal(got.permissions, 7);
	assert_int_equal(database_client_next(database, got.fingerprint, &got), 0);
	assert_int_equal(got.fingerprint[0], 9);
	assert_int_equal(database_client_next(database, got.fingerprint, &got), -ENOENT);
	database_close(database);
}

static void adding_again_renames_and_keeps_the_age(void **state) {
	(void)state;
	struct database *database = open_database(NULL);
	add(database, 1);
	struct database_client again = client(1), got;
	again.created_s = 99;
	again.permissions = 511; /* pairing again gives no right back */
	text_copy(again.name, sizeof(again.name), "new name");
	assert_int_equal(database_client_add(database, &again), 0);
	assert_int_equal(again.created_s, 5);
	assert_int_equal(database_client_next(database, NULL, &got), 0);
	assert_string_equal(got.name, "new name");
	assert_int_equal(got.permissions, 7);
	assert_int_equal(database_client_next(database, got.fingerprint, &got), -ENOENT);
	database_close(database);
}

static void removing_works_once(void **state) {
	(void)state;
	struct database *database = open_database(NULL);
	add(database, 1);
	struct database_client got = client(1);
	assert_int_equal(database_client_remove(database, got.fingerprint), 0);
	assert_int_equal(database_client_remove(database, got.fingerprint), -ENOENT);
	assert_int_equal(database_client_next(database, NULL, &got), -ENOENT);
	database_close(database);
}

static void nobody_else_may_look(void **state) {
	(void)state;
	struct stat status;
	chmod(folder, 0755);
	struct database *database = open_database(folder);
	add(database, 1);
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	char wal[128];
	text_format(wal, sizeof(wal), "%s-wal", file);
	assert_int_equal(stat(wal, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	database_close(database);
}

static void refused(const char *where, int rc, const char *words) {
	struct database *database = NULL;
	assert_int_equal(database_open(where, &database, detail), rc);
	assert_null(database);
	assert_non_null(strstr(detail, words));
	assert_non_null(strstr(detail, where));
}

static void a_folder_that_cannot_be_is_refused_with_the_remedy(void **state) {
	(void)state;
	refused("/dev/null/state", -ENOTDIR, "make the state folder writable");
	refused("/proc/perigee", -ENOENT, "make the state folder writable");
}

static void damage_is_refused_and_kept_aside(void **state) {
	(void)state;
	struct database *database = open_database(folder);
	for (uint8_t i = 0; i < 200; i++) {
		add(database, i);
	}
	database_close(database);
	FILE *out = fopen(file, "r+");
	fseek(out, 4096 + 100, SEEK_SET);
	for (int i = 0; i < 8192; i++) {
		fputc(0x5a, out);
	}
	fclose(out);
	struct stat before, status;
	assert_int_equal(stat(file, &before), 0);
	refused(folder, -EBADMSG, "put a copy");
	assert_int_equal(stat(file, &status), -1);
	char aside[128];
	text_format(aside, sizeof(aside), "%s.damaged-1", file);
	assert_int_equal(stat(aside, &status), 0);
	assert_int_equal(status.st_size, before.st_size);
	/* A new identity is nothing to begin with unasked. */
	refused(folder, -EBADMSG, "put a copy");
	assert_int_equal(stat(file, &status), -1);
	out = fopen(file, "w");
	fputs("this is no database, but a letter to somebody, long enough to be read", out);
	fclose(out);
	refused(folder, -EBADMSG, "put a copy");
	text_format(aside, sizeof(aside), "%s.damaged-2", file);
	assert_int_equal(stat(aside, &status), 0);
	assert_int_equal(status.st_size, 69);
}

static void a_copy_in_its_place_is_taken(void **state) {
	(void)state;
	database_close(open_database(folder));
	char aside[128];
	text_format(aside, sizeof(aside), "%s.damaged-1", file);
	assert_int_equal(rename(file, aside), 0);
	refused(folder, -EBADMSG, "put a copy");
	assert_int_equal(rename(aside, file), 0);
	database_close(open_database(folder));
}

static void a_newer_schema_is_refused(void **state) {
	(void)state;
	database_close(open_database(folder));
	sqlite3 *sqlite;
	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, "PRAGMA user_version = 1000", NULL, NULL, NULL),
			SQLITE_OK);
	sqlite3_close(sqlite);
	refused(folder, -ENOTSUP, "newer Perigee");
}

static void a_held_database_is_said(void **state) {
	(void)state;
	database_close(open_database(folder));
	sqlite3 *sqlite;
	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	refused(folder, -EBUSY, "another process");
	sqlite3_close(sqlite);
}

static int prepare(void **state) {
	(void)state;
	folder_make(folder, sizeof(folder), "db");
	text_format(file, sizeof(file), "%s/state.db", folder);
	return 0;
}

static int clean(void **state) {
	(void)state;
	return folder_remove(folder);
}

#define DATABASE_TEST(test) cmocka_unit_test_setup_teardown(test, prepare, clean)

int main(void) {
	const struct CMUnitTest tests[] = {
		DATABASE_TEST(the_first_start_makes_an_identity_that_stays),
		DATABASE_TEST(the_certificate_is_signed_by_its_own_key),
		DATABASE_TEST(clients_come_back_in_order_after_reopening),
		DATABASE_TEST(adding_again_renames_and_keeps_the_age),
		DATABASE_TEST(removing_works_once),
		DATABASE_TEST(nobody_else_may_look),
		DATABASE_TEST(a_folder_that_cannot_be_is_refused_with_the_remedy),
		DATABASE_TEST(damage_is_refused_and_kept_aside),
		DATABASE_TEST(a_copy_in_its_place_is_taken),
		DATABASE_TEST(a_newer_schema_is_refused),
		DATABASE_TEST(a_held_database_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
