/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/net.h"
#include "cli/probe.h"
#include "cli/probe_discover.h"
#include "cli/probe_host.h"
#include "cli/probe_session.h"
#include "cli/probe_summary.h"
#include "cli/show.h"

/* ---- modes ---- */

/* What every mode on HTTPS begins with. */
static int meet(struct probe *probe) {
	int rc = probe_host_info(probe);
	if (rc < 0 || probe->host.paired) {
		return rc;
	}
	return probe->options.pin ? probe_host_pair(probe)
				  : probe_fail(probe, PROBE_UNPAIRED, "pair",
						    "not paired with this host; give --pin");
}

static int choose(struct probe *probe, struct probe_app *out) {
	OWN(free) void *memory = malloc(sizeof(struct probe_apps));
	struct probe_apps *apps = memory;
	if (!apps) {
		return probe_fail_transport(probe, "applist", "memory", -ENOMEM);
	}
	int rc = probe_host_apps(probe, apps);
	return rc < 0 ? rc : probe_host_choose(probe, apps, out);
}

static int run_info(struct probe *probe) {
	return probe_host_info(probe);
}

static int run_pair(struct probe *probe) {
	/* Whoever was met before: this host is to be met anew. */
	probe->identity.host_len = 0;
	int rc = probe_host_info(probe);
	return rc < 0 ? rc : probe_host_pair(probe);
}

static int run_apps(struct probe *probe) {
	OWN(free) void *memory = malloc(sizeof(struct probe_apps));
	int rc = memory ? meet(probe) : probe_fail_transport(probe, "applist", "memory", -ENOMEM);
	return rc < 0 ? rc : probe_host_apps(probe, memory);
}

static int run_art(struct probe *probe) {
	struct probe_app app;
	int rc = meet(probe);
	rc = rc < 0 ? rc : choose(probe, &app);
	return rc < 0 ? rc : probe_host_art(probe, app.id);
}

static int stream(struct probe *probe, bool resume) {
	struct probe_app app;
	int rc = meet(probe);
	rc = rc < 0 ? rc : choose(probe, &app);
	if (rc < 0) {
		return rc;
	}
	/* As clients do it: what runs is resumed. */
	resume = resume || (!probe->options.launch && probe->host.current_game == app.id);
	rc = probe_watch(probe, app.id, app.title, resume);
	return rc < 0 || !probe->options.quit ? rc : probe_host_quit(probe);
}

static int run_stream(struct probe *probe) {
	return stream(probe, false);
}

static int run_resume(struct probe *probe) {
	return stream(probe, true);
}

static int run_quit(struct probe *probe) {
	int rc = meet(probe);
	return rc < 0 ? rc : probe_host_quit(probe);
}

/* A session that a program made: the host was asked by its API, with this key. */
static int run_watch(struct probe *probe) {
	const struct probe_options *options = &probe->options;
	struct secret key;
	if (!options->session_url || !options->key ||
			strlen(options->key) != 2 * sizeof(key.bytes) ||
			hex_decode(options->key, 2 * sizeof(key.bytes), key.bytes) < 0) {
		return probe_fail(probe, PROBE_USAGE, "options",
				"watch wants --session-url, and --key with 32 hex digits");
	}
	int rc = probe_session_run(probe, &key, (uint32_t)options->key_id, options->session_url,
			clock_now_ns());
	secret_wipe(&key);
	return rc;
}

/* Moves what is in the report so far under `name`. */
static void file_under(struct probe *probe, json_t *whole, const char *name) {
	json_object_set_new(whole, name, probe->report);
	probe->report = json_object();
}

static int run_all(struct probe *probe) {
	json_t *whole = json_object();
	struct probe_app app;
	int rc = meet(probe);
	file_under(probe, whole, "serverinfo");
	rc = rc < 0 ? rc : choose(probe, &app);
	rc = rc < 0 ? rc : probe_host_art(probe, app.id);
	file_under(probe, whole, "apps");
	rc = rc < 0 ? rc
		    : probe_watch(probe, app.id, app.title, probe->host.current_game == app.id);
	file_under(probe, whole, "stream");
	rc = rc < 0 ? rc : probe_watch(probe, app.id, app.title, true);
	file_under(probe, whole, "resume");
	rc = rc < 0 ? rc : probe_host_quit(probe);
	file_under(probe, whole, "quit");
	json_decref(probe->report);
	probe->report = whole;
	return rc;
}

