/* SPDX-License-Identifier: MIT */
#include "gate/moonlight.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gate/gate.h"
#include "gate/launch.h"
#include "proto/launch.h"
#include "proto/serverinfo.h"

enum {
	XML_MAX = 4096,
	APPLIST_MAX = 256 + APPS_MAX * 768,
};

void moonlight_answer(struct connection *connection, const char *xml, int len, int code) {
	struct http_answer answer = { .status = len < 0 ? 500 : 200,
		.content_type = "text/xml; charset=utf-8" };
	request_answer(connection, &answer, len < 0 ? 500 : code, xml, len < 0 ? 0 : (size_t)len);
}

void moonlight_error(struct connection *connection, int status, const char *message) {
	char xml[XML_MAX];
	int len = serverinfo_error_write(status, message, connection->path, xml, sizeof(xml));
	moonlight_answer(connection, xml, len, status);
}

void moonlight_reason(struct connection *connection, uint32_t reason, const char *detail) {
	const struct reason_row *row = reason_row(reason);
	char message[400];
	text_format(message, sizeof(message), "%s%s%s", detail[0] ? detail : row->words,
			row->remedy[0] && !detail[0] ? " " : "", detail[0] ? "" : row->remedy);
	moonlight_error(connection, row->status == 200 ? 503 : row->status, message);
}

static void handle_serverinfo(struct request *request) {
	const struct gate *gate = request->gate;
	bool secure = request->client != NULL;
	struct serverinfo info = {
		.hostname = gate->options.host_name,
		.uniqueid = gate->host_id,
		.http_port = gate->options.http_port,
		.https_port = gate->options.https_port,
		.codecs = gate->codecs.mask,
		.local = request->connection->local,
		.secure = secure,
		.current_game = secure ? sessions_game(&gate->sessions,
							 request->client->fingerprint)
				       : 0,
	};
	memcpy(info.mac, gate->options.mac, sizeof(info.mac));
	char xml[XML_MAX];
	moonlight_answer(request->connection, xml, serverinfo_write(&info, xml, sizeof(xml)), 200);
}

static void handle_applist(struct request *request) {
	const struct apps *apps = &request->gate->apps;
	struct serverinfo_app list[APPS_MAX];
	size_t count = 0;
	for (size_t i = 0; client_may(request->client, PERMIT_LIST) && i < apps->count; i++) {
		if (!client_may_app(request->client, apps->list[i].id)) {
			continue;
		}
		list[count++] = (struct serverinfo_app){
			.title = apps->list[i].title,
			.id = apps->list[i].id,
			.hdr = (apps->list[i].flags & APP_HDR) != 0,
		};
	}
	OWN(free) void *xml = malloc(APPLIST_MAX);
	int len = xml ? serverinfo_applist_write(list, count, xml, APPLIST_MAX) : -ENOMEM;
	moonlight_answer(request->connection, xml, len, 200);
}

/* The picture is looked up by number in a table: no path is made from what was sent. */
static void handle_appasset(struct request *request) {
	int32_t app;
	const char *culprit;
	struct art *art = NULL;
	if (launch_appid_parse(request->http.query, &app, &culprit) == 0) {
		art = apps_art(&request->gate->apps, app);
	}
	if (!art) {
		request_answer(request->connection, &(struct http_answer){ .status = 404 }, 404, "",
				0);
		return;
	}
	struct http_answer answer = { .status = 200, .content_type = "image/png" };
	request_answer_kept(
			request->connection, &answer, 200, art->shm.map, art->shm.size, &art->keep);
}

#define ROUTE(path_, doors_, access_, quiet_, handle_) \
	{ \
		.path = path_, .doors = doors_, .method = HTTP_GET, .access = access_, \
		.quiet = quiet_, .handle = handle_ \
	}

static const struct route routes[] = {
	ROUTE("/serverinfo", ON(HTTP), ACCESS_ANY, true, handle_serverinfo),
	ROUTE("/serverinfo", ON(HTTPS), ACCESS_PAIRED, true, handle_serverinfo),
	ROUTE("/pair", ON(HTTP), ACCESS_ANY, false, pair_handle),
	ROUTE("/pair", ON(HTTPS), ACCESS_PAIRED, false, pair_handle_challenge),
	ROUTE("/unpair", ON(HTTP) | ON(HTTPS), ACCESS_ANY, false, pair_handle_unpair),
	ROUTE("/applist", ON(HTTPS), ACCESS_PAIRED, true, handle_applist),
	ROUTE("/appasset", ON(HTTPS), ACCESS_PAIRED, true, handle_appasset),
	ROUTE("/launch", ON(HTTPS), ACCESS_PAIRED, false, launch_handle),
	ROUTE("/resume", ON(HTTPS), ACCESS_PAIRED, false, launch_handle_resume),
	ROUTE("/cancel", ON(HTTPS), ACCESS_PAIRED, false, launch_handle_cancel),
};

/* Moonlight looks for just this answer to find out that it is not paired, so it is HTTP's
 * 200 with the 401 inside (moonlight-qt nvhttp.cpp:153-164). */
static void serve(struct request *request, const struct route *route) {
	if (route->access == ACCESS_ANY || request->client) {
		route->handle(request);
		return;
	}
	moonlight_error(request->connection, 401,
			"The client is not authorized. Certificate verification failed.");
}

static void not_found(struct request *request, int status) {
	struct connection *connection = request->connection;
	char xml[XML_MAX];
	int len = serverinfo_error_write(status, "There is nothing here.", "", xml, sizeof(xml));
	struct http_answer answer = { .status = status, .content_type = "text/xml" };
	request_answer(connection, &answer, status, xml, len < 0 ? 0 : (size_t)len);
}

const struct request_site moonlight_site = {
	.routes = routes,
	.n_routes = ARRAY_LEN(routes),
	.serve = serve,
	.not_found = not_found,
};

const struct connection_class moonlight_http_class = {
	.name = "http",
	.receive = request_receive,
	.overdue = gate_overdue,
	.gone = gate_gone,
};

const struct connection_class moonlight_https_class = {
	.name = "https",
	.tls = true,
	.receive = request_receive,
	.overdue = gate_overdue,
	.gone = gate_gone,
};
