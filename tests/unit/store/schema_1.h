/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STORE_SCHEMA_1_H
#define TESTS_STORE_SCHEMA_1_H

/* As release 0.1.0 wrote it: frozen, whatever schema.c says today. */
static const char schema_1[] =
		"PRAGMA journal_mode = WAL;"
		"CREATE TABLE identity ( one INTEGER PRIMARY KEY CHECK (one = 1),"
		" certificate TEXT NOT NULL, key TEXT NOT NULL,"
		" host_id TEXT NOT NULL, web_key TEXT NOT NULL);"
		"CREATE TABLE client ("
		" fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),"
		" der BLOB NOT NULL, name TEXT NOT NULL,"
		" created_s INTEGER NOT NULL, permissions INTEGER NOT NULL) WITHOUT ROWID;"
		"INSERT INTO identity VALUES (1, 'a certificate', 'a key', 'a host', 'a web key');"
		"INSERT INTO client VALUES (zeroblob(32), x'3001', 'Old friend', 77, 2147483647);"
		"PRAGMA user_version = 1;";

#endif
