/* SPDX-License-Identifier: MIT */
#include "gate/web.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/text.h"
#include "gate/api.h"
#include "gate/api_schemas.h"
#include "gate/assets.h"
#include "gate/gate.h"

/* The web door: its pages, and who may use its API. */

static const char page_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
				  "img-src 'self'; connect-src 'self'; base-uri 'none'; "
				  "form-action 'none'";

void web_prepare(void) {
	json_object_seed(random_u32() | 1);
}

/* ---- pages ---- */

static void answer_asset(struct request *request, const char *name) {
	for (size_t i = 0; i < assets_count; i++) {
		if (strcmp(assets[i].name, name) == 0) {
			struct http_answer reply = { .status = 200,
				.content_type = assets[i].type,
				.content_policy = page_policy };
			request_answer_kept(request->connection, &reply, 200, assets[i].bytes,
					assets[i].len, NULL);
			return;
		}
	}
	api_error(request->connection, 404, "There is nothing here.");
}

void web_handle_page(struct request *request) {
	answer_asset(request, "index.html");
}

void web_handle_asset(struct request *request) {
	answer_asset(request, request->connection->path + 1);
}

void web_init(struct web *web) {
	events_init(&web->events);
	web->lobbies = json_object();
	web->apps = json_object();
	web->profiles = json_object();
	web->settings = json_object();
	for (size_t i = 0; i < WEB_INPUTS_MAX; i++) {
		web->inputs[i].channel.fd = -1;
	}
}

void web_finish(struct web *web) {
	events_finish(&web->events);
	json_decref(web->lobbies);
	json_decref(web->apps);
	json_decref(web->profiles);
	json_decref(web->settings);
	for (size_t i = 0; i < WEB_INPUTS_MAX; i++) {
		channel_close(&web->inputs[i].channel);
	}
}

/* ---- who may ---- */

/* A browser that was led here by another site says so in one of these. */
static bool is_foreign(const struct request *request) {
	const struct head *head = &request->http.head;
	struct span site, origin;
	int rc = head_find(head, "Sec-Fetch-Site", &site);
	if (rc != -ENOENT &&
			(rc < 0 || (!span_is(site, "same-origin") && !span_is(site, "none")))) {
		return true;
	}
	rc = head_find(head, "Origin", &origin);
	if (rc == -ENOENT) {
		return false;
	}
	static const char scheme[] = "https://";
	size_t skip = sizeof(scheme) - 1;
	return rc < 0 || origin.len != skip + request->http.host.len ||
	       memcmp(origin.at, scheme, skip) != 0 ||
	       memcmp(origin.at + skip, request->http.host.at, request->http.host.len) != 0;
}

/* "Authorization: Bearer KEY" is how monitors show theirs. */
static bool find_key(const struct request *request, struct span *out) {
	static const char scheme[] = "Bearer ";
	size_t skip = sizeof(scheme) - 1;
	if (head_find(&request->http.head, "X-Perigee-Key", out) == 0) {
		return true;
	}
	if (head_find(&request->http.head, "Authorization", out) < 0 || out->len < skip ||
			!span_is_nocase((struct span){ out->at, skip }, scheme)) {
		return false;
	}
	*out = (struct span){ out->at + skip, out->len - skip };
	return true;
}

/* The web key, which people have, may everything; a program's token what it was made for.
 * Answers the scopes, 0 for a key that is not known. */
static uint32_t scopes_of(const struct request *request) {
	const char *key = request->gate->web_key;
	struct span shown;
	if (!key[0] || !find_key(request, &shown)) {
		return 0;
	}
	if (shown.len == strlen(key) && bytes_equal_secretly(shown.at, key, shown.len)) {
		return UINT32_MAX;
	}
	const struct token *token = tokens_find(&request->gate->web.tokens, shown);
	return token ? token->scopes : 0;
}

bool web_may(const struct request *request, enum api_scope scope) {
	unsigned door = request->connection->door;
	return door == DOOR_API || (door == DOOR_WEB && scopes_of(request) & 1u << scope);
}

static void refuse_scope(struct connection *connection, enum api_scope scope) {
	char words[100];
	text_format(words, sizeof(words), "This token lacks the scope \"%s\".",
			api_scope_name(scope));
	api_error(connection, 403, words);
}

