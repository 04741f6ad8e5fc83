/* SPDX-License-Identifier: MIT */
#include "gate/api_schemas.h"

#include "gate/schema_tables.h"

/* clang-format off */
const struct schema schema_nothing = { .name = "Nothing" };
SCHEMA_OPEN(schema_anything, "Anything");

SCHEMA(schema_success, "Success", SUCCESS);
SCHEMA(schema_error, "Error",
	NEED_FLAG("success", "Always false."),
	NEED_TEXT("error", 1024, "What is wrong, in words for a person."));

/* ---- pairing ---- */

PART(pending, "Pending",
	NEED_WHOLE("pairing", 1, UINT32_MAX, "To name it by."),
	NEED_LINE("pair_secret", 1, 16, "The same as text: Wolf's name for it."),
	NEED_LINE("client_ip", 1, 64, NULL),
	NEED_LINE("address", 1, 64, "The same as client_ip."),
	NEED_LINE("fingerprint", 64, 64, "SHA-256 of the client's certificate."),
	NEED_TEXT("name", 64, "What the client calls itself."),
	NEED_WHOLE("waits_s", 0, 0, "For how long."));
SCHEMA(schema_gives_pending, "PendingList", SUCCESS,
	NEED_LIST("requests", 16, pending, "The clients that wait for their PIN."));
SCHEMA(schema_gives_link, "Link", SUCCESS,
	NEED_LINE("url", 1, 256, "The page for pairing, with its key."));
SCHEMA(schema_takes_pin, "PairClient",
	NEED_PIN("pin", "What the client shows."),
	ID_IN("pairing", "Which client; may be missing while just one waits."),
	LINE("pair_secret", 1, 64, "Wolf's name for the same."),
	LINE("name", 0, 63, "To call the client by."));

/* ---- clients ---- */

PART(client, "Client",
	NEED_LINE("client_id", 64, 64, "SHA-256 of its certificate."),
	NEED_LINE("fingerprint", 64, 64, "The same."),
	NEED_TEXT("name", 64, NULL),
	NEED_WHOLE("created_s", 0, 0, "When it was paired, Unix time."),
	NEED_WHOLE("app", INT32_MIN, INT32_MAX, "What runs for it, 0 for nothing."));
SCHEMA(schema_gives_clients, "ClientList", SUCCESS, NEED_LIST("clients", 1024, client, NULL));
SCHEMA(schema_takes_client, "UnpairClient",
	NEED_LINE("client_id", 1, 64, "As in the list of clients."));

/* ---- system ---- */

PART_OPEN(status_row, "StatusRow", NEED_LINE("what", 1, 32, "What kind of row this is."));
SCHEMA(schema_takes_filter, "StatusQuery", LINE("filter", 0, 31, "Rows of this kind alone."));
SCHEMA(schema_gives_status, "Status", SUCCESS, NEED_LIST("status", 2048, status_row, NULL));
SCHEMA(schema_takes_restart, "Restart",
	NEED_LINE("kind", 1, 15, "Which process: encoder, stream, desktop, gate and so on."),
	LINE("id", 1, 23, "Its session's or its own number, where there are several."));
SCHEMA_OPEN(schema_gives_document, "OpenAPI");
/* clang-format on */
