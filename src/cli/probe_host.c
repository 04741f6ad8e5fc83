/* SPDX-License-Identifier: MIT */
#include "cli/probe_host.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/number.h"
#include "base/random.h"
#include "base/text.h"
#include "proto/http.h"
#include "proto/serverinfo.h"
#include "proto/xml.h"

/* How long clients wait (moonlight-qt nvhttp.cpp:15-19). */
enum {
	INFO_MS = 5000,
	APPS_MS = 5000,
	LAUNCH_MS = 120000,
	QUIT_MS = 30000,
	STATUS_UNAUTHORISED = 401,
};

static struct span span_of(const struct probe_answer *answer) {
	return (struct span){ answer->body, answer->len };
}

static int text_in(struct span document, const char *name, char *out, size_t size) {
	struct span text;
	int rc = xml_find(document, name, &text);
	return rc < 0 ? rc : xml_unescape(text, out, size);
}

static int number_in(
		struct span document, const char *name, int64_t min, int64_t max, int64_t *out) {
	struct span text;
	int rc = xml_find(document, name, &text);
	return rc < 0 ? rc : number_parse(text.at, text.len, min, max, out);
}

static int root_status(const struct probe_answer *answer, char *message, size_t size) {
	struct span text;
	int64_t status;
	if (xml_root_attribute(span_of(answer), "status_code", &text) < 0 ||
			number_parse(text.at, text.len, INT32_MIN, INT32_MAX, &status) < 0) {
		return -EBADMSG;
	}
	message[0] = '\0';
	if (xml_root_attribute(span_of(answer), "status_message", &text) == 0) {
		(void)!xml_unescape(text, message, size);
	}
	return (int)status;
}

/* A GET with the parameters that every request carries. */
static int get(struct probe *probe, struct probe_http *http, const char *step, const char *path,
		const char *query, uint32_t limit_ms, struct probe_answer *out) {
	uint8_t uuid[16];
	char digits[2 * sizeof(uuid) + 1];
	random_fill(uuid, sizeof(uuid));
	hex_encode(uuid, sizeof(uuid), digits);
	char target[HTTP_TARGET_MAX];
	bool has_id = strstr(query, "uniqueid=");
	if (!text_format(target, sizeof(target), "%s?%s%suuid=%s%s%s", path,
			    has_id ? query : "uniqueid=0123456789ABCDEF", "&", digits,
			    has_id || !*query ? "" : "&", has_id ? "" : query)) {
		return probe_fail(probe, PROBE_FAILED, step, "the request is too long");
	}
	uint64_t begin_ns = clock_now_ns();
	int rc = probe_http_get(http, target, limit_ms, out);
	char name[48];
	text_format(name, sizeof(name), "%s_ms", step);
	probe_note_ms(probe->report, name, begin_ns, clock_now_ns());
	return rc < 0 ? probe_fail_transport(probe, step, http->secure ? "HTTPS" : "HTTP", rc) : 0;
}

int probe_host_ask(struct probe *probe, struct probe_http *http, const char *step, const char *path,
		const char *query, uint32_t limit_ms, struct probe_answer *out) {
	int rc = get(probe, http, step, path, query, limit_ms, out);
	if (rc < 0) {
		return rc;
	}
	char message[256];
	int status = root_status(out, message, sizeof(message));
	if (out->status != 200 || status == -EBADMSG) {
		return probe_fail(probe, PROBE_FAILED, step,
				"%s: HTTP status %d, and no status in XML", path, out->status);
	}
	if (status == STATUS_UNAUTHORISED) {
		return probe_fail(probe, PROBE_UNPAIRED, step, "not paired with this host (%s)",
				message);
	}
	if (status != 200) {
		json_object_set_new(probe->report, "refused_status", json_integer(status));
		return probe_fail(probe, PROBE_REFUSED, step, "%s (status %d)", message, status);
	}
	return 0;
}