static const struct {
	const char *name, *words;
	int (*run)(struct probe *probe);
	bool needs_host;
} modes[] = {
	{ "serverinfo", "what the host says of itself", run_info, true },
	{ "pair", "pairs, with --pin", run_pair, true },
	{ "apps", "what can be launched", run_apps, true },
	{ "art", "fetches the box art of --app", run_art, true },
	{ "stream", "launches --app, or resumes it, and watches", run_stream, true },
	{ "resume", "watches what runs", run_resume, true },
	{ "watch", "watches a session that a program made", run_watch, true },
	{ "quit", "quits what runs", run_quit, true },
	{ "discover", "asks the network for hosts", probe_discover, false },
	{ "all", "all of these but discover, one after the other", run_all, true },
};

static int help(FILE *file) {
	fputs("perigee probe MODE [OPTIONS]: a Moonlight client without a screen\n\n", file);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		fprintf(file, "  %-12s%s\n", modes[i].name, modes[i].words);
	}
	fputc('\n', file);
	probe_options_help(file);
	fputs("\nExit status: 0 all well, 1 something was wrong, 2 wrong usage, 3 no answer,\n"
	      "4 not paired, 5 the host refused.\n",
			file);
	return file == stdout ? PROBE_OK : PROBE_USAGE;
}

static void print(struct probe *probe) {
	json_object_set_new(probe->report, "ok", json_boolean(!probe->error[0]));
	if (probe->error[0]) {
		json_object_set_new(probe->report, "step", json_string(probe->step));
		json_object_set_new(probe->report, "error", json_string(probe->error));
	}
	if (probe->options.json) {
		json_dumpf(probe->report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
		return;
	}
	json_object_del(probe->report, "ok");
	json_object_del(probe->report, "step");
	json_object_del(probe->report, "error");
	if (json_object_get(probe->report, "video")) {
		probe_summary(stdout, probe->report);
	} else {
		show_json(stdout, probe->report);
	}
	if (probe->error[0]) {
		fflush(stdout);
		fprintf(stderr, "perigee probe: %s: ", probe->step);
		show_text(stderr, probe->error);
		fputc('\n', stderr);
	}
}

static int prepare(struct probe *probe) {
	const struct probe_options *options = &probe->options;
	int rc = probe_transcript_open(&probe->transcript, options->transcript, probe->begin_ns);
	if (rc < 0) {
		return probe_fail(probe, PROBE_USAGE, "transcript", "%s: %s", options->transcript,
				strerror(-rc));
	}
	rc = probe_identity_load(options->keys, &probe->identity);
	if (rc < 0) {
		return probe_fail(probe, PROBE_USAGE, "keys", "%s: %s", probe->identity.folder,
				strerror(-rc));
	}
	rc = net_resolve(options->host, (uint16_t)options->port, &probe->address);
	if (rc < 0) {
		return probe_fail(probe, PROBE_UNREACHABLE, "host", "no address for `%s`",
				options->host);
	}
	return probe_http_init(
			&probe->http, &probe->address, false, &probe->identity, &probe->transcript);
}

static void probe_finish(struct probe *probe) {
	probe_http_finish(&probe->http);
	probe_http_finish(&probe->https);
	probe_identity_finish(&probe->identity);
	json_decref(probe->report);
}

int main(int argc, char **argv) {
	OWN(free) void *memory = calloc(1, sizeof(struct probe));
	struct probe *probe = memory;
	if (!probe || probe_options_parse(argc, argv, &probe->options) < 0) {
		return PROBE_USAGE;
	}
	const char *mode = probe->options.mode;
	if (strcmp(mode, "help") == 0) {
		return help(argc > 1 ? stdout : stderr);
	}
	/* OpenSSL writes without MSG_NOSIGNAL, and hosts close connections that idle while we
	 * stream. */
	signal(SIGPIPE, SIG_IGN);
	probe->begin_ns = clock_now_ns();
	probe->report = json_object();
	probe->http.fd = probe->https.fd = -1;
	size_t i = 0;
	while (i < ARRAY_LEN(modes) && strcmp(mode, modes[i].name) != 0) {
		i++;
	}
	if (i == ARRAY_LEN(modes)) {
		fprintf(stderr, "perigee probe: there is no mode `%s`\n", mode);
		json_decref(probe->report);
		return help(stderr);
	}
	if (!modes[i].needs_host || prepare(probe) == 0) {
		(void)!modes[i].run(probe);
	}
	if (probe_transcript_close(&probe->transcript) < 0) {
		probe_fail(probe, PROBE_FAILED, "transcript", "it could not be written");
	}
	print(probe);
	int status = probe->exit;
	probe_finish(probe);
	return status;
}