static bool refuses_web(struct request *request, const struct route *route) {
	struct connection *connection = request->connection;
	struct keyguard *guard = &request->gate->web.guard;
	struct source source = source_of(&connection->peer);
	uint64_t now = clock_now_ms();
	if (is_foreign(request)) {
		api_error(connection, 403, "Another site may not use this API.");
		return true;
	}
	if (keyguard_is_locked(guard, &source, now)) {
		api_error(connection, 429,
				"Too many wrong keys from your address. Wait half a minute, then "
				"try again.");
		return true;
	}
	uint32_t scopes = scopes_of(request);
	if (!scopes) {
		keyguard_note_wrong(guard, &source, now);
		api_error(connection, 401,
				"The key is wrong. Open the link that the host printed, or run "
				"`perigee pair` on the host to see it again.");
		return true;
	}
	keyguard_note_right(guard, &source);
	places_know(&connection->pool->places, connection->slot);
	if (!(scopes & 1u << route->about.scope)) {
		refuse_scope(connection, route->about.scope);
		return true;
	}
	return false;
}

/* The socket lies where that desktop's programs alone are: whoever reaches it may what it can,
 * within what one desktop may cost the others. */
static bool refuses_desk(struct connection *connection, uint32_t cost) {
	if (!connection_is_desk(connection) || connections_spend(connection, cost)) {
		return false;
	}
	connection->keep_alive = false;
	api_refuse(connection, REASON_DESK_BUSY, NULL);
	return true;
}

static uint32_t cost_of(const struct route *route) {
	return route->handle == api_handle_shot_ask   ? BUDGET_SHOT
	       : route->handle == api_handle_clip_get ? BUDGET_CLIP
						      : BUDGET_REQUEST;
}

static bool refuses(struct request *request, const struct route *route) {
	struct connection *connection = request->connection;
	if (connection_is_desk(connection)) {
		return refuses_desk(connection, cost_of(route));
	}
	if (connection->door == DOOR_API) {
		if (connection->uid == 0 || connection->uid == geteuid()) {
			return false;
		}
		api_error(connection, 403, "Only root and Perigee's own user may use this.");
		return true;
	}
	return route->access == ACCESS_KEY && refuses_web(request, route);
}

/* What the route takes, checked; false when that was answered with what is wrong. */
static bool read_json(struct request *request, const struct route *route) {
	char fault[SCHEMA_FAULT_MAX] = "The host has no memory left.";
	if (!route->about.words) {
		return true; /* a page, which looks at nothing but its address */
	}
	const struct schema *takes = route->about.takes ? route->about.takes : &schema_nothing;
	if (route->method == HTTP_POST && !route->about.takes && request->body.len == 0) {
		return true;
	}
	int rc = route->method == HTTP_GET
				 ? schema_parse_query(takes, request->http.query, &request->json,
						   fault)
				 : schema_parse(takes, request->body, &request->json, fault);
	if (rc < 0) {
		api_error(request->connection, rc == -EBADMSG ? 400 : 503, fault);
	}
	return rc == 0;
}

/* Once: who sends them sends them with each request. */
static void warn_of_foreign(struct request *request, const struct route *route) {
	struct web *web = &request->gate->web;
	const struct schema *takes = route->about.takes;
	const char *name = takes && request->json && !web->foreign_told
					   ? schema_foreign(takes, request->json)
					   : NULL;
	if (name) {
		web->foreign_told = true;
		log_warning("pipeline-ignored",
				"field=%s path=%s detail=\"fields of pipelines are taken and have "
				"no "
				"effect\"",
				name, route->path);
	}
}

void web_serve(struct request *request, const struct route *route) {
	if (refuses(request, route) || !read_json(request, route)) {
		return;
	}
	warn_of_foreign(request, route);
	route->handle(request);
	json_decref((json_t *)TAKE(request->json, NULL));
}

void web_not_found(struct request *request, int status) {
	if (refuses_desk(request->connection, BUDGET_REQUEST)) {
		return;
	}
	api_error(request->connection, status,
			status == 405 ? "That does not work with this method."
				      : "There is nothing here.");
}

static bool more(struct connection *connection) {
	return connection->awaits == AWAITS_IMAGE ? api_image_more(connection)
						  : events_more(connection);
}

const struct connection_class web_class = {
	.name = "web",
	.tls = true,
	.receive = request_receive,
	.overdue = gate_overdue,
	.gone = gate_gone,
	.more = more,
};

const struct connection_class web_api_class = {
	.name = "api",
	.receive = request_receive,
	.overdue = gate_overdue,
	.gone = gate_gone,
	.more = more,
};