static int host_read(struct probe *probe, const struct probe_answer *answer) {
	struct span document = span_of(answer);
	struct probe_host host = { 0 };
	int64_t https_port = 0, codecs = 0, game = 0, paired = 0;
	char version[32] = "";
	if (text_in(document, "hostname", host.hostname, sizeof(host.hostname)) < 0 ||
			text_in(document, "uniqueid", host.uniqueid, sizeof(host.uniqueid)) < 0 ||
			text_in(document, "state", host.state, sizeof(host.state)) < 0 ||
			text_in(document, "appversion", version, sizeof(version)) < 0 ||
			number_in(document, "HttpsPort", 1, UINT16_MAX, &https_port) < 0 ||
			number_in(document, "ServerCodecModeSupport", 0, UINT32_MAX, &codecs) < 0 ||
			number_in(document, "currentgame", 0, INT32_MAX, &game) < 0 ||
			number_in(document, "PairStatus", 0, 1, &paired) < 0) {
		return probe_fail(probe, PROBE_FAILED, "serverinfo",
				"an element that clients need is missing or wrong");
	}
	host.https_port = (uint16_t)https_port;
	host.codecs = (uint32_t)codecs;
	host.current_game = (int32_t)game;
	host.paired = paired;
	probe->host = host;
	json_object_update_new(probe->report,
			json_pack("{s:s,s:s,s:s,s:s,s:I,s:b,s:I,s:I}", "hostname", host.hostname,
					"uniqueid", host.uniqueid, "state", host.state,
					"appversion", version, "codecs", (json_int_t)codecs,
					"paired", host.paired, "currentgame", (json_int_t)game,
					"https_port", (json_int_t)https_port));
	return 0;
}

int probe_host_info(struct probe *probe) {
	struct probe_answer answer;
	int rc = probe_host_ask(
			probe, &probe->http, "serverinfo", "/serverinfo", "", INFO_MS, &answer);
	rc = rc < 0 ? rc : host_read(probe, &answer);
	if (rc < 0) {
		return rc;
	}
	struct address secure = probe->address;
	secure.port = probe->host.https_port;
	if (probe->https.address.port != secure.port) {
		probe_http_finish(&probe->https);
		rc = probe_http_init(
				&probe->https, &secure, true, &probe->identity, &probe->transcript);
		if (rc < 0) {
			return probe_fail_transport(probe, "serverinfo", "TLS", rc);
		}
	}
	if (probe->identity.host_len == 0) {
		return 0;
	}
	rc = get(probe, &probe->https, "serverinfo_https", "/serverinfo", "", INFO_MS, &answer);
	if (rc < 0) {
		return rc;
	}
	char message[256];
	int status = root_status(&answer, message, sizeof(message));
	/* Not paired is no failure of this step: clients fall back to HTTP. */
	return status == STATUS_UNAUTHORISED ? 0
	       : status == 200               ? host_read(probe, &answer)
			       : probe_fail(probe, PROBE_REFUSED, "serverinfo", "%s (status %d)",
						 message, status);
}

static int app_read(struct span element, struct probe_app *app) {
	int64_t id, hdr = 0;
	(void)!number_in(element, "IsHdrSupported", 0, 1, &hdr);
	if (text_in(element, "AppTitle", app->title, sizeof(app->title)) < 0 ||
			number_in(element, "ID", 1, INT32_MAX, &id) < 0) {
		return -EBADMSG;
	}
	app->id = (int32_t)id;
	app->hdr = hdr;
	return 0;
}

int probe_host_apps(struct probe *probe, struct probe_apps *out) {
	struct probe_answer answer;
	int rc = probe_host_ask(probe, &probe->https, "applist", "/applist", "", APPS_MS, &answer);
	if (rc < 0) {
		return rc;
	}
	out->count = 0;
	json_t *list = json_array();
	json_object_set_new(probe->report, "apps", list);
	struct span rest = span_of(&answer), element;
	while (out->count < PROBE_APPS_MAX && xml_find(rest, "App", &element) == 0) {
		struct probe_app *app = &out->app[out->count];
		if (app_read(element, app) < 0) {
			return probe_fail(probe, PROBE_FAILED, "applist",
					"an app without title or ID");
		}
		out->count++;
		json_array_append_new(list, json_pack("{s:i,s:s,s:b}", "id", app->id, "title",
							    app->title, "hdr", app->hdr));
		const char *next = element.at + element.len;
		rest.len -= (size_t)(next - rest.at);
		rest.at = next;
	}
	return 0;
}

