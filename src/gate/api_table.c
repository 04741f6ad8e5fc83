/* SPDX-License-Identifier: MIT */
#include "gate/api.h"
#include "gate/api_schemas.h"
#include "gate/health.h"
#include "gate/web.h"
#include "gate/web_obey.h"

/* Every address of the web door: requests are routed by this table, and the OpenAPI
 * document and docs/api.md are made from it. */

enum {
	LOUD = false,
	QUIET = true, /* polled */
	BOTH = ON(WEB) | ON(API),
	UNIX = ON(API),
};

#define PAGE(path_, handle_) \
	{ \
		.path = path_, .doors = ON(WEB), .method = HTTP_GET, .access = ACCESS_ANY, \
		.quiet = true, .handle = handle_ \
	}
#define CALL(method_, path_, doors_, quiet_, scope_, takes_, gives_, handle_, words_) \
	{ \
		.path = path_, .doors = doors_, .method = HTTP_##method_, .access = ACCESS_KEY, \
		.quiet = quiet_, .handle = handle_, .about = { .scope = SCOPE_##scope_, \
			.takes = takes_, .gives = gives_, .words = words_ } \
	}
#define PLAIN(path_, access_, media_, handle_, words_) \
	{ \
		.path = path_, .doors = BOTH, .method = HTTP_GET, .access = access_, \
		.quiet = true, .handle = handle_, \
		.about = { .takes = &schema_anything, .media = media_, .words = words_ } \
	}

#define NO NULL

/* clang-format off */
static const struct route routes[] = {
	PAGE("/", web_handle_page),
	PAGE("/pin", web_handle_page),
	PAGE("/pair.js", web_handle_asset),
	PAGE("/pair.css", web_handle_asset),
	PAGE("/icon.svg", web_handle_asset),

	CALL(GET, "/api/v1/pair/pending", BOTH, QUIET, PAIR, NO, &schema_gives_pending,
		api_handle_pending, "The clients that wait for their PIN."),
	CALL(GET, "/api/v1/pair/link", UNIX, QUIET, PAIR, NO, &schema_gives_link,
		api_handle_link, "The page for pairing with its key; on the Unix socket alone."),
	CALL(POST, "/api/v1/pair/client", BOTH, LOUD, PAIR, &schema_takes_pin, NO,
		api_handle_pair, "Types a client's PIN; answered when its pairing has ended."),

	CALL(GET, "/api/v1/clients", BOTH, QUIET, READ, NO, &schema_gives_clients,
		api_handle_clients, "The paired clients."),
	CALL(POST, "/api/v1/unpair/client", BOTH, LOUD, CLIENTS, &schema_takes_client, NO,
		api_handle_unpair, "Forgets a client and ends what it has open."),

	CALL(GET, "/api/v1/status", BOTH, QUIET, READ, &schema_takes_filter, &schema_gives_status,
		api_handle_status, "Everything there is, row by row."),
	CALL(POST, "/api/v1/system/restart", UNIX, LOUD, ADMIN, &schema_takes_restart, NO,
		api_handle_restart, "Ends a process, so that its successor goes on."),
	CALL(GET, "/api/v1/openapi-schema", BOTH, QUIET, READ, NO, &schema_gives_document,
		api_handle_openapi, "This document."),
#ifdef PERIGEE_OBEY
	{ .path = "/api/v1/debug/obey", .doors = UNIX, .method = HTTP_POST, .access = ACCESS_KEY,
		.handle = web_handle_obey },
#endif
	PLAIN("/healthz", ACCESS_ANY, "text/plain", health_handle_alive,
		"Whether the host lives: 200 or 503 with the reason."),
	PLAIN("/readyz", ACCESS_ANY, "text/plain", health_handle_ready,
		"Whether a session can start: 200 or 503 with what stalls."),
	PLAIN("/metrics", ACCESS_KEY, "text/plain", health_handle_metrics,
		"Figures in Prometheus' text form."),
};
/* clang-format on */

const struct request_site web_site = {
	.routes = routes,
	.n_routes = ARRAY_LEN(routes),
	.serve = web_serve,
	.not_found = web_not_found,
};
