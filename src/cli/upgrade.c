/* SPDX-License-Identifier: MIT */
#include "cli/upgrade.h"
#include "cli/row.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "cli/show.h"

enum {
	DEADLINE_S = 30, /* the host's own, when none is given */
	DEADLINE_MAX_S = 600,
	MORE_S = 60,  /* for the old version to be there again */
	LOOK_MS = 50, /* between two looks: the door that would tell is itself replaced */
};

static int64_t deadline_s(const struct upgrade_options *options) {
	int64_t seconds = DEADLINE_S;
	if (options->deadline && number_parse(options->deadline, strlen(options->deadline), 1,
						 DEADLINE_MAX_S, &seconds) < 0) {
		return -1;
	}
	return seconds;
}

json_t *upgrade_body(const struct upgrade_options *options) {
	int64_t seconds = deadline_s(options);
	json_t *body = seconds < 0 ? NULL
				   : json_pack("{s:b,s:I}", "check", options->check, "deadline_s",
						     (json_int_t)seconds);
	if (body && options->from) {
		/* The host does not know where we are. */
		char *full = realpath(options->from, NULL);
		json_object_set_new(body, "from", json_string(full ? full : options->from));
		free(full);
	}
	return body;
}

static void say_plan(const json_t *answer, bool check) {
	long long sessions = row_number(answer, "sessions");
	printf("%s version ", check ? "Would go from" : "Going from");
	show_text(stdout, row_text(answer, "old_version"));
	fputs(" to ", stdout);
	show_text(stdout, row_text(answer, "new_version"));
	fputs(", from ", stdout);
	show_text(stdout, row_text(answer, "folders"));
	printf(".\n%lld processes that serve everybody %s replaced; ",
			row_number(answer, "replaced"), check ? "would be" : "are");
	printf(sessions == 1 ? "%lld session goes on with its version.\n"
			     : "%lld sessions go on with their version.\n",
			sessions);
	fflush(stdout);
}

/* The row of the status about this upgrade when it has ended; a new reference or NULL. */
static json_t *find_end(const struct api *api, json_int_t wanted) {
	struct api_answer answer = { 0 };
	json_t *row, *found = NULL;
	size_t i;
	if (api_call(api, "/api/v1/status", NULL, &answer) < 0) {
		return NULL;
	}
	json_array_foreach(json_object_get(answer.json, "status"), i, row) {
		const char *phase = row_text(row, "phase");
		bool ended = strcmp(phase, "done") == 0 || strcmp(phase, "went back") == 0;
		if (strcmp(row_text(row, "what"), "upgrade") == 0 &&
				row_number(row, "number") == wanted && ended) {
			found = json_incref(row);
		}
	}
	api_answer_finish(&answer);
	return found;
}

static int say_end(const json_t *row) {
	if (strcmp(row_text(row, "phase"), "done") == 0) {
		fputs("Version ", stdout);
		show_text(stdout, row_text(row, "new_version"));
		printf(" runs, after %lld ms.\n", row_number(row, "took_ms"));
		return 0;
	}
	fputs("perigee: the new version did not start: ", stderr);
	show_text(stderr, row_text(row, "detail"));
	fputs(". Version ", stderr);
	show_text(stderr, row_text(row, "old_version"));
	fputs(" goes on; the log says more.\n", stderr);
	return -1;
}

int upgrade_follow(const struct api *api, const struct upgrade_options *options,
		const json_t *answer) {
	say_plan(answer, options->check);
	if (options->check) {
		return 0;
	}
	uint64_t until_ms = clock_now_ms() + (uint64_t)(deadline_s(options) + MORE_S) * 1000;
	while (clock_now_ms() < until_ms) {
		json_t *row = find_end(api, row_number(answer, "number"));
		if (row) {
			int rc = say_end(row);
			json_decref(row);
			return rc;
		}
		poll(NULL, 0, LOOK_MS);
	}
	fputs("perigee: the host does not say how the upgrade ended; see `perigee status`.\n",
			stderr);
	return -1;
}
