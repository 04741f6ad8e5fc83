/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/text.h"
#include "cut.h"
#include "ipc/message.h"
#include "schema_1.h"
#include "store/database.h"

/* The power goes before each write that the store makes, one after the other: what it
 * had acknowledged is there afterwards, what it had not is there whole or not at all. */

enum {
	STEPS = 12,
	CUTS_MAX = 3000,
};

static char template[64], folder[64], detail[DATABASE_DETAIL_MAX];

static struct database_client client(uint8_t number) {
	struct database_client made = { .der_len = 900, .permissions = PERMIT_ALL };
	memset(made.fingerprint, number, sizeof(made.fingerprint));
	memset(made.der, number, made.der_len);
	text_copy(made.name, sizeof(made.name), "somebody");
	return made;
}

static int put_app(struct database *database, int32_t number, const char *profile) {
	struct ipc_message put = { .kind = IPC_APP_PUT, .app.app = number };
	text_copy(put.app.profile, sizeof(put.app.profile), profile);
	text_copy(put.app.title, sizeof(put.app.title), "Paint");
	text_copy(put.app.how.runner, sizeof(put.app.how.runner), "process");
	put.app.argv_len = 5;
	memcpy(put.app.argv, "foot", 5);
	put.app.kept_len = sizeof(put.app.kept);
	memset(put.app.kept, '{', sizeof(put.app.kept));
	return database_app_put(database, &put);
}

static int set_uid(struct database *database, uint8_t number, uint32_t uid) {
	struct ipc_message set = { .kind = IPC_CLIENT_SET,
		.client_settings = { .fields = SETTING_RUN_UID, .run_uid = uid } };
	memset(set.client_settings.client, number, 32);
	return database_settings_change(database, &set);
}

static int put_profile(struct database *database, const char *id) {
	struct ipc_message put = { .kind = IPC_PROFILE_PUT };
	text_copy(put.profile.id, sizeof(put.profile.id), id);
	text_copy(put.profile.name, sizeof(put.profile.name), id);
	return database_profile_put(database, &put);
}

/* Step n of what a busy day does. */
static int step(struct database *database, unsigned n) {
	struct database_client one = client(1), two = client(2);
	switch (n) {
	case 0:
		return database_client_add(database, &one);
	case 1:
		return set_uid(database, 1, 4711);
	case 2:
		return put_profile(database, "ann");
	case 3:
		return put_app(database, 7, "ann");
	case 4:
		return put_app(database, 8, "");
	case 5:
		return database_client_add(database, &two);
	case 6:
		return database_client_remove(database, one.fingerprint);
	case 7:
		return database_profile_remove(database, "ann");
	case 8:
		return set_uid(database, 2, 4712);
	case 9:
		return put_profile(database, "bob");
	case 10:
		return put_app(database, 9, "bob");
	default:
		return database_app_remove(database, &(int32_t){ 8 }, "");
	}
}

static bool has_client(struct database *database, uint8_t number, uint32_t *out_uid) {
	struct ipc_message message;
	struct database_client made = client(number);
	int rc = database_settings(database, made.fingerprint, &message);
	assert_true(rc == 0 || rc == -ENOENT);
	*out_uid = rc == 0 ? message.client_settings.run_uid : 0;
	return rc == 0;
}

static bool has_app(struct database *database, int32_t number) {
	struct ipc_message message;
	for (int32_t at = 0; database_app_next(database, at, &message) == 0; at = message.app.app) {
		if (message.app.app == number) {
			assert_int_equal(message.app.kept_len, sizeof(message.app.kept));
			return true;
		}
	}
	return false;
}

static bool has_profile(struct database *database, const char *id) {
	return database_profile_pin(database, id, "") == 0;
}

/* What holds after so many steps; the last one may have been under way. */
static bool looks_like(struct database *database, unsigned steps) {
	uint32_t one, two;
	bool has_one = has_client(database, 1, &one), has_two = has_client(database, 2, &two);
	return has_one == (steps > 0 && steps <= 6) && (!has_one || (one == 4711) == (steps > 1)) &&
	       has_two == (steps > 5) && (!has_two || (two == 4712) == (steps > 8)) &&
	       has_profile(database, "ann") == (steps > 2 && steps <= 7) &&
	       has_app(database, 7) == (steps > 3 && steps <= 7) &&
	       has_app(database, 8) == (steps > 4 && steps <= 11) &&
	       has_profile(database, "bob") == (steps > 9) && has_app(database, 9) == (steps > 10);
}

/* In the child: what is done before the power goes. Each step that was acknowledged is
 * a byte in the pipe. */
static void live(int pipe_fd, uint64_t at) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cut_install(at, at + 1);
	struct database *database;
	if (database_open(folder, &database, detail) < 0) {
		_exit(2);
	}
	for (unsigned n = 0; n < STEPS; n++) {
		if (step(database, n) < 0) {
			_exit(3);
		}
		(void)!write(pipe_fd, "x", 1);
	}
	database_close(database);
	_exit(0);
}

static void copy_template(void) {
	char from[96], to[96];
	text_format(from, sizeof(from), "%s/state.db", template);
	text_format(to, sizeof(to), "%s/state.db", folder);
	(void)!folder_remove(folder); /* at first there is none */
	assert_int_equal(mkdir(folder, 0700), 0);
	folder_copy_file(from, to);
}

/* True when the power went; false when the day was over before. */
static bool cut_at(uint64_t at) {
	int pipe_fds[2], status;
	char bytes[STEPS];
	copy_template();
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(pipe_fds[0]);
		live(pipe_fds[1], at);
	}
	close(pipe_fds[1]);
	size_t acknowledged = 0;
	ssize_t len;
	while ((len = read(pipe_fds[0], bytes, sizeof(bytes))) > 0) {
		acknowledged += (size_t)len;
	}
	close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == CUT_STATUS || WEXITSTATUS(status) == 0);
	struct database *database = NULL;
	int rc = database_open(folder, &database, detail);
	if (rc < 0) {
		print_error("cut %llu: %s\n", (unsigned long long)at, detail);
	}
	assert_int_equal(rc, 0);
	bool whole = looks_like(database, (unsigned)acknowledged) ||
		     (acknowledged < STEPS && looks_like(database, (unsigned)acknowledged + 1));
	if (!whole) {
		print_error("cut %llu after %zu steps\n", (unsigned long long)at, acknowledged);
	}
	assert_true(whole);
	database_close(database);
	return WEXITSTATUS(status) == CUT_STATUS;
}

static void nothing_acknowledged_is_lost(void **state) {
	(void)state;
	uint64_t at = 0;
	while (cut_at(at)) {
		at++;
		assert_true(at < CUTS_MAX);
	}
	print_message("%llu places to cut\n", (unsigned long long)at);
	assert_true(at > 3 * STEPS);
}

static int prepare(void **state) {
	(void)state;
	text_copy(template, sizeof(template), "/tmp/perigee-power-XXXXXX");
	assert_non_null(mkdtemp(template));
	text_format(folder, sizeof(folder), "%s-cut", template);
	/* Of an older release, so that the migrations are cut as well. */
	char file[96];
	sqlite3 *sqlite;
	text_format(file, sizeof(file), "%s/state.db", template);
	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, schema_1, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
	return 0;
}

static int clean(void **state) {
	(void)state;
	(void)!folder_remove(folder);
	return folder_remove(template);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(nothing_acknowledged_is_lost),
	};
	return cmocka_run_group_tests(tests, prepare, clean);
}