static bool is_wanted(const struct probe *probe, const struct probe_app *app) {
	const char *wanted = probe->options.app;
	int64_t id = 0;
	if (!wanted) {
		/* What runs, else any. */
		return probe->host.current_game == 0 || probe->host.current_game == app->id;
	}
	(void)!number_parse(wanted, strlen(wanted), 1, INT32_MAX, &id);
	return app->id == id || strcmp(app->title, wanted) == 0;
}

int probe_host_choose(struct probe *probe, const struct probe_apps *apps, struct probe_app *out) {
	for (size_t i = 0; i < apps->count; i++) {
		if (is_wanted(probe, &apps->app[i])) {
			*out = apps->app[i];
			return 0;
		}
	}
	const char *wanted = probe->options.app;
	return probe_fail(probe, PROBE_FAILED, "app", "the host has no app `%s`",
			wanted ? wanted : "that could be chosen");
}

int probe_host_art(struct probe *probe, int32_t app) {
	char query[64];
	text_format(query, sizeof(query), "appid=%d&AssetType=2&AssetIdx=0", app);
	struct probe_answer answer;
	int rc = get(probe, &probe->https, "appasset", "/appasset", query, APPS_MS, &answer);
	if (rc < 0) {
		return rc;
	}
	static const char signature[] = "\x89PNG\r\n\x1a\n";
	if (answer.status != 200 || answer.len < 24 || memcmp(answer.body, signature, 8) != 0) {
		return probe_fail(probe, PROBE_FAILED, "appasset", "HTTP status %d, no PNG",
				answer.status);
	}
	struct reader r = reader_over(answer.body + 16, 8);
	int width = (int)reader_be32(&r), height = (int)reader_be32(&r);
	json_object_set_new(probe->report, "art",
			json_pack("{s:i,s:I,s:i,s:i}", "app", app, "bytes", (json_int_t)answer.len,
					"width", width, "height", height));
	if (!probe->options.out) {
		return 0;
	}
	OWN(file_close) FILE *file = fopen(probe->options.out, "wbe");
	if (!file || fwrite(answer.body, 1, answer.len, file) != answer.len || fflush(file) != 0) {
		return probe_fail(probe, PROBE_FAILED, "appasset", "%s: %s", probe->options.out,
				strerror(errno));
	}
	return 0;
}

int probe_host_launch(struct probe *probe, const struct launch_query *query, bool resume, char *url,
		size_t size) {
	char text[2048];
	int len = launch_query_write(query, text, sizeof(text) - 1);
	if (len < 0) {
		return probe_fail(probe, PROBE_FAILED, "launch", "the request is too long");
	}
	text[len] = '\0';
	const char *step = resume ? "resume" : "launch";
	struct probe_answer answer;
	int rc = probe_host_ask(probe, &probe->https, step, resume ? "/resume" : "/launch", text,
			LAUNCH_MS, &answer);
	if (rc < 0) {
		return rc;
	}
	int64_t session;
	if (number_in(span_of(&answer), resume ? "resume" : "gamesession", 1, INT32_MAX, &session) <
					0 ||
			text_in(span_of(&answer), "sessionUrl0", url, size) < 0) {
		return probe_fail(probe, PROBE_FAILED, step, "no session in the answer");
	}
	json_object_set_new(probe->report, "session_url", json_string(url));
	return 0;
}

int probe_host_quit(struct probe *probe) {
	struct probe_answer answer;
	int rc = probe_host_ask(probe, &probe->https, "cancel", "/cancel", "", QUIT_MS, &answer);
	if (rc < 0) {
		return rc;
	}
	int64_t cancelled;
	if (number_in(span_of(&answer), "cancel", 1, 1, &cancelled) < 0) {
		return probe_fail(probe, PROBE_FAILED, "cancel", "the host did not quit the app");
	}
	rc = probe_host_info(probe);
	if (rc == 0 && probe->host.current_game != 0) {
		return probe_fail(probe, PROBE_FAILED, "cancel",
				"the host says that app %d runs still",
				(int)probe->host.current_game);
	}
	return rc;
}
